"""Recurrent ops step by step: a `Scan` that keeps Keras' rules of masks and directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...ir.ops.recurrent import GRU, LSTM, ConvLSTM, SimpleRNN
from .dims import Shape, product
from .draft import Body, Edge
from .emitting import Emitting

Recurrent = LSTM | GRU | SimpleRNN | ConvLSTM
States = tuple[Edge, ...]
Step = Callable[[Emitting, Edge, States], States]
"""Inside a body, from what the input gives to this step and the states to the new states. The
first state is the step's result too."""

MASK, FIRST_STATE = 1, 2
"""Which input ports they are, for every recurrent op."""


def folded(at: Emitting, index: int) -> Edge:
    """An input with all terms of the batch in one dimension."""
    x, count = at.input(index), at.count("batch")
    return x if count == 1 else at.reshape(x, (product(x.shape[:count]), *x.shape[count:]))


def unfolded(at: Emitting, results: Sequence[Edge | None]) -> tuple[Edge | None, ...]:
    """The results with the terms of the batch apart again."""
    if at.count("batch") == 1:
        return tuple(results)
    return tuple(
        None if edge is None else at.reshape(edge, at.result_shape(index))
        for index, edge in enumerate(results)
    )


def states(op: Recurrent, at: Emitting) -> list[Edge | None]:
    """The initial states that are fed, None for zeros."""
    ports = range(FIRST_STATE, len(op.inputs))
    found = [folded(at, port) if at.fed(port) else None for port in ports]
    if op.stateful and None in found:
        at.tell(
            "KX503",
            "lost",
            f"the state of {at.name} is not carried from call to call: it begins with zeros",
            level="warning",
            fix="feed whole sequences",
        )
    return found


def walk(op: Recurrent, at: Emitting, drive: Edge, step: Step) -> list[Edge | None]:
    """A `Scan` along time. A masked step keeps the states and repeats the last result.

    Args:
        op: Says the direction.
        at: Its mask and its initial states are inputs.
        drive: `batch time …`: what the input gives to each step.
        step: Draws one step.

    Returns:
        The results in the order walked, if anybody reads them, then the last states.
    """
    given = states(op, at)
    shape = (drive.shape[0], *at.result_shape(1)[at.count("batch") :])
    zeros = _zeros(at, shape, drive)
    begin = [zeros if state is None else state for state in given]
    inner = at.inside()
    held = [Edge(f"{at.name}/state", at.dtype, shape) for _ in begin]
    scanned = [drive]
    here = [Edge(f"{at.name}/drive", at.dtype, (drive.shape[0], *drive.shape[2:]))]
    new = list(step(inner, here[0], tuple(held)))
    if at.fed(MASK):
        scanned.append(_mask(at, len(shape) - 1))
        here.append(Edge(f"{at.name}/mask", "bool", (shape[0], *(1,) * (len(shape) - 1))))
        idle = isinstance(op, ConvLSTM) or not op.idle_state
        if (
            given[0] is not None and idle
        ):  # before the first real step the result is zero, the state not
            begin.append(zeros)
            held.append(Edge(f"{at.name}/last", at.dtype, shape))
            new.append(new[0])
        pairs = zip(new, held, strict=True)
        new = [inner.add("Where", here[1], a, b, dtype=at.dtype) for a, b in pairs]
    y = new[-1] if len(new) > len(given) else new[0]
    body = inner.close((*held, *here), (*new, y) if at.wanted[0] else new)
    return _scan(op, at, body, (*begin, *scanned), len(given))


def _scan(
    op: Recurrent, at: Emitting, body: Body, inputs: Sequence[Edge], count: int
) -> list[Edge | None]:
    """The node: time is the second dimension of what is scanned and of what comes out."""
    kept = len(body.outputs) - at.wanted[0]
    state, scanned = inputs[0].shape, len(inputs) - kept
    last = [Edge(f"{at.name}/state", at.dtype, state) for _ in range(kept)]
    time = inputs[-1].shape[1]
    y = Edge(f"{at.name}/y", at.dtype, (state[0], time, *state[1:])) if at.wanted[0] else None
    at.place(
        "Scan",
        inputs,
        last if y is None else [*last, y],
        body=body,
        num_scan_inputs=scanned,
        scan_input_axes=(1,) * scanned,
        scan_input_directions=(1,) * scanned if op.go_backwards else None,
        scan_output_axes=None if y is None else (1,),
    )
    return [y, *last[:count]]


def _zeros(at: Emitting, shape: Shape, near: Edge) -> Edge:
    """Zeros of a shape that may only be known at run time."""
    zero = at.constant([0.0], at.dtype, (1,) * len(shape), wish="zero")
    return at.add("Expand", zero, at.extents(shape, near), shape=shape)


def _mask(at: Emitting, rank: int) -> Edge:
    """`batch time 1 …`: as many dimensions of one as a state has behind its batch."""
    mask = at.cast(folded(at, MASK), "bool")
    return at.unsqueeze(mask, *range(2, 2 + rank))
