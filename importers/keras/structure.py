"""From a stored configuration to a `ModelSpec`: Sequential and functional, lists and dicts.

Forms: Sequential as a list (Keras 1.0 to 2.2.2) or a dict (2.2.3 on); functional nodes as 3-lists
(1.x), 4-lists with keyword arguments (2.x); a Keras 1 Sequential that begins with a Merge of
models. Sources: Keras 1.2.2 `models.py` (`Sequential.get_config`), `engine/topology.py`
(`Container.get_config`); Keras 2.3.1 `engine/network.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ConfigError
from .spec import Call, LayerSpec, ModelSpec, Ref
from .upgrade import upgrade_layer

MODELS = frozenset({"Sequential", "Model", "Functional", "Container", "Graph"})
REPEATS = frozenset({"TimeDistributed"})
"""Wrappers that only add a term to the batch."""

DEEPEST = 64
"""How deep models may nest; a file that goes deeper is refused."""

Config = Mapping[str, Any]


def read_model(stored: Config, era: str, depth: int = 0) -> ModelSpec:
    """The architecture that a stored configuration describes.

    Args:
        stored: A dict with `class_name` and `config`, as in the `model_config` attribute.
        era: `keras0`, `keras1` or `keras2`: which vocabulary it is in.
        depth: How many models are around it.

    Raises:
        ConfigError: The configuration is not one that Keras writes.
    """
    if depth > DEEPEST:
        raise ConfigError(f"models nest deeper than {DEEPEST}", hint="no real model does")
    class_name, config = _entry(stored)
    if class_name == "Sequential":
        return _sequential(config, era, depth)
    if class_name in MODELS:
        return _functional(config, era, depth)
    raise ConfigError(
        f"the model is of class {class_name!r}, not Sequential or Model",
        hint="a subclassed model holds its architecture in Python code, which is not in the file",
    )


def _entry(stored: Any) -> tuple[str, Any]:
    if not isinstance(stored, Mapping) or not isinstance(stored.get("class_name"), str):
        raise ConfigError("an entry without class_name", details=(f"found {stored!r:.120}",))
    if "config" not in stored:
        raise ConfigError(f"{stored['class_name']} without config")
    return stored["class_name"], stored["config"]


def _layer(
    stored: Any, era: str, depth: int, calls: tuple[Call, ...], name: str | None = None
) -> LayerSpec:
    """One layer, a nested model and a wrapper's inner layer included."""
    class_name, config = _entry(stored)
    if class_name in MODELS:
        model = read_model(stored, era, depth + 1)
        own = name or (stored.get("name") if isinstance(stored.get("name"), str) else model.name)
        kept = {"name": own} | ({"trainable": config["trainable"]} if _has(config) else {})
        kind = "Sequential" if class_name == "Sequential" else "Model"
        return LayerSpec(own or model.name, kind, class_name, kept, calls, model=model)
    if not isinstance(config, Mapping):
        raise ConfigError(f"{class_name}: config is no object", details=(f"found {config!r:.120}",))
    upgraded_class, upgraded = upgrade_layer(class_name, config, era)
    own = name or upgraded.get("name")
    if not isinstance(own, str):
        raise ConfigError(f"a layer of class {class_name} without a name")
    wrapped = None
    if upgraded_class in REPEATS and "layer" in config:
        wrapped = _layer(config["layer"], era, depth + 1, ())
        upgraded = {key: value for key, value in upgraded.items() if key != "layer"}
    if upgraded_class == "Bidirectional" and isinstance(config.get("layer"), Mapping):
        inner_class, inner = _entry(config["layer"])
        names = upgrade_layer(inner_class, inner, era)
        upgraded["layer"] = dict(zip(("class_name", "config"), names, strict=True))
    return LayerSpec(own, upgraded_class, class_name, upgraded, calls, wrapped=wrapped)


def _has(config: Any) -> bool:
    return isinstance(config, Mapping) and "trainable" in config


# ---- Sequential ----------------------------------------------------------------------------


