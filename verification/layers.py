"""Results of the layers that two models have, compared while the second runs."""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.plan import Settled
from ..ir.source import Array
from .calls import LayerCall
from .compare import alike, compare, largest_differences
from .matching import Matching
from .records import Compared, Difference


class First:
    """The first layer that differs."""

    def __init__(self, number: int, differences: tuple[Difference, ...]) -> None:
        self.number, self.differences = number, differences


class Layers:
    """Results of layers: A's are kept until B's come."""

    def __init__(
        self,
        calls: Sequence[tuple[LayerCall, LayerCall]],
        matching: Matching,
        tolerance: float,
    ) -> None:
        self.calls, self.matching, self.tolerance = calls, matching, tolerance
        self.first: First | None = None
        self._mine = {call.last: index for index, (call, _) in enumerate(calls)}
        self._others = {call.last: index for index, (_, call) in enumerate(calls)}
        self._held: dict[int, Array] = {}
        self._compared: dict[int, Compared] = {}
        self._unordered: set[int] = set()

    def keep(self, settled: Settled, results: tuple[Array, ...]) -> None:
        """Watch A."""
        index = self._mine.get(settled.node)
        if index is not None:
            self._held[index] = results[0]

    def compare(self, settled: Settled, results: tuple[Array, ...]) -> None:
        """Watch B."""
        index = self._others.get(settled.node)
        if index is None or index not in self._held:
            return
        call, layout = self.calls[index][0], self.calls[index][0].last.result.layout
        mine = self._held.pop(index)
        other = self.matching.brought(results[0], settled.results[0], layout)
        found = compare(call.name, "layer", mine, other, self.tolerance, weighted=call.weighted)
        if not found.agrees(self.tolerance) and alike(mine, results[0], self.tolerance):
            if other is None:
                return  # nothing says which number is which: what is behind it tells
            self._unordered.add(index)
        self._compared[index] = found
        earlier = self.first is None or index < self.first.number
        if earlier and not found.agrees(self.tolerance):
            self.first = First(index, largest_differences(mine, other, layout))

    def found(self, *, ordered: bool = False) -> tuple[Compared, ...]:
        """What was compared, in the order of A.

        Args:
            ordered: Without layers that give the same numbers in another order: axes inside of
                two models are matched by what their layers say, which may be too little.
        """
        left_out = self._unordered if ordered else set[int]()
        return tuple(self._compared[i] for i in sorted(self._compared) if i not in left_out)
