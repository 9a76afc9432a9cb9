"""Recurrent ops: ONNX' own where it has them, otherwise steps in a `Scan`.

ONNX' LSTM, GRU and RNN know no mask but lengths: the steps that a mask leaves are moved to the
front (`masked`). They know a few functions only; whatever has another is written step by step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....ir.layout import Axis, Labelled, Layout, fuse
from ....ir.op import Op
from ....ir.ops.activation import (
    Elu,
    HardSigmoid,
    LeakyRelu,
    Linear,
    Relu,
    Sigmoid,
    Softmax,
    Softsign,
    Tanh,
    ThresholdedRelu,
)
from ....ir.ops.recurrent import (
    GRU,
    LSTM,
    ConvLSTM,
    FillAbsent,
    ReverseTime,
    SimpleRNN,
    ZeroAbsent,
)
from ....ir.source import Source
from ....ir.tensor import Param, Stored, Weight
from ..dims import product
from ..draft import Edge
from ..emitting import Emitting, constant_param
from ..masked import masked
from ..registry import emits
from ..spatial import channels_first, window
from ..steps import MASK, States, folded, states, unfolded, walk
from .convolution import slide

Sequential = LSTM | GRU | SimpleRNN
Results = tuple[Edge | None, ...]

COLUMNS: Mapping[type[Op], str] = {
    LSTM: "gates[i o f c] units",
    GRU: "gates[z r h] units",
    SimpleRNN: "units",
}
"""How ONNX orders the rows of each operator's weights."""

PLAIN: Mapping[type[Op], tuple[str, tuple[str, ...]]] = {
    Tanh: ("Tanh", ()),
    Sigmoid: ("Sigmoid", ()),
    Softsign: ("Softsign", ()),
    Relu: ("Relu", ()),
    LeakyRelu: ("LeakyRelu", ("negative_slope",)),
    Elu: ("Elu", ("alpha",)),
    ThresholdedRelu: ("ThresholdedRelu", ("theta",)),
    HardSigmoid: ("HardSigmoid", ("slope", "shift")),
}
"""Functions that ONNX' recurrent operators know; the attributes that are their alpha and beta.

They know Softplus too, but ONNX Runtime 1.32 gives infinity there for what is above 88.
"""

LINEAR: tuple[str, tuple[float, ...]] = ("Affine", (1.0, 0.0))
"""y = 1 x + 0."""

ZERO_OF_NONE = frozenset({"LSTM", "GRU"})
"""Operators whose last state of no steps is zero in every ONNX Runtime; 1.18 leaves RNN's as it
finds it."""


@emits(LSTM)
def lstm(op: LSTM, at: Emitting) -> Results:
    functions = (op.recurrent_activation, op.activation, op.activation)
    if _is_whole(at, functions):
        return _whole(op, at, "LSTM", functions)
    recurrent = at.param("recurrent_kernel", "recurrent (gates[i f c o] units)")

    def step(inner: Emitting, drive: Edge, held: States) -> States:
        back = inner.add("MatMul", held[0], recurrent, shape=drive.shape)
        return _cell(op, inner, inner.add("Add", drive, back), held[1])

    return unfolded(at, walk(op, at, _drive(at, "gates[i f c o] units"), step))


@emits(GRU)
def gru(op: GRU, at: Emitting) -> Results:
    functions = (op.recurrent_activation, op.activation)
    if _is_whole(at, functions):
        return _whole(op, at, "GRU", functions, linear_before_reset=int(op.reset_after))
    recurrent = at.param("recurrent_kernel", "recurrent (gates[z r h] units)")
    shift = at.optional("recurrent_bias", "(gates[z r h] units)")
    units = at.size("units")
    gates, own = recurrent, None
    if not op.reset_after:
        gates, own = at.split(recurrent, 1, (2 * units, units))

    def step(inner: Emitting, drive: Edge, held: States) -> States:
        h, pieces = held[0], (units,) * 3
        back = inner.add("MatMul", h, gates, shape=(drive.shape[0], gates.shape[1]))
        if shift is not None:
            back = inner.add("Add", back, shift)
        z, r, x = inner.split(drive, 1, pieces)
        back_z, back_r, *back_h = inner.split(back, 1, pieces if own is None else pieces[:2])
        z = _applied(inner, op.recurrent_activation, inner.add("Add", z, back_z))
        r = _applied(inner, op.recurrent_activation, inner.add("Add", r, back_r))
        if own is None:
            told = inner.add("Mul", r, back_h[0])
        else:
            told = inner.add("MatMul", inner.add("Mul", r, h), own, shape=h.shape)
        candidate = _applied(inner, op.activation, inner.add("Add", x, told))
        new = inner.add("Mul", inner.add("Sub", inner.number(1), z), candidate)
        return (inner.add("Add", inner.add("Mul", z, h), new),)

    return unfolded(at, walk(op, at, _drive(at, "gates[z r h] units"), step))


