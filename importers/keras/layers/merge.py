"""Merges of several inputs: Keras 2's layers, and Keras 1's Merge with its modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Joined, Term, Terms, axes_of, copy_of, size_of
from ....ir.op import Op
from ....ir.ops.activation import Clip, Power
from ....ir.ops.maths import Binary, Cast, Fill
from ....ir.ops.merge import (
    Add,
    AllOf,
    Average,
    Concat,
    Divide,
    Dot,
    Maximum,
    Merge,
    Multiply,
)
from ....ir.ops.shape import View
from ..call import LayerCall
from ..registry import Config, translates

MODES: Mapping[str, Merge] = {
    "sum": Add(),
    "mul": Multiply(),
    "ave": Average(),
    "max": Maximum(),
}
"""Keras 1's element-wise modes."""


class ConcatConfig(Config, frozen=True, kw_only=True):
    """What Concatenate reads."""

    axis: int = -1


class DotConfig(Config, frozen=True, kw_only=True):
    """What Dot reads."""

    axes: int | tuple[int, int]
    normalize: bool = False


class MergeConfig(Config, frozen=True, kw_only=True):
    """What Keras 1's Merge reads."""

    mode: Any
    mode_type: str = "raw"
    concat_axis: int = -1
    dot_axes: Any = -1
    output_shape: Any = None
    output_shape_type: str = "raw"
    output_mask: Any = None
    output_mask_type: str = "raw"
    arguments: Mapping[str, Any] = {}
    supports_masking: bool = True


def merged(
    call: LayerCall,
    op: Merge,
    inputs: Sequence[Value],
    part: str = "",
    dtypes: Sequence[str] = (),
) -> Value:
    """An element-wise merge; inputs of lower rank get leading axes of size one behind the batch.

    Source: Keras 2.2.4 `layers/merge.py` `_Merge.call`.
    """
    rank = max(len(call.axes(value)) for value in inputs)
    aligned = [_raised(call, value, rank) for value in inputs]
    result: list[Term] = []
    for terms in zip(*(call.axes(value) for value in aligned), strict=True):
        sizes = {size_of(term) for term in terms} - {1}
        if len(sizes - {None}) > 1:
            shapes = " and ".join(str(value.layout) for value in aligned)
            raise ConfigError(f"inputs of different extents: {shapes}")
        result.append(next((term for term in terms if size_of(term) != 1), terms[0]))
    terms = _unique(result)
    y = call.add(op, aligned, terms, axes={"...": ()}, part=part, dtypes=dtypes).result
    call.set_mask(y, common_mask(call, inputs, y))
    return y


def _raised(call: LayerCall, value: Value, rank: int) -> Value:
    axes = call.axes(value)
    if len(axes) == rank:
        return value
    units = tuple(Axis("X", 1) for _ in range(rank - len(axes)))
    raised = (*axes[: call.batch], *units, *axes[call.batch :])
    return call.add(View(), [value], raised, part="view").result


def _unique(terms: Sequence[Term]) -> Terms:
    """The terms, with a copy wherever an axis would come twice in one value."""
    seen: set[Axis] = set()
    found: list[Term] = []
    for term in terms:
        inside = set(axes_of((term,)))
        found.append(copy_of(term) if inside & seen else term)
        seen |= set(axes_of((found[-1],)))
    return tuple(found)


BOTH: frozenset[str] = frozenset({"keras1", "keras2", "tf_keras"})
"""Vocabularies whose merges are there where all masks among their inputs hold. In Keras 3 it is
where one does, and nowhere told if an input has none (3.15 `merging/base_merge.py`)."""


def common_mask(
    call: LayerCall, inputs: Sequence[Value], y: Value, along: int | None = None
) -> Value | None:
    """The mask of a merge.

    Args:
        call: The layer.
        inputs: What is merged.
        y: The result.
        along: The axis along which masks are joined as values are; None where they are combined.

    Raises:
        ConfigError: Masks that cannot be combined.
    """
    masks = [call.mask(value) for value in inputs]
    present = [mask for mask in masks if mask is not None]
    hands_on = call.era.has("merges_hand_masks_on")
    if not present or not hands_on or not getattr(call.config, "supports_masking", True):
        return None  # Keras 0.3's has none (0.3.3 `layers/core.py` `Merge.get_output_mask`)
    several = call.era.vocabulary not in BOTH
    if several and len(present) < len(inputs):
        return None
    axes = call.axes(y)[: len(call.axes(present[0]))]
    if any(len(call.axes(mask)) != len(axes) for mask in present):
        raise ConfigError("a merge of inputs whose masks have different dimensions")
    if along is not None and along < len(axes):
        each = [mask or _all_steps(call, x) for mask, x in zip(masks, inputs, strict=True)]
        bound = {"joined": axes[along : along + 1], "...": ()}
        return _mask(call, Concat(), each, axes, bound)
    if len(set(present)) == 1 and call.axes(present[0]) == axes:
        return present[0]
    distinct = list(dict.fromkeys(present))
    if not several:
        return _mask(call, AllOf(), distinct, axes, {"...": ()})
    first, *others = distinct
    for mask in others:
        first = _mask(call, Binary(function="or"), [first, mask], axes, {"...": ()})
    return first


