"""Operations on tensors that are no layers, where a target can say them in a functional model.

tf.keras has TFOpLambda, which names a function of TensorFlow; Keras 3 has a class for each. What
they mean, both ways, are the tables of `eras.operations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...eras.operations import REQUIRED
from ...ir.op import Op, attributes
from .network import Arguments, Tensor
from .site import Site


def function_of(site: Site, op: Op, x: Tensor, role: str = "") -> Tensor | None:
    """An element-wise op as the target's function; None if it has none."""
    functions = site.dialect.functions
    if functions is None:
        return None
    for name, meaning in functions.meanings.items():
        if meaning.op is None or type(meaning.op) is not type(op):
            continue
        usual = attributes(meaning.op)
        other = {key: value for key, value in attributes(op).items() if value != usual[key]}
        keys = {attribute: key for key, attribute in meaning.attributes.items()}
        needed = {attribute for attribute, value in usual.items() if value is None}
        if other.keys() <= keys.keys() and needed & keys.keys() <= other.keys():
            given = {keys[attribute]: value for attribute, value in other.items()}
            given = {**REQUIRED.get(name, {}), **given}
            return _put(site, name, [x], given, role)
    return None


def operation(
    site: Site, kind: str, operands: Sequence[Tensor], role: str = "", **arguments: Any
) -> Tensor | None:
    """An operation by its name in `eras.operations`; None if the target has no such function.

    Args:
        site: The node.
        kind: Such as `divide` or `mean`.
        operands: Tensors.
        role: What it is beside the node's own layer.
        arguments: What the operation is told besides, in the words of NumPy.
    """
    functions = site.dialect.functions
    if functions is None:
        return None
    for name, meaning in functions.meanings.items():
        if meaning.name == kind:
            return _put(site, name, operands, arguments, role, meaning.arguments[1:])
    return None


def _put(
    site: Site,
    name: str,
    operands: Sequence[Tensor],
    given: Mapping[str, Any],
    role: str,
    named: Sequence[str] = (),
) -> Tensor:
    functions = site.dialect.functions
    assert functions is not None  # both callers looked
    if functions.class_name:
        mask = operands[0].mask if len(operands) == 1 else None
        keywords = tuple(named[: len(operands) - 1])
        said = Arguments(constants=given, named=keywords, function=True)
        return site.put(
            functions.class_name,
            {"function": name},
            operands,
            role=role,
            mask=mask,
            arguments=said,
        )
    return site.put(name, dict(given), operands, role=role, arguments=Arguments(function=True))
