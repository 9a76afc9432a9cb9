"""Which function computes which op. A plugin registers its own the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import KerasirError, PluginError
from ..ir.op import Op
from ..ir.source import Array
from .computing import Computing, Results

OpType = TypeVar("OpType", bound=Op)
Compute = Callable[[OpType, Computing], Results]
Function = Callable[[OpType, Array], Array]

_COMPUTES: dict[type[Op], Callable[[Any, Computing], Results]] = {}
_FUNCTIONS: dict[type[Op], Callable[[Any, Array], Array]] = {}


def computes(kind: type[OpType]) -> Callable[[Compute[OpType]], Compute[OpType]]:
    """Register the function that computes an op: `(op, at) -> results`.

    Raises:
        PluginError: The op has one already.
    """

    def register(function: Compute[OpType]) -> Compute[OpType]:
        if kind in _COMPUTES:
            raise PluginError(f"op {kind.__name__} already has a reference function")
        _COMPUTES[kind] = function
        return function

    return register


def elementwise(kind: type[OpType]) -> Callable[[Function[OpType]], Function[OpType]]:
    """Register an op that treats each number by itself: `(op, x) -> y`.

    Raises:
        PluginError: The op has one already.
    """

    def register(function: Function[OpType]) -> Function[OpType]:
        def compute(op: OpType, at: Computing) -> Results:
            return (function(op, at.x),)

        computes(kind)(compute)
        _FUNCTIONS[kind] = function
        return function

    return register


def computation(op: Op) -> Callable[[Any, Computing], Results]:
    """The function that computes an op.

    Raises:
        KerasirError: There is none.
    """
    found = _COMPUTES.get(type(op))
    if found is None:
        raise KerasirError(
            f"op {op.kind} has no reference function",
            hint="its plugin must register one with `computes`",
        )
    return found


def computable(kind: type[Op]) -> bool:
    """Whether some function computes the op."""
    return kind in _COMPUTES


def apply(op: Op, x: Array) -> Array:
    """An element-wise op applied to an array: the activation inside a recurrent op, for one.

    Raises:
        KerasirError: The op is not element-wise.
    """
    found = _FUNCTIONS.get(type(op))
    if found is None:
        raise KerasirError(f"op {op.kind} does not treat each number by itself")
    return found(op, x)
