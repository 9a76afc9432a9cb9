"""Operations on tensors in functional graphs: of Keras 3, and TensorFlow's in tf.keras.

What an operation is called says a table (`eras.operations`); here is one function for each kind,
of its operands and its other arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ....eras.operations import KERAS3, NODES, TENSORFLOW, UNREAD, Meaning
from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ....ir.ops.activation import Clip, Gelu, LogSoftmax, Power, Softmax, Sparsemax
from ....ir.ops.merge import Add, Divide, Maximum, Merge, Minimum, Multiply, Subtract
from ..archive.text import parse_object
from ..call import LayerCall
from ..classes import OPERATION
from ..constants import number
from ..registry import Config, translates
from .activation import along
from .merge import joined, merged
from .scaling import affine
from .slicing import sliced
from .tensors import any_of, expanded, not_equal, permuted, reduced, reshaped, squeezed

Arguments = Mapping[str, Any]
Operation = Callable[[LayerCall, Sequence[Any], Arguments], Value]


class FunctionConfig(Config, frozen=True, kw_only=True):
    """What TFOpLambda reads."""

    function: str


class NodeConfig(Config, frozen=True, kw_only=True):
    """What TensorFlowOpLayer reads."""

    node_def: Any
    constants: Mapping[str, Any] = {}


# ---- of two operands ---------------------------------------------------------------------------

_MERGES: Mapping[str, Merge] = {
    "add": Add(),
    "subtract": Subtract(),
    "multiply": Multiply(),
    "divide": Divide(),
    "maximum": Maximum(),
    "minimum": Minimum(),
}


def _binary(name: str) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        a, b = _exactly(operands, 2, name)
        if isinstance(a, Value) and isinstance(b, Value):
            if len(call.axes(a)) != len(call.axes(b)):
                raise ConfigError(f"{name} of {a.layout} and {b.layout}")
            return merged(call, _MERGES[name], (a, b))
        if isinstance(a, Value):
            return _BEHIND[name](call, a, b)
        return _BEFORE[name](call, b, a)

    return translate


def _negated(value: Any) -> Any:
    if isinstance(value, list):
        return [_negated(item) for item in value]
    if not isinstance(value, (int, float)):
        raise ConfigError(f"a constant {value!r:.80}")
    return -value


def _inverse(value: Any) -> Any:
    if isinstance(value, list):
        return [_inverse(item) for item in value]
    if not isinstance(value, (int, float)) or value == 0:
        raise ConfigError(f"a division by {value!r:.80}")
    return 1 / value


def _clipped(call: LayerCall, x: Value, **bound: Any) -> Value:
    ((name, stated),) = bound.items()
    one = number(stated)
    if one is None:
        raise ConfigError(f"a {name}est result that is no number")
    return call.add(Clip(**{name: one}), [x], call.axes(x)).result


def _over(call: LayerCall, x: Value, c: Any) -> Value:
    inverse = call.add(Power(exponent=-1.0), [x], call.axes(x), part="inverse").result
    return affine(call, inverse, c, 0.0)


_WithConstant = Callable[[LayerCall, Value, Any], Value]

_BEHIND: Mapping[str, _WithConstant] = {
    "add": lambda call, x, c: affine(call, x, 1.0, c),
    "subtract": lambda call, x, c: affine(call, x, 1.0, _negated(c)),
    "multiply": lambda call, x, c: affine(call, x, c, 0.0),
    "divide": lambda call, x, c: affine(call, x, _inverse(c), 0.0),
    "maximum": lambda call, x, c: _clipped(call, x, low=c),
    "minimum": lambda call, x, c: _clipped(call, x, high=c),
}
"""A tensor, and a constant behind it."""

_BEFORE: Mapping[str, _WithConstant] = {
    **_BEHIND,
    "subtract": lambda call, x, c: affine(call, x, -1.0, c),
    "divide": _over,
}
"""A constant before the tensor."""


def _power(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, exponent = _exactly(operands, 2, "power")
    one = number(exponent)
    if not isinstance(x, Value) or one is None:
        raise ConfigError("a power whose exponent is no number")
    return call.add(Power(exponent=one), [x], call.axes(x)).result


# ---- of one operand ----------------------------------------------------------------------------


def _elementwise(meaning: Meaning) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = _tensor(operands)
        given = {meaning.attributes[key]: value for key, value in arguments.items()}
        numbers = {key: number(value) for key, value in given.items() if value is not None}
        if None in numbers.values():
            raise ConfigError(f"{call.class_name} with arguments that are no numbers")
        assert meaning.op is not None
        return call.add(msgspec.structs.replace(meaning.op, **numbers), [x], call.axes(x)).result

    return translate


def _along_axis(op: Any) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        return along(call, _tensor(operands), op, _numbers(arguments.get("axis"), (-1,)))

    return translate


def _gelu(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, approximate = _tensor(operands), arguments.get("approximate")
    return call.add(Gelu(approximate=bool(approximate)), [x], call.axes(x)).result


def _reduce(kind: str) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        axes = _numbers(arguments.get("axis"), None)
        keep = bool(arguments.get("keepdims"))
        return reduced(call, _tensor(operands), kind, axes, keepdims=keep)

    return translate


def _concatenate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    (values,) = _exactly(operands, 1, "concatenate")
    tensors = values if isinstance(values, list) else [values]
    if not all(isinstance(value, Value) for value in tensors):
        raise ConfigError("a concatenation with a constant")
    (axis,) = _exactly(_numbers(arguments.get("axis"), (0,)), 1, "concatenate")
    return joined(call, tensors, axis)


def _reshape(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    shape = _numbers(arguments.get("newshape", arguments.get("shape")), None)
    if not shape or shape[0] != -1:
        raise ConfigError(f"a reshape to {shape}, which changes the batch")
    return reshaped(call, _tensor(operands), shape[1:])


def _transpose(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x = _tensor(operands)
    order = _numbers(arguments.get("axes", arguments.get("perm")), None)
    order = order or tuple(reversed(range(len(call.axes(x)))))
    if sorted(order) != list(range(len(call.axes(x)))) or order[0] != 0:
        raise ConfigError(f"a transposition by {order} of an input {x.layout}")
    return permuted(call, x, order[1:])


def _cast(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, dtype = _tensor(operands), str(arguments.get("dtype"))
    if not dtype.startswith(("float", "bfloat")) or x.dtype == "bool":
        raise ConfigError(f"a cast from {x.dtype} to {dtype:.80}")
    return affine(call, x, 1.0, 0.0)


def _logical(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    a, b = _exactly(operands, 2, "logical")
    if a is not b or not isinstance(a, Value):
        raise ConfigError("masks that are combined")
    return a


def _sized(translate: Callable[[LayerCall, Value, Sequence[int]], Value]) -> Operation:
    def of_axes(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        axes = _numbers(arguments.get("axis"), None)
        if axes is None:
            raise ConfigError("an operation that does not say its axis")
        return translate(call, _tensor(operands), axes)

    return of_axes


OPERATIONS: Mapping[str, Operation] = {
    **{name: _binary(name) for name in _MERGES},
    "power": _power,
    "not_equal": lambda call, operands, _: not_equal(call, *_exactly(operands, 2, "not_equal")),
    "any": lambda call, operands, arguments: any_of(
        call, _tensor(operands), _numbers(arguments.get("axis"), None)
    ),
    "logical_and": _logical,
    "logical_or": _logical,
    "gelu": _gelu,
    "softmax": _along_axis(Softmax()),
    "log_softmax": _along_axis(LogSoftmax()),
    "sparsemax": _along_axis(Sparsemax()),
    "mean": _reduce("mean"),
    "max": _reduce("max"),
    "sum": _reduce("sum"),
    "concatenate": _concatenate,
    "reshape": _reshape,
    "transpose": _transpose,
    "expand_dims": _sized(expanded),
    "squeeze": _sized(squeezed),
    "get_item": lambda call, operands, arguments: sliced(
        call, *_exactly([*operands, *arguments.values()], 2, "get_item")
    ),
    "cast": _cast,
}

KNOWN: Mapping[str, frozenset[str]] = {
    "gelu": frozenset({"approximate"}),
    **dict.fromkeys(("mean", "max", "sum"), frozenset({"axis", "keepdims"})),
    **dict.fromkeys(
        ("softmax", "log_softmax", "sparsemax", "concatenate", "expand_dims", "squeeze"),
        frozenset({"axis"}),
    ),
    "any": frozenset({"axis", "keepdims"}),
    "reshape": frozenset({"newshape", "shape"}),
    "transpose": frozenset({"axes", "perm"}),
    "get_item": frozenset({"slice_spec"}),
    "cast": frozenset({"dtype"}),
}
"""The arguments that each kind reads beside its operands."""


SILENT = (None, False)
"""Values of further arguments that ask for nothing."""


def _run(call: LayerCall, meaning: Meaning, operands: Sequence[Any], given: Arguments) -> Value:
    known = KNOWN.get(meaning.name, frozenset()) | meaning.attributes.keys()
    told = {key: value for key, value in given.items() if key in known}
    others = [key for key in given if key not in known | UNREAD and given[key] not in SILENT]
    if others:
        raise ConfigError(f"{call.name} has {others[0]!r:.80}, which kerasir does not know")
    if meaning.op is not None:
        return _elementwise(meaning)(call, operands, told)
    return OPERATIONS[meaning.name](call, operands, told)


# ---- who says so -------------------------------------------------------------------------------

for _class, _meaning in KERAS3.items():

    def _of_keras3(call: LayerCall, *inputs: Value, meaning: Meaning = _meaning) -> Value:
        arguments = {**call.layer.config, **call.given.kwargs}
        return _run(call, meaning, call.given.args, arguments)

    translates(OPERATION + _class, free=True)(_of_keras3)


@translates("TFOpLambda", "SlicingOpLambda", config=FunctionConfig, free=True)
def tensorflow_function(call: LayerCall, *inputs: Value) -> Value:
    """A function of TensorFlow that was called on the tensors of a tf.keras model."""
    config: FunctionConfig = call.config  # type: ignore[assignment]
    meaning = TENSORFLOW.get(config.function)
    if meaning is None:
        raise UnsupportedLayerError(f"TensorFlow's function {config.function!r:.80} is not known")
    kwargs = dict(call.given.kwargs)
    operands = [*call.given.args]
    operands += [kwargs.pop(name) for name in meaning.arguments[1:] if name in kwargs]
    return _run(call, meaning, operands, kwargs)


@translates("TensorFlowOpLayer", config=NodeConfig, free=True)
def tensorflow_node(call: LayerCall, *inputs: Value) -> Value:
    """A node of TensorFlow's graph, with its constants by their place among the operands."""
    config: NodeConfig = call.config  # type: ignore[assignment]
    node = config.node_def
    if isinstance(node, str):
        node = parse_object(node, "node_def")
    kind = node.get("op") if isinstance(node, Mapping) else None
    meaning = NODES.get(str(kind))
    if meaning is None:
        raise UnsupportedLayerError(f"TensorFlow's operator {kind!r:.80} is not known")
    operands: list[Any] = list(inputs)
    arguments: dict[str, Any] = {"keepdims": _flag(node, "keep_dims")}
    for place, value in _placed(config.constants):
        name = meaning.arguments[place] if place < len(meaning.arguments) else ""
        if name in KNOWN.get(meaning.name, ()):
            arguments[name] = value
        else:
            operands.insert(place, value)
    return _run(call, meaning, operands, arguments)


