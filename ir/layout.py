"""The layout algebra: how the axes of a tensor are ordered, fused, joined, reversed, labelled.

An axis is an identity with a size. A layout is a row-major list of terms over axes; the shape
follows from it. Two layouts of the same axes describe the same numbers in different order, and
`copyplan.plan` compiles the way from one to the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from ..errors import LayoutError

ROLES: Mapping[str, str] = {
    "N": "batch",
    "C": "channels",
    "D": "depth",
    "H": "height",
    "W": "width",
    "T": "time",
    "F": "features",
    "I": "kernel input",
    "O": "kernel output",
    "M": "depth multiplier",
    "G": "gates",
    "U": "units",
    "R": "recurrent input",
    "V": "vocabulary",
    "K": "pieces",
    "X": "no role of its own",
}
"""Letters that axes print as. A plugin's roles carry a namespace: `myplugin.Q`."""


class Axis:
    """One axis: an identity, compared by `is`. The role only says how it prints.

    Attributes:
        role: A letter of `ROLES`, or a plugin's namespaced name.
        size: Extent in elements; None while unknown, such as the batch.
        key: As of `key`, which is asked for thousands of times.
    """

    __slots__ = ("key", "role", "size")

    def __init__(self, role: str, size: int | None) -> None:
        self.role, self.size = role, size
        self.key: Key = frozenset((self,))

    def __repr__(self) -> str:
        return f"{self.role}:{'?' if self.size is None else self.size}"


class Reversed(msgspec.Struct, frozen=True):
    """`~H`: an axis stored back to front, as a true convolution's kernel is."""

    axis: Axis

    def __repr__(self) -> str:
        return f"~{self.axis!r}"


class Labelled(msgspec.Struct, frozen=True):
    """`G[i f c o]`: an axis whose positions have names; the labels give their stored order."""

    axis: Axis
    labels: tuple[str, ...]

    def __repr__(self) -> str:
        return f"{self.axis.role}[{' '.join(self.labels)}]"


class Fused(msgspec.Struct, frozen=True):
    """`(C H W)`: several terms in one dimension, row-major. Build it with `fuse`."""

    terms: tuple[Term, ...]

    def __repr__(self) -> str:
        return f"({' '.join(map(repr, self.terms))})"


class Joined(msgspec.Struct, frozen=True):
    """`{A | B}`: parts one after the other in one dimension, addressed by position."""

    parts: tuple[Term, ...]

    def __repr__(self) -> str:
        return "{" + " | ".join(map(repr, self.parts)) + "}"


Term = Axis | Reversed | Labelled | Fused | Joined
Terms = tuple[Term, ...]
AxisMap = dict[Axis, Term]
Key = frozenset[object]
Sizes = Mapping[Axis, int]


def fuse(terms: Iterable[Term]) -> Term:
    """One term of several: nested fusions flatten, a fusion of one is that one."""
    flat: list[Term] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Fused) else (term,))
    return flat[0] if len(flat) == 1 else Fused(tuple(flat))


def size_of(term: Term, sizes: Sizes | None = None) -> int | None:
    """Extent of a term in elements; None if an axis of unknown size is in it.

    Args:
        term: Any term.
        sizes: Sizes of axes that are known only now, such as the batch of an array.
    """
    if isinstance(term, Axis):
        return term.size if sizes is None else sizes.get(term, term.size)
    if isinstance(term, Reversed):
        return size_of(term.axis, sizes)
    if isinstance(term, Labelled):
        return len(term.labels)
    parts = [size_of(t, sizes) for t in (term.terms if isinstance(term, Fused) else term.parts)]
    known = [size for size in parts if size is not None]
    if len(known) < len(parts):
        return None
    return math.prod(known) if isinstance(term, Fused) else sum(known)


def expand(terms: Iterable[Term]) -> Terms:
    """The terms with every fusion opened: the finest row-major dimensions."""
    return tuple(t for term in terms for t in (term.terms if isinstance(term, Fused) else (term,)))


def key(term: Term) -> Key:
    """What a term is made of, whatever the order inside it: equal keys, same positions."""
    if isinstance(term, Axis):
        return term.key
    if isinstance(term, (Reversed, Labelled)):
        return term.axis.key
    if isinstance(term, Fused):
        return frozenset().union(*map(key, term.terms))
    return frozenset((tuple(map(key, term.parts)),))


def substance(term: Term, sizes: Sizes | None = None) -> Key:
    """The key of a term without its axes of size one, which come and go freely."""
    if isinstance(term, Fused):
        return frozenset().union(*(substance(t, sizes) for t in term.terms))
    if isinstance(term, Joined):
        # A part of units only would be nothing at all; by its own axes it can be told apart.
        return frozenset((tuple(substance(p, sizes) or key(p) for p in term.parts),))
    return key(term) if isinstance(term, Labelled) or size_of(term, sizes) != 1 else frozenset()


def keys(terms: Iterable[Term]) -> Key:
    """What several terms are made of together."""
    return frozenset().union(*map(key, terms))


