"""Recurrent layers, step by step, with masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from .activation import activate
from .convolution import as_applied, correlate, patches
from .layer import Array, Layer, NotModelled, Value, apply, means_values
from .windows import channels_from_end, channels_to_end

States: TypeAlias = Sequence[Array]
Step: TypeAlias = Callable[[Array, States], States]


@means_values("Masking")
def masking(layer: Layer, x: Value) -> list[Value]:
    """A step whose features all equal `mask_value` is left out, and zeroed."""
    counts = np.any(x.array != layer.config["mask_value"], -1)
    return [Value(x.array * counts[..., None], counts)]


def simple_rnn(layer: Layer) -> Step:
    kernel, recurrent, bias = with_bias(layer, 1)
    act = layer.config["activation"]
    return lambda x, s: [activate(act, x @ kernel + s[0] @ recurrent + bias)]


def lstm(layer: Layer) -> Step:
    """Blocks of columns i, f, c, o."""
    kernel, recurrent, bias = with_bias(layer, 4)
    return lambda x, s: lstm_step(layer, x @ kernel + bias + s[0] @ recurrent, s[1])


def lstm_step(layer: Layer, z: Array, carry: Array, axis: int = -1) -> States:
    act, gate = gates(layer)
    i, f, c, o = np.split(z, 4, axis)
    carry = activate(gate, f) * carry + activate(gate, i) * activate(act, c)
    return [activate(gate, o) * activate(act, carry), carry]


def gru(layer: Layer) -> Step:
    """Blocks of columns z, r, h; `reset_after` has two biases and resets behind the product."""
    kernel, recurrent, bias = with_bias(layer, 3)
    act, gate = gates(layer)
    after = layer.config.get("reset_after", False)
    inside, outside = bias if after and bias.ndim == 2 else (bias, 0.0)

    def step(x: Array, states: States) -> States:
        (h,) = states
        xz, xr, xh = np.split(x @ kernel + inside, 3, -1)
        rz, rr, rh = np.split(h @ recurrent + outside, 3, -1)
        z, r = activate(gate, xz + rz), activate(gate, xr + rr)
        drawn = r * rh if after else (r * h) @ recurrent[:, 2 * h.shape[-1] :]
        return [z * h + (1 - z) * activate(act, xh + drawn)]

    return step


def conv_lstm(layer: Layer) -> Step:
    """The state is always padded to keep its size; both kernels are reversed by Theano."""
    kernel, recurrent, bias = with_bias(layer, 4)
    kernel, recurrent = (as_applied(layer, k, 2) for k in (kernel, recurrent))
    alone = layer._replace(config={**layer.config, "strides": 1, "dilation_rate": 1})

    def step(x: Array, states: States) -> States:
        seen = patches(layer, channels_to_end(layer, x), kernel.shape[:2])
        z = correlate(seen, kernel) + bias
        h = patches(alone, channels_to_end(layer, states[0]), recurrent.shape[:2], "same")
        z = channels_from_end(layer, z + correlate(h, recurrent))
        return lstm_step(layer, z, states[1], layer.channel_axis)

    return step


CELLS: dict[str, tuple[Callable[[Layer], Step], int]] = {
    "SimpleRNN": (simple_rnn, 1),
    "LSTM": (lstm, 2),
    "GRU": (gru, 1),
    "ConvLSTM2D": (conv_lstm, 2),
}
"""The step of a class, and how many states it carries."""


def gates(layer: Layer) -> tuple[str, str]:
    """Activation of the candidate and of the gates; Keras 2 up to 2.2 defaults to hard_sigmoid."""
    return layer.config["activation"], layer.config.get("recurrent_activation", "hard_sigmoid")


def with_bias(layer: Layer, blocks: int) -> tuple[Array, Array, Array]:
    kernel, recurrent, *bias = layer.arrays
    assert kernel.shape[-1] % blocks == 0
    return kernel, recurrent, bias[0] if bias else np.zeros(kernel.shape[-1])


@means_values(*CELLS)
def recurrent(layer: Layer, x: Value) -> list[Value]:
    """A masked step repeats the last result and leaves the states as they were (`K.rnn`)."""
    config = layer.config
    if config.get("return_state"):
        raise NotModelled("return_state")
    make, count = CELLS[layer.class_name]
    step = make(layer)
    order = list(range(x.array.shape[1]))
    if config["go_backwards"]:
        order.reverse()
    states: States = [np.zeros(state_shape(layer, x.array))] * count
    last, results = np.zeros(states[0].shape), []
    for t in order:
        fresh = step(x.array[:, t], states)
        if x.mask is None:
            states, last = fresh, fresh[0]
        else:
            on = x.mask[:, t].reshape(-1, *[1] * (last.ndim - 1))
            states = [np.where(on, new, old) for new, old in zip(fresh, states, strict=True)]
            last = np.where(on, fresh[0], last)
        results.append(last)
    if config["return_sequences"]:
        return [Value(np.stack(results, 1), x.mask)]
    return [Value(last)]


def state_shape(layer: Layer, x: Array) -> tuple[int, ...]:
    if layer.class_name != "ConvLSTM2D":
        return (len(x), layer.config["units"])
    kernel = layer.arrays[0]
    seen = patches(layer, channels_to_end(layer, x[:, 0]), kernel.shape[:2])
    like = np.zeros((*seen.shape[:3], kernel.shape[-1] // 4))
    return channels_from_end(layer, like).shape


@means_values("Bidirectional")
def bidirectional(layer: Layer, x: Value) -> list[Value]:
    """Two copies, the second fed backwards; the first half of the weights is the forward one's."""
    forward = layer.wrapped(layer.config["layer"])
    half = len(layer.arrays) // 2
    backwards = not forward.config["go_backwards"]
    there = forward._replace(store={layer.path: layer.arrays[:half]})
    back = forward._replace(
        store={layer.path: layer.arrays[half:]},
        config={**forward.config, "go_backwards": backwards},
    )
    (a,), (b,) = apply(there, x), apply(back, x)
    if forward.config["return_sequences"]:
        b = Value(b.array[:, ::-1], b.mask)
    mode = layer.config["merge_mode"]
    if mode is None:
        return [a, b]
    if mode == "concat":
        return [Value(np.concatenate([a.array, b.array], -1), a.mask)]
    if mode in ("sum", "ave"):
        total = a.array + b.array
        return [Value(total / 2 if mode == "ave" else total, a.mask)]
    if mode == "mul":
        return [Value(a.array * b.array, a.mask)]
    raise NotModelled(f"merge_mode {mode!r}")
