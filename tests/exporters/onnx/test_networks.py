"""Whole networks, as authors of either kind have them, in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from networks import Net, build, feed
from onnx_models import SPARED, expected, export, must_equal, newest_opset
from recurrent_networks import NETWORKS

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.copyplan import rearrange
from kerasir.ir.graph import Graph
from kerasir.passes.solve import moves

Make = Callable[[Net], Graph]
networks = pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
TWINS = [make for make in NETWORKS if make.__name__ != "words"]
"""Those that differ in their author's order alone; the other has a Permute layer in one order."""

authors = pytest.mark.parametrize("first", [True, False], ids=["first", "last"])


@networks
@authors
@pytest.mark.parametrize("opset", [LOWEST, 17, newest_opset()])
def test_a_network_computes_the_same(make: Make, first: bool, opset: int, tmp_path: Path) -> None:
    graph = build(make, first=first)
    arrays = feed(graph)
    found = export(graph, tmp_path, opset=opset)
    must_equal(found.run(arrays), expected(graph, arrays))


@networks
@authors
def test_no_transpose_but_those_of_the_plan(make: Make, first: bool, tmp_path: Path) -> None:
    """Those of an LSTM, whose operator wants time first, aside."""
    graph = build(make, first=first)
    found = export(graph, tmp_path)
    own = {settled.node.op.kind for settled in found.plan.settled} & SPARED
    assert found.counts["Transpose"] <= moves(found.plan) or own
    assert not found.plan.inner_coercions or make.__name__ == "words"


@networks
@authors
def test_inputs_and_outputs_as_onnx_likes_them(make: Make, first: bool, tmp_path: Path) -> None:
    """With `--io-layout match` there is no Transpose at the border either."""
    graph = build(make, first=first)
    arrays = feed(graph)
    found = export(graph, tmp_path, io="match")
    fed = [
        rearrange(array, held.value.layout, held.layout)
        for array, held in zip(arrays, found.plan.inputs, strict=True)
    ]
    pairs = zip(expected(graph, arrays), found.plan.outputs, strict=True)
    want = [rearrange(array, held.value.layout, held.layout) for array, held in pairs]
    must_equal(found.run(fed), want)
    border = set(found.plan.coercions) - set(found.plan.inner_coercions)
    assert not border


@pytest.mark.parametrize("make", TWINS, ids=lambda make: make.__name__)
def test_twins_give_the_same_nodes(make: Make, tmp_path: Path) -> None:
    """An author's order shows at the border only."""
    both = [export(build(make, first=first), tmp_path, io="match") for first in (True, False)]
    first, last = ([node.op_type for node in found.model.graph.node] for found in both)
    assert first == last


@authors
def test_whatever_the_batch(first: bool, tmp_path: Path) -> None:
    graph = build(NETWORKS[0], first=first)
    found = export(graph, tmp_path)
    dims = [found.model.graph.input[0], found.model.graph.output[0]]
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in dims] == ["batch"] * 2
    [x] = feed(graph)
    for count in (1, 3):
        arrays = [np.repeat(x[:1], count, 0)]
        must_equal(found.run(arrays), expected(graph, arrays))
