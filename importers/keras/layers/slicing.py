"""Parts of tensors: `x[:, 1:3, 0]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Term, size_of
from ....ir.ops.pooling import Crop
from ....ir.ops.shape import View
from ..call import LayerCall

SLICE, ELLIPSIS = "__slice__", "__ellipsis__"
_EVERYTHING: Mapping[str, Any] = {}


def sliced(call: LayerCall, x: Value, key: Any) -> Value:
    """Steps and indices of an input; the batch is taken whole.

    Args:
        call: The operation.
        x: The input.
        key: One item per axis, or fewer: a slice, an index, an ellipsis; as Keras 3 or TensorFlow
            store them.

    Raises:
        ConfigError: It takes part of the batch, skips elements, or does something else.
    """
    axes = call.axes(x)
    items = _spread(key if isinstance(key, list) else [key], len(axes))
    if any(_whole(item) is False for item in items[: call.batch]):
        raise ConfigError("a part of the batch")
    cuts: list[tuple[int, int]] = []
    gone: list[bool] = []
    for term, item in zip(axes[call.batch :], items[call.batch :], strict=True):
        cuts.append(_cut(term, item))
        gone.append(isinstance(item, int))
    y, left = x, list(axes[call.batch :])
    if any(map(any, cuts)):
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
        y = call.add(Crop(cropping=tuple(cuts)), [x], result, axes=bound).result
    if not any(gone):
        return y
    rest = tuple(term for term, absent in zip(left, gone, strict=True) if not absent)
    return call.add(View(), [y], (*axes[: call.batch], *rest), part="view").result


def _spread(items: Sequence[Any], rank: int) -> list[Any]:
    """One item per axis: an ellipsis stands for as many whole ones as are missing."""
    places = [i for i, item in enumerate(items) if _kind(item) == ELLIPSIS]
    at = places[0] if places else len(items)
    missing = rank - len(items) + len(places)
    if len(places) > 1 or missing < 0:
        raise ConfigError(f"{len(items)} indices for {rank} axes")
    return [*items[:at], *[_EVERYTHING] * missing, *items[at + len(places) :]]


def _kind(item: Any) -> str:
    return str(item.get("class_name")) if isinstance(item, Mapping) else ""


def _bounds(item: Any) -> tuple[Any, Any, Any]:
    """Start, stop and step of a slice."""
    if not isinstance(item, Mapping):  # null is a new axis
        raise ConfigError(f"an index {item!r:.80}")
    inner = item.get("config") if _kind(item) == SLICE else item
    if not isinstance(inner, Mapping) or not inner.keys() <= {"start", "stop", "step"}:
        raise ConfigError(f"an index {item!r:.80}")
    return inner.get("start"), inner.get("stop"), inner.get("step")


def _whole(item: Any) -> bool:
    return not isinstance(item, int) and _bounds(item) in {(None, None, None), (None, None, 1)}


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
    bounds = _bounds(item)
    if any(n is not None and (isinstance(n, bool) or not isinstance(n, int)) for n in bounds):
        raise ConfigError(f"a slice {bounds!r:.80}")
    if bounds[2] not in {None, 1}:
        raise ConfigError(f"a slice with steps of {bounds[2]}")
    first, last, _ = slice(*bounds).indices(size)
    if last <= first:
        raise ConfigError(f"a slice {bounds} of {size} elements, which is empty")
    return first, size - last