@emits(SimpleRNN)
def simple_rnn(op: SimpleRNN, at: Emitting) -> Results:
    if _is_whole(at, (op.activation,)):
        return _whole(op, at, "RNN", (op.activation,))
    recurrent = at.param("recurrent_kernel")

    def step(inner: Emitting, drive: Edge, held: States) -> States:
        back = inner.add("MatMul", held[0], recurrent, shape=drive.shape)
        return (_applied(inner, op.activation, inner.add("Add", drive, back)),)

    return unfolded(at, walk(op, at, _drive(at, "units"), step))


@emits(ConvLSTM)
def conv_lstm(op: ConvLSTM, at: Emitting) -> Results:
    """The input's convolution for all times at once, the state's in a `Scan`."""
    columns = "(gates[i f c o] filters)"
    kernel = at.param("kernel", f"{columns} channels kernel_space")
    recurrent = at.param("recurrent_kernel", f"{columns} recurrent recurrent_space")
    x, count = channels_first(at), at.count("batch")
    batch, time, *image = (product(x.shape[:count]), *x.shape[count:])
    flat = at.reshape(x, (product((batch, time)), *image))
    made = (kernel.shape[0], *at.extent("out_space"))
    drive = slide(
        at,
        flat,
        kernel,
        at.optional("bias", columns),
        (flat.shape[0], *made),
        **window(op.padding, op.strides, op.dilation),
    )
    drive = at.reshape(drive, (batch, time, *made))

    def step(inner: Emitting, drive: Edge, held: States) -> States:
        own = window(op.recurrent_padding, (1,) * len(op.strides))
        back = slide(inner, held[0], recurrent, None, drive.shape, **own)
        return _cell(op, inner, inner.add("Add", drive, back), held[1])

    return unfolded(at, walk(op, at, drive, step))


@emits(ReverseTime)
def reverse_time(op: ReverseTime, at: Emitting) -> Edge:
    return at.backwards(at.x, at.settled.position("time"))


@emits(ZeroAbsent)
def zero_absent(op: ZeroAbsent, at: Emitting) -> Edge:
    if at.count("batch") == 1:
        known = masked(at, at.input(1)).zeroed(at, at.x)
        if known is not None:
            return known
    mask = at.cast(at.spread(1), "bool")
    return at.add("Where", mask, at.x, at.number(0), dtype=at.dtype)


@emits(FillAbsent)
def fill_absent(op: FillAbsent, at: Emitting) -> Results:
    x, mask, fill = (folded(at, index) for index in range(3))
    mask = at.unsqueeze(at.cast(mask, "bool"), 2)
    y = at.add("Where", mask, x, fill, dtype=at.dtype)
    if not at.wanted[1]:
        return unfolded(at, (y, None))
    place = at.constant([-1], "int64", (), wish="last")
    last = at.add("Gather", y, place, shape=(x.shape[0], x.shape[2]), axis=1)
    return unfolded(at, (y, last))


# ---- ONNX' own operators -------------------------------------------------------------------


def _is_whole(at: Emitting, functions: Sequence[Op]) -> bool:
    """Whether ONNX has an operator for this; if not, that is told."""
    strange = [f.kind for f in functions if not _is_known(f)]
    if strange:
        at.tell(
            "KX502",
            "note",
            f"{at.name} is written step by step (Scan): ONNX' operator knows no {strange[0]}",
        )
    return not strange


