"""RNN over several cells: the nodes of its cells as one layer, else a layer for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ....eras.recurrence import cell_groups
from ....ir.graph import Layer, Value
from ....ir.parts import FILLED, cell_number, cell_part, is_between, of_half
from ....ir.plan import Settled
from ..fit import fitted
from ..kept import kept
from ..masks import carries
from ..network import Array, Tensor
from ..site import Site
from ..spell import inside
from .recurrence import recurrent_arrays, recurrent_config, recurrent_inputs

STACK = "StackedRNNCells"
OF_STEPS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
"""What is said of an RNN, and not of its cells."""


def cells_of(parts: Mapping[str, Settled], half: str = "") -> list[Settled]:
    """The nodes of an RNN's cells in order; none where it is no stack.

    Args:
        parts: The nodes of the layer, by which part they are.
        half: Of a Bidirectional.
    """
    names = (cell_part(number, half) for number in range(len(parts)))
    return [parts[name] for name in names if name in parts]


def is_cell(site: Site) -> bool:
    """Whether a recurrent node is one of several stacked cells."""
    return site.layer is not None and cell_number(site.settled.node.part) is not None


def cell_kept(site: Site) -> dict[str, Any]:
    """What the source said of a cell, or a half, besides, where that is a layer of its own."""
    part = site.settled.node.part
    number = cell_number(part)
    if not part or site.layer is None:
        return {}
    if number is None:
        entry = site.layer.config.get("backward_layer") if part == "backward" else None
        inner = entry if isinstance(entry, Mapping) else site.layer.config["layer"]
    else:
        inner = _stored(site.layer)["cells"][number]
    found = _kept(site, inner, site.op.kind)
    trains = site.layer.config.get("trainable", True) and found.get("trainable", True)
    return {**found, "trainable": trains}


def stack(site: Site) -> bool:
    """Write all cells of an RNN as the one layer that they were, if they are written so.

    Returns:
        Whether they are written; else each is a layer of its own.
    """
    layer, cells = site.layer, cells_of(site.emission.parts(site.layer))
    if layer is None or not cells or not are_one(site):
        return False
    speak_of_masks(site, cells)
    sites = [site.beside(settled) for settled in cells]
    end, read = end_of(site, cells), site.emission.is_read
    sequences = read(end.node.results[0]) or _unread(sites, "return_sequences")
    given = [value for one in cells for value in states_behind(one, end)]
    state = any(map(read, given)) or (end is cells[-1] and all(map(read, end.node.results[:2])))
    state = state or _unread(sites, "return_state")
    fed = recurrent_inputs(site)
    returned = {"return_sequences": sequences, "return_state": state}
    results = [(end, 0 if sequences else 1)]
    results += all_states(cells) if state else []
    tensors = site.put_all(
        "RNN",
        stack_config(sites, _stored(layer), returned),
        [*fed.tensors, *states_of(sites[1:])],
        role=None,
        arrays=stack_arrays(sites, _stored(layer)),
        repeats=site.repeats(site.settled.bound["batch"]),
        outputs=len(results),
        arguments=fed.arguments,
    )
    for (settled, index), tensor in zip(results, tensors, strict=True):
        site.scope.define(settled.node.results[index], settled.results[index], tensor)
    behind = site.emission.masks.get(layer)  # of steps around
    carries(site, tensors[0], fed.carried if sequences else behind)
    fuse_cells(site, cells)
    return True


def _stored(layer: Layer) -> Mapping[str, Any]:
    """What the source said of the RNN, inside a Bidirectional too."""
    inner = layer.config.get("layer")
    found: Mapping[str, Any] = inner["config"] if isinstance(inner, Mapping) else layer.config
    return found


def end_of(site: Site, cells: Sequence[Settled], half: str = "") -> Settled:
    """The node whose results the cells give: the last one, unless the first fills absent steps."""
    return site.emission.parts(site.layer).get(of_half(half, FILLED), cells[-1])


def states_behind(cell: Settled, end: Settled) -> Sequence[Value]:
    """The states of a cell that are no result of the layer otherwise: the last result is one."""
    return cell.node.results[2 if cell is end else 1 :]


def are_one(site: Site) -> bool:
    """Whether the cells of an RNN, or of a Bidirectional, are written as one layer.

    Not where the target has none such. Not with initial states where a cell has two, which Keras 2
    wants as one list, tf.keras and Keras 3 as a list for each cell. And not behind a mask, unless
    they turn round, where some reader gives what the first cell has for steps that are absent, and
    the source does not. All seen in runs.
    """
    parts = site.emission.parts(site.layer)
    cells = [cell for part, cell in parts.items() if cell_number(part) is not None]
    given = any(held is not None for cell in cells for held in cell.inputs[2:])
    if not site.has("RNN") or (given and any(len(cell.results) > 2 for cell in cells)):
        return False
    turned = any(cell.node.op.go_backwards for cell in cells)  # type: ignore[attr-defined]
    masked = any(held is not None for cell in cells for held in cell.inputs[1:2])
    gives_first = site.backend in site.dialect.gives_first_state
    if any(part.endswith(FILLED) for part in parts):
        return gives_first
    return turned or not masked or not gives_first or _unrolls(site.layer)


def _unrolls(layer: Layer | None) -> bool:
    """Whether the source unrolls the steps, which no Keras then walks otherwise than another."""
    return layer is not None and bool(_stored(layer).get("unroll"))


def speak_of_masks(site: Site, cells: Sequence[Settled], *, turned: bool = False) -> None:
    """Say which readers compute several cells behind a mask, where they are one layer.

    Args:
        site: Any of the cells.
        cells: They.
        turned: Whether a Bidirectional turns their steps round, which tf.keras leaves as zeros.

    Raises:
        ExportError: No reader does.
    """
    masked = any(held is not None for cell in cells for held in cell.inputs[1:2])
    if not masked or site.backend not in site.dialect.gives_first_state or _unrolls(site.layer):
        return
    filled = any(part.endswith(FILLED) for part in site.emission.parts(site.layer))
    if turned and not filled:
        raise site.refuse(
            "no Keras on TensorFlow repeats the last result of both halves of several cells where "
            "a mask leaves a step out",
            "convert to ONNX",
        )
    if not filled:
        site.emission.speak("tf_keras")
    site.tell(
        "KN309",
        "note",
        "several cells behind a mask: at absent steps Keras 2.2 gives what the first has, 2.3 and "
        "tf-keras the last result",
        level="warning",
        fix=f"load the file in {'Keras 2.2' if filled else 'Keras 2.3 or tf-keras'}",
    )


def _unread(sites: Sequence[Site], key: str) -> bool:
    """What the source said that it returns, where nobody reads anything of it."""
    results = (value for one in sites for value in one.settled.node.results)
    own = sites[0].layer
    inner = {value for one in sites[1:] for value in one.settled.node.inputs}
    read = any(sites[0].emission.is_read(value) and value not in inner for value in results)
    return not read and own is not None and bool(own.config.get(key))


def all_states(cells: Sequence[Settled]) -> list[tuple[Settled, int]]:
    """What the cells hand on, as results of an RNN: each a node and which of its results.

    Source: Keras 2.2.4 `layers/recurrent.py` `StackedRNNCells.state_size`.
    """
    return [(cell, index) for cell in cells for index in range(1, len(cell.node.results))]


def states_of(sites: Sequence[Site]) -> Iterator[Tensor]:
    """The initial states of cells, where they are given."""
    for site in sites:
        inputs = site.settled.inputs
        yield from (site.x(n) for n in range(2, len(inputs)) if inputs[n] is not None)


def fuse_cells(site: Site, cells: Sequence[Settled]) -> None:
    """Say that the cells are written, and masks turned between them."""
    for settled in cells:
        site.emission.fuse(settled.node)
    for part, settled in site.emission.parts(site.layer).items():
        if is_between(part):
            site.emission.fuse(settled.node)


def stack_config(
    sites: Sequence[Site], stored: Mapping[str, Any], returned: Mapping[str, bool]
) -> dict[str, Any]:
    """The configuration of an RNN over cells.

    Args:
        sites: The cells.
        stored: What the source said of the RNN.
        returned: What it returns.
    """
    first, dialect = sites[0], sites[0].dialect
    op: Any = first.op
    cells = [_cell(one, cell) for one, cell in zip(sites, stored["cells"], strict=True)]
    own = dict(stored.get("stack", {}))
    if isinstance(own.get("dtype"), Mapping):  # a policy of Keras 3, in the target's words
        policy = {"dtype": own.pop("dtype")}
        own |= kept(Layer(first.name, STACK, policy), STACK, dialect, first.emission.report)
    config = {**own, "cells": cells}
    return {
        **returned,
        "go_backwards": op.go_backwards,
        "stateful": op.stateful,
        "unroll": bool(stored.get("unroll")),
        "cell": inside({"class_name": STACK, "config": config}, dialect),
    }


def over_cell(site: Site, source: Layer | None, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration of an RNN over one cell, where the source was one and the target has it.

    Args:
        site: The node.
        source: The source's layer.
        config: Of the layer that is called after the cell.
    """
    cell = source.config.get("cell") if source is not None else None
    if source is None or not isinstance(cell, Mapping) or not site.has("RNN"):
        return None
    if config.get("zero_output_for_mask"):
        return None
    stored = {"class_name": site.op.kind, "config": {**source.config, **cell}}
    said = {key: config[key] for key in OF_STEPS if key in config}
    return {**said, "unroll": bool(source.config.get("unroll")), "cell": _cell(site, stored)}


