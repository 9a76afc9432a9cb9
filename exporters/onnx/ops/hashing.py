"""Hashes of numbers, drawn step by step: ONNX has no operator that hashes.

The formulas are those of FarmHash 1.1 `farmhash.cc` (`farmhashna::Hash64`) for up to 32 bytes,
SipHash-2-4, and TensorFlow 2.21 `platform/fingerprint.h` (`FingerprintCat64`).
"""

from __future__ import annotations

from ....ir.ops.hashing import Hash, HashCross
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits
from ..words import Text, Word, Words

K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
CROSSED, CROSS_SEED = 0xC6A4A7935BD1E995, 0xDECAFCAFFE
SIP = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


@emits(Hash)
def hash_bins(op: Hash, at: Emitting) -> Edge:
    words = Words(at)
    x = at.cast(at.x, "int64")
    text = Text(words, x)
    hashed = _farmhash(words, text) if op.key is None else _siphash(words, text, op.key)
    if op.masked is None or op.bins == 1:
        return words.rest(hashed, op.bins)
    behind = words.plus(words.rest(hashed, op.bins - 1), 1)
    floating = "float" in at.x.dtype
    if not floating and not float(op.masked).is_integer():
        return words.tensor(behind)
    masked = at.constant([float(op.masked) if floating else int(op.masked)], at.x.dtype, ())
    return words.chosen(at.add("Equal", at.x, masked, dtype="bool"), 0, behind)


@emits(HashCross)
def hash_cross(op: HashCross, at: Emitting) -> Edge:
    words = Words(at)
    hashed: Word = CROSS_SEED
    for value in at.present:
        factor = words.times(at.cast(value, "int64"), CROSSED)
        mixed = words.times(_mixed(words, factor), CROSSED)
        hashed = words.times(words.xor(mixed, words.xor(hashed, CROSSED)), CROSSED)
        hashed = _mixed(words, words.times(_mixed(words, hashed), CROSSED))
    return words.rest(hashed, op.bins)


def _farmhash(words: Words, text: Text) -> Word:
    """FarmHash64 by how long the text is, of at most 20 bytes."""
    size = text.size
    factor = words.plus(words.times(size, 2), K2)
    first, last = text.fetch(0, 8), text.fetch(0, 8, from_end=True)
    four = words.plus(words.left(text.fetch(0, 4), 3), size)
    found = _seventeen_on(words, text, factor, first, last)
    for bound, other in (
        (17, _eight_on(words, first, last, factor)),
        (8, _folded(words, four, text.fetch(0, 4, from_end=True), factor)),
        (4, _few(words, text)),
    ):
        found = words.chosen(words.below(size, bound), other, found)
    return found


def _few(words: Words, text: Text) -> Word:
    middle = words.at.add("Div", text.size, words.of(2))
    a, b = text.fetch(0, 1), text.fetch(middle, 1)
    y = words.plus(a, words.left(b, 8))
    z = words.plus(text.size, words.left(text.fetch(0, 1, from_end=True), 2))
    return words.times(_mixed(words, words.xor(words.times(y, K2), words.times(z, K0))), K2)


def _eight_on(words: Words, first: Word, last: Word, factor: Word) -> Word:
    a = words.plus(first, K2)
    c = words.plus(words.times(words.right(last, 37), factor), a)
    d = words.times(words.plus(words.right(a, 25), last), factor)
    return _folded(words, c, d, factor)


def _seventeen_on(words: Words, text: Text, factor: Word, first: Word, last: Word) -> Word:
    a, b = words.times(first, K1), text.fetch(8, 8)
    c = words.times(last, factor)
    d = words.times(text.fetch(words.plus(text.size, -16), 8), K2)
    u = words.plus(words.plus(words.right(words.plus(a, b), 43), words.right(c, 30)), d)
    v = words.plus(words.plus(words.right(words.plus(b, K2), 18), a), c)
    return _folded(words, u, v, factor)


def _folded(words: Words, u: Word, v: Word, factor: Word) -> Word:
    a = _mixed(words, words.times(words.xor(u, v), factor))
    return words.times(_mixed(words, words.times(words.xor(v, a), factor)), factor)


def _mixed(words: Words, x: Word) -> Word:
    return words.xor(x, words.down(x, 47))


def _siphash(words: Words, text: Text, key: tuple[int, int]) -> Word:
    """SipHash-2-4: a block of eight bytes at a time, the last one with the length on top."""
    v: list[Word] = [word ^ half for word, half in zip(SIP, (*key, *key), strict=True)]
    for start in range(0, Text.LONGEST, 8):
        held, block = v, text.fetch(start, 8)
        longer = words.plus(block, words.left(text.size, 56))
        block = words.chosen(words.below(text.size, start + 8), longer, block)
        v = _rounds(words, [*held[:3], words.xor(block, held[3])], 2)
        v[0] = words.xor(v[0], block)
        if start:
            over = words.below(text.size, start)
            v = [words.chosen(over, old, new) for old, new in zip(held, v, strict=True)]
    v[2] = words.xor(v[2], 0xFF)
    a, b, c, d = _rounds(words, v, 4)
    return words.xor(words.xor(a, b), words.xor(c, d))


def _rounds(words: Words, v: list[Word], count: int) -> list[Word]:
    a, b, c, d = v
    for _ in range(count):
        a, c = words.plus(a, b), words.plus(c, d)
        b, d = words.xor(words.right(b, 51), a), words.xor(words.right(d, 48), c)
        a, c = words.plus(words.right(a, 32), d), words.plus(c, b)
        d, b = words.xor(words.right(d, 43), a), words.xor(words.right(b, 47), c)
        c = words.right(c, 32)
    return [a, b, c, d]