def _placed(constants: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """Constants by their place; JSON has texts for keys."""
    if not all(key.isdecimal() and len(key) < 4 for key in constants):
        raise ConfigError(f"constants at {sorted(constants)!r:.80}")
    return sorted(((int(key), constants[key]) for key in constants), key=lambda pair: pair[0])


def _flag(node: Mapping[str, Any], name: str) -> bool:
    attributes = node.get("attr")
    stated = attributes.get(name) if isinstance(attributes, Mapping) else None
    return isinstance(stated, Mapping) and stated.get("b") is True


# ---- arguments ---------------------------------------------------------------------------------


def _exactly(operands: Sequence[Any], count: int, what: str) -> Sequence[Any]:
    if len(operands) != count:
        raise ConfigError(f"{what} of {len(operands)} operands")
    return operands


def _tensor(operands: Sequence[Any]) -> Value:
    (x,) = _exactly(operands, 1, "an operation")
    if not isinstance(x, Value):
        raise ConfigError("an operation on a constant")
    return x


def _numbers(stated: Any, absent: tuple[int, ...] | None) -> Any:
    """Whole numbers: one, or a list of them."""
    if stated is None:
        return absent
    found = tuple(stated) if isinstance(stated, (list, tuple)) else (stated,)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in found):
        raise ConfigError(f"{stated!r:.80} where whole numbers are expected")
    return found
