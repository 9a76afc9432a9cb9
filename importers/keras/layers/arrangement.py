"""Operations that choose, repeat, pad, stack and split elements by their position."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Term, fuse, size_of
from ....ir.ops.arrange import Broadcast, Gather, OneHot, Pad, Take, TopK, Triangle
from ....ir.ops.maths import ArgMax, Cumulate, Fill
from ....ir.ops.recurrent import ReverseTime
from ....ir.ops.shape import View
from ..call import LayerCall
from .merge import joined
from .tensors import expanded, permuted, squeezed

MOST_INDICES = 1 << 20
"""Positions along an axis that are written down one by one."""


def place_of(call: LayerCall, x: Value, axis: int, *, batch: bool = False) -> int:
    """The place of an axis that is counted from either end.

    Raises:
        ConfigError: There is none, or it is the batch.
    """
    rank = len(call.axes(x))
    if not -rank <= axis < rank:
        raise ConfigError(f"axis {axis} of {x.layout}")
    place = axis % rank
    if place < call.batch and not batch:
        raise ConfigError(f"an operation along the batch of {x.layout}")
    return place


def known(term: Term) -> int:
    """The extent of an axis.

    Raises:
        ConfigError: It is not known.
    """
    size = size_of(term)
    if size is None:
        raise ConfigError(f"an operation along an axis of unknown extent, {term!r}")
    return size


def taken(call: LayerCall, x: Value, axis: int, indices: Sequence[int], part: str = "") -> Value:
    """The elements at these positions along an axis."""
    axes = call.axes(x)
    size = known(axes[axis])
    _check_count(len(indices), size)
    if not all(-size <= n < size for n in indices):
        raise ConfigError(f"positions beyond an axis of {size}")
    if not indices:
        raise ConfigError(f"nothing is left of an input {x.layout}")
    chosen = Axis(_role(axes[axis]), len(indices))
    result = (*axes[:axis], chosen, *axes[axis + 1 :])
    bound = {
        "before": axes[:axis], "axis": axes[axis : axis + 1], "behind": axes[axis + 1 :],
        "chosen": (chosen,), "...": (),
    }  # fmt: skip
    op = Take(indices=tuple(n % size for n in indices))
    return call.add(op, [x], result, axes=bound, part=part).result


def _check_count(count: int, size: int) -> None:
    """Refuse more positions than are listed one by one, before they are.

    Raises:
        ConfigError: There are too many.
    """
    if count > MOST_INDICES:
        raise ConfigError(f"{count} positions along an axis of {size}")


def _role(term: Term) -> str:
    return term.role if isinstance(term, Axis) else "F"


def flipped(call: LayerCall, x: Value, axes: Sequence[int] | None) -> Value:
    """Back to front along axes."""
    count = len(call.axes(x))
    for n in range(count) if axes is None else axes:
        place, all_axes = place_of(call, x, n), call.axes(x)
        size, part = size_of(all_axes[place]), f"flip{place}"
        if size is None:
            time = {"time": all_axes[place : place + 1]}
            x = call.add(ReverseTime(), [x], all_axes, axes=time, part=part).result
        else:
            x = taken(call, x, place, range(size)[::-1], part)
    return x


def rolled(call: LayerCall, x: Value, shifts: Sequence[int], axes: Sequence[int]) -> Value:
    """Moved along axes, what falls off one end to the other."""
    for shift, n in zip(shifts, axes, strict=True):
        place = place_of(call, x, n)
        size = known(call.axes(x)[place])
        _check_count(size, size)
        x = taken(call, x, place, [(i - shift) % size for i in range(size)], f"roll{place}")
    return x


def repeated(call: LayerCall, x: Value, times: int | Sequence[int], axis: int) -> Value:
    """Each element along an axis several times, one after the other."""
    place = place_of(call, x, axis)
    size = known(call.axes(x)[place])
    _check_count(size, size)
    counts = [times] * size if isinstance(times, int) else [*times]
    counts = counts * size if len(counts) == 1 else counts
    _check_count(sum(counts), size)
    return taken(
        call, x, place, [i for i, n in zip(range(size), counts, strict=True) for _ in range(n)]
    )


def tiled(call: LayerCall, x: Value, times: Sequence[int]) -> Value:
    """The whole several times along each axis."""
    rank = len(call.axes(x))
    if len(times) > rank:
        x = expanded(call, x, [call.batch] * (len(times) - rank))
    counts = [1] * (len(call.axes(x)) - len(times)) + [*times]
    for place, count in enumerate(counts):
        if count != 1:
            place_of(call, x, place)
            size = known(call.axes(x)[place])
            _check_count(size * count, size)
            x = taken(call, x, place, [*range(size)] * count, f"tile{place}")
    return x


def stacked(call: LayerCall, values: Sequence[Value], axis: int) -> Value:
    """Tensors of one shape side by side along a new axis."""
    rank = len(call.axes(values[0])) + 1
    place = axis % rank
    if place < call.batch:
        raise ConfigError("tensors stacked before the batch")
    wide = [expanded(call, value, [place], part=f"wide{n}") for n, value in enumerate(values)]
    return joined(call, wide, place - call.batch + 1)


def parts(call: LayerCall, x: Value, axis: int, cuts: Sequence[int]) -> tuple[Value, ...]:
    """Pieces along an axis, cut before these positions."""
    place = place_of(call, x, axis)
    size = known(call.axes(x)[place])
    bounds = [0, *cuts, size]
    if any(not 0 <= a <= b <= size for a, b in itertools.pairwise(bounds)):
        raise ConfigError(f"cuts at {tuple(cuts)} of {size}")
    return tuple(
        taken(call, x, place, range(start, end), f"part{n}")
        for n, (start, end) in enumerate(itertools.pairwise(bounds))
    )


def unstacked(call: LayerCall, x: Value, axis: int) -> tuple[Value, ...]:
    """The slices along an axis, each without it."""
    place = place_of(call, x, axis)
    size = known(call.axes(x)[place])
    found = parts(call, x, axis, range(1, size))
    return tuple(squeezed(call, piece, [place], part=f"slice{n}") for n, piece in enumerate(found))


def padded(
    call: LayerCall,
    x: Value,
    stated: Any,
    mode: str = "constant",
    value: float = 0.0,
    part: str = "",
) -> Value:
    """More elements before and after, along every axis but the batch."""
    axes = call.axes(x)
    pairs = _pairs(stated, len(axes))
    if any(map(any, pairs[: call.batch])):
        raise ConfigError(f"padding {pairs} along the batch")
    sizes = [size_of(term) for term in axes]
    result = tuple(
        Axis(_role(term), None if size is None else size + sum(pair)) if any(pair) else term
        for term, size, pair in zip(axes, sizes, pairs, strict=True)
    )
    op = Pad(padding=pairs, mode=mode, value=value)  # type: ignore[arg-type]
    return call.add(op, [x], result, axes={"...": axes, "out": result}, part=part).result


def _pairs(stated: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Numbers before and after each axis: one for all, a pair for all, or a pair for each."""
    found = [[stated, stated]] if isinstance(stated, int) else stated
    if isinstance(found, (list, tuple)) and len(found) == 2 and isinstance(found[0], int):
        found = [found]
    if isinstance(found, (list, tuple)) and len(found) == 1:
        found = [*found] * rank
    if not isinstance(found, (list, tuple)) or not (
        len(found) == rank and all(map(_is_pair, found))
    ):
        raise ConfigError(f"padding {stated!r:.80} of {rank} axes")
    return tuple((pair[0], pair[1]) for pair in found)


