"""From what a reader found to the neutral record: texts parsed, extents made sources."""

from __future__ import annotations

from typing import Any

from ....errors import FormatError
from ..gates import OpenSource
from .contents import METADATA, Contents, Entry, check_extents
from .record import Archive, StoredWeight, WeightGroup
from .sources import Home, SpareFile, StampedFile
from .text import parse_object


def assemble(
    source: OpenSource,
    contents: Contents,
    spare: SpareFile | None,
    *,
    isolated: bool,
    architecture: tuple[str, dict[str, Any]] | None = None,
) -> Archive:
    """Make the record.

    Args:
        source: The file.
        contents: What was found in it.
        spare: The file that compressed weights were unpacked into.
        isolated: Whether weights are decoded in a process of their own.
        architecture: A configuration given beside the file, and the file it is from.

    Raises:
        FormatError: The texts are no JSON, or numbers lie outside of the file.
    """
    check_extents(contents)
    if not contents.unpacked and contents.start + contents.size > source.size:
        raise FormatError("the HDF5 part reaches beyond the file")
    opener = spare if contents.unpacked and spare else StampedFile(source.stamp)
    home = Home(source.path, opener, contents.start, contents.size, isolated)
    groups, beside = (
        tuple(WeightGroup(one.layer, _weights(home, one.weights), one.name) for one in listed)
        for listed in (contents.groups, contents.beside)
    )
    return Archive(
        path=source.path,
        size=source.size,
        container=contents.container,
        form=contents.form,
        content="weights" if contents.config is None else "model",
        groups=groups,
        beside=beside,
        optimizer_weights=_weights(home, contents.optimizer),
        optimizer_names=contents.optimizer_names,
        attributes=contents.attributes,
        assets=contents.assets,
        ignored=contents.ignored,
        architecture_path=architecture[0] if architecture else None,
        **_said(contents, architecture),
    )


def _weights(home: Home, entries: tuple[Entry, ...]) -> tuple[StoredWeight, ...]:
    return tuple(
        StoredWeight(entry.name, entry.extent.path, home.source(entry.extent)) for entry in entries
    )


def _said(contents: Contents, architecture: tuple[str, dict[str, Any]] | None) -> dict[str, Any]:
    """Configuration, training, version and backend, and for each the place that said it."""
    facts: dict[str, Any] = {"keras_version": contents.keras_version, "backend": contents.backend}
    origins = dict(contents.origins)
    if contents.metadata is not None:
        facts["metadata"] = parse_object(contents.metadata, METADATA)
        _note_version(facts, origins, facts["metadata"], METADATA)
    if contents.training is not None:
        facts["training_config"] = parse_object(
            contents.training, origins.get("training_config", "file")
        )
    if architecture is not None:
        origins["config"], facts["config"] = architecture
    elif contents.config is not None:
        facts["config"] = parse_object(contents.config, origins.setdefault("config", "file"))
    if config := facts.get("config"):
        _note_version(facts, origins, config, origins["config"])
        compiled = config.get("compile_config")
        if facts.get("training_config") is None and isinstance(compiled, dict):
            facts["training_config"] = compiled
            origins["training_config"] = f"{origins['config']}: compile_config"
    return {**facts, "origins": origins}


def _note_version(
    facts: dict[str, Any], origins: dict[str, str], said: dict[str, Any], place: str
) -> None:
    """Take the version from a mapping, where nothing nearer to the weights said it."""
    if facts["keras_version"] is None and isinstance(said.get("keras_version"), str):
        facts["keras_version"], origins["keras_version"] = said["keras_version"], place
