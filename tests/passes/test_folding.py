"""Scalings folded into their neighbours: the same numbers, and never where it is wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from networks import Net, feed, spatial
from onnx_models import model_of, onnx_policy

from kerasir.ir.arithmetic import ScaledSource
from kerasir.ir.check import check
from kerasir.ir.graph import Graph, Value
from kerasir.ir.layout import Axis, fuse
from kerasir.ir.ops.activation import Affine, Relu
from kerasir.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, SeparableConv
from kerasir.ir.ops.merge import Add
from kerasir.ir.ops.pooling import AveragePool, GlobalAveragePool, ZeroPad
from kerasir.ir.ops.shape import View
from kerasir.ir.plan import Policy
from kerasir.ir.source import ArraySource
from kerasir.passes.folding import fold_batchnorm
from kerasir.passes.registry import Target
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

TARGET = Target(policy=onnx_policy(), pipeline="onnx")
CLOSE = 1e-10

Make = Callable[[Net], Graph]


def fold(make: Make, *, first: bool = True) -> Graph:
    """The graph folded; its numbers are those of the graph as it was, and once is enough."""
    graph = make(Net(first=first))
    model = fold_batchnorm(model_of(graph), TARGET)
    inputs = feed(graph)
    wanted = evaluate(solve(graph, Policy()), inputs)
    for policy in (Policy(), onnx_policy()):
        plan = solve(model.graph, policy)
        check(plan)
        for a, b in zip(evaluate(plan, inputs), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE * np.abs(b).max())
    assert fold_batchnorm(model, TARGET) is model
    return model.graph


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]


def channel(net: Net, x: Value, rank: int = 2) -> Axis:
    return net.ports(x, rank)["channels"][0]  # type: ignore[return-value]


def norm(net: Net, name: str, x: Value, rank: int = 2) -> Value:
    return net.norm(name, x, channel(net, x, rank))


@pytest.fixture(params=[True, False], ids=["channels_first", "channels_last"])
def first(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_behind_a_convolution(first: bool) -> None:
    def make(net: Net) -> Graph:
        return net.freeze(norm(net, "bn", net.conv("conv", net.image("x", 3, 5, 6), 4, 2, 3)))

    folded = fold(make, first=first)
    assert kinds(folded) == ["Conv"]
    assert folded.output_names == ("bn",)
    assert {w.name for w in folded.weights()} == {"conv/kernel", "conv/bias"}


def test_in_front_of_a_convolution_without_padding(first: bool) -> None:
    def make(net: Net) -> Graph:
        return net.freeze(net.conv("conv", norm(net, "bn", net.image("x", 3, 5, 6)), 4, 2, 3))

    assert kinds(fold(make, first=first)) == ["Conv"]


def test_several_times_on_both_sides() -> None:
    def make(net: Net) -> Graph:
        x = net.same(Affine(scale=0.5, offset=-1.0), "rescaling", net.image("x", 3, 5, 6))
        x = net.conv("conv", norm(net, "before", x), 4, 2, 3)
        x = net.same(Affine(scale=-2.0), "half", norm(net, "behind", x))
        return net.freeze(norm(net, "again", x))

    assert kinds(fold(make)) == ["Conv"]


@pytest.mark.parametrize("shift", [True, False])
def test_not_in_front_where_padding_puts_zeros(shift: bool) -> None:
    def make(net: Net) -> Graph:
        x = net.same(Affine(scale=0.5, offset=float(shift)), "scale", net.image("x", 3, 5, 6))
        ports, taps, made = net.ports(x, 2), spatial((3, 3)), Axis("C", 4)
        op = Conv(strides=(1, 1), dilation=(1, 1), padding=((1, 1), (1, 1)))
        params = {"kernel": net.kernel("conv/kernel", taps, ports["channels"][0], made)}
        own = {"kernel_space": taps, "filters": (made,), "out_space": spatial((5, 6))}
        return net.freeze(net.slide(op, "conv", x, params, (made,), **own))

    assert kinds(fold(make)) == (["Affine", "Conv"] if shift else ["Conv"])


@pytest.mark.parametrize("shift", [True, False])
def test_across_a_padding_layer_only_without_a_shift(shift: bool) -> None:
    def make(net: Net) -> Graph:
        x = net.same(Affine(scale=0.5, offset=float(shift)), "scale", net.image("x", 3, 5, 6))
        pad = ZeroPad(padding=((1, 2), (0, 3)))
        channels = net.ports(x, 2)["channels"]
        x = net.slide(pad, "pad", x, {}, channels, out_space=spatial((8, 9)))
        return net.freeze(net.conv("conv", x, 4, 2, 3))

    assert kinds(fold(make)) == ["Affine"] * shift + ["ZeroPad", "Conv"]


def depthwise(net: Net, x: Value) -> Value:
    channels, times = channel(net, x), Axis("M", 2)
    wide, taps = fuse((channels, times)), spatial((2, 2))
    params = {"kernel": net.weight("depthwise/kernel", *taps, channels, times)}
    op = DepthwiseConv(strides=(1, 1), dilation=(1, 1), padding=((0, 0), (0, 0)))
    return net.slide(
        op, "depthwise", x, params, (wide,), multiplier=(times,), kernel_space=taps,
        out_space=spatial((4, 5)),
    )  # fmt: skip


def separable(net: Net, x: Value) -> Value:
    channels, times, made = channel(net, x), Axis("M", 2), Axis("C", 5)
    taps = spatial((2, 2))
    params = {
        "depthwise_kernel": net.weight("separable/depthwise_kernel", *taps, channels, times),
        "pointwise_kernel": net.weight("separable/pointwise", fuse((channels, times)), made),
        "bias": net.weight("separable/bias", made),
    }
    op = SeparableConv(strides=(1, 1), dilation=(1, 1), padding=((0, 0), (0, 0)))
    return net.slide(
        op, "separable", x, params, (made,), multiplier=(times,), filters=(made,),
        kernel_space=taps, out_space=spatial((4, 5)),
    )  # fmt: skip


def transposed(net: Net, x: Value) -> Value:
    made, taps = Axis("C", 2), spatial((3, 2))
    op = ConvTranspose(strides=(2, 2), dilation=(1, 1), cropping=((1, -1), (1, 0)))
    params = {"kernel": net.kernel("up/kernel", taps, channel(net, x), made)}
    return net.slide(
        op,
        "up",
        x,
        params,
        (made,),
        kernel_space=taps,
        filters=(made,),
        out_space=spatial((11, 11)),
    )


@pytest.mark.parametrize("layer", [depthwise, separable, transposed])
def test_around_other_convolutions(layer: Callable[[Net, Value], Value], first: bool) -> None:
    def make(net: Net) -> Graph:
        x = layer(net, norm(net, "before", net.image("x", 3, 5, 6)))
        return net.freeze(norm(net, "behind", x))

    front = ["BatchNorm"] if layer is transposed else []
    folded = fold(make, first=first)
    assert kinds(folded) == [*front, folded.nodes[-1].op.kind]


def test_between_a_map_and_a_dense_behind_a_flatten(first: bool) -> None:
    def make(net: Net) -> Graph:
        x = net.same(Relu(), "relu", net.conv("conv", net.image("x", 3, 5, 6), 4, 2, 3))
        x = net.flatten("flatten", norm(net, "bn", x))
        return net.freeze(net.dense("dense", net.norm("flat", x, net.builder.axes(x)[1]), 7))

    assert kinds(fold(make, first=first)) == ["Conv", "Relu", "View", "Dense"]


def test_behind_a_dense_whose_units_become_a_map(first: bool) -> None:
    def make(net: Net) -> Graph:
        x = net.dense("dense", net.vector("z", 6), 60)
        terms = net.order((net.batch,), (Axis("C", 5),), spatial((4, 3)))
        net.builder.splits.split(net.builder.axes(x)[1], fuse(terms[1:]))  # type: ignore[arg-type]
        x = net.builder.add(View(layer_class="Reshape"), "reshape", [x], [terms]).result
        return net.freeze(norm(net, "bn", x))

    assert kinds(fold(make, first=first)) == ["Dense", "View"]


def test_across_a_mean(first: bool) -> None:
    def make(net: Net) -> Graph:
        x = norm(net, "bn", net.same(Relu(), "relu", net.image("x", 3, 4, 6)))
        ports = net.ports(x, 2)
        op = AveragePool(pool_size=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0)))
        x = net.slide(op, "pool", x, {}, ports["channels"], out_space=spatial((2, 3)))
        batch, channels, space = net.ports(x, 2).values()
        x = net.builder.add(
            GlobalAveragePool(), "mean", [x], [(*batch, *channels)], axes={"space": space}
        ).result
        return net.freeze(net.dense("dense", x, 5))

    assert "BatchNorm" not in kinds(fold(make, first=first))


def test_not_if_the_value_is_read_elsewhere() -> None:
    def added(net: Net) -> Graph:
        x = net.conv("conv", net.image("x", 3, 5, 6), 4, 2, 3)
        y = norm(net, "bn", x)
        return net.freeze(net.builder.add(Add(), "add", [x, y], [net.builder.axes(x)]).result)

    def returned(net: Net) -> Graph:
        x = net.conv("conv", net.image("x", 3, 5, 6), 4, 2, 3)
        return net.freeze(x, norm(net, "bn", x))

    assert kinds(fold(added)) == ["Conv", "BatchNorm", "Add"]
    assert kinds(fold(returned)) == ["Conv", "BatchNorm"]


def test_in_front_of_several() -> None:
    def make(net: Net) -> Graph:
        x = norm(net, "bn", net.image("x", 3, 5, 6))
        a, b = net.conv("a", x, 4, 2, 3), net.conv("b", x, 4, 2, 3)
        return net.freeze(net.builder.add(Add(), "add", [a, b], [net.builder.axes(a)]).result)

    assert kinds(fold(make)) == ["Conv", "Conv", "Add"]


@pytest.mark.parametrize("alike", [True, False])
def test_a_shared_weight_stays_one_weight(alike: bool) -> None:
    """Folded where both uses fold alike, else left as it is."""

    def make(net: Net) -> Graph:
        a = net.dense("dense", net.vector("a", 6), 4)
        shared = net.builder.nodes[-1]
        b = net.dense("dense_again", net.vector("b", 6), 4, shared=shared)
        a = net.norm("bn", a, net.builder.axes(a)[1])
        other = net.builder.nodes[-1]
        b = net.norm("bn_again", b, net.builder.axes(b)[1])
        if alike:
            mine = net.builder.nodes[-1]
            mine.params = {
                port: type(param)(other.params[port].weight, param.stored)
                for port, param in mine.params.items()
            }
        return net.freeze(net.builder.add(Add(), "add", [a, b], [net.builder.axes(a)]).result)

    folded = fold(make)
    assert kinds(folded) == (["Dense"] * 2 if alike else ["Dense"] * 2 + ["BatchNorm"] * 2) + [
        "Add"
    ]
    assert len(list(folded.weights())) == (2 if alike else 10)


def test_two_in_a_row_become_one(first: bool) -> None:
    def make(net: Net) -> Graph:
        x = net.same(Affine(scale=0.5, offset=3.0), "rescaling", net.image("x", 3, 5, 6))
        x = norm(net, "bn", x)
        return net.freeze(net.same(Relu(), "relu", norm(net, "again", x)))

    def numbers(net: Net) -> Graph:
        x = net.same(Affine(scale=0.5, offset=3.0), "a", net.vector("x", 3))
        return net.freeze(net.same(Affine(scale=2.0, offset=1.0), "b", x))

    assert kinds(fold(make, first=first)) == ["BatchNorm", "Relu"]
    assert [node.op for node in fold(numbers).nodes] == [Affine(scale=1.0, offset=7.0)]


def test_a_norm_along_a_spatial_axis_stays() -> None:
    def make(net: Net) -> Graph:
        x = net.conv("conv", net.image("x", 3, 5, 6), 4, 2, 3)
        return net.freeze(net.norm("bn", x, net.ports(x, 2)["space"][0]))

    assert kinds(fold(make)) == ["Conv", "BatchNorm"]


@pytest.mark.parametrize("within", [1, 2, 5])
def test_a_scaled_source_is_read_from_anywhere(within: int) -> None:
    stored, factor = np.arange(60.0, dtype=np.float32), np.array([2.0, -1.0, 0.5, 3.0])
    wanted = stored * np.resize(np.repeat(factor, within), 60)
    source = ScaledSource(ArraySource(stored), lambda: factor, within, "any")
    for start in range(60):
        for count in range(60 - start):
            out = np.empty(count)
            source.read_into(start, out)
            assert (out == wanted[start : start + count]).all()
