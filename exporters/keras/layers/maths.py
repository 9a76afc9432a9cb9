"""Operations on tensors that are no layers: written as such where the target can say them."""

from __future__ import annotations

from ....ir.layout import Layout, key
from ....ir.ops.maths import Reduce
from ..functions import operation
from ..registry import writes
from ..site import Site


@writes(Reduce, attributes="kind")
def reduce(site: Site) -> None:
    """A sum, or what else there is, over some axes.

    Raises:
        ExportError: The target has no such operation.
    """
    op, layout = site.op, site.settled.input
    assert isinstance(op, Reduce)
    axes = sorted(place - site.depth for place in site.settled.positions("space"))
    y = operation(site, op.kind, [site.x()], axis=axes, keepdims=False)
    if y is None:
        raise site.refuse(f"{site.dialect.name} has no operation {op.kind}")
    gone = {key(term) for term in site.settled.bound["space"]}
    rest = Layout(tuple(term for term in layout.terms if key(term) not in gone))
    site.give(site.bring(y, rest, site.settled.results[0]))
