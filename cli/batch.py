"""`kerasir batch`: many models, each in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from .. import __version__
from ..errors import UsageError
from . import words
from .batch_lines import Watch, print_batch
from .convert import convert_options, told
from .settings import Settings, document
from .usage import Command, Section

if TYPE_CHECKING:
    from ..batch import Batch, Job, Outcome

ALONE = frozenset({
    "report",
    "dry_run",
    "flattened",
    "rename",
    "shape",
    "expect",
    "external_data",
    "lambda",
})
"""Options of `convert` that are of one file."""
FILES = Section("Files")
DEFAULT = "keras3"
"""The kind of targets if the user does not say."""


def _options() -> list[click.Parameter]:
    return [
        click.Argument(["src"], metavar="SRC...", nargs=-1),
        FILES.value(
            "--out-dir",
            "FOLDER",
            "Where targets, report.json and report.html go; made if need be",
        ),
        FILES.value(
            "--jobs",
            "N",
            "Conversions at a time [as many as processors]",
            click.IntRange(min=1),
        ),
        FILES.value(
            "--scheduler", "ADDRESS", "Run them on a Dask cluster instead: tcp://HOST:PORT"
        ),
        FILES.flag("--reports", "Write a report beside each target, as convert --report does"),
        FILES.value(
            "--retry", "FILE", "Run what failed in an earlier batch again: its report.json"
        ),
        *(option for option in convert_options(DEFAULT) if option.name not in ALONE),
    ]


@click.command(
    cls=Command,
    intro="Convert many models into a folder. SRC are files, or folders that are searched for\n"
    ".h5, .hdf5, .keras and .kerasir. Each is converted in a process of its own: one that fails\n"
    "stops no other. What is up to date is left alone. Exit 1 if any failed.",
    params=_options(),
    examples=[
        ("A folder of old models, eight at a time, checked:",
         "kerasir batch zoo --out-dir new --jobs 8 --verify"),
        ("To ONNX, on a cluster that sees the same files:",
         "kerasir batch zoo/*.h5 --out-dir onnx --to onnx --scheduler tcp://head:8786"),
    ],
)  # fmt: skip
@click.pass_obj
def batch(
    settings: Settings,
    /,
    src: tuple[str, ...],
    out_dir: str | None,
    jobs: int | None,
    scheduler: str | None,
    reports: bool,
    retry: str | None,
    **options: Any,
) -> int:
    """Convert them."""
    from ..batch import jobs_of, run_here, run_on_cluster

    asked = _asked(src, out_dir, retry, options)
    listed = jobs_of(asked.sources, asked.folder, asked.options, pages=reports)
    watch = Watch(settings, listed, proving=bool(asked.options.get("verify")))
    workers = jobs or os.cpu_count() or 1
    if scheduler is not None:
        outcomes = run_on_cluster(listed, scheduler)
    else:
        outcomes = run_here(listed, workers, watch.look if watch.seen else None)
    result, done = _collected(settings, asked, listed, watch.over(outcomes))
    if settings.json:
        settings.document("batch/1", ok=done, body=msgspec.to_builtins(result))
    if not settings.quiet:
        print_batch(settings.err, result, scheduler or words.count(workers, "job"))
    return 0 if done else 1


class _Asked(NamedTuple):
    """What is to be converted, whereto, and what each conversion is told."""

    sources: tuple[str, ...]
    folder: str
    options: Mapping[str, Any]


def _asked(
    src: tuple[str, ...], folder: str | None, retry: str | None, options: Mapping[str, Any]
) -> _Asked:
    """What the command line says, or the report of an earlier batch.

    Raises:
        UsageError: Something is missing, or nothing failed in that batch.
        FormatError: It is no such report.
    """
    from ..batch import plain, read_report

    given = told(options)
    given["to"] = given["to"] or DEFAULT
    if retry is not None:
        before = read_report(retry)
        src = (*src, *(one.src for one in before.files if not one.ok))
        folder, given = folder or before.folder, dict(before.options)
        if not src:
            raise UsageError("nothing failed in it", file=retry, hint="there is nothing to do")
    if folder is None or not src:
        missing = "SRC" if folder is not None else "--out-dir"
        raise UsageError(f"{missing} is missing", hint="kerasir batch --help")
    return _Asked(src, folder, plain(given))


def _collected(
    settings: Settings, asked: _Asked, jobs: Sequence[Job], outcomes: Iterator[Outcome]
) -> tuple[Batch, bool]:
    """Do it all; the report is written however it ends.

    Returns:
        What came of it, and whether all went well.
    """
    from ..batch import Batch

    started = time.perf_counter()
    found: dict[str, Outcome] = {}
    os.makedirs(asked.folder, exist_ok=True)
    try:
        for outcome in outcomes:
            found[outcome.src] = outcome
    finally:
        result = Batch(
            version=__version__,
            folder=asked.folder,
            options=asked.options,
            files=tuple(found[job.src] for job in jobs if job.src in found),
            seconds=time.perf_counter() - started,
        )
        done = len(found) == len(jobs) and all(one.ok for one in found.values())
        _write_reports(result, done)
        if len(found) < len(jobs) and not settings.quiet:
            settings.err.print(f"{len(found):,} of {len(jobs):,} done, then broken off")
    return result, done


def _write_reports(result: Batch, done: bool) -> None:
    from ..arrays import write_text
    from ..batch import REPORT
    from ..pages.index import index_page

    body = msgspec.to_builtins(result)
    text = document("batch/1", ok=done, body=body, indent=2) + "\n"
    write_text(os.path.join(result.folder, REPORT), text, overwrite=True)
    write_text(os.path.join(result.folder, "report.html"), index_page(body), overwrite=True)
