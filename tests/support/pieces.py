"""Random tensors, and sinks filled with them in random pieces in random order."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from kerasir.exporters.sink import Sink


class Declared(NamedTuple):
    name: str
    dtype: str
    shape: tuple[int, ...]


def declarations(dtypes: Sequence[str]) -> st.SearchStrategy[list[Declared]]:
    """Up to six tensors of a few bytes to some kilobytes; scalars and empty ones among them."""
    names = st.text("abc0:_é", min_size=1, max_size=5)
    shapes = st.one_of(
        st.lists(st.integers(0, 7), max_size=4).map(tuple),
        st.sampled_from([(), (0,), (3, 0, 2), (1,), (301,), (41, 13)]),
    )
    tensors = st.builds(Declared, names, st.sampled_from(dtypes), shapes)
    return st.lists(tensors, max_size=6, unique_by=lambda each: each.name)


def arrays_of(declared: Sequence[Declared]) -> list[np.ndarray]:
    """Arrays of random bytes, except that a bool is 0 or 1."""
    random = np.random.default_rng(len(declared))
    arrays = []
    for _, dtype, shape in declared:
        kind = np.dtype(dtype)
        raw = random.integers(0, 2 if kind.kind == "b" else 256, (*shape, kind.itemsize), np.uint8)
        arrays.append(raw.view(kind)[..., 0])
    return arrays


def fill_in_pieces(sink: Sink, arrays: Sequence[np.ndarray], draw: Callable[..., Any]) -> None:
    """Write every element once: cut at random, in random order, from memory or from a file."""
    pieces = []
    for index, array in enumerate(arrays):
        cuts = draw(st.lists(st.integers(0, array.size), max_size=3))
        ends = sorted({0, array.size, *cuts})
        pieces += [(index, start, stop) for start, stop in itertools.pairwise(ends)]
    for index, start, stop in draw(st.permutations(pieces)):
        data = np.ascontiguousarray(arrays[index]).reshape(-1)[start:stop]
        if draw(st.booleans()):
            sink.write(index, start, data)
            continue
        with tempfile.TemporaryFile() as file:
            file.write(b"before" + data.tobytes() + b"after")
            file.flush()
            sink.copy_from(index, start, file.fileno(), len(b"before"), data.nbytes)
