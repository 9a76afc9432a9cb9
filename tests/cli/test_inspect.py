"""`kerasir inspect`: whole texts on genuine files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from chains import write_chain
from terminal import Stream

from genuine import FixtureCase
from kerasir.cli.console import Console, unpainted, width_of
from kerasir.cli.inspect_text import InspectionText
from kerasir.inspection import inspect_file
from kerasir.ir.source import FileSource

CASES = (
    "keras1.2.2-theano/vgg_th",  # the classic: reversed kernels, a Dense behind a Flatten
    "keras1.2.2-theano/pool_same_th",  # more notes of one kind than are shown
    "keras1.2.2-theano/embed_mask_lstm_th",  # twelve arrays for one LSTM, a mask
    "keras1.2.2-theano/td_dense_conv_th",  # wrappers
    "keras2.2.4-theano/siamese_th",  # a nested model called twice, shared weights
    "keras2.2.4-theano/separable_tf",  # two kernels in one layer
    "keras2.2.4-tensorflow/even_same_tf",
    "keras2.2.4-theano/lambda_layer_th",  # code that is kept and never run
)


@pytest.mark.parametrize("name", CASES)
def test_whole_text(kerasir, beside, same_text, name: str) -> None:
    beside(name)
    code, out, err = kerasir("inspect", "model.h5")
    assert (code, err) == (0, "")
    same_text("inspect_" + name.replace("/", "_"), out)


def test_verbose_gives_every_weight_a_line(kerasir, beside, same_text) -> None:
    beside("keras1.2.2-theano/embed_mask_lstm_th")
    same_text("inspect_verbose", kerasir("inspect", "-v", "model.h5").out)


def test_weights_without_an_architecture(kerasir, beside, same_text) -> None:
    beside("keras1.2.2-theano/vgg_th")
    same_text("inspect_weights", kerasir("inspect", "weights.h5").out)
    whole = kerasir("inspect", "weights.h5", "--arch", "arch.json").out
    assert "kernel O:4 I:3 ~H:3 ~W:3" in whole


def test_json(kerasir, beside, same_text) -> None:
    beside("keras1.2.2-theano/vgg_th")
    code, out, err = kerasir("inspect", "model.h5", "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    found = json.loads(out)
    assert list(found)[:3] == ["schema", "kerasir", "ok"]
    assert found["model"]["parameters"] == 1112
    assert found["facts"]["backend"]["source"] == "inferred"
    conv = next(layer for layer in found["layers"] if layer["name"] == "conv1_1")
    assert conv["class"] == "Convolution2D"
    assert conv["weights"][0]["layout"] == "O:4 I:3 ~H:3 ~W:3"
    assert conv["weights"][0]["shape"] == [4, 3, 3, 3]
    assert conv["inputs"] == ["zeropadding2d_1"]
    assert len(found["training"]["slots"]) == 10
    same_text("inspect_json", json.dumps(found, indent=1))


def test_what_the_user_says_is_said_to_be_theirs(kerasir, beside) -> None:
    beside("keras1.2.2-theano/vgg_th")
    out = kerasir("inspect", "model.h5", "--backend", "tensorflow").out
    assert "backend    TensorFlow       said by you: --backend" in out
    assert "kernel O:4 I:3 H:3 W:3 " in out
    assert "~" not in out


def test_no_number_of_a_weight_is_read(kerasir, beside, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_into(self: object, start: int, out: object) -> None:
        raise AssertionError("read")

    beside("keras1.2.2-theano/embed_mask_lstm_th")
    monkeypatch.setattr(FileSource, "read_into", read_into)
    assert kerasir("inspect", "model.h5").code == 0


@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_fits_the_terminal(
    genuine: Callable[[str], FixtureCase], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(genuine("keras1.2.2-theano/vgg_th").folder)
    stream = Stream()
    InspectionText(Console(stream, "always"), inspect_file("model.h5"), 0).print()
    lines = stream.getvalue().splitlines()
    assert max(map(width_of, lines)) <= width
    assert "\x1b[36mO:4" in stream.getvalue()
    table = [unpainted(line) for line in lines if "conv1_1" in line]
    assert "112" in table[0]
    assert unpainted(lines[-1]) == "next: kerasir convert model.h5 model.keras --verify"


def test_many_equal_layers_are_folded(kerasir, tmp_path: Path) -> None:
    path = write_chain(tmp_path / "deep.h5", 2000)
    out = kerasir("inspect", path).out
    assert len(out.splitlines()) < 30
    assert "… 1,999 more layers like dense_0 (Dense); -v shows all" in out
    assert len(kerasir("inspect", path, "-v").out.splitlines()) > 4000


def test_hostile_names_are_shown_and_never_obeyed(kerasir, tmp_path: Path) -> None:
    name = "<b>\x1b[31m\u202e{0}%s"
    path = write_chain(tmp_path / "m.h5", 2, name)
    code, out, err = kerasir("inspect", path, "--color", "never")
    assert (code, err) == (0, "")
    assert "<b>\\x1b[31m\\u202e{0}%s" in out
    assert all(c == "\n" or c.isprintable() for c in out)
    assert kerasir("inspect", path, "--json").out.isascii()


def test_a_file_that_is_none_is_an_error_and_prints_nothing(kerasir, tmp_path: Path) -> None:
    path = tmp_path / "page.h5"
    path.write_text("<!doctype html><p>404")
    code, out, err = kerasir("inspect", path)
    assert (code, out) == (1, "")
    assert "a web page (HTML), not a model" in err


def test_the_same_file_under_another_name_is_the_same(kerasir, beside, tmp_path: Path) -> None:
    case = beside("keras1.2.2-theano/vgg_th")
    copy = tmp_path / "with blank.h5"
    shutil.copy(case.model, copy)
    mine, other = kerasir("inspect", "model.h5").out, kerasir("inspect", copy).out
    assert other.splitlines()[0].startswith('"')
    assert mine.splitlines()[1:] == other.splitlines()[1:]


def test_a_file_of_kerasirs_own(kerasir, beside, tmp_path: Path) -> None:
    beside("keras1.2.2-theano/vgg_th")
    own = tmp_path / "model.kerasir"
    assert kerasir("convert", "-q", "model.h5", own).code == 0
    mine, other = kerasir("inspect", "model.h5").out, kerasir("inspect", own).out
    size = own.stat().st_size / 1024
    assert other.splitlines()[0] == f"{own}   {size:.1f} KiB   .kerasir, full model"
    assert other.splitlines()[1:-1] == mine.splitlines()[1:]
    assert other.splitlines()[-1] == (
        "  · read from model.h5, 34,372 bytes, which the facts above are of"
    )


def test_a_rate_that_is_a_schedule_is_shown(kerasir, genuine, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(genuine("tf-keras2.21.0-tensorflow/rnn_stack_tf").model.read_bytes())
    with h5py.File(path, "r+") as file:
        record = json.loads(file.attrs["training_config"])
        config = {"initial_learning_rate": 0.25, "decay_steps": 10, "decay_rate": 0.9}
        schedule = {"class_name": "ExponentialDecay", "config": config}
        record["optimizer_config"]["config"]["learning_rate"] = schedule
        file.attrs["training_config"] = json.dumps(record)
    out = kerasir("inspect", path).out
    assert "learning_rate ExponentialDecay from 0.25" in " ".join(out.split())


def test_a_name_that_is_almost_right(kerasir, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vgg16_weights.h5").touch()
    told = (
        "kerasir: error: vgg16_weight.h5: there is no such file (did you mean vgg16_weights.h5?)\n"
    )
    assert kerasir("inspect", "vgg16_weight.h5") == (1, "", told)
    told = "kerasir: error: no/m.h5: there is no such file (there is no folder no either)\n"
    assert kerasir("inspect", "no/m.h5") == (1, "", told)
    told = "kerasir: error: other.h5: there is no such file\n"
    assert kerasir("inspect", "other.h5") == (1, "", told)
    assert "standard input is no file" in kerasir("inspect", "-").err
