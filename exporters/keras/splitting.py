"""Layers whose calls Keras 1 cannot make at once, written as several with the same weights."""

from __future__ import annotations

from ...ir.report import Report
from .network import Call, FileLayer, Network
from .order import listed, reachable


def split_calls(network: Network, report: Report) -> None:
    """Make a layer of its own of calls that read what comes of the layer's earlier ones.

    Keras 1 makes all calls of a layer when it comes to it, so that no other layer can stand
    between two of them: it cannot load its own file of that.
    Source: Keras 1.2.2 `engine/topology.py` (`Container.from_config`); a genuine run.

    Args:
        network: A whole model, those inside included; its calls are changed.
        report: Where a copy of weights is told.
    """
    there: set[FileLayer] = set()
    waiting = listed(network)
    for layer in waiting:
        if layer.network is not None:
            split_calls(layer.network, report)
    calls: dict[FileLayer, list[Call]] = {}
    for call in reachable(network):
        calls.setdefault(call.layer, []).append(call)
    while waiting:
        ready = [layer for layer in waiting if all(_is_ready(c, there) for c in calls[layer])]
        begun = [layer for layer in waiting if any(_is_ready(c, there) for c in calls[layer])]
        layer = (ready or begun or waiting)[0]
        if not ready and begun:
            copy = _copy(network, layer)
            calls[copy] = [call for call in calls[layer] if not _is_ready(call, there)]
            for call in calls[copy]:
                call.layer = copy
            waiting.append(copy)
            if layer.arrays or layer.network is not None:
                _tell(layer, copy, report)
        there.add(layer)
        waiting.remove(layer)


def _is_ready(call: Call, there: set[FileLayer]) -> bool:
    return all(tensor.call.layer in there for tensor in call.inputs)


def _copy(network: Network, layer: FileLayer) -> FileLayer:
    return FileLayer(
        network.unique(layer.name),
        layer.class_name,
        layer.config,
        layer.arrays,
        layer.wrappers,
        layer.inner_name,
        layer.network,
    )


def _tell(layer: FileLayer, copy: FileLayer, report: Report) -> None:
    report.add(
        "KX401",
        "changed",
        f"{layer.name} is called on what comes of its own result: written once more as "
        f"{copy.name}, with a copy of its weights",
        layer=layer.name,
        level="warning",
    )
