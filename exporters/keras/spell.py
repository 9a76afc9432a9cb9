"""A network spelt as Keras spells models: configurations, and the arrays of each layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ...eras.respell import respell
from ...errors import ExportError
from .dialects import Dialect, Known
from .network import Array, Call, FileLayer, Network, Tensor
from .order import Merged, chain, creatable, fed, layers_of, listed, made, merged, stored

Config = dict[str, Any]


class Group(msgspec.Struct, frozen=True, eq=False):
    """The arrays of one layer of the model, under the names that the file gives them."""

    layer: str
    arrays: tuple[tuple[str, Array], ...]


def spell(network: Network, dialect: Dialect) -> Config:
    """A model's configuration, with its class."""
    parts = merged(network) if network.kind == "merged" else None
    if parts is not None:
        return {"class_name": "Sequential", "config": _merged(parts, dialect)}
    if not is_chain(network, dialect):
        return {"class_name": dialect.functional, "config": _functional(network, dialect)}
    layers = chain(network) or []
    if dialect.sequential == "list":
        return {"class_name": "Sequential", "config": _listed(layers, dialect)}
    if dialect.sequential == "fed":
        entries = _listed(layers, dialect)
    else:
        entries = [_entry(layer, dialect) for layer in layers]
    if entries[0]["class_name"] == "InputLayer" and "Keras 2" in dialect.readers:
        # Keras 2 forgets the input when it saves the model again, unless its first layer says it
        fed = {"batch_input_shape": layers[0].config["batch_input_shape"]}
        entries[1:2] = [_entry(layer, dialect, fed) for layer in layers[1:2]]
    return {"class_name": "Sequential", "config": {"name": network.name, "layers": entries}}


def is_chain(network: Network, dialect: Dialect) -> bool:
    """Whether the model is written as a Sequential.

    Keras 3 takes the result of a functional model inside a Sequential for a list of one.
    Source: runs of Keras 3.15 (`Sequential.build`).
    """
    layers = chain(network) if network.kind == "sequential" else None
    return layers is not None and all(
        layer.network is None or bool(layer.wrappers) or is_chain(layer.network, dialect)
        for layer in layers
        if "Keras 3" in dialect.readers
    )


def _listed(layers: Sequence[FileLayer], dialect: Dialect) -> list[Config]:
    """The layers of a Sequential that says what it is fed in its first layer.

    A model that stands first says it in its own; an input with a name that its author gave is
    written as a layer. Sources: Keras 1.2.2 and 2.0.8 `models.py` (`Sequential.add`), 2.0.8
    `layers/embeddings.py` (`Embedding.build`).
    """
    if len(layers) < 2:
        return [_entry(layer, dialect) for layer in layers]
    fed, first, *rest = layers
    if not fed.name.endswith("_input") and (first.network is None or first.wrappers):
        return [_entry(layer, dialect) for layer in layers]
    shape = {key: value for key, value in fed.config.items() if key != "sparse"}
    if not dialect.respelt and str(shape["dtype"]).startswith(("int", "uint", "bool")):
        shape["dtype"] = "float32"  # it is the layer's own there, and that of its weights
    return [_entry(first, dialect, shape), *(_entry(layer, dialect) for layer in rest)]


def _merged(parts: Merged, dialect: Dialect) -> list[Config]:
    """The layers of a Sequential whose first one is a merge of models, which say what is fed."""
    first = _entry(parts.merge, dialect)
    models = [spell(one.network, dialect) for one in parts.models if one.network is not None]
    merge = {**first, "config": {**first["config"], "layers": models}}
    return [merge, *(_entry(layer, dialect) for layer in parts.rest)]


def _entry(layer: FileLayer, dialect: Dialect, fed: Config | None = None) -> Config:
    """One layer with its class, in its wrappers; with what it is fed if it is to say so."""
    if layer.network is not None:
        entry = spell(layer.network, dialect)
    else:
        config = said_config(layer, dialect)
        if fed and not layer.wrappers:
            config |= fed
        entry = respelt(layer.class_name, config, dialect)
    for wrapper in reversed(layer.wrappers):
        entry = inside(entry, dialect, model=layer.network is not None)
        outermost = wrapper is layer.wrappers[0]
        name = layer.name if outermost else wrapper.name
        config = {"name": name, **wrapper.config, "layer": entry}
        if fed and outermost:
            config |= fed
        entry = respelt("TimeDistributed", config, dialect)
    return entry


def said_config(layer: FileLayer, dialect: Dialect) -> Config:
    """A layer's configuration with its name, in the target's words."""
    known = dialect.classes.get(layer.class_name, Known())
    said = {
        known.renamed.get(key, key): value
        for key, value in layer.config.items()
        if key not in known.unsaid
    }
    return {"name": layer.inner_name if layer.wrappers else layer.name, **said}


def respelt(class_name: str, config: Config, dialect: Dialect) -> Config:
    """A layer as the dialect calls its class and its keys."""
    if dialect.respelt:
        class_name, config = respell(class_name, config, dialect.vocabulary)
    return {"class_name": class_name, "config": config}


