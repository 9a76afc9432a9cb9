"""Masks that a call has to be told, since another reaches it, or none.

Every Keras carries masks along with values. Keras 3 also takes one by keyword, as a tensor, which
comes before the one that is carried (3.15 `layers/layer.py`, `Layer.__call__`, step 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set as AbstractSet
from typing import TYPE_CHECKING, Any

from ...ir.graph import Graph, Node, Value
from ...ir.layout import Axis, axes_of
from ...ir.ops.attention import MultiHeadAttention
from ...ir.ops.embedding import Masking
from ...ir.ops.shape import Reshape
from ...ir.plan import Held
from ...ir.signature import REST, bindings_of
from .functions import needed
from .network import Constant, Tensor
from .registry import writer_of
from .scope import Scope
from .site import Site

if TYPE_CHECKING:
    from .emission import Emission

NOWHERE = -3.4028234663852886e38
"""A value that masks no step: the least number of float32."""


def told(site: Site, port: int, x: Tensor, *, carried: bool = True) -> tuple[Tensor, Tensor | None]:
    """A tensor, and the mask that the call has to be told with it, if any.

    Args:
        site: The node.
        port: Its input that is the mask.
        x: What the mask is of.
        carried: Whether the call looks at the mask that comes along with the tensor.

    Raises:
        ExportError: Another mask comes along, and the target's calls are told none.
    """
    held = mask_of(site, port)
    if site.dialect.masks_past_steps and site.repeats(site.settled.bound.get("batch", ())) > 0:
        if held is not None:
            raise site.refuse(f"TimeDistributed of {site.dialect.name} gives its layer no mask")
        return x, None
    if held is None:
        return (without_mask(site, x) if carried and x.mask is not None else x), None
    if x.mask is held.value and (carried or not site.dialect.tells_masks):
        return x, None
    if not site.dialect.tells_masks:
        _tell_reader(site, port, x)
    return x, mask_tensor(site, port)


def _tell_reader(site: Site, port: int, x: Tensor) -> None:
    """Say that not every reader of the target can be told a mask.

    Raises:
        ExportError: None can.
    """
    if not site.dialect.hears_masks:
        site.check_mask(port, x)
    site.emission.speak("tf_keras")
    what = "a mask that a layer is given by keyword needs tf.keras 1.15 or later"
    site.tell("KX301", "note", what, level="warning")


def carries(site: Site, tensor: Tensor, mask: Value | None) -> None:
    """Say which mask comes along with a result, unless a TimeDistributed says it.

    Args:
        site: The node.
        tensor: The result.
        mask: What its layer makes of the masks.
    """
    if not (tensor.call.layer.wrappers and site.dialect.hands_masks_on):
        tensor.mask = mask


def mask_of(site: Site, port: int) -> Held | None:
    """The mask at a port of the node; the same over other axes counts as the same."""
    inputs = site.settled.inputs
    held = inputs[port] if port < len(inputs) else None
    while held is not None and (settled := site.emission.makers.get(held.value)) is not None:
        if not isinstance(settled.node.op, Reshape):
            break
        held = settled.inputs[0]
    return held


def mask_tensor(site: Site, port: int) -> Tensor:
    """A mask as a tensor of its own.

    Raises:
        ExportError: What it is made of is not there.
    """
    held = mask_of(site, port)
    assert held is not None  # the caller looked
    write_mask(site.emission, site.scope, held.value)
    return site.scope.take(held.value, held.layout, site.name)


def without_mask(site: Site, x: Tensor, role: str = "unmasked") -> Tensor:
    """The tensor without the mask that Keras carries along.

    Where calls can be told masks, it is what an operation gives; elsewhere a Masking layer that
    masks nothing stands before.
    """
    site.tell("KX406", "changed", "it takes no mask: what stands before it takes the mask off")
    if site.dialect.tells_masks:
        return as_operation(site, x, role)
    return site.put("Masking", {"mask_value": NOWHERE}, [x], role=role)


def as_operation(site: Site, x: Tensor, role: str) -> Tensor:
    """The same numbers as an operation of Keras 3 gives them, which carries no mask: times one."""
    return needed(site, "multiply", [x, Constant(1.0)], role)


def unaltered(
    site: Site, class_name: str, parts: Sequence[Tensor], mask: Value | None
) -> tuple[Sequence[Tensor], Value | None]:
    """What a merge that an op is composed of is given, and the mask that it then carries on.

    Where the target's merge would compute otherwise for steps that a mask leaves out, and something
    sees these, it is given inputs without; what needs the mask behind it is told it. A merge of
    the source looks after its own inputs.
    """
    graph, result = site.emission.plan.graph, site.settled.node.result
    masks = {part.mask for part in parts if part.mask is not None}
    composed = class_name in site.dialect.masked_values and site.op.kind != class_name
    if not composed or not any(shows(graph, result, one) for one in masks):
        return parts, mask
    bare: dict[Tensor, Tensor] = {}
    for part in parts:
        if part not in bare:
            role = f"bare_{len(bare) + 1}"
            bare[part] = part if part.mask is None else as_operation(site, part, role)
    return [bare[part] for part in parts], None


def write_mask(emission: Emission, scope: Scope, value: Value) -> None:
    """Write what a mask is made by, unless it is there: in the outermost model that can.

    Raises:
        ExportError: What it is made of is not there.
    """
    if scope.can(value) or (settled := emission.makers.get(value)) is None:
        return
    read = [held.value for held in settled.inputs if held is not None]
    while scope.parent is not None and all(map(scope.parent.can, sources(emission, value))):
        scope = scope.parent
    for one in read:
        write_mask(emission, scope, one)
    layer = settled.node.layer
    site = Site(emission, scope, settled, layer.name if layer else settled.node.name)
    if isinstance(settled.node.op, Masking):
        _write_masking(site, settled.node.op)
    else:
        writer_of(settled.node.op)(site)


def sources(emission: Emission, mask: Value) -> Iterator[Value]:
    """What a mask is made of in the end: values that are no masks."""
    settled = emission.makers.get(mask)
    if settled is None:
        yield mask
        return
    for held in settled.inputs:
        if held is not None:
            yield from sources(emission, held.value)


def _write_masking(site: Site, op: Masking) -> None:
    """Where any feature of a step has another value (3.15 `layers/core/masking.py`)."""
    other = needed(site, "not_equal", [site.x(), Constant(op.mask_value)], "mask_other")
    y = needed(site, "any", [other], "mask", axis=[site.axis("features")], keepdims=False)
    site.give(y, 1)


# ---- what is left out ----------------------------------------------------------------------------


def shows(graph: Graph, value: Value, mask: Value) -> bool:
    """Whether anything sees the steps of a value that a mask leaves out.

    Nothing does where all that comes of it goes, step by step, to what leaves out the same.
    """
    readers, steps = graph.consumers(), set(axes_of(mask.axes[1:]))
    waiting, seen = [value], set[Value]()
    while waiting:
        value = waiting.pop()
        if value in graph.outputs:
            return True
        for node in readers.get(value, ()):
            if node.op.mask == "consume":
                if node.inputs[0] is not value or mask not in node.inputs[1:2]:
                    return True
            elif isinstance(node.op, MultiHeadAttention):
                if not _left_out(node, value, mask) or readers.get(node.results[1]):
                    return True
                waiting += [node.result] if node.result not in seen else []
                seen.add(node.result)
            elif not _step_by_step(node, steps):
                return True
            else:
                waiting += [result for result in node.results if result not in seen]
                seen.update(node.results)
    return False


def _left_out(node: Node, value: Value, mask: Value) -> bool:
    """Whether an attention gives the steps of a value in their place, and to no other step."""
    if value in node.inputs[1:3] and mask not in node.inputs[4:6]:
        return False  # as keys that others see
    blind: Any = node.op
    return value not in node.inputs[1:3] or node.inputs[3] is mask or blind.blind == "zero"


def _step_by_step(node: Node, steps: AbstractSet[Axis]) -> bool:
    """Whether a node's op leaves the axes of a mask alone, as what none of its bindings names."""
    named = {axis for name, terms in node.axes.items() if name != REST for axis in axes_of(terms)}
    free = REST in bindings_of(node.op.inputs) and not named & steps
    return free and all(steps <= set(axes_of(result.axes)) for result in node.results)
