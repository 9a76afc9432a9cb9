"""How a run begins and ends: help, usage, errors, signals, streams that break."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import h5py
import pytest

import kerasir as package
from genuine import FixtureCase
from kerasir.cli import main as module
from kerasir.cli.failure import MOST
from kerasir.errors import FormatError, KerasirError

HELP = """\
Usage: kerasir [OPTIONS] COMMAND [ARGUMENTS]

Convert Keras models, 0.3 to 3.15, between Theano style and TensorFlow style, and to ONNX.
Reads the files alone: no Keras, TensorFlow or Theano needed, and no code from a model is run.

Look
  inspect   Show layers, layout tags, weights, era and backend of a file
  diff      List what differs between two models: layers, settings, weights
  view      Draw a model's graph, tags on its edges, as one HTML page

Convert
  convert   Convert one model; the kinds follow from the file names
  batch     Convert many models, in parallel or on a cluster

Check
  verify    Run two models on the same inputs and compare them layer by layer
  run       Run one model on arrays from an .npz file

Extend
  ops       List operations, and what each target supports
  passes    List passes and pipelines

Options
  -q, --quiet        Print only errors
  -v, --verbose      Print more: each layer; -vv: each weight
      --json         Print one JSON document on stdout in place of text
      --color WHEN   auto, always or never [auto]
      --debug        Show a traceback with an error
  -V, --version      Print the version
  -h, --help         Print this help; after a command, its help

Examples
  kerasir inspect old.h5                      what is in this file?
  kerasir convert old.h5 new.keras --verify   Theano-era file to Keras 3, checked
  kerasir convert old.h5 model.onnx           to ONNX
"""


def program(*args: str, **kwargs: object) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m kerasir` in a process of its own."""
    command = [sys.executable, "-m", "kerasir", *args]
    return subprocess.run(command, capture_output=True, check=False, **kwargs)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("args", [(), ("--help",), ("-h",), ("-q", "--help")])
def test_help(kerasir, args: tuple[str, ...]) -> None:
    assert kerasir(*args) == (0, HELP, "")


def test_help_is_coloured_where_asked_for(kerasir) -> None:
    text = kerasir("--color", "always", "--help").out
    assert text.startswith("\x1b[1mUsage:\x1b[22m kerasir")
    assert "\x1b[36minspect\x1b[39m" in text
    assert "\x1b[2m [auto]\x1b[22m" in text


@pytest.mark.parametrize("name", module.COMMANDS)
def test_every_command_that_the_help_lists_exists_and_has_help(kerasir, name: str) -> None:
    code, out, err = kerasir(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: kerasir {name} [OPTIONS]")
    assert max(map(len, out.splitlines())) <= 100
    command = module.COMMANDS[name].load()
    options = [p for p in command.params if getattr(p, "section", "")]
    assert all(f"  {option.opts[-1]}" in out or f" {option.opts[0]}" in out for option in options)


def test_version(kerasir) -> None:
    assert kerasir("--version") == (0, f"kerasir {package.__version__}\n", "")


@pytest.mark.parametrize("args", [("-v", "--version"), ("--version", "-v"), ("-vV", "inspect")])
def test_version_with_what_answers_depend_on(kerasir, args: tuple[str, ...]) -> None:
    code, out, err = kerasir(*args)
    first, *rest = out.splitlines()
    assert (code, first, err) == (0, f"kerasir {package.__version__}", "")
    named = dict(line.split(maxsplit=1) for line in rest)
    assert named["h5py"] == h5py.__version__
    assert {"python", "system", "numpy", "onnx", "onnxruntime"} <= named.keys()


def test_a_shell_is_told_how_a_line_may_go_on(kerasir, monkeypatch, capsys) -> None:
    def asked(words: str) -> list[str]:
        monkeypatch.setenv("_KERASIR_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
        found = kerasir()
        assert found.err == ""
        return [line.partition(",")[2] for line in found.out.splitlines()]

    assert asked("kerasir con") == ["convert"]
    assert "--data-format" in asked("kerasir convert --d")
    monkeypatch.setenv("_KERASIR_COMPLETE", "zsh_source")
    assert "compdef" in kerasir().out


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "h5py", "onnx", "msgspec", "rich", "yaml", "json", "traceback", "difflib")
    script = (
        "import sys; from kerasir.cli.main import main; code = main(['--help']);"
        f"print(sorted(set({heavy}) & set(sys.modules)), code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr.decode() == "[] 0\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("convrt",), "no command 'convrt' (did you mean convert?)"),
        (
            ("zzz",),
            f"no command 'zzz' (one of {', '.join(module.COMMANDS)})",
        ),
        (("inspect",), "FILE is missing (kerasir inspect --help)"),
        (("inspect", "a", "b"), "unexpected extra argument (b) (kerasir inspect --help)"),
        (("inspect", "a", "--verbos"), "no option '--verbos' (did you mean --verbose?)"),
        (("inspect", "a", "--xyz"), "no option '--xyz' (kerasir inspect --help)"),
        (("inspect", "a", "--arch"), "--arch: it needs a value (kerasir inspect --help)"),
        (
            ("convert", "a", "b.h5", "--data-format", "nhwc"),
            "--data-format: no 'nhwc' (channels_last means that; or channels_first, keep)",
        ),
        (
            ("convert", "a", "b.h5", "--data-format", "chanels_last"),
            "--data-format: no 'chanels_last' (did you mean channels_last?)",
        ),
        (
            ("convert", "a", "model.foo"),
            "model.foo: no kind known for '.foo' (use .onnx, .kerasir, .h5, .hdf5, .keras, "
            ".weights.h5, .npz, .safetensors, .json or --to)",
        ),
        (
            ("convert", "a", "b.h5", "--opset", "13"),
            "--opset with --to keras2 (only ONNX has opsets)",
        ),
        (("--color", "pink", "ops"), "--color: no 'pink' (one of auto, always, never)"),
        (("verify", "a.h5"), "a.h5: nothing to compare with (a second model, or --expect FILE)"),
    ],
)
def test_wrong_usage_is_told_in_one_line_with_exit_code_2(
    kerasir, args: tuple[str, ...], message: str
) -> None:
    assert kerasir(*args) == (2, "", f"kerasir: error: {message}\n")


