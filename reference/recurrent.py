"""Recurrent ops: what happens in one step, and how time is walked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..ir.op import Op
from ..ir.ops.activation import Softmax
from ..ir.ops.recurrent import (
    GRU,
    LSTM,
    ConvLSTM,
    FillAbsent,
    ReverseTime,
    SimpleRNN,
    ZeroAbsent,
)
from ..ir.source import Array
from .activation import normalized
from .computing import Computing, Results
from .convolution import correlate
from .registry import apply as pointwise, computes

States = tuple[Array, ...]
Step = Callable[[Array, States], tuple[Array, States]]

_ALONG = "time (batch) units"


def walk(
    step: Step,
    drive: Array,
    mask: Array | None,
    states: States,
    *,
    backwards: bool,
    idle_state: bool = False,
) -> tuple[Array, States]:
    """Run a step along time, the first dimension of `drive`.

    A masked entry keeps its states and repeats its last result, zeros before the first; results
    come in the order walked (Keras 2.2.4 `backend.theano_backend.rnn`).

    Args:
        step: From one time's drive and the states to a result, shaped as the first state, and
            the new states.
        drive: What the input contributes at each time.
        mask: `time batch`; False where a step is absent.
        states: Before the first step, the batch first.
        backwards: Whether to begin at the last time.
        idle_state: Whether the first of the states comes before the first result, not zeros (2.2.4
            `backend.tensorflow_backend.rnn`).
    """
    last, walked = states[0] if idle_state else np.zeros_like(states[0]), []
    order = range(len(drive))
    for time in reversed(order) if backwards else order:
        now, new = step(drive[time], states)
        if mask is None:
            last, states = now, new
        else:
            real = mask[time].astype(bool).reshape(-1, *(1,) * (now.ndim - 1))
            last = np.where(real, now, last)
            states = tuple(np.where(real, a, b) for a, b in zip(new, states, strict=True))
        walked.append(last)
    return np.array(walked, last.dtype).reshape(len(drive), *last.shape), states


def apply(op: Op, x: Array) -> Array:
    """The function of a gate or a result, whose last dimension is the units."""
    return normalized(x, (-1,)) if isinstance(op, Softmax) else pointwise(op, x)


@computes(SimpleRNN)
def simple_rnn(op: SimpleRNN, at: Computing) -> Results:
    recurrent = at.param("recurrent_kernel")
    drive = _drive(at, at.param("kernel"), "units")

    def step(x: Array, states: States) -> tuple[Array, States]:
        h = apply(op.activation, x + states[0] @ recurrent)
        return h, (h,)

    y, (h,) = walk(step, drive, _mask(at), (_state(at, 2, drive),), **_way(op))
    return at.give(y, _ALONG), at.give(h, "(batch) units", 1)


@computes(GRU)
def gru(op: GRU, at: Computing) -> Results:
    recurrent = at.param("recurrent_kernel", "recurrent gates[z r h] units")
    shift = at.param("recurrent_bias", "gates[z r h] units") if at.has("recurrent_bias") else 0
    drive = _drive(at, at.param("kernel", "features gates[z r h] units"), "gates[z r h] units")

    def step(x: Array, states: States) -> tuple[Array, States]:
        (h,) = states
        back = np.tensordot(h, recurrent, 1) + shift
        z, r = (apply(op.recurrent_activation, x[:, gate] + back[:, gate]) for gate in (0, 1))
        inner = r * back[:, 2] if op.reset_after else (r * h) @ recurrent[:, 2]
        h = z * h + (1 - z) * apply(op.activation, x[:, 2] + inner)
        return h, (h,)

    begin = (_state(at, 2, drive[:, :, 0]),)
    y, (h,) = walk(step, drive, _mask(at), begin, **_way(op))
    return at.give(y, _ALONG), at.give(h, "(batch) units", 1)


@computes(LSTM)
def lstm(op: LSTM, at: Computing) -> Results:
    recurrent = at.param("recurrent_kernel", "recurrent gates[i f c o] units")
    kernel = at.param("kernel", "features gates[i f c o] units")
    drive = _drive(at, kernel, "gates[i f c o] units")

    def step(x: Array, states: States) -> tuple[Array, States]:
        h, c = states
        return _cell(op, x + np.tensordot(h, recurrent, 1), c)

    begin = (_state(at, 2, drive[:, :, 0]), _state(at, 3, drive[:, :, 0]))
    y, (h, c) = walk(step, drive, _mask(at), begin, **_way(op))
    return at.give(y, _ALONG), at.give(h, "(batch) units", 1), at.give(c, "(batch) units", 2)


@computes(ConvLSTM)
def conv_lstm(op: ConvLSTM, at: Computing) -> Results:
    x = at.take("time (batch) space channels")
    kernel = at.param("kernel", "kernel_space channels gates[i f c o] filters")
    recurrent = at.param("recurrent_kernel", "recurrent_space recurrent gates[i f c o] filters")
    alone = (1,) * len(op.strides)
    flat = x.reshape(-1, *x.shape[2:])
    drive = correlate(flat, kernel, op.strides, op.dilation, op.padding)
    drive = drive.reshape(*x.shape[:2], *drive.shape[1:])
    if at.has("bias"):
        drive += at.param("bias", "gates[i f c o] filters")

    def step(x: Array, states: States) -> tuple[Array, States]:
        h, c = states
        return _cell(op, x + correlate(h, recurrent, alone, alone, op.recurrent_padding), c)

    place = "(batch) out_space filters"
    begin = (_state(at, 2, drive[..., 0, :], place), _state(at, 3, drive[..., 0, :], place))
    y, (h, c) = walk(step, drive, _mask(at), begin, backwards=op.go_backwards)
    return at.give(y, f"time {place}"), at.give(h, place, 1), at.give(c, place, 2)


@computes(ReverseTime)
def reverse_time(op: ReverseTime, at: Computing) -> Results:
    return (np.flip(at.x, at.settled.positions("time")),)


@computes(ZeroAbsent)
def zero_absent(op: ZeroAbsent, at: Computing) -> Results:
    mask = at.take("(batch) time", 1).astype(bool)
    y = np.where(mask[..., None], at.take("(batch) time units"), 0)
    return (at.give(y.astype(at.x.dtype), "(batch) time units"),)


@computes(FillAbsent)
def fill_absent(op: FillAbsent, at: Computing) -> Results:
    mask = at.take("(batch) time", 1).astype(bool)
    x, fill = at.take("(batch) time units"), at.take("(batch) time fill_units", 2)
    y = np.where(mask[..., None], x, fill).astype(at.x.dtype)
    return at.give(y, "(batch) time units"), at.give(y[:, -1], "(batch) units", 1)


def _cell(op: LSTM | ConvLSTM, gates: Array, c: Array) -> tuple[Array, States]:
    """An LSTM's step, from its gates i f c o in the last dimension but one."""
    i, f, o = (apply(op.recurrent_activation, gates[..., gate, :]) for gate in (0, 1, 3))
    c = f * c + i * apply(op.activation, gates[..., 2, :])
    h = o * apply(op.activation, c)
    return h, (h, c)


def _drive(at: Computing, kernel: Array, units: str) -> Array:
    """What the input gives to every step, `time (batch)` and the kernel's columns."""
    drive = np.tensordot(at.take("time (batch) features"), kernel, 1)
    if at.has("bias"):
        drive += at.param("bias", units)
    return drive


def _way(op: SimpleRNN | GRU | LSTM) -> dict[str, bool]:
    return {"backwards": op.go_backwards, "idle_state": op.idle_state}


def _mask(at: Computing) -> Array | None:
    return at.take("time (batch)", 1) if at.fed(1) else None


def _state(at: Computing, index: int, steps: Array, place: str = "(batch) units") -> Array:
    """An initial state: what is fed, else zeros of a step's shape, time being first in `steps`."""
    return at.take(place, index) if at.fed(index) else np.zeros(steps.shape[1:], at.dtype)
