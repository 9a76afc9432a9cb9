"""From an archive to a model: architecture upgraded, arrays matched, layers lifted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from ...eras.normalization import EARLY_KEYS, KEYS_OF_VARIANCE, LAST_UNSTATED, statistics
from ...eras.vocabularies import ERAS, EraInfo
from ...errors import ConfigError, KerasirError, WeightError
from ...ir.graph import Graph
from ...ir.model import Facts, Model
from ...ir.report import Report
from ...ir.tensor import Weight
from ..sizes import OPEN, Sizes
from .archive.record import Archive
from .era import Era
from .extent import check_extent
from .facts import era_of, read_facts
from .lift import Lifter
from .losses import without_losses
from .match import assign, slots_of
from .original import means_the_same_since, original_of
from .spec import ModelSpec, Path, walk
from .spelling import spelling
from .structure import read_model
from .supported import check_supported
from .training import read_training
from .unsaid import Unsaid
from .unstated import STORE_ALIKE, check_said, is_unstated, with_inputs

MOST_TRIES = 50
"""How often a model is lifted: each time one guess more about shapes is mended (`unsaid`)."""


def import_model(
    archive: Archive,
    *,
    backend: str | None = None,
    data_format: str | None = None,
    allowed: frozenset[str] = frozenset(),
    builtin: str | None = None,
    sizes: Sizes = OPEN,
    lambdas: Mapping[str, str] = MappingProxyType({}),
) -> Model:
    """Lift an archive into the IR. No number is read.

    Args:
        archive: What a file holds.
        backend: Which backend wrote the weights, where the file does not say.
        data_format: What layers have that do not say.
        allowed: Configuration keys, as `Class.key`, that may pass unread.
        builtin: A built-in architecture, in the place of the archive's own.
        sizes: What is fixed of inputs.
        lambdas: What Lambdas compute, by their names.

    Raises:
        KerasirError: Of the class that fits; layer and weight are named.
    """
    try:
        return _import(archive, backend, data_format, allowed, builtin, sizes, lambdas)
    except KerasirError as error:
        error.at(file=archive.path)
        raise


def _import(
    archive: Archive,
    backend: str | None,
    data_format: str | None,
    allowed: frozenset[str],
    builtin: str | None,
    sizes: Sizes,
    lambdas: Mapping[str, str],
) -> Model:
    report, ordering = Report(), None
    era, _ = era_of(archive)
    if builtin is not None:
        from .builtin import furnish

        archive, ordering = furnish(archive, builtin, era.value, data_format, report)
    if archive.config is None:
        from .proposals import no_architecture, proposal

        raise no_architecture(proposal(archive, import_model))
    wrote = ERAS[era.value or "keras2"]
    vocabulary = spelling(archive, wrote.vocabulary)
    spec = without_losses(_architecture(archive.config, vocabulary), report)
    if lambdas:
        from .lambdas import with_lambdas

        spec = with_lambdas(spec, lambdas, report)
    if archive.assets:
        from .vocabularies import with_vocabularies

        spec = with_vocabularies(spec, archive.assets, vocabulary)
    check_supported(spec)
    facts = read_facts(
        archive, spec, report, backend=backend, data_format=data_format, ordering=ordering
    )
    arrays = era.value if era.value == "keras0" else wrote.vocabulary
    slots = slots_of(spec, arrays, allowed)
    assigned = assign(spec, archive, slots, report)
    unstated, said_of = [one.name for one in spec.layers if is_unstated(one)], sizes.shapes
    if unstated:
        known = assigned if wrote.vocabulary in STORE_ALIKE else {}
        spec = with_inputs(spec, known, facts.ordering.value, sizes.shapes, report)
        rest = {name: shape for name, shape in sizes.shapes.items() if name not in unstated}
        sizes = replace(sizes, shapes=rest)
    version = facts.version.value or wrote.version
    if version is None and builtin is None and _is_early(spec, wrote.vocabulary):
        version = _assumed(LAST_UNSTATED, report)
    reading, told, unsaid = _era(facts, version, vocabulary, wrote), len(report.events), Unsaid()
    for left in reversed(range(MOST_TRIES)):
        lifter = Lifter(reading, report, assigned, slots, allowed, sizes, unsaid)
        try:
            graph = lifter.graph(spec)
            break
        except (ConfigError, WeightError):
            if not unsaid.begin() or not left:
                check_said([name for name in unstated if name not in said_of])
                raise
            del report.events[told:]  # what the next try tells
    _tell_apart(lifter.weights)
    as_it_says = builtin is None and not lambdas and sizes is OPEN and not unstated
    said = graph if means_the_same_since(spec, vocabulary, version) else Graph((), (), ())
    return Model(
        graph=graph,
        name=spec.name,
        kind=spec.kind,
        facts=facts,
        report=report,
        training=read_training(archive, spec, lifter.weights, wrote.vocabulary, report),
        scopes=tuple(lifter.scopes),
        layers=tuple(lifter.layers),
        preserved=spec.extra,
        original=original_of(archive, said, era.value) if as_it_says else None,
    )


def _era(facts: Facts, version: str | None, vocabulary: str, wrote: EraInfo) -> Era:
    backend = facts.backend.value or "tensorflow"
    return Era(
        vocabulary,
        wrote.storage,
        backend,
        facts.ordering.value,
        version,
        statistics(version, backend),
    )


def _is_early(spec: ModelSpec, vocabulary: str) -> bool:
    """Whether layers that the first releases of Keras 1 computed otherwise are as they wrote them.

    Normalizations have all keys of that time, and none that was added later.
    """
    if vocabulary != "keras1":
        return False
    layers = list(walk(spec))
    configs = [layer.config for layer in layers if layer.class_name == "BatchNormalization"]
    padded = any(
        layer.class_name == "Conv3D" and layer.config.get("padding") == "same" for layer in layers
    )
    return (bool(configs) or padded) and all(
        config.keys() >= EARLY_KEYS and not config.keys() & KEYS_OF_VARIANCE for config in configs
    )


def _assumed(version: str, report: Report) -> str:
    report.add(
        "KN105",
        "assumed",
        f"Keras {version} or older: the architecture states no version, and has layers that those "
        "releases computed otherwise",
        level="warning",
        fix='to overrule: state "keras_version" in the architecture',
    )
    return version


def _architecture(config: Mapping[str, Any], vocabulary: str) -> ModelSpec:
    check_extent(config)
    if "class_name" not in config:
        from .upgrade.keras0 import as_keras1

        return read_model(as_keras1(config), "keras1")
    return read_model(config, vocabulary)


def _tell_apart(weights: Mapping[Path, Mapping[str, Weight]]) -> None:
    """Name weights of one name by their wrappers too: layers inside two may be called alike."""
    named: dict[str, list[tuple[str, Weight]]] = {}
    for path, held in weights.items():
        for slot, weight in held.items():
            named.setdefault(weight.name, []).append(("/".join((*path, slot)), weight))
    for found in named.values():
        if len({id(weight) for _, weight in found}) > 1:
            for name, weight in found:
                weight.name = name
