"""Everything that a Keras file says, as plain data: two files that say the same are equal here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np

WEIGHTS = "model.weights.h5"


def said(path: Path) -> dict[str, Any]:
    """What each member says: texts parsed; of HDF5 every group, attribute and array."""
    if path.suffix != ".keras":
        with h5py.File(path) as file:
            return _held(file)
    with ZipFile(path) as archive:
        found: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    weights = found.pop(WEIGHTS)
    with h5py.File(io.BytesIO(weights)) as file:
        texts = {
            name: json.loads(text) if name.endswith(".json") else text
            for name, text in found.items()
        }
        return {**texts, WEIGHTS: _held(file)}


def _held(file: h5py.File) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        attributes = {key: _plain(key, value) for key, value in item.attrs.items()}
        found[name] = attributes
        if isinstance(item, h5py.Dataset):
            array = item[()]
            found[name] = (attributes, str(item.dtype), item.shape, np.asarray(array).tobytes())

    note("", file)
    file.visititems(note)
    return found


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain("", one) for one in value.tolist()]
    if isinstance(value, bytes):
        value = value.decode()
    return json.loads(value) if key.endswith("_config") else value


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Where two files say different things."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            if key in before and key in after:
                yield from differences(before[key], after[key], f"{where}/{key}")
            else:
                yield f"{where}/{key}: only {'before' if key in before else 'after'}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{where}[{number}]")
    elif before != after or type(before) is not type(after):
        yield f"{where}: {before!r:.120} is now {after!r:.120}"
