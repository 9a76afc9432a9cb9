"""Views: Flatten, Permute, and a Reshape that only splits or fuses move nothing.

The terms of the result are groups of the atoms of the input, in the order in which those lie.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..ir.layout import Key, Layout, Term, Terms, expand, fuse, key, keys, size_of


def regroup(
    have: Terms, source: Terms, result: Terms, wish: Terms | None = None
) -> tuple[Terms, Terms]:
    """The layout that a view wants of its input and the one its result then has.

    Axes of size one come, where they are wished for, and go; every other atom stays in the order
    in which it lies, unless a term of the result needs atoms that do not lie side by side. What
    has to be moved anyway is moved to where it is wished for; else the terms of the result come as
    their author had them.

    Args:
        have: How the input arrives.
        source: The input's axes as its author had them.
        result: The result's axes as its author had them.
        wish: How those who read the result would like it.
    """
    known = keys(result)
    atoms = [atom for atom in expand(have) if key(atom) <= known]
    place = {k: index for index, atom in enumerate(atoms) for k in key(atom)}
    fits = wish is not None and {key(term) for term in wish} == {key(term) for term in result}
    if wish is not None and fits and _known(wish, place) == atoms:
        return have, wish
    out = [_gathered(term, atoms, place) for term in _placed(result, place)]
    if _known(out, place) == atoms:
        return have, tuple(out)
    if wish is not None and fits:
        out = list(wish)
    else:
        out = [_gathered(term, atoms, place) for term in result]
    want = grouped(_known(out, place), source)
    return (source, result) if want is None else (want, tuple(out))


def _known(terms: Sequence[Term], place: Collection[object]) -> list[Term]:
    """The atoms of terms, without new axes of size one."""
    return [atom for atom in expand(terms) if all(k in place for k in key(atom))]


def grouped(sequence: Sequence[Term], axes: Terms) -> Terms | None:
    """The atoms of `sequence`, in this order, cut into the terms of `axes`.

    Returns:
        None where the atoms of a term are not neighbours.
    """
    known = keys(axes)
    atoms = [atom for atom in sequence if key(atom) <= known]
    have = keys(atoms)
    found: list[Term] = []
    at = 0
    while at < len(atoms):
        term = next(t for t in axes if key(atoms[at]) <= key(t))
        inner = expand((term,))
        count = sum(1 for atom in inner if key(atom) <= have)
        run = atoms[at : at + count]
        if any(not key(atom) <= key(term) for atom in run):
            return None
        found.append(fuse([*run, *(atom for atom in inner if not key(atom) <= have)]))
        at += count
    return (*found, *(term for term in axes if not key(term) & have))


def _placed(result: Terms, place: dict[object, int]) -> list[Term]:
    """The result's terms by where their first atom lies; new units stay behind their neighbour."""
    ranked: list[tuple[int, int, int]] = []
    last = -1
    for index, term in enumerate(result):
        first = min((place[k] for k in key(term) if k in place), default=None)
        if first is None:
            ranked.append((last, 1, index))
        else:
            ranked.append((first, 0, index))
            last = first
    return [result[index] for _, _, index in sorted(ranked)]


def _gathered(term: Term, atoms: Sequence[Term], place: dict[object, int]) -> Term:
    mine: Key = key(term)
    held = [atom for atom in atoms if key(atom) <= mine]
    new = [atom for atom in expand((term,)) if not key(atom) <= place.keys()]
    return fuse([*held, *new])


def is_pure(have: Layout, want: Layout) -> bool:
    """Whether one layout is the other regrouped: the same atoms in the same order, units aside."""
    return _weighty(have) == _weighty(want)


def _weighty(layout: Layout) -> list[Term]:
    return [atom for atom in expand(layout.terms) if size_of(atom) != 1]
