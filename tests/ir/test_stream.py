"""The stream against the executor in memory: same numbers, each once, within its budget."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from kerasir.errors import FormatError, LayoutError, WeightError
from kerasir.ir.layout import Layout
from kerasir.ir.notation import parse_over
from kerasir.ir.source import Array, ArraySource, ConstantSource, FileSource, Source
from kerasir.ir.stream import Workspace, plain_range, stream
from kerasir.ir.tensor import Param, Stored, Weight
from kerasir.testing.strategies import layouts, params, structures

Files = Callable[[Array], FileSource]


class Collected:
    """A writer that keeps what it gets, and how often each number came."""

    def __init__(self, count: int, dtype: Any) -> None:
        self.numbers, self.times = np.zeros(count, dtype), np.zeros(count, np.int64)
        self.writes = 0

    def __call__(self, start: int, data: Array) -> None:
        assert data.dtype == self.numbers.dtype
        assert data.flags.c_contiguous
        self.numbers[start : start + data.size] = data
        self.times[start : start + data.size] += 1
        self.writes += 1


def streamed(param: Param, wanted: Layout, dtype: Any, **how: Any) -> Collected:
    collected = Collected(param.weight.count, dtype)
    stream(param, wanted, dtype, collected, **how)
    assert (collected.times == 1).all()
    return collected


def param(source: Source, stored: str) -> tuple[Param, Layout]:
    layout = Layout.parse(stored)
    return Param(Weight("conv/kernel", (source,)), (Stored(layout),)), layout


@pytest.fixture
def on_file(tmp_path: Path) -> Iterator[Files]:
    """Store an array in a file, behind some other bytes."""
    opened: list[int] = []

    def store(array: Array) -> FileSource:
        path = tmp_path / f"{len(opened)}.bin"
        path.write_bytes(b"before." + array.tobytes() + b"after")
        opened.append(os.open(path, os.O_RDONLY))
        fd = opened[-1]
        return FileSource(lambda: fd, 7, array.shape, array.dtype, f"{path}:/kernel")

    yield store
    for fd in opened:
        os.close(fd)


@given(st.data())
def test_agrees_with_the_executor_in_memory(data: st.DataObject) -> None:
    structure = data.draw(structures(sizes=(2, 3, 4, 1)))
    stored, wanted = data.draw(params(structure)), data.draw(layouts(structure))
    chunks = data.draw(st.integers(1, 20))
    dtype = np.dtype(data.draw(st.sampled_from(["f4", "f8", ">f4"])))
    budget = max(1, stored.weight.count * 4 // chunks)
    result = streamed(stored, wanted, dtype, budget=budget)
    np.testing.assert_array_equal(result.numbers, stored.numpy(wanted, dtype).ravel())


@pytest.mark.parametrize("gap", [0, 8, 400])
@pytest.mark.parametrize("wanted", [" ".join(order) for order in permutations("OIHW")])
def test_rows_are_read_apart_and_padded(wanted: str, gap: int) -> None:
    """What happens to large weights only, brought about in a small one."""
    numbers = np.arange(8 * 9 * 10 * 11, dtype=np.float32).reshape(8, 9, 10, 11)
    kernel, have = param(ArraySource(numbers), "O:8 I:9 ~H:10 W:11")
    want = parse_over(wanted, have.terms)
    with patch.multiple("kerasir.ir.blocks", GAP=gap, COLLIDING=4):
        result = streamed(kernel, want, np.float32, budget=16 << 10)
    np.testing.assert_array_equal(result.numbers, kernel.numpy(want).ravel())


@settings(max_examples=30)
@given(st.integers(1, 40), st.sampled_from(["H W I O", "I O H W", "W O (H I)", "O I H W"]))
def test_any_budget_gives_the_same(kib: int, wanted: str) -> None:
    numbers = np.arange(30 * 20 * 3 * 5, dtype=np.float32).reshape(30, 20, 3, 5)
    kernel, have = param(ArraySource(numbers), "O:30 I:20 ~H:3 ~W:5")
    want = parse_over(wanted, have.terms)
    result = streamed(kernel, want, np.float32, budget=kib << 10)
    np.testing.assert_array_equal(result.numbers, kernel.numpy(want).ravel())


def test_powers_of_two_and_rows_longer_than_a_block() -> None:
    numbers = np.arange(1024 * 1024, dtype=np.float32)
    kernel, have = param(ArraySource(numbers), "O:1024 I:1024")
    result = streamed(kernel, parse_over("I O", have.terms), np.float32)
    np.testing.assert_array_equal(result.numbers, numbers.reshape(1024, 1024).T.ravel())


@pytest.mark.parametrize("wanted", ["(H W C) O", "O (C H W)", "(C H W) O"])
def test_memory_stays_within_the_budget(on_file: Files, wanted: str) -> None:
    budget, numbers = 1 << 20, np.arange(16 * 6 * 7 * 3000, dtype=np.float32)
    kernel, have = param(on_file(numbers), "(C:16 H:6 W:7) O:3000")
    want = parse_over(wanted, have.terms)
    expected = kernel.numpy(want).ravel()
    total = 0

    def check(start: int, data: Array) -> None:
        nonlocal total
        assert (data == expected[start : start + data.size]).all()
        total += data.size

    tracemalloc.start()
    stream(kernel, want, np.float32, check, budget=budget)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == numbers.size
    assert peak < budget * 5 // 4 < numbers.nbytes // 4


@pytest.mark.parametrize("dtype", [">f4", "<f8", "<f2"])
def test_stored_numbers_of_any_kind_are_read_from_a_file(on_file: Files, dtype: str) -> None:
    numbers = np.linspace(-3, 3, 24).astype(dtype).reshape(4, 3, 2)
    kernel, have = param(on_file(numbers), "O:4 I:3 H:2")
    result = streamed(kernel, parse_over("H I O", have.terms), np.float32)
    np.testing.assert_array_equal(result.numbers, numbers.T.astype(np.float32).ravel())


def test_a_workspace_serves_one_weight_after_the_other() -> None:
    room = Workspace(4096)
    for shape in ((50, 40), (3, 2), (70, 60)):
        numbers = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
        kernel, have = param(ArraySource(numbers), f"O:{shape[0]} I:{shape[1]}")
        result = streamed(kernel, parse_over("I O", have.terms), np.float32, workspace=room)
        np.testing.assert_array_equal(result.numbers, numbers.T.ravel())


def test_an_empty_weight_is_not_written(on_file: Files) -> None:
    kernel, have = param(on_file(np.zeros((0, 3), np.float32)), "O:0 I:3")
    assert streamed(kernel, parse_over("I O", have.terms), np.float32).writes == 0
    assert kernel.numpy(have).shape == (0, 3)


def test_a_scalar_is_one_number() -> None:
    kernel, have = param(ArraySource(np.array(2.5)), "")
    assert streamed(kernel, have, np.float32).numbers.tolist() == [2.5]
    assert kernel.numpy(have).shape == ()


def test_a_constant_is_as_long_as_it_says() -> None:
    kernel, have = param(ConstantSource(0.5, (3, 4)), "C:3 H:4")
    assert set(streamed(kernel, have, np.float64).numbers) == {0.5}


class TestPlainRange:
    """The bytes of a file that can be handed on as they are."""

    def test_is_the_source(self, on_file: Files) -> None:
        source = on_file(np.arange(12, dtype=np.float32))
        kernel, have = param(source, "(C:2 H:3) O:2")
        assert plain_range(kernel, parse_over("C H O", have.terms), "f4") is source

    @pytest.mark.parametrize(("wanted", "dtype"), [("O (C H)", "<f4"), ("(C H) O", ">f4")])
    def test_is_not_there_if_something_changes(
        self, on_file: Files, wanted: str, dtype: str
    ) -> None:
        kernel, have = param(on_file(np.arange(12, dtype=np.float32)), "(C:2 H:3) O:2")
        assert plain_range(kernel, parse_over(wanted, have.terms), dtype) is None

    def test_is_not_there_for_an_array(self) -> None:
        kernel, have = param(ArraySource(np.arange(6, dtype=np.float32)), "C:2 H:3")
        assert plain_range(kernel, have, np.float32) is None


class TestRefusals:
    def test_a_number_that_does_not_fit_names_the_weight(self) -> None:
        kernel, have = param(ArraySource(np.array([[1.0, 1e300], [2.0, 3.0]])), "I:2 O:2")
        with pytest.raises(WeightError) as caught:
            stream(kernel, parse_over("O I", have.terms), np.float32, lambda start, data: None)
        assert str(caught.value) == (
            "conv/kernel: a number is too large for float32; float64 is stored"
        )
        with pytest.raises(WeightError, match="conv/kernel: a number is too large"):
            kernel.numpy(have, np.float32)

    def test_an_array_of_another_size(self) -> None:
        kernel, have = param(ArraySource(np.zeros((2, 3))), "I:2 O:4")
        with pytest.raises(WeightError) as caught:
            stream(kernel, have, np.float32, lambda start, data: None)
        assert str(caught.value) == (
            "conv/kernel: shape (2, 3) is stored, the layout has 8 numbers"
        )

    @pytest.mark.parametrize("labels", ["if", "iff"])
    def test_gates_that_are_missing_or_there_twice(self, labels: str) -> None:
        wanted = Layout.parse("G[i f c] U:2")
        gate, units = wanted.axes
        stored = tuple(Stored(Layout.of(units), {gate: label}) for label in labels)
        sources = tuple(ArraySource(np.zeros(2)) for _ in labels)
        gates = Param(Weight("lstm/bias", sources), stored)
        message = r"lstm/bias: the stored arrays do not give each number of G\[i f c\] U:2 once"
        with pytest.raises(WeightError, match=message):
            stream(gates, wanted, np.float32, lambda start, data: None)
        with pytest.raises(WeightError, match=message):
            gates.numpy(wanted)

    def test_an_unknown_size(self) -> None:
        kernel, _ = param(ArraySource(np.zeros(2)), "I:2")
        with pytest.raises(LayoutError, match=r"conv/kernel: the size of I:\? is not known here"):
            stream(kernel, Layout.parse("I:?"), np.float32, lambda start, data: None)

    def test_a_file_that_ends_too_early(self, on_file: Files) -> None:
        whole = on_file(np.arange(12, dtype=np.float32))
        longer = FileSource(whole.descriptor, whole.offset, (99,), whole.dtype, "old.h5:/kernel")
        kernel, have = param(longer, "O:99")
        with pytest.raises(FormatError, match=r"old\.h5:/kernel: the file ends before this weight"):
            stream(kernel, have, np.float32, lambda start, data: None)