@pytest.mark.parametrize("args", [("-v", "ops"), ("ops", "-v"), ("--color", "never", "ops", "-q")])
def test_options_of_every_command_stand_before_or_after_it(kerasir, args: tuple[str, ...]) -> None:
    assert kerasir(*args).code == 0


def test_json_holds_before_and_after_and_for_errors(kerasir) -> None:
    for args in (("--json", "inspect", "nix.h5"), ("inspect", "nix.h5", "--json")):
        code, out, err = kerasir(*args)
        assert code == 1
        assert err == "kerasir: error: nix.h5: there is no such file\n"
        assert json.loads(out) == {
            "schema": "kerasir.error/1",
            "kerasir": package.__version__,
            "ok": False,
            "error": {
                "code": "format",
                "file": "nix.h5",
                "where": None,
                "what": "there is no such file",
                "hint": None,
                "items": [],
            },
        }
        assert out.count("\n") == 1
    assert json.loads(kerasir("--json", "nonsense").out)["error"]["code"] == "usage"


# ---- what goes wrong -----------------------------------------------------------------------------


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Let the command `ops` raise something."""

    def install(error: BaseException) -> None:
        @click.command(add_help_option=False)
        def broken() -> None:
            raise error

        entry = module.Entry("Extend", "", lambda: broken)
        monkeypatch.setitem(module.COMMANDS, "ops", entry)

    return install


def test_an_error_is_one_logical_line_with_its_details_below(kerasir, breaking) -> None:
    breaking(
        FormatError(
            "no model", file="a b.h5", where="file", hint="look", details=("x   1", "y   2")
        )
    )
    assert kerasir("ops") == (
        1, "", 'kerasir: error: "a b.h5": file: no model (look)\n  x   1\n  y   2\n'
    )  # fmt: skip


def test_what_nobody_foresaw_is_one_message_too(kerasir, breaking) -> None:
    breaking(ZeroDivisionError("division by zero"))
    told = "internal error: ZeroDivisionError: division by zero (--debug shows where)"
    assert kerasir("ops") == (1, "", f"kerasir: error: {told}\n")


def test_debug_shows_where(kerasir, breaking) -> None:
    breaking(ZeroDivisionError("division by zero"))
    err = kerasir("--debug", "ops").err
    assert "Traceback (most recent call last)" in err
    assert "in broken" in err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "not enough memory (--debug shows where)"),
        (RecursionError("deep"), "nested too deeply (--debug shows where)"),
        (OSError(24, "Too many open files"), "too many open files (raise the limit of open files: "
         "ulimit -n)"),
        (PermissionError(13, "Permission denied", "x.h5"), "x.h5: permission denied"),
    ],
)  # fmt: skip
def test_limits_of_the_machine_are_told_in_words(kerasir, breaking, error, message: str) -> None:
    breaking(error)
    assert kerasir("ops") == (1, "", f"kerasir: error: {message}\n")


def test_interrupted(kerasir, breaking) -> None:
    breaking(KeyboardInterrupt())
    assert kerasir("ops") == (130, "", "kerasir: interrupted\n")


HOSTILE = "a\x1b[31m\nb\u202e\x85\x7f\u2066"


def test_names_never_reach_the_terminal_as_they_are(kerasir, breaking) -> None:
    breaking(KerasirError(HOSTILE, file=HOSTILE, where=HOSTILE, hint=HOSTILE, details=(HOSTILE,)))
    err = kerasir("ops").err
    assert "a\\x1b[31m\\nb\\u202e\\x85\\x7f\\u2066" in err
    assert err.count("\n") == 2
    assert all(c == "\n" or c.isprintable() for c in err)


def test_json_has_only_ascii(kerasir, breaking) -> None:
    breaking(KerasirError(HOSTILE))
    out = kerasir("--json", "ops").out
    assert out.isascii()
    assert "\x7f" not in out
    assert json.loads(out)["error"]["what"] == HOSTILE


def test_however_much_there_is_to_tell_it_ends(kerasir, breaking) -> None:
    breaking(
        KerasirError("x" * 10_000, file="f" * 9000, hint="h" * 900, details=["d" * 500] * 5000)
    )
    err = kerasir("ops").err
    assert len(err) < MOST + 300
    assert err.endswith("more lines\n")


# ---- the world around ----------------------------------------------------------------------------


def test_a_closed_pipe_ends_it_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "kerasir", "ops"],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize(("asked", "unbuffered"), [("--help", ""), ("--help", "1"), ("ops", "")])
def test_a_full_disk_under_stdout_is_an_error_and_no_traceback(asked: str, unbuffered: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kerasir", asked],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "kerasir: error: no space left on device (make room, or write elsewhere)\n"
    )


def test_a_stream_that_is_not_utf8_gets_ascii(genuine: Callable[[str], FixtureCase]) -> None:
    case = genuine("keras1.2.2-theano/vgg_th")
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    env.pop("PYTHONIOENCODING", None)
    done = program("inspect", str(case.model), env=env)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert b"Conv2D 3x3 valid, relu" in done.stdout


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe.h5"
    done = program("inspect", name)  # type: ignore[arg-type]
    assert done.returncode == 1
    assert b"\\udcff\\udcfe.h5: there is no such file" in done.stderr


def test_asked_to_end_it_cleans_up_and_says_so(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, click\n"
        "from kerasir.cli import main as m\n"
        "@click.command()\n"
        "def waits():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        sys.exit('not ended')\n"
        "    finally:\n"
        "        open(sys.argv[1], 'w').close()\n"
        "m.COMMANDS['ops'] = m.Entry('', '', lambda: waits)\n"
        "raise SystemExit(m.main(['ops']))\n"
    )
    mark = tmp_path / "cleaned up"
    done = subprocess.run(
        [sys.executable, "-c", script, str(mark)], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (143, b"kerasir: terminated\n")
    assert mark.exists()


def test_a_signal_that_python_cannot_raise_is_heard_all_the_same() -> None:
    """What a finalizer raises is printed and forgotten by Python."""
    script = (
        "import os, signal, sys, time, click\n"
        "from kerasir.cli import main as m\n"
        "class Ends:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        for _ in range(1000): pass\n"
        "@click.command()\n"
        "def waits():\n"
        "    ends = Ends()\n"
        "    del ends\n"
        "    time.sleep(30)\n"
        "m.COMMANDS['ops'] = m.Entry('', '', lambda: waits)\n"
        "raise SystemExit(m.main(['ops']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"kerasir: interrupted\n")


def test_interrupted_from_outside(genuine: Callable[[str], FixtureCase], tmp_path: Path) -> None:
    """Wherever it is when the signal comes, the code is 130 (or the work was done: 0).

    Before Python itself has started there is nobody to say so: the system ends the process, which
    a shell shows as 130 too, or Python says that its own imports were interrupted.
    """
    model = str(genuine("keras2.2.4-theano/inception_th").model)
    target = tmp_path / "new.h5"
    child = subprocess.Popen(
        [sys.executable, "-m", "kerasir", "convert", model, str(target), "--verify"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(0.4)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    started = b"Traceback" not in err
    assert started or b"__main__.py" not in err
    assert child.returncode in ({0, 130, -signal.SIGINT} if started else {1, -signal.SIGINT})
    assert {path.name for path in tmp_path.iterdir()} <= {"new.h5"}
    if target.exists() or not child.returncode:  # the signal may come when all is done
        package.load(target)
