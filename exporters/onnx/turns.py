"""Two Transposes around a Reshape made one, where the Reshape only joins dimensions.

Layers in a row leave such: a Bidirectional puts its directions side by side, batch first, and the
next one takes its steps first.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from ...ir.layout import Layout
from .bidirectional import reads
from .dims import Shape, product
from .draft import Draft, Edge, OnnxNode
from .pen import Origins, Pen

VIEWS = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"}


def merge_turns(draft: Draft) -> None:
    """Replace the second Transpose by one of what the first was given, and the Reshape by another.

    Those before are read no more then.

    Args:
        draft: Without nodes that nobody reads.
    """
    makers = {edge: node for node in draft.nodes for edge in node.outputs if edge is not None}
    readers = Counter(reads(draft.nodes)) + Counter(draft.outputs)
    found: list[OnnxNode] = []
    for node in draft.nodes:
        new = _merged(draft, node, makers, readers)
        for one in new or [node]:
            makers |= {edge: one for edge in one.outputs if edge is not None}
        found += new or [node]
    draft.nodes[:] = found


def _merged(
    draft: Draft, node: OnnxNode, makers: dict[Edge, OnnxNode], readers: Counter[Edge]
) -> list[OnnxNode]:
    """What is drawn in the place of a second Transpose; nothing if it stays."""
    view = _only(node, {"Transpose"}, VIEWS, makers, readers)
    first = _only(view, VIEWS, {"Transpose"}, makers, readers)
    if view is None or first is None:
        return []
    [inner], [outer] = first.outputs, view.outputs
    groups = None if inner is None or outer is None else joined(inner.shape, outer.shape)
    base, end = first.inputs[0], node.outputs[0]
    if groups is None or base is None or end is None:
        return []
    before: Sequence[int] = first.attributes["perm"]
    order = [before[place] for group in node.attributes["perm"] for place in groups[group]]
    new: list[OnnxNode] = []
    pen = Pen(draft, node.name.rpartition("/")[0], node.doc, new, Origins())
    if pen.reshape(pen.permuted(base, order), end.shape) is base:
        return []
    new[-1].outputs = (end,)
    end.doc = end.doc or _turned(outer, node.attributes["perm"])
    for one in new:
        one.scope = node.scope
    return new


def _turned(x: Edge | None, perm: Sequence[int]) -> str:
    """What a tensor says that it holds, for one with its dimensions in another order."""
    if x is None or not x.doc:
        return ""
    name, _, text = x.doc.rpartition(": ")
    terms = Layout.parse(text).terms
    return f"{name}: {Layout(tuple(terms[place] for place in perm))}"


def _only(
    node: OnnxNode | None,
    kinds: set[str],
    of: set[str],
    makers: dict[Edge, OnnxNode],
    readers: Counter[Edge],
) -> OnnxNode | None:
    """The node whose result this one of ONNX' own reads, if nobody else does, and of that kind."""
    if node is None or node.domain or node.op_type not in kinds:
        return None
    source = node.inputs[0]
    maker = makers.get(source) if source is not None and readers[source] == 1 else None
    return maker if maker is not None and not maker.domain and maker.op_type in of else None


def joined(parts: Shape, whole: Shape) -> list[list[int]] | None:
    """Which neighbouring dimensions each dimension of another shape is made of.

    Returns:
        None where one is not made of whole ones.
    """
    groups: list[list[int]] = []
    start = 0
    for dim in whole:
        ends = range(start, len(parts) + 1)
        end = next((end for end in ends if product(parts[start:end]) == dim), None)
        if end is None:
            return None
        groups.append(list(range(start, end)))
        start = end
    rest = range(start, len(parts))
    if any(parts[place] != 1 for place in rest) or not groups:
        return None
    groups[-1] += rest
    return groups if list(itertools.chain(*groups)) == list(range(len(parts))) else None
