"""What cannot be computed: the error that says so."""

from __future__ import annotations

from ..errors import UnsupportedLayerError
from ..ir.ops.opaque import Opaque
from .computing import Computing, Results
from .registry import computes


@computes(Opaque)
def opaque(op: Opaque, at: Computing) -> Results:
    layer = at.settled.node.layer
    name = layer.name if layer else at.settled.node.name
    raise UnsupportedLayerError(
        f"layer {name!r} of class {op.layer_class} cannot be computed: "
        + ("its code is never run" if op.has_code else "what it computes is not known"),
        where=name,
        hint=f'say what it computes: --lambda {name}="x / 127.5 - 1"'
        if op.has_code
        else "give a plugin that says what it computes: --plugin FILE",
    )
