"""Built-in architectures against what genuine Keras builds, and against its predictions."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from crafted import values, weights_file
from published import PREDICTED, PUBLISHED, Published, archive_of, image

import kerasir
from kerasir.errors import KerasirError, UsageError, WeightError
from kerasir.importers.keras.archive.record import Archive, StoredWeight, WeightGroup
from kerasir.importers.keras.builtin import ARCHITECTURES, architecture
from kerasir.importers.keras.builtin.models import WEIGHTED
from kerasir.importers.keras.proposals import propose
from kerasir.importers.keras.read import import_model
from kerasir.inspection import inspect_file
from kerasir.ir.model import Model
from kerasir.ir.source import ConstantSource
from kerasir.passes.solve import authored
from kerasir.reference.evaluate import evaluate


def by_id(one: Published) -> str:
    return one.id


def weighted(model: Model) -> list[str]:
    """Names of the layers with weights, in the model's order."""
    return [layer.name for layer in model.layers if layer.class_name in WEIGHTED]


def test_all_architectures_are_compared() -> None:
    compared = {one.name.removesuffix("-notop") for one in PUBLISHED}
    assert compared >= {"vgg16", "vgg19", "resnet50", "inceptionv3", "inceptionv3-keras1"}
    assert compared >= {"xception", "mobilenet", "mobilenet-0.25", "mobilenetv2-0.35"}
    assert compared >= {"densenet121", "resnet50-2019", "resnetv2-50"}
    assert len(PREDICTED) >= 5


@pytest.mark.parametrize("one", PUBLISHED, ids=by_id)
def test_names_order_and_shapes_are_those_of_genuine_keras(one: Published) -> None:
    """The import checks the shapes; nothing may be missing, left over or taken by position."""
    model = import_model(one.archive(), builtin=one.name)
    assert weighted(model) == [layer for layer, _ in one.lines()]
    assert {event.code for event in model.report} <= {"KB101", "KE204"}
    assert model.facts.backend.value == one.backend
    if one.id.startswith("1."):
        assert model.facts.ordering.value == one.data_format
        assert model.facts.ordering.trust == "inferred"


@pytest.mark.parametrize("one", PUBLISHED, ids=by_id)
def test_proposed_is_the_one_that_fits(one: Published) -> None:
    assert propose(one.archive(), import_model) == [one.name]


@pytest.mark.parametrize("one", PREDICTED, ids=by_id)
def test_predictions_are_those_of_genuine_keras(one: Published) -> None:
    """Of small images; weights, statistics of the normalizations included, are random."""
    size = PIXELS[one.id]
    archive = one.archive(filled=True)
    if ARCHITECTURES[one.name].top:
        config = architecture(one.name, one.data_format, size).config
        model = import_model(msgspec.structs.replace(archive, config=config))
    else:
        model = import_model(archive, builtin=one.name)
    first = model.facts.ordering.value == "channels_first"
    shape = (1, 3, size, size) if first else (1, size, size, 3)
    plan = authored(model.graph, model.policy)
    (found,) = evaluate(plan, [image(shape)], dtype=np.float32)
    expected = one.outputs()
    assert found.shape == expected.shape
    assert np.ptp(expected) > 0
    within = 1e-4 if one.id not in SENSITIVE else 2e-3
    assert np.abs(found - expected).max() < within * np.abs(expected).max()


PIXELS = {
    "1.2.2-theano-th-vgg16-notop": 48,
    "2.2.4-tensorflow-tf-mobilenet-0.25": 64,
    "2.2.4-tensorflow-tf-mobilenetv2-0.35-notop": 32,
    "2.2.4-tensorflow-tf-densenet121-notop": 32,
    "2.2.4-tensorflow-tf-resnetv2-50-notop": 32,
    "2.2.4-tensorflow-tf-resnet50-2019-notop": 32,
    "2.2.4-tensorflow-tf-xception": 71,
    "2.2.4-tensorflow-tf-inceptionv3": 75,
    "1.2.2-tensorflow-tf-inceptionv3-keras1-notop": 139,
    "1.2.2-tensorflow-th-resnet50-notop": 197,
}
"""Extent of the image that was predicted."""

