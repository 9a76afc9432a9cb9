"""Activations, as layers and as the `activation` of another layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ....eras.activations import FUNCTIONS
from ....errors import ConfigError, PluginError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Term, size_of
from ....ir.op import Op
from ....ir.ops.activation import (
    Elu,
    LeakyRelu,
    Linear,
    ParametricSoftplus,
    PRelu,
    Relu,
    Softmax,
    SRelu,
    ThresholdedRelu,
)
from ....ir.ops.opaque import Opaque
from ..call import LayerCall, learn_sizes
from ..registry import Config, Slot, translates


OWN: dict[str, Op] = {}
"""Functions that a model's author wrote and a plugin knows, by the name that files have."""


def names_activation(name: str, op: Op) -> None:
    """Say what a function computes that Keras does not have (for plugins).

    Args:
        name: As files name it.
        op: An element-wise op.

    Raises:
        PluginError: The name is taken.
    """
    if name in OWN or any(name in table for table in FUNCTIONS.values()):
        raise PluginError(f"activation {name!r} is known already")
    OWN[name] = op


def function(call: LayerCall, stored: Any) -> Op | None:
    """The element-wise op that a stored activation names; None for softmax.

    Raises:
        ConfigError: Nobody knows the name.
    """
    name = stored
    if isinstance(stored, Mapping):
        return _from_object(call, stored)
    if name is None:
        return Linear()
    if name == "softmax":
        return None
    table = {**FUNCTIONS[call.era.vocabulary], **OWN}
    if not isinstance(name, str) or name not in table:
        known = ", ".join(sorted(table))
        raise ConfigError(
            f"no activation {name!r:.80}", hint="a plugin can add it", details=(f"known: {known}",)
        )
    return table[name]


def _from_object(call: LayerCall, stored: Mapping[str, Any]) -> Op | None:
    """A serialised activation: a function by name, or an activation layer with its config."""
    class_name, config = stored.get("class_name"), stored.get("config")
    make = _OBJECTS.get(str(class_name))
    if make is not None and isinstance(config, Mapping):
        return make(config)
    if class_name == "function" or "registered_name" in stored:
        return function(call, config if isinstance(config, str) else class_name)
    raise ConfigError(f"no activation {class_name!r:.80}", hint="a plugin can add it")


_OBJECTS: Mapping[str, Callable[[Mapping[str, Any]], Op]] = {
    "LeakyReLU": lambda c: LeakyRelu(negative_slope=float(c.get("alpha", 0.3))),
    "ELU": lambda c: Elu(alpha=float(c.get("alpha", 1.0))),
    "ThresholdedReLU": lambda c: ThresholdedRelu(theta=float(c.get("theta", 1.0))),
    "ReLU": lambda c: Relu(
        max_value=c.get("max_value"),
        negative_slope=float(c.get("negative_slope") or 0.0),
        threshold=float(c.get("threshold") or 0.0),
    ),
}


def activate(call: LayerCall, x: Value, stored: Any) -> Value:
    """The value behind a layer's own activation; itself where that is linear."""
    if _is_custom(call, stored):
        return _custom(call, x, stored, "activation")
    op = function(call, stored)
    if isinstance(op, Linear):
        return x
    if op is None:
        return _softmax(call, x, -1, "activation")
    return call.add(op, [x], call.axes(x), part="activation").result


def _is_custom(call: LayerCall, stored: Any) -> bool:
    """Whether a name is of a function that the model's author wrote."""
    known = {*FUNCTIONS[call.era.vocabulary], *OWN, "softmax"}
    return isinstance(stored, str) and stored not in known


def _custom(call: LayerCall, x: Value, stored: str, part: str = "") -> Value:
    call.report.add(
        "KE402",
        "assumed",
        f"activation {stored!r} of {call.name} is kept by its name, not computed; it is taken to "
        "keep its input's shape",
        layer=call.name,
        level="warning",
        fix="a plugin can say what it computes",
    )
    return call.add(Opaque(layer_class=stored), [x], call.axes(x), part=part).result


def _softmax(call: LayerCall, x: Value, axis: int, part: str = "") -> Value:
    """Keras 1 and 2 take the last axis as the author counts them (`activations.softmax`)."""
    term = call.axis(x, axis)
    return call.add(Softmax(), [x], call.axes(x), axes={"axis": (term,)}, part=part).result


class ActivationConfig(Config, frozen=True, kw_only=True):
    """What Activation reads."""

    activation: Any = None


class AlphaConfig(Config, frozen=True, kw_only=True):
    """What LeakyReLU and ELU read."""

    alpha: float | None = None


class ThetaConfig(Config, frozen=True, kw_only=True):
    """What ThresholdedReLU reads."""

    theta: float = 1.0


class ReluConfig(Config, frozen=True, kw_only=True):
    """What ReLU reads."""

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0


class SoftmaxConfig(Config, frozen=True, kw_only=True):
    """What Softmax reads."""

    axis: int = -1


class PReluConfig(Config, frozen=True, kw_only=True):
    """What PReLU reads; Keras 1 forgets to store `shared_axes`."""

    shared_axes: tuple[int, ...] | int | None = None


