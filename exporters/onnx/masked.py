"""Sequences with steps left out, for operators that know lengths only.

Keras steps over whatever a mask hides: states stay, and the last result comes again (2.2.4
`backend.theano_backend.rnn`, the same in TensorFlow's). So the steps that count are moved to the
front, in their order, and each sequence gets their number as its length; results are taken from
there again. That is exact for every mask, wherever it has holes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .draft import Edge
from .emitting import Emitting

Draw = Callable[..., Edge]
"""From tensors to what is made of them."""


class Masked:
    """Where the steps that count lie: known once for all layers behind the same mask.

    Args:
        at: Draws the nodes.
        mask: `batch time`, of truth values.

    Attributes:
        lengths: How many steps of each sequence count, int32 as ONNX' recurrent operators want.
    """

    def __init__(self, at: Emitting, mask: Edge) -> None:
        self._mask = mask
        self._steps = at.cast(at.origins.truths.get(mask, mask), "int64")
        self._fronts: dict[Edge, Edge] = {}
        self._zeroed: set[Edge] = set()
        self.lengths = at.cast(at.reduce("ReduceSum", self._steps, [1]), "int32")
        left = _running(at, self._steps, reverse=1)
        ranked = at.add("Mul", left, self._steps)  # no two steps that count are alike
        both = [Edge(f"{at.name}/{part}", "int64", mask.shape) for part in ("ranks", "order")]
        at.place("TopK", (ranked, at.extents(mask.shape[1:], mask)), both, axis=1)
        self._order = both[1]

    def front(self, at: Emitting, x: Edge) -> Edge:
        """`batch time features` with the steps that count first; what follows is of no matter."""
        if x in self._fronts:
            return self._fronts[x]
        return _gathered(at, x, self._order)

    def back(self, at: Emitting, y: Edge, *, backwards: bool, idle: Edge | None = None) -> Edge:
        """The results of all steps, in the order of time, from those of the steps that count.

        Args:
            at: Draws the nodes.
            y: `batch time units`, the steps that count first.
            backwards: Whether the last step was walked first: then a step that is left out
                repeats the result of the next one in time.
            idle: `batch units`: what comes before the first step that counts; zeros if it is None.
        """
        if backwards:
            place = _running(at, self._steps, exclusive=1)
            total = at.reduce("ReduceSum", self._steps, [1], keepdims=True)
            begun = at.add("Less", place, total, dtype="bool")
        else:
            place = self._place(at)
            begun = at.add("GreaterOrEqual", place, at.constant([0], "int64", ()), dtype="bool")
        return self._spread(at, y, place, begun, idle)

    def zeroed(self, at: Emitting, y: Edge) -> Edge | None:
        """The results of all steps, zeros for those left out; None if `y` is not by `back`."""
        if y not in self._fronts:
            return None
        result = self._spread(at, self._fronts[y], self._place(at), self._mask)
        self._zeroed.add(result)
        return result

    def together(self, at: Emitting, parts: tuple[Edge, ...], draw: Draw) -> Edge | None:
        """What is made of results by `zeroed`: made in front, and spread over time as one."""
        if not self._zeroed.issuperset(parts):
            return None
        y = draw(*(self._fronts[part] for part in parts))
        result = self._spread(at, y, self._place(at), self._mask)
        self._zeroed.add(result)
        return result

    def state(self, at: Emitting, last: Edge, begin: Edge | None) -> Edge:
        """The last state, `batch units`: the initial one, zeros or given, where no step counts."""
        begin = at.number(0) if begin is None else begin
        some = at.add("Greater", self.lengths, at.constant([0], "int32", ()), dtype="bool")
        return at.add("Where", at.unsqueeze(some, 1), last, begin, dtype=last.dtype)

    def _place(self, at: Emitting) -> Edge:
        """Of each step that counts its place in front; of others that of the one before, or -1."""
        one = at.constant([1], "int64", (), wish="number")
        return at.add("Sub", _running(at, self._steps), one)

    def _spread(
        self, at: Emitting, y: Edge, place: Edge, real: Edge, idle: Edge | None = None
    ) -> Edge:
        """What is found in front at some places, zeros or `idle` where nothing is real."""
        found = _gathered(at, y, place)
        other = at.number(0) if idle is None else at.unsqueeze(idle, 1)
        result = at.add("Where", at.unsqueeze(real, 2), found, other, dtype=y.dtype)
        self._fronts[result] = y
        return result


def masked(at: Emitting, mask: Edge) -> Masked:
    """What is known of a mask, `batch time`."""
    known = at.origins.masked
    key = at.cast(mask, "bool")
    if key not in known or not at.draft.style.share:
        known[key] = Masked(at, key)
    return known[key]


def together(at: Emitting, parts: tuple[Edge, ...], draw: Draw) -> Edge:
    """What is made of tensors step by step, zero where all are.

    Args:
        at: Draws the nodes.
        parts: `batch time features` each. Where all have zeros for the steps left out by one
            mask, what is made of them is drawn before they are spread over time.
        draw: Draws what is made.
    """
    found = (each.together(at, parts, draw) for each in at.origins.masked.values())
    return next((edge for edge in found if edge is not None), None) or draw(*parts)


def _running(at: Emitting, steps: Edge, **attributes: Any) -> Edge:
    """A running sum along time."""
    axis = at.constant([1], "int64", (), wish="axis")
    return at.add("CumSum", steps, axis, **attributes)


def _gathered(at: Emitting, x: Edge, places: Edge) -> Edge:
    """Steps from other places of the same sequence; a place below zero counts from the end."""
    return at.add("GatherND", x, at.unsqueeze(places, 2), shape=x.shape, batch_dims=1)
