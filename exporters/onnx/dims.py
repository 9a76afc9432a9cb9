"""Extents of tensors in an ONNX graph: numbers, and names for those that only a run tells."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from ...ir.layout import ROLES, Axis, Fused, Joined, Layout, Reversed, Term, size_of

Dim = int | str
Shape = tuple[Dim, ...]

BATCH = "N"
PLAIN_ROLE = "X"
PLAIN_NAME = "size"
"""What an axis without a role of its own is called."""


class Dims:
    """Names for extents.

    An axis has one name wherever it occurs, and no two axes share one: runtimes take equal names
    for equal extents, and use memory again by them. The first axis of a role is called after it,
    `height`, any other after its layer as well.

    Args:
        batch: What an axis of batches is called in the place of its role.
    """

    def __init__(self, batch: str = "batch") -> None:
        self._batch = batch
        self._names: dict[Axis, str] = {}
        self._taken: set[str] = set()

    def shape(self, layout: Layout, owner: str) -> Shape:
        """The extents of a layout.

        Args:
            layout: Of a value.
            owner: The layer whose name an axis gets that has none yet.
        """
        return tuple(self.dim(term, owner) for term in layout.terms)

    def dim(self, term: Term, owner: str) -> Dim:
        """The extent of one term."""
        size = size_of(term)
        if size is not None:
            return size
        if isinstance(term, Fused):
            return product(self.dim(inner, owner) for inner in term.terms)
        if isinstance(term, Joined):
            return "+".join(str(self.dim(part, owner)) for part in term.parts)
        axis = term.axis if isinstance(term, Reversed) else term
        assert isinstance(axis, Axis)  # labels give a size
        if axis not in self._names:
            self._names[axis] = self._name(axis, owner)
        return self._names[axis]

    def learn(self, layout: Layout, shape: Shape) -> None:
        """Call axes as the tensor does that is also laid out so: one that was made before."""
        for term, dim in zip(layout.terms, shape, strict=False):
            if isinstance(term, Axis) and term.size is None and isinstance(dim, str):
                self._names[term] = dim

    def _name(self, axis: Axis, owner: str) -> str:
        role = PLAIN_NAME if axis.role == PLAIN_ROLE else ROLES.get(axis.role, axis.role)
        role = self._batch if axis.role == BATCH else role.replace(" ", "_")
        owned = f"{owner}_{role}"
        numbered = (f"{owned}_{number}" for number in itertools.count(2))
        wishes = itertools.chain((role, owned), numbered)
        name = next(n for n in wishes if n not in self._taken)
        self._taken.add(name)
        return name


def product(dims: Iterable[Dim]) -> Dim:
    """The extent of several dimensions in one: `batch*5` where a name is among them."""
    number, names = 1, list[str]()
    for dim in dims:
        for factor in str(dim).split("*"):
            if factor.isdecimal():
                number *= int(factor)
            else:
                names.append(factor)
    if not names:
        return number
    return "*".join([*sorted(names), *([str(number)] if number != 1 else [])])


def longer(dim: Dim, count: int) -> Dim:
    """The extent with so many more elements, or fewer."""
    if isinstance(dim, int):
        return dim + count
    return f"{dim}{count:+}" if count else dim


def broadcast(shapes: Iterable[Sequence[Dim]]) -> Shape:
    """The shape that tensors have together, aligned at the end; extents of one are repeated."""
    backwards = (tuple(reversed(shape)) for shape in shapes)
    columns = itertools.zip_longest(*backwards, fillvalue=1)
    return tuple(_common(column) for column in columns)[::-1]


def _common(dims: Sequence[Dim]) -> Dim:
    """A number other than one if there is any, else the first name."""
    numbers = [dim for dim in dims if isinstance(dim, int) and dim != 1]
    names = [dim for dim in dims if isinstance(dim, str)]
    if numbers:
        return numbers[0]
    return names[0] if names else 1
