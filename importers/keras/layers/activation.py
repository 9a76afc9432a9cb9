"""Activations, as layers and as the `activation` of another layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....eras.activations import ALONG_LAST, FUNCTIONS
from ....eras.storage import CONVOLVES
from ....errors import ConfigError, PluginError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Term, size_of
from ....ir.op import Op
from ....ir.ops.activation import (
    AlongAxis,
    Elu,
    LeakyRelu,
    Linear,
    ParametricSoftplus,
    PRelu,
    Relu,
    Sigmoid,
    Softmax,
    SRelu,
    ThresholdedLinear,
    ThresholdedRelu,
)
from ....ir.ops.arrange import Take
from ....ir.ops.maths import Fill, Where
from ....ir.ops.merge import Multiply
from ....ir.ops.opaque import Opaque
from ..call import LayerCall, learn_sizes
from ..registry import Config, Slot, known_translator, read_config, translates
from ..upgrade import upgrade_layer

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


def function(call: LayerCall, stored: Any) -> Op:
    """The op that a stored activation names; of those along an axis, along the last.

    Raises:
        ConfigError: Nobody knows the name.
    """
    if isinstance(stored, Mapping):
        return _from_object(call, stored)
    if stored is None:
        return Linear()
    table = _known(call)
    if not isinstance(stored, str) or stored not in table:
        known = ", ".join(sorted(table))
        raise ConfigError(
            f"no activation {stored!r:.80}",
            hint="a plugin can add it",
            details=(f"known: {known}",),
        )
    return table[stored]


def pointwise(call: LayerCall, stored: Any) -> Op:
    """The function of each number by itself that a stored activation names.

    Raises:
        ConfigError: Nobody knows the name, or it is a function along an axis.
    """
    op = function(call, stored)
    if isinstance(op, AlongAxis):
        raise ConfigError(f"{call.class_name} with {op.kind} as its activation")
    return op


def _known(call: LayerCall) -> dict[str, Op]:
    vocabulary = call.era.vocabulary
    return {**FUNCTIONS[vocabulary], **ALONG_LAST[vocabulary], **OWN}


def _from_object(call: LayerCall, stored: Mapping[str, Any]) -> Op:
    """A serialised activation: a function by name, or an activation layer with its config."""
    class_name, config = str(stored.get("class_name")), stored.get("config")
    if class_name in LAYERS and isinstance(config, Mapping):
        name, upgraded = upgrade_layer(class_name, config, call.era.vocabulary)
        read, _ = read_config(known_translator(name), upgraded, name, frozenset())
        return LAYERS[name][1](read)
    if class_name == "function" or "registered_name" in stored:
        return function(call, config if isinstance(config, str) else class_name)
    raise ConfigError(f"no activation {class_name!r:.80}", hint="a plugin can add it")


def activate(call: LayerCall, x: Value, stored: Any) -> Value:
    """The value behind a layer's own activation; itself where that is linear."""
    if (name := _custom_name(call, stored)) is not None:
        _check_allowed(call, name)
        return _custom(call, x, name, "activation")
    if isinstance(stored, str) and stored in OTHER_SHAPES:
        return gated(call, x, -1, "activation")
    op = function(call, stored)
    return x if isinstance(op, Linear) else _applied(call, x, op, "activation")


def _applied(call: LayerCall, x: Value, op: Op, part: str = "") -> Value:
    if isinstance(op, AlongAxis):  # as the author counts them (`activations.softmax`)
        return along(call, x, op, (-1,), part)
    return call.add(op, [x], call.axes(x), part=part).result


def along(call: LayerCall, x: Value, op: Op, axes: Sequence[int], part: str = "") -> Value:
    """A function along one or several axes, as the author counts them.

    Raises:
        ConfigError: There are no such axes.
    """
    if not axes:
        raise ConfigError(f"{op.kind} along no axis")
    terms = tuple(call.axis(x, axis) for axis in axes)
    return call.add(op, [x], call.axes(x), axes={"axis": terms}, part=part).result


