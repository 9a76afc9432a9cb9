"""The order in which Keras lists a functional model's layers: weights are loaded by it.

Keras 2.2.4 `engine/network.py` (`_map_graph_network`), tf-keras 2.21 `engine/functional.py` and
Keras 3.15 `ops/function.py` (`map_graph`) agree: by depth, the farthest from the outputs first;
layers of one depth as a depth-first walk from the outputs meets them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .dialects import Dialect
from .network import NOTHING, Array, Call, FileLayer, Network

CONVERTED = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D"})
"""Classes whose first array Keras 2.2.4 converts on loading (`preprocess_weights_for_loading`)."""


def reachable(network: Network) -> list[Call]:
    """The calls that an output needs, and all inputs, in order of execution."""
    needed = set(_postorder(network)[0])
    return [call for call in network.calls if call in needed or call.layer.is_input]


def chain(network: Network) -> list[FileLayer] | None:
    """The layers one behind the other, the input first; None if the network is no chain.

    A call that is given something besides its tensor is no link of one: a Sequential has no place
    to say so.
    """
    calls = reachable(network)
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        return None
    for before, call in itertools.pairwise(calls):
        if len(call.inputs) != 1 or call.inputs[0].call is not before or call.inputs[0].index:
            return None
        if call.arguments != NOTHING:
            return None
    layers = [call.layer for call in calls]
    if len(set(layers)) < len(layers) or network.outputs[0].call is not calls[-1]:
        return None
    return layers if network.outputs[0].index == 0 else None


class Merged(NamedTuple):
    """A Sequential that begins with a merge of models, each fed by itself.

    Attributes:
        models: What is merged.
        merge: What merges.
        rest: The layers behind.
    """

    models: list[FileLayer]
    merge: FileLayer
    rest: list[FileLayer]


def merged(network: Network) -> Merged | None:
    """The network as a merge of models and a chain behind it; None if it is none.

    Source: Keras 1.2.2 `models.py` (`Sequential.add`, `get_config`).
    """
    calls = [call for call in reachable(network) if not call.layer.is_input]
    models = list(itertools.takewhile(lambda call: call.layer.network is not None, calls))
    behind = calls[len(models) :]
    if len(models) < 2 or not behind or len(network.outputs) != 1:
        return None
    fed = [tensor for call in models for tensor in call.inputs]
    given = [tensor.call for tensor in behind[0].inputs]
    links = itertools.pairwise(behind)
    chained = all([t.call for t in call.inputs] == [before] for before, call in links)
    layers = [call.layer for call in calls]
    plain = all(call.arguments == NOTHING and len(call.outputs) == 1 for call in calls)
    if fed != network.inputs or given != models or not chained or not plain:
        return None
    if len(set(layers)) < len(layers) or network.outputs[0].call is not behind[-1]:
        return None
    if any(layer.wrappers for layer in layers[: len(models) + 1]):
        return None
    return Merged(layers[: len(models)], behind[0].layer, layers[len(models) + 1 :])


def settle_kind(network: Network, dialect: Dialect) -> None:
    """Say of a Sequential that it begins with a merge of models, where the target has such.

    The file lists the layers of all of them together, so that no two may be called alike.
    """
    if network.kind != "sequential" or not dialect.merges_models or not merged(network):
        return
    network.kind = "merged"
    names = [layer.name for layer in _flattened(network) or ()]
    if len(set(names)) < len(names):
        network.kind = "sequential"


def _flattened(network: Network) -> list[FileLayer] | None:
    """The layers of a Sequential and, if it begins with a merge of models, theirs as well.

    Source: Keras 1.2.2 `models.py` (`Sequential.flattened_layers`).
    """
    if network.kind == "sequential":
        found = chain(network)
        return None if found is None else found[1:]
    parts = merged(network) if network.kind == "merged" else None
    if parts is None:
        return None
    models = [layer.network for layer in parts.models if layer.network is not None]
    return [
        *itertools.chain.from_iterable(_flattened(one) or listed(one) for one in models),
        *parts.rest,
    ]


def listed(network: Network) -> list[FileLayer]:
    """A functional model's layers in Keras' order."""
    # where no layer is called twice, Keras 1 comes to the same, by a way that takes far longer
    shared = len({call.layer for call in network.calls}) < len(network.calls)
    depth_of, index = (_walked if network.as_listed and shared else _by_depth)(network)
    unused = [t.call.layer for t in network.inputs if t.call.layer not in depth_of]
    return unused + sorted(depth_of, key=lambda layer: (-depth_of[layer], index[layer]))


Depths = tuple[dict[FileLayer, int], dict[FileLayer, int]]
"""How far each layer is from the outputs, and the number under which it is first met."""


def _by_depth(network: Network) -> Depths:
    postorder, index = _postorder(network)
    call_depth: dict[Call, int] = {}
    depth_of: dict[FileLayer, int] = {}
    for call in reversed(postorder):
        depth = max(call_depth.get(call, 0), depth_of.get(call.layer, 0))
        call_depth[call] = depth_of[call.layer] = depth
        for tensor in call.inputs:
            call_depth[tensor.call] = max(depth + 1, call_depth.get(tensor.call, 0))
    return depth_of, index


def _walked(network: Network) -> Depths:
    """As Keras 1 walks: what one call of a layer adds to its depth does not reach its other calls.

    Source: Keras 1.2.2 `engine/topology.py` (`Container.__init__`, `build_map_of_graph`).
    """
    depth_of: dict[FileLayer, int] = {}
    index: dict[FileLayer, int] = {}

    def enter(call: Call, depth: int) -> tuple[int, Iterator[Call]]:
        depth_of[call.layer] = depth = max(depth, depth_of.get(call.layer, 0))
        index.setdefault(call.layer, len(index))
        return depth + 1, iter([tensor.call for tensor in call.inputs])

    for output in network.outputs:
        seen = {(output.call, 0)}
        stack = [enter(output.call, 0)]
        while stack:
            depth, inputs = stack[-1]
            following = next((call for call in inputs if (call, depth) not in seen), None)
            if following is None:
                stack.pop()
                continue
            seen.add((following, depth))
            stack.append(enter(following, depth))
    return depth_of, index


def creatable(network: Network) -> list[FileLayer]:
    """The layers as listed, but each behind all that any of its calls reads.

    Keras 1 makes all calls of a layer when it comes to it. What is called again on what came of
    its own result has no such place, and stays where Keras lists it: Keras 1 cannot load its own
    file of that.
    Source: Keras 1.2.2 `engine/topology.py` (`Container.from_config`).
    """
    needs: dict[FileLayer, set[FileLayer]] = {}
    for call in reachable(network):
        needs.setdefault(call.layer, set()).update(tensor.call.layer for tensor in call.inputs)
    waiting, there = listed(network), dict[FileLayer, None]()
    while waiting:
        ready = (layer for layer in waiting if needs[layer] <= {layer, *there})
        layer = next(ready, waiting[0])
        there[layer] = None
        waiting.remove(layer)
    return list(there)


def fed(calls: Sequence[Call]) -> dict[FileLayer, list[Call]]:
    """The calls of each layer that have inputs, in their order."""
    found: dict[FileLayer, list[Call]] = {}
    for call in calls:
        if call.inputs:
            found.setdefault(call.layer, []).append(call)
    return found


def made(network: Network) -> list[Call]:
    """The calls in the order in which Keras 2.2 makes them again when it loads the model.

    It goes through the layers as listed, over and over, and makes every call whose inputs are
    there, so a layer's later call may come before an earlier one: it is number 0 then, whatever
    the file says. Later versions keep a layer's calls in order; numbered as they are made here,
    all versions agree.
    Source: Keras 2.2.4 `engine/network.py` (`Network.from_config`).
    """
    waiting: dict[FileLayer, list[Call]] = {}
    for call in reachable(network):
        waiting.setdefault(call.layer, []).append(call)
    layers = listed(network)
    there: dict[Call, None] = {}
    while any(waiting.values()):
        for layer in layers:
            for call in list(waiting[layer]):
                if all(tensor.call in there for tensor in call.inputs):
                    there[call] = None
                    waiting[layer].remove(call)
    return list(there)


def layers_of(network: Network) -> list[FileLayer]:
    """A model's layers in the order in which their weights are stored, inputs included."""
    if network.kind == "merged":
        return _flattened(network) or listed(network)
    found = chain(network) if network.kind == "sequential" else None
    return listed(network) if found is None else found


