"""Normalizations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....eras.normalization import NEGLIGIBLE, SHORTEST
from ....ir.layout import Axis, Layout, Terms, find, fuse, key
from ....ir.ops.activation import Power
from ....ir.ops.normalization import (
    BatchNorm,
    BatchStatisticsNorm,
    GroupNorm,
    LayerNorm,
    RMSNorm,
    SampleNorm,
    UnitNorm,
)
from ....ir.source import ConstantSource, MappedSource
from ....ir.tensor import Param, Weight
from ..elementwise import applied, merged
from ..functions import operation
from ..network import Arguments, Array, Tensor
from ..registry import writes
from ..scaling import EPSILON, constant, scale_and_shift, whole
from ..site import Site
from ..sizing import sized

STORED = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean", "variance": "moving_variance"}
"""What Keras calls the op's parameters, in the order in which it stores them."""

SMALLEST, RAISED = 1e-5, 1.1e-5
"""The smallest epsilon that Keras 2.2.4 takes on Theano (`theano_backend.batch_normalization`), and
what smaller ones are raised to: TensorFlow takes 1.001e-5 for anything below that."""


FIXED = frozenset({"Rescaling", "Normalization"})
"""Layers that are no BatchNormalization though they compute as one: training leaves them as they
are, which a frozen one keeps to in tf.keras and Keras 3."""


@writes(BatchNorm, attributes="epsilon")
def batch_norm(site: Site) -> None:
    """BatchNormalization; its axis counted from the end where it is the last.

    An epsilon too small for the target is raised and the variance lowered by as much.
    """
    op, x = site.op, site.x()
    assert isinstance(op, BatchNorm)
    fused = _one_axis(site)
    if fused is not None:
        x = site.bring(x, site.settled.input, fused)
    repeats = site.own_repeats() if fused is None else 0
    rank = len(site.seen(site.settled.input if fused is None else fused)) - repeats
    axis = site.axis("axis") - repeats if fused is None else rank - 1
    params = site.settled.node.params
    epsilon = op.epsilon if op.epsilon >= SMALLEST else RAISED
    config = {
        "axis": site.number(axis, rank),
        "epsilon": epsilon,
        "center": "beta" in params,
        "scale": "gamma" in params,
        **({"mode": 0} if site.dialect.modes else {}),
    }
    if site.layer is not None and site.layer.class_name in FIXED:
        config["trainable"] = False
        what = f"{site.layer.class_name} is written as a BatchNormalization that is not trained"
        site.tell("KX102", "changed", what)
    held = _held(site, "(axis)" if fused else "")
    if epsilon != op.epsilon:
        site.tell("KN303", "changed", f"epsilon {op.epsilon} raised to {epsilon}, variance lowered")
        variance = _shifted(site, held["moving_variance"], op.epsilon - epsilon)
        held["moving_variance"] = variance
    arrays, config = whole(site, held, config, site.size("axis"))
    x = sized(site, x, rank)
    y = site.put("BatchNormalization", config, [x], arrays=arrays, repeats=repeats, mask=x.mask)
    if fused is not None:
        y = site.bring(y, fused, site.settled.results[0])
    site.give(y)


def _held(site: Site, pattern: str = "") -> dict[str, Array | None]:
    """The arrays of a BatchNormalization that the node has, by their names."""
    return {
        name: site.array(name, port, pattern, trains=port in {"gamma", "beta"})
        for port, name in STORED.items()
    }


def _one_axis(site: Site) -> Layout | None:
    """The input with all normalized axes as its last one; None where there is but one already.

    Only tf.keras normalizes along several axes at once. Along none, a new axis stands for them.
    """
    terms, layout = site.settled.bound["axis"], site.settled.input
    if len(terms) == 1:
        return None
    gone = {key(term) for term in terms}
    rest = tuple(term for term in layout.terms if key(term) not in gone)
    return Layout((*rest, fuse(terms) if terms else Axis("X", 1)))


