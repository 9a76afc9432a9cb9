"""What operations do to the shape of tensors, and masks that are computed by operations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Node, Value
from ....ir.layout import Axis, Layout, size_of
from ....ir.ops.activation import Linear
from ....ir.ops.arrange import Extents, Take
from ....ir.ops.embedding import Embedding, Masking, NotEqual
from ....ir.ops.maths import Reduce
from ....ir.ops.pooling import GlobalAveragePool, GlobalMaxPool
from ....ir.ops.shape import Reshape, View
from ....ir.tensor import Param, Stored, Weight
from ..call import LayerCall
from ..constants import array, number
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


def expanded(call: LayerCall, x: Value, axes: Sequence[int], part: str = "") -> Value:
    """New axes of extent one, by their numbers in the result."""
    found = list(call.axes(x))
    rank = len(found) + len(axes)
    for place in sorted(n % rank for n in axes):
        if place < call.batch:
            raise ConfigError("a new axis before the batch")
        found.insert(place, Axis("X", 1))
    return call.add(View(), [x], found, part=part).result


def squeezed(call: LayerCall, x: Value, axes: Sequence[int], part: str = "") -> Value:
    """Without axes of extent one, by their numbers."""
    terms = call.axes(x)
    gone = {n % len(terms) for n in axes}
    if any(n < call.batch or size_of(terms[n]) != 1 for n in gone):
        raise ConfigError(f"axes {tuple(axes)} squeezed out of an input {x.layout}")
    rest = [term for n, term in enumerate(terms) if n not in gone]
    return call.add(View(), [x], rest, part=part).result


POOLS = {"mean": GlobalAveragePool(), "max": GlobalMaxPool()}
"""Reductions that layers have, too."""


def reduced(
    call: LayerCall,
    x: Value,
    kind: str,
    axes: Sequence[int] | None,
    *,
    keepdims: bool,
    part: str = "",
) -> Value:
    """One number for all along axes: their mean, sum, maximum, ….

    Raises:
        ConfigError: The batch is among them.
    """
    terms = call.axes(x)
    stated = range(len(terms)) if axes is None else [n % len(terms) for n in axes]
    if any(n < call.batch for n in stated) or not stated:
        raise ConfigError(f"{kind} along axes {axes} of an input {x.layout}")
    gone = tuple(terms[n] for n in sorted(set(stated)))
    rest = tuple(term for n, term in enumerate(terms) if n not in stated)
    op = POOLS.get(kind) or Reduce(function=kind)  # type: ignore[arg-type]
    dtypes = ("bool",) if kind in {"any", "all"} else ()
    y = call.add(op, [x], rest, axes={"space": gone}, part=part, dtypes=dtypes).result
    if not keepdims:
        return y
    kept = [Axis("X", 1) if n in stated else term for n, term in enumerate(terms)]
    return call.add(View(), [y], kept, part=f"{part}_keepdims".lstrip("_")).result


def same(call: LayerCall, x: Value) -> Value:
    """A tensor under the name of an operation that changes nothing in it."""
    return call.add(Linear(), [x], call.axes(x)).result


def dtype_of(stated: Any) -> str:
    """The name of a dtype, however a file states it.

    Raises:
        ConfigError: It is none that is computed with.
    """
    config = stated.get("config") if isinstance(stated, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else stated
    found = str(name).rsplit(".", 1)[-1]
    found = {"float": "float32", "int": "int32"}.get(found, found)
    if found not in DTYPES:
        raise ConfigError(f"a dtype {str(stated)!r:.80}")
    return found


DTYPES = frozenset({
    "float16", "bfloat16", "float32", "float64", "bool", "int8", "uint8", "int16", "uint16",
    "int32", "uint32", "int64", "uint64",
})  # fmt: skip


def shape_of(call: LayerCall, x: Value, dtype: str) -> Value:
    """How many elements a tensor has along each axis; `extents` finds those axes again."""
    axes = call.axes(x)
    rank = (Axis("X", len(axes)),)
    bound = {"...": axes, "rank": rank}
    y = call.add(Extents(), [x], rank, axes=bound, dtypes=(dtype,)).result
    call.extents[y] = axes
    return y


def part_of_shape(call: LayerCall, x: Value, key: Any) -> Value | None:
    """One extent of a shape; None if the value is none, or more than one is asked for."""
    axes = call.extents.get(x)
    item = key[0] if isinstance(key, list) and len(key) == 1 else key
    if axes is None or isinstance(item, bool) or not isinstance(item, int):
        return None
    place = item % len(axes)
    chosen = (Axis("X", 1),)
    bound = {"before": (), "axis": call.axes(x), "behind": (), "chosen": chosen, "...": ()}
    y = call.add(Take(indices=(place,)), [x], chosen, axes=bound, part="one").result
    y = call.add(View(), [y], (), part="extent").result
    call.extents[y] = axes[place : place + 1]
    return y


def extents(call: LayerCall, stated: Any) -> list[int | None]:
    """A shape as a file states it; None where an extent is not known before the model runs.

    Raises:
        ConfigError: It is none.
    """
    if isinstance(stated, Value) and stated in call.extents:
        return [size_of(term) for term in call.extents[stated]]
    found = list(stated) if isinstance(stated, (list, tuple)) else []
    for place, item in enumerate(found):
        if isinstance(item, Value) and len(call.extents.get(item, ())) == 1:
            found[place] = size_of(call.extents[item][0])
    if not found or any(isinstance(n, bool) or not isinstance(n, int | None) for n in found):
        raise ConfigError(f"a shape {stated!r:.80}")
    return found


def reshaped_whole(call: LayerCall, x: Value, stated: Any) -> Value:
    """An input in the shape that is stated, the batch included.

    Raises:
        ConfigError: The shape changes the batch.
    """
    shape = extents(call, stated)
    batch = size_of(call.axes(x)[0])
    rest = [-1 if n is None else n for n in shape[1:]]
    if call.batch != 1 or (shape[0] not in {-1, None, batch} or rest.count(-1) > 1):
        raise ConfigError(f"a reshape to {tuple(shape)}, which changes the batch")
    if shape[0] == -1 and -1 not in rest:
        _must_hold(call, x, rest)
    return reshaped(call, x, rest)


def _must_hold(call: LayerCall, x: Value, rest: Sequence[int]) -> None:
    """Make sure that an extent of -1 at the batch is the batch."""
    sizes = [size_of(term) for term in call.axes(x)[1:]]
    if None not in sizes and math.prod(n or 0 for n in sizes) != math.prod(rest):
        raise ConfigError(f"a reshape to {(-1, *rest)} of {x.layout}, which changes the batch")


def looked_up(call: LayerCall, table: Any, indices: Any, axis: int) -> Value:
    """Rows of a constant table, by positions that are computed."""
    if not isinstance(indices, Value) or axis != 0:
        raise ConfigError("a choice from a constant")
    source = array(table)
    if len(source.shape) != 2:
        raise ConfigError(f"a choice from a constant of shape {source.shape}")
    rows, columns = Axis("V", source.shape[0]), Axis("F", source.shape[1])
    weight = Weight(f"{call.name}/table", (source,), trainable=False)
    param = Param(weight, (Stored(Layout((rows, columns))),))
    bound = {"vocabulary": (rows,), "features": (columns,), "...": call.axes(indices)}
    return call.add(
        Embedding(), [indices], (*call.axes(indices), columns), axes=bound,
        params={"embeddings": param}, dtypes=("float32",),
    ).result  # fmt: skip


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


def any_of(call: LayerCall, x: Value, axes: Sequence[int] | None) -> Value | None:
    """Whether any holds, where that is the second half of what a Masking layer computes."""
    source = next((node for node in call.builder.nodes if x in node.results), None)
    if source is not None and isinstance(source.op, NotEqual) and axes == (-1,):
        masking = _made(call, Masking, source.inputs[0])
        if masking is not None and masking.op == Masking(mask_value=source.op.value):
            return masking.results[1]
    return None


def _made(call: LayerCall, kind: type[Any], x: Value | None) -> Node | None:
    """A node of this kind that reads a value."""
    for node in call.builder.nodes:
        if isinstance(node.op, kind) and node.inputs[0] is x:
            return node
    return None