def inside(entry: Config, dialect: Dialect, *, model: bool = False) -> Config:
    """An entry as it stands in a wrapper's configuration."""
    module = dialect.inner_modules[model]
    return {"module": module, "registered_name": None, **entry} if module else entry


# ---- functional models --------------------------------------------------------------------------


def _functional(network: Network, dialect: Dialect) -> Config:
    calls = made(network)
    numbers = _numbers(calls, dialect)

    def ref(tensor: Tensor) -> list[Any]:
        return [tensor.call.layer.name, numbers[tensor.call], tensor.index]

    entries, calls_of = [], fed(calls)
    for layer in creatable(network) if dialect.makes_as_listed else listed(network):
        nodes: list[Any] = []
        for call in calls_of.get(layer, ()):
            node = _node(call, ref, dialect)
            nodes.extend([node] * (2 if _twice(layer, dialect) else 1))
        entry = _entry(layer, dialect)
        entries.append({"name": layer.name, **entry, "inbound_nodes": nodes})
    return {
        "name": network.name,
        "layers": entries,
        "input_layers": [ref(tensor) for tensor in network.inputs],
        "output_layers": [ref(tensor) for tensor in network.outputs],
    }


def _node(call: Call, ref: Callable[[Tensor], list[Any]], dialect: Dialect) -> list[Any]:
    """One call: each tensor with the arguments; a function's single one stands alone.

    Source: tf-keras 2.21 `engine/functional.py` (`reconstruct_from_config`), `engine/node.py`
    (`Node.serialize`); the list around is kept by `_preserve_input_structure_in_config`.
    """
    if not dialect.call_arguments:
        if call.keywords or call.arguments.constants:
            raise ExportError(
                f"{dialect.name} calls layers with tensors alone", where=call.layer.name
            )
        return [ref(tensor) for tensor in call.inputs]
    keywords = {name: ref(tensor) for name, tensor in call.keywords.items()}
    given = {**call.arguments.constants, **keywords}
    node = [["_CONSTANT_VALUE", -1, value, given] for value in call.arguments.places.values()]
    node += [[*ref(tensor), given] for tensor in call.positional]
    return node[0] if call.arguments.function and len(node) == 1 else node


def _is_model(layer: FileLayer) -> bool:
    return layer.network is not None and not layer.wrappers


def _twice(layer: FileLayer, dialect: Dialect) -> bool:
    return "Keras 3" in dialect.readers and _is_model(layer)


def _numbers(calls: Sequence[Call], dialect: Dialect) -> Mapping[Call, int]:
    """The number of each call among those of its layer.

    A nested model's begin at 1: call 0 made it. Keras 3 counts them from 0 when it reads legacy
    files, so each is made twice on the same inputs: then the number 2 k + 1 is call k for both.
    Sources: Keras 2.2.4 `engine/network.py` (`Network.get_config`), Keras 3.15
    `models/functional.py` (`deserialize_node`); both seen in runs.
    """
    found: dict[Call, int] = {}
    count: dict[FileLayer, int] = {}
    for call in calls:
        number = count[call.layer] = count.get(call.layer, -1) + 1
        if _is_model(call.layer):
            number = number * (2 if _twice(call.layer, dialect) else 1) + dialect.first_call
        found[call] = number
    return found


# ---- arrays -------------------------------------------------------------------------------------


def counted(network: Network, dialect: Dialect) -> list[FileLayer]:
    """The layers that the model counts as its own, in the order in which weights are stored.

    Neither a Sequential's input is among them nor operations that are no layers.
    """
    chained = is_chain(network, dialect)
    functions = dialect.functions
    no_layers = network.functions() if functions and not functions.class_name else frozenset()
    return [
        layer
        for layer in layers_of(network)
        if layer not in no_layers and not (layer.is_input and chained)
    ]


def groups(network: Network, dialect: Dialect, backend: str) -> list[Group]:
    """The arrays of every layer of the model, in the order in which Keras loads them."""
    found: list[Group] = []
    suffix = dialect.weight_suffix[backend]
    for layer in counted(network, dialect):
        names: set[str] = set()
        arrays = [
            (_unique(called(owner, array, dialect), names) + suffix, array)
            for owner, array in stored(layer)
        ]
        found.append(Group(layer.name, tuple(arrays)))
    return found


def called(owner: FileLayer, array: Array, dialect: Dialect) -> str:
    """An array by the name that its layer gives it, without the backend's suffix."""
    if dialect.weight_names is None:
        return f"{owner.name}/{array.name}"
    around, _, own = array.name.rpartition("/")
    around = around or (owner.inner_name if owner.wrappers else owner.name)
    if own.startswith(f"{around}_"):
        return own  # an author's layer, whose names are kept
    return f"{around}_{dialect.weight_names.get(own, own)}"


def _unique(name: str, taken: set[str]) -> str:
    """A name that no other array of the group has: two nested models may call layers alike."""
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate
