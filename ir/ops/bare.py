"""Weights without anything that computes with them."""

from __future__ import annotations

from typing import ClassVar

from ..op import OPS, Op, Rule
from ..signature import Pattern, Port, Ref


class Bare(Op, frozen=True, kw_only=True):
    """Weights of a layer of which nothing else is known: no inputs, no results.

    It is not registered: only weights are ever made of it, never a model.

    Attributes:
        of: The op whose weights they seem to be; "" where that cannot be told, and each weight is
            a port of its own.
    """

    family: ClassVar[str] = "opaque"
    rule: ClassVar[Rule] = "pinned"

    of: str = ""

    @property
    def kind(self) -> str:
        """The op's name."""
        return self.of or "Bare"

    def port(self, name: str) -> Port:  # type: ignore[override]  # what it is depends on `of`
        """The port of this name, as the op declares it whose weights these seem to be."""
        if self.of:
            return OPS[self.of].port(name)
        return Port(name, Pattern((Ref(name),)))
