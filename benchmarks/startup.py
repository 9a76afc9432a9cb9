"""What a command costs before it does anything: small things, each in a process of its own.

    python benchmarks/startup.py [--repeats N] [--write docs/performance.md]

Medians of the time by the clock and of processor time, and the peak of resident memory. `python`
is an interpreter that does nothing, `numpy and h5py` one that imports what every conversion needs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measuring import KERASIR, Table, alone, medians

MODEL = Path(__file__).resolve().parent.parent / "examples" / "theano_cnn.h5"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--write", type=Path, help="replace the table of this document")
    given = parser.parse_args()
    table = Table("", "s", "cpu s", "peak memory")
    with tempfile.TemporaryDirectory(prefix="kerasir-startup-") as folder:
        for title, command in commands(folder).items():
            alone(command)
            run = medians([alone(command) for _ in range(given.repeats)])
            table.row(title, f"{run.seconds:.2f}", f"{run.cpu:.2f}", f"{run.peak / 1e6:.0f} MB")
    table.write(given.write, "startup.py")


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


if __name__ == "__main__":
    main()
