"""Parts of tensors: `x[:, 1:3, 0]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Term, Terms, size_of
from ....ir.ops.pooling import Crop
from ....ir.ops.shape import View
from ..call import LayerCall
from .arrangement import known, taken

SLICE, ELLIPSIS = "__slice__", "__ellipsis__"
ALL: Mapping[str, Any] = {}


def sliced(call: LayerCall, x: Value, key: Any) -> Value:
    """Steps and indices of an input, and new axes; the batch is taken whole.

    Args:
        call: The operation.
        x: The input.
        key: One item per axis, or fewer: a slice, an index, an ellipsis, a null for a new axis; as
            Keras 3 or TensorFlow store them.

    Raises:
        ConfigError: It takes part of the batch, or does something else.
    """
    axes = call.axes(x)
    items = _spread(key if isinstance(key, list) else [key], len(axes))
    own = [item for item in items if item is not None]
    if any(_whole(item) is False for item in own[: call.batch]):
        raise ConfigError("a part of the batch")
    x = _stepped(call, x, own)
    axes = call.axes(x)
    plain = [ALL if _stepping(item) else item for item in own]
    y, left = _cropped(call, x, [_cut(t, i) for t, i in _pairs(axes, plain, call.batch)])
    terms = iter((*axes[: call.batch], *left))
    wanted: list[Term] = []
    for item in items:
        if item is None:
            wanted.append(Axis("X", 1))
            continue
        term = next(terms)
        if not isinstance(item, int):
            wanted.append(term)
    if any(item is None for item in items[: call.batch]):
        raise ConfigError("a new axis before the batch")
    if tuple(wanted) == call.axes(y):
        return y
    return call.add(View(), [y], wanted, part="view").result


def _pairs(axes: Terms, items: Sequence[Any], batch: int) -> list[tuple[Term, Any]]:
    return list(zip(axes[batch:], items[batch:], strict=True))


def _cropped(
    call: LayerCall, x: Value, cuts: Sequence[tuple[int, int]]
) -> tuple[Value, list[Term]]:
    """The input without what is cut, and its axes behind the batch."""
    axes = call.axes(x)
    left = list(axes[call.batch :])
    if not any(map(any, cuts)):
        return x, left
    left = [
        Axis(term.role if isinstance(term, Axis) else "F", (size_of(term) or 0) - sum(cut))
        if any(cut) else term
        for term, cut in zip(left, cuts, strict=True)
    ]  # fmt: skip
    bound = {
        "batch": axes[: call.batch], "channels": (), "space": axes[call.batch :],
        "out_space": tuple(left),
    }  # fmt: skip
    result = (*axes[: call.batch], *left)
    return call.add(Crop(cropping=tuple(cuts)), [x], result, axes=bound).result, left


def _stepping(item: Any) -> bool:
    return not isinstance(item, int) and _bounds(item)[2] not in (None, 1)


def _stepped(call: LayerCall, x: Value, items: Sequence[Any]) -> Value:
    """The elements that slices with steps choose."""
    for place, item in enumerate(items):
        if _stepping(item):
            size = known(call.axes(x)[place])
            chosen = range(size)[slice(*_numbers(item))]
            x = taken(call, x, place, chosen, f"steps{place}")
    return x


def _numbers(item: Any) -> tuple[int | None, int | None, int | None]:
    bounds = _bounds(item)
    if any(n is not None and (isinstance(n, bool) or not isinstance(n, int)) for n in bounds):
        raise ConfigError(f"a slice {bounds!r:.80}")
    return bounds


def _spread(items: Sequence[Any], rank: int) -> list[Any]:
    """One item per axis: an ellipsis stands for as many whole ones as are missing."""
    places = [i for i, item in enumerate(items) if _kind(item) == ELLIPSIS]
    at = places[0] if places else len(items)
    missing = rank - sum(item is not None for item in items) + len(places)
    if len(places) > 1 or missing < 0:
        raise ConfigError(f"{len(items)} indices for {rank} axes")
    return [*items[:at], *[ALL] * missing, *items[at + len(places) :]]


def _kind(item: Any) -> str:
    return str(item.get("class_name")) if isinstance(item, Mapping) else ""


def _bounds(item: Any) -> tuple[Any, Any, Any]:
    """Start, stop and step of a slice."""
    if not isinstance(item, Mapping):
        raise ConfigError(f"an index {item!r:.80}")
    inner = item.get("config") if _kind(item) == SLICE else item
    if not isinstance(inner, Mapping) or not inner.keys() <= {"start", "stop", "step"}:
        raise ConfigError(f"an index {item!r:.80}")
    return inner.get("start"), inner.get("stop"), inner.get("step")


def _whole(item: Any) -> bool:
    if isinstance(item, int):
        return False
    start, stop, step = _bounds(item)
    return start in (None, 0) and stop is None and step in (None, 1)


def _cut(term: Term, item: Any) -> tuple[int, int]:
    """What an index or a slice cuts from an axis, before and after."""
    size = size_of(term)
    if isinstance(item, bool):
        raise ConfigError(f"an index {item!r}")
    if not isinstance(item, int) and _whole(item):
        return 0, 0
    if size is None:
        raise ConfigError(f"a part of an axis of unknown extent, {term!r}")
    if isinstance(item, int):
        start = item + size if item < 0 else item
        if not 0 <= start < size:
            raise ConfigError(f"index {item} of {size} elements")
        return start, size - start - 1
    bounds = _numbers(item)
    first, last, _ = slice(*bounds).indices(size)
    if last <= first:
        raise ConfigError(f"a slice {bounds} of {size} elements, which is empty")
    return first, size - last
