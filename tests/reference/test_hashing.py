"""Hashes of numbers: what genuine Keras gave, and the vector of SipHash's authors."""

from __future__ import annotations

import numpy as np
import pytest
from one_op import everywhere

from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis
from kerasir.ir.op import Op
from kerasir.ir.ops.hashing import Hash, HashCross
from kerasir.reference.hashing import siphash, texts

MANY = 10**9 + 7
NUMBERS = np.array(
    [
        [0, -9, 12, -999, 1234],
        [10**7 - 1, -(10**7), 10**15 - 1, 10**15, -(10**15)],
        [10**16, 2**63 - 1, -(2**63), -(10**17), 7],
    ],
    "int64",
)
"""Texts of every kind of length: to 3, to 7, to 16 characters and more."""

GENUINE = [
    [859788559, 711906403, 906785053, 648924368, 618853028],
    [69813291, 156510386, 490271608, 431451056, 68971620],
    [439616120, 734228218, 754750623, 352028240, 386741321],
]
MASKED = [[2, 5, 0, 2, 5]]
SALTED = [
    [462933209, 476279729, 555947815, 695406051, 843364249],
    [15104851, 516836079, 688378893, 125447818, 213706759],
    [143447655, 451890398, 363115246, 424013107, 381801073],
]
CROSSED = [
    [396480534, 870801348, 828882542, 897881249, 995374152],
    [838125741, 555425291, 244496204, 439009896, 376757780],
    [618809213, 916077827, 410339737, 709269685, 205459548],
]
"""What Keras 3.15 on TensorFlow 2.21 gave: `Hashing(MANY)`, with `salt=[133, 137]`, and
`HashedCrossing(MANY)` with the same numbers, the last row first."""


def gives(op: Op, expected: list[list[int]], *inputs: np.ndarray) -> None:
    builder, axes = Builder(), (Axis("N", None), Axis("X", 5))
    fed = [builder.input(f"x{n}", axes, str(x.dtype)) for n, x in enumerate(inputs)]
    made = builder.add(op, "op", fed, [axes], axes={"...": axes}, dtypes=["int64"])
    for [found] in everywhere(builder.freeze(made.results), inputs):
        np.testing.assert_array_equal(found, np.array(expected))


def test_digits_are_hashed_as_tensorflow_does() -> None:
    gives(Hash(bins=MANY), GENUINE, NUMBERS)


def test_with_a_salt() -> None:
    gives(Hash(bins=MANY, key=(133, 137)), SALTED, NUMBERS)


def test_crossed() -> None:
    gives(HashCross(bins=MANY), CROSSED, NUMBERS, NUMBERS[::-1].copy())


def test_what_is_masked_has_the_first_bin() -> None:
    """Genuine: `Hashing(7, mask_value=12)` of the first row."""
    gives(Hash(bins=7, masked=12), MASKED, NUMBERS[:1])


def test_floats_are_cut() -> None:
    floats = np.array([[0.9, -9.5, 12.1, -999.0, 1234.0]], "float32")
    gives(Hash(bins=MANY), GENUINE[:1], floats)


@pytest.mark.parametrize("number", [0, 7, -7, 10, 2**63 - 1, -(2**63)])
def test_texts_are_as_python_writes_them(number: int) -> None:
    characters, sizes = texts(np.array([number]))
    assert bytes(characters[0, : sizes[0]]).decode() == str(number)
    assert not characters[0, sizes[0] :].any()


def test_siphash_of_its_authors() -> None:
    """Appendix A of "SipHash: a fast short-input PRF"."""
    key = tuple(int.from_bytes(bytes(range(n, n + 8)), "little") for n in (0, 8))
    text = np.array([[*range(15), 0, 0, 0, 0, 0]], np.uint8)
    assert siphash(text, np.array([15]), key) == np.uint64(0xA129CA6149BE45E5)
