"""`kerasir convert`: its summary, its documents, and that nothing half done is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest

from genuine import FixtureCase
from kerasir.cli import convert as module
from kerasir.targets import KINDS, SUFFIXES

TH = "keras1.2.2-theano/vgg_th"


@pytest.fixture
def work(
    genuine: Callable[[str], FixtureCase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Copy a genuine model to an empty folder and work there."""

    def enter(name: str) -> Path:
        shutil.copy(genuine(name).model, tmp_path / "old.h5")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return enter


CASES = (
    (TH, "new.h5", ()),
    (TH, "new.onnx", ()),
    (TH, "new.kerasir", ()),
    (TH, "new.h5", ("--data-format", "keep")),
    (TH, "new.h5", ("--target-backend", "theano", "--data-format", "channels_first")),
    (TH, "new.onnx", ("--io-layout", "match", "--opset", "13")),
    ("keras1.2.2-theano/even_same_th", "new.h5", ()),  # pads of its own
    ("keras1.2.2-theano/flat_bn_dense_th", "new.h5", ()),  # reordered and moved
    ("keras1.2.2-theano/multi_io_th", "new.h5", ()),  # several outputs
    ("keras2.2.4-tensorflow/vgg_tf", "new.h5", ()),  # nothing to do
)


@pytest.mark.parametrize(("name", "target", "options"), CASES)
def test_summary(
    kerasir, work, same_text, name: str, target: str, options: tuple[str, ...]
) -> None:
    folder = work(name)
    code, out, err = kerasir("convert", "old.h5", target, "--verify", *options)
    assert (code, out) == (0, "")
    assert len(err.splitlines()) <= 12
    key = [name.replace("/", "_"), target.partition(".")[2], *(o.strip("-") for o in options)]
    same_text("convert_" + "_".join(key), "\n".join(rounded(line) for line in err.splitlines()))
    assert {path.name for path in folder.iterdir()} == {"old.h5", target}


def rounded(line: str) -> str:
    """The line without what the machine's arithmetic decides: the largest error, and where."""
    if "largest relative error" not in line:
        return line
    head, _, rest = line.partition("largest relative error ")
    assert float(rest.split()[0]) < 1e-5
    return f"{head}largest relative error ? (allowed{rest.partition('(allowed')[2]}"


def test_verbose_says_what_became_of_every_layer(kerasir, work, same_text) -> None:
    work("keras1.2.2-theano/flat_bn_dense_th")
    err = kerasir("convert", "old.h5", "new.h5", "-v").err
    same_text("convert_verbose", err)


def test_quiet_says_nothing(kerasir, work) -> None:
    work(TH)
    assert kerasir("convert", "-q", "old.h5", "new.h5") == (0, "", "")


@pytest.mark.parametrize(
    ("report", "code", "message"),
    [
        ("new.pdf", 2, "no kind of report known for 'new.pdf' (name it .html or .json)"),
        ("old.h5.html", 1, "old.h5.html: exists (--overwrite replaces it)"),
        ("no/new.html", 1, "no/new.html: there is no folder no (make it first)"),
    ],
)
def test_a_report_that_cannot_be_is_told_before_anything_is_written(
    kerasir, work, report: str, code: int, message: str
) -> None:
    work("keras1.2.2-theano/vgg_th")
    Path("old.h5.html").touch()
    found = kerasir("convert", "old.h5", "new.h5", "--report", report)
    assert found == (code, "", f"kerasir: error: {message}\n")
    assert not Path("new.h5").exists()


def test_twice_verbose_gives_every_weight_a_line(kerasir, work) -> None:
    work("keras1.2.2-theano/vgg_th")
    err = kerasir("convert", "-vv", "old.h5", "new.h5").err
    lines = [" ".join(line.split()) for line in err.splitlines()]
    stored = "conv1_1 kernel float32 /model_weights/conv1_1/conv1_1_W"
    assert f"{stored} O:4 I:3 ~H:3 ~W:3 → H:3 W:3 I:3 O:4" in lines
    assert "bias float32 /model_weights/conv1_1/conv1_1_b O:4" in lines


