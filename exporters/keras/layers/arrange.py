"""Operations that choose, repeat or pad by position; the plan leaves all in the source's order."""

from __future__ import annotations

from typing import Any

from ....ir.layout import size_of
from ....ir.ops.arrange import (
    Broadcast,
    Einsum,
    Extents,
    Gather,
    OneHot,
    Pad,
    Take,
    TopK,
    Triangle,
)
from ..functions import needed, operation, operations
from ..network import Constant
from ..registry import writes
from ..scaling import scale_and_shift
from ..site import Site


@writes(Take, attributes="indices")
def take(site: Site) -> None:
    """Elements along an axis, by their positions."""
    op = site.op
    assert isinstance(op, Take)
    chosen = Constant(list(op.indices))
    site.give(needed(site, "take", [site.x(), chosen], axis=site.axis("axis")))


@writes(Gather, attributes="batched")
def gather(site: Site) -> None:
    """Slices by positions that the model computes, entry by entry.

    Raises:
        ExportError: The target's `take` has no axes in common.
    """
    op, functions = site.op, site.dialect.functions
    assert isinstance(op, Gather)
    if functions is None or not functions.class_name:
        raise site.refuse(
            f"{site.dialect.name} takes the same positions of every entry of the batch, not own "
            "ones of each",
            "convert to ONNX",
        )
    shared: dict[str, Any] = {"batch_dims": len(site.settled.bound["lead"])} if op.batched else {}
    site.give(needed(site, "take", site.all(), axis=site.axis("axis"), **shared))


@writes(Pad, attributes="padding mode value")
def pad(site: Site) -> None:
    """More elements before and after.

    Raises:
        ExportError: The edge is to be repeated, which no backend but NumPy's likes can.
    """
    op = site.op
    assert isinstance(op, Pad)
    if op.mode == "edge":
        raise site.refuse(f"{site.dialect.name} has no padding that repeats the edge")
    pairs = [list(pair) for pair in op.padding[site.depth :]]
    value = {"constant_values": op.value} if op.mode == "constant" else {}
    site.give(needed(site, "pad", [site.x()], call=value, pad_width=pairs, mode=op.mode))


@writes(Broadcast)
def broadcast(site: Site) -> None:
    """Axes of extent one, each repeated; the batch has its own extent.

    Raises:
        ExportError: An extent is not known.
    """
    before, after = site.seen(site.settled.input), site.seen(site.settled.results[0])
    axes = [
        (axis, size_of(term))
        for axis, (was, term) in enumerate(zip(before, after, strict=True))
        if size_of(was) != size_of(term)
    ]
    y = site.x()
    for axis, size in axes:
        if size is None:
            raise site.refuse("an axis is repeated to an extent that is not known")
        role = "" if axis == axes[-1][0] else f"axis_{axis}"
        y = needed(site, "repeat", [y], role, repeats=size, axis=axis)
    site.give(y)


@writes(OneHot)
def one_hot(site: Site) -> None:
    """A vector for each index."""
    x, node = site.x(), site.settled.node
    if "float" in x.dtype:
        x = needed(site, "cast", [x], "whole", dtype="int32")
    classes = site.size("classes")
    site.give(needed(site, "one_hot", [x], num_classes=classes, dtype=node.result.dtype))


@writes(TopK, attributes="least")
def largest(site: Site) -> None:
    """The largest numbers and where they are; or all in order, and where they were.

    Raises:
        ExportError: The target has no such operation.
    """
    op, x = site.op, site.x()
    assert isinstance(op, TopK)
    count = site.size("chosen")
    if op.least and count == site.size("axis"):
        for index, kind in enumerate(("sort", "argsort")):
            if site.emission.is_read(site.settled.node.results[index]):
                role = "" if index == 0 else "places"
                site.give(needed(site, kind, [x], role, axis=-1), index)
        return
    if op.least:
        x = scale_and_shift(site, x, -1.0, 0.0, "minus")
    found = operations(site, "top_k", [x], "minus_least" if op.least else "", outputs=2, k=count)
    if found is None:
        raise site.refuse(f"{site.dialect.name} has no operation top_k")
    values, places = found
    if op.least:
        values = scale_and_shift(site, values, -1.0, 0.0)
    site.give(values, 0)
    site.give(places, 1)


@writes(Triangle, attributes="diagonal upper")
def triangle(site: Site) -> None:
    """Zeros on one side of a diagonal."""
    op = site.op
    assert isinstance(op, Triangle)
    site.give(needed(site, "triu" if op.upper else "tril", [site.x()], k=op.diagonal))


@writes(Einsum, attributes="equation")
def einsum(site: Site) -> None:
    """Sums of products; a product of matrices where the target has no other.

    Raises:
        ExportError: It has neither.
    """
    op, inputs = site.op, site.all()
    assert isinstance(op, Einsum)
    y = operation(site, "einsum", inputs, subscripts=op.equation)
    turned = _as_product(op.equation) if y is None else None
    if turned is not None:
        y = operation(site, "matmul", inputs, transpose_b=turned)
    if y is None:
        raise site.refuse(f"{site.dialect.name} has no words for the sum {op.equation}")
    site.give(y)


def _as_product(equation: str) -> bool | None:
    """Whether the second matrix is turned; None if it is no product of two matrices."""
    given, _, result = equation.partition("->")
    a, *others = given.split(",")
    if len(others) != 1 or len(a) < 2 or len(others[0]) < 2 or not result:
        return None
    lead, last = others[0][:-2], others[0][-2:]
    if result[:-1] != a[:-1] or not a[:-2].endswith(lead):
        return None
    wanted = a[-1] + result[-1]
    return {wanted: False, wanted[::-1]: True}.get(last)


@writes(Extents)
def extents(site: Site) -> None:
    """How many elements there are along each axis."""
    dtype = site.settled.node.result.dtype
    site.give(needed(site, "shape", [site.x()], dtype=dtype))
