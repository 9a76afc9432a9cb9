"""Arithmetic modulo 2^64 and on bits, drawn for tensors of int64.

Products and sums of int64 wrap round in every runtime that computes them in the processor's own
registers, as ONNX Runtime does; shifts are of numbers without a sign in ONNX (`BitShift`).
"""

from __future__ import annotations

from collections.abc import Sequence

from .dims import Shape
from .draft import Edge
from .emitting import Emitting

Word = Edge | int
"""A tensor, or one number for all, which is computed with here and now."""

ALL = 2**64
BITWISE_SINCE = 18
"""The first opset with operators on bits: ONNX operator BitwiseXor. Before it, each bit is a truth
value of its own."""


class Words:
    """Draws with numbers of 64 bits.

    Attributes:
        at: Where it is drawn.
    """

    def __init__(self, at: Emitting) -> None:
        self.at = at

    def of(self, values: int | Sequence[int], dtype: str = "int64") -> Edge:
        """Numbers modulo 2^64, along a last axis if there are several."""
        listed = [values] if isinstance(values, int) else list(values)
        shape = () if isinstance(values, int) else (len(listed),)
        low = -ALL // 2 if dtype == "int64" else 0
        return self.at.constant([(n - low) % ALL + low for n in listed], dtype, shape, wish="word")

    def tensor(self, x: Word) -> Edge:
        """A number as a tensor."""
        return x if isinstance(x, Edge) else self.of(x)

    def plus(self, a: Word, b: Word) -> Word:
        """The sum."""
        if isinstance(a, int) and isinstance(b, int):
            return (a + b) % ALL
        return self.at.add("Add", self.tensor(a), self.tensor(b))

    def times(self, a: Word, b: Word) -> Word:
        """The product."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b % ALL
        return self.at.add("Mul", self.tensor(a), self.tensor(b))

    def xor(self, a: Word, b: Word) -> Word:
        """Where the bits differ."""
        if isinstance(a, int) and isinstance(b, int):
            return a ^ b
        if self.at.opset >= BITWISE_SINCE:
            return self.at.add("BitwiseXor", self.tensor(a), self.tensor(b))
        differ = self.at.add("Xor", self._bits(self.tensor(a)), self._bits(self.tensor(b)))
        return self.weighed(self.at.cast(differ, "int64"), [1 << n for n in range(64)])

    def weighed(self, a: Edge, weights: Sequence[int]) -> Edge:
        """The sum of products with numbers along the last axis.

        By `MatMul`: ONNX Runtime 1.32 computes a `ReduceSum` of int64 in double precision.
        """
        return self.at.add("MatMul", a, self.of(weights), shape=a.shape[:-1])

    def _bits(self, a: Edge) -> Edge:
        """Each bit as a truth value, along a last axis."""
        words = self.at.unsqueeze(self.at.cast(a, "uint64"), len(a.shape))
        places = self.of(range(64), "uint64")
        moved = self.at.add("BitShift", words, places, direction="RIGHT")
        return self.at.cast(self.at.add("Mod", moved, self.of(2, "uint64")), "bool")

    def left(self, a: Word, count: int) -> Word:
        """The bits moved up, zeros behind."""
        return self.times(a, 1 << count)

    def down(self, a: Word, count: int) -> Word:
        """The bits moved down, zeros before."""
        if isinstance(a, int):
            return a >> count
        bits = self.at.cast(a, "uint64")
        moved = self.at.add("BitShift", bits, self.of(count, "uint64"), direction="RIGHT")
        return self.at.cast(moved, "int64")

    def right(self, a: Word, count: int) -> Word:
        """The bits turned to the right."""
        return self.plus(self.down(a, count), self.left(a, 64 - count))

    def rest(self, a: Word, divisor: int) -> Edge:
        """What remains of a number without a sign."""
        bits = self.at.cast(self.tensor(a), "uint64")
        return self.at.cast(self.at.add("Mod", bits, self.of(divisor, "uint64")), "int64")

    def chosen(self, condition: Edge, a: Word, b: Word) -> Edge:
        """The one where a condition holds, else the other."""
        return self.at.add("Where", condition, self.tensor(a), self.tensor(b), dtype="int64")

    def below(self, a: Word, bound: int) -> Edge:
        """Whether numbers are below a bound, those with a sign below zero."""
        return self.at.add("Less", self.tensor(a), self.of(bound), dtype="bool")


class Text:
    """The decimal digits of numbers and their sign, as bytes along a last axis, the last first.

    Attributes:
        words: How they are drawn.
        size: How many each number has.
    """

    LONGEST = 20

    def __init__(self, words: Words, x: Edge) -> None:
        at, self.words = words.at, words
        self._shape: Shape = x.shape
        tens = words.of([10**n for n in range(self.LONGEST - 1)])
        cut = at.add("Div", at.unsqueeze(x, len(x.shape)), tens)
        tenths = at.add("Mul", at.add("Div", cut, words.of(10)), words.of(10))
        digits = at.add("Abs", at.add("Sub", cut, tenths))  # Mod: inexact in ONNX Runtime 1.18
        behind = at.constant([n > 0 for n in range(self.LONGEST - 1)], "bool", wish="behind")
        beyond = at.add("And", at.add("Equal", cut, words.of(0), dtype="bool"), behind)
        last = len(x.shape)
        count = at.reduce("ReduceSum", at.cast(at.add("Not", beyond), "int64"), [last])
        negative = words.below(x, 0)
        self.size = at.add("Add", count, at.cast(negative, "int64"))
        places = words.of(range(self.LONGEST))
        next_one = at.add("Equal", at.unsqueeze(count, last), places, dtype="bool")
        sign = at.add("And", at.unsqueeze(negative, last), next_one)
        written = words.chosen(beyond, 0, words.plus(digits, ord("0")))
        one = (*x.shape, 1)
        room = at.add("Expand", words.of([0]), at.extents(one, x), shape=one)
        whole = (*x.shape, self.LONGEST)
        held = at.add("Concat", written, room, shape=whole, axis=last)
        self._bytes = words.chosen(sign, ord("-"), held)

    def fetch(self, starts: Word, count: int, *, from_end: bool = False) -> Edge:
        """Bytes from a place on as a number, the least significant first; zeros beyond the text.

        Args:
            starts: Where the first is, the same for all numbers or not.
            count: How many.
            from_end: Whether the last of them is the text's last.
        """
        at, words, last = self.words.at, self.words, len(self._shape)
        if from_end:
            places = words.of(range(count - 1, -1, -1))
        else:
            behind = words.plus(words.times(starts, -1), words.plus(self.size, -1))
            first = at.unsqueeze(words.tensor(behind), last)
            places = at.add("Add", first, words.of(range(0, -count, -1)))
        shape = (*self._shape, count)
        if places.shape != shape:
            places = at.add("Expand", places, at.extents(shape, self.size), shape=shape)
        inside = at.add("Not", words.below(places, 0))
        safe = at.add("Max", places, words.of(0))
        found = at.add("GatherElements", self._bytes, safe, shape=shape, axis=last)
        found = words.chosen(inside, found, 0)
        return words.weighed(found, [1 << 8 * n for n in range(count)])
