"""`kerasir inspect --lint` and `--probe`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from terminal import Stream

from kerasir.cli.console import Console, width_of
from kerasir.cli.lint import print_findings
from kerasir.inspection import lint_file

THEANO = "keras1.2.2-theano/vgg_th"


def test_findings_in_a_pipe(kerasir, beside, same_text) -> None:
    beside("keras1.2.2-theano/pool_same_th")
    code, out, err = kerasir("inspect", "model.h5", "--lint")
    assert (code, err) == (0, "")
    same_text("lint_pipe", out)


@pytest.mark.parametrize("width", [80, 100])
def test_findings_on_a_terminal(genuine, monkeypatch, same_text, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(genuine(THEANO).folder)
    stream = Stream()
    notes, layers = lint_file("model.h5")
    print_findings(Console(stream, "never"), "model.h5", notes, layers)
    same_text(f"lint_terminal_{width}", stream.getvalue())
    assert max(map(width_of, stream.getvalue().splitlines())) <= width


def test_what_was_chosen(kerasir, beside) -> None:
    beside(THEANO)
    found = json.loads(kerasir("inspect", "model.h5", "--lint", "--json").out)
    assert found["schema"] == "kerasir.lint/1"
    assert [note["code"] for note in found["findings"]] == ["KB101", "KB201", "KL302"]
    assert [note["layer"] for note in found["findings"]] == [None, None, "dense_1"]
    out = kerasir("inspect", "model.h5", "--lint", "--select", "KL").out
    assert out.splitlines()[-1] == "1 finding: 1 note, in 10 layers"
    out = kerasir("inspect", "model.h5", "--lint", "--ignore", "K").out
    assert out == "✓ no findings in 10 layers\n"


def test_strict(kerasir, beside) -> None:
    beside(THEANO)
    assert kerasir("inspect", "model.h5", "--lint", "--strict", "-q") == (1, "", "")
    assert kerasir("inspect", "model.h5", "--lint", "--strict", "--ignore", "KB").code == 0
    assert kerasir("inspect", "model.h5", "--lint", "--strict", "--backend", "theano").code == 0


def test_a_file_of_today_has_none(kerasir, beside) -> None:
    beside("keras2.2.4-tensorflow/rnn_stack_tf")
    assert kerasir("inspect", "model.h5", "--lint").out.startswith("✓ no findings")


def test_which_reading_fits(kerasir, beside, same_text) -> None:
    beside(THEANO)
    code, out, err = kerasir("inspect", "model.h5", "--probe", "data.npz")
    assert (code, err) == (0, "")
    assert "✓ fits, read so by default" in out
    assert out.splitlines()[-1] == "✓ the file is read rightly by default"
    found = json.loads(kerasir("inspect", "model.h5", "--probe", "data.npz", "--json").out)
    fitting = [r for r in found["readings"] if r["fits"]]
    assert [(r["backend"], r["ordering"], r["default"]) for r in fitting] == [
        ("theano", "channels_first", True)
    ]


def test_none_fits(kerasir, beside, tmp_path: Path) -> None:
    case = beside(THEANO)
    wrong = {name: array + 1 for name, array in case.data().items()}
    np.savez(tmp_path / "wrong.npz", **wrong)
    code, out, _ = kerasir("inspect", "model.h5", "--probe", tmp_path / "wrong.npz")
    assert code == 1
    assert out.splitlines()[-1] == (
        "✗ none fits: no backend and no ordering gives these answers"
    )  # fmt: skip


def test_what_cannot_be_probed(kerasir, beside, tmp_path: Path) -> None:
    beside(THEANO)
    np.savez(tmp_path / "none.npz", x=np.zeros(3))
    code, out, err = kerasir("inspect", "model.h5", "--probe", tmp_path / "none.npz")
    assert (code, out) == (1, "")
    assert "it needs inputs and answers" in err
    args = ("inspect", "model.h5", "--probe", "data.npz", "--backend", "theano")
    assert kerasir(*args).code == 2
    assert kerasir("inspect", "a.onnx", "--probe", "data.npz").code == 2
