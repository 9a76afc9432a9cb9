"""From a stored configuration to a `ModelSpec`: Sequential and functional, lists and dicts.

Forms: Sequential as a list (Keras 1.0 to 2.2.2) or a dict (2.2.3 on); a Keras 1 Sequential that
begins with a Merge of models; functional models, whose calls `nodes` reads. Sources: Keras 1.2.2
`models.py` (`Sequential.get_config`), `engine/topology.py` (`Container.get_config`); Keras 2.3.1
`engine/network.py`; Keras 3.15 `models/functional.py`, `models/sequential.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec.structs import replace

from ...errors import ConfigError, KerasirError
from .classes import is_of_keras, own_class, registered_class
from .nodes import as_shape, built_shape, read_call, read_refs, told_shapes
from .registry import PRESERVED
from .spec import SEEN_THROUGH, Call, LayerSpec, ModelSpec, Ref
from .subclassed import no_model, subclassed
from .upgrade import upgrade_layer
from .upgrade.cells import STACK, both_ways, opened

MODELS = frozenset({"Model", "Functional", "Container", "Graph"})
FUNCTIONAL_KEYS = frozenset({"layers", "input_layers", "output_layers"})

MADE_BY_A_CALL: Mapping[str, frozenset[str]] = {"keras3": frozenset({"functional"})}
"""Eras whose Sequential begins without a call of its own (Keras 3.15 `Functional.get_config`,
`kept_nodes`); elsewhere every model has made one when it is first called."""

REPEATS = frozenset({"TimeDistributed"})
"""Wrappers that only add a term to the batch."""

DEEPEST = 64
"""How deep models may nest; a file that goes deeper is refused."""

Config = Mapping[str, Any]


def read_model(stored: Config, era: str, depth: int = 0) -> ModelSpec:
    """The architecture that a stored configuration describes.

    Args:
        stored: A dict with `class_name` and `config`, as in the `model_config` attribute.
        era: Whose vocabulary it is in: a key of the tables in `upgrade`.
        depth: How many models are around it.

    Raises:
        ConfigError: The configuration is not one that Keras writes.
    """
    if depth > DEEPEST:
        raise ConfigError(f"models nest deeper than {DEEPEST}", hint="no real model does")
    class_name, config = _entry(stored)
    kind = model_kind(stored)
    if kind == "sequential":
        return _sequential(config, era, depth)
    if kind == "functional":
        return _functional(config, era, depth)
    if depth or is_of_keras(stored):
        raise no_model(class_name)
    return subclassed(stored, own_class(stored, era), registered_class(stored, class_name))


CHAINS = frozenset({"Sequential", "Pipeline"})
"""Lists of layers, one behind the other. Source of the latter: Keras 3.15
`layers/preprocessing/pipeline.py` (`call`), which is a layer and no model."""


def model_kind(stored: Any) -> Literal["sequential", "functional"] | None:
    """Which kind of model an entry is, if it is one.

    A class that its author derived from Model keeps the configuration of a functional model
    (Keras 3.15 `Functional.get_config`), but what it computes may be another thing: the caller
    is told of it.
    """
    if not isinstance(stored, Mapping):
        return None
    config, class_name = stored.get("config"), str(stored.get("class_name"))
    if class_name in CHAINS:
        return "sequential"
    if class_name in MODELS:
        return "functional"
    if isinstance(config, Mapping) and config.keys() >= FUNCTIONAL_KEYS:
        return "functional"
    return None


def _entry(stored: Any) -> tuple[str, Any]:
    if not isinstance(stored, Mapping) or not isinstance(stored.get("class_name"), str):
        raise ConfigError("an entry without class_name", details=(f"found {stored!r:.120}",))
    if "config" not in stored:
        raise ConfigError(f"{stored['class_name']!r:.80} without config")
    return stored["class_name"], stored["config"]


def _layer(
    stored: Any, era: str, depth: int, calls: tuple[Call, ...], name: str | None = None
) -> LayerSpec:
    """One layer, a nested model and a wrapper's inner layer included."""
    class_name, config = _entry(stored)
    kind = model_kind(stored)
    if kind is not None:
        model = read_model(stored, era, depth + 1)
        own = name or _name(stored) or model.name
        kept = {"name": own} | ({"trainable": config["trainable"]} if _has(config) else {})
        known = "Sequential" if kind == "sequential" else "Model"
        return LayerSpec(own, known, class_name, kept, calls, model=model)
    if depth > DEEPEST:
        raise ConfigError(f"layers nest deeper than {DEEPEST}", hint="no real layer does")
    upgraded_class, upgraded = _upgraded(stored, era)
    found = name or upgraded.get("name")
    if not isinstance(found, str):
        raise ConfigError(f"a layer of class {class_name!r:.80} without a name")
    if "\0" in found:
        raise ConfigError("a NUL in a layer's name, which HDF5 cannot store", where=found)
    wrapped = None
    if upgraded_class in SEEN_THROUGH and isinstance(config.get("layer"), Mapping):
        inner = _layer(config["layer"], era, depth + 1, calls, name=found)
        named = {**inner.config, "name": found}
        return LayerSpec(found, inner.class_name, class_name, named, calls, model=inner.model)
    if upgraded_class in REPEATS and "layer" in config:
        wrapped = _layer(config["layer"], era, depth + 1, ())
        upgraded = {key: value for key, value in upgraded.items() if key != "layer"}
    elif upgraded_class == "Bidirectional":
        upgraded_class, upgraded = both_ways(upgraded, _halves(config, era))
    stored_class = registered_class(stored, class_name)
    return LayerSpec(found, upgraded_class, stored_class, upgraded, calls, wrapped=wrapped)


