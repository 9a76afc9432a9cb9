"""`kerasir batch`: many models, each in a process of its own."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from .. import __version__
from ..errors import UsageError, show
from . import words
from .console import Console
from .convert import convert_options, told
from .progress import Progress
from .settings import Settings, document
from .usage import Command, Option

if TYPE_CHECKING:
    from ..batch import Job, Outcome

ALONE = frozenset({"report", "dry_run", "flattened", "rename", "shape", "expect", "external_data"})
"""Options of `convert` that are of one file."""
SECTION = "Files"
MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "FAIL": ("✗", "red")}
SHOWN = 12
"""Failures that the summary names; the report has all."""


def _options() -> list[click.Parameter]:
    return [
        click.Argument(["src"], metavar="SRC...", nargs=-1),
        Option(
            ["--out-dir"],
            metavar="FOLDER",
            section=SECTION,
            help="Where targets, report.json and report.html go; made if need be",
        ),
        Option(
            ["--jobs"],
            metavar="N",
            type=click.IntRange(min=1),
            section=SECTION,
            help="Conversions at a time [as many as processors]",
        ),
        Option(
            ["--scheduler"],
            metavar="ADDRESS",
            section=SECTION,
            help="Run them on a Dask cluster instead: tcp://HOST:PORT",
        ),
        Option(
            ["--reports"],
            is_flag=True,
            section=SECTION,
            help="Write a report beside each target, as convert --report does",
        ),
        Option(
            ["--retry"],
            metavar="FILE",
            section=SECTION,
            help="Run what failed in an earlier batch again: its report.json",
        ),
        *[option for option in convert_options() if option.name not in ALONE],
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
        given["to"] = given["to"] or "keras2"
    if out_dir is None or not src:
        missing = "SRC" if out_dir is not None else "--out-dir"
        raise UsageError(f"{missing} is missing", hint="kerasir batch --help")
    listed = jobs_of(src, out_dir, plain(given), pages=reports)
    started = time.perf_counter()
    workers = jobs or os.cpu_count() or 1
    outcomes = run_here(listed, workers) if scheduler is None else run_on_cluster(listed, scheduler)
    os.makedirs(out_dir, exist_ok=True)
    watch = _Watch(settings, listed)
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
        _print_summary(settings.err, result.files, result.seconds, out_dir, workers, scheduler)
    return 0 if ok else 1


class _Watch:
    """A line for each file that is done, and below them how far all is."""

    def __init__(self, settings: Settings, jobs: Sequence[Job]) -> None:
        self.settings, self.console = settings, settings.err
        self.sizes = {job.src: _size(job.src) for job in jobs}
        self.wide = min(40, max((len(_name(job.src)) for job in jobs), default=0))

    def over(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """The outcomes, each told as it comes."""
        total, done = sum(self.sizes.values()), 0
        with Progress(self.console, "converting", quiet=self.settings.quiet) as progress:
            for number, outcome in enumerate(outcomes, 1):
                done += self.sizes[outcome.src]
                progress.clear()
                if not self.settings.quiet:
                    self._tell(outcome)
                progress.phase = f"{number:,} of {len(self.sizes):,}"
                progress(done, total)
                yield outcome

    def _tell(self, outcome: Outcome) -> None:
        out, word = self.console, outcome.word
        note = _note(outcome)
        if not out.terminal:
            where = "" if word == "FAIL" else f" -> {words.file(outcome.dst)}"
            took = "" if word == "FAIL" else f" ({_took(outcome)})"
            out.print(
                f"{word} {words.file(outcome.src)}{where}{took}" + (f": {note}" if note else "")
            )
            return
        mark, color = MARKS[word]
        cells = [f"{_name(outcome.src):<{self.wide}}", f"{outcome.source:<24}"]
        cells += [f"{words.size(outcome.read):>10}", f"{_took(outcome):>10}"]
        out.table([[out.paint(mark, color), *cells, note]], cut_last=True)


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _name(path: str) -> str:
    """A file's name, shortened in the middle."""
    name = show(os.path.basename(path))
    return name if len(name) <= 40 else f"{name[:20]}…{name[-19:]}"


def _took(outcome: Outcome) -> str:
    return "up to date" if outcome.skipped else words.duration(outcome.seconds) * outcome.ok


def _note(outcome: Outcome) -> str:
    error = outcome.error
    if error is not None:
        place = f"{error.where}: " if error.where else ""
        return show(f"{place}{error.what}", 300) + (f" ({show(error.hint)})" if error.hint else "")
    told = [*outcome.warnings, *(f"lost: {text}" for text in outcome.lost)]
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return show(told[0], 200) + more if told else ""


def _print_summary(
    console: Console,
    files: Sequence[Outcome],
    seconds: float,
    folder: str,
    workers: int,
    scheduler: str | None,
) -> None:
    count = Counter(one.word for one in files)
    fresh = sum(not one.skipped for one in files if one.ok)
    if not console.terminal:
        told = f"{fresh:,} converted, {count['warn']:,} with warnings, {count['FAIL']:,} failed"
        late = len(files) - fresh - count["FAIL"]
        console.print(told + (f", {late:,} up to date" if late else ""))
        return
    parts = [console.paint(f"✓ {fresh:,} converted", "green")]
    parts += [console.paint(f"! {count['warn']:,} with warnings", "yellow")] * bool(count["warn"])
    parts += [console.paint(f"✗ {count['FAIL']:,} failed", "red")] * bool(count["FAIL"])
    late = sum(one.skipped for one in files)
    parts += [f"· {late:,} up to date"] * bool(late)
    where = scheduler or f"{words.count(workers, 'job')}"
    size = words.size(sum(one.read for one in files))
    console.print()
    console.print("   ".join(parts) + f"      {size} in {words.duration(seconds)}, {where}")
    failed = [one for one in files if not one.ok]
    if failed:
        console.print()
        rows = [[console.paint("✗", "red"), _name(one.src), _note(one)] for one in failed[:SHOWN]]
        console.table(rows, cut_last=True)
        if len(failed) > SHOWN:
            console.print(f"  … {len(failed) - SHOWN:,} more in the report")
    assumed = Counter(text for one in files for text in one.assumed)
    console.print()
    if assumed:
        many = words.count(sum(bool(one.assumed) for one in files), "file")
        text, _ = assumed.most_common(1)[0]
        console.print(f"  assumed   something in {many}: {show(text, 100)}")
    pages = (os.path.join(folder, name) for name in ("report.html", "report.json"))
    console.print(f"  report    {', '.join(map(words.file, pages))}")
    if failed:
        again = f"kerasir batch --retry {words.file(os.path.join(folder, 'report.json'))}"
        console.print(f"  again     {console.paint(again, 'cyan')}")
