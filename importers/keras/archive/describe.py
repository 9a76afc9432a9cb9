"""What to say about an HDF5 file that is no Keras file."""

from __future__ import annotations

from ....errors import FormatError, show
from ..gates import Node, h5_get, hdf5, members, reading

LOOKED_FOR = "layer_names, nb_layers, model_config, layers/, _layer_checkpoint_dependencies/"
SHOWN = 4
SURVEYED = 1000


def not_keras(root: Node) -> FormatError:
    """The error, which names the first things that the file holds."""
    held: dict[str, list[str]] = {"dataset": [], "group": [], "link": [], "object": []}
    for name in members(root)[:SURVEYED]:
        kind = _kind(root, name)
        held[kind].append(name)
    parts = [_several(root, kind, names) for kind, names in held.items() if names]
    guess = ": data, it seems" if held["dataset"] and not held["group"] else ""
    return FormatError(
        "HDF5, but no Keras model or weights in it",
        where="file",
        hint=f"looked for {LOOKED_FOR}",
        details=(f"It holds {'; '.join(parts)}{guess}." if parts else "It holds nothing.",),
    )


def _kind(root: Node, name: str) -> str:
    h5py = hdf5()
    with reading(root.path):
        key = name.encode()
        if root.id.links.get_info(key).type != h5py.h5l.TYPE_HARD:
            return "link"
        kind = h5py.h5o.get_info(root.id, key).type
        known = {h5py.h5o.TYPE_DATASET: "dataset", h5py.h5o.TYPE_GROUP: "group"}
        return known.get(kind, "object")


def _several(root: Node, kind: str, names: list[str]) -> str:
    """Such as `2 datasets: features (50000, 2048) float32, labels (50000,) int64`."""
    said = [_dataset(root, name) if kind == "dataset" else show(name, 40) for name in names[:SHOWN]]
    more = ["..."] if len(names) > SHOWN else []
    count = f"{len(names)}{'+' if len(names) == SURVEYED else ''}"
    return f"{count} {kind}{'s' if len(names) > 1 else ''}: {', '.join(said + more)}"


def _dataset(root: Node, name: str) -> str:
    node = h5_get(root, name, "dataset")
    try:
        with reading(node.path):
            return f"{show(name, 40)} {node.id.shape} {node.id.dtype}"
    except FormatError:
        return show(name, 40)