def _upgraded(stored: Any, era: str) -> tuple[str, dict[str, Any]]:
    """The class and configuration of a layer in the vocabulary of Keras 2."""
    class_name, config = _entry(stored)
    if not isinstance(config, Mapping):
        raise ConfigError(
            f"{class_name!r:.80}: config is no object", details=(f"found {config!r:.120}",)
        )
    try:
        found, known = upgrade_layer(*opened(own_class(stored, era), config), era)
    except KerasirError as error:
        error.at(_name(stored) or str(config.get("name", "")))
        raise
    if found == STACK:
        known["cells"] = [_inside(cell, era) for cell in known["cells"]]
    return found, known


def _halves(config: Config, era: str) -> dict[str, Any]:
    """The layers inside a Bidirectional, upgraded like any others."""
    found: dict[str, Any] = {}
    for key in ("layer", "backward_layer"):
        if isinstance(config.get(key), Mapping):
            found[key] = _inside(config[key], era)
    if len(found) == 2 and _same(found["layer"], found["backward_layer"]):
        found["backward_layer"] = None  # Keras 3 states it always
    return found


def _inside(stored: Any, era: str) -> dict[str, Any]:
    """A layer inside another, upgraded like any other."""
    return dict(zip(("class_name", "config"), _upgraded(stored, era), strict=True))


def _same(forward: Config, backward: Config) -> bool:
    """Whether the backward layer of a Bidirectional is the forward one turned round."""
    ignored = {*PRESERVED, "go_backwards"}
    told = [
        {key: value for key, value in half["config"].items() if key not in ignored}
        for half in (forward, backward)
    ]
    turned = forward["config"].get("go_backwards") != backward["config"].get("go_backwards")
    return turned and forward["class_name"] == backward["class_name"] and told[0] == told[1]


def _has(config: Any) -> bool:
    return isinstance(config, Mapping) and "trainable" in config


# ---- Sequential ----------------------------------------------------------------------------


def _sequential(config: Any, era: str, depth: int) -> ModelSpec:
    entries = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(entries, Sequence) or not entries:
        raise ConfigError("a Sequential without layers")
    said = config if isinstance(config, Mapping) else {}
    extra = {k: v for k, v in said.items() if k != "layers"}
    chain = _Chain(as_shape(extra.get("build_input_shape")))
    for entry in entries:
        class_name, inner = _entry(entry)
        if class_name == "Merge" and not chain.layers:
            chain.begin_with_merge(entry, inner, era, depth)
        else:
            chain.append(entry, era, depth)
    name = extra.get("name")
    return ModelSpec(
        name if isinstance(name, str) else f"sequential_{depth + 1}",
        "sequential",
        tuple(chain.layers),
        tuple(chain.inputs),
        (chain.last,),
        extra,
    )


