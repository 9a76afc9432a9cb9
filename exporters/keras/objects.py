"""A network spelt as Keras 3 spells models: each object with its module, each call with arguments.

Source: Keras 3.15 `saving/serialization_lib.py` (`serialize_keras_object`), `models/functional.py`
(`get_config`, `serialize_node`), and files that it wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...eras.activations import ALONG_LAST, FUNCTIONS
from ...eras.operations import TAKE_DTYPE
from .dialects import BASE, Dialect, Known
from .network import Call, FileLayer, Network, Tensor
from .order import chain, fed, listed, made
from .spell import Config, is_chain, said_config

FUNCTIONAL_MODULE, LAYERS_MODULE, MODELS_MODULE = (
    "keras.src.models.functional",
    "keras.layers",
    "keras",
)


def spell_objects(network: Network, dialect: Dialect) -> Config:
    """A model's configuration, with its class and its module."""
    if is_chain(network, dialect):
        entries = [_entry(layer, dialect) for layer in chain(network) or ()]
        config = {"name": network.name, "trainable": True, "layers": entries}
        return _object(MODELS_MODULE, "Sequential", config, None)
    config = _functional(network, dialect)
    return _object(FUNCTIONAL_MODULE, dialect.functional, config, dialect.functional)


def _object(module: str | None, class_name: str, config: Any, registered: str | None) -> Config:
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered,
    }


def _entry(layer: FileLayer, dialect: Dialect) -> Config:
    """One layer with its class, in its wrappers."""
    if layer.network is not None:
        entry = spell_objects(layer.network, dialect)
    else:
        config = _functions_found(said_config(layer, dialect), dialect)
        bare = layer.class_name.rsplit(">", 1)[-1]
        if layer.class_name in dialect.classes:
            entry = _object(LAYERS_MODULE, layer.class_name, config, None)
        else:  # the loader finds it among its custom objects
            entry = _object(None, bare, config, layer.class_name)
    for wrapper in reversed(layer.wrappers):
        name = layer.name if wrapper is layer.wrappers[0] else wrapper.name
        config = {"name": name, **wrapper.config, "layer": entry}
        entry = _object(LAYERS_MODULE, "TimeDistributed", config, None)
    return entry


def _functions_found(config: Config, dialect: Dialect) -> Config:
    """A configuration whose functions the loader finds: the author's among its custom objects."""
    known = FUNCTIONS[dialect.vocabulary].keys() | ALONG_LAST[dialect.vocabulary].keys()
    return {
        key: _named_function(value)
        if key.endswith("activation") and isinstance(value, str) and value not in known
        else value
        for key, value in config.items()
    }


def _named_function(name: str) -> Config:
    """Source: Keras 3.15 `saving/serialization_lib.py` (`serialize_keras_object`)."""
    return _object("builtins", "function", name, "function")


def _functional(network: Network, dialect: Dialect) -> Config:
    calls = made(network)
    numbers = _numbers(calls)

    def ref(tensor: Tensor) -> list[Any]:
        return [tensor.call.layer.name, numbers[tensor.call], tensor.index]

    def outer_ref(tensor: Tensor) -> list[Any]:
        # the lists of inputs and outputs count a functional model's own graph as its first call
        name, number, index = ref(tensor)
        return [name, number + _has_own_call(tensor.call.layer, dialect), index]

    def tensor(held: Tensor) -> Config:
        return _keras_tensor(held, ref(held))

    entries, calls_of = [], fed(calls)
    functions = network.functions()
    for layer in listed(network):
        nodes = [_node(call, tensor, dialect) for call in calls_of.get(layer, ())]
        spell_one = _function if layer in functions else _entry
        entry = spell_one(layer, dialect)
        entries.append({**entry, "name": layer.name, "inbound_nodes": nodes})
    return {
        "name": network.name,
        "trainable": True,
        "layers": entries,
        "input_layers": [outer_ref(tensor) for tensor in network.inputs],
        "output_layers": [outer_ref(tensor) for tensor in network.outputs],
    }


def _numbers(calls: Sequence[Call]) -> Mapping[Call, int]:
    """The number of each call among those of its layer."""
    count: dict[FileLayer, int] = {}
    found: dict[Call, int] = {}
    for call in calls:
        found[call] = count[call.layer] = count.get(call.layer, -1) + 1
    return found


def _has_own_call(layer: FileLayer, dialect: Dialect) -> bool:
    return layer.network is not None and not layer.wrappers and not is_chain(layer.network, dialect)


def _function(layer: FileLayer, dialect: Dialect) -> Config:
    """An operation on tensors: what it is told is its configuration."""
    assert dialect.functions is not None  # it came from there
    config = {
        key: value
        for key, value in layer.config.items()
        if key not in BASE or (key == "dtype" and layer.class_name in TAKE_DTYPE)
    }
    module = dialect.functions.modules[layer.class_name]
    return _object(module, layer.class_name, {"name": layer.name, **config}, layer.class_name)


def _node(call: Call, tensor: Callable[[Tensor], Config], dialect: Dialect) -> Config:
    """One call: the tensors as the class takes them."""
    layer = call.layer
    first: list[Any] = [tensor(one) for one in call.positional]
    known = dialect.classes.get(layer.class_name, Known())
    kwargs = {**call.arguments.constants, **_keywords(call, tensor)}
    for place, constant in sorted(call.arguments.places.items()):
        first.insert(place, constant)
    if call.arguments.function or known.call == "each":
        return {"args": first, "kwargs": kwargs}
    if known.call == "states" and len(first) > 1 and not layer.wrappers:
        return {"args": first[:1], "kwargs": {**kwargs, "initial_state": first[1:]}}
    merges = len(first) > 1 or (layer.class_name in MERGES and not layer.wrappers)
    return {"args": [first] if merges else first, "kwargs": kwargs}


def _keywords(call: Call, tensor: Callable[[Tensor], Config]) -> dict[str, Any]:
    """Tensors by keyword; `mask/1` is the second in the list `mask`, whose first may be absent."""
    found: dict[str, Any] = {}
    for name, one in call.keywords.items():
        key, _, place = name.partition("/")
        if not place:
            found[key] = tensor(one)
            continue
        listed = found.setdefault(key, [None, None])
        listed[int(place)] = tensor(one)
    return found


MERGES = frozenset({
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
})  # fmt: skip
"""Classes that take a list, be it of one tensor."""


def _keras_tensor(tensor: Tensor, history: list[Any]) -> Config:
    shape = [None] if tensor.shape is None else list(tensor.shape)
    config = {"shape": shape, "dtype": tensor.dtype, "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}
