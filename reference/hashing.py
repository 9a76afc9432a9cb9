"""FarmHash64, SipHash-2-4 and a combination of fingerprints, of many numbers at a time.

Sources: FarmHash 1.1 `farmhash.cc` (`farmhashna::Hash64`, which is `util::Fingerprint64`); Aumasson
and Bernstein, "SipHash: a fast short-input PRF" (2012); TensorFlow 2.21 `platform/fingerprint.h`
(`FingerprintCat64`), `kernels/sparse_cross_op.cc` (`HashCrosser`). All sums and products are modulo
2^64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ir.ops.hashing import Hash, HashCross
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes, elementwise

K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
"""Of FarmHash: primes between 2^63 and 2^64."""
CROSSED, CROSS_SEED = 0xC6A4A7935BD1E995, 0xDECAFCAFFE
"""The factor of combined fingerprints, and the fingerprint that they begin with."""
SIP = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
"""What SipHash's state begins as, before the key."""
LONGEST = 20
"""Characters of a number of 64 bits, its sign included."""


@elementwise(Hash)
def hash_bins(op: Hash, x: Array) -> Array:
    """As Keras 3.15 `Hashing._hash_values_to_bins`: floats are cut to whole numbers first."""
    shares = op.masked is not None and op.bins > 1
    digits, sizes = texts(x.astype(np.int64))
    hashed = farmhash(digits, sizes) if op.key is None else siphash(digits, sizes, op.key)
    found = (hashed % np.uint64(op.bins - shares)).astype(np.int64)
    return np.where(x == op.masked, 0, found + 1) if shares else found


@computes(HashCross)
def hash_cross(op: HashCross, at: Computing) -> Results:
    values = [at.input(place).astype(np.int64).view(np.uint64) for place in range(len(at.arrays))]
    hashed = np.full(values[0].shape, CROSS_SEED, np.uint64)
    for value in values:
        mixed = _mixed(value * np.uint64(CROSSED)) * np.uint64(CROSSED)
        hashed = (hashed ^ np.uint64(CROSSED) ^ mixed) * np.uint64(CROSSED)
        hashed = _mixed(_mixed(hashed) * np.uint64(CROSSED))
    return ((hashed % np.uint64(op.bins)).astype(np.int64),)


def texts(numbers: Array) -> tuple[Array, Array]:
    """The characters of each number as bytes along a last axis, zeros behind, and how many."""
    written = np.ascontiguousarray(numbers).astype(f"S{LONGEST}")
    held = written.view(np.uint8).reshape(*numbers.shape, LONGEST)
    return held, (held != 0).sum(-1)


def farmhash(text: Array, sizes: Array) -> Array:
    """FarmHash64 of 1 to 32 bytes each."""
    size = sizes.astype(np.uint64)
    twice = np.uint64(K2) + np.uint64(2) * size
    few = _few(text, sizes, size)
    some = _folded(size + (_fetch(text, 0 * sizes, 4) << np.uint64(3)),
                   _fetch(text, sizes - 4, 4), twice)  # fmt: skip
    first, last = _fetch(text, 0 * sizes, 8), _fetch(text, sizes - 8, 8)
    return np.select(
        [sizes < 4, sizes < 8, sizes <= 16],
        [few, some, _eight_on(first, last, twice)],
        _seventeen_on(text, sizes, twice, first, last),
    )


def _few(text: Array, sizes: Array, size: Array) -> Array:
    a, b, c = (_fetch(text, place, 1) for place in (0 * sizes, sizes // 2, sizes - 1))
    y, z = a + (b << np.uint64(8)), size + (c << np.uint64(2))
    return _mixed(y * np.uint64(K2) ^ z * np.uint64(K0)) * np.uint64(K2)


def _eight_on(first: Array, last: Array, factor: Array) -> Array:
    a, b = first + np.uint64(K2), last
    c = _right(b, 37) * factor + a
    return _folded(c, (_right(a, 25) + b) * factor, factor)


def _seventeen_on(text: Array, sizes: Array, factor: Array, first: Array, last: Array) -> Array:
    a, b = first * np.uint64(K1), _fetch(text, 0 * sizes + 8, 8)
    c, d = last * factor, _fetch(text, sizes - 16, 8) * np.uint64(K2)
    u = _right(a + b, 43) + _right(c, 30) + d
    return _folded(u, a + _right(b + np.uint64(K2), 18) + c, factor)


def _folded(u: Array, v: Array, factor: Array) -> Array:
    a = _mixed((u ^ v) * factor)
    return _mixed((v ^ a) * factor) * factor


def siphash(text: Array, sizes: Array, key: Sequence[int]) -> Array:
    """SipHash-2-4 of up to 23 bytes each."""
    halves = [np.uint64(half) for half in (*key, *key)]
    v = [np.full(sizes.shape, np.uint64(word) ^ half)
         for word, half in zip(SIP, halves, strict=True)]  # fmt: skip
    for start in range(0, LONGEST, 8):
        rest = _fetch(text, 0 * sizes + start, 8)
        ends = sizes < start + 8
        block = np.where(ends, rest | sizes.astype(np.uint64) << np.uint64(56), rest)
        further = _rounds([*v[:3], v[3] ^ block], 2)
        further[0] ^= block
        v = [np.where(sizes >= start, new, old) for new, old in zip(further, v, strict=True)]
    v[2] ^= np.uint64(0xFF)
    a, b, c, d = _rounds(v, 4)
    return a ^ b ^ c ^ d


def _rounds(v: Sequence[Array], count: int) -> list[Array]:
    a, b, c, d = v
    for _ in range(count):
        a, c = a + b, c + d
        b, d = _right(b, 51) ^ a, _right(d, 48) ^ c
        a, c = _right(a, 32) + d, c + b
        d, b = _right(d, 43) ^ a, _right(b, 47) ^ c
        c = _right(c, 32)
    return [a, b, c, d]


def _fetch(text: Array, starts: Array, count: int) -> Array:
    """Bytes from each start on as a number, the least significant first; zeros beyond the text."""
    found = np.zeros(starts.shape, np.uint64)
    for place in range(count):
        at = starts + place
        inside = (at >= 0) & (at < text.shape[-1])
        picked = np.take_along_axis(text, np.where(inside, at, 0)[..., None], -1)[..., 0]
        found |= np.where(inside, picked, 0).astype(np.uint64) << np.uint64(8 * place)
    return found


def _right(x: Array, count: int) -> Array:
    """The bits turned to the right."""
    turned: Array = x >> np.uint64(count) | x << np.uint64(64 - count)
    return turned


def _mixed(x: Array) -> Array:
    mixed: Array = x ^ x >> np.uint64(47)
    return mixed
