"""Activations brought from one layout to another."""

from __future__ import annotations

from ...ir.coerce import Gather, Permute, Reshape, decompose
from ...ir.layout import Layout
from .draft import Edge
from .pen import Pen


def bring(pen: Pen, x: Edge, have: Layout, want: Layout) -> Edge:
    """A tensor in another layout, by as few nodes as it takes.

    Args:
        pen: Draws them.
        x: The tensor.
        have: Its layout.
        want: The layout to bring it into.

    Raises:
        LayoutError: The layouts are not made of the same axes.
        ExportError: It takes an extent that nothing tells.
    """
    for step in decompose(have, want):
        if isinstance(step, Reshape):
            x = pen.reshape(x, pen.draft.dims.shape(step.layout, pen.name))
        elif isinstance(step, Permute):
            x = pen.transpose(x, step.perm)
        else:
            assert isinstance(step, Gather)
            indices = pen.constant(step.indices.tolist(), wish="indices")
            x = pen.add("Gather", x, indices, shape=x.shape, axis=step.axis)
    return x
