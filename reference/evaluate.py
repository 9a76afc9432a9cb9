"""Running a plan: every op by its reference function, every coercion by `rearrange`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from ..errors import KerasirError, LayoutError
from ..ir.copyplan import rearrange
from ..ir.graph import Value
from ..ir.layout import Axis, Layout, size_of, sizes_from
from ..ir.plan import Coercion, Held, Plan, Settled
from ..ir.source import Array
from . import (  # ruff: ignore[unused-import]  (importing a family registers its functions)
    activation,
    arrange,
    attention,
    convolution,
    dense,
    embedding,
    hashing,
    maths,
    merge,
    normalization,
    opaque,
    pooling,
    recurrent,
    shape,
)
from .computing import Computing, Results
from .registry import computation

Watch = Callable[[Settled, Results], None]
Key = tuple[Value, Layout]


def evaluate(
    plan: Plan,
    inputs: Sequence[Array],
    *,
    dtype: DTypeLike = np.float64,
    watch: Watch | None = None,
) -> list[Array]:
    """Compute a model's outputs.

    Values are freed after their last use and a node's weights after the node. What is not finite
    is passed on in silence, as the formulas have it.

    Args:
        plan: What to compute, in which layouts.
        inputs: One array per input, in the layout of `plan.inputs`.
        dtype: Of the computation; inputs and weights are converted to it. Indices and masks
            stay what they are.
        watch: Called after each node with its results, in their layouts.

    Returns:
        One array per output, in the layout of `plan.outputs`.

    Raises:
        LayoutError: An input does not fit its layout, inputs do not fit together, or the plan
            does not.
        UnsupportedLayerError: A layer's meaning is not known.
    """
    held = _fed(plan, inputs, np.dtype(dtype))
    finished = _last_uses(plan)
    with np.errstate(all="ignore"):
        for step, done in zip(plan.steps, finished, strict=True):
            if isinstance(step, Coercion):
                have = _get(held, step.value, step.have)
                held[step.value, step.want] = rearrange(have, step.have, step.want)
            else:
                _compute(step, held, dtype, watch)
            for key in done:
                held.pop(key, None)
    return [_get(held, output.value, output.layout) for output in plan.outputs]


def _compute(
    settled: Settled, held: dict[Key, Array], dtype: DTypeLike, watch: Watch | None
) -> None:
    node = settled.node
    arrays = [None if h is None else _get(held, h.value, h.layout) for h in settled.inputs]
    try:
        results = computation(node.op)(node.op, Computing(settled, arrays, dtype))
        for value, layout, array in zip(node.results, settled.results, results, strict=True):
            _must_fit(array, layout)
            held[value, layout] = array
    except KerasirError as error:
        error.at(node.name)
        raise
    except ValueError as error:  # sizes that only the inputs tell, and that do not go together
        raise LayoutError(f"its inputs do not fit: {error}", where=node.name) from error
    if watch is not None:
        watch(settled, results)


def _get(held: dict[Key, Array], value: Value, layout: Layout) -> Array:
    found = held.get((value, layout))
    if found is None:
        raise LayoutError(f"nothing has brought it into {layout}", where=value.name)
    return found


def _must_fit(array: Array, layout: Layout) -> None:
    sizes = [size_of(term) for term in layout.terms]
    pairs = zip(sizes, array.shape, strict=False)
    if len(sizes) != array.ndim or any(size not in {None, extent} for size, extent in pairs):
        raise LayoutError(f"a result of shape {array.shape} does not fit its layout {layout}")


def _fed(plan: Plan, inputs: Sequence[Array], dtype: np.dtype[np.generic]) -> dict[Key, Array]:
    """The inputs by value, in the dtype that the computation takes them in."""
    if len(inputs) != len(plan.inputs):
        raise LayoutError(f"the model has {len(plan.inputs)} inputs, {len(inputs)} are given")
    found: dict[Key, Array] = {}
    known: dict[Axis, int] = {}
    for want, given in zip(plan.inputs, inputs, strict=True):
        array = np.asarray(given)
        try:
            sizes = sizes_from(want.layout.terms, array.shape)
        except LayoutError as error:
            error.at(f"input {want.value.name}")
            raise
        for axis, size in sizes.items():
            if known.setdefault(axis, size) != size:
                raise LayoutError(
                    f"{axis!r} is {size} here and {known[axis]} in an input before it",
                    where=f"input {want.value.name}",
                )
        floating = want.value.dtype.startswith(("float", "bfloat"))
        found[want.value, want.layout] = array.astype(dtype) if floating else array
    return found


def _last_uses(plan: Plan) -> list[list[Key]]:
    """By step: the values in the layouts that nothing needs after it."""
    last: dict[Key, int] = {}
    for index, step in enumerate(plan.steps):
        for key in _touched(step):
            last[key] = index
    for output in plan.outputs:
        last.pop((output.value, output.layout), None)
    found: list[list[Key]] = [[] for _ in plan.steps]
    for key, index in last.items():
        found[index].append(key)
    return found


def _touched(step: Settled | Coercion) -> list[Key]:
    """What a step reads and what it makes."""
    if isinstance(step, Coercion):
        return [(step.value, step.have), (step.value, step.want)]
    made = [Held(*pair) for pair in zip(step.node.results, step.results, strict=True)]
    return [(held.value, held.layout) for held in (*step.inputs, *made) if held is not None]
