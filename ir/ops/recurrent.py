"""Recurrent ops. Gates are a labelled axis, state is an explicit input and result.

Their functions treat each number by itself, but for `Softmax`, which is along the units.

All follow Keras' `K.rnn`: a masked step leaves the state as it is and repeats the last result;
before the first step that counts, zeros come out, or the initial state. `go_backwards` walks time
from the end, and `y` is in the order walked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..op import ORDERED, MaskRule, Op, op
from ..signature import Port, ports
from .convolution import Padding

_INPUTS = ("x: batch time features", "mask?: batch time", "initial_h?: batch units")
_ORDERED = ORDERED | {"units", "recurrent", "gates"}
_LETTERS = {"features": "I", "units": "U", "recurrent": "R"}


class _Recurrent(Op, frozen=True, kw_only=True):
    family: ClassVar[str] = "recurrent"
    inputs: ClassVar[tuple[Port, ...]] = ports(*_INPUTS)
    results: ClassVar[tuple[Port, ...]] = ports("y: batch time units", "h: batch units")
    ordered: ClassVar[frozenset[str]] = _ORDERED
    letters: ClassVar[Mapping[str, str]] = _LETTERS
    mask: ClassVar[MaskRule] = "consume"

    activation: Op
    go_backwards: bool = False
    stateful: bool = False
    idle_state: bool = False


@op
class SimpleRNN(_Recurrent, frozen=True, kw_only=True):
    """h' = activation(x·kernel + h·recurrent_kernel + bias).

    Attributes:
        activation: Of the result.
        go_backwards: Whether time is walked from the end.
        stateful: Whether the model's caller feeds back h between calls.
        idle_state: Whether masked steps before the first that counts give the initial state, not
            zeros.
    """

    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: features units", "recurrent_kernel: recurrent units", "bias?: units"
    )


@op
class GRU(_Recurrent, frozen=True, kw_only=True):
    """Gated recurrent unit (Cho et al., 2014; gates z r h).

    z, r = recurrent_activation(x·W + h·R + b); h' = z * h + (1 - z) * candidate. The candidate is
    activation(x·W_h + (r * h)·R_h + b_h), or with `reset_after` activation(x·W_h + b_h +
    r * (h·R_h + recurrent_bias_h)): cuDNN's form, which has two biases.

    Attributes:
        activation: Of the candidate.
        recurrent_activation: Of the gates.
        reset_after: Whether the reset gate acts behind the recurrent product.
        go_backwards: Whether time is walked from the end.
        stateful: Whether the model's caller feeds back h between calls.
        idle_state: Whether masked steps before the first that counts give the initial state, not
            zeros.
    """

    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: features (gates units)",
        "recurrent_kernel: recurrent (gates units)",
        "bias?: (gates units)",
        "recurrent_bias?: (gates units)",
    )

    recurrent_activation: Op
    reset_after: bool = False


@op
class LSTM(_Recurrent, frozen=True, kw_only=True):
    """Long short-term memory over time (Hochreiter and Schmidhuber, 1997; gates i f c o).

    c' = f * c + i * activation(x·W_c + h·R_c + b_c), h' = o * activation(c'), each gate
    recurrent_activation(x·W + h·R + b).

    Attributes:
        activation: Of the candidate and of the cell's output.
        recurrent_activation: Of the gates.
        go_backwards: Whether time is walked from the end.
        stateful: Whether the model's caller feeds back h and c between calls.
        idle_state: Whether masked steps before the first that counts give the initial state, not
            zeros.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports(*_INPUTS, "initial_c?: batch units")
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: features (gates units)",
        "recurrent_kernel: recurrent (gates units)",
        "bias?: (gates units)",
    )
    results: ClassVar[tuple[Port, ...]] = ports(
        "y: batch time units", "h: batch units", "c: batch units"
    )

    recurrent_activation: Op


@op
class ConvLSTM(Op, frozen=True, kw_only=True):
    """An LSTM whose products are convolutions (Shi et al., 2015; gates i f c o).

    The input's convolution has strides, dilation and padding; the state's keeps its extent.

    Attributes:
        activation: Of the candidate and of the cell's output.
        recurrent_activation: Of the gates.
        strides: Of the input's convolution, per spatial axis.
        dilation: Of the input's convolution, per spatial axis.
        padding: Of the input's convolution: zeros before and after.
        recurrent_padding: Of the state's convolution: zeros before and after.
        go_backwards: Whether time is walked from the end.
        stateful: Whether the model's caller feeds back h and c between calls.
    """

    family: ClassVar[str] = "recurrent"
    inputs: ClassVar[tuple[Port, ...]] = (
        *ports("x: batch time channels space", order="spatial"),
        *ports("mask?: batch time"),
        *ports("initial_h?: batch filters out_space", order="spatial"),
        *ports("initial_c?: batch filters out_space", order="spatial"),
    )
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: kernel_space channels (gates filters)",
        "recurrent_kernel: recurrent_space recurrent (gates filters)",
        "bias?: (gates filters)",
    )
    results: ClassVar[tuple[Port, ...]] = (
        *ports("y: batch time filters out_space", order="spatial"),
        *ports("h: batch filters out_space", order="spatial"),
        *ports("c: batch filters out_space", order="spatial"),
    )
    ordered: ClassVar[frozenset[str]] = ORDERED | {
        "filters",
        "recurrent",
        "gates",
        "recurrent_space",
    }
    letters: ClassVar[Mapping[str, str]] = {"channels": "I", "filters": "U", "recurrent": "R"}
    mask: ClassVar[MaskRule] = "consume"

    activation: Op
    recurrent_activation: Op
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Padding
    recurrent_padding: Padding
    go_backwards: bool = False
    stateful: bool = False


@op
class ReverseTime(Op, frozen=True, kw_only=True):
    """The steps of time from the end: what Bidirectional does to its backward half."""

    family: ClassVar[str] = "recurrent"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... time", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... time", order="kept")


@op
class ZeroAbsent(Op, frozen=True, kw_only=True):
    """y = x where the mask holds, else 0: what `zero_output_for_mask` does to results.

    Source: tf-keras 2.21 and Keras 3.15 `Bidirectional.__init__`, which turns it on wherever
    sequences are returned.
    """

    family: ClassVar[str] = "recurrent"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: batch time units", "mask: batch time")
    results: ClassVar[tuple[Port, ...]] = ports("y: batch time units")
    ordered: ClassVar[frozenset[str]] = _ORDERED
    mask: ClassVar[MaskRule] = "consume"


@op
class FillAbsent(Op, frozen=True, kw_only=True):
    """y = x where the mask holds, else `fill`; h is the last step of y.

    What several cells give behind a mask on TensorFlow: the first cell's state where a step is
    absent. Source: Keras 2.2.4 `tensorflow_backend.py` `rnn`, `where(mask, output, states[0])`.
    """

    family: ClassVar[str] = "recurrent"
    inputs: ClassVar[tuple[Port, ...]] = ports(
        "x: batch time units", "mask: batch time", "fill: batch time fill_units"
    )
    results: ClassVar[tuple[Port, ...]] = ports("y: batch time units", "h: batch units")
    ordered: ClassVar[frozenset[str]] = _ORDERED | {"fill_units"}
    mask: ClassVar[MaskRule] = "consume"
