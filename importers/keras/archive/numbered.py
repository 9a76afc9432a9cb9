"""HDF5 weights of Keras 0.x: no names, no version, no configuration.

Source: keras 0.3.3, keras/models.py, `Sequential.save_weights` and `Graph.save_weights`. A
Sequential has one group per layer, those without weights included; a Graph has one for all.
"""

from __future__ import annotations

from ..gates import Node, h5_get
from . import attributes
from .contents import Contents
from .survey import Survey

GRAPH = "graph"
MAX_LAYERS = 100_000


def recognizes_layers(root: Node, _: frozenset[str]) -> bool:
    """Whether these are the weights of a Sequential."""
    return attributes.has(root, "nb_layers")


def recognizes_graph(root: Node, names: frozenset[str]) -> bool:
    """Whether these are the weights of a Graph."""
    return GRAPH in names and attributes.has(h5_get(root, GRAPH, "group"), "nb_params")


def read_layers(survey: Survey, names: frozenset[str]) -> Contents:
    """Read the weights of a Sequential."""
    layers = [f"layer_{k}" for k in range(attributes.count(survey.root, "nb_layers", MAX_LAYERS))]
    return Contents(
        container="hdf5",
        form="numbered",
        groups=tuple(
            survey.counted(h5_get(survey.root, layer, "group"), layer) for layer in layers
        ),
        ignored=tuple(survey.root.child(name) for name in sorted(names.difference(layers))),
    )


def read_graph(survey: Survey, names: frozenset[str]) -> Contents:
    """Read the weights of a Graph."""
    group = survey.counted(h5_get(survey.root, GRAPH, "group"), GRAPH)
    ignored = tuple(survey.root.child(name) for name in sorted(names - {GRAPH}))
    return Contents(container="hdf5", form="graph", groups=(group,), ignored=ignored)
