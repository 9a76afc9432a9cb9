"""Reading a Keras file of any kind: sniff, read beside the HDF5 library, assemble the record."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from ....errors import FormatError, KerasirError
from ....isolate import Limits, run
from ..gates import MIB, OpenSource, hdf5, open_source
from .architecture import WRITTEN_BY, read_architecture
from .assemble import assemble
from .contents import Contents
from .hdf5 import Remains, cut_short, look_at_remains, read_hdf5, read_shard
from .record import Archive
from .shards import lists_shards, read_shards
from .sniff import declared_size, sniff
from .sources import SpareFile

SECONDS, SECONDS_PER_MIB, MOST_SECONDS = 4, 1, 60
"""Processor time for finding everything in a file. Ten thousand layers take four seconds or so,
in a file of 30 MB."""


class Container(msgspec.Struct, frozen=True):
    """How a kind of file is read.

    Attributes:
        reader: Gives a function of a descriptor, the arguments of `rest`, and nothing else: it may
            run in another process.
        rest: Its further arguments.
        needs_spare: Whether it may have to unpack something.
    """

    reader: Callable[[], Callable[..., Contents]]
    rest: Callable[[OpenSource, int], tuple[int, ...]]
    needs_spare: bool = False


def _of_zip() -> Callable[..., Contents]:
    """The reader of archives: what unpacks them is imported for one alone, and before a fork."""
    from .keras_zip import read_keras_zip

    return read_keras_zip


CONTAINERS = {
    "hdf5": Container(lambda: read_hdf5, lambda source, _: (0, source.size)),
    "zip": Container(_of_zip, lambda source, spare: (source.size, spare), needs_spare=True),
}
"""By what `sniff` says."""
SHARD = {"hdf5": replace(CONTAINERS["hdf5"], reader=lambda: read_shard)}


def read_archive(
    path: str | os.PathLike[str],
    *,
    arch: str | os.PathLike[str] | None = None,
    isolated: bool = True,
    meanwhile: Callable[[], object] | None = None,
) -> Archive:
    """Read a Keras file of any era: the names and places of its weights, none of their numbers.

    Args:
        path: HDF5 (a model, or weights), a `.keras` archive, or a list of shards of weights.
        arch: The architecture of the model: JSON or YAML, or another Keras file that holds one. It
            takes the place of the file's own.
        isolated: Read in a process of its own, so that a malformed file cannot harm this one.
        meanwhile: Called here while that process reads.

    Raises:
        FormatError: It is no Keras file, is damaged, or breaks a limit.
        CrashError: The process that read it died, or used more than it may.
    """
    architecture = None if arch is None else (os.fsdecode(arch), _architecture(arch, isolated))
    with open_source(path) as source:
        try:
            kind = sniff(source)
            if kind == "json" and lists_shards(source):
                return read_shards(source, lambda shard: _one(shard, SHARD, isolated, architecture))
            return _one(source, CONTAINERS, isolated, architecture, meanwhile)
        except KerasirError as error:
            if not error.file:  # else it is of a shard
                error.at("file", file=source.path)
            raise


def _one(
    source: OpenSource,
    containers: Mapping[str, Container],
    isolated: bool,
    architecture: tuple[str, dict[str, Any]] | None,
    meanwhile: Callable[[], object] | None = None,
) -> Archive:
    """Read one file, of any of these kinds."""
    contents, spare = _read(source, sniff(source), containers, isolated, meanwhile)
    return assemble(source, contents, spare, isolated=isolated, architecture=architecture)


def _read(
    source: OpenSource,
    kind: str,
    containers: Mapping[str, Container],
    isolated: bool,
    meanwhile: Callable[[], object] | None,
) -> tuple[Contents, SpareFile | None]:
    container = containers.get(kind)
    if container is None:
        raise _no_weights(source, kind)
    declared = declared_size(source.window()) if kind == "hdf5" else 0
    if declared > source.size:
        raise _cut_short(source, declared, isolated)
    spare = SpareFile() if container.needs_spare else None
    fds = (source.fd, spare()) if spare else (source.fd,)
    read, args = container.reader(), container.rest(source, fds[-1])
    if not isolated:
        return read(source.fd, *args), spare
    hdf5()  # a forked child has it then
    seconds = min(int(SECONDS + SECONDS_PER_MIB * source.size / MIB), MOST_SECONDS)
    limits = Limits(cpu=seconds, wall=60 + 10 * seconds)
    found = run(
        read, source.fd, *args, result=Contents, limits=limits, keep=fds, meanwhile=meanwhile
    )
    return found, spare


def _cut_short(source: OpenSource, declared: int, isolated: bool) -> FormatError:
    """What to say about a file that ends too early; how much is left, if a child can tell."""
    remains = None
    if isolated:
        hdf5()
        limits = Limits(cpu=2, wall=20)
        args = (source.fd, source.size, declared)
        with suppress(FormatError):
            remains = run(look_at_remains, *args, result=Remains, limits=limits, keep=args[:1])
    return cut_short(declared, source.size, remains)


def _no_weights(source: OpenSource, kind: str) -> FormatError:
    """What to say about a text."""
    if kind == "text":
        return FormatError("plain text, not a Keras file")
    if kind in CONTAINERS:
        return FormatError("a .keras archive, where weights in HDF5 are expected")
    return FormatError(
        f"an architecture ({kind.upper()}) without weights",
        hint="give the file of the weights, and this one by --arch",
    )


def _architecture(path: str | os.PathLike[str], isolated: bool) -> dict[str, Any]:
    """The configuration in a file of any kind."""
    with open_source(path) as source:
        try:
            kind = sniff(source)
            listing = kind == "json" and lists_shards(source)
        except KerasirError as error:
            error.at("file", file=source.path)
            raise
    if kind not in CONTAINERS and not listing:
        return read_architecture(path)
    config = None if listing else read_archive(path, isolated=isolated).config
    if config is None:
        raise FormatError(
            "weights only, no architecture",
            file=os.fsdecode(path),
            where="file",
            hint=WRITTEN_BY,
        )
    return config
