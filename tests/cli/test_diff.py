"""`kerasir diff`: whole texts, documents and exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from terminal import Stream
from traps import back_to_front, changed

from genuine import FixtureCase
from kerasir.cli.console import Console, width_of
from kerasir.cli.diff import DiffText
from kerasir.comparison import diff

VGG = "keras2.2.4-tensorflow/vgg_tf"


def test_the_same_model_in_another_layout(kerasir, beside, same_text, tmp_path: Path) -> None:
    case = beside("keras1.2.2-theano/even_same_th")
    shutil.copy(case.model, tmp_path / "old.h5")
    (tmp_path / "run").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert kerasir("convert", "-q", "old.h5", "new.h5").code == 0
        code, out, err = kerasir("diff", "old.h5", "new.h5")
    assert (code, err) == (0, "")
    same_text("diff_converted", out)


def test_different(kerasir, beside, same_text, tmp_path: Path) -> None:
    case = beside(VGG)
    shutil.copy(case.model, tmp_path / "a.h5")
    changed(case.model, tmp_path / "b.h5", {"conv1_2/conv1_2/kernel:0": back_to_front})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        code, out, err = kerasir("diff", "a.h5", "b.h5")
        assert (code, err) == (1, "")
        same_text("diff_weight", out)
        assert kerasir("diff", "-q", "a.h5", "b.h5") == (1, "", "")
        assert kerasir("diff", "a.h5", "a.h5").code == 0


def test_other_models(kerasir, genuine, same_text, tmp_path: Path) -> None:
    shutil.copy(genuine(VGG).model, tmp_path / "a.h5")
    shutil.copy(genuine("keras1.2.2-theano/even_same_th").model, tmp_path / "b.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        code, out, _ = kerasir("diff", "a.h5", "b.h5")
    assert code == 1
    same_text("diff_unlike", out)


def test_json(kerasir, beside, tmp_path: Path) -> None:
    case = beside(VGG)
    other = changed(case.model, tmp_path / "b.h5", {"conv1_2/conv1_2/kernel:0": back_to_front})
    code, out, err = kerasir("diff", "--json", "model.h5", other)
    found = json.loads(out)
    assert (code, err, found["schema"]) == (1, "", "kerasir.diff/1")
    assert (found["ok"], found["same"]) == (True, False)
    (row,) = found["rows"]
    assert (row["layer"], row["what"], row["verdict"]) == ("conv1_2", "kernel", "differs")
    assert found["counts"]["weights"] == {"equal": 9, "differs": 1}


def test_what_cannot_be_compared(kerasir, beside) -> None:
    beside("keras2.2.4-theano/vgg_th")
    code, out, err = kerasir("diff", "model.h5", "weights.h5")
    assert (code, out) == (2, "")
    assert "weights only, and the other file is a whole model (read it with --arch)" in err
    code, out, err = kerasir("diff", "model.h5", "absent.h5")
    assert (code, out) == (1, "")
    assert "absent.h5" in err


@pytest.mark.parametrize("width", [80, 100])
def test_it_fits_the_terminal(
    genuine: Callable[[str], FixtureCase], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Stream()
    found = diff(str(genuine(VGG).model), str(genuine("keras1.2.2-theano/even_same_th").model))
    DiffText(Console(stream, "always"), found).print()
    table = [line for line in stream.getvalue().splitlines() if "layer " in line]
    assert len(table) > 10
    assert max(map(width_of, table)) <= width
