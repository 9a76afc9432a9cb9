"""Whole numbers spread over bins by a hash of what they are written as."""

from __future__ import annotations

from typing import ClassVar

from ..op import op
from .activation import Elementwise
from .merge import Merge


@op
class Hash(Elementwise, frozen=True, kw_only=True):
    """The bin of each number, cut towards zero: the hash of its decimal digits modulo the bins.

    The text is what `str` gives of the number, such as `-17`; its hash is FarmHash64 (the
    fingerprint that never changes), or SipHash-2-4 where there is a key.

    Attributes:
        bins: How many there are, the one for masked numbers included.
        key: The two halves of SipHash's key.
        masked: What goes into bin 0, so that all other numbers share the bins behind it.
    """

    family: ClassVar[str] = "hashing"

    bins: int
    key: tuple[int, int] | None = None
    masked: int | float | None = None


@op
class HashCross(Merge, frozen=True, kw_only=True):
    """The bin of each combination of whole numbers, one of each input.

    Attributes:
        bins: How many there are.
    """

    family: ClassVar[str] = "hashing"

    bins: int
