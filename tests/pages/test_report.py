"""The report of a conversion, as a document and as a page."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from chains import write_chain
from html_pages import Page, checked

import kerasir
from kerasir.account import account
from kerasir.pages.report import report_page


def converted(source: Path, target: Path, **options: Any) -> dict[str, Any]:
    """The document of a conversion, through JSON."""
    done = kerasir.convert(source, target, **options)
    found: dict[str, Any] = json.loads(json.dumps(account(done, str(source), str(target))))
    return found


def test_the_document_tells_every_layer_before_and_after(genuine, tmp_path: Path) -> None:
    source = genuine("keras1.2.2-theano/vgg_th").model
    found = converted(source, tmp_path / "n.h5", verify=True)
    layers = {row["name"]: row for row in found["layers"]}
    conv, dense = layers["conv1_1"], layers["dense_1"]
    assert conv["before"] == ["N:? C:4 H:11 W:9"]
    assert conv["after"] == ["N:? H:11 W:9 C:4"]
    kernel, bias = conv["weights"]
    assert (kernel["before"], kernel["after"]) == ("O:4 I:3 ~H:3 ~W:3", "H:3 W:3 I:3 O:4")
    assert kernel["words"] == ["reversed", "permuted"]
    assert (bias["before"], bias["after"], bias["words"]) == ("O:4", "O:4", [])
    assert dense["weights"][0]["words"] == ["rows reordered"]
    assert 0 < conv["error"] < 1e-5
    assert found["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    written = (tmp_path / "n.h5").read_bytes()
    assert found["target"]["sha256"] == hashlib.sha256(written).hexdigest()
    assert found["made"]["passes"][0] == "normalize_kernels"


def test_a_folded_layer_has_no_after(genuine, tmp_path: Path) -> None:
    found = converted(genuine("keras2.2.4-tensorflow/resnet_tf").model, tmp_path / "n.onnx")
    gone = [row["name"] for row in found["layers"] if row["after"] is None]
    told = {event["layer"] for event in found["events"] if event["code"] == "KX103"}
    assert gone
    assert set(gone) <= told


def page_of(document: dict[str, Any]) -> Page:
    return checked(report_page(document))


def test_a_page(genuine, tmp_path: Path) -> None:
    source = genuine("keras1.2.2-theano/vgg_th").model
    page = page_of(converted(source, tmp_path / "n.h5", verify=True))
    assert "script" not in page.tags
    assert "An array in the old order: x.transpose(0, 2, 3, 1)" in page.text
    order = [
        "Both models compute the same: 10 of 10 layers agree",
        "Assumed, and good to know",
        "Graph Each edge",
        "Layers 5 of 11",
        "Verification",
        "Training record",
        "Origin",
    ]
    places = [page.text.index(words) for words in order]
    assert places == sorted(places)
    for words in (
        "to overrule: --backend tensorflow",
        "5 of 11 were changed",
        "rows reordered",
        "10 momentum arrays",
        "model.h5 → n.h5",
    ):
        assert words in page.text, words


@pytest.mark.parametrize(
    "name",
    [
        "keras1.2.2-theano/even_same_th",
        "keras1.2.2-theano/embed_mask_lstm_th",
        "keras2.2.4-theano/siamese_th",
        "keras2.2.4-tensorflow/inception_tf",
        "keras2.2.4-theano/lambda_layer_th",
        "keras3.15.1-jax/vgg_tf",
    ],
)
def test_every_layer_is_in_the_page(genuine, tmp_path: Path, name: str) -> None:
    document = converted(genuine(name).model, tmp_path / "n.h5")
    page = page_of(document)
    assert all(row["name"] in page.text for row in document["layers"] if row["before"])
    assert "Not verified" in page.text


def test_of_weights_alone(genuine, tmp_path: Path) -> None:
    case = genuine("keras1.2.2-theano/vgg_th")
    page = page_of(converted(case.folder / "weights.h5", tmp_path / "w.npz"))
    assert "w.npz" in page.text


def test_hostile_names(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>\x1b[31m\u202e$x"
    source = write_chain(tmp_path / "m.h5", 3, name)
    page = page_of(converted(source, tmp_path / "n.onnx"))
    assert "script" not in page.tags
    assert "<script>alert(1)</script>\\x1b[31m\\u202e$x" in page.text


def test_two_thousand_layers_stay_small(tmp_path: Path) -> None:
    source = write_chain(tmp_path / "m.h5", 2000)
    text = report_page(converted(source, tmp_path / "n.h5"))
    checked(text)
    assert len(text) < 2000 * 1500


def test_what_is_no_number_is_no_agreement(genuine, tmp_path: Path) -> None:
    document = converted(
        genuine("keras1.2.2-theano/vgg_th").model, tmp_path / "n.h5", verify=True
    )  # fmt: skip
    document["verification"]["layers"][1]["error"] = "nan"
    document["layers"][2]["error"] = "nan"
    page = page_of(document)
    assert page.text.count("no number") == 2
