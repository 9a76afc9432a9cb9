"""A value brought from one layout to another by steps that every framework has.

Weights are moved by `copyplan`; an activation exists only when the model runs, so its way is
emitted as Reshape, Permute and Gather. Its sizes may be unknown: a Reshape is emitted only where
something is fused or split or axes of size one come and go, and what is of unknown size is moved
whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ..errors import LayoutError
from .copyplan import rearrange
from .layout import Axis, Key, Layout, Term, Terms, expand, fuse, key, size_of, substance

Dims = list[tuple[int, ...]]
"""What each dimension is made of: numbers of atoms, none for a dimension of size one."""


class Reshape(msgspec.Struct, frozen=True):
    """The same numbers in the same order under another shape.

    Attributes:
        layout: What comes out.
        shape: Its extents as ONNX's Reshape takes them: 0 is the input's extent at that place,
            -1 (once at most) what remains.
    """

    layout: Layout
    shape: tuple[int, ...]


class Permute(msgspec.Struct, frozen=True):
    """Dimension `i` of the result is dimension `perm[i]` of the input."""

    perm: tuple[int, ...]


class Gather(msgspec.Struct, frozen=True):
    """The positions of one dimension in another order: inside a join, or where it is reversed.

    Attributes:
        axis: The dimension.
        have: The term that it is.
        want: The term that it becomes.
    """

    axis: int
    have: Term
    want: Term

    @property
    def indices(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """For each position of the result, its position in the input."""
        size = size_of(self.have)
        if size is None:
            raise LayoutError(f"cannot reorder {Layout.of(self.have)}: its size is not known")
        positions = np.arange(size, dtype=np.int64)
        return rearrange(positions, Layout.of(self.have), Layout.of(self.want))

    @property
    def is_idle(self) -> bool:
        """Whether every position stays where it is."""
        indices = self.indices
        return bool((indices == np.arange(len(indices))).all())


Step = Reshape | Permute | Gather


def decompose(have: Layout, want: Layout) -> tuple[Step, ...]:
    """The steps from one layout to another; none where nothing has to be done.

    Raises:
        LayoutError: The layouts are not made of the same axes, or a term of unknown size would
            have to be split.
    """
    both = _units(have) & _units(want)
    try:
        return _decompose(have, want, frozenset())
    except _ShapeError:
        if not both:
            raise
    # what a Reshape cannot say, since it has one size to be left open, a Permute can
    return _decompose(have, want, both)


class _ShapeError(LayoutError):
    """More sizes are unknown than a Reshape can leave open."""


def _units(layout: Layout) -> Key:
    """The axes of size one that are dimensions, or parts of fused ones."""
    return frozenset().union(*(key(atom) for atom in expand(layout.terms) if not substance(atom)))


def _decompose(have: Layout, want: Layout, moved: Key) -> tuple[Step, ...]:
    """The steps, where axes of size one come and go, but for those that are to be moved."""
    atoms, start = _numbered(have, moved)
    goal = _matched(want, atoms, moved)
    if goal is None:
        raise LayoutError(f"cannot go from {have} to {want}: they are not made of the same axes")
    before, after = _between(start, goal)
    steps: list[Step] = []
    if before != start:
        steps.append(_reshape(start, before, _layout(before, atoms, have, moved)))
    perm = _perm(before, after)
    if perm != tuple(range(len(perm))):
        steps.append(Permute(perm))
    last = _layout(goal, atoms, want, moved)
    if after != goal:
        steps.append(_reshape(after, goal, last))
    return (*steps, *_gathers(last, want))


def _numbered(layout: Layout, moved: Key) -> tuple[Terms, Dims]:
    """The atoms of a layout, and its dimensions over their numbers."""
    atoms: list[Term] = []
    dims: Dims = []
    for term in layout.terms:
        found = _bare(term, moved)
        dims.append(tuple(range(len(atoms), len(atoms) + len(found))))
        atoms.extend(found)
    return tuple(atoms), dims


def _matched(want: Layout, atoms: Terms, moved: Key) -> Dims | None:
    """The dimensions of `want` over the atoms; None if they are not what it is made of."""
    numbers = {substance(atom) or key(atom): number for number, atom in enumerate(atoms)}
    wanted, dims = _numbered(want, moved)
    found = [numbers.get(substance(atom) or key(atom)) for atom in wanted]
    known = [number for number in found if number is not None]
    if len(known) < len(found) or sorted(known) != list(range(len(atoms))):
        return None
    return [tuple(known[number] for number in dim) for dim in dims]


def _between(start: Dims, goal: Dims) -> tuple[Dims, Dims]:
    """The dimensions before and after the Permute, chosen for the fewest Reshapes.

    Both have the same dimensions in different order. They are cut only where the order changes;
    elsewhere they are either those of the start or those of the goal.
    """
    if _flat(start) == _flat(goal):
        return start, start
    from_start = _cut(start, _flat(goal))
    to_goal = _cut(goal, _flat(start))
    plans = [
        (from_start, _in_order(from_start, goal)),
        (_in_order(to_goal, start), to_goal),
    ]
    return min(plans, key=lambda plan: (plan[0] != start) + (plan[1] != goal))


def _flat(dims: Dims) -> list[int]:
    return [number for dim in dims for number in dim]


def _cut(dims: Dims, order: Sequence[int]) -> Dims:
    """The dimensions, cut between atoms that do not follow each other in `order`."""
    after = dict(itertools.pairwise(order))
    found: Dims = []
    for dim in dims:
        found.append(dim[:1])
        for left, right in itertools.pairwise(dim):
            if after.get(left) == right:
                found[-1] += (right,)
            else:
                found.append((right,))
    return found


def _in_order(dims: Dims, model: Dims) -> Dims:
    """The dimensions in the order of `model`; the same as `model` wherever that is possible.

    Otherwise dimensions of size one stay where they are: one may be the batch.
    """
    order = _flat(model)
    moved = sorted(filter(None, dims), key=lambda dim: order.index(dim[0]))
    if moved == list(filter(None, model)) and dims.count(()) == model.count(()):
        return model
    rest = iter(moved)
    return [next(rest) if dim else () for dim in dims]


def _perm(before: Dims, after: Dims) -> tuple[int, ...]:
    places = {dim: [i for i, d in enumerate(before) if d == dim] for dim in before}
    return tuple(places[dim].pop(0) for dim in after)


def _layout(dims: Dims, atoms: Terms, model: Layout, moved: Key) -> Layout:
    """A layout of the dimensions; those of size one are the model's where it has them too."""
    units = [None if _bare(term, moved) else term for term in model.terms]
    units += [None] * len(dims)
    terms = [
        fuse(atoms[number] for number in dim) if dim else unit or Axis("X", 1)
        for dim, unit in zip(dims, units, strict=False)
    ]
    return Layout(tuple(terms))


def _reshape(before: Dims, after: Dims, layout: Layout) -> Reshape:
    copied = [index < len(before) and before[index] == dim for index, dim in enumerate(after)]
    shape = tuple(
        size or (0 if same else -1) for size, same in zip(layout.shape, copied, strict=True)
    )
    if shape.count(-1) > 1:
        raise _ShapeError(
            f"cannot bring a value to {layout} by a Reshape: "
            "a fused term of unknown size may be moved whole, never split",
            hint="fix the sizes of the model's inputs",
        )
    return Reshape(layout, shape)


def _gathers(have: Layout, want: Layout) -> list[Gather]:
    """What is left when every atom is in its place: the order inside atoms."""
    pairs = enumerate(zip(have.terms, want.terms, strict=True))
    none: Key = frozenset()
    changed = [
        Gather(axis, old, new) for axis, (old, new) in pairs if _bare(old, none) != _bare(new, none)
    ]
    return [gather for gather in changed if not gather.is_idle]


def _bare(term: Term, moved: Key) -> Terms:
    """The term's atoms but for axes of size one that are not to be moved."""
    return tuple(atom for atom in expand((term,)) if substance(atom) or key(atom) <= moved)
