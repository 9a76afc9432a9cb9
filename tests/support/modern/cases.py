"""What a case of a modern Keras is: a function that makes a model, and what to save it as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

BOTH = ("keras", "tf_keras")
NEW = ("keras",)
OLD = ("tf_keras",)


class Kit:
    """What cases are made with: a library, and shorthands.

    Attributes:
        keras: The library.
        L: Its layers.
        ops: Its operations; None in tf-keras.
        new: Whether it is Keras 3.
    """

    def __init__(self, keras: Any) -> None:
        self.keras, self.L, self.new = keras, keras.layers, keras.__name__ == "keras"
        self.ops = getattr(keras, "ops", None)
        self.Input, self.Model, self.Sequential = keras.Input, keras.Model, keras.Sequential
        self._state = np.random.default_rng(11)

    def random(self, shape: tuple[int, ...], scale: float = 1.0) -> np.ndarray:
        """Numbers of both signs."""
        return (scale * self._state.normal(size=shape)).astype("float32")

    def whole(self, shape: tuple[int, ...], below: int, least: int = 0) -> np.ndarray:
        """Whole numbers."""
        return self._state.integers(least, below, shape).astype("int32")

    @staticmethod
    def extent(size: int | None) -> int:
        """The extent to feed along an axis."""
        return 5 if size is None else int(size)


Make = Callable[[Kit], Any]


class Case(NamedTuple):
    """One model.

    Attributes:
        make: Gives a model, or a model and its inputs.
        libraries: Whose case it is.
        containers: What to save it as.
        weights: Whether to save weights and an architecture apart, too.
        shards: Whether to save weights in several files, as well (Keras 3 alone does).
    """

    make: Make
    libraries: tuple[str, ...]
    containers: tuple[str, ...]
    weights: bool
    shards: bool


CASES: dict[str, Case] = {}


def case(
    libraries: tuple[str, ...] = BOTH,
    containers: tuple[str, ...] = ("keras", "h5"),
    *,
    weights: bool = True,
    shards: bool = False,
) -> Callable[[Make], Make]:
    """Register a case under its function's name."""

    def register(make: Make) -> Make:
        CASES[make.__name__] = Case(make, libraries, containers, weights, shards)
        return make

    return register
