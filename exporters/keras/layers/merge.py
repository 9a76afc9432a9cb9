"""Merges of several inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....ir.graph import Value
from ....ir.layout import find
from ....ir.ops.merge import (
    Add,
    Average,
    Concat,
    Divide,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from ..elementwise import merged
from ..functions import operation
from ..network import Tensor
from ..registry import writes
from ..site import Site


@writes(Add, Subtract, Multiply, Average, Maximum, Minimum)
def merge(site: Site) -> None:
    """An element-wise merge; Keras calls it as the op is called."""
    inputs = site.all()
    site.give(merged(site, site.op.kind, inputs, mask=_common(site, inputs)))


@writes(Divide)
def divide(site: Site) -> None:
    """A quotient: an operation in every Keras that has one."""
    y = operation(site, "divide", site.all())
    if y is None:
        raise site.refuse(f"{site.dialect.name} has no division of one tensor by another")
    site.give(y)


@writes(Concat)
def concatenate(site: Site) -> None:
    """Concatenate; the axis counted from the end where it is the last."""
    inputs = site.all()
    axis = site.axis("joined", result=True)
    config = {"axis": site.number(axis, len(site.seen(site.settled.results[0])))}
    site.give(site.put("Concatenate", config, inputs, mask=_common(site, inputs)))


def _common(site: Site, inputs: Sequence[Tensor]) -> Value | None:
    """The mask that Keras carries on: the inputs' own, else a combined one.

    Source: Keras 2.2.4 `layers/merge.py` `_Merge.compute_mask`, which passes over inputs without.
    """
    own = site.emission.masks.get(site.layer) if site.layer else None
    masks = {tensor.mask for tensor in inputs}
    if own is None and len(masks) == 1:
        return masks.pop()
    found = own or next((tensor.mask for tensor in inputs if tensor.mask is not None), None)
    if "Keras 3" in site.dialect.readers:
        site.tell(
            "KX304",
            "note",
            "its inputs have different masks: a step counts where all say so, in Keras 3 where one "
            "does, or where one input has no mask",
            level="warning",
            fix="load the file in Keras 2 or tf-keras, or convert to ONNX",
        )
    return found


@writes(Dot, attributes="normalize")
def dot(site: Site) -> None:
    """Dot over one axis of either input."""
    op, bound = site.op, site.settled.bound
    assert isinstance(op, Dot)
    if len(bound["x_contracted"]) != 1 or len(bound["y_contracted"]) != 1:
        raise site.refuse("Keras' Dot contracts one axis of either input")
    axes = [
        find(site.settled.layout_of(index).terms, bound[name][0]) - site.depth
        for index, name in enumerate(("x_contracted", "y_contracted"))
    ]
    config = site.layer.config if site.layer else {}
    stated = config.get("axes", config.get("dot_axes"))  # of Keras 1's Merge
    one = axes[0] == axes[1] and not isinstance(stated, (list, tuple))
    said = axes[0] if one else axes
    if op.normalize and site.has("Cosine"):
        _cosine(site, said)
        return
    y = site.put("Dot", {"axes": said, "normalize": op.normalize}, site.all())
    if len(site.seen(site.settled.results[0])) == 1:
        # of two vectors Keras makes a column (2.2.4 `backend.batch_dot`), as the source's did
        column = site.emission.follower(site.settled.node)
        if column is None or column.node.part != "view":
            raise site.refuse("Keras' Dot of two vectors is a column, not a number")
        site.take_over(column)
    site.give(y)


def _cosine(site: Site, axes: Any) -> None:
    """A normalized Dot of vectors in Keras 1: a column with one more axis of size one."""
    column = site.emission.follower(site.settled.node)
    if column is None or column.node.part != "view":
        raise site.refuse("Keras 1 has the cosine of two vectors only")
    site.take_over(column)
    y = site.put("Cosine", {"axes": axes}, site.all())
    raised = site.emission.parts(site.layer).get("cosine")
    if raised is not None:
        site.take_over(raised)  # Keras 1's own: nobody else reads the column
    else:
        y = site.put("Reshape", {"target_shape": [1]}, [y], role="column")
    site.give(y)
