"""Recurrent ops: what happens in one step, and how time is walked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..ir.ops.recurrent import LSTM
from ..ir.source import Array
from .computing import Computing, Results
from .registry import apply, computes

States = tuple[Array, ...]
Step = Callable[[Array, States], tuple[Array, States]]


def walk(
    step: Step, drive: Array, mask: Array | None, states: States, *, backwards: bool
) -> tuple[Array, States]:
    """Run a step along time, the first dimension of `drive`.

    A masked entry keeps its states and repeats its last result, zeros before the first; results
    come in the order walked (Keras 2.2.4 `backend.theano_backend.rnn`, the same in TensorFlow's).

    Args:
        step: From one time's drive and the states to a result, shaped as the first state, and
            the new states.
        drive: What the input contributes at each time.
        mask: `time batch`; False where a step is absent.
        states: Before the first step, the batch first.
        backwards: Whether to begin at the last time.
    """
    last, walked = np.zeros_like(states[0]), []
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


def state(at: Computing, index: int, size: int, batch: int) -> Array:
    """An initial state: what is fed, else zeros."""
    return at.take("(batch) units", index) if at.fed(index) else np.zeros((batch, size), at.dtype)


@computes(LSTM)
def lstm(op: LSTM, at: Computing) -> Results:
    kernel = at.param("kernel", "features gates[i f c o] units")
    recurrent = at.param("recurrent_kernel", "recurrent gates[i f c o] units")
    drive = np.tensordot(at.take("time (batch) features"), kernel, 1)
    if at.has("bias"):
        drive += at.param("bias", "gates[i f c o] units")

    def step(x: Array, states: States) -> tuple[Array, States]:
        h, c = states
        gates = x + np.tensordot(h, recurrent, 1)
        i, f, o = (apply(op.recurrent_activation, gates[:, gate]) for gate in (0, 1, 3))
        c = f * c + i * apply(op.activation, gates[:, 2])
        h = o * apply(op.activation, c)
        return h, (h, c)

    batch, _, units = drive.shape[1:]
    begin = (state(at, 2, units, batch), state(at, 3, units, batch))
    mask = at.take("time (batch)", 1) if at.fed(1) else None
    y, (h, c) = walk(step, drive, mask, begin, backwards=op.go_backwards)
    return (
        at.give(y, "time (batch) units"),
        at.give(h, "(batch) units", 1),
        at.give(c, "(batch) units", 2),
    )
