"""HDF5 files of Keras 1 to 2.3, tf.keras and Keras 3's legacy format: weights found by names.

Source: keras 2.3.1, keras/engine/saving.py `save_weights_to_hdf5_group`; keras 3, keras/src/legacy/
saving/legacy_h5_format.py. A whole model keeps the same structure in the group `model_weights`.
"""

from __future__ import annotations

from ....errors import FormatError
from ..gates import Node, h5_get, members
from . import attributes
from .contents import Contents, Entry, Group
from .survey import Survey

MODEL, OPTIMIZER = "model_weights", "optimizer_weights"
CONFIG, TRAINING = "model_config", "training_config"
TOP_LEVEL = "top_level_model_weights"
"""A group of tf.keras for variables of the model itself, outside of any layer; mostly empty."""


def recognizes(root: Node, names: frozenset[str]) -> bool:
    """Whether the root has what Keras 1 or later writes there."""
    said = (CONFIG, "layer_names", "layer_names0")
    return MODEL in names or any(attributes.has(root, name) for name in said)


def read(survey: Survey, names: frozenset[str]) -> Contents:
    """Read a whole model, or weights."""
    root = survey.root
    config = attributes.text(root, CONFIG)
    base = h5_get(root, MODEL, "group") if MODEL in names or config is not None else root
    facts: dict[str, str] = {}
    origins: dict[str, str] = {}
    for name in ("keras_version", "backend"):
        for node in (root, base):  # beside the weights it counts more, should the two differ
            if (said := attributes.text(node, name)) is not None:
                facts[name], origins[name] = said, f"{node.path}@{name}"
    training = attributes.text(root, TRAINING)
    if config is not None:
        origins["config"] = f"/@{CONFIG}"
    if training is not None:
        origins["training_config"] = f"/@{TRAINING}"
    groups, top, ignored = _groups(survey, base)
    optimizer: tuple[Entry, ...] = ()
    if base is not root:
        if OPTIMIZER in names:
            optimizer = survey.listed(h5_get(root, OPTIMIZER, "group"), OPTIMIZER).weights
        read = {entry.extent.path.split("/")[1] for entry in optimizer}
        ignored += [root.child(name) for name in sorted(names - {MODEL, OPTIMIZER} - read)]
    return Contents(
        container="hdf5",
        form="named",
        config=config,
        training=training,
        keras_version=facts.get("keras_version"),
        backend=facts.get("backend"),
        groups=groups + tuple(group for group in top if group.weights),
        beside=tuple(group for group in top if not group.weights),
        optimizer=optimizer,
        origins=origins,
        ignored=tuple(ignored),
    )


def _groups(survey: Survey, base: Node) -> tuple[tuple[Group, ...], list[Group], list[str]]:
    """The layers that `layer_names` lists, in its order; the model's own group; what is left."""
    layers = attributes.names(base, "layer_names")
    if layers is None:
        raise FormatError("there is no list layer_names of the layers", where=base.path)
    groups = [survey.listed(h5_get(base, layer, "group"), layer) for layer in layers]
    others, top = members(base), list[Group]()
    if TOP_LEVEL in others and TOP_LEVEL not in layers:
        others.remove(TOP_LEVEL)
        top.append(survey.listed(h5_get(base, TOP_LEVEL, "group"), TOP_LEVEL))
    listed = {layer.split("/")[0] for layer in layers}
    return tuple(groups), top, [base.child(name) for name in sorted(set(others) - listed)]
