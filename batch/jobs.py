"""Which conversions a batch is made of."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..errors import FormatError, UsageError
from ..targets import SUFFIXES
from ..version import __version__
from .records import Batch, Job

ENDS = (".h5", ".hdf5", ".keras", ".kerasir")
"""Files that are looked for in a folder."""

REPORT = "report.json"
"""Of a batch, in its folder."""


def jobs_of(
    sources: Sequence[str], folder: str, options: Mapping[str, Any], *, pages: bool = False
) -> list[Job]:
    """A job for each source.

    Args:
        sources: Files, and folders that are searched for models.
        folder: Where targets go; sources of one name are kept apart by their folders.
        options: What `convert` takes; `to` says the kind.
        pages: Write a report beside each target.

    Raises:
        UsageError: There is no source, or two would have one target.
    """
    files = [path for source in sources for path in _files(source)]
    files = list(dict.fromkeys(map(os.path.normpath, files)))
    if not files:
        raise UsageError("no model among the sources", hint=f"files that end in {', '.join(ENDS)}")
    end = next((end for end, kind in SUFFIXES.items() if kind == options["to"]), ".h5")
    if options.get("weights_only") and end == ".keras":
        end = ".weights.h5"
    stems = dict(zip(files, _stems(files), strict=True))
    count = Counter(stems.values())
    for path, stem in stems.items():
        if count[stem] > 1:
            alike = [other for other, name in stems.items() if name == stem and other != path]
            raise UsageError(f"it and {alike[0]} would be one target", file=path, hint="rename one")
    known = _known(folder, options)
    return [
        Job(
            src=path,
            dst=os.path.join(folder, stem + end),
            page=os.path.join(folder, stem + ".html") if pages else "",
            options=options,
            known=known.get(path, ""),
        )
        for path, stem in stems.items()
    ]


def _files(source: str) -> Iterator[str]:
    if not os.path.isdir(source):
        yield source
        return
    for folder, folders, names in os.walk(source):
        folders.sort()
        yield from (
            os.path.join(folder, name) for name in sorted(names) if name.lower().endswith(ENDS)
        )


def _stems(files: Sequence[str]) -> list[str]:
    """Names of targets without their end: short ones where these are all unlike."""
    short = [_stem(os.path.basename(path)) for path in files]
    if len(set(short)) == len(short):
        return short
    whole = [os.path.abspath(path) for path in files]
    root = os.path.commonpath([os.path.dirname(path) for path in whole])
    return [_stem(os.path.relpath(path, root)) for path in whole]


def _stem(path: str) -> str:
    stem, _ = os.path.splitext(path)
    return stem.removesuffix(".weights")


def _known(folder: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Sources whose targets an earlier run made in the same way, and their SHA-256."""
    path = os.path.join(folder, REPORT)
    if not os.path.isfile(path):
        return {}
    try:
        before = read_report(path)
    except FormatError:  # it is ours no more: everything is done anew
        return {}
    same = before.version == __version__ and dict(before.options) == plain(options)
    return {one.src: one.sha256 for one in before.files if one.ok and same}


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a report has them."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(options))
    return found


def read_report(path: str) -> Batch:
    """The report of an earlier run.

    Raises:
        FormatError: It is none.
    """
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Batch)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError("no report of a batch", file=path, hint="report.json of one") from error
