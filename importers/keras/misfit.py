"""What to say of a stored array that does not fit: in which letters, and where it would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from ...eras import storage
from ...errors import WeightError
from ...ir.layout import Axis, Layout, Terms
from ...ir.notation import names_of, show
from ...ir.op import Op
from ...ir.signature import Pattern
from .archive.record import StoredWeight

ORDERINGS: Mapping[storage.Dialect, str] = {
    "keras1_th": "channels_first",
    "keras1_tf": "channels_last",
}
"""What a kernel says of the ordering that it was stored under; later ones are stored alike."""


def misfit(
    stored: StoredWeight,
    place: str,
    class_name: str,
    expected: Layout,
    letters: Mapping[Axis, str] = MappingProxyType({}),
    elsewhere: tuple[str, Layout] | None = None,
) -> WeightError:
    """The error for an array of another shape than the configuration implies.

    Args:
        stored: The array.
        place: Such as `conv1/kernel`.
        class_name: Of the layer.
        expected: Its layout, had it the right shape.
        letters: What axes print as.
        elsewhere: The ordering in which it would fit, and its layout there.
    """
    found = stored.source.shape
    hint = "is it the architecture that these weights were trained with?"
    details = [
        f"expected   {expected.shape}   from the configuration of {class_name}",
        f"found      {found}   at {stored.path}",
    ]
    if elsewhere is not None:
        ordering, layout = elsewhere
        other = next(name for name in ORDERINGS.values() if name != ordering)
        hint = (
            f"the weights are {ordering}, the architecture says {other}: do they belong together?"
        )
        details.append(f"It would fit as {_shown(layout, letters)}.")
    return WeightError(
        f"stored shape {found} does not fit {_shown(expected, letters)}",
        where=place,
        hint=hint,
        details=tuple(details),
    )


def letters_of(op: type[Op], bound: Mapping[str, Sequence[object]]) -> dict[Axis, str]:
    """What the axes of a parameter print as: an op says that its kernel's filters are `O`."""
    return {
        term: op.letters[name]
        for name, terms in bound.items()
        if name in op.letters
        for term in terms
        if isinstance(term, Axis)
    }


def other_ordering(
    op: type[Op],
    port: str,
    terms: Mapping[str, Terms],
    rank: int,
    backend: str,
    shape: Sequence[int],
) -> tuple[str, Layout] | None:
    """The ordering of Keras 1 under which an array of this shape would fit, and its layout."""
    for dialect, ordering in ORDERINGS.items():
        for layout in _layouts(dialect, op, port, terms, rank, backend):
            if layout.shape == tuple(shape):
                return ordering, layout
    return None


def _layouts(
    dialect: storage.Dialect,
    op: type[Op],
    port: str,
    terms: Mapping[str, Terms],
    rank: int,
    backend: str,
) -> Iterator[Layout]:
    if (op.__name__, port) in storage.STORAGE[dialect]:
        for text in storage.pattern(dialect, op.__name__, port, rank=rank, backend=backend):
            yield Layout(Pattern.parse(text).build(terms))


def _shown(layout: Layout, letters: Mapping[Axis, str]) -> str:
    return show(layout.terms, True, names_of(layout.terms, letters))
