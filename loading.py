"""Reading a model of any kind into the IR."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .errors import UsageError
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
    return _load(path, arch, backend, data_format, isolated, plugins, allow_keys, None)


def load_weights(
    path: Path,
    *,
    arch: Path | None = None,
    backend: str | None = None,
    data_format: str | None = None,
    isolated: bool = False,
    plugins: Sequence[Path] = (),
    allow_keys: Sequence[str] = (),
    flattened: Mapping[str, tuple[int, int, int]] | None = None,
    wanted: str | None = None,
) -> Model:
    """As `load`; but weights without an architecture come as a model that computes nothing.

    Args:
        path: As of `load`, and so what follows.
        arch: If it is given, this is `load`.
        backend: Which one wrote the weights.
        data_format: Where the channels are.
        isolated: Whether to run the HDF5 library in a process of its own.
        plugins: Python files.
        allow_keys: Configuration keys.
        flattened: Of weights without an architecture, Dense layers behind a Flatten, by name:
            channels, height and width of the feature map.
        wanted: In which order the rows of those are wanted, `channels_first` or
            `channels_last`; None for the order that they have.

    Raises:
        KerasirError: As of `load`.
    """
    rows = _Rows(flattened or {}, wanted)
    return _load(path, arch, backend, data_format, isolated, plugins, allow_keys, rows)


class _Rows(NamedTuple):
    """What has to be said of Dense layers where no architecture tells."""

    flattened: Mapping[str, tuple[int, int, int]]
    wanted: str | None


def _load(
    path: Path,
    arch: Path | None,
    backend: str | None,
    data_format: str | None,
    isolated: bool,
    plugins: Sequence[Path],
    allow_keys: Sequence[str],
    rows: _Rows | None,
) -> Model:
    from .plugin import load_plugins

    load_plugins(plugins)
    name = os.fspath(path)
    beside, builtin = _architecture(arch)
    if name.lower().endswith(".kerasir"):
        from .importers.kerasir import read_kerasir

        _check_needless(rows)
        return read_kerasir(name)
    from .importers.keras.archive import read_archive
    from .importers.keras.bare import read_bare
    from .importers.keras.read import import_model

    archive = read_archive(name, arch=beside, isolated=isolated)
    if rows is not None and archive.config is None and builtin is None:
        return read_bare(
            archive,
            backend=backend,
            data_format=data_format,
            flattened=rows.flattened,
            wanted=rows.wanted,
        )
    _check_needless(rows)
    return import_model(
        archive,
        backend=backend,
        data_format=data_format,
        allowed=frozenset(allow_keys),
        builtin=builtin,
    )


def _check_needless(rows: _Rows | None) -> None:
    """Refuse what would be passed over: an architecture tells where layers are flattened."""
    if rows is not None and rows.flattened:
        raise UsageError(
            "it is for weights without an architecture", where="--flattened", hint="leave it out"
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
