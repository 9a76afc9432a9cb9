"""Recurrent ops. Gates are a labelled axis, state is an explicit input and result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..op import ORDERED, MaskRule, Op, op
from ..signature import Port, ports

_INPUTS = ("x: batch time features", "mask?: batch time", "initial_h?: batch units")
_ORDERED = ORDERED | {"units", "recurrent", "gates"}
_LETTERS = {"features": "I", "units": "U", "recurrent": "R"}


@op
class LSTM(Op, frozen=True, kw_only=True):
    """Long short-term memory over time (Hochreiter and Schmidhuber, 1997; gates i f c o).

    c' = f * c + i * activation(x·W_c + h·R_c + b_c), h' = o * activation(c'), each gate
    recurrent_activation(x·W + h·R + b). A masked step leaves h and c as they are and repeats the
    last result (zeros before the first step: Keras `K.rnn`).

    Attributes:
        activation: Of the candidate and of the cell's output.
        recurrent_activation: Of the gates.
        go_backwards: Whether time is walked from the end; `y` is in the order walked.
        stateful: Whether the model's caller feeds back h and c between calls.
    """

    family: ClassVar[str] = "recurrent"
    inputs: ClassVar[tuple[Port, ...]] = ports(*_INPUTS, "initial_c?: batch units")
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: features (gates units)",
        "recurrent_kernel: recurrent (gates units)",
        "bias?: (gates units)",
    )
    results: ClassVar[tuple[Port, ...]] = ports(
        "y: batch time units", "h: batch units", "c: batch units"
    )
    ordered: ClassVar[frozenset[str]] = _ORDERED
    letters: ClassVar[Mapping[str, str]] = _LETTERS
    mask: ClassVar[MaskRule] = "consume"

    activation: Op
    recurrent_activation: Op
    go_backwards: bool = False
    stateful: bool = False
