"""How fast weights are moved, beside plain copies of as many bytes.

    python benchmarks/copy_plan.py [--dir FOLDER] [--repeats N] [--only TEXT] [--write FILE]

Each case goes from one file to another, in a process of its own. `memcpy` is NumPy's copy from
memory to memory, `cp` the system's copy from file to file; the columns are time ratios to them (1
is as fast), medians of alternating runs with a warm page cache. The peak is resident memory.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measuring import Table, peak_memory

from kerasir.ir.fill import Job, fill
from kerasir.ir.layout import Layout
from kerasir.ir.notation import parse_over
from kerasir.ir.source import Array, FileSource
from kerasir.ir.tensor import Param, Stored, Weight

CONVOLUTIONS = [(64, 3), (64, 64), (128, 64), (128, 128), (256, 128), (256, 256), (256, 256)]
CONVOLUTIONS += [(512, 256)] + [(512, 512)] * 5
VGG16 = [(f"O:{o} I:{i} ~H:3 ~W:3", "H W I O") for o, i in CONVOLUTIONS]
VGG16 += [
    ("(C:512 H:7 W:7) O:4096", "(H W C) O"),
    ("I:4096 O:4096", "I O"),
    ("I:4096 O:1000", "I O"),
]

CASES = {
    "plain Dense": [("I:4096 O:4096", "I O")],
    "conv, Theano to TensorFlow": [("O:512 I:512 ~H:3 ~W:3", "H W I O")],
    "conv, TensorFlow to ONNX": [("H:3 W:3 I:512 O:512", "O I H W")],
    "conv 1x1, Theano to TensorFlow": [("O:1024 I:1024", "I O")],
    "LSTM to ONNX": [("I:1000 (G[i f c o] U:512)", "(G[i o f c] U) I")],
    "Dense rows after Flatten": [("(C:512 H:7 W:7) O:4096", "(H W C) O")],
    "Dense fully transposed": [("I:25088 O:4096", "O I")],
    "VGG16, Theano to TensorFlow": VGG16,
}


class Result(NamedTuple):
    """Medians in seconds, and bytes."""

    seconds: float
    memcpy: float
    cp: float
    nbytes: int
    peak: int


class OneFile:
    """A sink of tensors that follow each other in one file."""

    def __init__(self, fd: int, starts: list[int], itemsize: int) -> None:
        self.fd, self.starts, self.itemsize = fd, starts, itemsize

    def write(self, index: int, start: int, data: Array) -> None:
        """Put numbers in their place."""
        os.pwrite(self.fd, data.data, self.starts[index] + start * self.itemsize)

    def copy_from(self, index: int, start: int, fd: int, offset: int, nbytes: int) -> None:
        """Have the kernel copy bytes to their place."""
        place, end = self.starts[index] + start * self.itemsize, offset + nbytes
        while offset < end:
            done = os.copy_file_range(fd, self.fd, end - offset, offset, place)
            offset, place = offset + done, place + done


def jobs_of(fd: int, cases: list[tuple[str, str]]) -> tuple[list[Job], list[int], int]:
    """A job for each pair of layouts; where its bytes begin; how many there are in all."""
    jobs, starts, end = [], [], 0
    for index, (have, want) in enumerate(cases):
        layout = Layout.parse(have)
        shape = tuple(size or 0 for size in layout.shape)
        source = FileSource(lambda: fd, end, shape, np.dtype(np.float32), "benchmark")
        param = Param(Weight(have, (source,)), (Stored(layout),))
        jobs.append(Job(index, param, parse_over(want, layout.terms), np.float32))
        starts.append(end)
        end += source.nbytes
    return jobs, starts, end


def timed(action: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def measure(folder: Path, cases: list[tuple[str, str]], repeats: int) -> Result:
    """Time one case; memory is read off before the copies to compare with take theirs."""
    source, target = folder / "source.bin", folder / "target.bin"
    with source.open("w+b") as file:
        fd = file.fileno()
        jobs, starts, nbytes = jobs_of(fd, cases)
        block = np.random.default_rng(0).standard_normal(1 << 20, np.float32)
        for start in range(0, nbytes, block.nbytes):
            file.write(block.data.cast("B")[: nbytes - start])
        file.flush()

        def run() -> float:
            target.unlink(missing_ok=True)
            out = os.open(target, os.O_RDWR | os.O_CREAT)
            try:
                return timed(lambda: fill(OneFile(out, starts, 4), jobs))
            finally:
                os.close(out)

        def cp() -> float:
            target.unlink(missing_ok=True)
            return timed(lambda: shutil.copyfile(source, target))

        run()
        peak = peak_memory()
        pairs = [(run(), cp()) for _ in range(repeats)]
    here, there = np.zeros(nbytes, np.uint8), np.ones(nbytes, np.uint8)
    memcpy = statistics.median(timed(lambda: np.copyto(here, there)) for _ in range(repeats))
    seconds, copied = (statistics.median(times) for times in zip(*pairs, strict=True))
    return Result(seconds, memcpy, copied, nbytes, peak)


def main() -> None:
    """Run every case in a process of its own and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--dir", type=Path, help="where the files are made (default: the system's)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="cases with this text in their name")
    parser.add_argument("--write", type=Path, help="replace the table of this document")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        with tempfile.TemporaryDirectory(dir=given.dir) as folder:
            print(*measure(Path(folder), CASES[given.case], given.repeats))
        return
    table = Table("case", "MB", "ms", "GB/s", "memcpy", "cp", "peak memory")
    for name in CASES:
        if given.only not in name:
            continue
        command = [sys.executable, __file__, "--case", name, "--repeats", str(given.repeats)]
        command += ["--dir", str(given.dir)] if given.dir else []
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        result = Result(*map(float, line[:3]), *map(int, line[3:]))
        table.row(
            name,
            f"{result.nbytes / 1e6:.0f}",
            f"{result.seconds * 1e3:.0f}",
            f"{result.nbytes / result.seconds / 1e9:.1f}",
            f"{result.seconds / result.memcpy:.1f}",
            f"{result.seconds / result.cp:.1f}",
            f"{result.peak / 1e6:.0f} MB",
        )
    table.write(given.write, "copy_plan.py")


if __name__ == "__main__":
    main()
