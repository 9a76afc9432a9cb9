"""Functions of each number by itself: as a layer, by name, as several layers, as an operation.

What a target lacks is composed of what it has, by formulas that are data: the same for all targets.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...eras.activations import FUNCTIONS
from ...ir.graph import Value
from ...ir.op import Op
from ...ir.ops.activation import (
    Abs,
    Affine,
    Celu,
    Clip,
    Elu,
    Gelu,
    HardShrink,
    HardSigmoid,
    HardSilu,
    LeakyRelu,
    Linear,
    LogSigmoid,
    Mish,
    Power,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softplus,
    SoftShrink,
    SparsePlus,
    SquarePlus,
    Tanh,
    TanhShrink,
    ThresholdedLinear,
    ThresholdedRelu,
)
from .functions import function_of, needed, operation
from .hard_sigmoid import scaled_name, tell_scaled, warn_of_readers
from .masks import unaltered
from .network import Constant, Tensor
from .own_words import has_own_words
from .scaling import scale_and_shift
from .site import Site

UNNAMED: frozenset[str] = frozenset({"relu6", "leaky_relu"})
"""Names that not all versions know, of what is a layer too."""

NEWER: Mapping[str, str] = {
    "swish": "tf.keras 2.2",
    "gelu": "tf.keras 2.4",
    "mish": "tf.keras 2.13",
}
"""Since when tf.keras has these names. Source: release notes of TensorFlow."""

Layer = tuple[str, Mapping[str, Any]]


# ---- names --------------------------------------------------------------------------------------


def name_of(site: Site, op: Op) -> str | None:
    """The name under which the target computes this function; None if it has none."""
    own = site.dialect.vocabulary
    for vocabulary in (own, *site.dialect.later):
        table = FUNCTIONS[vocabulary]
        found = _own_name(site, op, table) or next(
            (n for n, known in table.items() if known == op and n not in UNNAMED), None
        )
        if found is None:
            continue
        if isinstance(op, HardSigmoid):
            warn_of_readers(site)
        if vocabulary != own:
            site.emission.speak(vocabulary)
            since = NEWER.get(found, "tf.keras 2.15")
            what = f"the activation {found} needs {since} or later"
            site.tell("KX301", "note", what, level="warning")
        return found
    return None


def _own_name(site: Site, op: Op, table: Mapping[str, Op]) -> str | None:
    """The name that the source has for it, where that is the target's too."""
    own = has_own_words(site.emission.model, site.dialect)
    config = site.layer.config if site.layer and own else {}
    stated = (config.get(key) for key in ("activation", "recurrent_activation"))
    return next((n for n in stated if isinstance(n, str) and table.get(n) == op), None)


def as_layer(site: Site, op: Op) -> Layer | None:
    """The layer of its own that computes a function; None if the target has none."""
    found: list[Layer] = []
    if isinstance(op, LeakyRelu):
        found = [("LeakyReLU", {"alpha": op.negative_slope})]
    elif isinstance(op, Elu):
        found = [("ELU", {"alpha": op.alpha})]
    elif isinstance(op, Relu):
        found = [("ReLU", _relu(op))]
    elif isinstance(op, ThresholdedRelu):
        found = [("ThresholdedReLU", {"theta": op.theta})]
        if op.theta >= 0 and "Keras 3" in site.dialect.readers:
            # x where x > theta, else 0: every version computes a ReLU with a threshold so
            found.insert(0, ("ReLU", _relu(Relu(threshold=op.theta))))
    return next((layer for layer in found if layer[0] in site.dialect.classes), None)


def _relu(op: Relu) -> Mapping[str, Any]:
    return {
        "max_value": op.max_value,
        "negative_slope": op.negative_slope,
        "threshold": op.threshold,
    }


# ---- formulas -----------------------------------------------------------------------------------


class Formula:
    """Something computed from the input."""

    __slots__ = ()


class Of(Formula):
    """A function of something."""

    __slots__ = ("argument", "op")

    def __init__(self, op: Op, argument: Formula) -> None:
        self.op, self.argument = op, argument


class Joined(Formula):
    """Several things merged, by a class of layer that every Keras 2 has."""

    __slots__ = ("class_name", "parts")

    def __init__(self, class_name: str, *parts: Formula) -> None:
        self.class_name, self.parts = class_name, parts


X = Formula()
"""The input."""


def _minus(argument: Formula, offset: float = 0.0) -> Formula:
    return Of(Affine(scale=-1.0, offset=offset), argument)


def _plus(argument: Formula, offset: float) -> Formula:
    return Of(Affine(offset=offset), argument) if offset else argument


def _times(argument: Formula, scale: float) -> Formula:
    return Of(Affine(scale=scale), argument)


def _hard_sigmoid(op: HardSigmoid) -> Formula:
    return Of(Relu(max_value=1.0), Of(Affine(scale=op.slope, offset=op.shift), X))


