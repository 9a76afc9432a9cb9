"""In which order a model's layers are called."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

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


Key = tuple[str, int]
"""A call: of which layer, and which."""


def as_keras3_runs(
    model: ModelSpec, order: list[tuple[LayerSpec, int]]
) -> list[tuple[LayerSpec, int]]:
    """The same calls as Keras 3 runs them: those that most calls come behind, first.

    It matters where a call changes what it is given, as MultiHeadAttention does with masks.
    Source: Keras 3.15 `ops/function.py` (`map_graph`, `_run_through_graph`).

    Args:
        model: The calls' model.
        order: All of its calls, each behind what it reads.
    """
    calls = {(layer.name, index): layer.calls[index] for layer, index in order}
    needs = {key: [(r.layer, r.call) for r in call.needs] for key, call in calls.items()}
    behind: dict[Key, int] = {}
    deepest: dict[str, int] = {}
    ends = [(ref.layer, ref.call) for ref in model.outputs]
    for key in reversed(list(_inwards(ends, needs))):
        depth = max(behind.setdefault(key, 0), deepest.get(key[0], 0))
        behind[key] = deepest[key[0]] = depth
        for need in needs[key]:
            if need in calls:
                behind[need] = max(depth + 1, behind.get(need, 0))
    found = sorted(behind, key=lambda key: -behind[key])
    rank = {key: number for number, key in enumerate(found)}
    return sorted(order, key=lambda one: rank.get((one[0].name, one[1]), len(rank)))


def _inwards(ends: list[Key], needs: dict[Key, list[Key]]) -> Iterator[Key]:
    """Calls from the model's outputs inwards, each behind all that it reads."""
    seen: set[Key] = set()
    stack: list[tuple[Key, Iterator[Key]]] = []
    for end in ends:
        if end in seen or end not in needs:
            continue
        seen.add(end)
        stack.append((end, iter(needs[end])))
        while stack:
            key, left = stack[-1]
            following = next((one for one in left if one not in seen and one in needs), None)
            if following is None:
                stack.pop()
                yield key
            else:
                seen.add(following)
                stack.append((following, iter(needs[following])))
