"""Activations: as layers, and as the `activation` of the layer before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....eras.activations import ALONG_LAST, READ_ALONE
from ....eras.storage import CONVOLVES
from ....ir.derived import below, magnitude, negative
from ....ir.layout import Axis, Layout, find, fuse, key, size_of
from ....ir.ops.activation import (
    Abs,
    Affine,
    AlongAxis,
    Celu,
    Clip,
    Elu,
    Exponential,
    Gelu,
    HardShrink,
    HardSigmoid,
    HardSilu,
    LeakyRelu,
    Linear,
    Log,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ParametricSoftplus,
    Power,
    PRelu,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    SoftShrink,
    Softsign,
    Sparsemax,
    SparsePlus,
    SquarePlus,
    SRelu,
    Tanh,
    TanhShrink,
    ThresholdedLinear,
    ThresholdedRelu,
    TrainingOnly,
)
from ....ir.ops.maths import Function
from ....ir.ops.opaque import Opaque
from ....ir.plan import Settled
from ..elementwise import applied, name_of
from ..functions import operation
from ..network import Array, Tensor
from ..registry import writes
from ..site import Site
from ..spanned import Spanned


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
    if isinstance(op, AlongAxis):
        last = after.bound["axis"] == after.input.terms[-1:] and _is_low(site, after.input)
        name = "softmax" if last and isinstance(op, Softmax) else None
    elif isinstance(op, Opaque):
        name = op.layer_class
    else:
        name = name_of(site, op)
    if name is not None:
        site.take_over(after)
    return name


@writes(
    Linear, Relu, LeakyRelu, Elu, Selu, ThresholdedRelu, Sigmoid, HardSigmoid, Tanh, Softplus,
    Softsign, Exponential, Silu, HardSilu, Gelu, Mish, Celu, LogSigmoid, TanhShrink, HardShrink,
    SoftShrink, SquarePlus, SparsePlus, Affine, Power, Abs, Log, Clip, Function,
    ThresholdedLinear,
    attributes="max_value negative_slope threshold alpha theta slope shift approximate b scale "
    "offset exponent low high function",
)  # fmt: skip
def elementwise(site: Site) -> None:
    """A function of each number by itself."""
    site.give(applied(site, site.op, site.x()))


@writes(Softmax)
def softmax(site: Site) -> None:
    """Softmax: by name along the last axis, else as a layer that says its axis."""
    x = site.x()
    axes = site.settled.positions("axis")
    repeats = site.own_repeats()
    rank = len(site.seen(site.settled.input))
    along_last = len(axes) == 1 and axes[0] - site.depth == rank - 1
    own = site.layer is not None and site.layer.class_name == "Softmax" and site.has("Softmax")
    if not site.has("Softmax") and not (along_last and _is_low(site, site.settled.input, repeats)):
        _flat_softmax(site, x)
        return
    numbers = [site.number(axis - site.depth - repeats, rank - repeats) for axis in axes]
    if along_last and not own:
        config: dict[str, Any] = {"activation": "softmax"}
        y = site.put("Activation", config, [x], repeats=repeats, mask=x.mask)
    else:
        axis = numbers[0] if len(numbers) == 1 else numbers
        y = site.put("Softmax", {"axis": axis}, [x], repeats=repeats, mask=x.mask)
    site.give(y)


def _is_low(site: Site, layout: Layout, repeats: int = 0) -> bool:
    """Whether the target's softmax takes so many dimensions."""
    rank = len(site.seen(layout)) - repeats
    return rank <= site.dialect.highest.get("softmax", rank)


def _flat_softmax(site: Site, x: Tensor) -> None:
    """Softmax over the last of three dimensions, and back: for a Keras that has no other."""
    have = site.settled.input
    lead = have.terms[: 1 + site.depth]
    along = site.settled.bound["axis"]
    gone = {key(term) for term in along}
    rest = tuple(term for term in have.terms[len(lead) :] if key(term) not in gone)
    flat = Layout((*lead, *((fuse(rest),) if rest else ()), fuse(along)))
    y = site.bring(x, have, flat)
    y = site.put("Activation", {"activation": "softmax"}, [y])
    site.give(site.bring(y, flat, site.settled.results[0]))


@writes(LogSoftmax, Sparsemax)
def along_axis(site: Site) -> None:
    """Other functions along an axis: by name along the last one, else as an operation."""
    x = site.x()
    axes = [axis - site.depth for axis in site.settled.positions("axis")]
    rank = len(site.seen(site.settled.input))
    name = _name_along_last(site) if axes == [rank - 1] else None
    if name is not None:
        y: Tensor | None = site.put(
            "Activation",
            {"activation": name},
            [x],
            repeats=site.own_repeats(),
            mask=x.mask,
        )
    elif len(axes) == 1:
        kind = "sparsemax" if isinstance(site.op, Sparsemax) else "log_softmax"
        y = operation(site, kind, [x], axis=site.number(axes[0], rank))
    else:
        y = None
    if y is None:
        raise site.refuse(f"{site.op} along {axes} has no word in {site.dialect.name}")
    site.give(y)


