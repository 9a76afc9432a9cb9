"""Images resized, cropped, padded: Resizing, CenterCrop, RandomCrop, and UpSampling by kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, size_of
from ....ir.ops.arrange import Pad
from ....ir.ops.pooling import Crop, Method, Resample
from ..call import SPACE, LayerCall, Ports
from ..registry import Config, translates


class ResizingConfig(Config, frozen=True, kw_only=True):
    """What Resizing reads."""

    height: int
    width: int
    interpolation: str = "bilinear"
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = False
    fill_mode: str = "constant"
    fill_value: float = 0.0
    antialias: bool = False
    data_format: str | None = None


class CenterCropConfig(Config, frozen=True, kw_only=True):
    """What CenterCrop and RandomCrop read."""

    height: int
    width: int
    data_format: str | None = None
    rng_type: Any = None


def resampled(
    call: LayerCall, x: Value, size: Sequence[int], method: str, ports: Ports, *,
    antialias: bool = False, part: str = "",
) -> Value:  # fmt: skip
    """An image of another size.

    Raises:
        ConfigError: A size that is not positive, or an interpolation that nobody knows.
    """
    name = method.lower()
    if name == "bicubic" and not antialias and _by_table(call):
        name = "bicubic_table"
    if name not in get_args(Method):
        known = ", ".join(get_args(Method))
        raise ConfigError(
            f"interpolation {method!r:.80} is not known", details=(f"known: {known}",)
        )
    if any(extent < 1 for extent in size):
        raise ConfigError(f"an image of {tuple(size)}")
    space = tuple(Axis(r, n) for r, n in zip(SPACE[len(size)], size, strict=True))
    op = Resample(size=tuple(size), method=name, antialias=antialias)  # type: ignore[arg-type]
    axes = {**ports.bindings(), "out_space": space}
    return call.add(op, [x], ports.placed(ports.channels, space), axes=axes, part=part).result


def _by_table(call: LayerCall) -> bool:
    return call.era.vocabulary == "tf_keras" or call.era.backend == "tensorflow"


def cropped(
    call: LayerCall, x: Value, cuts: Sequence[tuple[int, int]], ports: Ports, part: str
) -> Value:
    """An image without some rows and columns at its edges."""
    if not any(map(any, cuts)):
        return x
    sizes = [(size_of(term) or 0) - sum(cut) for term, cut in zip(ports.space, cuts, strict=True)]
    space = tuple(Axis(r, n) for r, n in zip(SPACE[len(sizes)], sizes, strict=True))
    op = Crop(cropping=tuple(cuts))
    axes = {**ports.bindings(), "out_space": space}
    return call.add(op, [x], ports.placed(ports.channels, space), axes=axes, part=part).result


def _image(call: LayerCall, x: Value, data_format: str | None) -> Ports:
    return call.spatial(x, data_format or "channels_last", 2)


def _extents(ports: Ports, x: Value) -> tuple[int, int]:
    height, width = (size_of(term) for term in ports.space)
    if height is None or width is None:
        raise ConfigError(f"an image of unknown size, {x.layout}, in the aspect ratio of another")
    return height, width


@translates("Resizing", config=ResizingConfig)
def resizing(call: LayerCall, x: Value) -> Value:
    """Resizing: cropped or padded to the wanted aspect ratio before, where that is asked for.

    Source: Keras 3.15 `backend/tensorflow/image.py` `resize`; tf-keras 2.21
    `utils/image_utils.py` `smart_resize`.
    """
    config: ResizingConfig = call.config  # type: ignore[assignment]
    if config.fill_mode != "constant":
        raise ConfigError(f"Resizing with fill_mode {config.fill_mode!r:.80}")
    ports = _image(call, x, config.data_format)
    if config.crop_to_aspect_ratio:
        x = _to_ratio(call, x, ports, (config.height, config.width))
    elif config.pad_to_aspect_ratio:
        x = _padded_to_ratio(call, x, ports, config)
    ports = _image(call, x, config.data_format)
    return resampled(
        call, x, (config.height, config.width), config.interpolation, ports,
        antialias=config.antialias,
    )  # fmt: skip


def _of_ratio(extents: tuple[int, int], target: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Where the middle of an image begins that has the aspect ratio of the target, how far it goes.

    Returns:
        Both for rows, and for columns.
    """
    height, width = extents
    rows = max(min(height, int(width * target[0] / target[1])), 1)
    columns = max(min(width, int(height * target[1] / target[0])), 1)
    return (int((height - rows) / 2), rows), (int((width - columns) / 2), columns)


