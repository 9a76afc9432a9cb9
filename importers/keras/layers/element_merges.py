"""Add, Multiply, Maximum and their like; some of Keras 3 look at masks.

There, what one input leaves out, the others decide alone. Source: Keras 3.15
`layers/merging/multiply.py` `_merge_function`, `layers/merging/base_merge.py`
`_apply_merge_op_and_or_mask` (Maximum and Minimum).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....ir.graph import Value
from ....ir.layout import Axis
from ....ir.ops.maths import Binary, Fill, Where
from ....ir.ops.merge import Add, Average, Maximum, Merge, Minimum, Multiply, Subtract
from ....ir.ops.shape import View
from ..call import LayerCall
from ..registry import translates
from .merge import common_mask, merged

OR = Binary(function="or")


def behind_masks(call: LayerCall, op: Merge, inputs: Sequence[Value]) -> Value | None:
    """The merge, if it looks at masks and there are some."""
    masks = [call.mask(value) for value in inputs]
    if not call.era.has("merges_look_at_masks") or not any(masks):
        return None
    ranks = {len(call.axes(value)) for value in inputs}
    if len(ranks) > 1 or not isinstance(op, (Multiply, Maximum, Minimum)):
        return None
    wide = [mask and _wide(call, mask, number) for number, mask in enumerate(masks)]
    if isinstance(op, Multiply):
        return _product(call, op, inputs, masks, wide)
    return _extreme(call, op, inputs, wide)


def _wide(call: LayerCall, mask: Value, number: int) -> Value:
    axes = (*call.axes(mask), Axis("X", 1))
    return call.add(View(), [mask], axes, part=f"wide{number}").result


def _where(call: LayerCall, mask: Value, a: Value, b: Value, part: str) -> Value:
    axes = call.axes(a)
    made = call.add(Where(), [mask, a, b], axes, axes={"...": ()}, part=part, dtypes=(a.dtype,))
    return made.result


def _filled(call: LayerCall, x: Value, value: float, part: str) -> Value:
    return call.add(Fill(value=value), [x], call.axes(x), part=part).result


def _product(
    call: LayerCall,
    op: Merge,
    inputs: Sequence[Value],
    masks: Sequence[Value | None],
    wide: Sequence[Value | None],
) -> Value:
    """Ones where an input is left out, zeros where all are."""
    whole: list[Value] = []
    for number, (x, mask) in enumerate(zip(inputs, wide, strict=True)):
        if mask is not None:
            one = _filled(call, x, 1.0, f"ones{number}")
            x = _where(call, mask, x, one, f"left{number}")
        whole.append(x)
    if not all(masks):
        return merged(call, op, whole)
    y = merged(call, op, whole, part="product")
    common = common_mask(call, inputs, y)
    assert common is not None  # every input has one
    none = _filled(call, y, 0.0, "zeros")
    z = _where(call, _wide(call, common, len(inputs)), y, none, "")
    call.set_mask(z, common)
    return z


def _extreme(
    call: LayerCall, op: Merge, inputs: Sequence[Value], wide: Sequence[Value | None]
) -> Value:
    """Of the inputs that are there; two at a time, as Keras goes through them."""
    y, have = inputs[0], wide[0]
    for number, (x, mask) in enumerate(zip(inputs[1:], wide[1:], strict=True), 1):
        other = x if mask is None else _where(call, mask, x, y, f"there{number}")
        before = y if have is None else _where(call, have, y, other, f"before{number}")
        last = number == len(inputs) - 1
        y = merged(call, op, (before, other), part="" if last else f"merged{number}")
        if mask is None or have is None:
            have = None
        elif not last:
            have = merged(call, OR, (have, mask), part=f"any{number}", dtypes=("bool",))
    call.set_mask(y, common_mask(call, inputs, y))
    return y


CLASSES: Mapping[str, Merge] = {
    "Add": Add(),
    "Subtract": Subtract(),
    "Multiply": Multiply(),
    "Average": Average(),
    "Maximum": Maximum(),
    "Minimum": Minimum(),
}

for _name, _op in CLASSES.items():

    def _translate(call: LayerCall, *inputs: Value, op: Merge = _op) -> Value:
        return behind_masks(call, op, inputs) or merged(call, op, inputs)

    translates(_name)(_translate)
