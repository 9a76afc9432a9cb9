"""Layers whose calls Keras 1 cannot make at once, written as several with the same weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
        ready = (one for one in waiting if len(_ready(calls[one], there)) == len(calls[one]))
        layer = next(ready, None) or _begun(waiting, calls, there)
        made = _ready(calls[layer], there)
        if len(made) < len(calls[layer]):
            copy = _copy(network, layer)
            calls[copy] = [call for call in calls[layer] if call not in made]
            for call in calls[copy]:
                call.layer = copy
            waiting.append(copy)
            if layer.arrays or layer.network is not None:
                _tell(layer, copy, report)
        there.add(layer)
        waiting.remove(layer)


def _begun(
    waiting: Sequence[FileLayer], calls: Mapping[FileLayer, Sequence[Call]], there: set[FileLayer]
) -> FileLayer:
    """The first layer of which a call can be made: there is one, as calls go round in no circle."""
    return next(one for one in waiting if _ready(calls[one], there))


def _ready(calls: Sequence[Call], there: set[FileLayer]) -> list[Call]:
    """The calls of a layer that can be made: on what is there, or on what they give one another."""
    found: list[Call] = []
    for call in calls:
        if all(one.call.layer in there or one.call in found for one in call.inputs):
            found.append(call)
    return found


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
