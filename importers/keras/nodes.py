"""Calls of layers as functional models store them, in every form: who reads what.

- Keras 1 and 2, tf.keras: a list of `[layer, call, tensor]` or `[layer, call, tensor, kwargs]`; of
  tf.keras also one such list alone (TFOpLambda), nests of them, and constants among them. Sources:
  Keras 1.2.2 `engine/topology.py` `Container.get_config`, tf-keras 2.21 `engine/node.py`
  `Node.serialize`.
- Keras 3: `{"args": …, "kwargs": …}` with tensors as objects `__keras_tensor__`. Source: Keras 3.15
  `models/functional.py` `serialize_node`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ConfigError
from .spec import Call, Ref, refs_in

CONSTANT = "_CONSTANT_VALUE"
"""Stands in tf.keras where a layer's name would, before a number or an array."""

TENSOR = "__keras_tensor__"
FIRST_ARGUMENTS = ("inputs", "sequences", "sequence", "x", "query")
"""What the first argument of a layer or an operation is called, given by keyword."""

VALUES = frozenset({"__tensor__", "__numpy__", "__bytes__", "__tuple__"})
"""Objects of Keras 3 that hold a plain `value`."""

Offsets = Mapping[str, int]
"""By layer: the number that the file gives the layer's first call in this model."""


def read_call(node: Any, offsets: Offsets, where: str) -> Call:
    """One call of a layer.

    Args:
        node: As stored.
        offsets: Of lists; Keras 3's objects count from 0.
        where: The layer, for messages.

    Raises:
        ConfigError: It is none of the forms that Keras writes.
    """
    if isinstance(node, Mapping) and "args" in node:
        return _keras3(node, offsets, where)
    if not isinstance(node, (Sequence, Mapping)) or isinstance(node, str):
        raise ConfigError("an inbound node that is no list", where=where)
    kwargs: dict[str, Any] = {}
    whole = _nest(node, offsets, where, kwargs)
    if isinstance(whole, list) and len(whole) == 1 and isinstance(whole[0], Ref):
        whole = whole[0]
    kwargs = {key: _tensors(value, offsets) for key, value in kwargs.items()}
    inputs = tuple(refs_in(whole))
    return Call(inputs, kwargs, (whole,) if inputs != (whole,) else ())


def read_refs(stored: Any, offsets: Offsets) -> list[Ref]:
    """The inputs or outputs of a model: one reference, or a nest of them.

    Raises:
        ConfigError: There are none, or something else is among them.
    """
    where = "input_layers and output_layers"
    if not isinstance(stored, (Sequence, Mapping)) or not stored:
        raise ConfigError("a Model without input_layers or output_layers")
    nest = _nest(stored, offsets, where, {})
    refs = list(refs_in(nest))
    if not refs or not all(isinstance(ref, Ref) for ref in refs):
        raise ConfigError("a Model without input_layers or output_layers")
    return refs


# ---- lists -----------------------------------------------------------------------------------


def _nest(item: Any, offsets: Offsets, where: str, kwargs: dict[str, Any]) -> Any:
    """A nest of references, with a `Ref` for each; what is called beside them goes to `kwargs`."""
    if isinstance(item, Mapping):
        return {key: _nest(value, offsets, where, kwargs) for key, value in item.items()}
    nested = isinstance(item, Sequence) and not isinstance(item, str)
    if nested and not (item and isinstance(item[0], str)):
        return [_nest(value, offsets, where, kwargs) for value in item]
    if nested and len(item) > 3 and isinstance(item[3], Mapping):
        kwargs |= item[3]
    if nested and item[0] == CONSTANT and len(item) > 2:
        return item[2]
    return _ref(item, offsets, where)


def _ref(item: Any, offsets: Offsets, where: str, *, shifted: bool = True) -> Ref:
    fits = (
        isinstance(item, Sequence)
        and len(item) >= 3
        and isinstance(item[0], str)
        and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in item[1:3])
    )
    if not fits:
        raise ConfigError(
            "a reference to a tensor is not [layer, call, tensor]",
            where=where,
            details=(f"found {item!r:.120}",),
        )
    if item[0] not in offsets:
        raise ConfigError(
            f"refers to layer {item[0]!r:.80}, which the model does not have", where=where
        )
    # a nested model's call 0 is the one that made it (Keras 1.2.2 `Container.get_config`)
    return Ref(item[0], max(0, item[1] - offsets[item[0]] * shifted), item[2])


