"""Shapes that no file says: of what layers give that are not computed, such as a Lambda.

Each is taken for its input's first. What reads the result may show that this is wrong: then its
extents are left open, it gets the rank that its reader takes, and where that does not do, the
reader is not computed either. A model is lifted anew with what has been learnt, so that it can be
read, whatever the code computes that is not run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...ir.graph import Layer, Node, Value

Key = tuple[str, ...]
"""A layer: the calls of models around it, and its name."""

MERGES = frozenset({
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Merge",
})  # fmt: skip
"""Layers whose inputs are of one rank."""

STEPS = frozenset({"SimpleRNN", "LSTM", "GRU", "RNN", "StackedRNNCells", "Bidirectional"})

VECTORS = re.compile(r"Flatten|Global.*")
"""Layers that give a vector for each sample."""


class Unsaid:
    """What is guessed of shapes, and what has been learnt of them.

    Attributes:
        kept: Layers that are not computed, as what they are given is not known.
        open: Layers whose results have unknown extents.
        ranks: The dimensions of results, the batch among them, where a reader tells.
    """

    def __init__(self) -> None:
        self.kept: set[Key] = set()
        self.open: set[Key] = set()
        self.ranks: dict[Key, int] = {}
        self._origins: dict[Value, frozenset[Key]] = {}
        self._learnt = False

    def begin(self) -> bool:
        """Forget the values of the last try; whether anything was learnt in it."""
        self._origins, learnt, self._learnt = {}, self._learnt, False
        return learnt

    def guessed(self, layer: Layer, result: Value) -> None:
        """Note that nothing says the shape of a layer's result."""
        self._origins[result] = frozenset({key_of(layer)})

    def carry(self, inputs: Sequence[Value], results: Sequence[Value]) -> None:
        """Note that results depend on such shapes as their inputs do."""
        origins = self._behind(inputs)
        for value in results if origins else ():
            self._origins.setdefault(value, origins)

    def doubted(self, inputs: Sequence[Value]) -> bool:
        """Whether a guess is behind any of these."""
        return bool(self._behind(inputs))

    def learn(
        self, layer: Layer, inputs: Sequence[Value], nodes: Sequence[Node], *, weighted: bool
    ) -> None:
        """Draw a conclusion from a layer that does not fit what it is given.

        Args:
            layer: That layer.
            inputs: What it is given.
            nodes: The graph so far.
            weighted: Whether it has arrays of its own, which keep their order only if computed.
        """
        origins = self._behind(inputs)
        ranks = self._ranks(layer, inputs)
        if origins - self.open:
            self.open |= origins
        elif ranks:
            self.ranks |= ranks
        elif not weighted:
            self._keep(layer)
        else:
            before = _before(nodes, [value for value in inputs if value in self._origins])
            if before is None or key_of(before) in self.kept | origins:
                return
            self._keep(before)
        self._learnt = bool(origins)

    def _keep(self, layer: Layer) -> None:
        self.kept.add(key_of(layer))
        if VECTORS.fullmatch(layer.class_name):
            self.ranks[key_of(layer)] = 2

    def _ranks(self, layer: Layer, inputs: Sequence[Value]) -> Mapping[Key, int]:
        """Ranks of results right before a layer, where they have another one than it takes."""
        sure = [len(value.axes) for value in inputs if value not in self._origins]
        wanted = rank_read(layer) or (sure[0] if sure and layer.class_name in MERGES else None)
        made = {value: self._origins.get(value, frozenset()) for value in inputs}
        return {
            next(iter(origins)): wanted
            for value, origins in made.items()
            if wanted and len(origins) == 1 and len(value.axes) != wanted
            if next(iter(origins)) not in self.ranks
        }

    def _behind(self, inputs: Sequence[Value]) -> frozenset[Key]:
        found = (self._origins.get(value, frozenset()) for value in inputs)
        return frozenset[Key]().union(*found)


def key_of(layer: Layer) -> Key:
    """What a layer is called here."""
    return (*layer.scope, layer.name)


def rank_read(layer: Layer) -> int | None:
    """The dimensions that a layer takes, the batch among them; None where it takes several."""
    if layer.class_name in STEPS:
        return 3
    spatial = re.search(r"([123])D(Transpose)?$", layer.class_name)
    if spatial is None or layer.wrappers:
        return None
    steps = layer.class_name.startswith(("ConvLSTM", "ConvRecurrent"))
    return int(spatial[1]) + 2 + steps


def _before(nodes: Sequence[Node], values: Sequence[Value]) -> Layer | None:
    """The layer right before one that is given these, if it holds no arrays."""
    made = {value: node for node in nodes for value in node.results}
    for node in (made[value] for value in values if value in made):
        own = [other for other in nodes if other.layer is node.layer]
        if node.layer is not None and not any(other.params for other in own):
            return node.layer
    return None
