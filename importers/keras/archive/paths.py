"""HDF5 weights of Keras 3 and tf-keras since 2.12: a group for each object, variables in `vars`.

Source: keras 3, keras/src/saving/saving_lib.py, `_walk_saveable` and `_save_container_state`. What
a layer is called there follows from its class and place, `layers/dense_1`; recent versions note its
name as an attribute of `vars`.
"""

from __future__ import annotations

import re

from ....errors import FormatError, show
from ..gates import DATASET, GROUP, Node, h5_get, hdf5, members, reading
from . import attributes
from .contents import Contents, Entry, Group
from .survey import Survey

ROOTS = frozenset({"layers", "_layer_checkpoint_dependencies", "vars"})
VARIABLES, OPTIMIZER = "vars", "optimizer"
NO_LAYERS = frozenset({"metrics"})
"""What tf-keras stores beside layers and the optimizer."""
MAX_DEPTH, MAX_GROUPS = 32, 200_000


def recognizes(_: Node, names: frozenset[str]) -> bool:
    """Whether the root has the groups that Keras 3 writes there."""
    return bool(ROOTS & names)


def recognizes_part(root: Node, _: frozenset[str]) -> bool:
    """Whether it may be a shard: some of the groups, or none, and no list of layers."""
    return not attributes.has(root, "layer_names") and not attributes.has(root, "nb_layers")


def read(survey: Survey, _: frozenset[str]) -> Contents:
    """Read the variables of all layers and of the optimizer."""
    groups: list[Group] = []
    beside: list[Group] = []
    optimizer: list[Entry] = []
    optimizer_names: dict[str, str] = {}
    for node in _variable_groups(survey.root):
        found = tuple(survey.weight(node, name) for name in _datasets(node))
        layer = node.path.removesuffix(VARIABLES).strip("/")
        first, _slash, rest = layer.partition("/")
        if first == OPTIMIZER:
            prefix = f"{rest}/{VARIABLES}/".lstrip("/")
            optimizer += [Entry(prefix + entry.name, entry.extent) for entry in found]
            optimizer_names[layer] = attributes.text(node, "name") or ""
        else:
            held = groups if first not in NO_LAYERS and (layer or found) else beside
            held.append(Group(layer, found, attributes.text(node, "name")))
    return Contents(
        container="weights-h5",
        form="paths",
        groups=tuple(groups),
        beside=tuple(beside),
        optimizer=tuple(optimizer),
        optimizer_names=optimizer_names,
    )


def _variable_groups(root: Node) -> list[Node]:
    """Every group `vars`, layers in the order of their numbers: `dense`, `dense_2`, `dense_10`."""
    found: list[Node] = []
    todo, seen = [(root, 0)], {_address(root)}
    while todo:
        node, depth = todo.pop()
        names = sorted(members(node), key=by_number, reverse=True)
        for name in names:
            if _kind(node, name) != GROUP:
                continue
            child = h5_get(node, name, "group")
            address = _address(child)
            if address in seen or depth == MAX_DEPTH or len(seen) == MAX_GROUPS:
                raise FormatError("groups that are nested in a circle, or too many of them",
                                  where=show(child.path))  # fmt: skip
            seen.add(address)
            if name == VARIABLES:
                found.append(child)
            else:
                todo.append((child, depth + 1))
    return found


def _datasets(group: Node) -> list[str]:
    """The variables in a group `vars`: `0`, `1`, ... `10`, in this order."""
    names = [name for name in members(group) if _kind(group, name) != GROUP]
    return sorted(names, key=by_number)


def _kind(group: Node, name: str) -> str:
    """`group` or `dataset`, of a hard link; other links count as datasets, and fail as such."""
    h5py = hdf5()
    with reading(group.path):
        key = name.encode()
        if group.id.links.get_info(key).type != h5py.h5l.TYPE_HARD:
            return DATASET
        return GROUP if h5py.h5o.get_info(group.id, key).type == h5py.h5o.TYPE_GROUP else DATASET


def _address(node: Node) -> int:
    """What tells whether two paths lead to one object."""
    with reading(node.path):
        return int(hdf5().h5o.get_info(node.id).addr)


def by_number(name: str) -> tuple[tuple[str, int], ...]:
    """Sorts `vars/10` after `vars/2`, and `dense` before `dense_1`."""
    return tuple((text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d{0,18})", name))