def _shifted(site: Site, array: Array | None, by: float) -> Array:
    assert array is not None  # a variance is no optional parameter

    def shift(weight: Weight) -> Weight:
        sources = tuple(MappedSource(source, lambda held: held + by) for source in weight.sources)
        return Weight(weight.name, sources, trainable=weight.trainable)

    made = site.emission.derived(array.param.weight, f"shifted by {by}", shift)
    param = Param(made, array.param.stored)
    return Array(array.name, param, array.layout, array.trains, parts=(array,))


# ---- by the input's own statistics --------------------------------------------------------------


@writes(BatchStatisticsNorm, attributes="epsilon")
def batch_statistics_norm(site: Site) -> None:
    """BatchNormalization called with `training=True`: by the statistics of the batch.

    The moving statistics that it stores are not read. A frozen layer would read them (tf-keras
    2.21 `BatchNormalization._get_training_value`), so it is none.
    """
    op, x = site.op, site.x()
    assert isinstance(op, BatchStatisticsNorm)
    if site.dialect.modes:
        _in_mode(site, 2, op.epsilon)
        return
    if not (site.dialect.keeps_training and site.dialect.call_arguments):
        what = f"{site.dialect.name} does not keep `training=True` when it predicts"
        raise site.refuse(f"a BatchNormalization by the statistics of the batch: {what}")
    _tell_of_training(site)
    params = site.settled.node.params
    rank = len(site.seen(site.settled.input))
    config = {
        "axis": site.number(site.axis("axis"), rank),
        "epsilon": op.epsilon,
        "center": "beta" in params,
        "scale": "gamma" in params,
        "trainable": True,
    }
    arrays, config = whole(site, _held(site), config, site.size("axis"))
    called = Arguments(constants={"training": True})
    y = site.put("BatchNormalization", config, [x], arrays=arrays, mask=x.mask, arguments=called)
    site.give(y)


def _in_mode(site: Site, mode: int, epsilon: float) -> None:
    """Keras 1's BatchNormalization by statistics of its own; the stored ones are carried along.

    Mode 1 looks along the last axis, whatever `axis` says (1.2.2 `BatchNormalization.call`).
    """
    x, layout, place = site.x(), site.settled.input, site.settled.position("axis")
    last = Layout((*layout.terms[:place], *layout.terms[place + 1 :], layout.terms[place]))
    moved = mode == 1 and last != layout
    repeats = 0 if moved else site.own_repeats()
    if moved:
        x = site.bring(x, layout, last)
    rank = len(site.seen(layout)) - repeats
    axis = rank - 1 if moved else site.axis("axis") - repeats
    config = {"axis": site.number(axis, rank), "epsilon": epsilon, "mode": mode}
    arrays, config = whole(site, _held(site), config, site.size("axis"))
    x = sized(site, x, rank)
    y = site.put("BatchNormalization", config, [x], arrays=arrays, repeats=repeats, mask=x.mask)
    site.give(site.bring(y, last, layout) if moved else y)


def _tell_of_root(site: Site, epsilon: float) -> None:
    """Keras 1.0.5 and later add epsilon under the root of mode 1 too, the source beside it only."""
    if epsilon > NEGLIGIBLE:
        raise site.refuse(
            f"{site.dialect.name} adds the epsilon of mode 1 under the root too; {epsilon} is too "
            "large for that to be of no matter"
        )
    site.tell(
        "KN308",
        "changed",
        f"epsilon {epsilon} is added under the root too",
        level="warning",
    )


def _tell_of_training(site: Site) -> None:
    """Keras 3 hands every layer the model's own `training`, whatever its call was given.

    Source: Keras 3.15 `models/functional.py` (`operation_fn`); seen in a run.
    """
    if "Keras 3" in site.dialect.readers:
        site.tell(
            "KN307",
            "note",
            "it normalizes by the batch's own statistics; Keras 3 takes the moving ones instead",
            level="warning",
            fix="load the file in Keras 2 or tf-keras",
        )


