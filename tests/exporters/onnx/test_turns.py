"""Two Transposes around a Reshape that joins dimensions are one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import Net
from onnx_models import expected, export, must_equal
from recurrent_networks import WAYS, one_way

from kerasir.exporters.onnx.dims import Shape
from kerasir.exporters.onnx.turns import joined
from kerasir.ir.graph import Value
from kerasir.ir.layout import Axis
from kerasir.ir.ops.recurrent import ReverseTime


@pytest.mark.parametrize(
    ("parts", "whole", "groups"),
    [
        (("batch", 5, 2, 3), ("batch", 5, 6), [[0], [1], [2, 3]]),
        (("batch", 1, 5, 1), (5, "batch"), None),
        ((4, 1, 3, 1), (4, 3), [[0], [1, 2, 3]]),
        ((4, 3), (4, 1, 3), [[0], [], [1]]),
        (("batch", "time", 2), ("batch*time", 2), [[0, 1], [2]]),
        ((6, 2), (3, 4), None),
        ((4, 3), (4,), None),
        ((6,), (2, 3), None),
    ],
)
def test_dimensions_that_a_reshape_joins(
    parts: Shape, whole: Shape, groups: list[list[int]] | None
) -> None:
    assert joined(parts, whole) == groups


def bidirectional(net: Net, name: str, x: Value) -> Value:
    """Both directions of an LSTM side by side."""
    forth, back = WAYS["LSTM"]
    a, b = one_way(net, f"{name}_a", forth, x, 3), one_way(net, f"{name}_b", back, x, 3)
    time = net.builder.axes(x)[1:2]
    turned = net.same(ReverseTime(), f"{name}_turned", b.result, time=time)
    return net.concat(f"{name}_join", [a.result, turned], 2)


@pytest.mark.parametrize("read_twice", [False, True])
def test_bidirectional_layers_in_a_row(read_twice: bool, tmp_path: Path) -> None:
    net = Net(first=True)
    x = net.builder.input("x", (net.batch, Axis("T", None), Axis("F", 4)))
    middle = bidirectional(net, "first", x)
    last = bidirectional(net, "second", middle)
    graph = net.freeze(last, middle) if read_twice else net.freeze(last)
    found = export(graph, tmp_path)
    assert found.counts["LSTM"] == 2
    assert found.counts["Transpose"] == 3 + read_twice
    fed = [np.random.default_rng(2).standard_normal((2, 5, 4))]
    must_equal(found.run(fed), expected(graph, fed))
