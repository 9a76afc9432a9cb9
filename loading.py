"""Reading a model of any kind into the IR."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from .errors import UsageError
from .ir.model import Model

if TYPE_CHECKING:
    from .importers.keras.archive import Archive
    from .importers.sizes import Sizes

Path = str | os.PathLike[str]
AUTO = "auto"
"""In the place of an architecture: the one that the weights fit."""


def load(
    path: Path,
    *,
    arch: Path | None = None,
    backend: str | None = None,
    data_format: str | None = None,
    isolated: bool = False,
    plugins: Sequence[Path] = (),
    allow_keys: Sequence[str] = (),
    lambdas: Mapping[str, str] | None = None,
    batch: int | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> Model:
    """Read a model into the IR. No weight is read, and no code in the file is run.

    Args:
        path: A Keras file of any era, or a `.kerasir` file.
        arch: Where the architecture is, for a file of weights alone: a file, or
            `builtin:NAME` for one that kerasir knows, such as `builtin:vgg16`; `auto` for
            whichever of these, or of the files beside the weights, they fit.
        backend: `theano` or `tensorflow`, where the file does not say.
        data_format: `channels_first` or `channels_last`, for layers that do not say.
        isolated: Whether to run the HDF5 library in a process of its own, which may crash.
        plugins: Python files that declare layers, ops and passes.
        allow_keys: Configuration keys nobody knows that may pass, as `Class.key`.
        lambdas: What Lambda layers compute, by name, as an expression over `x` such as
            `x / 127.5 - 1`; the code in the file is never run.
        batch: The batch size of every input, where the file leaves it open.
        shapes: Whole shapes of inputs by name, the batch first, in the file's order of axes.

    Raises:
        UsageError: A size that does not go with what the file says.
        KerasirError: The file, the layer or the weight that does not fit is named.
    """
    reading = Reading(arch, backend, data_format, isolated, plugins, allow_keys, lambdas or {})
    return read(path, reading, None, sizes_of(batch, shapes))


def load_weights(
    path: Path,
    *,
    arch: Path | None = None,
    backend: str | None = None,
    data_format: str | None = None,
    isolated: bool = False,
    plugins: Sequence[Path] = (),
    allow_keys: Sequence[str] = (),
    lambdas: Mapping[str, str] | None = None,
    flattened: Mapping[str, tuple[int, int, int]] | None = None,
    wanted: str | None = None,
    in_order: bool = False,
    shapes: Mapping[str, Sequence[int]] | None = None,
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
        lambdas: What Lambda layers compute.
        flattened: Of weights without an architecture, Dense layers behind a Flatten, by name:
            channels, height and width of the feature map.
        wanted: In which order the rows of those are wanted, `channels_first` or
            `channels_last`; None for the order that they have.
        in_order: Refuse weights that do not tell in which order their layers come.
        shapes: Of inputs whose shape an architecture does not say.

    Raises:
        KerasirError: As of `load`.
    """
    reading = Reading(arch, backend, data_format, isolated, plugins, allow_keys, lambdas or {})
    return read(path, reading, Rows(flattened or {}, wanted, in_order), sizes_of(None, shapes))


class Rows(msgspec.Struct, frozen=True):
    """What has to be said of Dense layers where no architecture tells."""

    flattened: Mapping[str, tuple[int, int, int]]
    wanted: str | None
    in_order: bool


class Reading(msgspec.Struct, frozen=True):
    """How a file is to be read, as `load` is told.

    Attributes:
        meanwhile: Called while a process of its own reads, if one does.
    """

    arch: Path | None
    backend: str | None
    data_format: str | None
    isolated: bool
    plugins: Sequence[Path]
    allow_keys: Sequence[str]
    lambdas: Mapping[str, str]
    meanwhile: Callable[[], object] | None = None


def read(path: Path, reading: Reading, rows: Rows | None, sizes: Sizes | None) -> Model:
    """Read a model: `load_weights` if there is something to say of rows, else `load`."""
    from .plugin import load_plugins

    load_plugins(reading.plugins)
    name = os.fspath(path)
    if name.lower().endswith(".kerasir"):
        from .importers.kerasir import read_kerasir

        _check_needless(rows)
        if reading.lambdas:
            raise UsageError("it is for Keras files", where="--lambda", hint="leave it out")
        model = read_kerasir(name)
        if sizes is not None:
            sizes.fix(model.graph)
        return model
    from .importers.keras.archive import read_archive
    from .importers.keras.read import import_model
    from .importers.sizes import OPEN

    beside, builtin = _architecture(reading.arch)
    archive = read_archive(
        name, arch=beside, isolated=reading.isolated, meanwhile=reading.meanwhile
    )
    if reading.arch == AUTO and archive.config is None:
        return _load_proposed(path, archive, reading, sizes)
    if rows is not None and archive.config is None and builtin is None:
        from .importers.keras.bare import read_bare

        return read_bare(
            archive,
            backend=reading.backend,
            data_format=reading.data_format,
            flattened=rows.flattened,
            wanted=rows.wanted,
            in_order=rows.in_order,
        )
    _check_needless(rows)
    return import_model(
        archive,
        backend=reading.backend,
        data_format=reading.data_format,
        allowed=frozenset(reading.allow_keys),
        builtin=builtin,
        sizes=sizes or OPEN,
        lambdas=reading.lambdas,
    )


def _load_proposed(path: Path, archive: Archive, reading: Reading, sizes: Sizes | None) -> Model:
    """Weights alone with the architecture that they fit.

    Raises:
        ConfigError: They fit none.
    """
    from .importers.keras.proposals import no_architecture, proposal
    from .importers.keras.read import import_model

    found = proposal(archive, import_model)
    if found is None:
        raise no_architecture(None).at(file=archive.path)
    model = read(path, replace(reading, arch=found.arch), None, sizes)
    told = f"the architecture is {found.arch}: {found.reason}"
    model.report.add("KE210", "assumed", told, fix=f"to state it: --arch {found.arch}")
    return model


def sizes_of(batch: int | None, shapes: Mapping[str, Sequence[int]] | None) -> Sizes | None:
    """What is said of inputs' sizes, if anything is."""
    if batch is None and not shapes:
        return None
    from .importers.sizes import Sizes

    return Sizes(batch, shapes or {})


def _check_needless(rows: Rows | None) -> None:
    """Refuse what would be passed over: an architecture tells where layers are flattened."""
    if rows is not None and rows.flattened:
        raise UsageError(
            "it is for weights without an architecture", where="--flattened", hint="leave it out"
        )


def _architecture(arch: Path | None) -> tuple[str | None, str | None]:
    """The file of the architecture, or the name of a built-in one."""
    if arch is None or arch == AUTO:
        return None, None
    from .importers.keras.builtin import PREFIX, named

    name = os.fspath(arch)
    if not name.startswith(PREFIX):
        return name, None
    builtin = name.removeprefix(PREFIX)
    named(builtin)
    return None, builtin
