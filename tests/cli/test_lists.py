"""`kerasir passes` and `kerasir ops`: made from the registries."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from terminal import Stream

from kerasir.catalogue import all_ops
from kerasir.cli import passes
from kerasir.cli.console import Console
from kerasir.ir.op import OPS
from kerasir.passes.registry import PASSES, PIPELINES


def test_every_pass_and_pipeline_is_listed(kerasir) -> None:
    code, out, err = kerasir("passes")
    assert (code, err) == (0, "")
    for name, info in PASSES.items():
        line = next(line for line in out.splitlines() if line.startswith(f"  {name} "))
        assert info.summary in line
        assert f"  {info.data} " in line
    for steps in PIPELINES.values():
        assert ", ".join(steps) in out


def test_one_pass(kerasir) -> None:
    out = kerasir("passes", "normalize_kernels").out
    assert out.startswith("normalize_kernels   Give every kernel its canonical layout")
    assert "changes layouts only" in out
    code, _, err = kerasir("passes", "nix")
    assert code == 1
    assert err.startswith("kerasir: error: no pass 'nix' (one of ")


def test_one_pipeline(kerasir) -> None:
    out = kerasir("passes", "--pipeline", "onnx").out
    assert [line.split()[1] for line in out.splitlines()[1:]] == list(PIPELINES["onnx"])
    assert kerasir("passes", "--pipeline", "nix").code == 2


def test_passes_as_json(kerasir) -> None:
    found = json.loads(kerasir("passes", "--json").out)
    assert [entry["name"] for entry in found["passes"]] == list(PASSES)
    assert found["pipelines"] == {name: list(steps) for name, steps in PIPELINES.items()}


def test_every_op_is_listed(kerasir) -> None:
    code, out, err = kerasir("ops")
    assert (code, err) == (0, "")
    assert f"{len(OPS)} ops, 0 from plugins" in out
    rows = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ")}
    assert rows.keys() >= OPS.keys()
    assert "✓" in rows["Conv"]
    assert "13+" in rows["Conv"]
    assert rows["Opaque"].split()[2] == "-"


def test_ops_as_json(kerasir) -> None:
    found = json.loads(kerasir("ops", "--json").out)["ops"]
    assert {entry["name"] for entry in found} == OPS.keys()
    assert all(entry["summary"] for entry in found)


def test_one_op(kerasir, same_text) -> None:
    same_text("ops_lstm", kerasir("ops", "lstm").out)
    conv = kerasir("ops", "Conv").out
    assert "kernel  filters channels kernel_space  kernel_space channels filters" in conv
    assert "Written on Theano, kernel runs back to front in space (~)." in conv
    document = json.loads(kerasir("ops", "Conv", "--json").out)
    assert {"kind": "weight", "name": "kernel", "layout": "kernel_space channels filters"} in (
        document["tensors"]
    )
    code, _, err = kerasir("ops", "Convv")
    assert code == 2
    assert err == "kerasir: error: no op 'Convv' (did you mean Conv?)\n"


def test_plugins_are_listed_as_such(kerasir, tmp_path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from kerasir.plugin import Elementwise, op\n\n\n"
        "@op\n"
        "class TestOnly(Elementwise, frozen=True, kw_only=True):\n"
        '    """y = x, for a test."""\n\n'
        '    namespace = "mine."\n'
    )
    try:
        out = kerasir("ops", "--plugin", plugin).out
        assert f"{len(OPS)} ops, 1 from plugins" in out
        assert "mine.TestOnly" in out
        assert [(info.name, info.plugin) for info in all_ops() if info.plugin] == [
            ("mine.TestOnly", "mine.py")
        ]
    finally:
        OPS.pop("mine.TestOnly", None)


def test_a_pass_of_a_plugin_is_listed_as_such(kerasir, tmp_path) -> None:
    plugin = tmp_path / "rounding.py"
    plugin.write_text(
        "import kerasir.plugin as k\n\n\n"
        "@k.model_pass(data='value')\n"
        "def test_only_rounding(model: k.Model, target: k.Target) -> k.Model:\n"
        '    """Round weights to 8 levels."""\n'
        "    return model\n"
    )
    try:
        out = kerasir("passes", "--plugin", plugin).out
        [line] = [line for line in out.splitlines() if "test_only_rounding" in line]
        assert line.split(maxsplit=1)[1].startswith(
            "Round weights to 8 levels  plugin: rounding.py"
        )
        found = json.loads(kerasir("passes", "--json").out)["passes"][-1]
        assert found["plugin"] == "rounding.py"
    finally:
        PASSES.pop("test_only_rounding", None)


def test_on_a_narrow_terminal_only_words_are_cut(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    stream = Stream()
    passes._print_all(Console(stream, "never"))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines[:-1])) <= 72
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in PASSES)


@pytest.mark.parametrize(
    ("name", "op"), [("ScaleShift", "ScaleShift"), ("my_package>Norm2D", "Norm2D")]
)
def test_a_template_is_a_plugin(kerasir, tmp_path, name: str, op: str) -> None:
    code, text, err = kerasir("ops", "--template", name)
    assert (code, err) == (0, "")
    plugin = tmp_path / "mine.py"
    plugin.write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "kerasir", "ops", op, "--plugin", str(plugin)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"{op}   other   y = x * scale.")


def test_a_template_says_nothing_until_it_is_filled_in(kerasir, tmp_path, genuine) -> None:
    """Nobody gets numbers out of what only stands there as an example."""
    text = kerasir("ops", "--template", "ScaleShift").out
    plugin = tmp_path / "mine.py"
    plugin.write_text(text.replace('(k.Slot("scale"),)', '(k.Slot("scale"), k.Slot("b"))'))
    model = genuine("keras1.2.2-theano/custom_layer_th").model
    command = ["convert", str(model), str(tmp_path / "new.onnx"), "--plugin", str(plugin)]
    done = subprocess.run(
        [sys.executable, "-m", "kerasir", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert not (tmp_path / "new.onnx").exists()
    assert kerasir("ops", "--template", "no name").code == 2
