"""kerasir: Keras models of every era, in either data format, and to ONNX, through one typed IR.

import kerasir

model = kerasir.load("old.h5")
model.tensors["fc1/kernel"].numpy(layout="(H W C) O")
kerasir.convert("old.h5", "model.onnx", verify=True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import Conversion, convert, save
    from .comparison import diff
    from .errors import KerasirError
    from .ir.layout import Layout
    from .ir.model import Model
    from .loading import load
    from .options import Options
    from .verification import verify

__all__ = [
    "Conversion",
    "KerasirError",
    "Layout",
    "Model",
    "Options",
    "__version__",
    "convert",
    "diff",
    "load",
    "save",
    "verify",
]

_HOMES = {
    "Conversion": "api",
    "KerasirError": "errors",
    "Layout": "ir.layout",
    "Model": "ir.model",
    "Options": "options",
    "convert": "api",
    "diff": "comparison",
    "load": "loading",
    "save": "api",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    # nothing heavy is imported before it is used: `kerasir --help` is instant
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    import_module(".display", __name__)
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
