"""Convolutions in ONNX Runtime: every geometry, both authors' orders, several batch dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from one_op import Array, OneOp, numbers
from onnx_models import Exported, agrees, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.ops.convolution import (
    Conv,
    ConvTranspose,
    DepthwiseConv,
    GroupedConv,
    LocallyConnected,
    Pads,
    SeparableConv,
)

# space, kernel, strides, dilation, pads
GEOMETRIES: list[Any] = [
    ((7,), (3,), (2,), (1,), ((1, 0),)),
    ((9,), (2,), (1,), (3,), ((2, 3),)),
    ((6, 5), (2, 3), (1, 1), (1, 1), ((0, 0), (0, 0))),
    ((5, 8), (3, 2), (2, 3), (2, 1), ((2, 1), (0, 3))),
    ((4, 3, 5), (2, 3, 1), (1, 2, 3), (1, 1, 2), ((0, 1), (1, 1), (2, 0))),
]
geometries = pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: "x".join(map(str, g[0])))
orders = pytest.mark.parametrize(
    ("batches", "last"), [(1, False), (1, True), (2, False), (2, True)]
)


def sizes_of(batches: int, **own: Any) -> dict[str, Any]:
    return {"batch": (None,) if batches == 1 else (None, 3), **own}


def batch_of(batches: int) -> tuple[int, ...]:
    return (2,) if batches == 1 else (2, 3)


def slid(geometry: Any) -> tuple[int, ...]:
    """How many windows there are."""
    return tuple(
        (size + sum(pads) - (taps - 1) * dilation - 1) // stride + 1
        for size, taps, stride, dilation, pads in zip(*geometry, strict=True)
    )


def window(geometry: Any) -> dict[str, Any]:
    _, _, strides, dilation, pads = geometry
    return {"strides": strides, "dilation": dilation, "padding": pads}


def reshapes(batches: int) -> int:
    return 0 if batches == 1 else 2


@geometries
@orders
def test_conv(geometry: Any, batches: int, last: bool, tmp_path: Path) -> None:
    space, taps, *_ = geometry
    sizes = sizes_of(
        batches, channels=(3,), space=space, kernel_space=taps, filters=(4,),
        out_space=slid(geometry),
    )  # fmt: skip
    params = {"kernel": numbers(*taps, 3, 4), "bias": numbers(4)}
    one = OneOp(Conv(**window(geometry)), sizes, params, last=last)
    found = agrees(one, numbers(*batch_of(batches), 3, *space), folder=tmp_path)
    assert found.counts["Conv"] == 1
    assert found.counts["Reshape"] == reshapes(batches)
    assert found.counts["Transpose"] == len(found.plan.coercions) == 2 * last


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@geometries
def test_grouped_and_depthwise_conv(geometry: Any, opset: int, tmp_path: Path) -> None:
    space, taps, *_ = geometry
    common = {"space": space, "kernel_space": taps, "out_space": slid(geometry)}
    sizes = sizes_of(1, groups=(2,), in_group=(3,), filters=(5,), **common)
    params = {"kernel": numbers(*taps, 3, 10), "bias": numbers(10)}
    one = OneOp(GroupedConv(**window(geometry)), sizes, params, last=True)
    # the reference's pattern `(groups in_group)` is one dimension of six
    found = agrees(one, numbers(2, 6, *space), folder=tmp_path, opset=opset)
    assert dict(found.counts) == {"Conv": 1, "Transpose": 2}
    sizes = sizes_of(2, channels=(3,), multiplier=(2,), **common)
    params = {"kernel": numbers(*taps, 3, 2)}
    one = OneOp(DepthwiseConv(**window(geometry)), sizes, params)
    found = agrees(one, numbers(2, 3, 3, *space), folder=tmp_path, opset=opset)
    assert dict(found.counts) == {"Conv": 1, "Reshape": 2}


@geometries
@orders
def test_separable_conv(geometry: Any, batches: int, last: bool, tmp_path: Path) -> None:
    space, taps, *_ = geometry
    sizes = sizes_of(
        batches, channels=(3,), multiplier=(2,), space=space, kernel_space=taps, filters=(5,),
        out_space=slid(geometry),
    )  # fmt: skip
    params = {
        "depthwise_kernel": numbers(*taps, 3, 2),
        "pointwise_kernel": numbers(6, 5),
        "bias": numbers(5),
    }
    one = OneOp(SeparableConv(**window(geometry)), sizes, params, last=last)
    found = agrees(one, numbers(*batch_of(batches), 3, *space), folder=tmp_path)
    assert found.counts["Conv"] == 2


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize("sizes", [(7, 5), (6, 8)])
def test_same_upper_over_unknown_sizes(sizes: tuple[int, int], opset: int, tmp_path: Path) -> None:
    """One file, whatever the image; the dimensions keep their names."""
    unknown = (None, None)
    known = sizes_of(
        1, channels=(3,), space=unknown, kernel_space=(2, 3), filters=(4,), out_space=unknown
    )
    op = Conv(strides=(2, 3), dilation=(1, 1), padding="same_upper")
    one = OneOp(op, known, {"kernel": numbers(2, 3, 3, 4)}, last=True)
    found = agrees(one, numbers(2, 3, *sizes), folder=tmp_path, opset=opset)
    assert {a.name for a in found.node("op").attribute} == {"auto_pad", "kernel_shape", "strides"}
    dims = [dim.dim_param for dim in found.model.graph.input[0].type.tensor_type.shape.dim]
    assert len(set(dims)) == 4  # all named apart, but for the channels, which are known


def transposed(
    space: Any, taps: Any, strides: Any, dilation: Any, cropping: Pads, *, batches: int, last: bool
) -> tuple[OneOp, Array]:
    out = tuple(
        (size - 1) * stride + (k - 1) * step + 1 - sum(cut)
        for size, k, stride, step, cut in zip(space, taps, strides, dilation, cropping, strict=True)
    )
    sizes = sizes_of(
        batches, channels=(3,), space=space, kernel_space=taps, filters=(4,), out_space=out
    )
    op = ConvTranspose(strides=strides, dilation=dilation, cropping=cropping)
    params = {"kernel": numbers(*taps, 3, 4), "bias": numbers(4)}
    return OneOp(op, sizes, params, last=last), numbers(*batch_of(batches), 3, *space)


@pytest.mark.parametrize(
    ("geometry", "operators"),
    [
        (((4,), (3,), (2,), (1,), ((1, 0),)), {"ConvTranspose": 1}),
        (((4, 3), (3, 2), (2, 3), (1, 1), ((0, 0), (0, -2))), {"ConvTranspose": 1}),
        (((4, 3), (3, 2), (2, 1), (2, 3), ((1, 2), (2, 1))), {"ConvTranspose": 1}),
        (((2, 3, 4), (1, 3, 2), (2, 1, 3), (1, 1, 1), ((0, 0), (1, 1), (0, -2))),
         {"ConvTranspose": 1}),
        # rows that only the bias reaches, more than a stride of them, or in front
        (((4, 3), (3, 2), (2, 3), (1, 1), ((0, -2), (0, 0))),
         {"ConvTranspose": 1, "Pad": 1, "Add": 1}),
        (((4, 3), (3, 2), (2, 3), (1, 1), ((1, -5), (-1, 1))),
         {"ConvTranspose": 1, "Pad": 1, "Add": 1}),
    ],
)  # fmt: skip
@orders
def test_conv_transpose(
    geometry: Any, operators: dict[str, int], batches: int, last: bool, tmp_path: Path
) -> None:
    one, x = transposed(*geometry, batches=batches, last=last)
    counts = agrees(one, x, folder=tmp_path).counts
    assert {name: counts[name] for name in ("ConvTranspose", "Pad", "Add") if counts[name]} == (
        operators
    )


def local(space: Any, taps: Any, strides: Any, batches: int, last: bool) -> tuple[OneOp, Array]:
    out = tuple((n - k) // s + 1 for n, k, s in zip(space, taps, strides, strict=True))
    sizes = sizes_of(
        batches, channels=(3,), space=space, kernel_space=taps, filters=(4,), out_space=out
    )
    params = {"kernel": numbers(*out, *taps, 3, 4), "bias": numbers(*out, 4)}
    one = OneOp(LocallyConnected(strides=strides), sizes, params, last=last)
    return one, numbers(*batch_of(batches), 3, *space)


@pytest.mark.parametrize(
    ("space", "taps", "strides"),
    [((7,), (3,), (2,)), ((5, 6), (2, 3), (1, 2)), ((3, 4, 5), (2, 1, 3), (1, 2, 1))],
)
@orders
def test_locally_connected(
    space: Any, taps: Any, strides: Any, batches: int, last: bool, tmp_path: Path
) -> None:
    one, x = local(space, taps, strides, batches, last)
    found = agrees(one, x, folder=tmp_path)
    assert found.counts["MatMul"] == 1
    # its own Transpose and the one at the border may be each other's opposite
    assert found.counts["Transpose"] <= 1 + len(found.plan.coercions)


def test_a_kernel_is_stored_as_onnx_wants_it_and_once(tmp_path: Path) -> None:
    geometry = GEOMETRIES[2]
    sizes = sizes_of(
        1, channels=(3,), space=(6, 5), kernel_space=(2, 3), filters=(4,),
        out_space=slid(geometry),
    )  # fmt: skip
    kernel = numbers(2, 3, 3, 4)
    one = OneOp(Conv(**window(geometry)), sizes, {"kernel": kernel})
    found: Exported = agrees(one, numbers(2, 3, 6, 5), folder=tmp_path)
    [stored] = found.model.graph.initializer
    assert (stored.name, *stored.dims) == ("kernel", 4, 3, 2, 3)
