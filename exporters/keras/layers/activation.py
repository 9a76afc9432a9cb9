"""Activations: as layers, and as the `activation` of the layer before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....eras.activations import FUNCTIONS
from ....ir.layout import Axis, Layout, find, key, size_of
from ....ir.op import Op
from ....ir.ops.activation import (
    Elu,
    Exponential,
    HardSigmoid,
    LeakyRelu,
    Linear,
    PRelu,
    Relu,
    Selu,
    Sigmoid,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedRelu,
    TrainingOnly,
)
from ....ir.ops.opaque import Opaque
from ....ir.plan import Settled
from ..hard_sigmoid import warn_of_readers
from ..network import Array
from ..registry import writes
from ..site import Site

UNNAMED: frozenset[str] = frozenset({"relu6"})
"""Names that not all versions know: written as layers."""


def name_of(site: Site, op: Op) -> str | None:
    """The name under which the target computes this function; None if it has none."""
    table = FUNCTIONS[site.dialect.vocabulary]
    found = next((n for n, known in table.items() if known == op and n not in UNNAMED), None)
    if found is not None and isinstance(op, HardSigmoid):
        warn_of_readers(site)
    return found


def fused(site: Site) -> str:
    """The name of the activation behind a node, if the node's layer can state it; else linear.

    What can be stated is taken over: `Site.give` gives its result as well.
    """
    after = site.emission.follower(site.settled.node)
    if after is None or after.node.part != "activation":
        return "linear"
    return _stated(site, after) or "linear"


def _stated(site: Site, after: Settled) -> str | None:
    op = after.node.op
    if isinstance(op, Softmax):
        layout = after.input
        last = after.bound["axis"] == layout.terms[-1:]
        name = "softmax" if last else None
    elif isinstance(op, Opaque):
        name = op.layer_class
    else:
        name = name_of(site, op)
    if name is not None:
        site.take_over(after)
    return name


def as_layer(site: Site) -> tuple[str, Mapping[str, Any]] | None:
    """The layer that computes a function which has no name."""
    op = site.op
    if isinstance(op, LeakyRelu):
        return "LeakyReLU", {"alpha": op.negative_slope}
    if isinstance(op, Elu):
        return "ELU", {"alpha": op.alpha}
    if isinstance(op, ThresholdedRelu):
        if op.theta < 0 or "Keras 3" not in site.dialect.readers:
            return "ThresholdedReLU", {"theta": op.theta}
        # x where x > theta, else 0: this is how every version computes a ReLU with a threshold
        site.tell("KX102", "changed", "ThresholdedReLU is written as a ReLU with a threshold")
        return "ReLU", _relu(Relu(threshold=op.theta))
    return ("ReLU", _relu(op)) if isinstance(op, Relu) else None


def _relu(op: Relu) -> Mapping[str, Any]:
    return {
        "max_value": op.max_value,
        "negative_slope": op.negative_slope,
        "threshold": op.threshold,
    }


@writes(
    Linear, Relu, LeakyRelu, Elu, Selu, ThresholdedRelu, Sigmoid, HardSigmoid, Tanh, Softplus,
    Softsign, Exponential,
    attributes="max_value negative_slope threshold alpha theta slope shift",
)  # fmt: skip
def elementwise(site: Site) -> None:
    """A function of each number by itself: as the source's class of layer, or by its name."""
    layer = as_layer(site)
    if layer is None or not site.layer or site.layer.class_name != layer[0]:
        name = name_of(site, site.op)
        layer = ("Activation", {"activation": name}) if name else layer
    if layer is None:
        raise site.refuse(f"{site.op} has neither a name nor a layer in {site.dialect.name}")
    x = site.x()
    site.give(site.put(*layer, [x], repeats=site.own_repeats(), mask=x.mask))


