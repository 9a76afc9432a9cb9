"""Whether a Reshape only fuses and splits, and into which axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....ir.build import Splits
from ....ir.layout import Axis, Fused, Term, Terms, expand, fuse, size_of


def factor(terms: Terms, target: Sequence[int], splits: Splits) -> Terms | None:
    """The terms of a reshaped value, if every group of extents is one axis split or several fused.

    Walks the atoms of the input and the target extents side by side: several atoms for one
    extent fuse, one atom for several extents is split (a substitution seen everywhere), several
    for several do not factor. Extents of one are free on either side.

    Args:
        terms: The input's terms behind the batch.
        target: Extents wanted; one may be -1 if the input has axes of unknown size.
        splits: Where splits are made, if the whole factors.

    Returns:
        None where it does not factor; then nothing is split.
    """
    if [size_of(term) for term in expand(terms)].count(None) > 1:
        return _around_unknown(terms, target, splits) if target.count(-1) == 1 else None
    groups = _groups([*expand(splits.all(terms))], list(target))
    if groups is None:
        return None
    planned: list[tuple[Axis, Fused]] = []
    found: list[Term] = []
    for atoms, extents in groups:
        if not extents:
            continue  # an axis of size one is gone
        if len(extents) == 1:
            found.append(_fused(atoms) if atoms else Axis("X", extents[0]))
        elif len(atoms) == 1 and isinstance(atoms[0], Axis):
            parts = tuple(Axis(atoms[0].role if n == extents[-1] else "X", n) for n in extents)
            planned.append((atoms[0], Fused(parts)))
            found.extend(parts)
        else:
            return None
    for axis, into in planned:
        splits.split(axis, into)
    return tuple(found)


Part = tuple[list[Term], list[tuple[Axis, Fused]], list[Term]]
"""Terms of a result, splits to make, and atoms that are left."""


def _around_unknown(terms: Terms, target: Sequence[int], splits: Splits) -> Terms | None:
    """The same where several axes of unknown size go into one extent, and known ones lie around.

    What is left of the first and the last axis that is split joins the unknown ones.
    """
    open_at = target.index(-1)
    ends = _taken([*expand(splits.all(terms))], target[:open_at], last=False)
    if ends is None:
        return None
    first, planned, atoms = ends
    ends = _taken(atoms, target[open_at + 1 :][::-1], last=True)
    if ends is None:
        return None
    last, more, atoms = ends
    if not any(size_of(atom) is None for atom in atoms):
        return None
    for axis, into in (*planned, *more):
        splits.split(axis, into)
    return (*first, _fused(atoms), *reversed(last))


def _taken(atoms: list[Term], extents: Sequence[int], *, last: bool) -> Part | None:
    """Atoms from one end for so many extents: each whole ones, or a part of one that is split."""
    found, planned, left = list[Term](), list[tuple[Axis, Fused]](), list(atoms)
    for extent in extents:
        group, have = list[Term](), 1
        while have < extent:
            if not left:
                return None
            atom = left.pop(-1 if last else 0)
            size, missing = size_of(atom), extent // have
            if size is None or extent % have:
                return None
            if size > missing:
                if not isinstance(atom, Axis) or size % missing:
                    return None
                own, rest = Axis(atom.role if last else "X", missing), Axis("X", size // missing)
                rest = rest if last else Axis(atom.role, size // missing)
                planned.append((atom, Fused((rest, own) if last else (own, rest))))
                left.insert(len(left) if last else 0, rest)
                atom, size = own, missing
            group.insert(0 if last else len(group), atom)
            have *= size
        if have != extent:
            return None
        found.append(_fused(group) if group else Axis("X", 1))
    return found, planned, left


def parted(splits: Splits, whole: Term, count: int) -> tuple[Terms, Terms] | None:
    """A term as so many groups and what is in one: each no term, or one.

    Args:
        splits: Where an axis is split, if it has to be.
        whole: The term, of known extent.
        count: How many groups.

    Returns:
        None where the extent has no such groups, or the term is made of others.
    """
    size = size_of(whole)
    if not size or count < 1 or size % count:
        return None
    todo, groups = [*expand(splits.all((whole,)))], list[Term]()
    while count > 1:
        term = todo.pop(0)
        size = size_of(term) or 0
        if count % size == 0:
            groups.append(term)
            count //= size
            continue
        if not isinstance(term, Axis) or size % count:
            return None
        first, rest = Axis("G", count), Axis("C", size // count)
        splits.split(term, fuse((first, rest)))
        groups.append(first)
        todo.insert(0, rest)
        count = 1
    return _together(groups), _together(todo)


def _together(terms: Sequence[Term]) -> Terms:
    return (fuse(terms),) if terms else ()


def _fused(atoms: Sequence[Term]) -> Term:
    """Atoms as one term, without those of size one: they have no positions to tell apart."""
    return fuse([atom for atom in atoms if size_of(atom) != 1] or atoms[:1])


Group = tuple[list[Term], list[int]]


def _groups(atoms: list[Term], target: list[int]) -> list[Group] | None:
    """The shortest runs of atoms and of extents that hold equally many elements."""
    found: list[Group] = []
    while atoms or target:
        if not atoms:
            if target[0] != 1:
                return None
            found.append(([], [target.pop(0)]))
            continue
        if not target:
            if size_of(atoms[0]) != 1:
                return None
            found.append(([atoms.pop(0)], []))
            continue
        if (target[0] == 1) != (size_of(atoms[0]) == 1):  # it comes or goes alone
            alone = ([], [target.pop(0)]) if target[0] == 1 else ([atoms.pop(0)], [])
            found.append(alone)
            continue
        group: Group = ([atoms.pop(0)], [target.pop(0)])
        while not _equal(group):
            if not _grow(group, atoms, target):
                return None
        found.append(group)
    return found


def _equal(group: Group) -> bool:
    sizes = [size_of(atom) for atom in group[0]]
    if None in sizes:  # an unknown extent can only be taken over whole
        return len(sizes) == 1 and group[1] == [-1]
    return -1 not in group[1] and math.prod(n or 0 for n in sizes) == math.prod(group[1])


def _grow(group: Group, atoms: list[Term], target: list[int]) -> bool:
    """Add one atom or one extent to the side that holds less; False if there is none."""
    sizes = [size_of(atom) for atom in group[0]]
    if None in sizes or -1 in group[1]:
        return False
    have, want = math.prod(n or 0 for n in sizes), math.prod(group[1])
    if have == 1 and group[1][-1] != 1 and atoms:
        group[0].append(atoms.pop(0))
    elif want == 1 and target:
        group[1].append(target.pop(0))
    elif have < want:
        if not atoms:
            return False
        group[0].append(atoms.pop(0))
    else:
        if not target:
            return False
        group[1].append(target.pop(0))
    return True
