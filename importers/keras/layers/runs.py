"""What a recurrent layer gives of a run along time, where a mask may leave steps out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ....eras.recurrence import gives_first_state
from ....errors import ConfigError
from ....ir.graph import Node, Value
from ....ir.layout import Terms, size_of
from ....ir.ops.recurrent import ReverseTime, ZeroAbsent
from ....ir.ops.shape import Reshape
from ..call import LayerCall
from ..era import Era
from .slicing import ALL, sliced


class Returning(Protocol):
    """What a layer says of what it returns."""

    @property
    def return_sequences(self) -> bool: ...
    @property
    def go_backwards(self) -> bool: ...
    @property
    def zero_output_for_mask(self) -> bool: ...


class Run(msgspec.Struct, frozen=True):
    """What one direction gives.

    Attributes:
        sequence: The result of every step, in the order walked.
        last: The result of the last step.
        states: What the last step hands on.
    """

    sequence: Value
    last: Value
    states: tuple[Value, ...]

    @classmethod
    def of(cls, node: Node) -> Run:
        """What the node of one recurrent op gives."""
        return cls(node.results[0], node.results[1], node.results[1:])


def returned(call: LayerCall, x: Value, run: Run, config: Returning, part: str = "absent") -> Value:
    """What a layer gives of a run, with zeros for absent steps where it is told so.

    The last result is then that of the last step, present or not (tf-keras 2.21 and Keras 3.15
    `backend.rnn`, `last_output`).
    """
    mask = call.mask(x)
    if not config.zero_output_for_mask or mask is None:
        y = run.sequence if config.return_sequences else run.last
    else:
        turned = turned_mask(call, mask) if config.go_backwards else mask
        y = zeroed(call, run.sequence, turned, part)
        if not config.return_sequences:
            return sliced(call, y, [ALL] * call.batch + [-1])
    if config.return_sequences:
        call.set_mask(y, mask)
    return y


def gives_state(era: Era, *, unrolled: bool) -> bool:
    """Whether a step that a mask leaves out gives the state: before any, the initial one."""
    return not unrolled and gives_first_state(era.vocabulary, era.backend, era.version)


def tell_of_idle(
    call: LayerCall, x: Value, states: Sequence[Value], *, sequences: bool, unrolled: bool
) -> None:
    """Say where an initial state comes out otherwise than it did: as a last result.

    Where no step counts, that is zeros, as the sequence is; the state is the initial one. Before
    2.3 on TensorFlow all of them are. Source: genuine runs of 2.0.8 and 2.2.4; Keras 2.2.4
    `theano_backend.py` and tf-keras 2.21 `backend.py`, `rnn`.
    """
    known = sequences or gives_state(call.era, unrolled=unrolled)
    if states and not known and call.mask(x) is not None:
        message = "an initial state behind a mask: where no step counts Keras gives zeros, here it"
        call.report.add("KN107", "note", f"{message} comes out", layer=call.name, level="warning")


def fitted(call: LayerCall, state: Value, wanted: Terms, part: str = "state") -> Value:
    """An initial state, or a mask, over the axes of the layer; by a Reshape from other axes.

    Raises:
        ConfigError: It has another shape.
    """
    axes = call.axes(state)
    if axes == wanted:
        return state
    if [size_of(term) for term in axes] != [size_of(term) for term in wanted]:
        raise ConfigError(f"{call.class_name} with an initial {part} {state.layout}")
    return call.add(Reshape(), [state], wanted, part=part).result


def zeroed(call: LayerCall, y: Value, mask: Value, part: str) -> Value:
    """A sequence with zeros at the steps that a mask in the same order leaves out."""
    axes = call.axes(y)
    bound = {"batch": axes[: call.batch], "time": axes[-2:-1], "units": axes[-1:]}
    mask = fitted(call, mask, axes[:-1], "mask")
    return call.add(ZeroAbsent(), [y, mask], axes, axes=bound, part=part).result


def turned_mask(call: LayerCall, mask: Value, part: str = "turned") -> Value:
    """A mask in the order of a layer that walks time from the end."""
    axes = call.axes(mask)
    return call.add(ReverseTime(), [mask], axes, axes={"time": axes[-1:]}, part=part).result
