"""Small networks built by hand, in either author's order, that between them use every weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasir.ir.build import Builder
from kerasir.ir.graph import Graph, Node, Value
from kerasir.ir.layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    Term,
    Terms,
    copy_of,
    fuse,
    size_of,
)
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import HardSigmoid, LeakyRelu, PRelu, Softmax, Tanh
from kerasir.ir.ops.convolution import (
    Conv,
    ConvTranspose,
    DepthwiseConv,
    GroupedConv,
    LocallyConnected,
    SeparableConv,
)
from kerasir.ir.ops.dense import Dense
from kerasir.ir.ops.embedding import Embedding, NotEqual
from kerasir.ir.ops.merge import Add, Concat, Multiply
from kerasir.ir.ops.normalization import BatchNorm
from kerasir.ir.ops.pooling import GlobalAveragePool, MaxPool, UpSample
from kerasir.ir.ops.recurrent import LSTM
from kerasir.ir.ops.shape import View
from kerasir.ir.source import ArraySource
from kerasir.ir.tensor import Param, Stored, Weight

Array = NDArray[Any]
GATES = ("i", "f", "c", "o")


class Net:
    """A builder with a few layers, for one author's order.

    Args:
        first: Whether the author has channels first.
    """

    def __init__(self, *, first: bool) -> None:
        self.first, self.builder = first, Builder()
        self.batch = Axis("N", None)
        self._rng = np.random.default_rng(20261124)

    def image(self, name: str, channels: int, *space: int) -> Value:
        terms = self.order((self.batch,), (Axis("C", channels),), spatial(space))
        return self.builder.input(name, terms)

    def vector(self, name: str, features: int) -> Value:
        return self.builder.input(name, (self.batch, Axis("F", features)))

    def order(self, batch: Terms, channels: Terms, space: Terms) -> Terms:
        return (*batch, *channels, *space) if self.first else (*batch, *space, *channels)

    def ports(self, x: Value, rank: int) -> dict[str, Terms]:
        terms = self.builder.axes(x)
        batch = len(terms) - rank - 1
        if self.first:
            channels, space = terms[batch : batch + 1], terms[batch + 1 :]
        else:
            channels, space = terms[-1:], terms[batch:-1]
        return {"batch": terms[:batch], "channels": channels, "space": space}

    def weight(self, name: str, *terms: Term) -> Param:
        """A weight stored in an order of these terms; positive where it must be."""
        shape = [size_of(term) or 0 for term in terms]
        numbers = self._rng.standard_normal(shape)
        if name.endswith("variance"):
            numbers = np.abs(numbers) + 0.5
        return Param(Weight(name, (ArraySource(numbers),)), (Stored(Layout(terms)),))

    def kernel(self, name: str, space: Terms, channels: Term, filters: Term) -> Param:
        """Theano's order and direction for one kind of author, TensorFlow's for the other."""
        if self.first:
            back = tuple(Reversed(axis) for axis in space if isinstance(axis, Axis))
            return self.weight(name, filters, channels, *back)
        return self.weight(name, *space, channels, filters)

    def slide(
        self, op: Op, name: str, x: Value, params: Mapping[str, Param], result: Terms, **own: Terms
    ) -> Value:
        rank = len(own["out_space"])
        ports = self.ports(x, rank)
        axes = {**own, "batch": ports["batch"], "space": ports["space"]}
        if "groups" not in own:
            axes["channels"] = ports["channels"]
        terms = self.order(ports["batch"], result, own["out_space"])
        return self.builder.add(op, name, [x], [terms], axes=axes, params=params).result

    def conv(self, name: str, x: Value, filters: int, *taps: int) -> Value:
        """Strides of one, no padding, with a bias."""
        ports, rank = self.ports(x, len(taps)), len(taps)
        made, kernel = Axis("C", filters), spatial(taps)
        out = _less(ports["space"], taps)
        op = Conv(strides=(1,) * rank, dilation=(1,) * rank, padding=((0, 0),) * rank)
        params = {
            "kernel": self.kernel(f"{name}/kernel", kernel, ports["channels"][0], made),
            "bias": self.weight(f"{name}/bias", made),
        }
        own: dict[str, Terms] = {"kernel_space": kernel, "filters": (made,), "out_space": out}
        return self.slide(op, name, x, params, (made,), **own)

    def norm(self, name: str, x: Value, axis: Term) -> Value:
        names = ("gamma", "beta", "mean", "variance")
        params = {each: self.weight(f"{name}/{each}", axis) for each in names}
        op, terms = BatchNorm(epsilon=0.01), self.builder.axes(x)
        return self.builder.add(
            op, name, [x], [terms], axes={"axis": (axis,)}, params=params
        ).result

    def same(self, op: Op, name: str, x: Value, **axes: Terms) -> Value:
        return self.builder.add(op, name, [x], [self.builder.axes(x)], axes=axes).result

    def pool(self, name: str, x: Value, rank: int = 2) -> Value:
        ports = self.ports(x, rank)
        sizes = [size_of(term) or 0 for term in ports["space"]]
        out = spatial(size // 2 for size in sizes)
        op = MaxPool(pool_size=(2,) * rank, strides=(2,) * rank, padding=((0, 0),) * rank)
        return self.slide(op, name, x, {}, ports["channels"], out_space=out)

    def flatten(self, name: str, x: Value, batch: int = 1) -> Value:
        terms = self.builder.axes(x)
        made = (*terms[:batch], fuse(terms[batch:]))
        return self.builder.add(View(layer_class="Flatten"), name, [x], [made]).result

    def dense(self, name: str, x: Value, units: int, shared: Node | None = None) -> Value:
        *rest, features = self.builder.axes(x)
        made = Axis("F", units)
        stored = [Layout((features, made)), Layout((made,))]
        if shared is None:
            kernel = self.weight(f"{name}/kernel", features, made)
            bias = self.weight(f"{name}/bias", made)
        else:
            kernel, bias = (
                Param(shared.params[each].weight, (Stored(layout),))
                for each, layout in zip(("kernel", "bias"), stored, strict=True)
            )
        axes = {"features": (features,), "units": (made,)}
        params = {"kernel": kernel, "bias": bias}
        return self.builder.add(
            Dense(), name, [x], [(*rest, made)], axes=axes, params=params
        ).result

    def concat(self, name: str, values: Sequence[Value], position: int) -> Value:
        parts = tuple(copy_of(self.builder.axes(value)[position]) for value in values)
        terms = list(self.builder.axes(values[0]))
        terms[position] = Joined(parts)
        axes = {"joined": (terms[position],)}
        return self.builder.add(Concat(), name, values, [terms], axes=axes).result

    def lstm(self, name: str, x: Value, units: int, mask: Value | None = None) -> Value:
        *batch, time, features = self.builder.axes(x)
        gate, unit, back = Labelled(Axis("G", 4), GATES), Axis("U", units), Axis("R", units)
        blocks = fuse((Labelled(gate.axis, ("i", "c", "f", "o")), unit))
        params = {
            "kernel": self.weight(f"{name}/kernel", features, blocks),
            "recurrent_kernel": self.weight(f"{name}/recurrent_kernel", back, blocks),
            "bias": self.weight(f"{name}/bias", blocks),
        }
        axes = {
            "batch": batch, "time": (time,), "features": (features,), "recurrent": (back,),
            "gates": (gate,), "units": (unit,),
        }  # fmt: skip
        op = LSTM(activation=Tanh(), recurrent_activation=HardSigmoid(slope=0.2))
        results = [(*batch, time, unit), (*batch, unit), (*batch, unit)]
        node = self.builder.add(op, name, [x, mask, None, None], results, axes=axes, params=params)
        return node.results[1]

    def freeze(self, *outputs: Value) -> Graph:
        return self.builder.freeze(outputs)


def spatial(sizes: Any) -> Terms:
    extents = tuple(sizes)
    roles = {1: "T", 2: "HW", 3: "DHW"}[len(extents)]
    return tuple(Axis(role, size) for role, size in zip(roles, extents, strict=True))


def _less(space: Terms, taps: Sequence[int]) -> Terms:
    return spatial((size_of(t) or 0) - k + 1 for t, k in zip(space, taps, strict=True))


# ---- the networks --------------------------------------------------------------------------


def classifier(net: Net) -> Graph:
    """What everything began with: a Dense behind a Flatten, and others that see its axes."""
    x = net.conv("conv", net.image("x", 3, 7, 9), 4, 2, 3)
    x = net.norm("norm", x, net.ports(x, 2)["channels"][0])
    x = net.pool("pool", net.same(LeakyRelu(negative_slope=0.3), "leaky", x))
    span = net.builder.axes(x)[1:]
    alpha = net.weight("prelu/alpha", *span)
    node = net.builder.add(
        PRelu(), "prelu", [x], [(net.batch, *span)], axes={"span": span}, params={"alpha": alpha}
    )
    x = net.flatten("flatten", node.result)
    x = net.norm("flat_norm", x, net.builder.axes(x)[1])
    x = net.dense("dense", x, 5)
    return net.freeze(net.same(Softmax(), "softmax", x, axis=net.builder.axes(x)[1:]))


def generator(net: Net) -> Graph:
    """The other way round: a Dense whose units become a map."""
    x = net.dense("dense", net.vector("z", 6), 60)
    units = net.builder.axes(x)[1]
    terms = net.order((net.batch,), (Axis("C", 5),), spatial((4, 3)))
    net.builder.splits.split(units, fuse(terms[1:]))  # type: ignore[arg-type]
    x = net.norm("norm", x, net.builder.axes(x)[1])
    x = net.builder.add(View(layer_class="Reshape"), "reshape", [x], [terms]).result
    x = net.slide(
        UpSample(size=(2, 1)), "up", x, {}, net.ports(x, 2)["channels"], out_space=spatial((8, 3))
    )
    made, taps, out = Axis("C", 2), spatial((3, 2)), spatial((16, 5))
    channels = net.ports(x, 2)["channels"]
    op = ConvTranspose(strides=(2, 2), dilation=(1, 1), cropping=((1, 0), (1, 0)))
    params = {
        "kernel": net.kernel("up_conv/kernel", taps, channels[0], made),
        "bias": net.weight("up_conv/bias", made),
    }
    x = net.slide(
        op, "up_conv", x, params, (made,), kernel_space=taps, filters=(made,), out_space=out
    )
    return net.freeze(net.conv("conv", x, 3, 2, 2))


def branches(net: Net) -> Graph:
    """Sums and joins of maps, and convolutions whose channels are made of several axes."""
    image = net.image("x", 3, 6, 5)
    a, b = net.conv("a", image, 6, 2, 2), net.conv("b", image, 6, 2, 2)
    total = net.builder.add(Add(), "add", [a, b], [net.builder.axes(a)]).result
    joined = net.concat("join", [total, a], 1 if net.first else 3)
    x = net.conv("after_join", joined, 8, 1, 2)
    channels = net.ports(x, 2)["channels"][0]
    group, inner = Axis("G", 2), Axis("C", 4)
    assert isinstance(channels, Axis)
    net.builder.splits.split(channels, Fused((group, inner)))
    taps, made, space = spatial((2, 1)), Axis("C", 3), net.ports(x, 2)["space"]
    out, blocks = _less(space, (2, 1)), fuse((group, made))
    slid: Any = {"strides": (1, 1), "dilation": (1, 1), "padding": ((0, 0), (0, 0))}
    params = {
        "kernel": net.weight("grouped/kernel", *taps, inner, blocks),
        "bias": net.weight("grouped/bias", blocks),
    }
    x = net.slide(
        GroupedConv(**slid), "grouped", x, params, (blocks,),
        groups=(group,), in_group=(inner,), filters=(made,), kernel_space=taps, out_space=out,
    )  # fmt: skip
    channels, space = net.ports(x, 2)["channels"][0], net.ports(x, 2)["space"]
    taps, times = spatial((1, 2)), Axis("M", 2)
    wide, out = fuse((channels, times)), _less(space, (1, 2))
    params = {
        "kernel": net.weight("depthwise/kernel", *taps, channels, times),
        "bias": net.weight("depthwise/bias", wide),
    }
    x = net.slide(
        DepthwiseConv(**slid), "depthwise", x, params, (wide,),
        multiplier=(times,), kernel_space=taps, out_space=out,
    )  # fmt: skip
    taps, times, made = spatial((2, 2)), Axis("M", 2), Axis("C", 5)
    channels, space = net.ports(x, 2)["channels"][0], net.ports(x, 2)["space"]
    params = {
        "depthwise_kernel": net.weight("separable/depthwise_kernel", *taps, channels, times),
        "pointwise_kernel": net.weight("separable/pointwise", fuse((channels, times)), made),
        "bias": net.weight("separable/bias", made),
    }
    x = net.slide(
        SeparableConv(**slid), "separable", x, params, (made,), multiplier=(times,),
        filters=(made,), kernel_space=taps, out_space=_less(space, (2, 2)),
    )  # fmt: skip
    batch, channels, space = net.ports(x, 2).values()
    pooled = net.builder.add(
        GlobalAveragePool(), "mean", [x], [(*batch, *channels)], axes={"space": space}
    )
    return net.freeze(net.dense("dense", pooled.result, 7))


def joined_features(net: Net) -> Graph:
    """A Dense whose rows are `{(C H W) | F}`."""
    x = net.flatten("flatten", net.conv("conv", net.image("x", 3, 4, 5), 2, 2, 2))
    both = net.concat("join", [x, net.dense("other", net.vector("y", 6), 3)], 1)
    both = net.norm("norm", both, net.builder.axes(both)[1])
    return net.freeze(net.dense("dense", both, 4))


def siamese(net: Net) -> Graph:
    """One weight used twice, behind convolutions of its own each."""
    a = net.flatten("flat_a", net.conv("conv_a", net.image("a", 3, 4, 5), 2, 2, 2))
    b = net.flatten("flat_b", net.pool("pool_b", net.image("b", 2, 6, 8)))
    x = net.dense("dense", a, 4)
    y = net.dense("dense_again", b, 4, shared=net.builder.nodes[-1])
    made = net.builder.add(Multiply(), "product", [x, y], [net.builder.axes(x)])
    return net.freeze(made.result)


def film(net: Net) -> Graph:
    """Convolutions in every frame, frames in a row: two batch terms, then features of a map."""
    terms = net.order((net.batch, Axis("T", 2)), (Axis("C", 3),), spatial((4, 5)))
    x = net.conv("conv", net.builder.input("x", terms), 2, 2, 3)
    return net.freeze(net.lstm("lstm", net.flatten("flatten", x, batch=2), 4))


def words(net: Net) -> Graph:
    """Indices, their rows, a mask, an LSTM, and a convolution along time."""
    time, features = Axis("T", 5), Axis("F", 3)
    x = net.builder.input("x", (net.batch, time), "int32")
    mask = net.builder.add(
        NotEqual(value=0), "mask", [x], [(net.batch, time)], dtypes=["bool"]
    ).result
    table = net.weight("embedding/embeddings", Axis("V", 7), features)
    axes = {"vocabulary": table.stored[0].layout.terms[:1], "features": (features,)}
    node = net.builder.add(
        Embedding(), "embedding", [x], [(net.batch, time, features)], axes=axes,
        params={"embeddings": table}, dtypes=["float32"],
    )  # fmt: skip
    lstm = net.lstm("lstm", node.result, 4, mask)
    swapped = net.order((net.batch,), (features,), (time,))
    view = net.builder.add(View(layer_class="Permute"), "swap", [node.result], [swapped])
    conv = net.flatten("flatten", net.conv("conv", view.result, 6, 2))
    return net.freeze(lstm, net.dense("dense", conv, 3))


def local(net: Net) -> Graph:
    """A kernel of its own at each position."""
    x = net.conv("conv", net.image("x", 2, 4, 6), 3, 1, 2)
    channels, made, taps = net.ports(x, 2)["channels"][0], Axis("C", 4), spatial((2, 3))
    out = _less(net.ports(x, 2)["space"], (2, 3))
    params = {
        "kernel": net.weight("local/kernel", fuse(out), fuse((channels, *taps)), made),
        "bias": net.weight("local/bias", made, *out),
    }
    x = net.slide(
        LocallyConnected(strides=(1, 1)), "local", x, params, (made,),
        kernel_space=taps, filters=(made,), out_space=out,
    )  # fmt: skip
    return net.freeze(net.dense("dense", net.flatten("flatten", x), 3))


def build(make: Callable[[Net], Graph], *, first: bool) -> Graph:
    """A network as an author of one kind has it."""
    return make(Net(first=first))


def feed(graph: Graph) -> list[Array]:
    """Inputs for a graph, in the author's order, a batch of two."""
    rng = np.random.default_rng(1)
    found: list[Array] = []
    for value in graph.inputs:
        shape = [2 if size is None else size for size in value.layout.shape]
        if value.dtype == "int32":
            found.append(rng.integers(0, 7, shape))
        elif value.dtype == "bool":
            found.append(rng.random(shape) < 0.6)
        else:
            found.append(rng.standard_normal(shape))
    return found
