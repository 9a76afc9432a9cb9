"""The genuine files at hand: what each case is and where it lies."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PROJECT = Path(__file__).parent.parent.parent
DATA = PROJECT / "tests" / "data" / "fixtures"
SHARED = PROJECT.parent / "shared"


class FixtureCase(NamedTuple):
    """One genuine model: which era wrote it, its name, where it lies."""

    era: str
    case: str
    folder: Path

    @property
    def id(self) -> str:
        return f"{self.era}/{self.case}"

    @property
    def model(self) -> Path:
        """The file of the whole model, or, of an era that had none, the weights."""
        names = ("model.h5", "model.keras", "weights.h5")
        return next(self.folder / name for name in names if (self.folder / name).exists())

    @property
    def arch(self) -> Path | None:
        """The architecture beside the weights, where the model file does not hold it."""
        return self.folder / "arch.json" if self.model.name == "weights.h5" else None

    @property
    def backend(self) -> str:
        """`theano`, `tensorflow` or `jax`: what computed the predictions."""
        return self.era.rpartition("-")[2]

    @property
    def ordering(self) -> str:
        """`channels_first` or `channels_last`: what was in force when the file was written."""
        return "channels_first" if self.case.endswith("_th") else "channels_last"

    @property
    def meta(self) -> dict[str, Any]:
        return _meta(self.folder)

    def data(self) -> dict[str, np.ndarray]:
        """The arrays of data.npz, in the axis order of the file: `in_0`, ..., `out_0`, ..."""
        with np.load(self.folder / "data.npz") as arrays:
            return dict(arrays)

    def inputs(self) -> list[np.ndarray]:
        return _numbered(self.data(), "in_")

    def outputs(self) -> list[np.ndarray]:
        return _numbered(self.data(), "out_")

    def second_outputs(self) -> list[np.ndarray]:
        """What a second call of a stateful model gave; nothing for others."""
        return _numbered(self.data(), "second_out_")


@cache
def _meta(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    return meta


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    return [arrays[f"{prefix}{i}"] for i in range(len(arrays)) if f"{prefix}{i}" in arrays]


@cache
def fixture_cases() -> tuple[FixtureCase, ...]:
    """Every genuine model at hand: those of tests/data, and the complete set where it is."""
    found = {
        f"{meta.parts[-3]}/{meta.parts[-2]}": FixtureCase(
            meta.parts[-3], meta.parts[-2], meta.parent
        )
        for root in (SHARED / "fixtures", DATA)
        for meta in root.glob("*/*/meta.json")
    }
    return tuple(found[key] for key in sorted(found))


def case_of(case_id: str) -> FixtureCase:
    """One genuine model by its id, `era/case`."""
    return next(case for case in fixture_cases() if case.id == case_id)
