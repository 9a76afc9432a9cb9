"""What a Keras 2 layer is to the oracle: a class name, a config, arrays, a function of positions.

Nothing here knows a layout, a name of an axis, or any code of the package: an axis is its number.
The functions that say what a class means register themselves with `means`, one file per family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Config: TypeAlias = dict[str, Any]
Weights: TypeAlias = Mapping[str, Sequence[Array]]
"""Arrays as Keras stores them, by layer: `dense_1`, or `block_1/dense_1` in a nested model."""

MODELS = ("Model", "Sequential")


class NotModelled(Exception):  # ruff: ignore[error-suffix-on-exception-name] - a limit of the oracle, not a fault of the model
    """The oracle does not know this class, option or backend rule."""


class Value(NamedTuple):
    """What flows on an edge: an array, batch first, and the Keras mask that goes with it."""

    array: Array
    mask: Array | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes without the batch, as Keras' configs count them."""
        return tuple(self.array.shape[1:])


class Layer(NamedTuple):
    """One layer: its config, where its weights are in the store, whose kernels and pads it has."""

    class_name: str
    config: Config
    path: str
    store: Weights
    backend: str
    version: tuple[int, ...] = (2, 2, 4)

    @property
    def arrays(self) -> Sequence[Array]:
        return self.store.get(self.path, ())

    @property
    def channel_axis(self) -> int:
        """Where `data_format` says the channels are; Keras' own default is channels_last."""
        return 1 if self.config.get("data_format") == "channels_first" else -1

    @property
    def theano(self) -> bool:
        return self.backend == "theano"

    def wrapped(self, entry: Config) -> Layer:
        """The layer that a wrapper holds; its weights are the wrapper's own."""
        return self._replace(class_name=entry["class_name"], config=entry["config"])


Meaning: TypeAlias = Callable[..., list[Value]]
MaskRule: TypeAlias = Callable[[Sequence[Array | None]], Array | None]
_MEANINGS: dict[str, Meaning] = {}


def refuse(masks: Sequence[Array | None]) -> Array | None:
    """The class does not support masks: Keras refuses one."""
    if any(mask is not None for mask in masks):
        raise NotModelled("a mask reaches a layer that does not support masks")
    return None


def keep(masks: Sequence[Array | None]) -> Array | None:
    """The mask goes on unchanged."""
    return masks[0]


def both(masks: Sequence[Array | None]) -> Array | None:
    """A step counts if it counts in every input that has a mask (Keras 2.2.4, `_Merge`)."""
    there = [mask for mask in masks if mask is not None]
    return np.logical_and.reduce(there) if there else None


def means(*class_names: str, mask: MaskRule = refuse) -> Callable[..., Callable[..., Array]]:
    """Register `f(layer, *arrays) -> array` as what these classes mean."""

    def register(meaning: Callable[..., Array]) -> Callable[..., Array]:
        def of_values(layer: Layer, *values: Value) -> list[Value]:
            array = meaning(layer, *(value.array for value in values))
            return [Value(array, mask([value.mask for value in values]))]

        _register(class_names, of_values)
        return meaning

    return register


def means_values(*class_names: str) -> Callable[[Meaning], Meaning]:
    """Register `f(layer, *values) -> [value, ...]`: what minds masks, or has several results."""

    def register(meaning: Meaning) -> Meaning:
        _register(class_names, meaning)
        return meaning

    return register


def _register(class_names: Sequence[str], meaning: Meaning) -> None:
    for name in class_names:
        assert name not in _MEANINGS, f"{name} has two meanings"
        _MEANINGS[name] = meaning


def known_classes() -> frozenset[str]:
    """Every class that the oracle can evaluate."""
    return frozenset(_MEANINGS)


def apply(layer: Layer, *values: Value) -> list[Value]:
    """Call a layer.

    Raises:
        NotModelled: its class, or a fused activation, is not one of Keras 2's that we know.
    """
    if layer.class_name not in _MEANINGS:
        raise NotModelled(f"class {layer.class_name}")
    return _MEANINGS[layer.class_name](layer, *values)
