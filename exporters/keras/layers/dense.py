"""Dense, and what Keras 2 no longer has as a layer: Highway, MaxoutDense."""

from __future__ import annotations

from ....ir.ops.dense import Dense, Highway, MaxoutDense
from ..elementwise import applied, merged, name_of
from ..registry import writes
from ..site import Site
from .activation import fused


@writes(Dense)
def dense(site: Site) -> None:
    """Dense over the last axis, whatever is before it."""
    x = site.x()
    config = {
        "units": site.size("units"),
        "use_bias": "bias" in site.settled.node.params,
        "activation": fused(site),
    }
    arrays = [site.array("kernel", "kernel"), site.array("bias", "bias")]
    repeats = site.own_repeats()
    site.give(site.put("Dense", config, [x], arrays=arrays, repeats=repeats, mask=x.mask))


@writes(Highway, attributes="activation")
def highway(site: Site) -> None:
    """Highway; composed where the target has none: x + t * (h - x), with t and h a Dense each."""
    op, x = site.op, site.x()
    assert isinstance(op, Highway)
    activation = name_of(site, op.activation)
    if site.has("Highway"):
        if activation is None:
            raise site.refuse(f"{op.activation} has no name in {site.dialect.name}")
        ports = ("kernel", "carry_kernel", "bias", "carry_bias")
        arrays = [site.array(port, port) for port in ports]
        config = {"use_bias": "bias" in site.settled.node.params, "activation": activation}
        repeats = site.own_repeats()
        site.give(site.put("Highway", config, [x], arrays=arrays, repeats=repeats))
        return
    parts = [
        ("", "kernel", "bias", activation or "linear"),
        ("carry", "carry_kernel", "carry_bias", "sigmoid"),
    ]
    repeats = site.own_repeats()
    found = []
    for role, kernel, bias, function in parts:
        config = {
            "units": site.size("columns"),
            "use_bias": bias in site.settled.node.params,
            "activation": function,
        }
        arrays = [site.array("kernel", kernel), site.array("bias", bias)]
        found.append(
            site.put("Dense", config, [x], role=role, arrays=arrays, repeats=repeats, mask=x.mask)
        )
    h, t = found
    if activation is None:
        h = applied(site, op.activation, h, "activation")
    apart = merged(site, "Subtract", [h, x], "step", x.mask)
    step = merged(site, "Multiply", [t, apart], "gate", x.mask)
    site.tell("KX102", "changed", "Highway is written as two Dense layers and what joins them")
    site.give(merged(site, "Add", [x, step], "sum", step.mask))


@writes(MaxoutDense)
def maxout_dense(site: Site) -> None:
    """MaxoutDense; where the target has none, one Dense of all pieces, then their largest."""
    x, repeats = site.x(), site.own_repeats()
    if len(site.seen(site.settled.input)) != 2 + repeats:
        raise site.refuse(f"MaxoutDense over {site.settled.input}: Keras 1 takes vectors only")
    pieces, units = site.size("pieces"), site.size("units")
    if site.has("MaxoutDense"):
        has_bias = "bias" in site.settled.node.params
        native = {"units": units, "nb_feature": pieces, "use_bias": has_bias}
        arrays = [site.array(port, port) for port in ("kernel", "bias")]
        site.give(site.put("MaxoutDense", native, [x], arrays=arrays, repeats=repeats))
        return
    config = {
        "units": pieces * units,
        "use_bias": "bias" in site.settled.node.params,
        "activation": "linear",
    }
    arrays = [
        site.array("kernel", "kernel", "features (pieces units)"),
        site.array("bias", "bias", "(pieces units)"),
    ]
    y = site.put("Dense", config, [x], arrays=arrays, repeats=repeats)
    shape = {"target_shape": [pieces, units]}
    y = site.put("Reshape", shape, [y], role="pieces", repeats=repeats)
    config = {"data_format": "channels_last"}
    site.tell("KX102", "changed", "MaxoutDense is written as a Dense layer and a maximum")
    site.give(site.put("GlobalMaxPooling1D", config, [y], role="maximum", repeats=repeats))
