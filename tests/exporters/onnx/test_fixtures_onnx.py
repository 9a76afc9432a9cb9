"""Every genuine file, in ONNX Runtime, against the predictions of the Keras that wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_models import SPARED, Array, Exported, must_be_valid, newest_opset

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.errors import ExportError
from kerasir.exporters.onnx.export import export_onnx
from kerasir.exporters.onnx.opsets import DEFAULT_OPSET, LOWEST
from kerasir.ir.model import Model
from kerasir.ir.ops.opaque import Opaque
from kerasir.passes.pipeline import run_passes
from kerasir.passes.solve import moves, solve
from kerasir.targets import aim

EVERY_OPSET = "keras2.2.4-theano"
"""Of this era, files are written in the lowest and the newest opset as well."""

WITHIN = 1e-5
"""Largest difference, relative to the largest output."""

MOVES_WITHIN = {
    "m_conv_lstm_tf": "frames become a row of steps, channels last",
    "m_einsum_tf": "an equation takes its steps last, and gives them last",
    "m_functions_tf": "a map is added to a turned one",
    "m_norms_tf": "a grouped normalization, then a Reshape that does not factor",
    "m_operations_tf": "as m_functions_tf",
    "m_patches_tf": "pixels of blocks become channels, which is a transposition",
    "m_spectra_tf": "frequencies are channels of a convolution and columns of a product",
}
"""Models that cannot do without a Transpose between their layers, and why."""


def loaded(case: FixtureCase) -> Model:
    arch = None if case.arch is None else str(case.arch)
    silent = case.era.startswith("keras0")
    model = kerasir.load(case.model, arch=arch, backend=case.backend if silent else None)
    return run_passes(model, aim("model.onnx").target, (), lambda step, changed: None)


def exported(model: Model, folder: Path, opset: int) -> Exported:
    plan, path = solve(model.graph, model.policy), folder / "model.onnx"
    events = export_onnx(model, plan, path, opset=opset, overwrite=True)
    found = onnx.load(path)
    must_be_valid(found, path)
    return Exported(found, path, plan, events)


def test_genuine_file(fixture_case: FixtureCase, tmp_path: Path) -> None:
    """The prediction in the file's own order of axes; a layer that is not known is refused."""
    model = loaded(fixture_case)
    strange = {n.layer.name for n in model.graph.nodes if isinstance(n.op, Opaque) and n.layer}
    if strange:
        with pytest.raises(ExportError) as caught:
            exported(model, tmp_path, DEFAULT_OPSET)
        assert all(name in str(caught.value) for name in strange)
        assert not list(tmp_path.iterdir())
        return
    others = (LOWEST, newest_opset()) if fixture_case.era == EVERY_OPSET else ()
    for opset in (DEFAULT_OPSET, *others):
        found = exported(model, tmp_path, opset)
        twice = fixture_case.second_outputs()
        outputs, *second = found.calls(fixture_case.inputs(), 2 if twice else 1)
        must_be(outputs, fixture_case.outputs())
        if twice:
            must_be(second[0], twice)
    own = {settled.node.op.kind for settled in found.plan.settled} & SPARED
    assert own or found.counts["Transpose"] <= moves(found.plan)
    assert own or not found.plan.inner_coercions or fixture_case.case in MOVES_WITHIN


def must_be(outputs: Sequence[Array], predictions: Sequence[Array]) -> None:
    for mine, genuine in zip(outputs, predictions, strict=True):
        assert mine.shape == genuine.shape
        assert np.abs(mine - genuine).max() <= WITHIN * np.abs(genuine).max()


def test_the_genuine_files_are_many() -> None:
    assert len(fixture_cases()) > 100
