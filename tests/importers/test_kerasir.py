"""`.kerasir` files: what is written comes back, and what was not written is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from disturbed import disturb

import kerasir
from genuine import FixtureCase
from kerasir.errors import FormatError, KerasirError
from kerasir.importers.kerasir import read_kerasir
from kerasir.ir.model import Model
from kerasir.ir.schema import ALIGNMENT, MAGIC, Header
from kerasir.ir.text import graph_text

VGG = "keras1.2.2-theano/vgg_th"
HEAD = len(MAGIC) + 8


@pytest.fixture
def written(genuine: Callable[[str], FixtureCase], tmp_path: Path) -> Path:
    """A genuine model with optimizer slots, as a `.kerasir` file."""
    path = tmp_path / "model.kerasir"
    kerasir.convert(genuine(VGG).model, path)
    return path


def loaded(case: FixtureCase) -> Model:
    said: dict[str, Any] = {"arch": case.arch, "backend": case.backend} if case.arch else {}
    return kerasir.load(case.model, **said)


def plain(model: Model) -> list[object]:
    """Everything of a model that compares by value."""
    training = model.training
    return [
        model.name, model.kind, model.facts, list(model.report), dict(model.preserved),
        [(layer.name, layer.class_name, layer.config, layer.scope) for layer in model.layers],
        [(scope.path, scope.layer.name, len(scope.inputs)) for scope in model.scopes],
        training and (training.optimizer, training.config, training.iterations, training.compiled),
        [(slot.kind, slot.weight.name) for slot in (training.slots if training else ())],
    ]  # fmt: skip


def numbers(source: Any) -> np.ndarray:
    held = np.empty(int(np.prod(source.shape)), source.dtype)
    source.read_into(0, held)
    return held


@pytest.mark.fixture_cases(eras=("keras0.3.3-theano", "keras1.2.2-theano", "keras2.2.4-theano"))
def test_every_genuine_model_comes_back(fixture_case: FixtureCase, tmp_path: Path) -> None:
    model = loaded(fixture_case)
    kerasir.save(model, tmp_path / "model.kerasir")
    again = read_kerasir(str(tmp_path / "model.kerasir"), check=True)
    assert graph_text(again.graph) == graph_text(model.graph)
    before, after = (msgspec.json.encode(plain(each)) for each in (model, again))
    assert after == before
    for mine, other in zip(model.graph.weights(), again.graph.weights(), strict=True):
        for a, b in zip(mine.sources, other.sources, strict=True):
            assert np.array_equal(numbers(a), numbers(b))
    if model.training and again.training:
        for one, two in zip(model.training.slots, again.training.slots, strict=True):
            for a, b in zip(one.sources, two.sources, strict=True):
                assert np.array_equal(numbers(a), numbers(b))


def test_what_was_read_back_converts_like_the_first(
    written: Path, genuine: Callable[[str], FixtureCase]
) -> None:
    done = kerasir.convert(
        written, written.with_name("model.onnx"), expect=genuine(VGG).folder / "data.npz"
    )
    assert done.verification is not None
    assert done.verification.equal


def test_arrays_lie_where_the_document_says(written: Path) -> None:
    data = written.read_bytes()
    length = int.from_bytes(data[len(MAGIC) : HEAD], "little")
    header = msgspec.msgpack.decode(data[HEAD : HEAD + length], type=Header)
    start = -(-(HEAD + length) // ALIGNMENT) * ALIGNMENT
    model = read_kerasir(str(written))
    [index] = header.weights[0].arrays
    array = header.arrays[index]
    assert (start + array.offset) % ALIGNMENT == 0
    stored = np.frombuffer(data, array.dtype, int(np.prod(array.shape)), start + array.offset)
    assert header.weights[0].name == next(model.graph.weights()).name
    assert np.array_equal(stored, numbers(next(model.graph.weights()).sources[0]))


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The file with another header, its arrays behind it as before."""
    data = path.read_bytes()
    length = int.from_bytes(data[len(MAGIC) : HEAD], "little")
    header = msgspec.msgpack.decode(data[HEAD : HEAD + length])
    change(header)
    packed = msgspec.msgpack.encode(header)
    head = MAGIC + len(packed).to_bytes(8, "little") + packed
    arrays = data[-(-(HEAD + length) // ALIGNMENT) * ALIGNMENT :]
    path.write_bytes(head + bytes(-len(head) % ALIGNMENT) + arrays)
    return path


def a_node(header: dict[str, Any], name: str) -> dict[str, Any]:
    return next(node for node in header["nodes"] if node["name"] == name)


def reads_its_own_result(header: dict[str, Any]) -> None:
    node = header["nodes"][0]
    node["inputs"] = node["results"]


def deep_term(header: dict[str, Any]) -> None:
    term: Any = 0
    for _ in range(100):
        term = ["()", term, 0]
    header["values"][0]["axes"] = [term]


def made_twice(header: dict[str, Any]) -> None:
    header["nodes"][1]["results"] = header["nodes"][1]["inputs"]


def without_binding(header: dict[str, Any]) -> None:
    del a_node(header, "conv1_1")["axes"]["filters"]


def of_other_axes(header: dict[str, Any]) -> None:
    node = a_node(header, "conv1_1")
    header["values"][node["inputs"][0]]["axes"].pop()


def an_axis_twice(header: dict[str, Any]) -> None:
    stored = a_node(header, "conv1_1")["params"]["kernel"]["stored"][0]
    stored["layout"][1] = stored["layout"][0]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "newer": (lambda h: h.update(schema=2), "written by a newer kerasir (schema 2)"),
    "no-nodes": (lambda h: h.pop("nodes"), "its header does not fit"),
    "index": (lambda h: h.update(outputs=[10_000]), "no value of number 10000"),
    "negative": (lambda h: h.update(outputs=[-1]), "no value of number -1"),
    "op": (lambda h: h["nodes"][0]["op"].update(op="os.system"), "no op 'os.system'"),
    "attribute": (
        lambda h: a_node(h, "conv1_1")["op"]["attrs"].update(strides="many"),
        "the header does not fit",
    ),
    "cycle": (reads_its_own_result, "it reads a value that is made later"),
    "deep": (deep_term, "no term"),
    "made-twice": (made_twice, "two values are called"),
    "called-alike": (
        lambda h: h["values"][1].update(name=h["values"][0]["name"]), "two values are called"
    ),
    "outputs": (lambda h: h.update(output_names=["a", "b", "c"]), "not a name for each output"),
    "inputs": (lambda h: a_node(h, "conv1_1")["inputs"].clear(), "not the inputs and results of"),
    "parameters": (lambda h: a_node(h, "conv1_1")["params"].clear(), "not the parameters of Conv"),
    "unbound": (without_binding, "nothing is bound to filters"),
    "axes": (of_other_axes, "has not the axes of the op"),
    "rank": (
        lambda h: a_node(h, "conv1_1")["op"]["attrs"].update(strides=[1]),
        "strides for 1 spatial axes of 2",
    ),
    "twice": (an_axis_twice, "kernel has an axis twice"),
    "no-arrays": (
        lambda h: h["weights"][0].update(arrays=[], stored_names=[]), "a weight without arrays"
    ),
    "ways": (
        lambda h: a_node(h, "conv1_1")["params"]["kernel"]["stored"].clear(), "lies in 0 ways"
    ),
    "slot": (
        lambda h: h["training"]["slots"][0]["arrays"].clear(), "of other arrays than the weight's"
    ),
    "gap": (lambda h: h["arrays"][1].update(offset=1 << 20), "is not where or as large as it says"),
    "large": (
        lambda h: h["arrays"][0].update(shape=[1 << 40]), "is not where or as large as it says"
    ),
    "objects": (lambda h: h["arrays"][0].update(dtype="|O"), "array 0 of dtype '|O'"),
    "more": (lambda h: h["arrays"].pop(), "its header describes"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_header_that_says_something_else_is_refused(name: str, written: Path) -> None:
    change, message = CHANGES[name]
    path = changed(written, lambda header: (change(header), None)[1])
    with pytest.raises(FormatError) as error:
        read_kerasir(str(path))
    assert message in str(error.value)
    assert error.value.file == str(path)


def test_functions_of_two_have_two(genuine: Callable[[str], FixtureCase], tmp_path: Path) -> None:
    path = tmp_path / "model.kerasir"
    kerasir.convert(genuine("keras3.15.1-jax/merge_layers_tf").model, path)

    def one_less(header: dict[str, Any]) -> None:
        node = next(node for node in header["nodes"] if node["op"]["op"] == "Subtract")
        node["inputs"].pop()

    with pytest.raises(FormatError, match="not the inputs and results of Subtract"):
        read_kerasir(str(changed(path, one_less)))


def test_the_same_header_written_again_is_read(written: Path) -> None:
    """The refusals above are not for how the test writes."""
    assert len(read_kerasir(str(changed(written, lambda header: None))).graph.nodes) > 5


def test_a_changed_number_is_found_on_demand(written: Path) -> None:
    data = bytearray(written.read_bytes())
    length = int.from_bytes(data[len(MAGIC) : HEAD], "little")
    data[-(-(HEAD + length) // ALIGNMENT) * ALIGNMENT] ^= 1
    written.write_bytes(data)
    read_kerasir(str(written))
    with pytest.raises(FormatError, match="its bytes are not those that were written"):
        read_kerasir(str(written), check=True)


@pytest.mark.parametrize("head", [b"", b"\x93KERAS", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_something_else_is_no_such_file(head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.kerasir"
    path.write_bytes(head)
    with pytest.raises(FormatError, match=r"not a \.kerasir file"):
        read_kerasir(str(path))


def test_no_truncated_file_is_read(written: Path) -> None:
    data = written.read_bytes()
    for length in [*range(0, 200, 7), *range(200, len(data), 997), len(data) - 1]:
        written.write_bytes(data[:length])
        with pytest.raises(FormatError):
            read_kerasir(str(written))


def test_no_damaged_header_ends_otherwise_than_in_an_error(written: Path) -> None:
    """Any byte may be another; the file is read all the same, or refused in words."""
    data, chance = written.read_bytes(), random.Random(0)
    length = int.from_bytes(data[len(MAGIC) : HEAD], "little")
    refused = 0
    for _ in range(400):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 1, 2, 8])):
            damaged[chance.randrange(HEAD, HEAD + length)] = chance.randrange(256)
        written.write_bytes(damaged)
        try:
            read_kerasir(str(written))
        except FormatError:
            refused += 1
    assert refused > 200


def test_no_disturbed_header_ends_otherwise_than_in_an_error(written: Path, tmp_path: Path) -> None:
    """Whatever stands in it: the model is converted, or refused in words."""
    data, chance = written.read_bytes(), random.Random(0)
    refused = 0
    for number in range(150):
        written.write_bytes(data)
        changed(written, lambda header: disturb(header, chance))
        try:
            kerasir.convert(written, tmp_path / f"{number}{chance.choice(['.h5', '.onnx'])}")
        except KerasirError:
            refused += 1
    assert 75 < refused < 150
