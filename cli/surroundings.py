"""`kerasir -v --version`: what answers may depend on, for whoever reports a bug."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "h5py", "onnx", "msgspec", "click", "onnxruntime")


def surroundings() -> list[tuple[str, str]]:
    """Python, the system and the libraries, each with its version; `-` where it is not there."""
    found = [("python", platform.python_version()), ("system", platform.platform())]
    return [*found, *((name, _version(name)) for name in LIBRARIES)]


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "-"
