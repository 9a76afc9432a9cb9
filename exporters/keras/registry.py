"""Writers: one per op, found by the op's class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ...errors import ExportError, PluginError
from ...ir.op import Op

if TYPE_CHECKING:
    from .site import Site

Write = Callable[["Site"], None]

WRITERS: dict[type[Op], Write] = {}

F = TypeVar("F", bound=Write)


def writes(*ops: type[Op], attributes: str = "") -> Callable[[F], F]:
    """Register the writer of one or several ops: from a settled node to Keras layers.

    Args:
        ops: The ops.
        attributes: The attributes of theirs that the writer knows the meaning of.

    Raises:
        PluginError: An op has a writer already, or an attribute that this one does not know:
            ignored, it would be a wrong number.
    """
    known = frozenset(attributes.split())

    def register(function: F) -> F:
        for op in ops:
            if op in WRITERS:
                raise PluginError(f"op {op.__name__} is already written by {WRITERS[op]!r}")
            unknown = [name for name in op.__struct_fields__ if name not in known]
            if unknown:
                raise PluginError(f"the writer of {op.__name__} does not know {unknown[0]!r}")
            WRITERS[op] = function
        return function

    return register


def writer_of(op: Op) -> Write:
    """The writer of an op.

    Raises:
        ExportError: There is none.
    """
    found = WRITERS.get(type(op))
    if found is None:
        raise ExportError(
            f"no Keras layer is known for {op.kind}", hint="a plugin can add a writer"
        )
    return found