def _to_ratio(call: LayerCall, x: Value, ports: Ports, target: tuple[int, int]) -> Value:
    """The middle of an image that has the aspect ratio of the target."""
    height, width = _extents(ports, x)
    (above, rows), (left, columns) = _of_ratio((height, width), target)
    cuts = ((above, height - rows - above), (left, width - columns - left))
    return cropped(call, x, cuts, ports, "cropped")


def _padded_to_ratio(call: LayerCall, x: Value, ports: Ports, config: ResizingConfig) -> Value:
    """The image with as much on either side as gives the aspect ratio of the target."""
    height, width = _extents(ports, x)
    rows = max(height, int(width * config.height / config.width))
    columns = max(width, int(height * config.width / config.height))
    above, left = int((rows - height) / 2), int((columns - width) / 2)
    if not above and not left:
        return x
    space = (Axis("H", height + 2 * above), Axis("W", width + 2 * left))
    result = ports.placed(ports.channels, space)
    own = {id(ports.space[0]): (above, above), id(ports.space[1]): (left, left)}
    padding = tuple(own.get(id(term), (0, 0)) for term in call.axes(x))
    axes = {"...": call.axes(x), "out": result}
    op = Pad(padding=padding, value=config.fill_value)
    return call.add(op, [x], result, axes=axes, part="padded").result


def _centred(call: LayerCall, x: Value, config: CenterCropConfig) -> Value:
    """The middle of an image; of one that is too small, what has the aspect ratio, resized."""
    ports = _image(call, x, config.data_format)
    height, width = _extents(ports, x)
    rows, columns = height - config.height, width - config.width
    if rows < 0 or columns < 0:
        return _fitted(call, x, config)
    cuts = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
    return cropped(call, x, cuts, ports, "")


def _fitted(call: LayerCall, x: Value, config: CenterCropConfig) -> Value:
    target = (config.height, config.width)
    x = _to_ratio(call, x, _image(call, x, config.data_format), target)
    return resampled(call, x, target, "bilinear", _image(call, x, config.data_format))


def _shortened(call: LayerCall, x: Value, config: CenterCropConfig) -> Value:
    """The whole image resized until one side is as wanted, and the middle of that."""
    ports = _image(call, x, config.data_format)
    height, width = _extents(ports, x)
    size = (config.height, int(config.height * width / height))
    if height / width > config.height / config.width:
        size = (int(config.width * height / width), config.width)
    y = resampled(call, x, size, "bilinear", ports, part="resized")
    left = [have - wanted for have, wanted in zip(size, (config.height, config.width), strict=True)]
    cuts = [(more // 2, more - more // 2) for more in left]
    return cropped(call, y, cuts, _image(call, y, config.data_format), "")


def _window(call: LayerCall, x: Value, config: CenterCropConfig) -> Value:
    """As much as is wanted from where the middle of the aspect ratio begins; resized if it ends."""
    ports = _image(call, x, config.data_format)
    extents, target = _extents(ports, x), (config.height, config.width)
    begins = [begin for begin, _ in _of_ratio(extents, target)]
    cuts = tuple(
        (begin, max(have - begin - wanted, 0))
        for begin, have, wanted in zip(begins, extents, target, strict=True)
    )
    y = cropped(call, x, cuts, ports, "cropped")
    ports = _image(call, y, config.data_format)
    return y if _extents(ports, y) == target else resampled(call, y, target, "bilinear", ports)


@translates("CenterCrop", config=CenterCropConfig)
def center_crop(call: LayerCall, x: Value) -> Value:
    """CenterCrop.

    Source: Keras 3.15 and tf-keras 2.21, `layers/preprocessing`.
    """
    config: CenterCropConfig = call.config  # type: ignore[assignment]
    return _centred(call, x, config)


@translates("RandomCrop", config=CenterCropConfig)
def random_crop(call: LayerCall, x: Value) -> Value:
    """RandomCrop, as it computes at inference.

    Up to Keras 3.5 it resizes, in 3.6 and 3.7 it cuts a window out, later it passes images on.
    Source: genuine runs of tf-keras 2.21 (`image_preprocessing.py` `RandomCrop.call`) and Keras
    3.15 (`random_crop.py` `transform_images`).
    """
    from ....ir.ops.activation import TrainingOnly

    config: CenterCropConfig = call.config  # type: ignore[assignment]
    if call.era.has("random_crop_resizes"):
        cut = _fitted if call.era.has("random_crop_cuts_first") else _shortened
        return cut(call, x, config)
    if call.era.has("random_crop_takes_a_window"):
        return _window(call, x, config)
    return call.add(TrainingOnly(layer_class="RandomCrop"), [x], call.axes(x)).result