def test_json_and_report_are_the_same_document(kerasir, work) -> None:
    folder = work(TH)
    code, out, err = kerasir(
        "convert", "old.h5", "new.onnx", "--verify", "--json", "--report", "new.json"
    )
    assert code == 0
    assert err.splitlines()[-1].endswith("report new.json")
    found = json.loads(out)
    assert json.loads((folder / "new.json").read_text()) == found
    assert list(found)[:3] == ["schema", "kerasir", "ok"]
    assert found["source"]["backend"] == "theano"
    assert found["target"]["kind"] == "onnx"
    assert found["target"]["bytes"] == (folder / "new.onnx").stat().st_size
    assert found["verification"]["equal"] is True
    codes = {event["code"] for event in found["events"]}
    assert {"KB101", "KL101", "KT301"} <= codes
    kinds = {event["kind"] for event in found["events"]}
    assert {"assumed", "changed", "lost"} <= kinds


def test_a_dry_run_writes_nothing(kerasir, work) -> None:
    folder = work(TH)
    code, out, err = kerasir("convert", "old.h5", "new.h5", "--dry-run")
    assert (code, out) == (0, "")
    assert "· wrote nothing: --dry-run" in err
    assert [path.name for path in folder.iterdir()] == ["old.h5"]


def test_what_exists_is_kept_unless_told_otherwise(kerasir, work) -> None:
    folder = work(TH)
    (folder / "new.h5").write_bytes(b"precious")
    told = "kerasir: error: new.h5: exists (--overwrite replaces it)\n"
    assert kerasir("convert", "old.h5", "new.h5") == (1, "", told)
    assert (folder / "new.h5").read_bytes() == b"precious"
    assert kerasir("convert", "old.h5", "new.h5", "--overwrite").code == 0
    assert h5py.is_hdf5(folder / "new.h5")


def test_the_source_itself_is_no_exception(kerasir, work) -> None:
    folder = work(TH)
    before = (folder / "old.h5").read_bytes()
    assert kerasir("convert", "old.h5", "old.h5").code == 1
    assert (folder / "old.h5").read_bytes() == before
    assert kerasir("convert", "old.h5", "old.h5", "--overwrite").code == 0
    with h5py.File(folder / "old.h5") as file:
        assert file.attrs["backend"] in {b"tensorflow", "tensorflow"}


def test_strict_refuses_an_assumption(kerasir, work) -> None:
    folder = work(TH)
    code, out, err = kerasir("convert", "old.h5", "new.h5", "--strict")
    assert (code, out) == (1, "")
    assert 'backend Theano: weight names lack ":0", and --strict is set' in err
    assert not (folder / "new.h5").exists()
    assert kerasir("convert", "old.h5", "new.h5", "--strict", "--backend", "theano").code == 0


def test_code_is_announced_kept_and_refused_where_asked(kerasir, work) -> None:
    folder = work("keras2.2.4-theano/lambda_layer_th")
    code, out, err = kerasir("convert", "old.h5", "new.h5", "--refuse-code")
    assert (code, out) == (1, "")
    assert "lambda_1: it holds code, and --refuse-code is set" in err
    assert not (folder / "new.h5").exists()
    assert kerasir("convert", "old.h5", "new.h5").code == 0
    with h5py.File(folder / "old.h5") as old, h5py.File(folder / "new.h5") as new:
        assert "Lambda" in str(old.attrs["model_config"])
        assert "Lambda" in str(new.attrs["model_config"])


def test_a_failed_proof_leaves_nothing(kerasir, work) -> None:
    folder = work(TH)
    code, out, err = kerasir("convert", "old.h5", "new.h5", "--verify", "--tolerance", "0")
    assert (code, out) == (1, "")
    first, second = err.splitlines()
    assert first.endswith(": the converted model computes something else (nothing was written)")
    assert second.startswith("  relative error ")
    assert second.endswith(" (allowed 0), 4 random inputs, seed 0")
    assert [path.name for path in folder.iterdir()] == ["old.h5"]