def _thresholded(op: ThresholdedRelu) -> Formula:
    """With z = x - theta: 2 relu(z) less what is z - theta where that is at least -theta."""
    beyond = _plus(X, -op.theta)
    both = Of(Relu(threshold=-op.theta), _plus(beyond, -op.theta))
    return Joined("Subtract", _times(Of(Relu(), beyond), 2.0), both)


def _relu_of_parts(op: Relu) -> Formula | None:
    """By the plain ReLU and the other layers of the oldest versions."""
    below = op.negative_slope
    if op.max_value is None:
        if not op.threshold:
            return Of(LeakyRelu(negative_slope=below), X)
        above = Of(ThresholdedRelu(theta=op.threshold), X)
        return above if not below else Joined("Subtract", above, _below(op))
    if op.max_value < op.threshold:
        return None
    above = Of(ThresholdedRelu(theta=op.threshold) if op.threshold else Relu(), X)
    beyond = Joined("Subtract", above, Of(Relu(), _plus(X, -op.max_value)))
    return beyond if not below else Joined("Subtract", beyond, _below(op))


def _below(op: Relu) -> Formula:
    return _times(Of(Relu(), _minus(X, op.threshold)), op.negative_slope)


def _clip(op: Clip) -> Formula:
    low, high = op.low, op.high
    if low is None:
        return X if high is None else _minus(Of(Relu(), _minus(X, high)), high)
    top = None if high is None else high - low
    return _plus(Of(Relu(max_value=top), _plus(X, -low)), low)


def _gelu(op: Gelu) -> Formula | None:
    if not op.approximate:
        return None
    cubed = Joined("Multiply", X, X, X)
    inner = _times(Joined("Add", X, _times(cubed, 0.044715)), math.sqrt(2 / math.pi))
    half = Of(Affine(scale=0.5, offset=0.5), Of(Tanh(), inner))
    return Joined("Multiply", X, half)


def _power(op: Power) -> Formula | None:
    count = int(op.exponent)
    return Joined("Multiply", *[X] * count) if op.exponent == count and 2 <= count <= 8 else None


def _hard_shrink(op: HardShrink) -> Formula:
    above = Of(ThresholdedRelu(theta=op.threshold), X)
    return Joined("Subtract", above, Of(ThresholdedRelu(theta=op.threshold), _minus(X)))


def _thresholded_linear(op: ThresholdedLinear) -> Formula:
    """It keeps what is at the threshold too: what is above the next smaller number of float32."""
    if op.theta <= 0:
        return Of(Linear(), X)
    (bits,) = struct.unpack("<I", struct.pack("<f", op.theta))
    (smaller,) = struct.unpack("<f", struct.pack("<I", bits - 1))
    return Of(HardShrink(threshold=smaller), X)


def _soft_shrink(op: SoftShrink) -> Formula:
    above = Of(Relu(), _plus(X, -op.threshold))
    return Joined("Subtract", above, Of(Relu(), _minus(X, -op.threshold)))


def _sparse_plus(op: SparsePlus) -> Formula:
    """(z + 1)^2 / 4 with z = x between -1 and 1; and what is beyond 1."""
    between = Of(Relu(max_value=2.0), _plus(X, 1.0))
    square = _times(Joined("Multiply", between, between), 0.25)
    return Joined("Add", square, Of(Relu(), _plus(X, -1.0)))


def _square_plus(op: SquarePlus) -> Formula:
    root = Of(Power(exponent=0.5), _plus(Joined("Multiply", X, X), op.b))
    return _times(Joined("Add", X, root), 0.5)


def _celu(op: Celu) -> Formula:
    return _times(Of(Elu(), _times(X, 1 / op.alpha)), op.alpha)


COMPOSED: Mapping[type[Op], Callable[[Any], Formula | None]] = {
    Silu: lambda op: Joined("Multiply", X, Of(Sigmoid(), X)),
    HardSilu: lambda op: Joined("Multiply", X, Of(HardSigmoid(slope=1 / 6), X)),
    Mish: lambda op: Joined("Multiply", X, Of(Tanh(), Of(Softplus(), X))),
    LogSigmoid: lambda op: _minus(Of(Softplus(), _minus(X))),
    TanhShrink: lambda op: Joined("Subtract", X, Of(Tanh(), X)),
    Abs: lambda op: Joined("Add", Of(Relu(), X), Of(Relu(), _minus(X))),
    Gelu: _gelu,
    Celu: _celu,
    Selu: lambda op: _times(Of(Elu(alpha=1.6732632423543772), X), 1.0507009873554805),
    HardShrink: _hard_shrink,
    SoftShrink: _soft_shrink,
    SparsePlus: _sparse_plus,
    Power: _power,
    SquarePlus: _square_plus,
    Clip: _clip,
    Relu: _relu_of_parts,
    HardSigmoid: _hard_sigmoid,
    ThresholdedRelu: _thresholded,
    ThresholdedLinear: _thresholded_linear,
}
"""What a function is of simpler ones, exactly; None where it is not."""


