"""`kerasir passes` and `kerasir ops`: made from the registries."""

from __future__ import annotations

import json

from kerasir.catalogue import all_ops
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
        assert [info.name for info in all_ops() if info.plugin] == ["mine.TestOnly"]
    finally:
        OPS.pop("mine.TestOnly", None)
