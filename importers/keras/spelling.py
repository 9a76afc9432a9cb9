"""Whose words a configuration is in: weights may be of one era and the architecture of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...eras.vocabularies import ERAS, era_of_version
from .archive.record import Archive

LAYERS_LOOKED_AT = 10_000


def spelling(archive: Archive, vocabulary: str) -> str:
    """The vocabulary of an archive's configuration.

    Args:
        archive: What a file holds, or two: its architecture may come from another.
        vocabulary: Of the era that wrote the weights; right for whole models.
    """
    if archive.config is None or (archive.architecture_path is None and archive.content == "model"):
        return vocabulary
    return vocabulary_of(archive.config) or vocabulary


def vocabulary_of(config: Mapping[str, Any]) -> str | None:
    """The vocabulary that a configuration tells by itself: by its version, else by its words."""
    stated = config.get("keras_version")
    era = era_of_version(stated) if isinstance(stated, str) else None
    if era is not None:
        return ERAS[era].vocabulary
    modules = False
    for count, entry in enumerate(_entries(config)):
        if count == LAYERS_LOOKED_AT:
            break
        if _is_keras3(entry):
            return "keras3"
        modules = modules or "module" in entry
    return "tf_keras" if modules else None


def _entries(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entries of layers, those of nested models included."""
    todo: list[Any] = [config]
    while todo:
        entry = todo.pop()
        if not isinstance(entry, Mapping):
            continue
        yield entry
        inner = entry.get("config")
        layers = inner.get("layers") if isinstance(inner, Mapping) else inner
        if isinstance(layers, Sequence) and not isinstance(layers, str):
            todo += layers


def _is_keras3(entry: Mapping[str, Any]) -> bool:
    """Keras 3 alone says `batch_shape`, keeps policies as objects, and calls as dicts."""
    config = entry.get("config")
    if isinstance(config, Mapping):
        dtype = config.get("dtype")
        if isinstance(dtype, Mapping) and str(dtype.get("class_name")).endswith("DTypePolicy"):
            return True
        if entry.get("class_name") == "InputLayer" and "batch_shape" in config:
            return True
    nodes = entry.get("inbound_nodes")
    return isinstance(nodes, Sequence) and any(
        isinstance(node, Mapping) and "args" in node for node in nodes
    )