def _formula(site: Site, op: Op) -> Formula | None:
    other = scaled_name(site, op)
    if other is not None and other.factor is not None:
        tell_scaled(site, other)
        return Of(FUNCTIONS[site.dialect.vocabulary][other.name], _times(X, other.factor))
    make = COMPOSED.get(type(op))
    return make(op) if make is not None else None


# ---- writing ------------------------------------------------------------------------------------


def applied(site: Site, op: Op, x: Tensor, role: str = "") -> Tensor:
    """A function of a tensor, in the first of the ways that the target has.

    Args:
        site: The node.
        op: The function.
        x: What it is of.
        role: What it is beside the node's own layer.

    Raises:
        ExportError: The target has none.
    """
    if isinstance(op, Affine):
        return scale_and_shift(site, x, op.scale, op.offset, role)
    layer = _stated(site, op)
    if layer is not None:
        repeats = 0 if role else site.own_repeats()
        return site.put(*layer, [x], role=role, repeats=repeats, mask=x.mask)
    functions = site.dialect.functions
    own = functions is not None and bool(site.layer) and _is_function(site)
    own = own or "float" not in x.dtype  # layers would cast whole numbers
    if own and (found := function_of(site, op, x, role)) is not None:
        return found
    formula = _formula(site, op)
    if formula is not None:
        return _composed(site, op, formula, x, role)
    found = function_of(site, op, x, role)
    if found is None and isinstance(op, Power):
        found = operation(site, "power", [x, Constant(op.exponent)], role)
    if found is None:
        raise site.refuse(f"{op} has neither a name nor a layer in {site.dialect.name}")
    return found


def _stated(site: Site, op: Op) -> Layer | None:
    """The one layer for a function: the source's class if it is one, its name, or a class."""
    layer = as_layer(site, op)
    if layer is None or not site.layer or site.layer.class_name != layer[0]:
        name = name_of(site, op)
        return ("Activation", {"activation": name}) if name else layer
    return layer


def _is_function(site: Site) -> bool:
    """Whether the target's functions come first: the source had one, or all readers have them."""
    functions = site.dialect.functions
    if functions is None or site.layer is None:
        return False
    return not functions.class_name or site.layer.class_name == functions.class_name


def _composed(site: Site, op: Op, formula: Formula, x: Tensor, role: str) -> Tensor:
    site.tell("KX102", "changed", f"{op} is written as several layers")
    known: dict[Formula, Tensor] = {X: x}
    for number, part in enumerate(_in_order(formula, set())):
        last = part is formula
        own = role if last else "_".join(filter(None, (role, f"step_{number + 1}")))
        if isinstance(part, Of):
            known[part] = applied(site, part.op, known[part.argument], own)
        elif isinstance(part, Joined):
            parts = [known[one] for one in part.parts]
            known[part] = merged(site, part.class_name, parts, own, x.mask)
    return known[formula]


MINUS: Mapping[str, str] = {"Subtract": "Add", "Minimum": "Maximum"}
"""Merges that an old Keras lacks, and those that give them once signs are turned."""


def merged(
    site: Site,
    class_name: str,
    parts: Sequence[Tensor],
    role: str = "",
    mask: Value | None = None,
    count: int | None = None,
) -> Tensor:
    """An element-wise merge, of other merges where the target lacks it.

    a - b is a + (-b); the least is the largest with all signs turned. `count` as of
    `scale_and_shift`.
    """
    if any(isinstance(part, Constant) for part in parts):
        return needed(site, class_name.lower(), parts, role)
    if site.has(class_name) or class_name not in MINUS:
        parts, mask = unaltered(site, class_name, parts, mask)
        return site.put(class_name, {}, parts, role=role, mask=mask)
    site.tell("KX102", "changed", f"{class_name} is written as several layers")
    least = class_name == "Minimum"
    names = ["_".join(filter(None, (role, f"minus_{n + 1}"))) for n in range(len(parts))]
    turned = [
        scale_and_shift(site, part, -1.0, 0.0, name, count)
        for name, part in list(zip(names, parts, strict=True))[0 if least else 1 :]
    ]
    if not least:
        return site.put(MINUS[class_name], {}, [parts[0], *turned], role=role, mask=mask)
    largest = site.put(MINUS[class_name], {}, turned, role=f"{role}_most".lstrip("_"), mask=mask)
    return scale_and_shift(site, largest, -1.0, 0.0, role, count)


def _in_order(formula: Formula, seen: set[Formula]) -> Iterator[Formula]:
    """The formula's parts, each behind what it is of."""
    if formula in seen or formula is X:
        return
    seen.add(formula)
    parts: tuple[Formula, ...] = ()
    if isinstance(formula, Of):
        parts = (formula.argument,)
    elif isinstance(formula, Joined):
        parts = formula.parts
    for part in parts:
        yield from _in_order(part, seen)
    yield formula
