"""What a graph is called, what is stored once, and what cannot be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from networks import Net, build as network
from onnx_models import expected, export, model_of, must_equal, onnx_policy
from recurrent_networks import NETWORKS

from kerasir.errors import ExportError, LayoutError, UsageError
from kerasir.exporters.onnx.build import build
from kerasir.exporters.onnx.draft import Edge
from kerasir.exporters.onnx.emitting import Emitting
from kerasir.exporters.onnx.export import draw
from kerasir.exporters.onnx.opsets import DEFAULT_OPSET, HIGHEST, LOWEST
from kerasir.exporters.onnx.registry import _EMITTERS, emits
from kerasir.ir.build import Builder
from kerasir.ir.graph import Graph, Layer
from kerasir.ir.layout import Axis, Reversed
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import Elementwise, Relu, Tanh
from kerasir.ir.ops.opaque import Opaque
from kerasir.ir.ops.recurrent import LSTM
from kerasir.ir.plan import Policy
from kerasir.ir.source import ArraySource
from kerasir.ir.tensor import Param, Stored, Weight
from kerasir.passes.solve import solve


class Odd(Elementwise, frozen=True, kw_only=True):
    """An op that only these tests know."""


@pytest.fixture
def odd_since_20() -> Iterator[None]:
    @emits(Odd, since=20)
    def odd(op: Odd, at: Emitting) -> Edge:
        return at.add("Gelu", at.x)

    yield
    del _EMITTERS[Odd]


def chain(*ops: Op, name: str = "x", dtype: str = "float32") -> Graph:
    """Ops one after the other, each a layer of its own."""
    builder = Builder()
    x = builder.input(name, (Axis("N", None), Axis("F", 4)), dtype)
    for number, op in enumerate(ops):
        class_name = op.layer_class if isinstance(op, Opaque) else op.kind
        layer = Layer(f"layer_{number}", class_name, source_class=class_name)
        x = builder.add(op, layer.name, [x], [x.axes], layer=layer).result
    return builder.freeze([x])


def drawn(graph: Graph, **options: Any) -> Any:
    return build(solve(graph, onnx_policy()), **options)


# ---- names -----------------------------------------------------------------------------------


def test_nodes_and_weights_carry_their_layers_names(tmp_path: Path) -> None:
    found = export(network(NETWORKS[0], first=True), tmp_path)
    assert [node.name for node in found.model.graph.node] == [
        "conv", "norm", "leaky", "pool", "prelu", "flatten", "flat_norm", "dense", "softmax",
    ]  # fmt: skip
    names = {tensor.name for tensor in found.model.graph.initializer}
    assert {"conv/kernel", "conv/bias", "norm/gamma", "prelu/alpha", "dense/kernel"} <= names
    assert [value.name for value in found.model.graph.input] == ["x"]
    assert [value.name for value in found.model.graph.output] == ["softmax"]


def test_an_output_keeps_its_name_though_a_node_has_it(tmp_path: Path) -> None:
    """A layer with an activation of its own: two nodes, and the output is called as the layer."""
    builder = Builder()
    x = builder.input("dense", (Axis("N", None), Axis("F", 4)))
    inner = builder.add(Tanh(), "out", [x], [x.axes]).result
    graph = builder.freeze(
        [builder.add(Relu(), "out_activation", [inner], [x.axes]).result], ["out"]
    )
    found = export(graph, tmp_path)
    assert [value.name for value in found.model.graph.output] == ["out"]
    assert [(n.name, *n.input, *n.output) for n in found.model.graph.node] == [
        ("out", "dense", "out~2"),
        ("out_activation", "out~2", "out"),
    ]


def test_outputs_that_are_inputs_or_come_twice(tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("F", 4)))
    y = builder.add(Relu(), "y", [x], [x.axes]).result
    graph = builder.freeze([x, y, y], ["x", "y", "y"])
    found = export(graph, tmp_path)
    assert [value.name for value in found.model.graph.output] == ["x~2", "y", "y~2"]
    assert found.counts == Counter(Identity=2, Relu=1)
    array = np.arange(-4.0, 4.0).reshape(2, 4)
    must_equal(found.run([array]), expected(graph, [array]))


@pytest.mark.parametrize("name", ["", "\ud800", "a b/c:0", "x\x00y", "日本語", "n" * 500])
def test_any_name_will_do(name: str, tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input(name, (Axis("N", None), Axis("T", None), Axis("F", 4)))
    layer = Layer(name, name, source_class=name)
    node = builder.add(Relu(), name, [x], [x.axes], layer=layer)
    graph = builder.freeze(node.results, [name])
    array = np.arange(-4.0, 4.0).reshape(1, 2, 4)
    must_equal(export(graph, tmp_path).run([array]), expected(graph, [array]))


def test_unknown_extents_are_named_after_their_role_and_then_their_layer() -> None:
    builder = Builder()
    terms = (Axis("N", None), Axis("C", 3), Axis("H", None), Axis("W", None))
    x = builder.input("photo", terms)
    y = builder.input("other", (terms[0], *(Axis(a.role, a.size) for a in terms[1:])))
    graph = builder.freeze([x, y])
    assert [edge.shape for edge in drawn(graph).inputs] == [
        ("batch", 3, "height", "width"),
        ("batch", 3, "other_height", "other_width"),
    ]


# ---- weights -----------------------------------------------------------------------------------


def test_a_shared_weight_is_stored_once(tmp_path: Path) -> None:
    siamese = next(make for make in NETWORKS if make.__name__ == "siamese")
    for first in (True, False):
        found = export(network(siamese, first=first), tmp_path)
        stored = Counter(tensor.name.partition("~")[0] for tensor in found.model.graph.initializer)
        assert stored["dense/kernel"] == stored["dense/bias"] == 1
        kernels = [n.input[1] for n in found.model.graph.node if n.op_type == "Gemm"]
        assert len(kernels) == 2
        assert len(set(kernels)) == 1


def test_what_theano_stored_reversed_is_stored_as_it_is_used(tmp_path: Path) -> None:
    net = Net(first=True)
    graph = net.freeze(net.conv("conv", net.image("x", 3, 7, 9), 4, 2, 3))
    [kernel] = [
        t for t in export(graph, tmp_path).model.graph.initializer if t.name == "conv/kernel"
    ]
    param = graph.nodes[0].params["kernel"]
    [stored] = param.stored
    assert sum(isinstance(term, Reversed) for term in stored.layout.terms) == 2
    array = np.zeros(4 * 3 * 2 * 3)
    param.weight.sources[0].read_into(0, array)
    want = array.reshape(4, 3, 2, 3)[:, :, ::-1, ::-1].astype(np.float32)
    assert np.array_equal(np.frombuffer(kernel.raw_data, np.float32).reshape(4, 3, 2, 3), want)


def test_a_weight_of_another_shape_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    net = Net(first=True)
    graph = net.freeze(net.dense("dense", net.vector("x", 5), 3))
    features, units = graph.nodes[0].params["kernel"].stored[0].layout.terms
    source = ArraySource(np.zeros((5, 4), np.float32))
    wrong = Param(
        Weight("dense/kernel", (source,)), (Stored(graph.nodes[0].param_layout("kernel")),)
    )
    graph.nodes[0].params["kernel"] = wrong
    assert features != units
    with pytest.raises(Exception, match="numbers"):
        export(graph, tmp_path)
    assert not list(tmp_path.iterdir())


# ---- what cannot be said -------------------------------------------------------------------


def test_a_lambda() -> None:
    graph = chain(Relu(), Opaque(layer_class="Lambda", has_code=True), Tanh())
    with pytest.raises(ExportError) as caught:
        draw(model_of(graph), solve(graph, onnx_policy()))
    assert str(caught.value) == (
        "old/model.h5: layer_1: a Lambda holds Python bytecode, which is never run: no ONNX "
        '(say what it computes: --lambda layer_1="x / 127.5 - 1" or --plugin FILE, or keep it: '
        "--opaque-domain com.example)\n"
        "  between     input N:? F:4 → layer_2\n"
        "  The other 2 layers are supported."
    )


def test_all_unsupported_layers_at_once() -> None:
    strange = [Opaque(layer_class="ScaleShift") for _ in range(4)]
    graph = chain(*strange, Opaque(layer_class="Lambda", has_code=True), Odd())
    with pytest.raises(ExportError) as caught:
        drawn(graph)
    assert str(caught.value) == (
        "6 layers: no ONNX for 3 classes (say what they compute: --lambda NAME=EXPR or "
        "--plugin FILE, or keep them: --opaque-domain com.example)\n"
        "  class       layers                                input    why\n"
        "  ScaleShift  layer_0, layer_1, layer_2 and 1 more  N:? F:4  what a ScaleShift computes "
        "is not known\n"
        "  Lambda      layer_4                               N:? F:4  a Lambda holds Python "
        "bytecode, which is never run\n"
        "  Odd         layer_5                               N:? F:4  Odd has no ONNX emitter\n"
        "  A plugin begins with: kerasir ops --template ScaleShift"
    )


def test_an_activation_inside_a_layer_counts_too() -> None:
    net = Net(first=True)
    features = net.builder.input("x", (net.batch, Axis("T", 3), Axis("F", 4)))
    state = net.lstm("lstm", features, 2)
    node = net.builder.nodes[0]
    node.op = LSTM(activation=Odd(), recurrent_activation=Tanh())
    with pytest.raises(ExportError, match="Odd has no ONNX emitter") as caught:
        drawn(net.freeze(state))
    assert caught.value.where == "lstm"


@pytest.mark.usefixtures("odd_since_20")
def test_an_op_that_needs_a_higher_opset() -> None:
    graph = chain(Relu(), Odd())
    with pytest.raises(ExportError) as caught:
        drawn(graph)
    assert str(caught.value) == (
        f"layer_1: Odd needs opset 20: {DEFAULT_OPSET} is asked for (--opset 20 or higher)\n"
        "  between     input N:? F:4 → the output\n"
        "  The other layer is supported."
    )
    assert [node.op_type for node in drawn(graph, opset=20).nodes] == ["Relu", "Gelu"]


@pytest.mark.parametrize("opset", [LOWEST - 1, HIGHEST + 1, 0])
def test_an_opset_that_is_not_written(opset: int) -> None:
    with pytest.raises(UsageError, match=f"no opset {opset}") as caught:
        drawn(chain(Relu()), opset=opset)
    assert caught.value.hint == f"{LOWEST} to {HIGHEST}; the default is {DEFAULT_OPSET}"


def test_numbers_that_onnx_does_not_have() -> None:
    with pytest.raises(ExportError, match="ONNX has no numbers of type 'quaternion'") as caught:
        drawn(chain(Relu(), dtype="quaternion"))
    assert caught.value.where == "x"


def test_a_plan_for_another_target() -> None:
    graph = network(NETWORKS[0], first=False)
    for policy in (Policy(), Policy(order="channels_last"), Policy(order="channels_first")):
        with pytest.raises(LayoutError, match="ONNX needs channels_first"):
            build(solve(graph, policy))


def test_an_emitter_that_disagrees_with_the_plan() -> None:
    class Wrong(Elementwise, frozen=True, kw_only=True):
        letters: ClassVar[dict[str, str]] = {}

    @emits(Wrong)
    def wrong(op: Wrong, at: Emitting) -> Edge:
        return at.add("Relu", at.x, shape=("batch", 5))

    with pytest.raises(LayoutError, match="its ONNX emitter gives"):
        drawn(chain(Wrong()))
    del _EMITTERS[Wrong]


def test_failures_of_several_emitters_come_together() -> None:
    class Failing(Elementwise, frozen=True, kw_only=True):
        letters: ClassVar[dict[str, str]] = {}

    @emits(Failing)
    def failing(op: Failing, at: Emitting) -> Edge:
        raise ExportError("it does not want to", hint="ask again")

    with pytest.raises(ExportError) as caught:
        drawn(chain(Failing(), Relu(), Failing()))
    assert str(caught.value) == (
        "2 layers: ONNX cannot express them as they are (ask again)\n"
        "  layer_0   it does not want to\n"
        "  layer_2   it does not want to"
    )
    with pytest.raises(ExportError, match="layer_0: it does not want to"):
        drawn(chain(Failing(), Relu()))
    del _EMITTERS[Failing]
