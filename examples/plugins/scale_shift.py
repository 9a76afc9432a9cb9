"""A plugin: a layer class and an activation of one's own, for every direction.

kerasir convert model.h5 model.onnx --plugin scale_shift.py
"""

import numpy as np

import kerasir.plugin as k


class Config(k.Config, frozen=True, kw_only=True):
    axis: int = 1


@k.op
class ScaleShift(k.Op, frozen=True, kw_only=True):
    """y = x * a + b, with one a and one b per position of an axis."""

    inputs = k.ports("x: ... axis", order="kept")
    params = k.ports("a: axis", "b: axis")
    results = k.ports("y: ... axis", order="kept")


@k.translates("ScaleShift", config=Config, slots=lambda c, era: (k.Slot("a"), k.Slot("b")))
def translate(call: k.LayerCall, x: k.Value) -> k.Value:
    axis = (call.axis(x, call.config.axis),)
    params = {name: call.tagged(name, [k.Layout(axis)]) for name in ("a", "b")}
    return call.add(ScaleShift(), [x], call.axes(x), axes={"axis": axis}, params=params).result


@k.computes(ScaleShift)
def compute(op: ScaleShift, at: k.Computing):
    return (at.x * at.along("a") + at.along("b"),)


@k.emits(ScaleShift)
def emit(op: ScaleShift, at: k.Emitting):
    return at.add("Add", at.add("Mul", at.x, at.along("a")), at.along("b"))


@k.writes(ScaleShift)
def write(site: k.Site) -> None:
    arrays = [site.array(name, name, "axis") for name in ("a", "b")]
    site.give(site.put("ScaleShift", {"axis": site.axis("axis")}, [site.x()], arrays=arrays))


@k.op
class ScaledTanh(k.Elementwise, frozen=True, kw_only=True):
    """y = 1.7159 tanh(0.66 x)."""


k.names_activation("scaled_tanh", ScaledTanh())
k.elementwise(ScaledTanh)(lambda op, x: 1.7159 * np.tanh(0.66 * x))
k.emits(ScaledTanh)(
    lambda op, at: at.add(
        "Mul", at.add("Tanh", at.add("Mul", at.x, at.number(0.66))), at.number(1.7159)
    )
)
k.writes(ScaledTanh)(lambda s: s.give(s.put("Activation", {"activation": "scaled_tanh"}, [s.x()])))
