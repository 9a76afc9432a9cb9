"""In which order a model's layers are called."""

from __future__ import annotations

import heapq

from ...errors import ConfigError
from .spec import LayerSpec, ModelSpec, Ref


def in_order(model: ModelSpec, known: set[Ref]) -> list[tuple[LayerSpec, int]]:
    """Calls in an order of execution, in the file's order where that is free (Kahn).

    Raises:
        ConfigError: A cycle, or a reference to something that does not exist.
    """
    calls = [
        (layer, index)
        for layer in model.layers
        for index, call in enumerate(layer.calls)
        if Ref(layer.name, index) not in known
    ]
    made = {(layer.name, index) for layer, index in calls} | {(r.layer, r.call) for r in known}
    waiting: dict[tuple[str, int], list[int]] = {}
    missing = [0] * len(calls)
    for number, (layer, index) in enumerate(calls):
        needs = {(ref.layer, ref.call) for ref in layer.calls[index].needs}
        for need in needs:
            if need not in made:
                raise ConfigError(f"it reads call {need[1]} of {need[0]!r}", where=layer.name)
            if not any(ref.layer == need[0] and ref.call == need[1] for ref in known):
                waiting.setdefault(need, []).append(number)
                missing[number] += 1
    ready = [n for n, count in enumerate(missing) if count == 0]  # sorted, so a heap
    order: list[tuple[LayerSpec, int]] = []
    while ready:
        number = heapq.heappop(ready)
        layer, index = calls[number]
        order.append((layer, index))
        for other in waiting.get((layer.name, index), ()):
            missing[other] -= 1
            if missing[other] == 0:
                heapq.heappush(ready, other)
    if len(order) < len(calls):
        stuck = next(calls[n][0].name for n, count in enumerate(missing) if count)
        raise ConfigError("the graph has a cycle", where=stuck)
    return order
