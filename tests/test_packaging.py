"""What is shipped: every module, nothing else, and only one copy of it is loaded."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import kerasir
from sources import NOT_PACKAGED, PROJECT, package_files

CONFIG: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def modules() -> set[str]:
    """Every file of the package, as a path inside the wheel; folders are found, not listed."""
    return {f"kerasir/{path.as_posix()}" for path in package_files()}


def floors(requirements: list[str]) -> dict[str, str]:
    """The lowest version of each distribution that requirements name, by normalized name."""
    parts = (re.match(r"([\w-]+)\s*>=\s*([\w.]+)", text) for text in requirements)
    return {part[1].lower(): part[2] for part in parts if part}


def data_files() -> set[str]:
    """Every other file that lies among the modules, as a path inside the wheel.

    And one that does not: the document that `--explain` reads.
    """
    packages = CONFIG["tool"]["setuptools"]["packages"]
    folders = [PROJECT.joinpath(*name.split(".")[1:]) for name in packages if "." in name]
    found = {path for folder in folders for path in folder.iterdir() if path.is_file()}
    found.add(PROJECT / "docs" / "report-codes.md")
    return {
        f"kerasir/{path.relative_to(PROJECT).as_posix()}"
        for path in found
        if path.suffix not in {".py", ".pyc"}
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of these sources, built in a folder of its own so that none of it stays behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "a-copy"
    ignore = shutil.ignore_patterns(".*", "data", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(PROJECT, source, ignore=ignore)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--no-deps", "--no-index", "--wheel-dir", str(folder), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_module_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert len(modules()) > 20
    assert {name for name in shipped if name.endswith(".py")} == modules()
    assert shipped - modules() == {"kerasir/py.typed"} | data_files()


def test_the_wheel_states_version_license_and_command(wheel: zipfile.ZipFile) -> None:
    stem = f"kerasir-{kerasir.__version__}.dist-info"
    text = wheel.read(f"{stem}/METADATA").decode()
    assert f"Version: {kerasir.__version__}\n" in text
    assert "License-Expression: Apache-2.0\n" in text
    assert "Author: The kerasir developers\n" in text
    assert wheel.read(f"{stem}/licenses/LICENSE") == (PROJECT / "LICENSE").read_bytes()
    assert "kerasir = kerasir.__main__:main" in wheel.read(f"{stem}/entry_points.txt").decode()


def test_every_folder_with_modules_is_a_listed_package() -> None:
    folders = {name.rpartition("/")[0].replace("/", ".") for name in modules()}
    listed = CONFIG["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(folders)


def test_the_lowest_versions_are_the_floors() -> None:
    """What .ci/run installs as the lowest versions is what pyproject.toml promises."""
    project = CONFIG["project"]
    extras = project["optional-dependencies"]
    promised = floors([*project["dependencies"], *extras["verify"], *extras["test"]])
    lines = (PROJECT / "tools" / "lowest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert pinned.keys() == promised.keys()
    for name, version in pinned.items():
        width = len(promised[name].split("."))
        assert ".".join(version.split(".")[:width]) == promised[name], name


def test_the_documents_and_ci_give_the_same_test_command() -> None:
    command = "pip install {}-e '.[test]' && pytest -n auto"
    assert command.format("--quiet ") in (PROJECT / ".ci" / "run").read_text()
    for readme in PROJECT.glob("README*"):
        assert command.format("") in readme.read_text()


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"\n## [{kerasir.__version__}] - " in (PROJECT / "CHANGELOG.md").read_text()


def test_the_installed_version_is_the_one_of_the_sources() -> None:
    assert metadata.version("kerasir") == kerasir.__version__


def test_only_one_copy_of_the_package_is_loaded() -> None:
    """A second copy, under the name of the checkout's folder, would have registries of its own."""
    home = Path(kerasir.__file__).resolve().parent
    assert home == PROJECT.resolve()
    strangers = {
        name: module.__file__
        for name, module in sorted(sys.modules.items())
        if (file := getattr(module, "__file__", None))
        and Path(file).resolve().is_relative_to(home)
        and Path(file).resolve().relative_to(home).parts[0] not in NOT_PACKAGED
        and not Path(file).resolve().relative_to(home).parts[0].startswith(".")
        and name.partition(".")[0] != "kerasir"
    }
    assert not strangers