def gated(call: LayerCall, x: Value, axis: int, part: str = "") -> Value:
    """The first half along an axis, times the sigmoid of the second (`activations.glu`).

    Raises:
        ConfigError: The extent is not known, or odd.
    """
    axes = call.axes(x)
    place = axis % len(axes)
    size = size_of(axes[place])
    if place < call.batch or size is None or size % 2:
        raise ConfigError(f"two halves along axis {axis} of an input {x.layout}")
    half = Axis("F", size // 2)
    result = (*axes[:place], half, *axes[place + 1 :])
    bound = {
        "before": axes[:place], "axis": axes[place : place + 1], "behind": axes[place + 1 :],
        "chosen": (half,), "...": (),
    }  # fmt: skip
    pieces = [
        call.add(Take(indices=tuple(places)), [x], result, axes=bound, part=f"{part}half{n}").result
        for n, places in enumerate((range(size // 2), range(size // 2, size)))
    ]
    gate = call.add(Sigmoid(), pieces[1:], result, part=f"{part}gate").result
    return call.add(Multiply(), [pieces[0], gate], result, axes={"...": ()}, part=part).result


def _custom_name(call: LayerCall, stored: Any) -> str | None:
    """What a function of the model's author is called; None for one that is known.

    Keras 3 makes an object of it (3.15 `saving/serialization_lib.py`, `serialize_keras_object`):
    with the name that it is registered by as its configuration, and `function` as that of its kind.
    """
    if isinstance(stored, Mapping) and stored.get("class_name") == "function":
        stored = stored.get("config")
    known = {*_known(call), *OTHER_SHAPES}
    return stored if isinstance(stored, str) and stored not in known else None


OTHER_SHAPES: frozenset[str] = frozenset({"glu"})
"""Functions whose result has another shape than their input."""


def _check_allowed(call: LayerCall, stored: str) -> None:
    """See to it that a layer that kerasir computes has no function in it that nobody knows.

    Raises:
        ConfigError: It has, and the user does not let it pass.
    """
    key = f"{call.class_name}.activation"
    if key not in call.allowed:
        raise ConfigError(
            f"{stored!r:.80} is no activation of Keras",
            hint=f"a plugin can say what it computes; --allow-key {key} keeps its name",
        )


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

    axis: int | tuple[int, ...] = -1


class PReluConfig(Config, frozen=True, kw_only=True):
    """What PReLU reads; Keras 1 forgets to store `shared_axes`."""

    shared_axes: tuple[int, ...] | int | None = None


@translates("Activation", config=ActivationConfig)
def activation(call: LayerCall, x: Value) -> Value:
    """Activation. A linear one is a node all the same, so that the layer is not lost."""
    config: ActivationConfig = call.config  # type: ignore[assignment]
    if (name := _custom_name(call, config.activation)) is not None:
        return _custom(call, x, name)
    if isinstance(config.activation, str) and config.activation in OTHER_SHAPES:
        return gated(call, x, -1)
    return _applied(call, x, function(call, config.activation))


LAYERS: Mapping[str, tuple[type[Config], Callable[[Any], Op]]] = {
    # 0.3 where the slope is not stated, in every era
    "LeakyReLU": (
        AlphaConfig,
        lambda c: LeakyRelu(negative_slope=0.3 if c.alpha is None else c.alpha),
    ),
    "ELU": (AlphaConfig, lambda c: Elu(alpha=1.0 if c.alpha is None else c.alpha)),
    "ThresholdedReLU": (ThetaConfig, lambda c: ThresholdedRelu(theta=c.theta)),
    "ThresholdedLinear": (ThetaConfig, lambda c: ThresholdedLinear(theta=c.theta)),
    "ReLU": (
        ReluConfig,
        lambda c: Relu(
            max_value=c.max_value, negative_slope=c.negative_slope, threshold=c.threshold
        ),
    ),
}
"""Layers that are a function of each number by itself; each can be another's activation too."""

for _name, (_config, _make) in LAYERS.items():

    def _elementwise(call: LayerCall, x: Value, make: Callable[[Any], Op] = _make) -> Value:
        return call.add(make(call.config), [x], call.axes(x)).result

    translates(_name, config=_config)(_elementwise)


@translates("Identity")
def identity(call: LayerCall, x: Value) -> Value:
    """Identity (tf.keras and Keras 3)."""
    return call.add(Linear(), [x], call.axes(x)).result


@translates("Softmax", config=SoftmaxConfig)
def softmax(call: LayerCall, x: Value) -> Value:
    """Softmax (Keras 2.1 on); along several axes together in tf.keras and Keras 3."""
    config: SoftmaxConfig = call.config  # type: ignore[assignment]
    axes = config.axis if isinstance(config.axis, tuple) else (config.axis,)
    mask = call.given.kwargs.get("mask")
    if not isinstance(mask, Value):
        return along(call, x, Softmax(), axes)
    terms = call.axes(x)
    if len(call.axes(mask)) != len(terms) or mask.dtype != "bool":
        raise ConfigError(f"a Softmax over {x.layout} with a mask {mask.layout}")
    low = call.add(Fill(value=MASKED), [x], terms, part="low").result
    left = _where(call, mask, x, low, "left")
    if not call.era.has("softmax_zeroes"):
        return along(call, left, Softmax(), axes)
    y = along(call, left, Softmax(), axes, "weights")
    none = call.add(Fill(value=0.0), [x], terms, part="none").result
    return _where(call, mask, y, none, "")


MASKED = -1e9
"""What masked elements of a Softmax become (Keras 3.15 `layers/activations/softmax.py`)."""


def _where(call: LayerCall, mask: Value, a: Value, b: Value, part: str) -> Value:
    inputs, dtypes = [mask, a, b], (a.dtype,)
    axes = call.axes(a)
    return call.add(Where(), inputs, axes, axes={"...": ()}, part=part, dtypes=dtypes).result


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
    """SReLU (Keras 0 and 1); what it clips is the backend's (1.2.2 `K.relu`)."""
    op = SRelu(clips_left=call.era.backend in CONVOLVES)
    return _spanning(call, x, op, ("t_left", "a_left", "t_right", "a_right"))
