"""Genuine Keras 3 and tf-keras load what is kept and not computed: code, and layers of texts.

Needs an interpreter with Keras 3, TensorFlow and tf-keras, as `test_genuine_modern` does.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from frameworks import TF_KERAS

import kerasir
from genuine import PROJECT

WORKER = PROJECT / "tests" / "support" / "kept_worker.py"
SECONDS = 300
CONVERTED = {
    "whole.keras": ("whole.keras", "keras3"),
    "whole.weights.h5": ("whole.keras", "keras3"),
    "older.keras": ("older.keras", "tf-keras"),
    "older.weights.h5": ("older.keras", "tf-keras"),
    "inside.keras": ("inside.keras", "keras3"),
    "inside_older.h5": ("inside_older.h5", "tf-keras"),
    "words.keras": ("words.keras", "keras3"),
    "words.h5": ("words.keras", "keras3"),
    "words_older.h5": ("words.keras", "tf-keras"),
    "older_words.keras": ("older_words.keras", "keras3"),
    "older_words.h5": ("older_words.keras", "tf-keras"),
    "weighed_words.keras": ("weighed_words.keras", "keras3"),
    "weighed_words_older.h5": ("weighed_words.keras", "tf-keras"),
}
"""What is written, of which file, and for whom."""


@pytest.mark.time_limit(SECONDS)
def test_they_predict_as_before(tmp_path: Path) -> None:
    python = TF_KERAS.python()
    if python is None:
        assert not os.environ.get("KERASIR_REQUIRE_KERAS"), "there is no tf-keras"
        pytest.skip(f"tf-keras: not installed here, and {TF_KERAS.variable} is not set")
    worker = subprocess.Popen(
        [python, str(WORKER), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        assert worker.stdout.readline() == "made\n"
        for target, (source, dialect) in CONVERTED.items():
            kerasir.convert(tmp_path / source, tmp_path / f"again_{target}", to=dialect)
        answer, _ = worker.communicate("go\n", timeout=SECONDS)
    finally:
        worker.kill()
    assert json.loads(answer) == dict.fromkeys(CONVERTED, 0.0)
