"""A plugin to begin with: `kerasir ops --template MyLayer > my_layer.py`."""

from __future__ import annotations

import re
from string import Template

from ..errors import UsageError

PLUGIN = Template('''\
"""What ${name} computes.

    kerasir convert model.h5 model.onnx --plugin ${file}

It has one weight per position of an axis here; docs/plugins.md goes through each part. What is
not needed can go: without an emitter there is no ONNX, without a writer no Keras file.
"""

import kerasir.plugin as k


class Config(k.Config, frozen=True, kw_only=True):
    """Settings that change numbers, with their defaults. A setting not named here is refused."""

    axis: int = -1


@k.op
class ${name}(k.Op, frozen=True, kw_only=True):
    """y = x * scale."""

    inputs = k.ports("x: ... axis", order="kept")
    params = k.ports("scale: axis")
    results = k.ports("y: ... axis", order="kept")


# the slots are the layer's arrays, in the order in which Keras stores them
@k.translates("${name}", config=Config, slots=lambda config, era: (k.Slot("scale"),))
def translate(call: k.LayerCall, x: k.Value) -> k.Value:
    axis = (call.axis(x, call.config.axis),)
    params = {"scale": call.tagged("scale", [k.Layout(axis)])}
    return call.add(${name}(), [x], call.axes(x), axes={"axis": axis}, params=params).result


@k.computes(${name})
def compute(op: ${name}, at: k.Computing):
    raise NotImplementedError("${file}: compute: say what ${name} computes")
    return (at.x * at.along("scale"),)  # NumPy; at.along lays a weight along its axis of x


@k.emits(${name})
def emit(op: ${name}, at: k.Emitting):
    raise NotImplementedError("${file}: emit: say what ${name} computes")
    return at.add("Mul", at.x, at.along("scale"))  # operators of ONNX


@k.writes(${name})
def write(site: k.Site) -> None:
    config = {"axis": site.axis("axis")}
    arrays = [site.array("scale", "scale", "axis")]
    site.give(site.put("${name}", config, [site.x()], arrays=arrays))
''')


def plugin_template(name: str) -> str:
    """The text of a plugin for a layer class.

    Args:
        name: The class, as model files call it; `package>Class` of registered ones too.

    Raises:
        UsageError: It is no name of a class.
    """
    bare = name.rpartition(">")[2]
    if not bare.isidentifier():
        raise UsageError(f"no class {name!r}", where="--template", hint="such as MyLayer")
    file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower() + ".py"
    text = PLUGIN.substitute(name=bare, file=file)
    return text.replace(f'translates("{bare}"', f'translates("{name}"')