SENSITIVE = {"2.2.4-tensorflow-tf-mobilenetv2-0.35-notop"}
"""A relative change of the image by 1e-6, as rounding makes, changes these outputs by 2e-3."""


def published(identity: str) -> Archive:
    return next(one for one in PUBLISHED if one.id == identity).archive()


VGG16 = "1.2.2-theano-th-vgg16"
INCEPTION = "2.2.4-tensorflow-tf-inceptionv3"


def test_layers_counted_from_another_number_are_found_by_their_order() -> None:
    archive = published(INCEPTION)
    shifted = [
        WeightGroup(_shifted(group.layer), group.weights, group.name) for group in archive.groups
    ]
    model = import_model(archive_of(shifted), builtin="inceptionv3")
    plain = import_model(archive, builtin="inceptionv3")
    assert weighted(model) == [group.layer for group in shifted] != weighted(plain)
    for name, tensor in model.tensors.items():
        assert tensor.shape == plain.tensors[_shifted(name, -90)].shape
    assert {event.code for event in model.report} == {"KE204"}


def _shifted(name: str, by: int = 90) -> str:
    layer, slash, weight = name.partition("/")
    head, _, number = layer.rpartition("_")
    counted = f"{head}_{int(number) + by}" if number.isdigit() else layer
    return counted + slash + weight


def test_weights_of_keras_03_have_no_names() -> None:
    """VGG16 as it went round in 2015: convolutions and pads in turn, 37 numbered layers."""
    arrays = [w for group in published(VGG16).groups for w in group.weights]
    groups = []
    for number in range(0, len(arrays), 2):
        groups.append(WeightGroup(f"layer_{number}", ()))
        held = tuple(
            StoredWeight(f"param_{at}", f"/layer_{number + 1}/param_{at}", w.source)
            for at, w in enumerate(arrays[number : number + 2])
        )
        groups.append(WeightGroup(f"layer_{number + 1}", held))
    archive = archive_of(groups, form="numbered")
    assert propose(archive, import_model) == ["vgg16"]
    model = import_model(archive, builtin="vgg16", backend="theano")
    assert model.tensors["fc1/kernel"].shape == (512 * 7 * 7, 4096)
    assert model.facts.ordering.value == "channels_first"
    stored = model.tensors["block5_conv3/kernel"]
    assert [stored.shown(layout) for layout in stored.stored] == ["O:512 I:512 ~H:3 ~W:3"]


def rows(model: Model) -> str:
    """The layout of the first Dense layer's kernel."""
    tensor = model.tensors["fc1/kernel"]
    return tensor.shown(tensor.layout)


def test_rows_behind_flatten_follow_the_ordering() -> None:
    model = import_model(published(VGG16), builtin="vgg16")
    assert rows(model) == "(C:512 H:7 W:7) O:4096"
    turned = import_model(published(VGG16), builtin="vgg16-notop", data_format="channels_first")
    assert [event.message for event in turned.report if event.code == "KE203"] == [
        "weights in the file that belong to no layer: fc1, fc2, predictions"
    ]


def test_user_says_where_the_channels_are() -> None:
    archive = published("2.2.4-tensorflow-tf-vgg19")
    told = import_model(archive, builtin="vgg19", data_format="channels_first")
    assert told.tensors["fc1/kernel"].shown(told.tensors["fc1/kernel"].layout).startswith("(C:512")
    assert [event.code for event in told.report] == []
    assumed = import_model(archive, builtin="vgg19")
    assert (
        assumed.tensors["fc1/kernel"].shown(assumed.tensors["fc1/kernel"].layout).startswith("(H")
    )
    assert [(e.code, e.kind) for e in assumed.report] == [("KE204", "assumed")]


def test_another_architecture_is_refused() -> None:
    with pytest.raises(WeightError, match="3 layers have no weights in the file: fc1, fc2, pred"):
        import_model(published("1.2.2-theano-th-vgg16-notop"), builtin="vgg16")
    with pytest.raises(KerasirError):
        import_model(published(VGG16), builtin="resnet50")
    *groups, _ = published(VGG16).groups
    kernel = StoredWeight("predictions_W", "/p/W", ConstantSource(0.0, (4096, 10)))
    bias = StoredWeight("predictions_b", "/p/b", ConstantSource(0.0, (10,)))
    ten_classes = archive_of([*groups, WeightGroup("predictions", (kernel, bias))])
    assert propose(ten_classes, import_model) == []
    with pytest.raises(WeightError, match="predictions/kernel: stored shape"):
        import_model(ten_classes, builtin="vgg16")


