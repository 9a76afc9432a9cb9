"""Merges of several inputs, and the masks that come with them."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from ....ir.graph import Value
from ....ir.layout import Layout, Terms, find, fuse
from ....ir.op import Op
from ....ir.ops.activation import Relu
from ....ir.ops.maths import Binary
from ....ir.ops.merge import (
    Add,
    AllOf,
    Average,
    Concat,
    Divide,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from ..elementwise import applied, merged
from ..functions import needed, operation
from ..masks import as_operation, shows
from ..network import Tensor
from ..registry import writes
from ..repeating import alike
from ..site import Site


@writes(Add, Subtract, Multiply, Average, Maximum, Minimum)
def merge(site: Site) -> None:
    """An element-wise merge; Keras calls it as the op is called."""
    inputs, mask = _with_mask(site, alike(site, site.all()))
    if mask is not None and site.op.kind in site.dialect.unmasked_merges:
        site.give(_masked_extreme(site, inputs, mask))
        return
    site.give(merged(site, site.op.kind, inputs, mask=mask))


def _masked_extreme(site: Site, inputs: Sequence[Tensor], mask: Value) -> Tensor:
    """The largest or least, of sums, which carry masks: max(a, b) = a + relu(b - a)."""
    site.tell("KX102", "changed", f"{site.op.kind} of masked inputs is written as several layers")
    largest = isinstance(site.op, Maximum)
    found, last = inputs[0], len(inputs) - 1
    for number, other in enumerate(inputs[1:], 1):
        pair = (other, found) if largest else (found, other)
        beyond = merged(site, "Subtract", pair, f"beyond_{number}", mask)
        beyond = applied(site, Relu(), beyond, f"excess_{number}")
        role = "" if number == last else f"step_{number}"
        found = merged(site, "Add" if largest else "Subtract", (found, beyond), role, mask)
    return found


@writes(Divide)
def divide(site: Site) -> None:
    """A quotient: an operation in every Keras that has one."""
    y = operation(site, "divide", site.all())
    if y is None:
        raise site.refuse(f"{site.dialect.name} has no division of one tensor by another")
    site.give(y)


@writes(Concat)
def concatenate(site: Site) -> None:
    """Concatenate; the axis counted from the end where it is the last.

    The mask that Keras 3 makes here comes from an operation `concatenate`, which a model can hold
    along with no layer of that name. So who needs a mask behind it is told one.
    Source: Keras 3.15 `layers/merging/concatenate.py` (`compute_mask`), `ops/function.py`.
    """
    inputs, mask = _with_mask(site, site.all())
    if mask is not None and site.dialect.tells_masks:
        mask = Value("joined_mask", ())
    axis = site.axis("joined", result=True)
    config = {"axis": site.number(axis, len(site.seen(site.settled.results[0])))}
    site.give(site.put("Concatenate", config, inputs, mask=mask))


COMBINED: Mapping[str, Op] = {"all": AllOf(), "any": Binary(function="or")}
"""What makes one mask of several, by the dialect's word for it."""


def _with_mask(site: Site, inputs: Sequence[Tensor]) -> tuple[Sequence[Tensor], Value | None]:
    """The inputs as the target's layer is to be given them, and the mask that it carries on.

    Where the layer would make of the masks what the source does not, it is given inputs without;
    what needs the mask behind it is told it.
    """
    if all(tensor.mask is None for tensor in inputs):
        return inputs, None
    mask = _carried(site, inputs)
    if site.dialect.merged_masks == "any":
        if mask is None or (
            site.op.kind in site.dialect.masked_values
            and shows(site.emission.plan.graph, site.settled.node.result, mask)
        ):
            bare = [
                tensor if tensor.mask is None else as_operation(site, tensor, f"bare_{number}")
                for number, tensor in enumerate(inputs, 1)
            ]
            return bare, None
    elif "Keras 3" in site.dialect.readers and len({tensor.mask for tensor in inputs}) > 1:
        _tell_of_readers(site)
    return inputs, mask


def _carried(site: Site, inputs: Sequence[Tensor]) -> Value | None:
    """The mask that the target's layer makes, if it is one that the source has.

    Source: Keras 2.2.4 `layers/merge.py` `_Merge.compute_mask`, which passes over inputs without;
    Keras 3.15 `layers/merging/base_merge.py` and `concatenate.py` `compute_mask`. The latter look
    at the last axis as the one that no mask has, whatever the rank.
    """
    masks = [tensor.mask for tensor in inputs]
    present = [mask for mask in masks if mask is not None]
    made = site.emission.parts(site.layer).get("mask")
    if site.dialect.merged_masks == "any":
        rank = len(site.settled.node.result.axes)
        if len(present) < len(masks) or any(len(mask.axes) != rank - 1 for mask in present):
            return None
    if made is None and len(set(present)) == 1:
        return present[0]
    if made is not None:
        joined = isinstance(made.node.op, Concat)  # along time, as the values are
        if joined or made.node.op == COMBINED[site.dialect.merged_masks]:
            return made.node.result
    # one that nothing in the source has, so that whatever looks at masks is refused
    return None if site.dialect.merged_masks == "any" else Value("merged_mask", ())


def _tell_of_readers(site: Site) -> None:
    site.tell(
        "KX304",
        "note",
        "its inputs have different masks: a step counts where all say so, in Keras 3 where one "
        "does, or where one input has no mask",
        level="warning",
        fix="load the file in Keras 2 or tf-keras, or convert to ONNX",
    )


