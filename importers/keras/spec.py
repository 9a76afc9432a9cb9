"""A model's architecture in one form, whatever its era wrote: layers, calls, references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

SEEN_THROUGH = frozenset({"SpectralNormalization"})
"""Wrappers that at inference compute what the layer inside computes, under their own name."""


class Ref(msgspec.Struct, frozen=True):
    """A tensor: a result of one call of a layer.

    Attributes:
        layer: The layer's name.
        call: Which call, from 0 in the model that the reference stands in.
        tensor: Which of the call's results.
    """

    layer: str
    call: int = 0
    tensor: int = 0


class Call(msgspec.Struct, frozen=True):
    """One call of a layer.

    Attributes:
        inputs: The tensors among its positional arguments, in order.
        kwargs: Its keyword arguments, with a `Ref` for each tensor.
        args: Its positional arguments whole, where they are more than tensors.
        gives: The shape of its first result, the batch first, where the file says it.
    """

    inputs: tuple[Ref, ...] = ()
    kwargs: Mapping[str, Any] = {}
    args: tuple[Any, ...] = ()
    gives: tuple[int | None, ...] | None = None

    @property
    def needs(self) -> tuple[Ref, ...]:
        """Every tensor that the call reads."""
        return (*self.inputs, *refs_in(self.kwargs))


def refs_in(value: Any) -> Iterator[Ref]:
    """The tensors in a nest of lists and dicts; a dict's in the order of its sorted keys.

    Source: Keras 3 `tree.flatten`, TensorFlow `tf.nest.flatten`, which sort dicts.
    """
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from refs_in(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from refs_in(item)


def replaced(value: Any, values: Mapping[Ref, Any]) -> Any:
    """The same nest with what stands for each tensor."""
    if isinstance(value, Ref):
        return values[value]
    if isinstance(value, Mapping):
        return {key: replaced(item, values) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [replaced(item, values) for item in value]
    return value


class LayerSpec(msgspec.Struct, frozen=True, eq=False):
    """One layer.

    Attributes:
        name: Unique in its model.
        class_name: In the vocabulary of Keras 2.
        source_class: As stored.
        config: In the vocabulary of Keras 2; a nested model's without its layers.
        calls: Each time the layer is called.
        model: The model, if the layer is one.
        wrapped: The layer inside, if this one is a wrapper such as TimeDistributed.
        named: Whether the file says what it is called.
    """

    name: str
    class_name: str
    source_class: str
    config: Mapping[str, Any]
    calls: tuple[Call, ...] = ()
    model: ModelSpec | None = None
    wrapped: LayerSpec | None = None
    named: bool = True

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer's trainable weights."""
        return bool(self.config.get("trainable", True))


class ModelSpec(msgspec.Struct, frozen=True, eq=False):
    """A model: layers, and which tensors are its inputs and outputs.

    Attributes:
        extra: What the stored config says of the model beyond these fields.
    """

    name: str
    kind: Literal["sequential", "functional", "subclassed"]
    layers: tuple[LayerSpec, ...]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    extra: Mapping[str, Any] = {}


Path = tuple[str, ...]


def leaves(spec: LayerSpec, path: Path = ()) -> Iterator[tuple[Path, LayerSpec]]:
    """The layers that hold weights themselves, with their paths, in the model's order."""
    here = (*path, spec.name)
    if spec.model is not None:
        for layer in spec.model.layers:
            yield from leaves(layer, here)
    elif spec.wrapped is not None:
        yield from leaves(spec.wrapped, here)
    else:
        yield here, spec


def walk(model: ModelSpec) -> Iterator[LayerSpec]:
    """Every layer of a model, those of nested models and inside wrappers included."""
    for layer in model.layers:
        for _, leaf in leaves(layer):
            yield leaf
