"""What a model must be before its layers are translated: of classes and calls that are known."""

from __future__ import annotations

from typing import Any

from ...errors import ConfigError, UnsupportedLayerError
from ...ir.graph import Value
from .call import Given
from .classes import UNKNOWN
from .registry import Translator
from .spec import LayerSpec, ModelSpec, walk

EVERY_CALL: frozenset[str] = frozenset({"training", "mask"})
"""Keyword arguments that any layer may be called with."""


def check_arguments(spec: LayerSpec, translator: Translator, given: Given) -> None:
    """Refuse a call with other arguments than the translator looks at.

    Args:
        spec: The layer.
        translator: Of its class.
        given: What this call gives it.

    Raises:
        ConfigError: There is one.
    """
    least, most = translator.takes
    count = len(given.inputs)
    if count < least or (most is not None and count > most):
        raise ConfigError(f"{spec.class_name} is called with {count} tensors")
    if not _is_mask(given.kwargs.get("mask")):
        raise ConfigError(f"{spec.class_name} is called with a mask that is no tensor")
    unknown = given.but_for(EVERY_CALL | translator.arguments)
    if unknown and not translator.free:
        raise ConfigError(
            f"{spec.class_name} is called with {unknown[0]!r:.80}, which kerasir does not know"
        )


def _is_mask(stated: Any) -> bool:
    """Whether it is a tensor, none, or a list of either, for several inputs."""
    if isinstance(stated, list):
        return all(map(_is_mask, stated))
    return stated is None or isinstance(stated, Value)


def check_supported(model: ModelSpec) -> None:
    """Name every layer of a class of Keras' own that has no translator, all at once.

    An author's class is kept as it is; a class of Keras may do what must not be carried along
    unread, such as loading another file.

    Raises:
        UnsupportedLayerError: There are some.
    """
    unknown: dict[str, list[str]] = {}
    for layer in walk(model):
        if layer.class_name.startswith(UNKNOWN):
            unknown.setdefault(layer.source_class, []).append(layer.name)
    if unknown:
        count = sum(map(len, unknown.values()))
        classes = len(unknown)
        raise UnsupportedLayerError(
            f"no translator for {', '.join(unknown)}"
            if classes <= 3
            else f"no translator for {classes} classes",
            where=f"{count} layer{'s' * (count > 1)}",
            hint="a plugin can say what they compute: --plugin FILE",
            details=[
                *(f"{name}   {', '.join(layers[:3])}" for name, layers in unknown.items()),
                f"It begins with: kerasir ops --template {next(iter(unknown))}",
            ],
        )
