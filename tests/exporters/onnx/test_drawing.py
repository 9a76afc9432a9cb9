"""The parts of drawing by themselves: extents, names, nodes that follow from one another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kerasir.errors import ExportError, PluginError
from kerasir.exporters.onnx.dims import Dims, broadcast, longer, product
from kerasir.exporters.onnx.draft import Draft, Edge
from kerasir.exporters.onnx.emitting import Emitting
from kerasir.exporters.onnx.naming import Names, drop_unread, finish
from kerasir.exporters.onnx.opsets import DEFAULT_OPSET, LOWEST
from kerasir.exporters.onnx.pen import Origins, Pen
from kerasir.exporters.onnx.registry import _EMITTERS, emits, emitter, lowest_opset
from kerasir.exporters.onnx.style import Style
from kerasir.ir.layout import Axis, Joined, Layout, Reversed, fuse
from kerasir.ir.ops.activation import Elementwise


class Odd(Elementwise, frozen=True, kw_only=True):
    """An op that only these tests know."""


@pytest.fixture
def _forgotten() -> Iterator[None]:
    yield
    _EMITTERS.pop(Odd, None)


def pen(opset: int = DEFAULT_OPSET, *, share: bool = True) -> Pen:
    draft = Draft(opset, Style(share=share))
    return Pen(draft, "layer", "", draft.nodes, Origins())


# ---- extents -------------------------------------------------------------------------------


def test_an_axis_has_one_name_and_no_other_has_it() -> None:
    dims = Dims()
    n, h, other = Axis("N", None), Axis("H", None), Axis("H", None)
    assert dims.shape(Layout.of(n, h, Axis("C", 3)), "x") == ("batch", "height", 3)
    assert dims.shape(Layout.of(h, other, n), "x") == ("height", "x_height", "batch")
    assert dims.shape(Layout.of(Axis("q.Z", None), Axis("I", None)), "y") == (
        "q.Z", "kernel_input",
    )  # fmt: skip


def test_extents_of_fused_and_joined_terms() -> None:
    dims = Dims()
    n, t, c = Axis("N", None), Axis("T", None), Axis("C", 3)
    assert dims.dim(fuse((n, c, t, Axis("H", 5))), "x") == "batch*time*15"
    assert dims.dim(fuse((n, Axis("X", 1))), "x") == "batch"
    assert dims.dim(Joined((t, c)), "x") == "time+3"
    assert dims.dim(Reversed(t), "x") == "time"


def test_arithmetic_of_extents() -> None:
    assert product(()) == 1
    assert product((2, 3)) == 6
    assert product((5, "b", "a*2")) == "a*b*10"
    assert product((product(("a", 5)), 2)) == product(("a", 10))
    assert (longer(5, -2), longer("a", -2), longer("a", 2), longer("a", 0)) == (
        3,
        "a-2",
        "a+2",
        "a",
    )
    assert broadcast([("a", 3, 1), (3, 4), ()]) == ("a", 3, 4)
    assert broadcast([(1,), ("a",), (5,)]) == (5,)
    assert broadcast([]) == ()


# ---- nodes ---------------------------------------------------------------------------------


def test_transposes_in_a_row_become_one_or_none() -> None:
    draw, x = pen(), Edge("x", "float32", ("batch", 3, 4))
    once = draw.permuted(x, (0, 2, 1))
    assert once.shape == ("batch", 4, 3)
    assert draw.permuted(once, (0, 2, 1)) is x
    assert draw.permuted(x, (0, 2, 1)) is once
    assert draw.permuted(x, (0, 1, 2)) is x
    twice = draw.permuted(once, (1, 0, 2))
    assert draw.nodes[-1].inputs == (x,)
    assert draw.nodes[-1].attributes == {"perm": (2, 0, 1)}
    assert twice.shape == (4, "batch", 3)
    assert len(draw.nodes) == 2


def test_reshapes_in_a_row_become_one_or_none() -> None:
    draw, x = pen(), Edge("x", "float32", ("batch", 3, 4))
    flat = draw.reshape(x, ("batch", 12))
    assert draw.nodes[-1].op_type == "Flatten"
    assert draw.reshape(flat, ("batch", 3, 4)) is x
    other = draw.reshape(flat, ("batch", 6, 2))
    assert draw.nodes[-1].op_type == "Reshape"
    assert draw.nodes[-1].inputs[0] is x
    assert [held.values for held in draw.draft.constants] == [(0, 6, 2)]
    assert draw.reshape(other, ("batch*3", 4)).shape == ("batch*3", 4)
    assert draw.draft.constants[-1].values == (-1, 4)


@pytest.mark.parametrize(
    ("opset", "operators"), [(17, ["Shape", "Concat"]), (13, ["Shape", "Slice", "Concat"])]
)
def test_a_reshape_with_several_unknown_extents(opset: int, operators: list[str]) -> None:
    """All but one are read off a tensor that has them."""
    draw = pen(opset)
    x = Edge("x", "float32", ("batch", "time", 3))
    draw.draft.note_places(x)
    flat = draw.add("Relu", Edge("flat", "float32", ("batch*time", 3)))
    draw.reshape(flat, (3, "batch", "time"))
    assert [node.op_type for node in draw.nodes] == ["Relu", *operators, "Reshape"]
    draw.reshape(flat, ("batch", "time", 3))
    again = [node.op_type for node in draw.nodes[len(operators) + 2 :]]
    assert again == ["Concat", "Reshape"], "an extent is read once"


@pytest.mark.parametrize("share", [True, False])
def test_what_is_computed_alike_is_computed_once(share: bool) -> None:
    draw, x = pen(share=share), Edge("x", "float32", ("batch", 12))
    a, b = (draw.add("LeakyRelu", x, alpha=0.1) for _ in range(2))
    assert (a is b) is share
    assert draw.add("LeakyRelu", x, alpha=0.2) is not a
    assert draw.identity(x) is not draw.identity(x)
    assert draw.add("Mine", x, domain="own") is not draw.add("Mine", x, domain="own")


def test_an_extent_that_nothing_tells() -> None:
    draw, x = pen(), Edge("x", "float32", ("batch", 12))
    draw.draft.note_places(x)
    with pytest.raises(ExportError, match="the extent 'b' is not known before") as caught:
        draw.reshape(x, ("a", "b", 3))
    assert caught.value.where == "layer"
    assert caught.value.hint == "fix the sizes of the model's inputs"


def test_equal_constants_are_one() -> None:
    draw = pen()
    assert draw.constant([1, 2]) is draw.constant([1, 2])
    assert draw.constant([1, 2]) is not draw.constant([1, 2], shape=(1, 2))
    assert draw.constant([1.0], "float32") is not draw.constant([1], "int64")
    assert draw.constant([0.0], "float32") is not draw.constant([-0.0], "float32")


# ---- names ---------------------------------------------------------------------------------


def test_names_are_never_empty_never_twice_and_always_text() -> None:
    names = Names()
    asked = ["a", "a", "a~2", "a", "", "", "\ud800", "\udfff"]
    given = [names.take(name) for name in asked]
    assert given == ["a", "a~2", "a~2~2", "a~3", "unnamed", "unnamed~2", "?", "?~2"]


def test_what_nobody_reads_goes() -> None:
    draw = pen()
    x = Edge("x", "float32", ("batch", 3))
    draw.draft.inputs.append(x)
    kept = draw.add("Relu", x)
    draw.add("Mul", kept, draw.constant([2.0], "float32"))
    draw.draft.outputs.append(draw.add("Tanh", kept))
    drop_unread(draw.draft)
    finish(draw.draft, ["y"])
    assert [(n.op_type, n.name) for n in draw.nodes] == [
        ("Relu", "layer/Relu"), ("Tanh", "layer/Tanh"),
    ]  # fmt: skip
    assert not draw.draft.constants
    assert [edge.name for edge in draw.draft.outputs] == ["y"]


# ---- the registry --------------------------------------------------------------------------


@pytest.mark.usefixtures("_forgotten")
def test_an_op_may_have_emitters_for_different_opsets() -> None:
    assert emitter(Odd, 28) is lowest_opset(Odd) is None

    @emits(Odd, since=18)
    def newer(op: Odd, at: Emitting) -> Edge:
        return at.x

    assert emitter(Odd, 17) is None
    assert lowest_opset(Odd) == 18

    @emits(Odd)
    def older(op: Odd, at: Emitting) -> Edge:
        return at.x

    assert (emitter(Odd, 17), emitter(Odd, 18), emitter(Odd, 28)) == (older, newer, newer)
    assert lowest_opset(Odd) == LOWEST
    with pytest.raises(PluginError, match="op Odd already has an ONNX emitter since opset 18"):
        emits(Odd, since=18)(newer)
