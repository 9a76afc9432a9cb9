"""What operations do to the shape of tensors, and masks that are computed by operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Node, Value
from ....ir.layout import Axis, Term, size_of
from ....ir.ops.activation import Affine
from ....ir.ops.embedding import Masking, NotEqual
from ....ir.ops.pooling import GlobalAveragePool, GlobalMaxPool
from ....ir.ops.shape import Reshape, View
from ..call import LayerCall
from ..constants import number
from .factor import factor
from .shape import target_of


def reshaped(call: LayerCall, x: Value, target: Sequence[int], part: str = "") -> Value:
    """The batch as it is, and the rest in other extents; one of them may be -1."""
    axes = call.axes(x)
    batch, rest = axes[: call.batch], axes[call.batch :]
    extents = target_of(target, rest, x)
    found = factor(rest, extents, call.builder.splits)
    if found is not None:
        return call.add(View(), [x], (*batch, *found), part=part).result
    own = tuple(Axis("X", extent) for extent in extents)
    return call.add(Reshape(), [x], (*batch, *own), part=part).result


def permuted(call: LayerCall, x: Value, order: Sequence[int], part: str = "") -> Value:
    """The axes behind the batch in another order, by their numbers."""
    axes = call.axes(x)
    if call.batch != 1:
        raise ConfigError("a transposition inside a repeated layer")
    return call.add(View(), [x], (axes[0], *(axes[n] for n in order)), part=part).result


def expanded(call: LayerCall, x: Value, axes: Sequence[int]) -> Value:
    """New axes of extent one, by their numbers in the result."""
    found = list(call.axes(x))
    rank = len(found) + len(axes)
    for place in sorted(n % rank for n in axes):
        if place < call.batch:
            raise ConfigError("a new axis before the batch")
        found.insert(place, Axis("X", 1))
    return call.add(View(), [x], found).result


def squeezed(call: LayerCall, x: Value, axes: Sequence[int]) -> Value:
    """Without axes of extent one, by their numbers."""
    terms = call.axes(x)
    gone = {n % len(terms) for n in axes}
    if any(n < call.batch or size_of(terms[n]) != 1 for n in gone):
        raise ConfigError(f"axes {tuple(axes)} squeezed out of an input {x.layout}")
    rest = [term for n, term in enumerate(terms) if n not in gone]
    return call.add(View(), [x], rest).result


_POOLS = {"mean": GlobalAveragePool, "sum": GlobalAveragePool, "max": GlobalMaxPool}


def reduced(
    call: LayerCall, x: Value, kind: str, axes: Sequence[int] | None, *, keepdims: bool
) -> Value:
    """The mean, the sum or the largest along axes.

    Raises:
        ConfigError: The batch is among them; or a sum's count is not known.
    """
    terms = call.axes(x)
    stated = range(len(terms)) if axes is None else [n % len(terms) for n in axes]
    if any(n < call.batch for n in stated) or not stated:
        raise ConfigError(f"{kind} along axes {axes} of an input {x.layout}")
    gone = tuple(terms[n] for n in sorted(set(stated)))
    rest = tuple(term for n, term in enumerate(terms) if n not in stated)
    y = call.add(_POOLS[kind](), [x], rest, axes={"space": gone}).result
    if kind == "sum":
        y = call.add(Affine(scale=float(_count(gone))), [y], rest, part="count").result
    if not keepdims:
        return y
    kept = [Axis("X", 1) if n in stated else term for n, term in enumerate(terms)]
    return call.add(View(), [y], kept, part="keepdims").result


def _count(terms: Sequence[Term]) -> int:
    sizes = [size_of(term) for term in terms]
    if None in sizes:
        raise ConfigError("a sum over an axis of unknown extent")
    return math.prod(size or 0 for size in sizes)


# ---- masks -------------------------------------------------------------------------------------


def not_equal(call: LayerCall, x: Any, value: Any) -> Value:
    """A mask of what is not a number.

    Keras 3 puts the masks of Embedding and Masking into the graph as operations of their own; what
    the layer has made already is taken.
    """
    one = number(value)
    if not isinstance(x, Value) or one is None:
        raise ConfigError("a comparison of something else than a tensor with a number")
    op = NotEqual(value=one)
    made = _made(call, NotEqual, x)
    if made is not None and made.op == op:
        return made.result
    return call.add(op, [x], call.axes(x), dtypes=("bool",)).result


def any_of(call: LayerCall, x: Value, axes: Sequence[int] | None) -> Value:
    """Whether any holds: known as the second half of what Masking computes.

    Raises:
        ConfigError: It is something else.
    """
    source = next((node for node in call.builder.nodes if x in node.results), None)
    if source is not None and isinstance(source.op, NotEqual) and axes == (-1,):
        masking = _made(call, Masking, source.inputs[0])
        if masking is not None and masking.op == Masking(mask_value=source.op.value):
            return masking.results[1]
    raise ConfigError("a mask that no Masking layer has made")


def _made(call: LayerCall, kind: type[Any], x: Value | None) -> Node | None:
    """A node of this kind that reads a value."""
    for node in call.builder.nodes:
        if isinstance(node.op, kind) and node.inputs[0] is x:
            return node
    return None
