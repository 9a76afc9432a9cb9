"""Reading an HDF5 file of any era; the part that has to run beside the HDF5 library."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


class Form(msgspec.Struct, frozen=True):
    """A way in which files hold weights."""

    recognizes: Callable[[Node, frozenset[str]], bool]
    read: Callable[[Survey, frozenset[str]], Contents]


FORMS = (
    Form(named.recognizes, named.read),
    Form(numbered.recognizes_layers, numbered.read_layers),
    Form(numbered.recognizes_graph, numbered.read_graph),
    Form(paths.recognizes, paths.read),
)
SHARD = (Form(paths.recognizes_part, paths.read),)


def read_hdf5(fd: int, start: int, size: int, forms: Sequence[Form] = FORMS) -> Contents:
    """Find everything that a Keras file says, and where its numbers lie.

    Args:
        fd: A descriptor of the file.
        start: Byte at which the HDF5 file begins.
        size: Its size in bytes.
        forms: What it may be.

    Raises:
        FormatError: It is no Keras file, is damaged, or breaks a limit.
    """
    window = Window(fd, start, size)
    if (declared := declared_size(window)) > size:
        raise cut_short(declared, size)
    return _read(window, [], complete=True, forms=forms)


def read_shard(fd: int, start: int, size: int) -> Contents:
    """As `read_hdf5`, of a file that holds any part of the weights of Keras 3: none, perhaps."""
    return read_hdf5(fd, start, size, SHARD)


def _read(
    window: Window, found: list[Extent], *, complete: bool, forms: Sequence[Form] = FORMS
) -> Contents:
    """Read in whatever form it is, noting in `found` how far that went."""
    root = open_hdf5(window)
    names = frozenset(members(root))
    form = next((form for form in forms if form.recognizes(root, names)), None)
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


class Remains(msgspec.Struct, frozen=True):
    """What is left of a file that was cut short.

    Attributes:
        place: The first thing that is not there, as far as is known.
        readable: How many weights are.
        count: How many there were; None if that is lost as well.
    """

    place: str
    readable: int
    count: int | None


def look_at_remains(fd: int, size: int, declared: int) -> Remains:
    """See how much of a file is left, with zeros in place of what is missing.

    The library may well loop or crash over them: never call this but in a process of its own.
    """
    found: list[Extent] = []
    stopped_at = None
    try:
        _read(Window(fd, 0, size, declared), found, complete=False)
    except FormatError as error:
        stopped_at = error.where
    missing = [extent for extent in found if not extent.within(size)]
    place = missing[0].path if missing else stopped_at or ""
    count = len(found) if stopped_at is None else None
    return Remains(place, len(found) - len(missing), count)


def cut_short(declared: int, size: int, remains: Remains | None = None) -> FormatError:
    """The error for a file that was cut short, with what of it is left, if that is known."""
    place = remains.place if remains else ""
    known = place.strip("/").count("/") > 0
    details = []
    if remains:
        count = "" if remains.count is None else f" of {remains.count}"
        details = [f"Readable: {remains.readable}{count} weights."]
    return FormatError(
        "the file ends before this dataset" if known else "the file ends too early",
        where=show(place) if known else "file",
        hint=f"download it again; {declared:,} bytes are declared, {size:,} are there",
        details=details,
    )
