"""What a command costs before it does anything: small things, each in a process of its own.

    python benchmarks/startup.py [--repeats N]

Medians of the time by the clock and of processor time, and the peak of resident memory. `python`
is an interpreter that does nothing, `numpy and h5py` one that imports what every conversion needs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MODEL = Path(__file__).resolve().parent.parent / "examples" / "theano_cnn.h5"
KERASIR = [sys.executable, "-m", "kerasir"]


class Run(NamedTuple):
    """One process: seconds by the clock, seconds of processor time, bytes resident at most."""

    seconds: float
    cpu: float
    peak: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    print(f"{'':22}{'s':>7}{'cpu s':>7}{'peak MB':>9}")
    with tempfile.TemporaryDirectory(prefix="kerasir-startup-") as folder:
        for title, command in commands(folder).items():
            alone(command)
            runs = [alone(command) for _ in range(repeats)]
            seconds, cpu = (statistics.median(times) for times in list(zip(*runs, strict=True))[:2])
            peak = max(run.peak for run in runs) / 1e6
            print(f"{title:22}{seconds:7.2f}{cpu:7.2f}{peak:9.0f}", flush=True)


def commands(folder: str) -> dict[str, Sequence[str]]:
    """What is timed."""
    target = Path(folder) / "out"
    return {
        "python": [sys.executable, "-c", ""],
        "numpy and h5py": [sys.executable, "-c", "import numpy, h5py"],
        "kerasir --help": [*KERASIR, "--help"],
        "kerasir inspect": [*KERASIR, "inspect", str(MODEL)],
        "kerasir convert, .h5": [*KERASIR, "convert", "--overwrite", str(MODEL), f"{target}.h5"],
        "kerasir convert, .onnx": [
            *KERASIR, "convert", "--overwrite", str(MODEL), f"{target}.onnx",
        ],
        "kerasir verify": [*KERASIR, "verify", str(MODEL), str(MODEL)],
    }  # fmt: skip


def alone(command: Sequence[str]) -> Run:
    """Run one process, its output thrown away."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1 << 10
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)


if __name__ == "__main__":
    main()