def _cell(site: Site, stored: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's entry: the layer that it is one of, without what is said of steps."""
    kind = site.op.kind
    said = {**_kept(site, stored, kind), **recurrent_config(site)}
    config = {
        key: value
        for key, value in fitted(kind, said, site.dialect, site.backend).items()
        if key not in OF_STEPS
    }
    name = stored["config"].get("name")
    config = {"name": name, **config} if isinstance(name, str) else config
    return inside({"class_name": f"{kind}Cell", "config": config}, site.dialect)


def _kept(site: Site, stored: Mapping[str, Any], kind: str) -> dict[str, Any]:
    layer = Layer(site.name, kind, stored["config"])
    return kept(layer, kind, site.dialect, site.emission.report)


def stack_arrays(
    sites: Sequence[Site], stored: Mapping[str, Any], prefix: str = "", place: str = ""
) -> list[Array | None]:
    """The arrays of all cells: a later one's are numbered, as TensorFlow makes names its own.

    Args:
        sites: The cells.
        stored: What the source said of the RNN.
        prefix: Of the arrays' names.
        place: Where a `.keras` file keeps the RNN, from its layer's group, with a slash.
    """
    found, count = list[Array | None](), dict[str, int]()
    groups = cell_groups(site.op.kind for site in sites)
    for site, cell, group in zip(sites, stored["cells"], groups, strict=True):
        trains = cell["config"].get("trainable") is not False
        for array in recurrent_arrays(site, prefix):
            if array is None:
                continue
            number = count[array.name] = count.get(array.name, -1) + 1
            name = f"{array.name}_{number}" if number else array.name
            changed = {"name": name, "trains": trains, "place": place + group}
            found.append(msgspec.structs.replace(array, **changed))
    return found
