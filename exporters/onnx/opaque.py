"""Layers that kerasir does not compute, as operators of a domain that the caller names.

The operator is called as the class is in the file. Its inputs are the layer's, in the author's
order of axes, then its weights as they are stored, under their names in `weight_names`; `config`
is the layer's configuration in JSON. Whoever runs the model has to register an operator of this
name and domain. Nothing is run here, code in a configuration is a text like any other.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ...ir.graph import Node
from ...ir.ops.opaque import Opaque
from .draft import Edge
from .emitting import Emitting


def _config(node: Node) -> dict[str, Any]:
    """The configuration of a layer; of an activation of one, its name."""
    if node.part:
        return {node.part: node.op.layer_class if isinstance(node.op, Opaque) else ""}
    return dict(node.layer.config) if node.layer is not None else {}


def draw_opaque(op: Opaque, at: Emitting) -> Edge:
    """Draw a layer of unknown meaning as an operator of `Style.opaque_domain`.

    It has no place among the emitters, as ONNX itself cannot say it.
    """
    node = at.settled.node
    weights = [
        at.draft.initializer(param, param.stored[0].layout, param.weight.dtype.name)
        for param in node.params.values()
    ]
    if op.has_code:
        at.tell(
            "KS102",
            "carried",
            f"{op.layer_class} holds code: it is in the operator's attribute `config`",
            level="warning",
            fix="only run it if you trust its author",
        )
    return at.add(
        re.sub(r"\W", "_", op.layer_class) or "Layer",
        *at.present,
        *weights,
        shape=at.result_shape(),
        dtype=node.result.dtype,
        domain=at.draft.style.opaque_domain,
        class_name=op.layer_class,
        config=json.dumps(_config(node)),
        weight_names=tuple(node.params) or None,
    )