@writes(LayerNorm, attributes="epsilon")
def layer_norm(site: Site) -> None:
    """LayerNormalization; its array lies along its axes as they stand in the input."""
    op, x = site.op, site.x()
    assert isinstance(op, LayerNorm)
    params = site.settled.node.params
    config = {
        "axis": _axes(site),
        "epsilon": op.epsilon,
        "center": "beta" in params,
        "scale": "gamma" in params,
    }
    arrays = [_along(site, port) for port in ("gamma", "beta")]
    _put(site, "LayerNormalization", config, x, arrays)


@writes(RMSNorm, attributes="epsilon")
def rms_norm(site: Site) -> None:
    """RMSNormalization; else composed of operations: x / sqrt(mean of x^2 + epsilon) * scale.

    The layer multiplies by its scale as if that lay along the last axes, whatever axes it is told
    (Keras 3.15 `ops/nn.py`, `_rms_normalization`; seen in a run).
    """
    op, x = site.op, site.x()
    assert isinstance(op, RMSNorm)
    axes, rank = _axes(site), len(site.seen(site.settled.input))
    config: dict[str, Any] = {"axis": axes, "epsilon": op.epsilon}
    are_last = axes == [*range(rank - len(axes), rank)]
    if "RMSNormalization" in site.dialect.classes and are_last:
        _put(site, "RMSNormalization", config, x, [_along(site, "scale")])
        return
    site.tell("KX102", "changed", "RMSNormalization is written as operations")
    square = merged(site, "Multiply", [x, x], "square", x.mask)
    y = merged(site, "Multiply", [x, _inverse_root(site, square, op.epsilon)], "unit")
    site.give(_scaled(site, y, {"gamma": "scale"}))


@writes(SampleNorm, attributes="epsilon under_root")
def sample_norm(site: Site) -> None:
    """Keras 1's `mode=1`, of operations: (x - m) / (s + epsilon), s = sqrt(variance + epsilon)."""
    op, x = site.op, site.x()
    assert isinstance(op, SampleNorm)
    if site.dialect.modes:
        if not op.under_root:
            _tell_of_root(site, op.epsilon)
        _in_mode(site, 1, op.epsilon)
        return
    site.tell("KX102", "changed", "a normalization of each sample is written as operations")
    site.leave_out("mean", "variance")
    apart = site.put("Subtract", {}, [x, _mean(site, x, "mean")], role="apart")
    square = site.put("Multiply", {}, [apart, apart], role="square")
    raised = op.epsilon * op.under_root
    variance = _mean(site, square, "variance")
    deviation = scale_and_shift(site, variance, 1.0, raised, "raised", alike=False)
    deviation = applied(site, Power(exponent=0.5), deviation, "deviation")
    deviation = scale_and_shift(site, deviation, 1.0, op.epsilon, "divisor", alike=False)
    inverse = applied(site, Power(exponent=-1.0), deviation, "inverse")
    y = site.put("Multiply", {}, [apart, inverse], role="unit")
    site.give(_scaled(site, y, {"gamma": "gamma", "beta": "beta"}))


@writes(GroupNorm, attributes="epsilon")
def group_norm(site: Site) -> None:
    """GroupNormalization."""
    op, x, bound = site.op, site.x(), site.settled.bound
    assert isinstance(op, GroupNorm)
    params = site.settled.node.params
    repeats = site.repeats(bound["batch"])
    layout = site.settled.input
    whole = fuse((*bound["groups"], *bound["in_group"]))
    axis = find(layout.terms, whole) - site.depth - repeats
    config = {
        "groups": site.size("groups"),
        "axis": site.number(axis, len(site.seen(layout)) - repeats),
        "epsilon": op.epsilon,
        "center": "beta" in params,
        "scale": "gamma" in params,
    }
    arrays = [site.array(port, port, "(groups in_group)") for port in ("gamma", "beta")]
    site.give(
        site.put("GroupNormalization", config, [x], arrays=arrays, repeats=repeats, mask=x.mask)
    )


