"""Vocabularies that lie beside the configuration, in the assets of a `.keras` archive.

A lookup layer that was given its vocabulary has it in its configuration; one that has learnt it
writes it as a text of one word per line, `assets/layers/string_lookup/vocabulary.txt`, by the path
that its group of variables has. Here it becomes part of the configuration as well.

Source: Keras 3.15 `saving/saving_lib.py` (`_save_state`), `layers/preprocessing/index_lookup.py`
(`save_assets`, `load_assets`); tf-keras 2.21 likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ...errors import FormatError
from .match_paths import CONTAINERS, WRAPPED, numbered
from .spec import LayerSpec, ModelSpec

ASSETS, FILE = "assets/", "/vocabulary.txt"
LOOKUPS = frozenset({"IntegerLookup", "StringLookup", "TextVectorization"})
KEPT_EMPTY = frozenset({"tf_keras"})
"""Vocabularies of classes whose reader takes an empty line at the end for a word."""


def with_vocabularies(spec: ModelSpec, assets: Mapping[str, bytes], vocabulary: str) -> ModelSpec:
    """The model with every vocabulary in the configuration of its layer.

    Args:
        spec: The model.
        assets: The members of the archive that are assets.
        vocabulary: Of the file's era.

    Raises:
        FormatError: A vocabulary is no text, or not of whole numbers where those are looked up.
    """
    texts = {
        name.removeprefix(ASSETS).removesuffix(FILE): data
        for name, data in assets.items()
        if name.startswith(ASSETS) and name.endswith(FILE)
    }
    return _model(spec, "", texts, vocabulary) if texts else spec


def _model(spec: ModelSpec, at: str, texts: Mapping[str, bytes], vocabulary: str) -> ModelSpec:
    names = numbered(spec.layers)
    layers = [
        _layer(layer, [f"{at}{own}/{names[layer.name]}" for own in CONTAINERS], texts, vocabulary)
        if layer.name in names
        else layer
        for layer in spec.layers
    ]
    return replace(spec, layers=tuple(layers))


def _layer(
    layer: LayerSpec, paths: list[str], texts: Mapping[str, bytes], vocabulary: str
) -> LayerSpec:
    if layer.model is not None:
        model = layer.model
        for path in paths:
            model = _model(model, f"{path}/", texts, vocabulary)
        return replace(layer, model=model)
    if layer.wrapped is not None:
        inner = _layer(layer.wrapped, [f"{path}/{WRAPPED}" for path in paths], texts, vocabulary)
        return replace(layer, wrapped=inner)
    found = next((path for path in paths if path in texts), None)
    if found is None or layer.class_name not in LOOKUPS or layer.config.get("vocabulary"):
        return layer
    words = _words(texts[found], f"{ASSETS}{found}{FILE}", layer, vocabulary)
    return replace(layer, config={**layer.config, "vocabulary": words})


def _words(data: bytes, where: str, layer: LayerSpec, vocabulary: str) -> list[Any]:
    try:
        text = data.decode()
        lines = text.split("\n") if vocabulary in KEPT_EMPTY else text.splitlines()
        while vocabulary not in KEPT_EMPTY and lines and not lines[-1]:
            lines.pop()
        return [int(line) for line in lines] if layer.class_name == "IntegerLookup" else lines
    except ValueError as error:
        raise FormatError(f"no vocabulary of {layer.name!r:.80}: {error}", where=where) from error
