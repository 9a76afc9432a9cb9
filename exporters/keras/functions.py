"""Operations on tensors that are no layers, where a target can say them in a functional model.

tf.keras has TFOpLambda, which names a function of TensorFlow; Keras 3 has a class for each. What
they mean, both ways, are the tables of `eras.operations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...eras.operations import REQUIRED, Meaning
from ...ir.op import Op, attributes
from .network import Arguments, Constant, Tensor
from .site import Site

NONE: Mapping[str, Any] = {}


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
            return _put(site, name, UNNAMED, [x], given, role, NONE)[0]
    return None


def operation(
    site: Site,
    kind: str,
    operands: Sequence[Tensor],
    role: str = "",
    call: Mapping[str, Any] = NONE,
    **arguments: Any,
) -> Tensor | None:
    """An operation by its name in `eras.operations`; None if the target has no such function.

    Args:
        site: The node.
        kind: Such as `divide` or `mean`.
        operands: Tensors, and constants among them.
        role: What it is beside the node's own layer.
        call: What Keras 3 is told when the operation is called, not when it is made.
        arguments: What the operation is told besides, in the words of NumPy.
    """
    found = operations(site, kind, operands, role, call, **arguments)
    return None if found is None else found[0]


def operations(
    site: Site,
    kind: str,
    operands: Sequence[Tensor],
    role: str = "",
    call: Mapping[str, Any] = NONE,
    outputs: int = 1,
    **arguments: Any,
) -> tuple[Tensor, ...] | None:
    """As `operation`, of several results."""
    functions = site.dialect.functions
    if functions is None:
        return None
    for name, meaning in functions.meanings.items():
        sayable = not functions.class_name or len(operands) <= len(meaning.arguments)
        if meaning.name == kind and sayable:
            return _put(site, name, meaning, operands, arguments, role, call, outputs)
    return None


def needed(
    site: Site, kind: str, operands: Sequence[Tensor], role: str = "", **more: Any
) -> Tensor:
    """As `operation`.

    Raises:
        ExportError: The target has no such function.
    """
    found = operation(site, kind, operands, role, **more)
    if found is None:
        raise site.refuse(f"{site.dialect.name} has no operation {kind}")
    return found


def _put(
    site: Site,
    name: str,
    meaning: Meaning,
    operands: Sequence[Tensor],
    given: Mapping[str, Any],
    role: str,
    call: Mapping[str, Any],
    outputs: int = 1,
) -> tuple[Tensor, ...]:
    functions = site.dialect.functions
    assert functions is not None  # both callers looked
    tensors = [one for one in operands if not isinstance(one, Constant)]
    if not tensors:
        raise site.refuse(f"an operation {name} on constants alone")
    config: Mapping[str, Any] = given
    if functions.class_name:
        name, config = functions.class_name, {"function": name}
        said = _by_name(site, meaning, operands, {**given, **call})
    else:
        places = {n: _stated(one) for n, one in enumerate(operands) if isinstance(one, Constant)}
        said = Arguments(constants=call, places=places, function=True)
    return site.put_all(name, dict(config), tensors, role=role, outputs=outputs, arguments=said)


def _by_name(
    site: Site, meaning: Meaning, operands: Sequence[Tensor], given: Mapping[str, Any]
) -> Arguments:
    """What a function of TensorFlow is called with; all behind the first tensor by name."""
    keys = [name for name in meaning.arguments if name not in given][: len(operands)]
    if len(keys) < len(operands):
        raise site.refuse(f"{site.dialect.name} has no way to say what {site.op} is of")
    first, *rest = zip(keys, operands, strict=True)
    own = {key: one.value for key, one in rest if isinstance(one, Constant)}
    named = tuple(key for key, one in rest if not isinstance(one, Constant))
    places = {0: first[1].value} if isinstance(first[1], Constant) else {}
    called = {key: old for old, key in meaning.attributes.items() if old not in DEPRECATED}
    told = {called.get(key, key): value for key, value in given.items()}
    return Arguments(constants={**told, **own}, named=named, function=True, places=places)


def _stated(constant: Constant) -> Any:
    """Numbers as Keras 3 has them: as a tensor with its dtype, if it has a shape.

    Source: Keras 3.15 `saving/serialization_lib.py` (`serialize_keras_object`).
    """
    if constant.laid_out is None:
        return constant.value
    config = {"value": constant.value, "dtype": constant.dtype}
    return {"class_name": "__tensor__", "config": config}


UNNAMED = Meaning("", arguments=("x",))
"""A function of one tensor, which is given first."""

DEPRECATED = frozenset({"keep_dims"})
"""Names of arguments that TensorFlow 1 had."""
