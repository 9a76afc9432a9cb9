"""`kerasir verify`: whole texts, documents and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from terminal import Stream
from traps import back_to_front, changed

import kerasir as package
from genuine import FixtureCase
from kerasir.cli.console import Console, unpainted
from kerasir.cli.verdict import print_verification
from kerasir.verification import Compared, Side, Verification

VGG = "keras2.2.4-tensorflow/vgg_tf"
ERRORS = {
    "conv1_1": 9.2e-8, "pool": 9e-8, "conv1_2": 1.5e-7, "conv2_1": 2.1e-7, "conv2_2": 0.84,
    "conv3_1": 0.49, "fc1": 0.4, "fc2": 0.37,
}  # fmt: skip


def verification(errors: dict[str, float], **more: object) -> Verification:
    """A verification with these errors, by layer."""

    def one(name: str, part: str, error: float) -> Compared:
        wrong = 0 if error < 1e-5 else 61_204
        return Compared(
            name=name, part=part, error=error, differing=wrong, count=65_536,  # type: ignore[arg-type]
            weighted=name != "pool",
        )  # fmt: skip

    last = list(errors)[-1]
    return Verification(
        a=Side("flowers.h5", "reference, float64", ("N:? C:3 H:64 W:64",)),
        b=Side("flowers.onnx", "reference, float32", ("N:? H:64 W:64 C:3",)),
        tolerance=1e-5,
        fed="4 random inputs, seed 0",
        layers=tuple(one(name, "layer", error) for name, error in errors.items()),
        outputs=(one(last, "output", errors[last]),),
        **more,  # type: ignore[arg-type]
    )


def printed(found: Verification, verbose: int = 0, terminal: bool = True) -> str:
    stream = Stream(terminal)
    print_verification(Console(stream, "never"), found, verbose)
    return stream.getvalue()


def test_equal_on_a_terminal(same_text) -> None:
    equal = {name: min(error, 3e-7) for name, error in ERRORS.items()}
    same_text("verify_equal_terminal", printed(verification(equal)))


def test_different_on_a_terminal(same_text) -> None:
    same_text("verify_different_terminal", printed(verification(ERRORS)))


def test_different_in_a_pipe(same_text) -> None:
    same_text("verify_different_pipe", printed(verification(ERRORS), terminal=False))


def test_verbose_shows_layers_without_arithmetic() -> None:
    assert "pool" not in printed(verification(ERRORS))
    assert "pool" in printed(verification(ERRORS), verbose=1)


def test_bars_are_green_up_to_what_is_allowed_and_red_beyond() -> None:
    stream = Stream()
    print_verification(Console(stream, "always"), verification(ERRORS), 0)
    lines = {unpainted(line).split()[0]: line for line in stream.getvalue().splitlines() if line}
    assert "\x1b[31m▇" not in lines["conv1_2"]
    assert "\x1b[32m▇" in lines["conv1_2"]
    assert "\x1b[31m▇" in lines["conv2_2"]
    assert unpainted(lines["conv2_2"]).count("▇") == 28
    assert unpainted(lines["conv1_1"]).count("▇") == 7


def test_what_is_no_number_is_said() -> None:
    broken = verification({"fc1": float("nan"), "fc2": float("nan")})
    text = printed(broken, terminal=False)
    assert "fc1 ✗" in text
    assert "✗ different: first at fc1" in text


@pytest.fixture
def pair(genuine: Callable[[str], FixtureCase], tmp_path: Path, monkeypatch) -> Path:
    """Two files of one model, and a third that a kernel is reversed in."""
    source = genuine(VGG).model
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.h5").write_bytes(source.read_bytes())
    package.convert("a.h5", "b.h5", data_format="channels_first")
    changed(source, tmp_path / "c.h5", {"conv1_2/conv1_2/kernel:0": back_to_front})
    return tmp_path


def test_files_that_are_equal(kerasir, pair: Path) -> None:
    code, out, err = kerasir("verify", "a.h5", "b.h5")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == [
        "A  a.h5   reference, float64   N:? H:11 W:9 C:3",
        "B  b.h5   reference, float32   N:? C:3 H:11 W:9",
    ]
    assert "✓ equal: 10 of 10 layers agree, output dense_2 within " in out


def test_files_that_differ(kerasir, pair: Path) -> None:
    code, out, err = kerasir("verify", "a.h5", "c.h5")
    assert (code, err) == (1, "")
    assert "conv1_2 ✗" in out
    assert "likely cause: a kernel read back to front. Reversed, it agrees." in out
    assert "✗ different: first at conv1_2; output dense_2 off by " in out
    assert kerasir("verify", "-q", "a.h5", "c.h5") == (1, "", "")


def test_json(kerasir, pair: Path) -> None:
    code, out, err = kerasir("verify", "a.h5", "c.h5", "--json")
    assert (code, err, out.count("\n")) == (1, "", 1)
    found = json.loads(out)
    assert (found["schema"], found["ok"], found["equal"]) == ("kerasir.verify/1", False, False)
    assert found["first_difference"] == {"name": "conv1_2", "part": "layer"}
    assert found["cause"]["name"] == "reversed kernel"
    assert [layer["name"] for layer in found["layers"]][1] == "conv1_1"
    assert json.loads(kerasir("verify", "a.h5", "b.h5", "--json").out)["ok"] is True


def test_known_answers(kerasir, beside, same_text) -> None:
    beside("keras1.2.2-theano/vgg_th")
    code, out, _ = kerasir("verify", "model.h5", "--expect", "data.npz")
    assert code == 0
    assert "3 inputs of data.npz" in out
    assert "the same class for 3 of 3 inputs" in out
    code, out, _ = kerasir("verify", "model.h5", "--expect", "data.npz", "--backend", "tensorflow")
    assert code == 1
    assert "likely cause: backend. Read as written by theano" in out
    assert "    fix: --backend theano\n" in out


def test_arrays_that_are_none(kerasir, beside, tmp_path: Path) -> None:
    beside(VGG)
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 no zip")
    code, out, err = kerasir("verify", "model.h5", "--expect", tmp_path / "x.npz")
    assert (code, out) == (1, "")
    assert "not .npz" in err
    code, _, err = kerasir("verify", "model.h5", "--expect", "nix.npz")
    assert err == "kerasir: error: nix.npz: there is no such file\n"
