"""All that a plugin needs, under one name: `import kerasir.plugin as k`.

A plugin is one Python file (or an installed package with an entry point in the group
`kerasir.plugins`) that declares an op with its translator, its emitters and its reference
semantics. It is code that the user chose to run; a model file can never name one.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from typing import Any

from .errors import KerasirError, PluginError
from .ir.op import Op, op
from .ir.ops.activation import Elementwise
from .ir.signature import ports

GROUP = "kerasir.plugins"
OWN = "kerasir."
INFO = (".dist-info", "egg-info")
"""How folders of what is known about installed packages end."""

PREFIX = "kerasir_plugin_"
"""Of the modules that files become."""

__all__ = ["Elementwise", "Op", "load_plugins", "op", "ports"]

_HOMES = {
    "Config": "importers.keras.registry",
    "LayerCall": "importers.keras.call",
    "Slot": "importers.keras.registry",
    "translates": "importers.keras.registry",
    "computes": "reference.registry",
    "elementwise": "reference.registry",
    "Layout": "ir.layout",
    "Computing": "reference.computing",
    "emits": "exporters.onnx.registry",
    "Emitting": "exporters.onnx.emitting",
    "Site": "exporters.keras.site",
    "writes": "exporters.keras.registry",
    "model_pass": "passes.registry",
    "names_activation": "importers.keras.layers.activation",
    "Target": "passes.registry",
    "Model": "ir.model",
    "Value": "ir.graph",
}


def __getattr__(name: str) -> Any:
    # importers and exporters are there when a plugin asks for them, and not before
    if name not in _HOMES:
        raise AttributeError(f"kerasir.plugin has no {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __package__), name)


_loaded: dict[str, str] = {}


def load_plugins(paths: Sequence[str | os.PathLike[str]] = ()) -> None:
    """Load the plugins that are installed, and these files; each once.

    Raises:
        PluginError: A plugin fails; it is named.
    """
    if _any_installed():
        _load_installed()
    for path in paths:
        _load_file(os.path.abspath(os.fspath(path)))


def _any_installed() -> bool:
    """Whether an installed package may offer a plugin.

    Most often none does, and `importlib.metadata`, which knows for certain, takes longer to import
    than many a model to convert. Where it would look otherwise than in folders of `sys.path` for
    `entry_points.txt` (Python 3.11, `importlib/metadata`, `FastPath` and `PathDistribution`), in
    zip archives or by finders of others, it is asked at once.
    """
    others = (finder for finder in sys.meta_path if finder is not PathFinder)
    if any(hasattr(finder, "find_distributions") for finder in others):
        return True
    return any(_offers(path or os.curdir) for path in dict.fromkeys(sys.path))


def _offers(path: str) -> bool:
    """Whether packages in this folder name the group of our plugins."""
    if os.path.isfile(path):
        return True
    try:
        with os.scandir(path) as listed:
            held = [entry.path for entry in listed if entry.name.lower().endswith(INFO)]
    except OSError:
        return False
    return any(_names_group(os.path.join(one, "entry_points.txt")) for one in held)


def _names_group(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return GROUP.encode() in file.read()
    except OSError:
        return False


def _load_installed() -> None:
    import importlib.metadata

    for entry in importlib.metadata.entry_points(group=GROUP):
        if entry.name not in _loaded:
            try:
                entry.load()
            except (Exception, SystemExit) as error:
                raise PluginError(
                    f"{type(error).__name__}: {error}",
                    where=f"plugin {entry.name}",
                    hint=f"mend or uninstall the package of {entry.value}",
                ) from error
            _loaded[entry.name] = entry.value


def _load_file(path: str) -> None:
    if path in _loaded:
        return
    name = f"{PREFIX}{hashlib.sha256(path.encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not os.path.isfile(path):
        raise PluginError("no Python file of this name", file=path, hint="--plugin FILE.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except KerasirError as error:
        error.at(file=path)
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"{type(error).__name__}: {error}", file=path) from error
    _loaded[path] = name


def plugin_of(module: str) -> str:
    """The plugin that a module is: its file, if that was given; "" for one of kerasir's own."""
    if module.startswith(OWN):
        return ""
    file = getattr(sys.modules.get(module), "__file__", None)
    return os.path.basename(file) if file and module.startswith(PREFIX) else module