def _whole(
    op: Sequential, at: Emitting, op_type: str, functions: Sequence[Op], **own: Any
) -> Results:
    """The operator: `time batch features` in, `time 1 batch units` out, in the order of time."""
    columns, units = COLUMNS[type(op)], at.size("units")
    mask = masked(at, folded(at, MASK)) if at.fed(MASK) else None
    x = folded(at, 0)
    x = at.permuted(x if mask is None else mask.front(at, x), (1, 0, 2))
    time, batch = x.shape[:2]
    given = states(op, at)
    begin = [None if state is None else at.unsqueeze(state, 0) for state in given]
    shapes = ((time, 1, batch, units), *((1, batch, units) for _ in given))
    results = [Edge(f"{at.name}/{n}", at.dtype, shapes[n]) for n in range(len(shapes))]
    at.place(
        op_type,
        (
            x,
            at.param("kernel", f"1 ({columns}) features"),
            at.param("recurrent_kernel", f"1 ({columns}) recurrent"),
            _biases(at, columns),
            None if mask is None else mask.lengths,
            *begin,
        ),
        results,
        hidden_size=units,
        direction="reverse" if op.go_backwards else None,
        **_named(functions),
        **own,
    )
    y = at.permuted(at.squeeze(results[0], 1), (1, 0, 2)) if at.wanted[0] else None
    if y is not None and mask is not None:
        idle = given[0] if op.idle_state else None
        y = mask.back(at, y, backwards=op.go_backwards, idle=idle)
    if y is not None and op.go_backwards:
        y = at.backwards(y, 1)
    last = [at.squeeze(state, 0) for state in results[1:]]
    if mask is not None:
        pairs = zip(last, given, strict=True)
        last = [
            new if old is None and op_type in ZERO_OF_NONE else mask.state(at, new, old)
            for new, old in pairs
        ]
    return unfolded(at, (y, *last))


def _biases(at: Emitting, columns: str) -> Edge | None:
    """Both biases, the input's and the state's, one after the other; zeros for one not there."""
    present = [name for name in ("bias", "recurrent_bias") if at.has(name)]
    if not present:
        return None
    wanted = at.settled.param_layout(present[0], f"({columns})")
    one = wanted.terms[0]
    which = Axis("K", 2)
    sources: list[Source] = []
    stored: list[Stored] = []
    for label in ("bias", "recurrent_bias"):
        param = (
            at.settled.node.params[label]
            if label in present
            else constant_param(f"{at.name}/{label}", 0, wanted)
        )
        sources += param.weight.sources
        stored += [Stored(held.layout, {**held.at, which: label}) for held in param.stored]
    both = Param(Weight(f"{at.name}/bias", tuple(sources)), tuple(stored))
    pair = Labelled(which, ("bias", "recurrent_bias"))
    return at.draft.initializer(both, Layout((Axis("X", 1), fuse((pair, one)))), at.dtype)


def _is_known(function: Op) -> bool:
    """Whether ONNX' recurrent operators have the function."""
    if isinstance(function, Relu):
        return function == Relu()
    return isinstance(function, Linear) or type(function) in PLAIN


def _named(functions: Sequence[Op]) -> dict[str, Any]:
    """Names, and the numbers of those that have any, in order (ONNX `LSTM`, activation_alpha)."""
    names, numbers = list[str](), list[tuple[float, ...]]()
    for function in functions:
        if isinstance(function, Linear):
            name, values = LINEAR
        else:
            name, fields = PLAIN[type(function)]
            values = tuple(float(getattr(function, field)) for field in fields)
        names.append(name)
        numbers.append(values)
    alpha = tuple(values[0] for values in numbers if values)
    beta = tuple(values[1] for values in numbers if len(values) > 1)
    return {
        "activations": tuple(names),
        "activation_alpha": alpha or None,
        "activation_beta": beta or None,
    }


# ---- step by step --------------------------------------------------------------------------


def _drive(at: Emitting, columns: str) -> Edge:
    """What the input gives to every step: `batch time` and the kernel's columns."""
    x, kernel = folded(at, 0), at.param("kernel", f"features ({columns})")
    drive = at.add("MatMul", x, kernel, shape=(*x.shape[:2], *kernel.shape[1:]))
    bias = at.optional("bias", f"({columns})")
    return drive if bias is None else at.add("Add", drive, bias)


def _applied(inner: Emitting, function: Op, x: Edge) -> Edge:
    """A function of a gate or a result; of those along an axis, softmax alone, along the units."""
    if isinstance(function, Softmax):
        return inner.add("Softmax", x, axis=1)
    return inner.apply(function, x)


def _cell(op: LSTM | ConvLSTM, inner: Emitting, gates: Edge, c: Edge) -> States:
    """An LSTM's step from its gates i f c o, which lie along the second dimension."""
    size = gates.shape[1]
    assert isinstance(size, int)  # of a weight
    i, f, new, o = inner.split(gates, 1, (size // 4,) * 4)
    i, f, o = (_applied(inner, op.recurrent_activation, gate) for gate in (i, f, o))
    new = inner.add("Mul", i, _applied(inner, op.activation, new))
    c = inner.add("Add", inner.add("Mul", f, c), new)
    return inner.add("Mul", o, _applied(inner, op.activation, c)), c
