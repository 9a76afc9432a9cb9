"""Operations on tensors in functional graphs: of Keras 3, and TensorFlow's in tf.keras.

What an operation is called, and what its arguments are, say tables (`eras.operations`,
`eras.tensorflow`); what it does, a function for each kind (`numeric_operations`,
`placing_operations`, `image_operations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ....eras.operations import KERAS3, UNREAD, Meaning
from ....eras.tensorflow import TENSORFLOW
from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ....ir.ops.activation import Abs, Linear
from ....ir.ops.maths import Function
from ..call import LayerCall
from ..constants import number
from ..registry import Config, translates
from . import OPERATION
from .arithmetic import FLOATING, cast, of_whole
from .composed_operations import COMPOSED
from .filtering import OF_FILTERS
from .image_operations import OF_IMAGES
from .numeric_operations import OF_NUMBERS
from .operands import Arguments, Kind, Results, tensor
from .patches import OF_PATCHES
from .placing_operations import OF_PLACES

OPERATIONS: Mapping[str, Kind] = {
    **OF_NUMBERS,
    **OF_PLACES,
    **OF_IMAGES,
    **OF_PATCHES,
    **OF_FILTERS,
    **COMPOSED,
}

SILENT = (None, False)
"""Values of further arguments that ask for nothing."""


class FunctionConfig(Config, frozen=True, kw_only=True):
    """What TFOpLambda reads."""

    function: str


UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of arguments of another type, or of other sizes, than an operation takes."""


def run(call: LayerCall, meaning: Meaning, operands: Sequence[Any], given: Arguments) -> Results:
    """A meaning, of operands in order and other arguments in the words of Keras 3.

    Raises:
        ConfigError: It takes no such operands or arguments: nobody has checked what a file says.
    """
    kind = OPERATIONS.get(meaning.name)
    known = frozenset(meaning.attributes) if kind is None else kind.arguments
    told = {key: value for key, value in given.items() if key in known}
    others = [key for key in given if key not in known | UNREAD and given[key] not in SILENT]
    if others:
        raise ConfigError(f"{call.name} has {others[0]!r:.80}, which kerasir does not know")
    if not operands:
        raise ConfigError(f"{call.name} is given nothing")
    try:
        if kind is None:
            return _elementwise(call, meaning, operands, told)
        return kind.translate(call, operands, told)
    except UNFIT as error:
        constants = (f"{one!r:.60}" for one in operands if not isinstance(one, Value))
        stated = [*constants, *(f"{key}={value!r:.60}" for key, value in told.items())]
        what = f"such arguments: {', '.join(stated)}" if stated else "such tensors"
        raise ConfigError(f"{call.name} takes no {what}") from error


def _elementwise(
    call: LayerCall, meaning: Meaning, operands: Sequence[Any], given: Arguments
) -> Value:
    x = tensor(operands)
    stated = {meaning.attributes[key]: value for key, value in given.items()}
    numbers = {key: number(value) for key, value in stated.items() if value is not None}
    if None in numbers.values():
        raise ConfigError(f"{call.class_name} with arguments that are no numbers")
    assert meaning.op is not None
    op = msgspec.structs.replace(meaning.op, **numbers)
    if not x.dtype.startswith(FLOATING):
        found = of_whole(call, op, x)
        if found is not None:
            return found
        x = x if isinstance(op, AS_THEY_ARE) or op == SIGN else cast(call, x, "float32")
    truth = isinstance(op, Function) and op.function in TRUTHS
    return call.add(op, [x], call.axes(x), dtypes=("bool",) if truth else ()).result


AS_THEY_ARE = (Abs, Linear)
SIGN = Function(function="sign")
"""What whole numbers stay whole under; others are of floating point numbers."""

TRUTHS = frozenset({"isnan", "isinf", "isfinite"})
"""Functions that give truth values."""


for _class, _meaning in KERAS3.items():

    def _of_keras3(call: LayerCall, *inputs: Value, meaning: Meaning = _meaning) -> Results:
        arguments = {**call.layer.config, **call.given.kwargs}
        return run(call, meaning, call.given.args, arguments)

    translates(OPERATION + _class, free=True)(_of_keras3)


def bound(meaning: Meaning, args: Sequence[Any], given: Arguments) -> tuple[list[Any], Arguments]:
    """Operands and other arguments, told apart by name; those in the words of Keras 3."""
    kind = OPERATIONS.get(meaning.name)
    known = frozenset[str]() if kind is None else kind.arguments
    if len(args) > len(meaning.arguments):
        return [*args], given
    named = {**dict(zip(meaning.arguments, args, strict=False)), **given}
    if meaning.op is None:
        named = {meaning.attributes.get(key, key): value for key, value in named.items()}
    own = [n for n in meaning.arguments if n in named and n not in known | UNREAD]
    operands = [named.pop(name) for name in own]
    return operands, named


OLD_NAMES = "compat.v1."
"""Before the names of functions that TensorFlow 1 had already."""


@translates("TFOpLambda", "SlicingOpLambda", config=FunctionConfig, free=True)
def tensorflow_function(call: LayerCall, *inputs: Value) -> Results:
    """A function of TensorFlow that was called on the tensors of a tf.keras model."""
    config: FunctionConfig = call.config  # type: ignore[assignment]
    name = config.function
    meaning = TENSORFLOW.get(name) or TENSORFLOW.get(name.removeprefix(OLD_NAMES))
    if meaning is None:
        raise UnsupportedLayerError(f"TensorFlow's function {config.function!r:.80} is not known")
    return run(call, meaning, *bound(meaning, call.given.args, call.given.kwargs))
