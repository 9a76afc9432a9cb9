"""`kerasir view`: a page that is whole, hostile names and all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chains import write_chain
from html_pages import checked

from kerasir.cli.inspect import record
from kerasir.inspection import inspect_file
from kerasir.pages.markup import TIMES
from kerasir.pages.view import view_page


def test_a_page(kerasir, beside, tmp_path: Path) -> None:
    beside("keras1.2.2-theano/vgg_th")
    target = tmp_path / "graph.html"
    code, out, err = kerasir("view", "model.h5", "-o", target)
    assert (code, out) == (0, "")
    assert err.startswith(f"✓ wrote {target}   10 layers, ")
    page = checked(target.read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert "kernel ~H :3" not in page.text
    for words in (
        "Keras 1.2.2, Theano, channels_first",
        "conv1_1",
        f"Conv2D 3{TIMES}3 valid, relu",
    ):
        assert words in page.text
    assert page.tags.count("a") == 0  # nothing is folded
    assert page.tags.count("svg") == 1


def test_branches_nested_models_and_shared_layers(genuine) -> None:
    for name in (
        "keras2.2.4-tensorflow/inception_tf",
        "keras2.2.4-theano/siamese_th",
        "keras2.2.4-theano/nested_model_th",
        "keras1.2.2-theano/embed_mask_lstm_th",
        "keras2.2.4-theano/lambda_layer_th",
        "keras3.15.1-jax/vgg_tf",
    ):
        document = record(inspect_file(str(genuine(name).model)))
        page = checked(view_page(document))
        named = [row for row in document["layers"] if row["op"]]
        assert all(row["name"] in page.text for row in named), name


def test_what_repeats_is_drawn_once(kerasir, tmp_path: Path) -> None:
    path = write_chain(tmp_path / "deep.h5", 2000)
    assert kerasir("view", path, "-o", tmp_path / "deep.html").code == 0
    source = (tmp_path / "deep.html").read_text(encoding="utf-8")
    page = checked(source)
    assert len(source) < 40_000
    assert f"{TIMES}2000" in page.text
    assert len(page.links) == 1


def test_hostile_names_are_text(kerasir, tmp_path: Path) -> None:
    name = "<b>\x1b[31m\u202e{0}%s$x"
    path = write_chain(tmp_path / "m.h5", 2, name)
    assert kerasir("view", path, "-o", tmp_path / "m.html").code == 0
    page = checked((tmp_path / "m.html").read_text(encoding="utf-8"))
    assert "b" not in page.tags
    assert "<b>\\x1b[31m\\u202e{0}%s$x" in page.text


def test_nothing_is_replaced_unless_said(kerasir, beside, tmp_path: Path) -> None:
    beside("keras1.2.2-theano/vgg_th")
    target = tmp_path / "graph.html"
    target.write_text("mine")
    code, _, err = kerasir("view", "model.h5", "-o", target)
    assert (code, target.read_text()) == (1, "mine")
    assert "exists (--overwrite replaces it)" in err
    code, out, _ = kerasir("view", "model.h5", "-o", target, "--overwrite", "--json", "-q")
    assert (code, json.loads(out)["bytes"]) == (0, target.stat().st_size)


def test_what_has_no_graph(kerasir, beside, tmp_path: Path) -> None:
    beside("keras1.2.2-theano/vgg_th")
    code, _, err = kerasir("view", "weights.h5", "-o", tmp_path / "x.html")
    assert (code, err) == (
        2, "kerasir: error: weights.h5: weights only: there is no graph (add --arch)\n",
    )  # fmt: skip
    assert kerasir("view", "model.h5", "-o", tmp_path / "x.png").code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layers", [0, 1])
def test_almost_nothing_to_draw(layers: int) -> None:
    fact = {"value": None, "version": None, "source": "unknown", "evidence": ""}
    row = {
        "name": "a", "class": "InputLayer", "op": None, "operation": "", "path": [], "reads": [],
        "inputs": [], "outputs": ["N:?"], "attributes": {}, "parameters": 0, "weights": [],
        "same_as": None,
    }  # fmt: skip
    document = {
        "file": {"path": "m.h5"},
        "facts": {"era": fact, "backend": fact, "ordering": fact},
        "model": {"kind": "sequential", "layers": 0, "parameters": 0},
        "layers": [row] * layers,
    }
    checked(view_page(document))
