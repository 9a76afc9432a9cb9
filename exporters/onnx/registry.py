"""Emitters: one function per op, found by the op's class. A plugin registers its own so too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import PluginError
from ...ir.op import Op
from .opsets import LOWEST

if TYPE_CHECKING:
    from .draft import Edge
    from .emitting import Emitting

OpType = TypeVar("OpType", bound=Op)
Emit = Callable[[OpType, "Emitting"], "Edge | tuple[Edge | None, ...]"]
"""From an op and what it is given to its results, None for a result that nobody reads."""

_EMITTERS: dict[type[Op], dict[int, Emit[Any]]] = {}


def emits(kind: type[OpType], *, since: int = LOWEST) -> Callable[[Emit[OpType]], Emit[OpType]]:
    """Register the emitter of an op: `(op, at) -> result`, or results.

    Args:
        kind: The op.
        since: The lowest opset that the emitter writes. An op may have several emitters; the one
            for the highest opset that is not above the one asked for is taken.

    Raises:
        PluginError: The op has one already, since that opset.
    """

    def register(function: Emit[OpType]) -> Emit[OpType]:
        versions = _EMITTERS.setdefault(kind, {})
        if since in versions:
            raise PluginError(
                f"op {kind.__name__} already has an ONNX emitter since opset {since}, "
                f"in {versions[since].__module__}"
            )
        versions[since] = function
        return function

    return register


def emitter(kind: type[Op], opset: int) -> Emit[Any] | None:
    """The emitter of an op for an opset; None if there is none."""
    versions = _EMITTERS.get(kind, {})
    fitting = [since for since in versions if since <= opset]
    return versions[max(fitting)] if fitting else None


def lowest_opset(kind: type[Op]) -> int | None:
    """The lowest opset that an op can be written in; None if ONNX cannot say it."""
    return min(_EMITTERS.get(kind, {}), default=None)