def _all_steps(call: LayerCall, x: Value) -> Value:
    """The mask of an input without one, beside others that have one.

    Source: Keras 2.2.4 `layers/merge.py` `Concatenate.compute_mask`, which joins what has the
    input's features with what has one.

    Raises:
        ConfigError: It has more than one feature, so that Keras cannot make the layer either.
    """
    terms = call.axes(x)
    if size_of(terms[-1]) != 1:
        raise ConfigError(
            "inputs with and without a mask joined along time, which Keras does only where each "
            "step has one feature"
        )
    ones = call.add(Fill(value=1.0), [x], terms, part="mask").result
    steps = call.add(View(), [ones], terms[:-1], part="mask").result
    return call.add(Cast(dtype="bool"), [steps], terms[:-1], part="mask", dtypes=("bool",)).result


def _mask(
    call: LayerCall, op: Op, masks: Sequence[Value], axes: Terms, bound: Mapping[str, Terms]
) -> Value:
    return call.add(op, masks, axes, axes=bound, part="mask", dtypes=("bool",)).result


def joined(call: LayerCall, inputs: Sequence[Value], axis: int, part: str = "") -> Value:
    first = call.axes(inputs[0])
    position = axis if axis < 0 else axis + call.batch - 1
    position += len(first) if position < 0 else 0
    if any(len(call.axes(value)) != len(first) for value in inputs) or not (
        0 < position < len(first)
    ):
        shapes = " and ".join(str(value.layout) for value in inputs)
        raise ConfigError(f"cannot concatenate {shapes} along axis {axis}")
    for index, terms in enumerate(zip(*(call.axes(v) for v in inputs), strict=True)):
        sizes = {size_of(term) for term in terms} - {None}
        if index != position and len(sizes) > 1:
            shapes = " and ".join(str(value.layout) for value in inputs)
            raise ConfigError(f"cannot concatenate {shapes} along axis {axis}")
    whole = Joined(tuple(copy_of(call.axes(value)[position]) for value in inputs))
    result = (*first[:position], whole, *first[position + 1 :])
    y = call.add(Concat(), inputs, result, axes={"joined": (whole,), "...": ()}, part=part).result
    along = position if position < len(first) - 1 else None
    call.set_mask(y, common_mask(call, inputs, y, along))
    return y


def _dotted(
    call: LayerCall,
    x: Value,
    y: Value,
    axes: tuple[Sequence[int], Sequence[int]],
    normalize: bool = False,
    part: str = "",
) -> Value:
    """Keras' batch_dot; two vectors give a column (Keras 2.2.4 `backend.batch_dot`)."""
    a, b, first = call.axes(x), call.axes(y), call.batch
    pairs = zip(axes, (a, b), strict=True)
    at = [
        [n + first - 1 if n >= 0 else n + len(terms) for n in numbers] for numbers, terms in pairs
    ]
    fits = all(first <= n < len(a) for n in at[0]) and all(first <= n < len(b) for n in at[1])
    if not fits or not len(set(at[0])) == len(set(at[1])) == len(at[0]) == len(at[1]):
        raise ConfigError(f"cannot contract axes {axes} of {x.layout} and {y.layout}")
    if any(size_of(a[m]) != size_of(b[n]) for m, n in zip(*at, strict=True)):
        raise ConfigError(f"axes {axes} of {x.layout} and {y.layout} have different extents")
    x_rest = tuple(t for i, t in enumerate(a) if i >= first and i not in at[0])
    y_rest = tuple(t for i, t in enumerate(b) if i >= first and i not in at[1])
    y_out = tuple(map(copy_of, y_rest))
    result = (*a[:first], *x_rest, *y_out)
    bound = {
        "batch": a[:first], "x_rest": x_rest, "x_contracted": tuple(a[n] for n in at[0]),
        "y_rest": y_rest, "y_contracted": tuple(b[n] for n in at[1]), "y_out": y_out,
    }  # fmt: skip
    z = call.add(Dot(normalize=normalize), [x, y], result, axes=bound, part=part).result
    if len(result) > first:
        return z
    return call.add(View(), [z], (*result, Axis("F", 1)), part="view").result