class _Chain:
    """Layers of a Sequential one behind the other; a repeated name is a shared layer.

    `built` is the shape that it was built for, where no layer states it (TensorFlow 1.15
    `keras/engine/sequential.py`, `get_config`).
    """

    def __init__(self, built: tuple[int | None, ...] | None) -> None:
        self.built = built
        self.layers: list[LayerSpec] = []
        self.inputs: list[Ref] = []
        self.last = Ref("")
        self._index: dict[str, int] = {}

    def append(self, entry: Any, era: str, depth: int) -> None:
        spec = _layer(entry, era, depth, ())
        if spec.model is not None and not _is_named(entry):  # a name would say that it is shared
            spec = replace(_renamed(spec, spec.name, self._index), named=False)
        if not self.layers and spec.model is not None and len(spec.model.inputs) > 1:
            self._put(spec, Call(tuple(self._inputs_for(spec.model))))
            return
        if not self.layers and spec.class_name != "InputLayer":
            self._input_for(spec)
        if spec.class_name == "InputLayer":
            self._put(spec, Call())
            self.inputs.append(self.last)
        else:
            self._put(spec, Call((self.last,)))

    def begin_with_merge(self, entry: Any, inner: Config, era: str, depth: int) -> None:
        """Keras 1: a Merge of whole models, each with an input of its own."""
        models = inner.get("layers") if isinstance(inner, Mapping) else None
        if not isinstance(models, Sequence):
            raise ConfigError("a Merge without models", details=(f"found {entry!r:.120}",))
        branches: list[Ref] = []
        for number, stored in enumerate(models):
            spec = _layer(stored, era, depth, (), name=f"{inner.get('name')}_branch_{number + 1}")
            if spec.model is None:
                raise ConfigError("a Merge of something that is no model", where=spec.name)
            self._put(spec, Call(tuple(self._inputs_for(spec.model))))
            branches.append(self.last)
        merge = dict(inner)
        merge.pop("layers", None)
        spec = _layer({"class_name": "Merge", "config": merge}, era, depth, ())
        self._put(spec, Call(tuple(branches)))

    def _inputs_for(self, model: ModelSpec) -> list[Ref]:
        """Inputs of the chain for each of a model's own."""
        by_name = {layer.name: layer for layer in model.layers}
        feeds: list[Ref] = []
        for ref in model.inputs:
            self._put(_renamed(by_name[ref.layer], f"{ref.layer}", self._index), Call())
            self.inputs.append(self.last)
            feeds.append(self.last)
        return feeds

    def _input_for(self, first: LayerSpec) -> None:
        """The input that the first layer's own configuration describes.

        Without a shape where that has none: a model that another feeds has that of what it gets,
        and weights may tell it (`unstated`).
        """
        found = _stated_shape(first) or (self.built and ([*self.built], "float32"))
        shape, dtype = found or (None, "float32")
        name = f"{first.name}_input"
        config = {"name": name, "batch_input_shape": shape, "dtype": dtype}
        self._put(LayerSpec(name, "InputLayer", "", config), Call())
        self.inputs.append(self.last)

    def _put(self, spec: LayerSpec, call: Call) -> None:
        if spec.name in self._index:
            at = self._index[spec.name]
            known = self.layers[at]
            self.layers[at] = _with_calls(known, (*known.calls, call))
            self.last = Ref(spec.name, len(known.calls))
            return
        self._index[spec.name] = len(self.layers)
        self.layers.append(_with_calls(spec, (call,)))
        self.last = Ref(spec.name)


def _with_calls(spec: LayerSpec, calls: tuple[Call, ...]) -> LayerSpec:
    return replace(spec, calls=calls)


