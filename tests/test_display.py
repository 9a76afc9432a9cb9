"""What `print` and notebooks show of models and results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chains import write_chain
from html_pages import Page

import kerasir
from kerasir.cli.main import main


def card(shown: object) -> Page:
    """A card: one element, no script, no ids, nothing loaded."""
    source = shown._repr_html_()  # type: ignore[attr-defined]
    page = Page(source)
    assert page.unbalanced == []
    assert source.startswith('<div class="kerasir">')
    assert (page.ids, page.links) == ([], [])
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not re.search(r"url\(|@import", source)
    return page


def test_print_gives_the_table_of_inspect(genuine, capsys, monkeypatch) -> None:
    monkeypatch.chdir(genuine("keras1.2.2-theano/vgg_th").folder)
    main(["inspect", "model.h5"])
    assert str(kerasir.load("model.h5")) == capsys.readouterr().out.rstrip("\n")


def test_repr_is_one_line(genuine) -> None:
    assert "\n" not in repr(kerasir.load(genuine("keras1.2.2-theano/vgg_th").model))


@pytest.mark.parametrize(
    "name",
    [
        "keras1.2.2-theano/vgg_th",
        "keras2.2.4-theano/siamese_th",
        "keras2.2.4-tensorflow/inception_tf",
        "keras3.15.1-jax/vgg_tf",
    ],
)
def test_a_model(genuine, name: str) -> None:
    model = kerasir.load(genuine(name).model)
    page = card(model)
    assert all(layer.name in page.text for layer in model.graph.inputs)
    assert "parameters" in page.text


def test_what_is_assumed_is_in_the_card(genuine) -> None:
    page = card(kerasir.load(genuine("keras1.2.2-theano/vgg_th").model))
    assert "Keras 1.2.2, Theano (assumed), channels_first" in page.text
    assert "! backend not recorded" in page.text


def test_a_long_model_is_folded(tmp_path: Path) -> None:
    page = card(kerasir.load(write_chain(tmp_path / "m.h5", 500, "<b>\x1b[31m")))
    assert "501 layers in" in page.text
    assert page.tags.count("tr") < 10
    assert "<b>\\x1b[31m" in page.text


def test_results(genuine, tmp_path: Path) -> None:
    source = genuine("keras1.2.2-theano/vgg_th").model
    done = kerasir.convert(source, tmp_path / "n.h5", verify=True)
    page = card(done)
    assert "✓ verified" in page.text
    assert "backend Theano" in page.text
    found = kerasir.verify(str(source), str(tmp_path / "n.h5"))
    assert "✓ equal" in card(found).text
    other = kerasir.verify(str(source), str(tmp_path / "n.h5"), tolerance=1e-12)
    assert "✗ different" in card(other).text
    assert "conv1_1" in card(other).text
