"""What kerasir does not compute: kept bit for bit, every order pinned, its code never run."""

from __future__ import annotations

from typing import ClassVar

from ..op import MaskRule, Op, Rule, op
from ..signature import Pattern, Port, Ref, ports


@op
class Opaque(Op, frozen=True, kw_only=True):
    """A Lambda, or a layer of a class unknown to kerasir.

    Each weight is a port of its own whose axes nobody else knows.

    Attributes:
        layer_class: The class as stored.
        has_code: Whether its config holds code.
    """

    family: ClassVar[str] = "opaque"
    inputs: ClassVar[tuple[Port, ...]] = ports("x*: ...", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")
    rule: ClassVar[Rule] = "pinned"
    mask: ClassVar[MaskRule] = "own"

    layer_class: str
    has_code: bool = False

    @classmethod
    def port(cls, name: str) -> Port:
        """Ports of inputs and results as declared; any other name is a weight's."""
        try:
            return super().port(name)
        except KeyError:
            return Port(name, Pattern((Ref(name),)))
