"""EinsumDense: a Dense between a view of its input and a view of its result."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Sequence
from typing import Any

import msgspec

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Terms, fuse
from ....ir.ops.dense import Dense
from ....ir.ops.maths import Constant
from ....ir.ops.shape import View
from ....ir.tensor import Param, Stored
from ..call import LayerCall, learn_sizes
from ..registry import Config, Slot, translates
from .activation import activate
from .arithmetic import combined
from .contraction import einsum

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]*)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]*)(\.\.\.)?")


class EinsumConfig(Config, frozen=True, kw_only=True):
    """What EinsumDense reads."""

    equation: str
    output_shape: Any = None
    bias_axes: str | None = None
    activation: Any = None


class Letters(msgspec.Struct, frozen=True):
    """What the letters of an equation are, `abc,cde->abde`.

    Attributes:
        before: Axes of the input that no letter names, before those that letters name.
        input: Letters of the input.
        kernel: Of the kernel.
        output: Of the result.
    """

    before: int
    input: str
    kernel: str
    output: str

    @property
    def contracted(self) -> str:
        """Letters that the product sums over, in the kernel's order."""
        return "".join(n for n in self.kernel if n in self.input and n not in self.output)

    @property
    def made(self) -> str:
        """Letters that only the kernel has, in its order."""
        return "".join(n for n in self.kernel if n not in self.input)

    @property
    def kept(self) -> str:
        """Letters that the result takes over from the input, in the input's order."""
        return "".join(n for n in self.input if n not in self.kernel)


def letters(equation: str, rank: int) -> Letters:
    """The letters of an equation for an input of so many axes.

    Raises:
        ConfigError: It is no product that a Dense can be.
    """
    match = _EQUATION.fullmatch(equation.replace(" ", ""))
    if match is None:
        raise ConfigError(f"the equation {equation!r:.80}")
    left, x, right, kernel, out_left, y, out_right = match.groups()
    if right or out_right or bool(left) != bool(out_left):
        raise ConfigError(f"the equation {equation!r:.80}, with axes behind its letters")
    found = Letters(rank - len(x) if left else 0, x, kernel, y)
    told = {*x} | {*kernel}
    fits = (
        found.before + len(x) == rank
        and all(len(set(part)) == len(part) for part in (x, kernel, y))
        and {*y} == {*found.kept, *found.made}
        and told == {*found.kept, *found.made, *found.contracted}
        and found.contracted
        and found.made
    )
    if not fits:
        raise ConfigError(f"the equation {equation!r:.80} for an input of {rank} axes")
    return found


def _slots(config: Any, era: str) -> Sequence[Slot]:
    return (Slot("kernel"), Slot("bias")) if config.bias_axes else (Slot("kernel"),)


@translates("EinsumDense", config=EinsumConfig, slots=_slots)
def einsum_dense(call: LayerCall, x: Value) -> Value:
    """EinsumDense, where the kernel shares no letter with both the input and the result."""
    config: EinsumConfig = call.config  # type: ignore[assignment]
    config = msgspec.structs.replace(config, equation=_repeated(config.equation, call.batch))
    terms = call.axes(x)
    told = _as_dense(config, len(terms))
    if told is None:
        return _of_tensors(call, x, config)
    lead, named = terms[: told.before], dict(zip(told.input, terms[told.before :], strict=True))
    made = {n: Axis("F", None) for n in told.made}
    kernel = Layout(tuple({**named, **made}[n] for n in told.kernel))
    if not learn_sizes(kernel, call.stored["kernel"].source.shape):
        raise call.misfit("kernel", kernel)
    kept = (*lead, *(named[n] for n in told.kept))
    features = fuse(named[n] for n in told.contracted)
    units = fuse(made[n] for n in told.made)
    params = {
        "kernel": call.tagged("kernel", [kernel]),
        "bias": _bias(call, told, made, config.bias_axes),
    }
    gathered = _viewed(call, x, (*kept, features), "gathered")
    bound = {"features": (features,), "units": (units,)}
    y = call.add(Dense(), [gathered], (*kept, units), axes=bound, params=params).result
    placed = {**{n: named[n] for n in told.kept}, **made}
    y = _viewed(call, y, (*lead, *(placed[n] for n in told.output)), "spread")
    return activate(call, y, config.activation)


def _repeated(equation: str, batch: int) -> str:
    """The equation with letters for the axes that TimeDistributed counts to the batch."""
    match = _EQUATION.fullmatch(equation.replace(" ", ""))
    if batch == 1 or match is None or match[1] or match[2][:1] != match[6][:1]:
        return equation
    free = (letter for letter in string.ascii_letters if letter not in equation)
    more = "".join(itertools.islice(free, batch - 1))
    return f"{more}{match[2]},{match[4]}->{more}{match[6]}"


def _as_dense(config: EinsumConfig, rank: int) -> Letters | None:
    """The letters, if the layer is a Dense between two views."""
    try:
        told = letters(config.equation, rank)
    except ConfigError:
        return None
    made = {*told.made}
    return told if not config.bias_axes or {*config.bias_axes} == made else None


def _of_tensors(call: LayerCall, x: Value, config: EinsumConfig) -> Value:
    """The product as it is stated, with the kernel as a tensor like any other."""
    kernel = _tensor(call, "kernel", call.stored["kernel"].source.shape)
    y = einsum(call, config.equation, (x, kernel))
    if config.bias_axes:
        shape = call.stored["bias"].source.shape
        rank = len(call.axes(y))
        bias = _tensor(call, "bias", (*(1,) * (rank - len(shape)), *shape))
        y = combined(call, "add", y, bias)
    return activate(call, y, config.activation)


def _tensor(call: LayerCall, slot: str, shape: Sequence[int]) -> Value:
    """A weight as a value of the graph."""
    own = tuple(Axis("X", extent) for extent in shape)
    stored = call.stored[slot].source.shape
    param = call.tagged(slot, [Layout(own[len(shape) - len(stored) :])])
    axes = {"axes": own, "...": ()}
    wide = Param(param.weight, (Stored(Layout(own)),))
    return call.add(Constant(), [], own, axes=axes, params={"value": wide}, part=slot).result


def _viewed(call: LayerCall, x: Value, terms: Terms, part: str) -> Value:
    if call.axes(x) == terms:
        return x
    return call.add(View(), [x], terms, part=part).result


def _bias(call: LayerCall, told: Letters, made: dict[str, Axis], axes: str | None) -> Param | None:
    """The bias, which runs along all axes that the layer makes, in the result's order.

    Raises:
        ConfigError: It runs along others.
    """
    if not axes:
        return None
    order = [n for n in told.output if n in made]
    if {*axes} != {*order}:
        raise ConfigError(f"a bias along {axes!r:.80} of {told.output}")
    first = told.output.index(order[0])
    shape = tuple(made[n] if n in made else Axis("X", 1) for n in told.output[first:])
    return call.tagged("bias", [Layout(shape)])
