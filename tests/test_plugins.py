"""Plugins as packages of their own: found by their entry point, and named when they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genuine import PROJECT

EXAMPLE = PROJECT / "examples" / "plugins" / "scale_shift.py"


def installed(site: Path, name: str, source: Path | str) -> None:
    """Lay out a distribution with one module as an installer does."""
    site.mkdir(exist_ok=True)
    module = site / f"{name}.py"
    if isinstance(source, Path):
        shutil.copy(source, module)
    else:
        module.write_text(source)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[kerasir.plugins]\n{name} = {name}\n")


def kerasir(site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command with these packages installed."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-m", "kerasir", *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=site,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_an_installed_plugin_is_found(tmp_path: Path) -> None:
    installed(tmp_path / "site", "my_scale", EXAMPLE)
    listed = kerasir(tmp_path / "site", "ops")
    assert (listed.returncode, listed.stderr) == (0, "")
    [line] = [line for line in listed.stdout.splitlines() if line.startswith("  ScaleShift")]
    assert "plugin: my_scale" in line
    assert ", 2 from plugins." in listed.stdout


def test_help_asks_no_plugin(tmp_path: Path) -> None:
    installed(tmp_path / "site", "broken", "raise ValueError('no')")
    assert kerasir(tmp_path / "site", "--help").returncode == 0


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("def f(:", "SyntaxError: "),
    ],
)
def test_a_plugin_that_fails_is_named(tmp_path: Path, source: str, what: str) -> None:
    installed(tmp_path / "site", "broken", source)
    failed = kerasir(tmp_path / "site", "ops")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(f"kerasir: error: plugin broken: {what}")
    assert "(mend or uninstall the package of broken)" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_the_example_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 60
