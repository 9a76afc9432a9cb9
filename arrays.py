"""Arrays that the user names: `.npz` files of inputs, outputs and known answers."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from .errors import FormatError, no_such_file, show
from .ir.source import Array


def read_arrays(path: str) -> dict[str, Array]:
    """The arrays of an `.npz` file. Pickles in it are refused, not opened.

    Raises:
        FormatError: It is no `.npz` file, or holds objects.
    """
    if not os.path.isfile(path):
        raise no_such_file(path)
    try:
        with open(path, "rb") as file:
            held = np.load(file, allow_pickle=False)
            if isinstance(held, np.lib.npyio.NpzFile):
                return {name: held[name] for name in held.files}
    except Exception as error:  # of NumPy or of its zip reader, of many kinds
        raise FormatError(f"not .npz: {show(str(error))}", file=path) from error
    raise FormatError("one array without a name", file=path, hint="save it by numpy.savez")


def write_arrays(path: str, arrays: Mapping[str, Array], *, overwrite: bool = False) -> int:
    """Write an `.npz` file, whole or not at all; gives its size in bytes.

    Args:
        path: The file.
        arrays: By name.
        overwrite: Replace what exists.

    Raises:
        UsageError: The file exists and may not be overwritten.
        ExportError: It cannot be written.
    """
    from .exporters.target import target

    with target(path, overwrite=overwrite) as temporary:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle
        return os.path.getsize(temporary)


def write_text(path: str, text: str, *, overwrite: bool = False) -> None:
    """Write a text file in UTF-8, whole or not at all.

    Raises:
        UsageError: The file exists and may not be overwritten.
        ExportError: It cannot be written.
    """
    from .exporters.target import target

    with (
        target(path, overwrite=overwrite) as temporary,
        open(temporary, "w", encoding="utf-8") as file,
    ):
        file.write(text)
