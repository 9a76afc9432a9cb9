"""What the scripts beside share: what a process takes, and tables in documents."""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

KERASIR = (sys.executable, "-m", "kerasir")
UNIT = 1 if sys.platform == "darwin" else 1 << 10
"""Of `ru_maxrss`, in bytes."""


class Run(NamedTuple):
    """One process, or the medians of several.

    Attributes:
        seconds: By the clock.
        cpu: Seconds of processor time, start-up included.
        peak: Bytes resident at most.
    """

    seconds: float
    cpu: float
    peak: int


class CommandError(Exception):
    """A process that ended with an error; the text is the end of what it wrote about it."""


def alone(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run one process to its end, its output thrown away.

    Raises:
        CommandError: It ended with an error.
    """
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(
        launcher, capture_output=True, text=True, env=environment or installed(), check=False
    )
    status, *taken = done.stdout.split() or [str(done.returncode)]
    if status != "0":
        last = done.stderr.strip().splitlines()[-1:] or [f"exit {status}"]
        raise CommandError(last[0][-300:])
    seconds, cpu, peak = map(float, taken)
    return Run(seconds, cpu, int(peak) * UNIT)


LAUNCHER = """
import os, sys, time
begin = time.perf_counter()
nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=nowhere)
_, status, used = os.wait4(child, 0)
seconds = time.perf_counter() - begin
status = os.waitstatus_to_exitcode(status)
print(status, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""Between us and what is measured: a child's peak begins with what its parent has resident."""


def medians(runs: Sequence[Run]) -> Run:
    """Of times; of memory the most."""
    seconds, cpu = (statistics.median(times) for times in list(zip(*runs, strict=True))[:2])
    return Run(seconds, cpu, max(run.peak for run in runs))


def peak_memory() -> int:
    """Bytes that this process had resident at most."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's memory before exec
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


def installed() -> dict[str, str]:
    """An environment in which compiled modules are kept, as of any package that is installed."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Table:
    """A table in Markdown, of which each row is printed as soon as it is known."""

    def __init__(self, *heads: str) -> None:
        self.lines: list[str] = []
        self.row(*heads)
        self.row(*(["---"] * len(heads)))

    def row(self, *cells: object) -> None:
        """Add a row: numbers come as they are to be shown."""
        self.lines.append(f"| {' | '.join(map(str, cells))} |")
        print(self.lines[-1], flush=True)

    def write(self, document: Path | None, script: str) -> None:
        """Put it between the script's marks in a document, if there is one, and where and when."""
        if document is not None:
            replace_table(document, script, "\n".join([where_and_when(), "", *self.lines]))


def read_results(path: Path) -> dict[str, Any]:
    """What earlier runs have left; nothing if there was none."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def where_and_when() -> str:
    """The date and the machine, in a sentence."""
    known = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", known.read_text()) if known.exists() else []
    processor = f" ({' '.join(names[0].split())})" if names else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: {os.cpu_count()} processors{processor}, "
        f"{memory:.0f} GB of memory, Python {platform.python_version()}, NumPy {np.__version__}."
    )


def replace_table(document: Path, script: str, text: str) -> None:
    """Put a table between the marks of a script in a document."""
    begin, end = f"<!-- table of benchmarks/{script} -->", "<!-- end of table -->"
    above, rest = document.read_text().split(begin)
    document.write_text(f"{above}{begin}\n{text}\n{end}{rest.partition(end)[2]}")
