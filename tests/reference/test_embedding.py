"""Embedding and masks against loops."""

from __future__ import annotations

import numpy as np
import pytest
from one_op import REST, OneOp, numbers

from kerasir.errors import KerasirError
from kerasir.ir.ops.embedding import Embedding, Masking, NotEqual


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_embedding_takes_rows(dtype: str) -> None:
    x, table = np.array([[0, 4, 2], [3, 1, 4]]).astype(dtype), numbers(5, 6)
    y = np.array([[table[int(i)] for i in row] for row in x])
    sizes = {REST: (None, 3), "vocabulary": (5,), "features": (6,)}
    OneOp(Embedding(), sizes, {"embeddings": table}, dtypes=[dtype]).gives(y, of=[x])


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_outside_the_table_is_refused(index: int) -> None:
    sizes = {REST: (None,), "vocabulary": (5,), "features": (6,)}
    one = OneOp(Embedding(), sizes, {"embeddings": numbers(5, 6)}, dtypes=["int32"])
    with pytest.raises(KerasirError, match=f"op: index {index} is not in a table of 5 rows"):
        list(one.run(np.array([0, index, 2])))


@pytest.mark.parametrize("roll", [0, 1])
def test_not_equal(roll: int) -> None:
    x = np.array([[0, 4, 0], [3, 0, 4]])
    y = np.array([[False, True, False], [True, False, True]])
    OneOp(NotEqual(value=0), {REST: (None, 3)}, roll=roll, dtypes=["int32"]).gives(y, of=[x])


@pytest.mark.parametrize("roll", [0, 1, 2])
def test_masking_drops_steps_that_hold_nothing_else(roll: int) -> None:
    x = numbers(2, 3, 4)
    x[0, 1], x[1, 2], x[1, 0, :3] = -2.0, -2.0, -2.0
    mask = np.array([[True, False, True], [True, True, False]])
    y = x.copy()
    y[0, 1] = y[1, 2] = 0
    sizes = {REST: (None, 3), "features": (4,)}
    OneOp(Masking(mask_value=-2.0), sizes, roll=roll).gives(y, mask, of=[x])


def test_masking_compares_in_the_precision_of_the_data() -> None:
    """A step filled with 0.3 in float32 holds another number than 0.3 in float64."""
    x = numbers(2, 3, 4)
    x[0, 1] = np.float32(0.3)
    mask = np.array([[True, False, True], [True, True, True]])
    y = x.copy()
    y[0, 1] = 0
    OneOp(Masking(mask_value=0.3), {REST: (None, 3), "features": (4,)}).gives(y, mask, of=[x])
