"""One input gives one file: in any folder, in any process; and what reads files reads each kind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kerasir
from genuine import FixtureCase
from kerasir.engines import OnnxRuntime

Genuine = Callable[[str], FixtureCase]
CASES = ["keras2.2.4-theano/inception_th", "keras2.2.4-theano/bidir_tf"]

CONVERT = """
import sys, kerasir
for number, source in enumerate(sys.argv[2:]):
    kerasir.convert(source, f"{sys.argv[1]}/{number}.onnx")
    kerasir.convert(source, f"{sys.argv[1]}/{number}_half.onnx", float16=True, batch=2)
    kerasir.convert(source, f"{sys.argv[1]}/{number}_beside.onnx", external_data="data.bin",
                    overwrite=True)
"""


def test_the_same_bytes_in_any_process_and_folder(genuine: Genuine, tmp_path: Path) -> None:
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        sources = []
        for number, name in enumerate(CASES):
            below = folder / f"of {seed}" / str(number)
            below.mkdir(parents=True)
            shutil.copy(genuine(name).model, below / "model.h5")
            sources.append(str(below / "model.h5"))
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", CONVERT, str(folder), *sources]
        subprocess.run(command, check=True, env=environment, cwd=folder)
        written.append({
            path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()
        })
    assert written[0] == written[1]
    assert len(written[0]) == 3 * len(CASES) + 1


@pytest.mark.parametrize(
    "options",
    [
        {"float16": True},
        {"external_data": "data.bin"},
        {"io_layout": "match"},
        {"float16": True, "external_data": True, "io_layout": "match", "opset": 13},
    ],
)
@pytest.mark.parametrize(
    "name",
    ["keras2.2.4-theano/embed_mask_lstm_tf", "keras1.2.2-theano/multi_io_th"],
)
def test_files_of_every_kind_are_run_and_verified(
    name: str, options: dict[str, Any], genuine: Genuine, tmp_path: Path
) -> None:
    case, path = genuine(name), tmp_path / "model.onnx"
    graph = kerasir.load(case.model).graph
    rename = {graph.inputs[0].name: "given", graph.output_names[0]: "first"}
    kerasir.convert(case.model, path, verify=True, rename=rename, **options)
    found = kerasir.verify(str(case.model), str(path))
    assert found.equal
    assert found.sizes
    engine = OnnxRuntime(str(path))
    assert [engine.inputs[0].name, engine.outputs[0].name] == ["given", "first"]
    if options.get("io_layout") != "match":
        outputs = engine.run(case.inputs()).outputs
        for mine, genuine_one in zip(outputs, case.outputs(), strict=True):
            within = 1e-2 if options.get("float16") else 1e-5
            assert np.abs(mine - genuine_one).max() <= within * np.abs(genuine_one).max()
