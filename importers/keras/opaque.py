"""Layers that kerasir does not compute: kept bit for bit, with every order pinned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...errors import ConfigError
from ...ir.build import Builder
from ...ir.graph import Layer, Value
from ...ir.layout import Axis, Layout, Terms, size_of
from ...ir.ops.opaque import Opaque
from ...ir.report import Report
from ...ir.tensor import Param, Stored, Weight
from .archive.record import StoredWeight
from .unsaid import Unsaid, key_of

CODE_CLASSES = frozenset({"Lambda"})

FIX = "--lambda can say {}"


class Told(msgspec.Struct, frozen=True):
    """An extent, and the layer whose weights tell it."""

    features: int
    by: str


def lift_opaque(
    builder: Builder,
    layer: Layer,
    inputs: Sequence[Value],
    stored: Mapping[str, StoredWeight],
    shared: dict[str, Weight],
    report: Report,
    gives: Sequence[int | None] | None = None,
    width: Told | None = None,
    unsaid: Unsaid | None = None,
) -> Sequence[Value]:
    """One opaque node.

    Where nothing says its result's shape, it is taken to have its first input's, unless something
    else has been learnt of it; that is told.

    Args:
        builder: The graph so far.
        layer: The layer.
        inputs: What it is given.
        stored: Its arrays, by slot.
        shared: The weights of its earlier calls.
        report: Where to tell of it.
        gives: Its result's shape, the batch first, where the file says it.
        width: Where nothing says it: the last extent, by the weights of what reads the result.
        unsaid: What is known of shapes that nothing says; is told of this one.

    Raises:
        ConfigError: It has no input.
    """
    if not inputs:
        raise ConfigError(f"a layer of unknown class {layer.source_class} without an input")
    params, axes = {}, {}
    for slot, array in stored.items():
        own = tuple(Axis("X", extent) for extent in array.source.shape)
        if slot not in shared:
            shared[slot] = Weight(
                f"{layer.name}/{slot}", (array.source,), stored_names=(array.name,)
            )
        params[slot] = Param(shared[slot], (Stored(Layout(own)),))
        axes[slot] = own
    unsaid = unsaid or Unsaid()
    first, key = builder.axes(inputs[0]), key_of(layer)
    terms, shape = _said(layer, first, gives)
    result, guess = (terms, "") if terms else _guessed(layer, first, width, unsaid)
    kept = key in unsaid.kept
    class_name = layer.class_name if kept else layer.source_class
    code = layer.source_class in CODE_CLASSES or layer.config.get("mode_type", "raw") != "raw"
    report.add(
        "KS101" if code else "KE401",
        "assumed",
        f"{layer.name} ({layer.source_class}) is kept as it is, not computed; {guess or shape}",
        layer=layer.name,
        level="warning",
        fix=FIX.format("what is before it computes" if kept else "what it computes")
        if code or kept
        else "a plugin can say what it computes",
    )
    node = builder.add(
        Opaque(layer_class=class_name, has_code=code),
        layer.name,
        inputs,
        [result],
        axes=axes,
        params=params,
        layer=layer,
    )
    if guess:
        unsaid.guessed(layer, node.result)
    return [node.result]


def _said(
    layer: Layer, first: Terms, gives: Sequence[int | None] | None
) -> tuple[Terms | None, str]:
    """The terms of a result whose shape the file says, and in words what they are taken from."""
    stated = _stated_shape(layer.config)
    sizes = [size_of(term) for term in first[1:]]
    if stated is None and gives and (list(gives[1:]) != sizes or len(gives) == 1):
        stated = gives[1:]
    if stated is None:
        return None, ""
    terms = (first[0], *(Axis("X", extent) for extent in stated))
    told = f"of its result the shape {tuple(stated)} is stated"
    return terms, told if stated else "the shape of its result is not known"


def _guessed(layer: Layer, first: Terms, width: Told | None, unsaid: Unsaid) -> tuple[Terms, str]:
    """The terms of a result of which the file says nothing."""
    key = key_of(layer)
    rank = unsaid.ranks.get(key, len(first))
    if (key in unsaid.open or rank != len(first)) and rank > 1:
        last = None if width is None else width.features
        extents = [None] * (rank - 2)
        told = f"its result is taken to have {rank} dimensions, of unknown extents"
        return (first[0], *(Axis("X", extent) for extent in [*extents, last])), told
    told = "its result is taken to have its input's shape"
    other = _with_features(first, width) if width is not None else None
    if other is not None and width is not None:
        told += f", but {width.features} features, as {width.by} reads"
    terms = other or first
    return (terms[0], *(_own(term, layer) for term in Layout(terms[1:]).terms)), told


def _with_features(first: Terms, told: Told) -> Terms | None:
    """An input's terms with as many features as a reader has; None if that is what they are.

    As many as the input has in all behind the batch: it is flattened.
    """
    sizes = [size_of(term) for term in first[1:]]
    if not sizes or sizes[-1] == told.features:
        return None
    own = Axis("F", told.features)
    flat = None not in sizes and math.prod(size or 0 for size in sizes) == told.features
    return (first[0], own) if flat else (*first[:-1], own)


def _stated_shape(config: Mapping[str, Any]) -> Sequence[int | None] | None:
    """The extents of the result behind the batch, where a Lambda or a Merge states them.

    Source: Keras 1.2.2 and 2.2.4 `Lambda.get_config`: `raw` is a list, else it is code.
    """
    stated = config.get("output_shape")
    if config.get("output_shape_type", "raw") != "raw" or not isinstance(stated, (list, tuple)):
        return None
    fits = all(n is None or (isinstance(n, int) and n > 0) for n in stated)
    return stated if stated and fits else None


def _own(term: object, layer: Layer) -> Axis:
    role = term.role if isinstance(term, Axis) else "F"
    return Axis(role, size_of(term))  # type: ignore[arg-type]
