"""Activations brought from one layout to another."""

from __future__ import annotations

from ...errors import ExportError
from ...ir.coerce import Gather, Permute, Reshape, decompose
from ...ir.layout import Layout, size_of
from .draft import Edge
from .pen import Pen

MOST_INDICES = 1 << 24
"""Positions of one dimension that can be put in another order: each takes a number in the file."""


def bring(pen: Pen, x: Edge, have: Layout, want: Layout) -> Edge:
    """A tensor in another layout, by as few nodes as it takes.

    Args:
        pen: Draws them.
        x: The tensor.
        have: Its layout.
        want: The layout to bring it into.

    Raises:
        LayoutError: The layouts are not made of the same axes.
        ExportError: It takes an extent that nothing tells, or too many indices.
    """
    for step in decompose(have, want):
        if isinstance(step, Reshape):
            x = pen.reshape(x, pen.draft.dims.shape(step.layout, pen.name))
        elif isinstance(step, Permute):
            x = pen.permuted(x, step.perm)
        else:
            assert isinstance(step, Gather)
            if (size_of(step.have) or 0) > MOST_INDICES:
                raise ExportError(
                    f"{Layout.of(step.have)} is too long to be put in another order",
                    where=pen.name,
                )
            indices = pen.constant(step.indices.tolist(), wish="indices")
            x = pen.add("Gather", x, indices, shape=x.shape, axis=step.axis)
    return x
