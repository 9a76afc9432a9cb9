"""Building a graph: values and nodes as they come, splits of axes seen everywhere at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import LayoutError
from .graph import Graph, Layer, Node, Value, joined_position
from .layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    Term,
    Terms,
    copy_of,
    fuse,
    reverse,
    size_of,
)
from .op import Op
from .signature import REST
from .tensor import Param, Stored


class Splits:
    """Substitutions: an axis that turned out to be several.

    A Dense whose units are reshaped to (4 5 3) has units made of three axes; its bias, the
    BatchNormalization behind it and all others see the same three.
    """

    def __init__(self) -> None:
        self._of: dict[Axis, Term] = {}

    def split(self, axis: Axis, into: Term) -> None:
        """Say that `axis` is `into`, for every term that holds it."""
        self._of[axis] = into

    def resolve(self, term: Term) -> Term:
        """The term with every substitution made."""
        if not self._of:
            return term
        if isinstance(term, Axis):
            inner = self._of.get(term)
            return term if inner is None else self.resolve(inner)
        if isinstance(term, Reversed):
            return reverse(self.resolve(term.axis))
        if isinstance(term, Labelled):
            return term
        if isinstance(term, Fused):
            return fuse(map(self.resolve, term.terms))
        return Joined(tuple(map(self.resolve, term.parts)))

    def all(self, terms: Sequence[Term]) -> Terms:
        """Every term resolved."""
        return tuple(map(self.resolve, terms))

    def align(self, a: Term, b: Term) -> bool:
        """Split two terms that stand for corresponding positions alike; True if one changed."""
        a, b = self.resolve(a), self.resolve(b)
        if a is b or isinstance(a, Labelled) or isinstance(b, Labelled):
            return False
        if isinstance(a, Reversed) and isinstance(b, Reversed):
            return self.align(a.axis, b.axis)
        if isinstance(a, Axis) and isinstance(b, Axis):
            return False
        if isinstance(b, Axis):
            a, b = b, a
        if isinstance(a, Axis):
            plain = isinstance(b, Fused) and all(isinstance(t, Axis) for t in b.terms)
            if not plain or size_of(a) != size_of(b):
                return False
            self.split(a, copy_of(b))
            return True
        if isinstance(a, Fused) and isinstance(b, Fused) and len(a.terms) == len(b.terms):
            return self.align_all(zip(a.terms, b.terms, strict=True))
        if isinstance(a, Joined) and isinstance(b, Joined) and len(a.parts) == len(b.parts):
            return self.align_all(zip(a.parts, b.parts, strict=True))
        return False

    def align_all(self, pairs: Iterable[tuple[Term, Term]]) -> bool:
        """Align every pair; True if any changed."""
        changed = [self.align(a, b) for a, b in pairs]
        return any(changed)

    def follow(self, part: Term, own: Term) -> bool:
        """Split a join's own part the way the input behind it is split; True if it changed.

        The input follows too: a part that a later view has split splits what it came from.
        """
        part, own = self.resolve(part), self.resolve(own)
        if isinstance(own, Axis) and not isinstance(part, Axis):
            self.split(own, copy_of(part))
            return True
        if isinstance(part, Axis) and isinstance(own, Fused):
            self.split(part, copy_of(own))
            return True
        if isinstance(part, Axis) or type(part) is not type(own):
            return False
        mine, other = _inner(part), _inner(own)
        if len(mine) != len(other):
            return False
        changed = [self.follow(x, y) for x, y in zip(mine, other, strict=True)]
        return any(changed)


class Builder:
    """Collects nodes; `freeze` gives the graph with every split made.

    Attributes:
        splits: The substitutions made so far.
    """

    def __init__(self) -> None:
        self.splits = Splits()
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self._names: set[str] = set()
        self._calls: dict[str, int] = {}

    def input(self, name: str, axes: Sequence[Term], dtype: str = "float32") -> Value:
        """A value that the caller feeds."""
        value = Value(name, tuple(axes), dtype)
        self.inputs.append(value)
        return value

    def axes(self, value: Value) -> Terms:
        """The axes of a value, with the splits made so far."""
        value.axes = self.splits.all(value.axes)
        return value.axes

    def add(
        self,
        op: Op,
        name: str,
        inputs: Sequence[Value | None],
        results: Sequence[Sequence[Term]],
        *,
        axes: Mapping[str, Sequence[Term]] | None = None,
        params: Mapping[str, Param] | None = None,
        layer: Layer | None = None,
        part: str = "",
        dtypes: Sequence[str] = (),
    ) -> Node:
        """Append a node.

        Args:
            op: What is computed.
            name: Made unique by a number behind it.
            inputs: By input port.
            results: The axes of each result, in the author's order.
            axes: The terms of each binding; `...` is filled in from the first input.
            params: Weights by port.
            layer: Where the node comes from.
            part: Which part of its layer it is.
            dtypes: Of the results; the first input's where not given.
        """
        unique = self._unique(name)
        first = next((value for value in inputs if value is not None), None)
        given = {key: tuple(terms) for key, terms in (axes or {}).items()}
        if first is not None and REST not in given:
            taken = {id(t) for terms in given.values() for t in terms}
            given[REST] = tuple(
                t for t in first.axes if id(t) not in taken and t not in _all(given)
            )
        values = []
        for index, terms in enumerate(results):
            dtype = dtypes[index] if index < len(dtypes) else (first.dtype if first else "float32")
            suffix = f".{index}" if index else ""
            values.append(Value(unique + suffix, tuple(terms), dtype))
        node = Node(unique, op, inputs, values, given, params, layer, part)
        self.nodes.append(node)
        return node

    def _unique(self, name: str) -> str:
        candidate, number = name, self._calls.get(name, 1)
        while candidate in self._names:
            number += 1
            candidate = f"{name}~{number}"
        self._calls[name] = number  # a layer may be called fifty thousand times
        self._names.add(candidate)
        return candidate

    def freeze(self, outputs: Sequence[Value], output_names: Sequence[str] = ()) -> Graph:
        """The finished graph: splits brought to their fixpoint and made everywhere."""
        while self._settle_splits():
            pass
        tidy = _Tidy(self.splits)
        for value in [*self.inputs, *(v for node in self.nodes for v in node.results)]:
            value.axes = tidy.all(value.axes)
        for node in self.nodes:
            node.axes = {name: tidy.all(terms) for name, terms in node.axes.items()}
            node.params = {name: tidy.param(param) for name, param in node.params.items()}
        return Graph(self.inputs, self.nodes, outputs, output_names)

    def _settle_splits(self) -> bool:
        """One round: splits go through merges, joins and shared weights; True if any was new."""
        changed = False
        first_use: dict[tuple[object, int], Stored] = {}
        for node in self.nodes:
            if node.op.rule in {"merge", "join"}:
                changed |= self._settle_merge(node)
            for param in node.params.values():
                for index, stored in enumerate(param.stored):
                    leader = first_use.setdefault((param.weight, index), stored)
                    pairs = zip(leader.layout.terms, stored.layout.terms, strict=False)
                    changed |= self.splits.align_all(pairs)
        return changed

    def _settle_merge(self, node: Node) -> bool:
        present = [value for value in node.inputs if value is not None]
        position = joined_position(node)
        changed = False
        for value in present:
            for index, (a, b) in enumerate(zip(node.result.axes, value.axes, strict=True)):
                if index != position:
                    changed |= self.splits.align(a, b)
        if position is not None:
            joined = self.splits.resolve(node.result.axes[position])
            if not isinstance(joined, Joined):
                raise LayoutError("a join's result has no joined axis", where=node.name)
            for value, own in zip(present, joined.parts, strict=True):
                changed |= self.splits.follow(value.axes[position], own)
        return changed


class _Tidy:
    """Resolves terms for good: a join of plain axes becomes one plain axis, the same everywhere."""

    def __init__(self, splits: Splits) -> None:
        self._splits = splits
        self._joins: dict[tuple[Axis, ...], Axis] = {}
        self._known: dict[int, tuple[Term, Term]] = {}

    def term(self, term: Term) -> Term:
        return self._tidy(self._splits.resolve(term))

    def _tidy(self, term: Term) -> Term:
        """As `_made`, once for each term: joins of joins of joins have many parts in common."""
        if isinstance(term, Axis):
            return term
        known = self._known.get(id(term))
        if known is None:
            known = self._known[id(term)] = (term, self._made(term))  # kept, so the id stays its
        return known[1]

    def _made(self, term: Term) -> Term:
        if isinstance(term, Fused):
            return fuse(map(self._tidy, term.terms))
        if not isinstance(term, Joined):
            return term
        parts = tuple(map(self._tidy, term.parts))
        plain = tuple(part for part in parts if isinstance(part, Axis))
        if len(plain) < len(parts):
            return Joined(parts)
        if plain not in self._joins:
            sizes = [axis.size for axis in plain if axis.size is not None]
            total = sum(sizes) if len(sizes) == len(plain) else None
            self._joins[plain] = Axis(plain[0].role, total)
        return self._joins[plain]

    def all(self, terms: Sequence[Term]) -> Terms:
        return tuple(map(self.term, terms))

    def param(self, param: Param) -> Param:
        stored = tuple(Stored(Layout(self.all(s.layout.terms)), s.at) for s in param.stored)
        return Param(param.weight, stored)


def _all(given: Mapping[str, Sequence[Term]]) -> set[Term]:
    return {term for terms in given.values() for term in terms}


def _inner(term: Term) -> Terms:
    if isinstance(term, Fused):
        return term.terms
    return term.parts if isinstance(term, Joined) else ()