def _is_pair(stated: Any) -> bool:
    listed = isinstance(stated, (list, tuple)) and len(stated) == 2
    return listed and all(isinstance(n, int) and n >= 0 for n in stated)


def broadcast(call: LayerCall, x: Value, shape: Sequence[int | None]) -> Value:
    """Axes of extent one repeated, in front of them new ones; None and -1 stand for what it has."""
    missing = len(shape) - len(call.axes(x))
    if missing > 0:
        x = expanded(call, x, [call.batch] * missing, part="raised")
    result: list[Term] = []
    for term, wanted in zip(call.axes(x), shape, strict=True):
        size = size_of(term)
        same = wanted in {None, -1} or size == wanted or size is None
        if not same and size != 1:
            raise ConfigError(f"{x.layout} repeated to {tuple(shape)}")
        result.append(term if same else Axis(_role(term), wanted))
    if tuple(result) == call.axes(x):
        return x
    axes = {"...": call.axes(x), "out": tuple(result)}
    return call.add(Broadcast(), [x], result, axes=axes).result


def filled(call: LayerCall, x: Value, value: float, dtype: str) -> Value:
    """A tensor of an input's shape, the same number everywhere."""
    op = Fill(value=value)
    return call.add(op, [x], call.axes(x), dtypes=(dtype,)).result


def one_hot(call: LayerCall, x: Value, classes: int, dtype: str = "float32") -> Value:
    """A vector with a 1 at the place that each index names, along a new last axis."""
    axes = call.axes(x)
    new = Axis("F", classes)
    bound = {"...": axes, "classes": (new,)}
    return call.add(OneHot(), [x], (*axes, new), axes=bound, dtypes=(dtype,)).result


def position_of_largest(
    call: LayerCall, x: Value, axis: int | None, *, least: bool, keep: bool, dtype: str = "int32"
) -> Value:
    """Where the largest number is, or the smallest."""
    if axis is None:
        raise ConfigError("the position of the largest number of all, the batch included")
    axes = call.axes(x)
    place = place_of(call, x, axis)
    rest = (*axes[:place], *axes[place + 1 :])
    bound = {"space": axes[place : place + 1]}
    y = call.add(ArgMax(least=least), [x], rest, axes=bound, dtypes=(dtype,)).result
    return expanded(call, y, [place], part="kept") if keep else y


