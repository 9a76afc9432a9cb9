"""A file as it was read, whole: for a target that says everything as its source did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from .graph import Graph
from .source import Source


class OriginalArray(msgspec.Struct, frozen=True, eq=False):
    """One stored array.

    Attributes:
        name: As its group calls it; may lead through further groups.
        source: Its bits.
        kind: `bfloat16`, where these are not numbers of NumPy's; else "".
    """

    name: str
    source: Source
    kind: Literal["", "bfloat16"] = ""


class OriginalGroup(msgspec.Struct, frozen=True, eq=False):
    """The arrays of a layer, or of a part of one, in their order.

    Attributes:
        path: The layer's name, or where its variables lie: `layers/dense_1`.
        arrays: May be none.
        name: What the file notes beside a path; "" for nothing.
    """

    path: str
    arrays: tuple[OriginalArray, ...] = ()
    name: str = ""


class Original(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything that a file says.

    Attributes:
        graph: What was read from it, or an empty one where its words mean another thing to the
            newest release of its era. As long as a model has this very graph, and keeps its
            author's orders, the file says what the model is.
        era: Whose file it is.
        form: How its arrays are found: `named` by lists, or by `paths`.
        config: The configuration of the model; None where the file holds weights alone.
        training: The record of training that stands beside it.
        metadata: The version and whatever else it says of itself.
        attributes: What stands at its root and means nothing to Keras.
        assets: What layers have beside their variables, by its name in the archive.
        besides: Places in it that nothing here is read from: groups, members of an archive.
        groups: Arrays of layers.
        optimizer: Arrays of the optimizer, and of what it is made of.
    """

    graph: Graph
    era: str
    form: Literal["named", "paths"]
    config: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = {}
    attributes: Mapping[str, str | int | float] = {}
    assets: Mapping[str, bytes] = {}
    besides: tuple[str, ...] = ()
    groups: tuple[OriginalGroup, ...] = ()
    optimizer: tuple[OriginalGroup, ...] = ()
