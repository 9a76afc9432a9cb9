"""The operands and arguments of operations on tensors, as files state them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ....errors import ConfigError
from ....ir.graph import Value
from ..call import LayerCall

Arguments = Mapping[str, Any]
Results = Value | tuple[Value, ...]
Operation = Callable[[LayerCall, Sequence[Any], Arguments], Results]


class Kind(msgspec.Struct, frozen=True):
    """One kind of operation.

    Attributes:
        translate: Makes its nodes.
        arguments: Those that it reads beside its operands.
    """

    translate: Operation
    arguments: frozenset[str] = frozenset()


def kind(translate: Operation, *arguments: str) -> Kind:
    """A kind of operation that reads these arguments."""
    return Kind(translate, frozenset(arguments))


def exactly(operands: Sequence[Any], count: int, what: str) -> Sequence[Any]:
    """The operands, if there are so many.

    Raises:
        ConfigError: There are more or fewer.
    """
    if len(operands) != count:
        raise ConfigError(f"{what} of {len(operands)} operands")
    return operands


def tensor(operands: Sequence[Any]) -> Value:
    """The one operand, if it is a tensor.

    Raises:
        ConfigError: It is something else, or there are several.
    """
    (x,) = exactly(operands, 1, "an operation")
    if not isinstance(x, Value):
        raise ConfigError("an operation on a constant")
    return x


def numbers(stated: Any, absent: tuple[int, ...] | None = None) -> Any:
    """Whole numbers: one, or a list of them.

    Raises:
        ConfigError: They are none.
    """
    if stated is None:
        return absent
    found = tuple(stated) if isinstance(stated, (list, tuple)) else (stated,)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in found):
        raise ConfigError(f"{stated!r:.80} where whole numbers are expected")
    return found


def for_space(
    stated: Any, rank: int, absent: Sequence[int] = (), *, channels_first: bool = False
) -> tuple[int, ...]:
    """What is stated for each axis of the space: once, for each, or as TensorFlow for every axis.

    Args:
        stated: A whole number of at least 1, or a list of them.
        rank: How many axes the space has.
        absent: What holds where nothing is stated.
        channels_first: Whether a list for every axis has the channels' before those of the space.

    Raises:
        ConfigError: It is none of these, or something else than 1 for the batch or the channels.
    """
    found = tuple(numbers(stated, tuple(absent)))
    if len(found) == rank + 2:
        lead = 2 if channels_first else 1
        if found[:lead] + found[lead + rank :] != (1, 1):
            raise ConfigError(f"windows of {found}, over more than the space")
        found = found[lead : lead + rank]
    if len(found) == 1:
        found *= rank
    if len(found) != rank or min(found) < 1:
        raise ConfigError(f"{stated!r:.80} for {rank} axes of the space")
    return found


FORMATS: Mapping[str, str] = {
    **dict.fromkeys(("channels_last", "NWC", "NHWC", "NDHWC"), "channels_last"),
    **dict.fromkeys(("channels_first", "NCW", "NCHW", "NCDHW"), "channels_first"),
}
"""Where channels are, as Keras 3 says it and as TensorFlow does."""


def data_format(arguments: Arguments) -> str:
    """Where channels are, as Keras says it: last, where nothing is stated.

    Raises:
        ConfigError: It is stated in another way.
    """
    stated = arguments.get("data_format") or "channels_last"
    if not isinstance(stated, str) or stated not in FORMATS:
        raise ConfigError(f"data_format is {stated!r:.80}")
    return FORMATS[stated]


def whole(stated: Any, absent: int | None = None) -> Any:
    """One whole number.

    Raises:
        ConfigError: It is none.
    """
    found = absent if stated is None else stated
    if isinstance(found, (list, tuple)) and len(found) == 1:
        found = found[0]
    if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
        raise ConfigError(f"{stated!r:.80} where a whole number is expected")
    return found


def listed(operands: Sequence[Any], what: str) -> list[Value]:
    """The tensors in the one list that is the operand.

    Raises:
        ConfigError: There is something else in it.
    """
    (values,) = exactly(operands, 1, what)
    found = values if isinstance(values, list) else [values]
    if not all(isinstance(value, Value) for value in found):
        raise ConfigError(f"{what} with a constant")
    return found
