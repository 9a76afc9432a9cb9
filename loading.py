"""Reading a model of any kind into the IR."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .ir.model import Model

Path = str | os.PathLike[str]


def load(
    path: Path,
    *,
    arch: Path | None = None,
    backend: str | None = None,
    data_format: str | None = None,
    isolated: bool = False,
    plugins: Sequence[Path] = (),
    allow_keys: Sequence[str] = (),
) -> Model:
    """Read a model into the IR. No weight is read, and no code in the file is run.

    Args:
        path: A Keras file of any era, or a `.kerasir` file.
        arch: Where the architecture is, for a file of weights alone: a file, or
            `builtin:NAME` for one that kerasir knows, such as `builtin:vgg16`.
        backend: `theano` or `tensorflow`, where the file does not say.
        data_format: `channels_first` or `channels_last`, for layers that do not say.
        isolated: Whether to run the HDF5 library in a process of its own, which may crash.
        plugins: Python files that declare layers, ops and passes.
        allow_keys: Configuration keys nobody knows that may pass, as `Class.key`.

    Raises:
        KerasirError: The file, the layer or the weight that does not fit is named.
    """
    from .plugin import load_plugins

    load_plugins(plugins)
    name = os.fspath(path)
    if name.lower().endswith(".kerasir"):
        from .importers.kerasir import read_kerasir

        return read_kerasir(name)
    from .importers.keras.archive import read_archive
    from .importers.keras.read import import_model

    beside, builtin = _architecture(arch)
    archive = read_archive(name, arch=beside, isolated=isolated)
    return import_model(
        archive,
        backend=backend,
        data_format=data_format,
        allowed=frozenset(allow_keys),
        builtin=builtin,
    )


def _architecture(arch: Path | None) -> tuple[str | None, str | None]:
    """The file of the architecture, or the name of a built-in one."""
    if arch is None:
        return None, None
    from .importers.keras.builtin import PREFIX, named

    name = os.fspath(arch)
    if not name.startswith(PREFIX):
        return name, None
    builtin = name.removeprefix(PREFIX)
    named(builtin)
    return None, builtin
