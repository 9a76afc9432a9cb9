"""Vocabularies in the assets of a `.keras` archive."""

from __future__ import annotations

import pytest

from kerasir.errors import FormatError
from kerasir.importers.keras.spec import Call, LayerSpec, ModelSpec, Ref
from kerasir.importers.keras.vocabularies import with_vocabularies


def layer(name: str, class_name: str = "IntegerLookup", **more: object) -> LayerSpec:
    return LayerSpec(name, class_name, class_name, {"name": name, **more}, (Call((Ref("x"),)),))


def model(*layers: LayerSpec) -> ModelSpec:
    return ModelSpec("model", "functional", layers, (Ref("x"),), (Ref(layers[-1].name),))


def words(spec: ModelSpec) -> list[object]:
    return [one.config.get("vocabulary") for one in spec.layers]


def test_each_layer_has_that_of_its_group() -> None:
    spec = model(layer("x", "InputLayer"), layer("a"), layer("t", "StringLookup"), layer("b"))
    assets = {
        "assets/layers/integer_lookup/vocabulary.txt": b"-1\n12\n7",
        "assets/layers/integer_lookup_1/vocabulary.txt": b"-1\n3\n",
        "assets/layers/string_lookup/vocabulary.txt": "[UNK]\né".encode(),
        "assets/notes.txt": b"of the author",
    }
    found = with_vocabularies(spec, assets, "keras3")
    assert words(found) == [None, [-1, 12, 7], ["[UNK]", "é"], [-1, 3]]


def test_models_inside_have_theirs() -> None:
    inner = LayerSpec("inner", "Model", "Functional", {}, (Call(),), model=model(layer("a")))
    assets = {"assets/layers/functional/layers/integer_lookup/vocabulary.txt": b"5"}
    found = with_vocabularies(model(inner), assets, "keras3")
    assert found.layers[0].model is not None
    assert words(found.layers[0].model) == [[5]]


def test_the_configuration_goes_first() -> None:
    assets = {"assets/layers/integer_lookup/vocabulary.txt": b"5"}
    assert words(with_vocabularies(model(layer("a", vocabulary=[9])), assets, "keras3")) == [[9]]


def test_an_empty_word_at_the_end_is_one_in_tf_keras() -> None:
    assets = {"assets/layers/string_lookup/vocabulary.txt": b"a\n"}
    spec = model(layer("t", "StringLookup"))
    assert words(with_vocabularies(spec, assets, "tf_keras")) == [["a", ""]]
    assert words(with_vocabularies(spec, assets, "keras3")) == [["a"]]


@pytest.mark.parametrize("data", [b"1\ntwo", b"\xff\xfe"])
def test_what_is_no_vocabulary_is_refused(data: bytes) -> None:
    assets = {"assets/layers/integer_lookup/vocabulary.txt": data}
    with pytest.raises(FormatError, match="no vocabulary of 'a'"):
        with_vocabularies(model(layer("a")), assets, "keras3")
