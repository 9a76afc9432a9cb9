"""What a command costs before and behind its work: what it imports, and how its process ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from genuine import PROJECT

MODEL = PROJECT / "examples" / "theano_cnn.h5"

UNNEEDED = (
    "concurrent.futures", "email", "importlib.metadata", "onnx", "shutil", "tempfile", "yaml",
    "zipfile",
    "kerasir.account", "kerasir.batch", "kerasir.comparison", "kerasir.exporters.keras",
    "kerasir.importers.keras.archive.keras_zip", "kerasir.importers.keras.bare",
    "kerasir.importers.keras.builtin", "kerasir.importers.keras.lambdas",
    "kerasir.importers.keras.layers.audio", "kerasir.importers.keras.layers.operations",
    "kerasir.pages", "kerasir.reference", "kerasir.verification",
)  # fmt: skip
"""What no conversion of a small network to ONNX needs."""

OF_EXPORTS = ("kerasir.api", "kerasir.exporters", "kerasir.passes.folding", "concurrent.futures")
"""What looking at a file does not need."""


def run(*args: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """The command as a program, behind a line of Python."""
    script = f"import atexit, sys\n{before}\nfrom kerasir.__main__ import main\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", script, *args], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("args", "unneeded"),
    [(("convert", str(MODEL), "new.onnx"), UNNEEDED), (("inspect", str(MODEL)), OF_EXPORTS)],
    ids=["convert", "inspect"],
)
def test_a_command_imports_what_it_needs(
    args: tuple[str, ...], unneeded: tuple[str, ...], tmp_path: Path
) -> None:
    script = (
        "import sys; from kerasir.cli.main import main; code = main();"
        f"print(code, *sorted(set({unneeded}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--quiet", *args],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stderr == "0\n"


def test_the_process_ends_at_once_with_all_it_said() -> None:
    late = "atexit.register(print, 'taken apart')"
    short = run("ops", "-v", before=late)
    whole = run("ops", "-v", before=f"sys.setprofile(lambda *_: None); {late}")
    assert (short.returncode, whole.returncode) == (0, 0)
    assert short.stdout + "taken apart\n" == whole.stdout
    assert run("inspect", "nothing.h5", before=late).returncode == 1


@pytest.mark.parametrize("closed", ["sys.stdout", "sys.stderr", "sys.stdout = sys.stderr"])
def test_what_is_said_to_nobody_goes_nowhere(closed: str) -> None:
    """`>&-` and `2>&-` of a shell, where Python has no streams at all."""
    for args, code in ((("--version",), 0), (("inspect", "nothing.h5"), 1)):
        done = run(*args, before=f"{closed} = None")
        assert done.returncode == code
        assert "Traceback" not in done.stderr