def test_nothing_is_proposed_where_shapes_differ() -> None:
    archive = published(VGG16)
    first = archive.groups[0]
    narrow = StoredWeight("W", "/W", ConstantSource(0.0, (32, 3, 3, 3)))
    groups = [WeightGroup(first.layer, (narrow, first.weights[1])), *archive.groups[1:]]
    assert propose(archive_of(groups), import_model) == []


def test_error_without_an_architecture_says_which_fits() -> None:
    with pytest.raises(KerasirError) as raised:
        import_model(published(VGG16))
    assert str(raised.value) == (
        "weights.h5: file: weights only, and this needs an architecture; names and shapes are "
        "those of VGG16 (add --arch builtin:vgg16)"
    )
    with pytest.raises(KerasirError) as raised:
        import_model(archive_of([WeightGroup("dense_1", ())]))
    assert str(raised.value) == (
        "weights.h5: file: weights only, and this needs an architecture (add --arch model.json)"
    )


def test_unknown_name() -> None:
    for name, hint in (("VGG_16", " (did you mean vgg16?)"), ("lenet", "")):
        with pytest.raises(UsageError) as raised:
            kerasir.load("weights.h5", arch=f"builtin:{name}")
        first, second = str(raised.value).splitlines()
        assert first == f"--arch: no built-in architecture {name!r}{hint}"
        assert second.startswith("  There are vgg16, vgg16-notop, vgg19, ")


def test_extent_of_images() -> None:
    archive = published("2.2.4-tensorflow-tf-mobilenet-0.25")
    for text, sizes in (
        ("mobilenet-0.25-notop@96", (96, 3, 256)),
        ("mobilenet-0.25", (224, 7, 256)),
    ):
        model = import_model(archive, builtin=text)
        last = next(n for n in model.graph.nodes if n.name == "conv_pw_13")
        assert model.graph.inputs[0].layout.shape == (None, sizes[0], sizes[0], 3)
        assert last.result.layout.shape == (None, *sizes[1:2] * 2, sizes[2])
    for wrong in ("0", "x", "", "1000000", "-3"):
        with pytest.raises(UsageError, match=r"no extent of images '.*' \(such as vgg16@224\)"):
            import_model(archive, builtin=f"vgg16@{wrong}")


def test_a_file_becomes_a_model(tmp_path: Path) -> None:
    """Keras 2 without version, backend and architecture, as the weights were published."""
    (one,) = (one for one in PREDICTED if one.name == "mobilenet-0.25")
    layers = {
        group.layer: {weight.name: values(weight.source) for weight in group.weights}
        for group in one.archive(filled=True).groups
    }
    weights = weights_file(tmp_path / "mobilenet.h5", layers)
    with pytest.raises(KerasirError, match=r"add --arch builtin:mobilenet-0\.25"):
        kerasir.load(weights)
    (note,) = inspect_file(str(weights)).notes
    assert note.message == "weights only: names and shapes are those of MobileNet 0.25"
    assert note.fix == "--arch builtin:mobilenet-0.25"
    alone = kerasir.convert(weights, tmp_path / "alone.h5")
    fixes = {event.code: event.fix for event in alone.report}
    assert fixes["KE206"] == "for a whole model: --arch builtin:mobilenet-0.25"
    done = kerasir.convert(
        weights, tmp_path / "out.h5", arch="builtin:mobilenet-0.25", data_format="channels_last"
    )
    again = kerasir.load(tmp_path / "out.h5")
    assert again.facts.content == "model"
    assert list(again.tensors) == list(done.model.tensors)
    kernel = again.tensors["conv_pw_5/kernel"].numpy()
    assert kernel.tolist() == layers["conv_pw_5"]["conv_pw_5/kernel:0"].tolist()