@translates("Concatenate", config=ConcatConfig)
def concatenate(call: LayerCall, *inputs: Value) -> Value:
    """Concatenate."""
    config: ConcatConfig = call.config  # type: ignore[assignment]
    return joined(call, inputs, config.axis)


@translates("Dot", config=DotConfig)
def dot(call: LayerCall, x: Value, y: Value) -> Value:
    """Dot."""
    config: DotConfig = call.config  # type: ignore[assignment]
    axes = (config.axes, config.axes) if isinstance(config.axes, int) else config.axes
    return _dotted(call, x, y, ((axes[0],), (axes[1],)), config.normalize)


@translates("Merge", config=MergeConfig)
def merge(call: LayerCall, *inputs: Value) -> Value:
    """Keras 1's Merge (Keras 1.2.2 `engine/topology.py` `Merge.call`)."""
    config: MergeConfig = call.config  # type: ignore[assignment]
    if config.mode_type != "raw" or not isinstance(config.mode, str):
        return call.opaque(inputs)  # by Python code, which is never run
    if config.mode in MODES:
        return merged(call, MODES[config.mode], inputs)
    if config.mode == "concat":
        return joined(call, inputs, config.concat_axis)
    if config.mode in {"dot", "cos"} and len(inputs) == 2:
        axes = _dot_axes(config.dot_axes)
        if config.mode == "dot":
            return _dotted(call, *inputs, axes)
        return _cosine(call, *inputs, axes)
    what = ", which gives a dictionary: only a Lambda takes one" if config.mode == "join" else ""
    raise ConfigError(f"Merge in mode {config.mode!r}{what}")


SHORTEST = 1e-7
"""What lengths multiplied are at least (Keras 1.2.2 `K.epsilon`)."""


def _cosine(
    call: LayerCall, x: Value, y: Value, axes: tuple[Sequence[int], Sequence[int]]
) -> Value:
    """Keras 1's cosine, which has one more axis, of size one; Keras 0.3's of all that is behind.

    Where something is left behind the batch, entry `i j` is a product over the root of entry `i j`
    of either input's product with itself: no cosine, but what is computed (not a number where that
    is below zero). Source: Keras 1.2.2 `Merge.call`, 0.3.3 `layers/core.py` `Merge.get_output`.
    """
    whole = all(
        len(call.axes(value)) == call.batch + len(numbers)
        for value, numbers in zip((x, y), axes, strict=True)
    )
    if whole:
        z = _dotted(call, x, y, axes, normalize=True)
        return _raised_once(call, z) if getattr(call.config, "supports_masking", True) else z
    product = _dotted(call, x, y, axes)
    own = [
        _dotted(call, value, value, axes, part=f"{side}_squares")
        for side, value in (("left", x), ("right", y))
    ]
    squares = merged(call, Multiply(), own, part="squares")
    for op, part in ((Power(exponent=0.5), "lengths"), (Clip(low=SHORTEST), "floor")):
        squares = call.add(op, [squares], call.axes(squares), part=part).result
    return _raised_once(call, merged(call, Divide(), [product, squares], part="quotient"))


def _raised_once(call: LayerCall, z: Value) -> Value:
    axes, first = call.axes(z), call.batch
    terms = (*axes[:first], Axis("X", 1), *axes[first:])
    return call.add(View(), [z], terms, part="cosine").result


def _dot_axes(stated: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """One number for both inputs, or one each; in Keras 0.3 a list of several each.

    Raises:
        ConfigError: It is none of these.
    """
    both = (stated, stated) if isinstance(stated, int) else stated
    if not isinstance(both, (list, tuple)) or len(both) != 2:
        raise ConfigError(f"dot_axes is {stated!r}")
    found = [tuple(n) if isinstance(n, (list, tuple)) else (n,) for n in both]
    if not all(isinstance(n, int) for numbers in found for n in numbers):
        raise ConfigError(f"dot_axes is {stated!r}")
    return found[0], found[1]