@writes(Softmax)
def softmax(site: Site) -> None:
    """Softmax: by name along the last axis, else as a layer that says its axis."""
    x = site.x()
    axis = site.axis("axis")
    repeats = site.own_repeats()
    rank = len(site.seen(site.settled.input))
    if axis == rank - 1 and not (site.layer and site.layer.class_name == "Softmax"):
        y = site.put("Activation", {"activation": "softmax"}, [x], repeats=repeats, mask=x.mask)
    else:
        config = {"axis": site.number(axis - repeats, rank - repeats)}
        y = site.put("Softmax", config, [x], repeats=repeats, mask=x.mask)
    site.give(y)


@writes(PRelu)
def prelu(site: Site) -> None:
    """PReLU: alpha has the input's rank, with 1 along the axes that share it."""
    x = site.x()
    repeats = site.own_repeats()
    terms = site.seen(site.settled.input)[1 + repeats :]
    span = {key(term) for term in site.settled.bound["span"]}
    stored = Layout(tuple(term if key(term) in span else Axis("X", 1) for term in terms))
    shared = [
        index for index, term in enumerate(terms, 1) if key(term) not in span and size_of(term) != 1
    ]
    alpha = Array("alpha", site.settled.node.params["alpha"], stored)
    config = {"shared_axes": shared or None}
    site.give(site.put("PReLU", config, [x], arrays=[alpha], repeats=repeats, mask=x.mask))


RANKS: Mapping[str, int] = {"SpatialDropout1D": 3, "SpatialDropout2D": 4, "SpatialDropout3D": 5}
"""Classes that drop whole channels, and the rank of their input."""


@writes(TrainingOnly, attributes="layer_class")
def training_only(site: Site) -> None:
    """A layer that acts in training alone, with what the source said of it."""
    op, x = site.op, site.x()
    assert isinstance(op, TrainingOnly)
    repeats = site.own_repeats(all_around=op.layer_class in RANKS)
    rank = len(site.seen(site.settled.input)) - repeats
    if RANKS.get(op.layer_class, rank) != rank:
        _lost(site, f"{op.layer_class} cannot be written for {site.settled.input}: left out")
        site.give(x)
        return
    config = {**_channels(site, op.layer_class, repeats), **_noise_shape(site, repeats)}
    site.give(site.put(op.layer_class, config, [x], repeats=repeats, mask=x.mask))


def _channels(site: Site, class_name: str, repeats: int) -> dict[str, Any]:
    """Where the axis now is that the author counted as the channels."""
    source = site.settled.node.inputs[0]
    if class_name not in RANKS or site.layer is None or source is None:
        return {}
    lead = 1 + site.depth + site.lost + len(site.layer.wrappers)
    first = site.layer.config.get("data_format") == "channels_first"
    channels = source.axes[lead] if first else source.axes[-1]
    terms = site.seen(site.settled.input)[repeats:]
    at = find(terms, channels)
    known = {len(terms) - 1} | ({1} if class_name != "SpatialDropout1D" else set())
    if at not in known:
        _lost(site, f"its channels are axis {at} now; in training it drops others")
    if class_name == "SpatialDropout1D":
        return {}
    return {"data_format": "channels_first" if at == 1 else "channels_last"}


def _noise_shape(site: Site, repeats: int) -> dict[str, Any]:
    """Dropout's `noise_shape` in the order that its axes have now."""
    config = site.layer.config if site.layer else {}
    stated, source = config.get("noise_shape"), site.settled.node.inputs[0]
    if stated is None and site.layer and site.layer.class_name not in RANKS:
        return {key: None for key in ("noise_shape",) if key in config}
    if not isinstance(stated, (list, tuple)) or source is None:
        return {}
    around = site.depth + site.lost + len(site.layer.wrappers if site.layer else ())
    mine = source.axes[around:]
    terms = site.seen(site.settled.input)[repeats:]
    sizes = {key(term): size for term, size in zip(mine, stated, strict=False)}
    if len(mine) != len(stated) or any(key(term) not in sizes for term in terms):
        _lost(site, f"noise_shape {list(stated)} has no counterpart in {site.settled.input}")
        return {}
    return {"noise_shape": [sizes[key(term)] for term in terms]}


def _lost(site: Site, what: str) -> None:
    site.tell("KX202", "lost", what, level="warning")
