"""Reading an HDF5 file of any era; the part that has to run beside the HDF5 library."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ....errors import FormatError, show
from ..gates import Node, Window, members, open_hdf5
from . import attributes, named, numbered, paths
from .contents import Contents
from .dataset import Extent
from .describe import not_keras
from .sniff import declared_size
from .survey import Survey

KNOWN_ATTRIBUTES = frozenset({
    "keras_version",
    "backend",
    "model_config",
    "training_config",
    "layer_names",
    "nb_layers",
})


class Form(NamedTuple):
    """A way in which files hold weights."""

    recognizes: Callable[[Node, frozenset[str]], bool]
    read: Callable[[Survey, frozenset[str]], Contents]


FORMS = (
    Form(named.recognizes, named.read),
    Form(numbered.recognizes_layers, numbered.read_layers),
    Form(numbered.recognizes_graph, numbered.read_graph),
    Form(paths.recognizes, paths.read),
)


def read_hdf5(fd: int, start: int, size: int) -> Contents:
    """Find everything that a Keras file says, and where its numbers lie.

    Args:
        fd: A descriptor of the file.
        start: Byte at which the HDF5 file begins.
        size: Its size in bytes.

    Raises:
        FormatError: It is no Keras file, is damaged, or breaks a limit.
    """
    window = Window(fd, start, size)
    declared = declared_size(window)
    window.declared = max(size, declared)
    complete = declared <= size
    found: list[Extent] = []
    try:
        contents = _read(window, found, complete=complete)
    except FormatError as error:
        if complete:
            raise
        raise _cut_short(found, declared, size, error.where) from error
    if not complete:
        raise _cut_short(found, declared, size)
    return contents


def _read(window: Window, found: list[Extent], *, complete: bool) -> Contents:
    """Read in whatever form it is, noting in `found` how far that went."""
    root = open_hdf5(window)
    names = frozenset(members(root))
    form = next((form for form in FORMS if form.recognizes(root, names)), None)
    if form is None:
        raise not_keras(root)
    contents = form.read(Survey(root, found, complete=complete), names)
    extra, unread = attributes.others(root, KNOWN_ATTRIBUTES)
    return msgspec.structs.replace(
        contents,
        attributes=extra,
        ignored=(*contents.ignored, *unread),
        start=window.start,
        size=window.size,
    )


def _cut_short(
    found: list[Extent], declared: int, size: int, stopped_at: str | None = None
) -> FormatError:
    """The error for a file that was cut short, with what of it could be read.

    Args:
        found: The weights whose place is known.
        declared: Bytes that the file should have.
        size: Bytes that it has.
        stopped_at: Where reading came to an end; None if every weight was found.
    """
    missing = [extent for extent in found if not extent.within(size)]
    place = missing[0].path if missing else stopped_at or ""
    before = "before this" if place.strip("/").count("/") else "too early"
    readable = len(found) - len(missing)
    told = f"{readable} of {len(found)} weights" if stopped_at is None else f"{readable} weights"
    return FormatError(
        f"the file ends {before}",
        where=show(place) if before == "before this" else "file",
        hint=f"download it again; {declared:,} bytes are declared, {size:,} are there",
        details=(f"Readable: {told}.",),
    )