def _name_along_last(site: Site) -> str | None:
    """What a function along the last axis is called."""
    own = site.dialect.vocabulary
    for vocabulary in (own, *site.dialect.later):
        for name, known in ALONG_LAST[vocabulary].items():
            if known == site.op and name not in READ_ALONE:
                site.emission.speak(vocabulary if vocabulary != own else "")
                return name
    return None


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


@writes(ParametricSoftplus)
def parametric_softplus(site: Site) -> None:
    """ParametricSoftplus of Keras 1, composed: alpha * softplus(beta * x)."""
    if "ParametricSoftplus" in site.dialect.classes:
        _put_spanning(site, "ParametricSoftplus", {"alpha": "alphas", "beta": "betas"})
        return
    site.tell("KX102", "changed", "ParametricSoftplus is written as a scaled softplus")
    steps = Spanned.of(site)
    y = steps.times(steps.enter(), "beta", "beta")
    y = steps.apply(Softplus(), y, "softplus")
    steps.leave(steps.times(y, "alpha", "alpha"))


@writes(SRelu, attributes="clips_left")
def s_relu(site: Site) -> None:
    """SReLU of Keras 1, as its backend computes it; else composed.

    With w = |t_right|, u = x - t_left and v = u where that is positive, else a_left * u, it is
    t_left + w + min(v - w, 0) + a_right * max(u - w, 0). Where only what is positive is clipped,
    max(u, 0) takes the place of v, and what v has below zero is added.
    """
    op = site.op
    assert isinstance(op, SRelu)
    if "SReLU" in site.dialect.classes and op.clips_left == (site.backend in CONVOLVES):
        ports = ("t_left", "a_left", "t_right", "a_right")
        _put_spanning(site, "SReLU", {port: port for port in ports})
        return
    site.tell("KX102", "changed", "SReLU is written as a PReLU, two ReLUs and what joins them")
    steps = Spanned.of(site)
    u = steps.plus(steps.enter(), "t_left", "left", negative)
    bent = steps.rectified(u, "a_left", "slope")
    clipped = bent if op.clips_left else steps.apply(Relu(), u, "up")
    v = steps.plus(clipped, "t_right", "top", below)
    low = steps.join("Subtract", [v, steps.apply(Relu(), v, "top_relu")], "low")
    beyond = steps.apply(Relu(), steps.plus(u, "t_right", "right", below), "right_relu")
    y = steps.join("Add", [low, steps.times(beyond, "a_right", "high")], "sum")
    if not op.clips_left:
        y = steps.join("Add", [y, steps.join("Subtract", [bent, clipped], "down")], "both")
    y = steps.plus(steps.plus(y, "t_right", "back_right", magnitude), "t_left", "back_left")
    steps.leave(y)


def _put_spanning(site: Site, class_name: str, names: Mapping[str, str]) -> None:
    """A layer of Keras 1 whose arrays have the input's rank, with 1 along shared axes."""
    x, repeats = site.x(), site.own_repeats()
    terms = site.seen(site.settled.input)[1 + repeats :]
    span = {key(term) for term in site.settled.bound["span"]}
    stored = Layout(tuple(term if key(term) in span else Axis("X", 1) for term in terms))
    params = site.settled.node.params
    arrays = [Array(name, params[port], stored) for port, name in names.items()]
    shared = [i for i, term in enumerate(terms, 1) if key(term) not in span and size_of(term) != 1]
    config = {"shared_axes": shared or None}
    site.give(site.put(class_name, config, [x], arrays=arrays, repeats=repeats, mask=x.mask))


RANKS: Mapping[str, int] = {"SpatialDropout1D": 3, "SpatialDropout2D": 4, "SpatialDropout3D": 5}
"""Classes that drop whole channels, and the rank of their input."""


@writes(TrainingOnly, attributes="layer_class")
def training_only(site: Site) -> None:
    """A layer that acts in training alone, with what the source said of it."""
    op, x = site.op, site.x()
    assert isinstance(op, TrainingOnly)
    if op.layer_class in site.dialect.absent:
        _lost(site, f"{site.dialect.name} has no {op.layer_class}: left out, it acts in training")
        site.give(x)
        return
    repeats = site.own_repeats(all_around=op.layer_class in RANKS)
    rank = len(site.seen(site.settled.input)) - repeats
    if op.layer_class not in site.dialect.classes:
        _lost(site, f"{site.dialect.name} has no {op.layer_class}: left out")
        site.give(x)
        return
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
    order = site.layer.config.get("data_format") or site.emission.model.facts.ordering.value
    first = order == "channels_first"
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
