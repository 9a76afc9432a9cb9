"""The neutral record that every container is read into."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ....ir.source import Source
from .contents import Scalar


class StoredWeight(msgspec.Struct, frozen=True):
    """One stored array.

    Attributes:
        name: As its group calls it: `conv1_W`, `conv1/kernel:0`, `param_0`; `0`, `1`, ... in the
            files of Keras 3; for optimizer variables of Keras 3 the path, `vars/0`.
        path: Its path in the HDF5 file.
        source: The numbers, read when asked for.
    """

    name: str
    path: str
    source: Source


class WeightGroup(msgspec.Struct, frozen=True):
    """The stored arrays of one layer, in the order of the file.

    Attributes:
        layer: The layer's name; where the file has none, what stands in its place: `layer_3` (Keras
            0.3), `graph` (a Graph of Keras 0.3, all weights together), or the path of the layer's
            group, `layers/lstm/cell` (Keras 3).
        weights: May be none: layers without weights are listed as well.
        name: The layer's name beside a path, where the file says it (recent Keras 3).
    """

    layer: str
    weights: tuple[StoredWeight, ...]
    name: str | None = None


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """A Keras file as it is: nothing renamed, no default filled in, no number read.

    Attributes:
        path: The file, as it was given; of shards the list that names them.
        size: Its size in bytes, shards included.
        container: `hdf5` for the classic format of every era, `weights-h5` for the bare weights of
            Keras 3, `keras-zip` for a `.keras` archive.
        form: How the weights are found: `named` (by `layer_names`), `numbered` (`layer_0` on, of
            Keras 0.3), `graph` (one list, of Keras 0.3), `paths` (Keras 3).
        content: What the file itself holds: a whole model, or weights.
        keras_version: Of the Keras that wrote the file; where it does not say that, of the one that
            wrote the architecture (`origins` tells which).
        backend: What computed, as the file says; often None. The word of an architecture beside it
            stays in `config`: it may have another writer than the weights.
        config: The configuration of the model as parsed from JSON, unchanged: of the file, or of
            the architecture that was given beside it.
        groups: The weights, layer by layer in the order of the file.
        training_config: Loss, metrics and optimizer, unchanged.
        beside: Groups that are of no layer: metrics, and for variables of the model itself.
        optimizer_weights: The optimizer's variables in the order of the file.
        optimizer_names: In files of Keras 3, what the groups of these are called, by their paths.
        metadata: What a `.keras` archive says of itself, unchanged.
        attributes: Attributes of the HDF5 root that have no meaning to Keras.
        assets: What layers have beside their variables, such as vocabularies, by name.
        origins: For `keras_version`, `backend`, `config` and `training_config`, the place that said
            it: an attribute, a member of the archive, or a file.
        ignored: Paths of what else the file holds.
        architecture_path: The file that the configuration came from, if not this one.
    """

    path: str
    size: int
    container: Literal["hdf5", "weights-h5", "keras-zip"]
    form: Literal["named", "numbered", "graph", "paths"]
    content: Literal["model", "weights"]
    groups: tuple[WeightGroup, ...]
    beside: tuple[WeightGroup, ...] = ()
    optimizer_weights: tuple[StoredWeight, ...] = ()
    optimizer_names: dict[str, str] = {}
    metadata: dict[str, Any] | None = None
    config: dict[str, Any] | None = None
    training_config: dict[str, Any] | None = None
    keras_version: str | None = None
    backend: str | None = None
    attributes: dict[str, Scalar] = {}
    assets: dict[str, bytes] = {}
    origins: dict[str, str] = {}
    ignored: tuple[str, ...] = ()
    architecture_path: str | None = None
