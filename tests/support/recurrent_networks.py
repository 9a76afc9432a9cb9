"""Networks with recurrent layers, built by hand: what `networks` has for the others."""

from __future__ import annotations

from collections.abc import Callable

from networks import (
    GATES,
    Net,
    branches,
    classifier,
    film,
    generator,
    joined_features,
    local,
    siamese,
    spatial,
    words,
)

from kerasir.ir.graph import Graph, Node, Value
from kerasir.ir.layout import Axis, Labelled, Term, Terms, fuse
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import HardSigmoid, LeakyRelu, Sigmoid, Tanh
from kerasir.ir.ops.recurrent import GRU, LSTM, ConvLSTM, ReverseTime, SimpleRNN
from kerasir.ir.tensor import Param

LABELS = {"LSTM": GATES, "GRU": ("z", "r", "h"), "SimpleRNN": ()}

WAYS: dict[str, tuple[Op, Op]] = {
    "LSTM": (
        LSTM(activation=Tanh(), recurrent_activation=Sigmoid()),
        LSTM(activation=Tanh(), recurrent_activation=Sigmoid(), go_backwards=True),
    ),
    "GRU": (
        GRU(activation=Tanh(), recurrent_activation=Sigmoid()),
        GRU(activation=Tanh(), recurrent_activation=Sigmoid(), go_backwards=True),
    ),
    "RNN": (
        SimpleRNN(activation=LeakyRelu(negative_slope=0.1)),
        SimpleRNN(activation=LeakyRelu(negative_slope=0.2), go_backwards=True),
    ),
}
"""An op along time and one against it, of each kind."""


def one_way(
    net: Net,
    name: str,
    op: Op,
    x: Value,
    units: int,
    *,
    bias: bool = True,
    mask: Value | None = None,
) -> Node:
    """A recurrent layer in one direction, its initial states zeros."""
    batch, time, features = net.builder.axes(x)
    unit, back, labels = Axis("U", units), Axis("R", units), LABELS[op.kind]
    gate = Labelled(Axis("G", len(labels)), labels)
    blocks = fuse((gate, unit)) if labels else unit
    axes: dict[str, Terms] = {
        "batch": (batch,), "time": (time,), "features": (features,), "recurrent": (back,),
        "units": (unit,), **({"gates": (gate,)} if labels else {}),
    }  # fmt: skip
    params = {
        "kernel": net.weight(f"{name}/kernel", features, blocks),
        "recurrent_kernel": net.weight(f"{name}/recurrent_kernel", back, blocks),
    }
    if bias:
        params["bias"] = net.weight(f"{name}/bias", blocks)
    states = len(op.inputs) - 2
    results = [(batch, time, unit), *[(batch, unit)] * states]
    inputs = [x, mask, *[None] * states]
    return net.builder.add(op, name, inputs, results, axes=axes, params=params)


def frames(net: Net) -> Graph:
    """A ConvLSTM over film, its last state flattened, and a mask for its steps."""
    time, channels, space = Axis("T", 3), Axis("C", 2), spatial((5, 4))
    x = net.builder.input("x", net.order((net.batch, time), (channels,), space))
    mask = net.builder.input("mask", (net.batch, time), "bool")
    gate, unit, back = Labelled(Axis("G", 4), GATES), Axis("U", 3), Axis("R", 3)
    blocks = fuse((Labelled(gate.axis, ("i", "c", "f", "o")), unit))
    taps, state_taps, out = spatial((2, 3)), spatial((3, 1)), spatial((4, 4))
    axes: dict[str, Terms] = {
        "batch": (net.batch,), "time": (time,), "channels": (channels,), "space": space,
        "kernel_space": taps, "recurrent_space": state_taps, "recurrent": (back,),
        "gates": (gate,), "filters": (unit,), "out_space": out,
    }  # fmt: skip
    params = {
        "kernel": net.kernel("frames/kernel", taps, channels, blocks),
        "recurrent_kernel": net.kernel("frames/recurrent_kernel", state_taps, back, blocks),
        "bias": net.weight("frames/bias", blocks),
    }
    op = ConvLSTM(
        activation=Tanh(), recurrent_activation=HardSigmoid(slope=0.2), strides=(1, 1),
        dilation=(1, 1), padding=((0, 0), (1, 1)), recurrent_padding=((1, 1), (0, 0)),
    )  # fmt: skip
    results = [
        net.order((net.batch, time), (unit,), out),
        net.order((net.batch,), (unit,), out),
        net.order((net.batch,), (unit,), out),
    ]
    node = net.builder.add(op, "frames", [x, mask, None, None], results, axes=axes, params=params)
    last = net.dense("dense", net.flatten("flatten", node.results[1]), 4)
    return net.freeze(node.results[0], last)


def bidirectional(net: Net) -> Graph:
    """A GRU with two biases one way, a simple cell the other, over the features of a map."""
    terms = net.order((net.batch, Axis("T", 4)), (Axis("C", 3),), spatial((3, 4)))
    x = net.conv("conv", net.builder.input("x", terms), 2, 2, 2)
    x = net.flatten("flatten", x, batch=2)
    batch, time, features = net.builder.axes(x)
    unit, back, gates = Axis("U", 5), Axis("R", 5), ("z", "r", "h")
    gate = Labelled(Axis("G", 3), gates)
    blocks = fuse((gate, unit))
    op: Op = GRU(activation=Tanh(), recurrent_activation=HardSigmoid(slope=0.2), reset_after=True)
    params = {
        "kernel": net.weight("gru/kernel", features, blocks),
        "recurrent_kernel": net.weight("gru/recurrent_kernel", back, blocks),
        "bias": net.weight("gru/bias", blocks),
        "recurrent_bias": net.weight("gru/recurrent_bias", blocks),
    }
    axes: dict[str, Terms] = {
        "batch": (batch,), "time": (time,), "features": (features,), "recurrent": (back,),
        "units": (unit,), "gates": (gate,),
    }  # fmt: skip
    forth = _recurrent(net, "gru", op, x, unit, axes, params)
    unit, back = Axis("U", 5), Axis("R", 5)
    params = {
        "kernel": net.weight("simple/kernel", features, unit),
        "recurrent_kernel": net.weight("simple/recurrent_kernel", back, unit),
        "bias": net.weight("simple/bias", unit),
    }
    axes = {**axes, "recurrent": (back,), "units": (unit,)}
    del axes["gates"]
    op = SimpleRNN(activation=Tanh(), go_backwards=True)
    other = _recurrent(net, "simple", op, x, unit, axes, params)
    other = net.same(ReverseTime(), "reverse", other, time=(time,))
    return net.freeze(net.concat("join", [forth, other], 2))


def _recurrent(
    net: Net,
    name: str,
    op: Op,
    x: Value,
    unit: Term,
    axes: dict[str, Terms],
    params: dict[str, Param],
) -> Value:
    batch, time, _ = net.builder.axes(x)
    results = [(batch, time, unit), (batch, unit)]
    return net.builder.add(op, name, [x, None, None], results, axes=axes, params=params).result


NETWORKS: tuple[Callable[[Net], Graph], ...] = (
    classifier,
    generator,
    branches,
    joined_features,
    siamese,
    film,
    words,
    local,
    frames,
    bidirectional,
)
"""Every network, those of `networks` included."""