def cumulated(call: LayerCall, x: Value, axis: int | None, *, product: bool = False) -> Value:
    """Sums, or products, of all up to each along an axis."""
    if axis is None:
        raise ConfigError("sums over the whole input, the batch included")
    place = place_of(call, x, axis)
    bound = {"space": call.axes(x)[place : place + 1]}
    return call.add(Cumulate(product=product), [x], call.axes(x), axes=bound).result


def gathered(call: LayerCall, x: Value, indices: Any, axis: int, batched: int = 0) -> Value:
    """Slices along an axis, by positions that are stated or computed."""
    place = place_of(call, x, axis)
    axes = call.axes(x)
    if not isinstance(indices, Value):
        flat, shape = _flattened(indices)
        y = taken(call, x, place, flat)
        extents = tuple(Axis("X", n) for n in shape)
        if len(shape) == 1:
            return y
        own = call.axes(y)
        call.builder.splits.split(own[place], fuse(extents))  # type: ignore[arg-type]
        return call.add(
            View(), [y], (*own[:place], *extents, *own[place + 1 :]), part="view"
        ).result
    at = call.axes(indices)
    if batched and (batched != call.batch or place != batched):
        raise ConfigError(
            f"slices of {x.layout} by {indices.layout}, with {batched} axes in common"
        )
    if not batched:
        raise ConfigError(f"slices of each entry of {x.layout} by all of {indices.layout}")
    result = (*axes[:place], *at[batched:], *axes[place + 1 :])
    bound = {
        "lead": axes[:batched], "before": axes[batched:place], "axis": axes[place : place + 1],
        "behind": axes[place + 1 :], "own_lead": at[:batched], "at": at[batched:], "out": result,
    }  # fmt: skip
    return call.add(Gather(batched=bool(batched)), [x, indices], result, axes=bound).result


def _flattened(value: Any) -> tuple[list[int], tuple[int, ...]]:
    shape: list[int] = []
    flat = [value]
    while isinstance(flat[0], (list, tuple)):
        shape.append(len(flat[0]))
        if not flat[0] or any(len(item) != len(flat[0]) for item in flat):
            raise ConfigError("positions in lists of different lengths")
        flat = [inner for item in flat for inner in item]
    if any(isinstance(n, bool) or not isinstance(n, int) for n in flat):
        raise ConfigError("positions that are no whole numbers")
    return flat, tuple(shape)


def largest(call: LayerCall, x: Value, count: int) -> tuple[Value, Value]:
    """The largest numbers along the last axis, and their positions."""
    axes = call.axes(x)
    if len(axes) <= call.batch or not 0 < count <= known(axes[-1]):
        raise ConfigError(f"the {count} largest of {x.layout}")
    chosen = Axis("F", count)
    bound = {"before": axes[:-1], "axis": axes[-1:], "chosen": (chosen,), "...": ()}
    result = (*axes[:-1], chosen)
    node = call.add(TopK(), [x], result, result, axes=bound, dtypes=(x.dtype, "int32"))
    return node.results[0], node.results[1]


def sorted_along(call: LayerCall, x: Value, axis: int, *, places: bool) -> Value:
    """The numbers along an axis in rising order, or their positions."""
    axes = call.axes(x)
    last = len(axes) - 1
    if axis % len(axes) != last:
        turned = swapped(call, x, axis, last)
        return swapped(call, sorted_along(call, turned, last, places=places), axis, last)
    chosen = Axis("F", known(axes[-1]))
    bound = {"before": axes[:-1], "axis": axes[-1:], "chosen": (chosen,), "...": ()}
    result = (*axes[:-1], chosen)
    op = TopK(least=True)
    node = call.add(op, [x], result, result, axes=bound, dtypes=(x.dtype, "int32"))
    return node.results[1] if places else node.results[0]


def triangle(call: LayerCall, x: Value, diagonal: int, *, upper: bool) -> Value:
    """Zeros on one side of a diagonal of the last two axes."""
    axes = call.axes(x)
    op = Triangle(diagonal=diagonal, upper=upper)
    return call.add(op, [x], axes, axes={"...": axes}).result


def swapped(call: LayerCall, x: Value, a: int, b: int) -> Value:
    """Two axes in each other's place."""
    order = list(range(len(call.axes(x))))
    first, second = place_of(call, x, a), place_of(call, x, b)
    order[first], order[second] = order[second], order[first]
    return permuted(call, x, order[call.batch :])


def moved(call: LayerCall, x: Value, source: Sequence[int], target: Sequence[int]) -> Value:
    """Axes at other places, the rest as it was."""
    rank = len(call.axes(x))
    sources = [place_of(call, x, n) for n in source]
    rest = [n for n in range(rank) if n not in sources]
    for place, n in sorted(zip((t % rank for t in target), sources, strict=True)):
        rest.insert(place, n)
    if rest[: call.batch] != list(range(call.batch)):
        raise ConfigError(f"axes moved to the batch of {x.layout}")
    return permuted(call, x, rest[call.batch :])
