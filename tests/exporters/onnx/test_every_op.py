"""Every op of the IR at every opset: valid for onnx, and computed by ONNX Runtime where it can."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import pytest
from networks import branches, build, feed
from one_op import Array, OneOp, numbers
from onnx_models import Exported, expected, model_of, must_be_valid, must_equal, newest_opset

import kerasir
from genuine import fixture_cases
from kerasir.exporters.onnx import spatial, steps
from kerasir.exporters.onnx.export import export_onnx
from kerasir.exporters.onnx.opsets import HIGHEST, LOWEST
from kerasir.exporters.onnx.registry import emitter
from kerasir.ir.model import Model
from kerasir.ir.op import OPS, Op, attributes
from kerasir.ir.ops.activation import Log
from kerasir.ir.ops.normalization import SampleNorm
from kerasir.ir.ops.shape import Repeat
from kerasir.passes.pipeline import run_passes
from kerasir.passes.solve import solve
from kerasir.targets import aim

OPSETS = range(LOWEST, min(HIGHEST, onnx.defs.onnx_opset_version()) + 1)

FILES = (
    ("keras0.3.3-theano", "g_activations_tf"),
    ("keras0.3.3-theano", "advact_tf"),
    ("keras0.3.3-theano", "vgg_tf"),
    ("keras1.2.2-theano", "acts_all_tf"),
    ("keras1.2.2-theano", "convlstm_tf"),
    ("keras1.2.2-theano", "highway_maxout_tf"),
    ("keras1.2.2-theano", "local1d_net_tf"),
    ("keras2.2.4-tensorflow", "g_absent_steps_tf"),
    ("keras2.2.4-theano", "bidir_th"),
    ("keras2.2.4-theano", "gru_reset_after_tf"),
    ("keras2.2.4-theano", "masking_th"),
    ("keras2.2.4-theano", "merge_layers_tf"),
    ("keras2.2.4-theano", "rnn_acts_th"),
    ("keras3.15.1-jax", "conv3d_net_tf"),
    ("keras3.15.1-jax", "depthsep_tf"),
    ("keras3.15.1-jax", "m_activations_tf"),
    ("keras3.15.1-jax", "m_masks_tf"),
    ("keras3.15.1-jax", "m_norms_tf"),
    ("keras3.15.1-jax", "m_operations_tf"),
    ("tf-keras2.21.0-tensorflow", "m_batch_statistics_tf"),
)
"""Genuine models that between them use every op, but for those below."""

DESIGNED = {
    "GroupedConv": lambda: build(branches, first=False),
    "Log": lambda: OneOp(Log(), {"...": (None, 4)}).graph,
    "Repeat": lambda: OneOp(Repeat(), {"batch": (None,), "features": (4,), "time": (3,)}).graph,
    "SampleNorm": lambda: (
        OneOp(
            SampleNorm(epsilon=0.01), {"...": (None, 3), "axis": (4,)}, {"gamma": numbers(4)}
        ).graph
    ),
}
"""Ops that no genuine model here has."""

ELSEWHERE = {
    "AdaptivePool", "AllOf", "ArgMax", "Attention", "Binary", "Broadcast", "Cast", "Constant",
    "Cumulate", "Einsum", "Extents", "Fill", "Function", "Gather", "Hash", "HashCross",
    "MultiHeadAttention", "Not", "OneHot", "Pad", "Resample", "Take", "TopK", "Triangle", "Where",
}  # fmt: skip
"""Ops whose own tests go through the lowest and the newest opset (`ops/test_attention.py`,
`test_hashing.py`, `test_operations.py`, `test_resampling.py`);
weights alone and unknown layers are no ops."""


SAID_BY_THE_PLAN = {("TrainingOnly", "layer_class"), ("View", "layer_class")}
"""Attributes that say nothing of what an op computes."""


class Example(NamedTuple):
    """A model, and what is known of it."""

    model: Model
    inputs: Sequence[Array]
    outputs: Sequence[Array]


@cache
def example(name: str) -> Example:
    """A genuine model by `era/case`, or a designed one by its op."""
    if name in DESIGNED:
        graph = DESIGNED[name]()
        inputs = [np.abs(array) + 0.1 for array in feed(graph)]
        return Example(model_of(graph), inputs, expected(graph, inputs))
    case = next(c for c in fixture_cases() if f"{c.era}/{c.case}" == name)
    silent = case.era.startswith("keras0")
    read = {"arch": case.arch, "backend": case.backend if silent else None}
    model = kerasir.load(case.model, **read)
    return Example(model, case.inputs(), case.outputs())


NAMES = ("/".join(pair) for pair in FILES)
EXAMPLES = (*NAMES, *DESIGNED)


def kinds(model: Model) -> Iterator[str]:
    """The ops of a model, those that are attributes of others included."""
    for node in model.graph.nodes:
        yield node.op.kind
        yield from (value.kind for value in attributes(node.op).values() if isinstance(value, Op))


def used(models: Iterable[Model]) -> set[str]:
    return {kind for model in models for kind in kinds(model)}


def test_no_attribute_is_passed_over() -> None:
    """Every emitter, or what it shares with its family, looks at each attribute of its op."""
    shared = "".join(map(inspect.getsource, (steps, spatial)))
    unseen = [
        (kind.__name__, attribute)
        for kind in OPS.values()
        for since in (LOWEST, HIGHEST)
        if (emit := emitter(kind, since)) is not None
        for attribute in kind.__struct_fields__
        if f".{attribute}" not in inspect.getsource(sys.modules[emit.__module__]) + shared
    ]
    assert set(unseen) == SAID_BY_THE_PLAN


def test_the_examples_have_every_op() -> None:
    built_in = {name for name, op in OPS.items() if op.__module__.startswith("kerasir.ir.ops.")}
    missing = built_in - used(example(name).model for name in EXAMPLES) - {"Opaque", "Bare"}
    assert missing == ELSEWHERE


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("fold", [True, False], ids=["folded", "one_to_one"])
def test_every_op(opset: int, fold: bool, tmp_path: Path) -> None:
    """Checked in full, inferred strictly, and right where the runtime knows the opset."""
    for name in EXAMPLES:
        model, inputs, outputs = example(name)
        changed = run_passes(model, aim("model.onnx").target, fold=fold)
        plan, path = solve(changed.graph, changed.policy), tmp_path / "model.onnx"
        events = export_onnx(changed, plan, path, opset=opset, overwrite=True)
        found = Exported(onnx.load(path), path, plan, events)
        must_be_valid(found.model, path)
        if opset <= newest_opset():
            must_equal(found.calls(inputs, 1)[0], outputs)
