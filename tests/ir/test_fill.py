"""Filling a sink: every weight where it belongs, plain bytes without a detour."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from kerasir.errors import LayoutError, WeightError
from kerasir.ir import fill as filling
from kerasir.ir.fill import Job, fill
from kerasir.ir.layout import Layout
from kerasir.ir.notation import parse_over
from kerasir.ir.source import Array, ArraySource, FileSource, Source
from kerasir.ir.tensor import Param, Stored, Weight


class Memory:
    """A sink of arrays that notes which way each tensor came."""

    def __init__(self, *tensors: Array) -> None:
        self.tensors = tensors
        self.ways: list[tuple[int, str]] = []

    def write(self, index: int, start: int, data: Array) -> None:
        self.tensors[index].reshape(-1)[start : start + data.size] = data
        self.ways.append((index, "written"))

    def copy_from(self, index: int, start: int, fd: int, offset: int, nbytes: int) -> None:
        target = self.tensors[index]
        data = np.frombuffer(os.pread(fd, nbytes, offset), target.dtype)
        target.reshape(-1)[start : start + data.size] = data
        self.ways.append((index, "copied"))


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[FileSource]:
    """24 numbers in a file."""
    path = tmp_path / "numbers.bin"
    path.write_bytes(b"head" + np.arange(24, dtype="<f4").tobytes())
    fd = os.open(path, os.O_RDONLY)
    yield FileSource(lambda: fd, 4, (24,), np.dtype("<f4"), "numbers.bin")
    os.close(fd)


def job(index: int, source: Source, have: str, want: str, dtype: str = "<f4") -> Job:
    layout = Layout.parse(have)
    param = Param(Weight(f"layer/weight{index}", (source,)), (Stored(layout),))
    return Job(index, param, parse_over(want, layout.terms), dtype)


def test_each_weight_goes_the_shortest_way(stored: FileSource) -> None:
    sink = Memory(np.zeros(24, "<f4"), np.zeros((3, 4, 2), "<f4"), np.zeros(24), np.zeros(2, "<f4"))
    told: list[int] = []
    fill(
        sink,
        [
            job(0, stored, "O:2 I:4 H:3", "O I H"),
            job(1, stored, "O:2 I:4 H:3", "H I O"),
            job(2, stored, "O:2 I:4 H:3", "O I H", "<f8"),
            job(3, ArraySource(np.array([5, 6], "<f4")), "O:2", "O"),
        ],
        progress=told.append,
    )
    numbers = np.arange(24).reshape(2, 4, 3)
    np.testing.assert_array_equal(sink.tensors[0], numbers.ravel())
    np.testing.assert_array_equal(sink.tensors[1], numbers.T)
    np.testing.assert_array_equal(sink.tensors[2], numbers.ravel())
    np.testing.assert_array_equal(sink.tensors[3], [5, 6])
    assert sink.ways == [(0, "copied"), (1, "written"), (2, "written"), (3, "written")]
    assert told == [96, 192, 384, 392]


def test_progress_is_told_after_each_chunk(stored: FileSource) -> None:
    told: list[int] = []
    sink = Memory(np.zeros((3, 4, 2), "<f4"))
    fill(sink, [job(0, stored, "O:2 I:4 H:3", "H I O")], budget=64, progress=told.append)
    assert told == [48, 96]


def test_no_jobs_are_no_work() -> None:
    fill(Memory(), [])


def test_what_fails_names_the_weight(stored: FileSource) -> None:
    with pytest.raises(WeightError, match=r"layer/weight0: shape \(24,\) is stored"):
        fill(Memory(np.zeros(5)), [job(0, stored, "O:5", "O")])
    other = msgspec.structs.replace(job(0, stored, "O:24", "O"), wanted=Layout.parse("O:24"))
    with pytest.raises(LayoutError, match="layer/weight0: cannot go from O:24 to O:24"):
        fill(Memory(np.zeros(24)), [other])


def laid_out(count: int, source: FileSource) -> tuple[list[Job], list[Array], list[Array]]:
    """Jobs of every kind, room for what they give, and what that is to be."""
    rng = np.random.default_rng(7)
    jobs, room, expected = [], [], []
    for index in range(count):
        numbers = rng.standard_normal((2, 4, 3)).astype("<f4")
        want = ("O I H", "H I O")[index % 2]
        held: Source = ArraySource(numbers)
        if index % 3 == 0:
            numbers, held = np.arange(24, dtype="<f4").reshape(2, 4, 3), source
        jobs.append(job(index, held, "O:2 I:4 H:3", want))
        expected.append(numbers if want == "O I H" else numbers.T)
        room.append(np.zeros(expected[-1].shape, "<f4"))
    return jobs, room, expected


@pytest.mark.parametrize("share", [8, 56, 400])
def test_threads_write_what_one_thread_does(
    stored: FileSource, monkeypatch: pytest.MonkeyPatch, share: int
) -> None:
    """Shares that end within a weight, and shares of many weights."""
    monkeypatch.setattr(filling, "SHARE", share)
    monkeypatch.setattr(filling, "_processors", lambda: 3)
    jobs, room, expected = laid_out(29, stored)
    told: list[int] = []
    fill(Memory(*room), jobs, budget=1024, progress=told.append)
    for got, wanted in zip(room, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert told == sorted(told)
    assert told[-1] == 29 * 96


def test_a_failure_in_a_thread_ends_the_others(
    stored: FileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "SHARE", 96)
    monkeypatch.setattr(filling, "_processors", lambda: 2)
    jobs, room, _ = laid_out(40, stored)
    jobs[3] = job(3, ArraySource(np.array([0.0, 1e300])), "O:2", "O")
    with pytest.raises(WeightError, match="layer/weight3: "):
        fill(Memory(*room), jobs)
    assert not any(thread.name.startswith("kerasir-fill") for thread in threading.enumerate())
