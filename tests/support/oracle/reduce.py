"""Make a failing model small: as few layers as still fail, for whoever has to find out why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .evaluate import Key, calls, calls_in_order, key
from .example import Example
from .layer import MODELS, Array, Config


def reduced(example: Example, fails: Callable[[Example], bool], backend: str = "theano") -> Example:
    """The first value that fails alone, and before it inputs instead of as many layers as possible.

    Args:
        example: a functional model that fails; a Sequential is handed back as it is.
        fails: whether a model fails; it should answer False to one that it cannot judge.
        backend: computes what the new inputs hold.
    """
    if example.config["class_name"] != "Model":
        return example
    for value in values_of(example):
        alone = with_outputs(example, [value])
        if fails(alone):
            example = alone
            break
    for value in reversed(values_of(example)):
        if value in values_of(example):
            (array,) = with_outputs(example, [value]).outputs(backend)
            shorter = cut(example, value, array)
            example = shorter if fails(shorter) else example
    return example


def values_of(example: Example) -> list[Key]:
    """What layers make and something uses, each behind what it is made from."""
    config = example.config["config"]
    order = calls_in_order(config)
    used = {link for call in order for link in call.inputs} | set(_keys(config["output_layers"]))
    return sorted(
        (value for value in used if value[:2] in {call.id for call in order}),
        key=lambda value: ([call.id for call in order].index(value[:2]), value[2]),
    )


def with_outputs(example: Example, outputs: Sequence[Key]) -> Example:
    """The part of a model that these values need, its calls counted anew."""
    config = example.config["config"]
    by_id = {call.id: call for call in calls(config)}
    needed: set[tuple[str, int]] = set()
    stack = [value[:2] for value in outputs]
    while stack:
        made_by = stack.pop()
        if made_by not in needed:
            needed.add(made_by)
            stack += [link[:2] for link in by_id[made_by].inputs] if made_by in by_id else []

    numbers: dict[tuple[str, int], int] = {}
    for layer, number in sorted(needed):
        before = sum((layer, earlier) in needed for earlier in range(number))
        numbers[layer, number] = before + (1 if _is_model(config, layer) else 0)

    def link(value: Key) -> list[object]:
        return [value[0], numbers[value[:2]], value[2]]

    layers = [
        entry
        | {
            "inbound_nodes": [
                [[*link(value), {}] for value in call.inputs]
                for call in by_id.values()
                if call.entry is entry and call.id in needed
            ]
        }
        for entry in config["layers"]
        if any(entry["name"] == layer for layer, _ in needed)
    ]
    starts = [value[:2] in needed for value in _keys(config["input_layers"])]
    kept = config | {
        "layers": layers,
        "input_layers": [
            link(value) for value in _keys(config["input_layers"]) if value[:2] in needed
        ],
        "output_layers": [link(value) for value in outputs],
    }
    names = {entry["name"] for entry in layers}
    return example._replace(
        config=example.config | {"config": kept},
        weights={at: found for at, found in example.weights.items() if at.split("/")[0] in names},
        inputs=[array for array, start in zip(example.inputs, starts, strict=True) if start],
    )


def cut(example: Example, value: Key, array: Array) -> Example:
    """The model with an input instead of one of its values."""
    config = example.config["config"]
    name = "_".join(["cut", *map(str, value)])
    shape = [None, *array.shape[1:]]
    told = {"batch_input_shape": shape, "dtype": "float32", "sparse": False, "name": name}
    entry = {"name": name, "class_name": "InputLayer", "config": told, "inbound_nodes": []}

    def instead(links: Iterable[Sequence[object]]) -> list[Sequence[object]]:
        return [[name, 0, 0, *link[3:]] if key(link) == value else link for link in links]

    layers = [
        found | {"inbound_nodes": [instead(node) for node in found["inbound_nodes"]]}
        for found in config["layers"]
    ]
    outputs = instead(config["output_layers"])
    changed = config | {
        "layers": [entry, *layers],
        "input_layers": [[name, 0, 0], *config["input_layers"]],
        "output_layers": outputs,
    }
    fed = example._replace(
        config=example.config | {"config": changed},
        inputs=[array.astype("float32"), *example.inputs],
    )
    return with_outputs(fed, _keys(outputs))


def _keys(links: Iterable[Sequence[object]]) -> list[Key]:
    return [key(link) for link in links]


def _is_model(config: Config, layer: str) -> bool:
    return any(e["name"] == layer and e["class_name"] in MODELS for e in config["layers"])
