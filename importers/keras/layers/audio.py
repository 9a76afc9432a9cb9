"""Spectrograms: sounds by their frequencies, as convolutions with waves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from typing import Any, Literal

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Term, Terms, fuse, size_of
from ....ir.ops.activation import Clip, Log, Power
from ....ir.ops.convolution import Conv
from ....ir.ops.dense import Dense
from ....ir.ops.maths import Function, Reduce
from ....ir.ops.shape import View
from ....ir.source import ArraySource
from ....ir.tensor import Param, Stored, Weight
from .. import computed
from ..call import LayerCall
from ..registry import Config, Slot, translates
from .arithmetic import chosen, combined
from .arrangement import padded
from .convolution import ConvConfig, Window
from .merge import joined
from .scaling import affine

LEAST = 1e-7
"""What numbers are raised to before a root or a logarithm: the `epsilon` of the backend."""

MOST = 1 << 24
"""Numbers that the waves of one spectrogram may have."""


class STFTConfig(Config, frozen=True, kw_only=True):
    """What STFTSpectrogram reads; window and scaling are in its kernels."""

    mode: Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"] = "log"
    frame_length: int = 256
    frame_step: int | None = None
    fft_length: int | None = None
    window: Any = None
    periodic: bool = False
    scaling: str | None = None
    padding: Literal["valid", "same"] = "valid"
    expand_dims: bool = False
    data_format: str | None = None


class MelConfig(Config, frozen=True, kw_only=True):
    """What MelSpectrogram reads."""

    fft_length: int = 2048
    sequence_stride: int = 512
    sequence_length: int | None = None
    window: str | None = "hann"
    sampling_rate: float = 16000
    num_mel_bins: int = 128
    min_freq: float = 20.0
    max_freq: float | None = None
    power_to_db: bool = True
    top_db: float = 80.0
    mag_exp: float = 2.0
    min_power: float = 1e-10
    ref_power: float = 1.0


@translates(
    "STFTSpectrogram",
    config=STFTConfig,
    slots=lambda config, era: (
        *[Slot("real_kernel")] * (config.mode != "imag"),
        *[Slot("imag_kernel")] * (config.mode != "real"),
    ),
)
def stft_spectrogram(call: LayerCall, x: Value) -> Value:
    """STFTSpectrogram: each channel against waves that the file holds as kernels.

    Source: Keras 3.15 `layers/preprocessing/stft_spectrogram.py` (`call`, `_adjust_shapes`).
    """
    config: STFTConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    if call.batch != 1 or len(axes) != 3 or config.frame_length < 1:
        raise ConfigError(f"STFTSpectrogram of an input {x.layout}")
    first = call.era.data_format(config.data_format) == "channels_first"
    channels, time = (axes[1], axes[2]) if first else (axes[2], axes[1])
    length = config.fft_length or 2 ** math.ceil(math.log2(config.frame_length))
    sizes = {"T": config.frame_length, "X": 1, "C": length // 2 + 1}
    kernels = {
        part: call.tagged(f"{part}_kernel", [Layout(tuple(Axis(*one) for one in sizes.items()))])
        for part in ("real", "imag")
        if f"{part}_kernel" in call.stored
    }
    x = call.add(View(), [x], (axes[0], channels, time, Axis("X", 1)), part="each").result
    step = config.frame_step or config.frame_length // 2
    filters = Axis("C", sizes["C"])
    found = [
        _waves(call, x, kernel, filters, (step, config.padding), part)
        for part, kernel in kernels.items()
    ]
    y = _told(call, config.mode, found)
    return _placed(call, y, config, first=first)


def _waves(
    call: LayerCall, x: Value, kernel: Param, filters: Axis, geometry: tuple[int, str], part: str
) -> Value:
    """Each row against all waves: channels are a batch of their own."""
    step, padding = geometry
    taps = size_of(kernel.stored[0].layout.terms[0]) or 0
    each = copy(call)
    each.batch = len(call.axes(x)) - 2
    config = ConvConfig(
        filters=filters.size or 0,
        kernel_size=(taps,),
        strides=(step,),
        padding=padding,  # type: ignore[arg-type]
        data_format="channels_last",
        use_bias=False,
    )
    window = Window(each, x, config, 1)
    bound = window.bindings(filters=(filters,))
    own = Layout((*window.taps, *call.axes(x)[-1:], filters))
    params = {"kernel": Param(kernel.weight, (Stored(own),))}
    op = Conv(strides=window.strides, dilation=window.dilation, padding=window.padding)
    result = window.ports.placed(filters, window.space)
    return each.add(op, [x], result, axes=bound, params=params, part=part).result


def _told(call: LayerCall, mode: str, found: Sequence[Value]) -> Value:
    """Real and imaginary parts in the form that is asked for."""
    if len(found) == 1:
        return found[0]
    real, imaginary = found
    if mode == "stft":
        return joined(call, found, -1, part="both")
    if mode == "angle":
        return _angle(call, imaginary, real)
    power = _power(call, real, imaginary)
    if mode == "psd":
        bins = size_of(call.axes(power)[-1]) or 0
        return affine(call, power, [1.0, *[2.0] * (bins - 2), 1.0], 0.0)
    size = _root(call, _raised_to(call, power, LEAST))
    if mode == "magnitude":
        return size
    return call.add(Log(), [_raised_to(call, size, LEAST)], call.axes(size)).result


def _power(call: LayerCall, real: Value, imaginary: Value) -> Value:
    squares = [
        call.add(Power(exponent=2.0), [one], call.axes(one), part="square").result
        for one in (real, imaginary)
    ]
    return combined(call, "add", *squares)


def _raised_to(call: LayerCall, x: Value, least: float) -> Value:
    return call.add(Clip(low=least), [x], call.axes(x), part="raised").result


def _root(call: LayerCall, x: Value) -> Value:
    return call.add(Power(exponent=0.5), [x], call.axes(x), part="root").result


def _angle(call: LayerCall, y: Value, x: Value) -> Value:
    """The angle of (x, y): that of y / x, half a turn on where x is negative."""
    level = combined(call, "equal", x, 0.0)
    ratio = combined(call, "divide", y, chosen(call, level, 1.0, x))
    angle = call.add(Function(function="arctan"), [ratio], call.axes(ratio), part="angle").result
    below = combined(call, "less", y, 0.0)
    turned = combined(call, "add", angle, chosen(call, below, -math.pi, _filled(call, y, math.pi)))
    behind = chosen(call, combined(call, "less", x, 0.0), turned, angle)
    above = chosen(call, combined(call, "greater", y, 0.0), math.pi / 2, _filled(call, y, 0.0))
    upright = chosen(call, below, -math.pi / 2, above)
    return chosen(call, level, upright, behind)


def _filled(call: LayerCall, x: Value, number: float) -> Value:
    return affine(call, x, 0.0, number)


def _placed(call: LayerCall, y: Value, config: STFTConfig, *, first: bool) -> Value:
    """Batch, channels, steps, frequencies in the order that the layer gives them in."""
    batch, channels, steps, bins = call.axes(y)
    result: Terms
    if config.expand_dims:
        result = (channels, steps, bins) if first else (steps, bins, channels)
    else:
        both: Term = bins if size_of(channels) == 1 else fuse((channels, bins))
        result = (both, steps) if first else (steps, both)
    return call.add(View(), [y], (batch, *result), part="placed").result


# ---- mel ----------------------------------------------------------------------------------------


@translates("MelSpectrogram", config=MelConfig)
def mel_spectrogram(call: LayerCall, x: Value) -> Value:
    """MelSpectrogram: powers of a Fourier transform in bands of the mel scale, in decibels.

    Source: Keras 3.15 `layers/preprocessing/mel_spectrogram.py`, `backend/tensorflow/math.py`
    (`stft` with `center=True`, whose windows are periodic).
    """
    config: MelConfig = call.config  # type: ignore[assignment]
    axes, length = call.axes(x), config.fft_length
    taken = config.sequence_length or length
    bins = length // 2 + 1
    if call.batch != 1 or len(axes) != 2 or not 1 <= taken <= length or config.num_mel_bins < 1:
        raise ConfigError(f"MelSpectrogram of an input {x.layout}")
    if bins * max(length, config.num_mel_bins) > MOST:
        raise ConfigError(f"a Fourier transform of {length:,} numbers, more than can be written")
    x = padded(call, x, [[0, 0], [length // 2, length // 2]], "reflect")
    x = call.add(View(), [x], (*call.axes(x), Axis("X", 1)), part="each").result
    filters, parts = Axis("C", bins), []
    waves = computed.waves(length, taken, config.window)
    for part, numbers in zip(("real", "imag"), waves, strict=True):
        own = Layout((Axis("T", length), Axis("X", 1), filters))
        kernel = Param(_computed(call, f"{part}_kernel", numbers), (Stored(own),))
        parts.append(_waves(call, x, kernel, filters, (config.sequence_stride, "valid"), part))
    power = _power(call, *parts)
    op = Power(exponent=config.mag_exp / 2)
    if op != Power(exponent=1.0):
        power = call.add(op, [power], call.axes(power), part="exponent").result
    batch, steps, _ = call.axes(power)
    bands = Axis("C", config.num_mel_bins)
    bound = {"features": (filters,), "units": (bands,)}
    ends = config.min_freq, config.max_freq or int(config.sampling_rate / 2)
    matrix = computed.mel_matrix(bins, config.num_mel_bins, config.sampling_rate, ends)
    weight = _computed(call, "mel", matrix)
    params = {"kernel": Param(weight, (Stored(Layout((filters, bands))),))}
    y = call.add(Dense(), [power], (batch, steps, bands), axes=bound, params=params, part="mel")
    found = _in_decibels(call, y.result, config) if config.power_to_db else y.result
    return call.add(View(), [found], (batch, bands, steps), part="placed").result


def _computed(call: LayerCall, name: str, source: ArraySource) -> Weight:
    return Weight(f"{call.name}/{name}", (source,), trainable=False)


def _in_decibels(call: LayerCall, x: Value, config: MelConfig) -> Value:
    """Ten logarithms of the powers, none more than `top_db` below the largest of the batch."""
    tens = 10 / math.log(10)
    logs = call.add(Log(), [_raised_to(call, x, config.min_power)], call.axes(x), part="log").result
    shift = -tens * math.log(max(abs(config.ref_power), config.min_power))
    level = affine(call, logs, tens, shift, part="decibels")
    axes = call.axes(level)
    most = call.add(Reduce(function="max"), [level], (), axes={"space": axes}, part="most").result
    units = tuple(Axis("X", 1) for _ in axes)
    most = call.add(View(), [most], units, part="most_of_all").result
    least = affine(call, most, 1.0, -config.top_db, part="least")
    return combined(call, "maximum", level, least)
