"""Era, backend and ordering of a file: said by the user, by the file, or inferred from it."""

from __future__ import annotations

from collections.abc import Mapping

from ...eras.names import ORDERINGS
from ...eras.storage import CONVOLVES, backend_of
from ...eras.vocabularies import ERAS, era_of_version
from ...errors import ConfigError
from ...ir.model import Fact, Facts
from ...ir.report import Report
from .archive.record import Archive
from .spec import LayerSpec, ModelSpec, walk
from .spelling import vocabulary_of

REVERSED_CLASSES = frozenset({
    "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "ConvLSTM2D",
})  # fmt: skip
"""Layer classes whose kernels a true convolution stores back to front: if there is none of
these, the backend does not matter to the kernels."""

CLIPPED = frozenset({"SReLU"})
"""Classes whose function is another on Theano: `SRelu.clips_left`."""

SAME_CLASSES = frozenset({
    f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)
}) | {"SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D"}  # fmt: skip
"""Further classes whose `padding="same"` differs by backend."""

ERAS_OF_FORM: Mapping[str, frozenset[str]] = {
    "named": frozenset({"keras1", "keras2", "tf_keras", "keras3"}),
    "paths": frozenset({"tf_keras", "keras3"}),
}
"""Which eras find weights so: beside an architecture, a file may state another era's version."""


def era_of(archive: Archive) -> tuple[Fact, Fact]:
    """The era's name and the Keras version, each with its evidence."""
    if archive.form in {"numbered", "graph"}:
        said = "weights are numbered" if archive.form == "numbered" else "all weights in one group"
        return Fact("keras0", "file", said), Fact(None, "unknown")
    version = archive.keras_version
    era = era_of_version(version) if version else None
    if version and era in ERAS_OF_FORM[archive.form]:
        said = archive.origins.get("keras_version", "").rsplit("@", 1)[-1]
        evidence = "attribute keras_version" if said == "keras_version" else said
        return Fact(era, "file", evidence), Fact(version, "file", evidence)
    if archive.form == "paths":
        words = vocabulary_of(archive.config) if archive.config else None
        found = words if words in ERAS_OF_FORM["paths"] else "keras3"
        return Fact(found, "inferred", "weights lie by path"), Fact(None, "unknown")
    names = [w.name for group in archive.groups for w in group.weights]
    nested = any("/" in name for name in names)
    guess = "keras2" if nested else "keras1"
    evidence = "weight names like layer/kernel" if nested else "weight names like layer_W"
    return Fact(guess, "inferred", evidence), Fact(None, "unknown")


def read_facts(
    archive: Archive,
    model: ModelSpec,
    report: Report,
    *,
    backend: str | None = None,
    data_format: str | None = None,
    ordering: Fact | None = None,
) -> Facts:
    """What is known of a file; what was inferred is told.

    Args:
        archive: The file.
        model: Its architecture.
        report: Where to tell.
        backend: As the user says.
        data_format: As the user says, for layers that do not.
        ordering: What is known of it already; else the layers tell.

    Raises:
        ConfigError: Theano or TensorFlow cannot be told, and weights depend on it.
    """
    era, version = era_of(archive)
    return Facts(
        path=archive.path,
        bytes=archive.size,
        container=archive.container,
        content="model" if archive.content == "model" else "weights",
        era=era,
        version=version,
        backend=_backend(archive, model, era.value, report, backend),
        ordering=ordering or _ordering(model, era.value, data_format),
    )


def _backend(
    archive: Archive, model: ModelSpec, era: str | None, report: Report, said: str | None
) -> Fact:
    if said is not None:
        return Fact(said, "user", "--backend")
    if (named := backend_of(archive.backend)) is not None:
        return Fact(named, "file", "attribute backend")
    info = ERAS[era or "keras2"]
    if info.backend is not None:
        return _inferred(info.backend, "tf.keras has no other")
    if not info.reverses:
        return Fact(None, "unknown", "no backend of this era reverses kernels")
    kernels = [layer for layer in walk(model) if layer.class_name in REVERSED_CLASSES]
    others = [layer for layer in walk(model) if _is_same(layer) or layer.class_name in CLIPPED]
    names = [w.name for group in archive.groups for w in group.weights]
    colon = sum(1 for name in names if name.endswith(":0"))
    anonymous = all(name.startswith("param_") for name in names)
    if colon:
        return _inferred("tensorflow", f'weight names end in ":0" ({colon} of {len(names)})')
    if names and not anonymous:
        found = _inferred(
            "theano", f'weight names lack TensorFlow\'s ":0" ({len(names)} of {len(names)})'
        )
        if kernels or others:
            report.add(
                "KB101",
                "assumed",
                'backend Theano: weight names lack ":0"',
                level="warning",
                fix="to overrule: --backend tensorflow",
            )
        return found
    if not kernels and not others:
        return _inferred("tensorflow", "nothing in the model depends on it")
    raise ConfigError(
        f"cannot tell Theano from TensorFlow, and {len(kernels) or len(others)} "
        f"{'kernels' if kernels else 'layers'} depend on it",
        hint="add --backend theano or --backend tensorflow",
        details=("The file names no backend, and its weights' names say nothing.",),
    )


def _is_same(layer: LayerSpec) -> bool:
    return layer.class_name in SAME_CLASSES and layer.config.get("padding") == "same"


def _inferred(value: str, evidence: str) -> Fact:
    return Fact(value, "inferred", evidence)


def _ordering(model: ModelSpec, era: str | None, said: str | None) -> Fact:
    if said is not None:
        return Fact(said, "user", "--source-data-format")
    stated = [f for f in map(_stated, walk(model)) if f is not None]
    kinds = set(stated)
    if len(kinds) == 1:
        count = f"{len(stated)} of {len(stated)} layers"
        return Fact(stated[0], "file", f"{_spelt(stated[0], era)} in {count}")
    silent = [layer for layer in walk(model) if _is_silent(layer)]
    if len(kinds) > 1:
        common = max(sorted(kinds), key=stated.count)
        if silent:
            return Fact(None, "unknown", "layers disagree")
        return Fact(common, "file", f"{stated.count(common)} of {len(stated)} layers")
    return Fact(None, "unknown", "no layer says")


def _spelt(ordering: str, era: str | None) -> str:
    """A data format as files of an era say it."""
    if era in {"keras0", "keras1"}:
        word = next((word for word, meant in ORDERINGS.items() if meant == ordering), ordering)
        return f'dim_ordering "{word}"'
    return f'data_format "{ordering}"'


def _stated(layer: LayerSpec) -> str | None:
    if not layer.class_name.endswith(("2D", "3D", "2DTranspose", "3DTranspose")):
        return None
    found = layer.config.get("data_format")
    return found if found == "channels_first" or found == "channels_last" else None


def _is_silent(layer: LayerSpec) -> bool:
    spatial = layer.class_name.endswith(("2D", "3D", "2DTranspose", "3DTranspose"))
    return spatial and layer.config.get("data_format") in (None, "default")


def reverses(backend: str | None) -> bool:
    """Whether a backend's convolutions are true ones."""
    return backend in CONVOLVES
