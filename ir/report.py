"""What was assumed, changed, carried and lost, as events with stable codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

Kind = Literal["assumed", "changed", "carried", "lost", "note"]
Level = Literal["note", "warning"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing worth telling.

    Attributes:
        code: Stable: two letters of a family (KB backend, KL layout, KP padding, KN numerics,
            KT training, KS safety, KE era and format, KX export) and three digits.
        kind: Which line of the summary it belongs to.
        message: For people; may be reworded at any time.
        layer: The layer it is about; "" for the file.
        weight: The weight it is about, by its name in the layer.
        level: A warning makes `--strict` fail, and so does every assumption.
        fix: What the reader can do; "" if nothing needs doing.
    """

    code: str
    kind: Kind
    message: str
    layer: str = ""
    weight: str = ""
    level: Level = "note"
    fix: str = ""


class Report:
    """Events in the order in which they came."""

    __slots__ = ("events",)

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events = list(events)

    def add(
        self,
        code: str,
        kind: Kind,
        message: str,
        *,
        layer: str = "",
        weight: str = "",
        level: Level = "note",
        fix: str = "",
    ) -> None:
        """Append an event."""
        event = Event(
            code=code, kind=kind, message=message, layer=layer, weight=weight, level=level, fix=fix
        )
        self.events.append(event)

    def of(self, kind: Kind) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event.kind == kind]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)
