"""The kinds of file that hold a Keras model: a sink for each, everything but the numbers said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...errors import ExportError
from ..sink import Tensor
from ..target import Path
from .archive.by_path import OPTIMIZER, Place, fill_paths
from .archive.hdf5 import TOP_LEVEL, Archive, LayerGroup, hdf5_sink
from .archive.keras_zip import KerasZipSink
from .archive.skeleton import Hdf5Sink
from .dialects import Dialect
from .network import Array, Network
from .objects import spell_objects
from .own_words import OwnWords, in_own_words
from .places import places
from .spell import Config, groups, spell
from .training import State

ZIP, WEIGHTS = ".keras", ".weights.h5"
METADATA, CONFIG = "metadata.json", "config.json"
NO_DATE = "1980-01-01@00:00:00"
"""The first date that a zip knows: the same model gives the same bytes."""

Filled = tuple[Hdf5Sink, list[Array]]
"""A sink, and what goes into its tensors, in order."""


class Contents(NamedTuple):
    """What a file says.

    Attributes:
        network: The layers.
        state: What is written of training.
        dialect: The target.
        backend: Whose kernels it has.
        version: Of the Keras that it says has written it.
        own: What a source of the same dialect says.
        attributes: What an author put at the root of the source.
    """

    network: Network
    state: State | None
    dialect: Dialect
    backend: str
    version: str
    own: OwnWords | None = None
    attributes: Mapping[str, str | int | float] = {}

    @property
    def config(self) -> Config:
        """The model's configuration, with its class."""
        spelt = SPELLINGS[self.dialect.form](self.network, self.dialect)
        if self.own is None:
            return spelt
        found: Config = in_own_words(spelt, self.own.config, self.dialect, self.own.moved)
        return found


SPELLINGS: Mapping[str, Callable[[Network, Dialect], Config]] = {
    "keras2": spell,
    "keras3": spell_objects,
}


def container_of(path: Path, dialect: Dialect) -> str:
    """Which kind of file, by what its name ends in: HDF5 where the dialect has no other."""
    name = os.fspath(path).lower()
    fitting = [end for end in (ZIP, WEIGHTS) if name.endswith(end) and dialect.by_path]
    return fitting[0] if fitting else ""


def in_hdf5(contents: Contents, weights_only: bool) -> Filled:
    """A group per layer and a list of its weights' names: what every Keras reads."""
    network, state, dialect, backend, version, _, attributes = contents
    held = groups(network, dialect, backend)
    named = [pair for group in held for pair in group.arrays]
    written_by = (("backend", backend), ("keras_version", version)) if dialect.says_backend else ()
    layers = tuple(
        LayerGroup(group.layer, tuple(_tensor(*pair) for pair in group.arrays)) for group in held
    )
    layers += (LayerGroup(TOP_LEVEL),) * dialect.top_level
    if weights_only:
        archive = Archive(
            layers, weights_group="", beside_layers=written_by, chunked=dialect.chunked
        )
        return hdf5_sink(archive), [array for _, array in named]
    root = [*(reversed(written_by) if written_by else [("keras_version", version)])]
    root.append(("model_config", as_json(contents.config)))
    kept = state.arrays if state else ()
    if state is not None:
        root.append(("training_config", as_json(state.config)))
    archive = Archive(
        layers,
        root=tuple(root),
        beside_layers=written_by,
        optimizer=tuple(_tensor(*pair) for pair in kept),
        attributes=attributes,
        chunked=dialect.chunked,
    )
    return hdf5_sink(archive), [array for _, array in (*named, *kept)]


def in_zip(contents: Contents, weights_only: bool) -> Filled:
    """A `.keras` archive: the configuration, and the weights by their paths.

    Raises:
        ExportError: Weights alone are asked for.
    """
    if weights_only:
        raise ExportError("a .keras file is a whole model", hint=f"name it {WEIGHTS}")
    config = contents.config
    if contents.state is not None:
        told = dict(contents.state.config)
        if "optimizer_config" in told:
            told = {"optimizer": told.pop("optimizer_config"), **told}
        config["compile_config"] = told
    metadata = {"keras_version": contents.dialect.keras_version, "date_saved": NO_DATE}
    sink = KerasZipSink({METADATA: as_json(metadata), CONFIG: as_json(config)})
    return _by_path(sink, contents, contents.state)


def in_weights(contents: Contents, weights_only: bool) -> Filled:
    """A `.weights.h5` file: the weights by their paths, nothing else."""
    return _by_path(Hdf5Sink(), contents, None)


CONTAINERS: Mapping[str, Callable[[Contents, bool], Filled]] = {
    "": in_hdf5,
    ZIP: in_zip,
    WEIGHTS: in_weights,
}


def _by_path(sink: Hdf5Sink, contents: Contents, state: State | None) -> Filled:
    held = list(places(contents.network, contents.dialect))
    found = [
        Place(one.path, one.name, tuple(_tensor("", array) for array in one.arrays)) for one in held
    ]
    arrays = [array for one in held for array in one.arrays]
    if state is not None and state.arrays:
        found.append(Place(OPTIMIZER, tensors=tuple(_tensor(*pair) for pair in state.arrays)))
        arrays += [array for _, array in state.arrays]
    fill_paths(sink, found)
    return sink, arrays


def _tensor(name: str, array: Array) -> Tensor:
    return Tensor(name, array.param.weight.dtype, array.shape)


def as_json(config: Mapping[str, Any]) -> str:
    """A configuration as text.

    Raises:
        ExportError: It holds something that JSON has not.
    """
    try:
        return json.dumps(config, allow_nan=True)
    except (TypeError, ValueError) as error:
        raise ExportError(f"the configuration has no JSON form: {error}") from error