def test_weights_alone(kerasir, work, genuine: Callable[[str], FixtureCase]) -> None:
    folder = work(TH)
    case = genuine(TH)
    shutil.copy(case.folder / "weights.h5", folder)
    shutil.copy(case.folder / "arch.json", folder)
    code, _, err = kerasir("convert", "weights.h5", "new.onnx")
    assert code == 1
    assert "weights only" in err
    code, _, err = kerasir(
        "convert", "weights.h5", "new.h5", "--arch", "arch.json", "--backend", "theano", "--verify"
    )
    assert code == 0, err


def test_weights_to_weights(kerasir, work, genuine: Callable[[str], FixtureCase]) -> None:
    folder = work(TH)
    shutil.copy(genuine(TH).folder / "weights.h5", folder)
    code, _, err = kerasir(
        "convert", "weights.h5", "new.safetensors", "--flattened", "dense_1=6,3,4",
        "--weights-layout", "onnx",
    )  # fmt: skip
    assert code == 0, err
    assert "safetensors, weights only" in err
    assert "rows of Dense layers are left in their order: dense_2 (" in err
    code, _, err = kerasir("convert", "weights.h5", "new.npz", "--flattened", "dense_1=72")
    assert code == 2
    assert "no feature map 'dense_1=72' (write LAYER=C,H,W, such as fc1=512,7,7)" in err


def test_onnx_is_what_it_says(kerasir, work) -> None:
    folder = work(TH)
    assert kerasir("convert", "old.h5", "new.onnx", "--opset", "13").code == 0
    model = onnx.load(folder / "new.onnx")
    assert model.opset_import[0].version == 13
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape[1:] == [3, 11, 9]


def test_a_pass_that_nobody_knows(kerasir, work) -> None:
    work(TH)
    code, _, err = kerasir("convert", "old.h5", "new.onnx", "--pass", "fold_everything")
    assert code == 1
    assert "no pass 'fold_everything' (kerasir passes lists them)" in err


@pytest.mark.parametrize("options", [("--check",), ("--pass", "deploy", "--check"), ("--durable",)])
def test_options_that_change_nothing_that_counts(kerasir, work, options: tuple[str, ...]) -> None:
    work(TH)
    assert kerasir("convert", "old.h5", "new.onnx", "--verify", *options).code == 0


def test_the_help_names_every_kind_and_opset_there_is() -> None:
    from kerasir.exporters.onnx.opsets import DEFAULT_OPSET, HIGHEST, LOWEST

    told = {option.name: option.help for option in module.convert.params if hasattr(option, "help")}
    *first, last = KINDS
    assert told["to"].replace("\n", " ") == f"{', '.join(first)} or {last} [from DST's name]"
    assert all(suffix in module.convert.intro for suffix in SUFFIXES if suffix != ".hdf5")
    assert told["opset"] == f"{LOWEST} to {HIGHEST} [{DEFAULT_OPSET}]"


def test_the_numbers_of_a_converted_file(kerasir, work, genuine) -> None:
    """The genuine predictions come out of the file that was written."""
    folder = work(TH)
    case = genuine(TH)
    assert kerasir("convert", "old.h5", "new.h5").code == 0
    np.savez(folder / "x.npz", in_0=np.moveaxis(case.inputs()[0], 1, 3), out_0=case.outputs()[0])
    assert kerasir("verify", "new.h5", "--expect", "x.npz").code == 0


def test_every_option_of_the_interface_can_be_said(kerasir, work) -> None:
    """But for those that the program sets itself."""
    from kerasir.options import Options

    plural = {**module.RENAMED}
    said = {plural.get(str(option.name), str(option.name)) for option in module.convert.params}
    assert set(Options.__struct_fields__) - said == {"isolated", "progress"}


def test_known_answers_prove_the_reading_as_well(kerasir, work, genuine) -> None:
    folder = work(TH)
    data = genuine(TH).folder / "data.npz"
    code, _, err = kerasir("convert", "old.h5", "new.onnx", "--expect", data)
    assert code == 0
    assert "  verified  the output agrees; " in err
    code, _, err = kerasir(
        "convert", "old.h5", "b.onnx", "--expect", data, "--backend", "tensorflow"
    )
    assert code == 1
    assert "dense_2 of A, against data.npz" in err
    assert not (folder / "b.onnx").exists()