def stored(layer: FileLayer) -> list[tuple[FileLayer, Array]]:
    """A layer's arrays as legacy HDF5 lists them, each with the layer that it belongs to.

    A nested model's: all that train, in the order of its layers, then all others.
    Source: Keras 2.2.4 `engine/network.py` (`Network.weights`); Keras 3.15
    `legacy/saving/legacy_h5_format.py` (`_legacy_weights`).
    """
    training, others = _split(layer)
    return training + others


def defies_keras2(layer: FileLayer) -> bool:
    """Whether Keras 2.2 fails to load this model inside another one.

    It hands the inner model what does not train by itself, and takes the first of it for kernels.
    Source: runs of Keras 2.2.4 (`engine/saving.py`, `convert_nested_model`).
    """
    training, others = _split(layer)
    owners = {owner.class_name for owner, _ in training}
    return bool(others) and bool(owners & CONVERTED)


def trained(network: Network) -> list[tuple[FileLayer, Array]]:
    """The arrays that training changes, in the order in which an optimizer's slots follow them."""
    return [pair for layer in layers_of(network) for pair in _split(layer)[0]]


def _split(
    layer: FileLayer,
) -> tuple[list[tuple[FileLayer, Array]], list[tuple[FileLayer, Array]]]:
    training: list[tuple[FileLayer, Array]] = []
    others: list[tuple[FileLayer, Array]] = []
    if layer.network is None:
        frozen = not layer.config.get("trainable", True)
        training = [(layer, array) for array in layer.arrays if array.trains and not frozen]
        held = [(layer, array) for array in layer.arrays]
        others = [pair for pair in held if frozen or not pair[1].trains]
        if frozen:
            others.sort(key=lambda pair: not pair[1].trains)
        return training, others
    for inner in layers_of(layer.network):
        first, rest = _split(inner)
        training += first
        others += rest
    return training, others


def _postorder(network: Network) -> tuple[list[Call], dict[FileLayer, int]]:
    """Calls behind their inputs, and the number under which each layer is first met."""
    done: set[Call] = set()
    order: list[Call] = []
    index: dict[FileLayer, int] = {}
    for output in network.outputs:
        if output.call in done:
            continue
        stack: list[tuple[Call, Iterator[Call]]] = [_visit(output.call, index)]
        while stack:
            call, inputs = stack[-1]
            following = next((c for c in inputs if c not in done), None)
            if following is not None:
                stack.append(_visit(following, index))
                continue
            stack.pop()
            if call not in done:
                done.add(call)
                order.append(call)
    return order, index


def _visit(call: Call, index: dict[FileLayer, int]) -> tuple[Call, Iterator[Call]]:
    index.setdefault(call.layer, len(index))
    return call, iter([tensor.call for tensor in call.inputs])