@writes(UnitNorm, attributes="epsilon")
def unit_norm(site: Site) -> None:
    """UnitNormalization, whose least length differs between tf.keras and Keras 3."""
    op, x = site.op, site.x()
    assert isinstance(op, UnitNorm)
    own = {SHORTEST[name] for name in (site.dialect.vocabulary, *site.dialect.later)
           if name in SHORTEST}  # fmt: skip
    if own != {op.epsilon}:
        site.tell(
            "KN305",
            "note",
            f"UnitNormalization divides by {op.epsilon:g} at least in the source: shorter vectors "
            "come out otherwise",
            level="warning",
        )
    _put(site, "UnitNormalization", {"axis": _axes(site)}, x, [])


def _put(
    site: Site, class_name: str, config: dict[str, Any], x: Tensor, arrays: list[Array | None]
) -> None:
    repeats = site.own_repeats()
    numbers = [number - repeats for number in config["axis"]]
    rank = len(site.seen(site.settled.input)) - repeats
    if min(numbers) < 1 or class_name not in site.dialect.classes:
        raise site.refuse(f"{class_name} along axes {numbers} is not known to {site.dialect.name}")
    stated = [site.number(number, rank) for number in numbers]
    config["axis"] = stated[0] if len(stated) == 1 else numbers
    site.give(site.put(class_name, config, [x], arrays=arrays, repeats=repeats, mask=x.mask))


def _axes(site: Site) -> list[int]:
    """The axes that are normalized, in the order in which they stand."""
    return sorted(position - site.depth for position in site.settled.positions("axis"))


def _along(site: Site, port: str) -> Array | None:
    """A parameter along these axes, in that order."""
    param = site.settled.node.params.get(port)
    if param is None:
        return None
    terms = site.seen(site.settled.input)
    return Array(port, param, Layout(tuple(terms[number] for number in _axes(site))))


def _mean(site: Site, x: Tensor, role: str) -> Tensor:
    found = operation(site, "mean", [x], role, axis=_axes(site), keepdims=True)
    if found is None:
        raise site.refuse(f"{site.op.kind} has no layer in {site.dialect.name}, nor a mean")
    return found


def _inverse_root(site: Site, square: Tensor, epsilon: float) -> Tensor:
    mean = scale_and_shift(site, _mean(site, square, "mean"), 1.0, epsilon, "raised", alike=False)
    return applied(site, Power(exponent=-0.5), mean, "inverse")


def _scaled(site: Site, y: Tensor, ports: Mapping[str, str]) -> Tensor:
    """What the normalization learnt, as a normalization whose statistics do nothing.

    Of several axes: along all of them as one, behind what brings them together.
    """
    params, have = site.settled.node.params, site.settled.input
    axes, seen = _axes(site), site.seen(have)
    along = tuple(seen[axis] for axis in axes)
    rest = tuple(term for term in have.terms if term not in along)
    apart = have if len(axes) == 1 else Layout((*rest, fuse(along)))
    y = site.bring(y, have, apart)
    learnt = {name: port for name, port in ports.items() if port in params}
    config = {
        "axis": site.number(axes[0], len(seen)) if len(axes) == 1 else -1,
        "epsilon": EPSILON,
        "center": "beta" in learnt,
        "scale": "gamma" in learnt,
    }
    shape = (site.size("axis"),)
    term = Axis("F", shape[0])
    statistics = {"moving_mean": 0.0, "moving_variance": 1 - EPSILON}
    arrays = [
        *(_as_one(site, name, port, along) for name, port in learnt.items()),
        *(constant(name, ConstantSource(n, shape), term) for name, n in statistics.items()),
    ]
    y = site.put("BatchNormalization", config, [y], arrays=arrays, mask=y.mask)
    return site.bring(y, apart, have)


def _as_one(site: Site, name: str, port: str, along: Terms) -> Array:
    """A parameter along several axes as one dimension."""
    return Array(name, site.settled.node.params[port], Layout((fuse(along),)))