def _tensors(value: Any, offsets: Offsets) -> Any:
    """Keyword arguments of tf.keras: a list like a reference is one, if the layer exists."""
    if isinstance(value, Mapping):
        return {key: _tensors(item, offsets) for key, item in value.items()}
    if not isinstance(value, Sequence) or isinstance(value, str):
        return value
    named = len(value) in {3, 4} and isinstance(value[0], str) and value[0] in offsets
    if named and all(isinstance(n, int) and n >= 0 for n in value[1:3]):
        return _ref(value, offsets, "")
    return [_tensors(item, offsets) for item in value]


# ---- Keras 3 ---------------------------------------------------------------------------------


def _keras3(node: Mapping[str, Any], offsets: Offsets, where: str) -> Call:
    args, kwargs = node["args"], node.get("kwargs") or {}
    if not isinstance(args, Sequence) or isinstance(args, str) or not isinstance(kwargs, Mapping):
        raise ConfigError("a call whose arguments are no list and no dict", where=where)
    positional = [_revived(arg, offsets, where) for arg in args]
    named = {str(key): _revived(value, offsets, where) for key, value in kwargs.items()}
    first = next((key for key in FIRST_ARGUMENTS if key in named), None)
    if not positional and first is not None:
        positional = [named.pop(first)]
    inputs = tuple(refs_in(positional))
    return Call(inputs, named, tuple(positional) if list(inputs) != positional else ())


def told_shapes(nodes: Any) -> dict[Ref, tuple[int | None, ...]]:
    """The shapes of tensors that calls state with each reference."""
    found: dict[Ref, tuple[int | None, ...]] = {}
    todo: list[Any] = [nodes]
    while todo:
        value = todo.pop()
        if isinstance(value, dict) and value.get("class_name") == TENSOR:
            config = value.get("config")
            told: Mapping[str, Any] = config if isinstance(config, dict) else {}
            shape, history = told.get("shape", ()), told.get("keras_history", ())
            if is_shape(shape) and _is_history(history):
                found[Ref(*history)] = tuple(shape)
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return found


def built_shape(entry: Any) -> tuple[int | None, ...] | None:
    """The shape of the one input that a layer was built for, where its entry says it.

    Source: tf-keras 2.21 `engine/base_layer.py` (`get_build_config`).
    """
    built = entry.get("build_config") if isinstance(entry, Mapping) else None
    return as_shape(built.get("input_shape")) if isinstance(built, Mapping) else None


def as_shape(stated: Any) -> tuple[int | None, ...] | None:
    """A shape with its batch as a file states it; None if it is none."""
    return tuple(stated) if isinstance(stated, Sequence) and is_shape(stated) else None


def _is_history(stored: Any) -> bool:
    listed = isinstance(stored, Sequence) and len(stored) == 3
    return listed and [type(one) for one in stored] == [str, int, int]


def is_shape(shape: Any) -> bool:
    """Whether it is a list of extents, those that are not known null."""
    listed = isinstance(shape, Sequence) and not isinstance(shape, str) and bool(shape)
    return listed and all(n is None or (type(n) is int and n > 0) for n in shape)


def _revived(value: Any, offsets: Offsets, where: str) -> Any:
    """An argument as plain data, with a `Ref` for each tensor."""
    if isinstance(value, Mapping):
        config = value.get("config")
        kind = str(value.get("class_name"))
        if kind == TENSOR:
            history = config.get("keras_history") if isinstance(config, Mapping) else None
            # these count from 0, for nested models too
            return _ref(history, offsets, where, shifted=False)
        if kind in VALUES and isinstance(config, Mapping) and "value" in config:
            return _revived(config["value"], offsets, where)
        return {key: _revived(item, offsets, where) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_revived(item, offsets, where) for item in value]
    return value
