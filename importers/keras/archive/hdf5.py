"""Reading an HDF5 file of any era; the part that has to run beside the HDF5 library."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ....errors import FormatError
from ..gates import Node, Window, members, open_hdf5
from . import attributes, named, numbered, paths
from .contents import Contents, check_extents, cut_short
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
    if declared <= size:
        return _read(window)
    try:
        contents = _read(window, complete=False)
    except FormatError as error:
        raise cut_short(declared, size) from error
    check_extents(msgspec.structs.replace(contents, declared=declared))
    raise cut_short(declared, size)


def _read(window: Window, *, complete: bool = True) -> Contents:
    root = open_hdf5(window)
    names = frozenset(members(root))
    form = next((form for form in FORMS if form.recognizes(root, names)), None)
    if form is None:
        raise not_keras(root)
    contents = form.read(Survey(root, complete=complete), names)
    extra, unread = attributes.others(root, KNOWN_ATTRIBUTES)
    return msgspec.structs.replace(
        contents,
        attributes=extra,
        ignored=(*contents.ignored, *unread),
        start=window.start,
        size=window.size,
    )
