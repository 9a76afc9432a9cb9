"""What a file says, kept whole beside what was read from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ...eras.releases import differs_from_newest
from ...eras.vocabularies import ERAS, is_since
from ...ir.graph import Graph
from ...ir.original import Original, OriginalArray, OriginalGroup
from .archive.record import Archive, StoredWeight
from .archive.sources import BFloat16Source
from .classes import is_operation
from .spec import LayerSpec, ModelSpec, walk

FORMS = frozenset({"named", "paths"})
OPTIMIZER, VARIABLES = "optimizer", "vars/"


MASKING = frozenset({"Masking", "Attention", "AdditiveAttention"})
ENCODING = ("Encoding", "Lookup", "Discretization", "Hashing", "HashedCrossing", "RandomCrop")
"""What classes end in that some release computes otherwise than another."""


SIGNATURES = {"keras3": (3, 15)}
"""The release whose operations are told what those of today are, by vocabulary: OnesLike of Keras
3.0 has a `dtype`, which that of 3.15 does not take."""


SPELLINGS = {"keras2": (2, 2, 3)}
"""The release since which architectures are spelt as the newest one spells them, by vocabulary: a
Sequential was a list of layers before (Keras 2.2.3 `engine/sequential.py`, `get_config`)."""


def means_the_same_since(model: ModelSpec, vocabulary: str, version: str | None) -> bool:
    """Whether the newest Keras computes of the same words what the one that wrote them did.

    Between releases it is masks that changed, attention, encodings and crops: see `eras.releases`;
    and what operations are told when they are called.
    """
    if not is_since(version, SPELLINGS.get(vocabulary, ())):
        return False
    layers = list(walk(model))
    told_alike = is_since(version, SIGNATURES.get(vocabulary, ()))
    if not told_alike and any(is_operation(one.class_name) for one in layers):
        return False
    return not differs_from_newest(vocabulary, version) or not any(map(_changed, layers))


def _changed(layer: LayerSpec) -> bool:
    name = layer.class_name
    masks = name in MASKING or bool(layer.config.get("mask_zero")) or name.endswith("Attention")
    return (
        masks
        or name.endswith(ENCODING)
        or any(call.kwargs.get("mask") is not None for call in layer.calls)
    )


def original_of(archive: Archive, graph: Graph, era: str | None) -> Original | None:
    """The file, for targets of its own dialect; where there are none, what stands beside the model.

    Args:
        archive: What it holds.
        graph: What was read from it, if it still means that; else an empty one.
        era: Whose file it is.
    """
    form = archive.form
    if era is None or form not in FORMS:
        return None
    found = Original(
        graph=graph,
        era=era,
        form="paths" if form == "paths" else "named",
        attributes=archive.attributes,
        besides=archive.ignored,
    )
    if not ERAS[era].said_again:
        return found
    whole = archive.content == "model" and archive.architecture_path is None
    return msgspec.structs.replace(
        found,
        config=archive.config if whole else None,
        training=archive.training_config if whole and form == "named" else None,
        metadata=_metadata(archive),
        assets=archive.assets,
        groups=tuple(
            OriginalGroup(group.layer, _arrays(group.weights), group.name or "")
            for group in (*archive.groups, *archive.beside)
        ),
        optimizer=tuple(_optimizer(archive)),
    )


def _metadata(archive: Archive) -> dict[str, Any]:
    if archive.metadata is not None:
        return archive.metadata
    said = {"backend": archive.backend, "keras_version": archive.keras_version}
    return {key: value for key, value in said.items() if value is not None}


def _optimizer(archive: Archive) -> Iterator[OriginalGroup]:
    """The optimizer's arrays; in files of Keras 3 by the groups that they lie in."""
    weights = archive.optimizer_weights
    if archive.form != "paths":
        yield OriginalGroup(OPTIMIZER, _arrays(weights))
        return
    for path, name in archive.optimizer_names.items():
        prefix = f"{path}/{VARIABLES}".removeprefix(f"{OPTIMIZER}/")
        own = [
            msgspec.structs.replace(weight, name=weight.name.removeprefix(prefix))
            for weight in weights
            if weight.name.rpartition("/")[0] + "/" == prefix
        ]
        yield OriginalGroup(path, _arrays(own), name)


def _arrays(weights: Sequence[StoredWeight]) -> tuple[OriginalArray, ...]:
    found = []
    for weight in weights:
        source = weight.source
        if isinstance(source, BFloat16Source):
            found.append(OriginalArray(weight.name, source.bits, "bfloat16"))
        else:
            found.append(OriginalArray(weight.name, source))
    return tuple(found)