@translates("Activation", config=ActivationConfig)
def activation(call: LayerCall, x: Value) -> Value:
    """Activation. A linear one is a node all the same, so that the layer is not lost."""
    config: ActivationConfig = call.config  # type: ignore[assignment]
    if _is_custom(call, config.activation):
        return _custom(call, x, config.activation)
    op = function(call, config.activation)
    if op is None:
        return _softmax(call, x, -1)
    return call.add(op, [x], call.axes(x)).result


@translates("LeakyReLU", config=AlphaConfig)
def leaky_relu(call: LayerCall, x: Value) -> Value:
    """LeakyReLU; 0.3 where the slope is not stated, in every era."""
    config: AlphaConfig = call.config  # type: ignore[assignment]
    slope = 0.3 if config.alpha is None else config.alpha
    return call.add(LeakyRelu(negative_slope=slope), [x], call.axes(x)).result


@translates("ELU", config=AlphaConfig)
def elu(call: LayerCall, x: Value) -> Value:
    """ELU."""
    config: AlphaConfig = call.config  # type: ignore[assignment]
    return call.add(
        Elu(alpha=1.0 if config.alpha is None else config.alpha), [x], call.axes(x)
    ).result


@translates("ThresholdedReLU", config=ThetaConfig)
def thresholded_relu(call: LayerCall, x: Value) -> Value:
    """ThresholdedReLU."""
    config: ThetaConfig = call.config  # type: ignore[assignment]
    return call.add(ThresholdedRelu(theta=config.theta), [x], call.axes(x)).result


@translates("ReLU", config=ReluConfig)
def relu(call: LayerCall, x: Value) -> Value:
    """ReLU (Keras 2.2.1 on)."""
    config: ReluConfig = call.config  # type: ignore[assignment]
    op = Relu(
        max_value=config.max_value,
        negative_slope=config.negative_slope,
        threshold=config.threshold,
    )
    return call.add(op, [x], call.axes(x)).result


@translates("Softmax", config=SoftmaxConfig)
def softmax(call: LayerCall, x: Value) -> Value:
    """Softmax (Keras 2.1 on)."""
    config: SoftmaxConfig = call.config  # type: ignore[assignment]
    return _softmax(call, x, config.axis)


@translates("PReLU", config=PReluConfig, slots=lambda config, era: (Slot("alpha"),))
def prelu(call: LayerCall, x: Value) -> Value:
    """PReLU. Alpha has an input's rank, with 1 along shared axes.

    Keras 1.2.2 `PReLU.get_config` leaves `shared_axes` out: they are read off alpha's shape.
    """
    return _spanning(call, x, PRelu(), ("alpha",))


def _spanning(call: LayerCall, x: Value, op: Op, slots: tuple[str, ...]) -> Value:
    """A node whose parameters all span the same axes of the input, with 1 along the others."""
    axes = call.axes(x)[call.batch :]
    shape = call.stored[slots[0]].source.shape
    shared = _shared_axes(call.config.shared_axes, len(axes))  # type: ignore[attr-defined]
    stored: list[Term] = []
    for index, term in enumerate(axes):
        extent = shape[index] if index < len(shape) else None
        stored.append(Axis("X", 1) if index in shared or _repeats(term, extent) else term)
    layout = Layout(tuple(stored))
    if not learn_sizes(layout, shape):
        raise call.misfit(slots[0], layout)
    span = tuple(term for term in stored if term in axes)
    params = {slot: call.tagged(slot, [layout]) for slot in slots}
    return call.add(op, [x], call.axes(x), axes={"span": span}, params=params).result


def _shared_axes(stated: tuple[int, ...] | int | None, rank: int) -> set[int]:
    if stated is None:
        return set()
    numbers = (stated,) if isinstance(stated, int) else stated
    return {number - 1 if number > 0 else rank + number for number in numbers}


def _repeats(term: Term, extent: int | None) -> bool:
    return extent == 1 and size_of(term) != 1


class SpanConfig(Config, frozen=True, kw_only=True):
    """What SReLU and ParametricSoftplus read; Keras 1 forgets to store `shared_axes`."""

    shared_axes: tuple[int, ...] | int | None = None
    alpha_init: float | None = None
    beta_init: float | None = None
    t_left_init: str | None = None
    a_left_init: str | None = None
    t_right_init: str | None = None
    a_right_init: str | None = None


@translates(
    "ParametricSoftplus",
    config=SpanConfig,
    slots=lambda config, era: (Slot("alpha"), Slot("beta")),
)
def parametric_softplus(call: LayerCall, x: Value) -> Value:
    """ParametricSoftplus (Keras 0 and 1)."""
    return _spanning(call, x, ParametricSoftplus(), ("alpha", "beta"))


@translates(
    "SReLU",
    config=SpanConfig,
    slots=lambda config, era: tuple(map(Slot, ("t_left", "a_left", "t_right", "a_right"))),
)
def srelu(call: LayerCall, x: Value) -> Value:
    """SReLU (Keras 0 and 1)."""
    return _spanning(call, x, SRelu(), ("t_left", "a_left", "t_right", "a_right"))