def _sequential(config: Any, era: str, depth: int) -> ModelSpec:
    entries = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(entries, Sequence) or not entries:
        raise ConfigError("a Sequential without layers")
    extra = (
        {k: v for k, v in config.items() if k != "layers"} if isinstance(config, Mapping) else {}
    )
    chain = _Chain()
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
    """Layers of a Sequential one behind the other; a repeated name is a shared layer."""

    def __init__(self) -> None:
        self.layers: list[LayerSpec] = []
        self.inputs: list[Ref] = []
        self.last = Ref("")
        self._index: dict[str, int] = {}

    def append(self, entry: Any, era: str, depth: int) -> None:
        spec = _layer(entry, era, depth, ())
        if not self.layers and spec.class_name != "InputLayer":
            self._input_for(spec)
        if spec.class_name == "InputLayer":
            self._put(spec, Call())
            self.inputs.append(self.last)
        else:
            self._put(spec, Call((self.last,)))

    def begin_with_merge(self, entry: Any, inner: Config, era: str, depth: int) -> None:
        """Keras 1: a Merge of whole models, each with an input of its own."""
        branches: list[Ref] = []
        for number, stored in enumerate(inner.get("layers") or []):
            spec = _layer(stored, era, depth, (), name=f"{inner.get('name')}_branch_{number + 1}")
            if spec.model is None:
                raise ConfigError("a Merge of something that is no model", where=spec.name)
            first = self._inputs_of(spec.model)
            feeds: list[Ref] = []
            for source in first:
                self._put(source, Call())
                self.inputs.append(self.last)
                feeds.append(self.last)
            self._put(spec, Call(tuple(feeds)))
            branches.append(self.last)
        merge = dict(inner)
        merge.pop("layers", None)
        spec = _layer({"class_name": "Merge", "config": merge}, era, depth, ())
        self._put(spec, Call(tuple(branches)))

    def _inputs_of(self, model: ModelSpec) -> list[LayerSpec]:
        by_name = {layer.name: layer for layer in model.layers}
        return [_renamed(by_name[ref.layer], f"{ref.layer}", self._index) for ref in model.inputs]

    def _input_for(self, first: LayerSpec) -> None:
        """The input that the first layer's own configuration describes."""
        shape, dtype = _first_shape(first)
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
    return LayerSpec(
        spec.name,
        spec.class_name,
        spec.source_class,
        spec.config,
        calls,
        model=spec.model,
        wrapped=spec.wrapped,
    )


def _renamed(spec: LayerSpec, name: str, taken: Mapping[str, int]) -> LayerSpec:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return LayerSpec(unique, spec.class_name, spec.source_class, {**spec.config, "name": unique})


def _first_shape(first: LayerSpec) -> tuple[list[int | None], str]:
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
    raise ConfigError(
        "the model does not say the shape of its input",
        where=first.name,
        hint="a Sequential that was never built has none",
    )


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
    offsets = {
        entry.get("name"): 1 if entry.get("class_name") in MODELS else 0
        for entry in entries
        if isinstance(entry, Mapping)
    }
    layers = []
    for entry in entries:
        name = entry.get("name") if isinstance(entry, Mapping) else None
        nodes = entry.get("inbound_nodes") or [] if isinstance(entry, Mapping) else []
        calls = tuple(_call(node, offsets, str(name)) for node in nodes)
        spec = _layer(entry, era, depth, calls, name=name if isinstance(name, str) else None)
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
        tuple(_refs(config.get("input_layers"), offsets)),
        tuple(_refs(config.get("output_layers"), offsets)),
        extra,
    )


def _call(node: Any, offsets: Mapping[Any, int], where: str) -> Call:
    if not isinstance(node, Sequence) or isinstance(node, str):
        raise ConfigError("an inbound node that is no list", where=where)
    inputs: list[Ref] = []
    kwargs: dict[str, Any] = {}
    for item in node:
        inputs.append(_ref(item, offsets, where))
        if len(item) > 3 and isinstance(item[3], Mapping):
            kwargs |= item[3]
    return Call(tuple(inputs), kwargs)


def _refs(stored: Any, offsets: Mapping[Any, int]) -> list[Ref]:
    if not isinstance(stored, Sequence) or not stored:
        raise ConfigError("a Model without input_layers or output_layers")
    if isinstance(stored[0], str):
        stored = [stored]
    return [_ref(item, offsets, "input_layers and output_layers") for item in stored]


def _ref(item: Any, offsets: Mapping[Any, int], where: str) -> Ref:
    fits = (
        isinstance(item, Sequence)
        and len(item) >= 3
        and isinstance(item[0], str)
        and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in item[1:3])
    )
    if not fits:
        raise ConfigError(
            "a reference to a tensor is not [layer, call, tensor]",
            where=where,
            details=(f"found {item!r:.120}",),
        )
    if item[0] not in offsets:
        raise ConfigError(
            f"refers to layer {item[0]!r}, which the model does not have", where=where
        )
    # a nested model's call 0 is the one that made it (Keras 1.2.2 `Container.get_config`)
    return Ref(item[0], max(0, item[1] - offsets[item[0]]), item[2])
