"""Random Keras models: mixed data formats, every kind of sharing and nesting, small unequal sizes.

`random_model(seed, size)` is the plain generator; `models()` is the same as a hypothesis strategy,
whose failures shrink. Both are deterministic. A smaller `size` of the same seed is a beginning of
the same graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from random import Random
from typing import TypeVar

import numpy as np
from hypothesis import reject, strategies as st

from . import joins  # ruff: ignore[unused-import] - registers moves
from .builder import Call, Keras, NotAChain, Tensor, calls_behind, chain
from .example import Example
from .layer import MODELS, NotModelled
from .moves import MOVES, Refused, require

T = TypeVar("T")

LARGEST_VALUE = 600
"""Numbers per sample, of any value."""

FREE = frozenset({*MODELS, "InputLayer"})
"""What need not be allowed by name."""


class Generator:
    """Grows one model. Moves use its choices, its values and its ways of adding layers."""

    def __init__(
        self,
        random: Random,
        keras: Keras,
        allowed: Collection[str] | None = None,
        permits: Callable[[Call], bool] | None = None,
        depth: int = 0,
    ) -> None:
        self.random = random
        self.keras = keras
        self.allowed = allowed
        self.permits = permits
        self.depth = depth
        self.chain = False
        self.formats = self.choice([
            ["channels_first"],
            ["channels_last"],
            ["channels_first", "channels_last"],
        ])
        self.inputs: list[Tensor] = []
        self.values: list[Tensor] = []

    @property
    def may_add_inputs(self) -> bool:
        return self.depth == 0 and not self.chain

    def choice(self, items: Iterable[T]) -> T:
        return self.random.choice(list(items))

    def data_format(self) -> str:
        """Of one layer: a model sticks to one, or mixes both."""
        return self.choice(self.formats)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def integer(self, low: int, high: int) -> int:
        """Both ends included."""
        return self.random.randint(low, high)

    def shuffled(self, items: Iterable[T]) -> list[T]:
        found = list(items)
        self.random.shuffle(found)
        return found

    def allow_all(self, classes: Iterable[str]) -> None:
        require(self.allowed is None or set(classes) <= FREE | set(self.allowed))

    def add(self, class_name: str, /, *tensors: Tensor, **config: object) -> Tensor:
        """A new layer, called."""
        self.allow_all([class_name])
        return self.keras(class_name, *tensors, **config)

    def wrap(self, wrapper: str, class_name: str, /, x: Tensor, **config: object) -> Tensor:
        self.allow_all([wrapper, class_name])
        return self.keras.wrapped(wrapper, class_name, **config)(x)

    def child(self) -> Generator:
        """For a nested model; it repeats layer names of the outermost one now and then.

        Never those of another one: Keras itself cannot save two of a name in one group.
        """
        keras = self.keras.child(fresh_names=self.depth == 0 and self.chance(0.2))
        return Generator(self.random, keras, self.allowed, self.permits, self.depth + 1)

    def input_shape(self) -> list[int]:
        """Sizes mostly different; now and then two are the same."""
        rank = self.choice([3, 3, 3, 3, 1, 2, 4])
        shape = self.random.sample([2, 3, 4, 5, 6, 7][: 4 if rank == 4 else 6], rank)
        if rank > 1 and self.chance(0.15):
            shape[0] = shape[-1]
        return self.shuffled(shape)

    def input(self, *shape: int) -> Tensor:
        self.inputs.append(self.keras.input(*shape))
        self.values.append(self.inputs[-1])
        return self.inputs[-1]

    def pick(self) -> Tensor:
        """A value to go on from: mostly a late one, in a chain the last."""
        if self.chain:
            return self.values[-1]
        maps = [value for value in self.values if len(value.shape) > 2]
        if maps and self.chance(0.3):
            return self.choice(maps[-3:])
        return self.choice(self.values[-3:] if self.chance(0.85) else self.values)

    def grow(self, moves: int) -> None:
        """Make so many moves that hold; give up on a graph that refuses too many.

        Raises:
            Refused: nothing but inputs came of it.
        """
        made = 0
        for _ in range(20 * moves):
            try:
                fresh = self.choice(MOVES)(self, self.pick())
                require(fresh and all(sound(tensor) for tensor in fresh))
                require(not self.permits or all(map(self.permits, calls_behind(fresh))))
                require(not self.chain or is_chain(fresh))
            except (Refused, NotModelled, ValueError, FloatingPointError):
                continue
            self.values += [tensor for tensor in fresh if tensor not in self.inputs]
            made += 1
            if made == moves:
                break
        require(len(self.values) > len(self.inputs))

    def example(self, limit: int, *, sequential: bool = False) -> Example:
        """A model of the longest ends of the graph; of a chain a Sequential, if wanted."""
        made = [tensor for tensor in self.values if tensor not in self.inputs]
        used = {id(tensor) for call in calls_behind(made) for tensor in call.inputs}
        ends = [tensor for tensor in made if id(tensor) not in used]
        outputs = sorted(ends, key=lambda end: -len(calls_behind([end])))[:limit]
        if sequential and len(outputs) == 1:
            with suppress(NotAChain):
                return self.keras.sequential(outputs[0])
        inside = [tensor for tensor in made if tensor not in outputs]
        if limit > 1 and inside and self.chance(0.2):
            outputs.append(self.choice(inside))
        return self.keras.model(*outputs)


def is_chain(fresh: list[Tensor]) -> bool:
    try:
        chain(fresh[-1])
    except NotAChain:
        return False
    return True


def sound(tensor: Tensor) -> bool:
    """Whether a value can tell right from wrong: not too large, not vanishing, not constant."""
    array = tensor.value.array
    return (
        0 < tensor.size <= LARGEST_VALUE
        and bool(np.isfinite(array).all())
        and 1e-3 < np.abs(array).max() < 1e3
        and (tensor.size == 1 or float(np.ptp(array)) > 0)
    )


def random_model(
    seed: int,
    size: int = 12,
    *,
    allowed: Collection[str] | None = None,
    permits: Callable[[Call], bool] | None = None,
    sequential: bool = False,
) -> Example:
    """A random model of about `size` layers.

    Args:
        seed: says everything.
        size: moves; one move adds a layer, some a few.
        allowed: the classes that may occur, wrapped and nested ones too; None for all there are.
        permits: which calls may occur, such as those of an era (`keras1.permits`).
        sequential: a chain, as a Sequential.
    """
    generator = Generator(Random(seed), Keras(seed=seed), allowed, permits)
    example = grown(generator, size, sequential=sequential)
    return example._replace(name=f"random_{seed}_{size}")


def grown(generator: Generator, size: int, *, sequential: bool = False) -> Example:
    """A model of `size` moves, from its first input on."""
    generator.chain = sequential
    for _ in range(1 if sequential else generator.choice([1, 1, 1, 2])):
        generator.input(*generator.input_shape())
    generator.grow(size)
    limit = 1 if sequential else generator.choice([1, 1, 2, 4])
    return generator.example(limit, sequential=sequential)


def models(
    min_size: int = 1,
    max_size: int = 14,
    *,
    allowed: Collection[str] | None = None,
    permits: Callable[[Call], bool] | None = None,
    sequential: bool = False,
) -> st.SearchStrategy[Example]:
    """Random models for hypothesis: fails on a large one, reports a small one."""

    def build(random: Random, size: int) -> Example:
        try:
            generator = Generator(random, Keras(), allowed, permits)
            return grown(generator, size, sequential=sequential)
        except Refused:
            reject()

    return st.builds(build, st.randoms(use_true_random=False), st.integers(min_size, max_size))
