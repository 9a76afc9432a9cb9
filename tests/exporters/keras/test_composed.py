"""What Keras 2 lacks, composed of what it has: genuine files of all eras, in either data format.

The genuine predictions are the oracle; the written files are computed by the reference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.errors import ExportError

COMPOSED = {
    "keras0.3.3-theano": ("advact",),
    "keras1.2.2-theano": ("adv_act", "convlstm"),
    "keras2.2.4-theano": ("convlstm",),
    "tf-keras2.21.0-tensorflow": ("m_", "global_pools", "upsample_crop"),
    "keras3.15.1-jax": ("m_", "global_pools", "upsample_crop"),
}
"""Cases, by how their names begin, with what Keras 2.2 has no layer for."""

REFUSED = {
    "keras3.15.1-jax/m_activations_tf": "Sparsemax",
    "keras3.15.1-jax/m_adaptive_tf": "its windows are not all alike",
    "keras3.15.1-jax/m_attention_tf": "a query that its masks leave no key",
    "keras3.15.1-jax/m_spectra_tf": "the whole batch",
}
"""What is refused by name: tf.keras sorts no numbers, for one."""

CASES = [
    case
    for case in fixture_cases()
    if case.case.startswith(COMPOSED.get(case.era, ("none of them",)))
]


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_written_file_computes_the_same(
    case: FixtureCase, data_format: str, tmp_path: Path
) -> None:
    said = {"arch": case.arch, "backend": case.backend} if case.arch else {}

    def convert() -> None:
        kerasir.convert(
            case.model,
            tmp_path / "model.h5",
            data_format=data_format,
            expect=str(case.folder / "data.npz"),
            tolerance=1e-5,
            **said,
        )

    if case.id in REFUSED:
        with pytest.raises(ExportError, match=REFUSED[case.id]):
            convert()
    else:
        convert()
