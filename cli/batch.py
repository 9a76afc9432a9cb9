"""`kerasir batch`: many models, each in a process of its own."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

from .. import __version__
from ..errors import UsageError
from . import words
from .batch_lines import Watch, print_batch
from .convert import convert_options, told
from .settings import Settings, document
from .usage import Command, Option, Section

if TYPE_CHECKING:
    from ..batch import Outcome

ALONE = frozenset({"report", "dry_run", "flattened", "rename", "shape", "expect", "external_data"})
"""Options of `convert` that are of one file."""
FILES = Section("Files")
DEFAULT = "keras3"
"""The kind of targets if the user does not say."""


def _options() -> list[click.Parameter]:
    shared = [option for option in convert_options() if option.name not in ALONE]
    for option in shared:
        if option.name == "to" and isinstance(option, Option):
            option.help = (option.help or "").replace("from DST's name", DEFAULT)
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
        *shared,
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
    from ..arrays import write_text
    from ..batch import REPORT, Batch, jobs_of, plain, read_report, run_here, run_on_cluster
    from ..pages.index import index_page

    if retry is not None:
        before = read_report(retry)
        src = (*src, *(one.src for one in before.files if not one.ok))
        out_dir, given = out_dir or before.folder, dict(before.options)
        if not src:
            raise UsageError("nothing failed in it", file=retry, hint="there is nothing to do")
    else:
        given = told(options)
        given["to"] = given["to"] or DEFAULT
    if out_dir is None or not src:
        missing = "SRC" if out_dir is not None else "--out-dir"
        raise UsageError(f"{missing} is missing", hint="kerasir batch --help")
    listed = jobs_of(src, out_dir, plain(given), pages=reports)
    started = time.perf_counter()
    workers = jobs or os.cpu_count() or 1
    os.makedirs(out_dir, exist_ok=True)
    watch = Watch(settings, listed, proving=bool(given.get("verify")))
    looking = watch.look if watch.seen else None
    outcomes = (
        run_here(listed, workers, looking)
        if scheduler is None
        else run_on_cluster(listed, scheduler)
    )
    found: dict[str, Outcome] = {}
    try:
        for outcome in watch.over(outcomes):
            found[outcome.src] = outcome
    finally:
        result = Batch(
            version=__version__,
            folder=out_dir,
            options=plain(given),
            files=tuple(found[job.src] for job in listed if job.src in found),
            seconds=time.perf_counter() - started,
        )
        body = msgspec.to_builtins(result)
        ok = len(found) == len(listed) and all(one.ok for one in found.values())
        text = document("batch/1", ok=ok, body=body, indent=2) + "\n"
        write_text(os.path.join(out_dir, REPORT), text, overwrite=True)
        write_text(os.path.join(out_dir, "report.html"), index_page(body), overwrite=True)
        if len(found) < len(listed) and not settings.quiet:
            settings.err.print(f"{len(found):,} of {len(listed):,} done, then broken off")
    if settings.json:
        settings.document("batch/1", ok=ok, body=body)
    if not settings.quiet:
        print_batch(settings.err, result, scheduler or words.count(workers, "job"))
    return 0 if ok else 1
