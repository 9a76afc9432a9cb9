"""The passes for deployment on genuine models, for targets that do not run them by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

import kerasir
from genuine import fixture_cases

CASES = {case.case: case for case in fixture_cases() if case.era == "keras2.2.4-theano"}


@pytest.mark.parametrize("suffix", [".h5", ".kerasir"])
@pytest.mark.parametrize("name", ["resnet_tf", "vgg_th", "generator_th", "flat_bn_dense_tf"])
def test_files_of_other_kinds_can_be_folded_too(name: str, suffix: str, tmp_path: Path) -> None:
    """Layers that others were folded into are told apart from those that must agree."""
    done = kerasir.convert(
        CASES[name].model, tmp_path / f"new{suffix}", passes=["deploy"], verify=True, check=True
    )
    assert done.verification
    assert done.verification.equal
    assert "BatchNorm" not in {node.op.kind for node in done.model.graph.nodes}