def axes_of(terms: Iterable[Term]) -> Iterator[Axis]:
    """Every axis in the terms, in stored order."""
    for term in terms:
        if isinstance(term, Axis):
            yield term
        elif isinstance(term, (Reversed, Labelled)):
            yield term.axis
        else:
            yield from axes_of(term.terms if isinstance(term, Fused) else term.parts)


def find(terms: Sequence[Term], wanted: Term) -> int:
    """Index of the term made of the same axes as `wanted`.

    Raises:
        LayoutError: There is none.
    """
    if wanted in terms:
        return terms.index(wanted)
    sought = key(wanted)
    for index, term in enumerate(terms):
        if key(term) == sought:
            return index
    raise LayoutError(f"no term {wanted!r} in layout {Layout(tuple(terms))}")


def rebuild(term: Term, axis: Mapping[Axis, Term]) -> Term:
    """The term with axes replaced; axes that are not in the mapping stay."""
    if isinstance(term, Axis):
        return axis.get(term, term)
    if isinstance(term, Fused):
        return fuse(rebuild(t, axis) for t in term.terms)
    if isinstance(term, Joined):
        return Joined(tuple(rebuild(t, axis) for t in term.parts))
    inner = axis.get(term.axis, term.axis)
    if isinstance(term, Reversed):
        return reverse(inner)
    if not isinstance(inner, Axis):
        raise LayoutError(f"a labelled axis cannot be split: {term!r}")
    return Labelled(inner, term.labels)


def correspond(term: Term, other: Term, found: dict[Axis, Term]) -> bool:
    """Whether two terms are alike axis by axis, sizes included; `found` is told which is which."""
    if isinstance(term, Axis) and isinstance(other, Axis):
        found[term] = other
        return term.size == other.size
    if isinstance(term, Reversed) and isinstance(other, Reversed):
        return correspond(term.axis, other.axis, found)
    if isinstance(term, Labelled) and isinstance(other, Labelled):
        found[term.axis] = other.axis
        return term.labels == other.labels
    if isinstance(term, Fused) and isinstance(other, Fused):
        ours, theirs = term.terms, other.terms
    elif isinstance(term, Joined) and isinstance(other, Joined):
        ours, theirs = term.parts, other.parts
    else:
        return False
    return len(ours) == len(theirs) and all(
        correspond(mine, its, found) for mine, its in zip(ours, theirs, strict=True)
    )


def reverse(term: Term) -> Term:
    """The term back to front: a fusion reversed is its terms reversed, each in its place."""
    if isinstance(term, Axis):
        return Reversed(term)
    if isinstance(term, Reversed):
        return term.axis
    if isinstance(term, Fused):
        return Fused(tuple(map(reverse, term.terms)))
    raise LayoutError(f"{term!r} cannot be reversed")


def copy_of(term: Term) -> Term:
    """The same structure over axes of its own."""
    return rebuild(term, {axis: Axis(axis.role, axis.size) for axis in axes_of((term,))})


class Layout(msgspec.Struct, frozen=True):
    """Row-major order of a tensor's axes; equality is identity of axes, order and structure."""

    terms: Terms

    @classmethod
    def of(cls, *terms: Term) -> Layout:
        """A layout of these terms."""
        return cls(terms)

    @classmethod
    def parse(cls, text: str) -> Layout:
        """A layout over fresh axes, from its printed form.

        Raises:
            LayoutError: The text is no layout; the message points at the place.
        """
        from .notation import parse  # the notation builds layouts

        return parse(text)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Extent of each dimension in elements; None where unknown."""
        return tuple(size_of(term) for term in self.terms)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Every axis, in stored order."""
        return tuple(axes_of(self.terms))

    @property
    def keys(self) -> Key:
        """What the layout is made of, whatever the order."""
        return keys(self.terms)

    def __str__(self) -> str:
        from .notation import show

        return show(self.terms)

    def __repr__(self) -> str:
        return f"Layout({str(self)!r})"


def sizes_from(terms: Sequence[Term], shape: Sequence[int]) -> dict[Axis, int]:
    """Sizes of the axes that `terms` leaves open, read off the shape of an array.

    Raises:
        LayoutError: The shape does not fit, or two unknown axes share a dimension.
    """
    misfit = LayoutError(f"shape {tuple(shape)} does not fit layout {Layout(tuple(terms))}")
    if len(shape) != len(terms):
        raise misfit
    found: dict[Axis, int] = {}
    for term, extent in zip(terms, shape, strict=True):
        if size_of(term, found) is None:
            unknown = {a for a in axes_of((term,)) if a.size is None and a not in found}
            if len(unknown) > 1:
                raise LayoutError(f"several sizes are not known in one dimension: {term!r}")
            axis = unknown.pop()
            found[axis] = _solved(term, axis, extent, found)
        if size_of(term, found) != extent:
            raise misfit
    return found


def _solved(term: Term, axis: Axis, extent: int, found: Mapping[Axis, int]) -> int:
    """The one unknown size in a term: its extent is a constant plus a step times that size."""
    constant = size_of(term, {**found, axis: 0}) or 0
    step = (size_of(term, {**found, axis: 1}) or 0) - constant
    return max(0, extent - constant) // step if step else 0