@writes(Dot, attributes="normalize")
def dot(site: Site) -> None:
    """Dot over one axis of either input; what is more than that is made one axis before."""
    op, bound = site.op, site.settled.bound
    assert isinstance(op, Dot)
    if site.repeats(bound["batch"]):
        _sum_of_products(site, op)
        return
    plain = _is_plain(site)
    tensors, axes = site.all(), [0, 0]
    for index, side in enumerate("xy"):
        have = site.settled.layout_of(index)
        rest, contracted = _as_one(bound[f"{side}_rest"]), fuse(bound[f"{side}_contracted"])
        want = have if plain else Layout((*bound["batch"], *rest, contracted))
        axes[index] = find(want.terms, contracted) - site.depth
        tensors[index] = site.bring(tensors[index], have, want)
    config = site.layer.config if site.layer else {}
    stated = config.get("axes", config.get("dot_axes"))  # of Keras 1's Merge
    one = axes[0] == axes[1] and not isinstance(stated, (list, tuple))
    said: Any = axes[0] if one else axes
    if site.has("Cosine") and (op.normalize or "quotient" in site.emission.parts(site.layer)):
        _cosine(site, op, said, tensors)
        return
    y = site.put("Dot", {"axes": said, "normalize": op.normalize}, tensors)
    if len(site.seen(site.settled.results[0])) == 1:
        # of two vectors Keras makes a column (2.2.4 `backend.batch_dot`), as the source's did
        column = site.emission.follower(site.settled.node)
        if column is None or column.node.part != "view":
            raise site.refuse("Keras' Dot of two vectors is a column, not a number")
        site.take_over(column)
    elif not plain:
        made = Layout((*bound["batch"], *_as_one(bound["x_rest"]), *_as_one(bound["y_out"])))
        y = site.bring(y, made, site.settled.results[0])
    site.give(y)


def _is_plain(site: Site) -> bool:
    """Whether every Keras has a Dot for it: over one axis of at most two behind the batch.

    Keras 2.2.4 on TensorFlow takes the first of more for a batch (`backend.batch_dot`).
    """
    bound = site.settled.bound
    known = site.emission.native or all(len(bound[f"{side}_rest"]) <= 1 for side in "xy")
    return known and all(len(bound[f"{side}_contracted"]) == 1 for side in "xy")


def _as_one(terms: Terms) -> Terms:
    return (fuse(terms),) if terms else ()


LEAST_LENGTH = 1e-6
"""What a length is at least where vectors are normalized (the square of it: TensorFlow
`l2_normalize`)."""


def _sum_of_products(site: Site, op: Dot) -> None:
    """A Dot that knows more than the batch as such, or contracts more than one axis.

    Raises:
        ExportError: The target has no such operation.
    """
    bound, tensors = site.settled.bound, site.all()
    shared, summed = bound["batch"], bound["x_contracted"]
    letters = iter(string.ascii_lowercase)
    # the two inputs may be one value, whose axes then have one letter in either
    of_x = dict(zip((*shared, *bound["x_rest"], *summed), letters, strict=False))
    of_y = {term: of_x[term] for term in shared}
    of_y |= dict(zip(bound["y_contracted"], (of_x[term] for term in summed), strict=True))
    of_y |= dict(zip(bound["y_rest"], letters, strict=False))
    of_z = of_x | {z: of_y[y] for z, y in zip(bound["y_out"], bound["y_rest"], strict=True)}
    layouts = [site.settled.layout_of(0), site.settled.layout_of(1), site.settled.results[0]]
    x, y, z = (
        "".join(word[term] for term in site.seen(layout))
        for word, layout in zip((of_x, of_y, of_z), layouts, strict=True)
    )
    if op.normalize:
        axes = [[word.index(of_x[term]) for term in summed] for word in (x, y)]
        tensors = [
            needed(
                site, "normalize", [tensor], f"unit_{n}", axis=axis, order=2, epsilon=LEAST_LENGTH
            )
            for n, (tensor, axis) in enumerate(zip(tensors, axes, strict=True), 1)
        ]
    product = operation(site, "einsum", tensors, subscripts=f"{x},{y}->{z}")
    if product is None:
        raise site.refuse(
            f"{site.dialect.name} has a Dot over one axis of either input, of one batch axis"
        )
    site.give(product)


COSINE = ("left_squares", "right_squares", "squares", "lengths", "floor", "quotient", "cosine")
"""The parts of a cosine of Keras 1 over more than vectors, behind the product."""


def _cosine(site: Site, op: Dot, axes: Any, inputs: Sequence[Tensor]) -> None:
    """A cosine of Keras 1: with one more axis of size one."""
    parts = site.emission.parts(site.layer)
    if not op.normalize:
        y = site.put("Cosine", {"axes": axes}, inputs)
        for part in COSINE:
            site.take_over(parts[part])
        site.give(y)
        return
    column = site.emission.follower(site.settled.node)
    if column is None or column.node.part != "view":
        raise site.refuse("Keras 1 has the cosine of two vectors only")
    site.take_over(column)
    y = site.put("Cosine", {"axes": axes}, inputs)
    raised = parts.get("cosine")
    if raised is not None:
        site.take_over(raised)  # Keras 1's own: nobody else reads the column
    else:
        y = site.put("Reshape", {"target_shape": [1]}, [y], role="column")
    site.give(y)