def _renamed(spec: LayerSpec, name: str, taken: Mapping[str, int]) -> LayerSpec:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    config = {**spec.config, "name": unique}
    return LayerSpec(unique, spec.class_name, spec.source_class, config, model=spec.model)


def _is_named(entry: Any) -> bool:
    """Whether a file names a model: lists of layers, up to Keras 2.2.2, have no place for it."""
    config = entry.get("config")
    return bool(_name(entry)) or (isinstance(config, Mapping) and bool(config.get("name")))


def _stated_shape(first: LayerSpec) -> tuple[list[int | None], str] | None:
    """The batch shape that a Sequential's first layer states, in itself or in what it wraps."""
    spec: LayerSpec | None = first
    while spec is not None:
        found = _own_shape(spec)
        if found is not None:
            return found
        if spec.model is not None:
            inner = {layer.name: layer for layer in spec.model.layers}
            spec = inner[spec.model.inputs[0].layer]
        else:
            spec = spec.wrapped
    return None


def _own_shape(spec: LayerSpec) -> tuple[list[int | None], str] | None:
    config = spec.config
    stated = config.get("input_dtype", config.get("dtype"))
    dtype = stated if isinstance(stated, str) else "float32"
    shape = config.get("batch_input_shape")
    if isinstance(shape, Sequence) and not isinstance(shape, str):
        return list(shape), str(dtype)
    if isinstance(config.get("input_shape"), Sequence):
        return [None, *config["input_shape"]], str(dtype)
    if isinstance(config.get("input_dim"), int) and spec.class_name == "Dense":
        return [None, config["input_dim"]], str(dtype)
    return None


# ---- functional ----------------------------------------------------------------------------


def _functional(config: Any, era: str, depth: int) -> ModelSpec:
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), Sequence):
        raise ConfigError("a Model without layers")
    entries = config["layers"]
    offsets = {_name(entry): _offset(entry, era) for entry in entries}
    layers = []
    for entry, calls in zip(entries, _calls(entries, offsets), strict=True):
        spec = _layer(entry, era, depth, calls, name=_name(entry) or None)
        layers.append(_with_calls(spec, (Call(),)) if spec.class_name == "InputLayer" else spec)
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError("two layers have the same name", where=twice)
    extra = {
        k: v for k, v in config.items() if k not in {"layers", "input_layers", "output_layers"}
    }
    return ModelSpec(
        str(config.get("name") or f"model_{depth + 1}"),
        "functional",
        tuple(layers),
        tuple(read_refs(config.get("input_layers"), offsets)),
        tuple(read_refs(config.get("output_layers"), offsets)),
        extra,
    )


def _calls(entries: Sequence[Any], offsets: Mapping[str, int]) -> list[tuple[Call, ...]]:
    """The calls of each layer, with the shapes of their results where the file says them.

    Keras 3 says them with each tensor that a call is given; a `.keras` file of tf.keras in what a
    layer of one input was built with.
    """
    read, shapes = [], dict[Ref, tuple[int | None, ...]]()
    for entry in entries:
        name = _name(entry)
        nodes = entry.get("inbound_nodes") or [] if isinstance(entry, Mapping) else []
        if not isinstance(nodes, Sequence) or isinstance(nodes, str):
            raise ConfigError("inbound_nodes is no list", where=name)
        calls = [read_call(node, offsets, name) for node in nodes]
        built = built_shape(entry)
        if built and calls and len(calls[0].inputs) == 1:
            shapes.setdefault(calls[0].inputs[0], built)
        shapes |= told_shapes(nodes)
        read.append((name, calls))
    return [
        tuple(replace(call, gives=shapes.get(Ref(name, n))) for n, call in enumerate(calls))
        for name, calls in read
    ]


def _name(entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) else ""


def _offset(entry: Any, era: str) -> int:
    """The number that a layer's first call has in lists: 1 for a model that a call has made."""
    return int(model_kind(entry) in MADE_BY_A_CALL.get(era, {"functional", "sequential"}))
