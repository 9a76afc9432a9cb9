"""Eras of Keras: how their versions are counted, whose words they use, how they store weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Storage = Literal["keras1", "keras2"]
"""Whose layouts an era's weights have; that of Keras 2 is still the one of Keras 3."""


class EraInfo(msgspec.Struct, frozen=True):
    """One era.

    Attributes:
        vocabulary: Whose names and meanings its configurations use: a key of the tables here.
        storage: Whose layouts its weights have.
        backend: The only backend it has; None where there were several.
        reverses: Whether one of its backends stores kernels back to front.
        said_again: Whether there is a target that says its files again, word for word.
        version: What is read as if it were this one, where no file says its version.
    """

    vocabulary: str
    storage: Storage
    backend: str | None = None
    reverses: bool = True
    said_again: bool = False
    version: str | None = None


ERAS: Mapping[str, EraInfo] = {
    "keras0": EraInfo("keras1", "keras1", version="0.3.3"),
    "keras1": EraInfo("keras1", "keras1"),
    "keras2": EraInfo("keras2", "keras2", said_again=True),
    "tf_keras": EraInfo(
        "tf_keras", "keras2", backend="tensorflow", reverses=False, said_again=True
    ),
    "keras3": EraInfo("keras3", "keras2", reverses=False, said_again=True),
}

FIRST_VERSIONS: tuple[tuple[tuple[int, ...], str], ...] = (
    ((3,), "keras3"),
    ((2, 4), "tf_keras"),
    ((2,), "keras2"),
    ((1,), "keras1"),
    ((0,), "keras0"),
)
"""The first version of each era, latest first. From 2.4 on `keras` is tf.keras under another name
(release notes of Keras 2.4.0)."""

TENSORFLOW_SUFFIX = "-tf"
"""Ends the version that tf.keras gives itself up to TensorFlow 2.2: `2.2.4-tf`."""


def era_of_version(version: str) -> str | None:
    """The era of a version such as `2.2.4` or `2.2.4-tf`; None if it is no version."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if not numbers:
        return None
    if version.endswith(TENSORFLOW_SUFFIX):
        return "tf_keras"
    return next((era for first, era in FIRST_VERSIONS if numbers >= first), None)


def is_since(version: str | None, first: tuple[int, ...]) -> bool:
    """Whether a version is this one or a later one; one that is not known counts as the newest."""
    numbers = tuple(int(part) for part in (version or "").split(".") if part.isdecimal())
    return not numbers or numbers >= first
