"""The project's own source files: found by walking, so that none can hide from a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
NOT_PACKAGED = frozenset({"tests", "docs", "benchmarks", "examples", "tools"})
"""Folders of the project that are not part of the package."""

NOT_OURS = frozenset({"build", "dist", "node_modules", "__pycache__"})


def project_files() -> Iterator[Path]:
    """Every Python file of the project, relative to its root, without environments and builds."""
    for folder, below, files in os.walk(PROJECT):
        below[:] = sorted(
            name
            for name in below
            if not name.startswith(".")
            and name not in NOT_OURS
            and not Path(folder, name, "pyvenv.cfg").exists()
        )
        here = Path(folder).relative_to(PROJECT)
        yield from (here / name for name in sorted(files) if name.endswith(".py"))


def package_files() -> list[Path]:
    """Every Python file of the package, relative to the project's root."""
    return [path for path in project_files() if path.parts[0] not in NOT_PACKAGED]
