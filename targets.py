"""What a conversion can aim at: kinds of file, their defaults, and pairs that are not allowed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import msgspec

from .errors import UsageError
from .ir.plan import Policy
from .passes.registry import Target

DataFormat = Literal["channels_first", "channels_last", "keep"]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of target.

    Attributes:
        title: As messages call it.
        pipeline: The passes it runs.
        data_format: Where the channels go if the user does not say.
        io: Whether inputs and outputs keep the source's order, if the user does not say.
        dialect: The exporters' table, for Keras kinds.
        arrays: Whether it holds weights and nothing else.
        bare: Whether weights that came without an architecture can be written so.
        by_path: Whether it has `.keras` and `.weights.h5` files beside HDF5.
    """

    title: str
    pipeline: Literal["keras", "onnx", "ir"]
    data_format: DataFormat
    io: Literal["keep", "match"]
    dialect: str = ""
    arrays: bool = False
    bare: bool = False
    by_path: bool = False


def _keras(dialect: str, title: str, *, bare: bool = False, by_path: bool = False) -> Kind:
    return Kind(
        title=title,
        pipeline="keras",
        data_format="channels_last",
        io="match",
        dialect=dialect,
        bare=bare,
        by_path=by_path,
    )


def _arrays(title: str) -> Kind:
    return Kind(
        title=title, pipeline="keras", data_format="keep", io="keep", arrays=True, bare=True
    )


KINDS: Mapping[str, Kind] = {
    "keras1": _keras("keras1", "Keras 1.2", bare=True),
    "keras2.0": _keras("keras2.0", "Keras 2.0", bare=True),
    "keras2.2": _keras("keras2.2", "Keras 2.2", bare=True),
    "keras2": _keras("keras2", "Keras 2", bare=True),
    "tf-keras": _keras("tf-keras", "tf-keras", by_path=True),
    "keras3": _keras("keras3", "Keras 3", by_path=True),
    "onnx": Kind(title="ONNX", pipeline="onnx", data_format="channels_first", io="keep"),
    "ir": Kind(title="kerasir IR", pipeline="ir", data_format="keep", io="keep"),
    "npz": _arrays("NumPy"),
    "safetensors": _arrays("safetensors"),
}
"""By the word that `--to` takes."""

SUFFIXES: Mapping[str, str] = {
    ".onnx": "onnx",
    ".kerasir": "ir",
    ".h5": "keras2",
    ".hdf5": "keras2",
    ".keras": "keras3",
    ".weights.h5": "keras3",
    ".npz": "npz",
    ".safetensors": "safetensors",
    ".json": "keras2",
}
"""Which kind follows from the end of a file's name; the longest one that fits counts."""

ARCHITECTURE = ".json"
"""What a file is called that holds the architecture of a Keras model and nothing else."""

STAY = "kernels are cross-correlation ones; with --weights-layout stored they stay as they are"

REFUSED: Mapping[tuple[str, str, object], str] = {
    ("onnx", "data_format", "channels_last"): "ONNX computes channels_first",
    ("onnx", "data_format", "keep"): "ONNX computes channels_first",
    ("onnx", "weights_only", True): "an ONNX file is a whole model",
    ("ir", "weights_only", True): "a .kerasir file is a whole model",
    ("onnx", "target_backend", "theano"): "ONNX kernels are never reversed",
    ("keras3", "target_backend", "theano"): "Keras 3 never reverses kernels",
    ("tf-keras", "target_backend", "theano"): "tf-keras never reverses kernels",
    ("npz", "target_backend", "theano"): STAY,
    ("safetensors", "target_backend", "theano"): STAY,
}
"""Options that a kind cannot have, and why."""


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What one conversion aims at, everything chosen.

    Attributes:
        kind: A key of `KINDS`.
        data_format: Where the channels go.
        backend: Whose kernels are written.
        io: Whether inputs and outputs keep the source's order or match the target's.
        opset: For ONNX; None for the default of this release.
        weights_only: Whether architecture and training record are left out.
        architecture_only: Whether weights and training record are.
        weights_layout: For arrays alone: the order of their axes, one of `ir.orders.ORDERS`.
    """

    kind: str
    data_format: DataFormat
    backend: Literal["tensorflow", "theano"]
    io: Literal["keep", "match"]
    opset: int | None = None
    weights_only: bool = False
    architecture_only: bool = False
    weights_layout: Literal["canonical", "onnx", "stored"] = "canonical"

    @property
    def described(self) -> Kind:
        """The kind's defaults and names."""
        return KINDS[self.kind]

    @property
    def target(self) -> Target:
        """What passes are told."""
        order = "source" if self.data_format == "keep" else self.data_format
        onnx = self.kind == "onnx"
        policy = Policy(
            order=order, one_dimensional=onnx, trailing=onnx, io=self.io, preserve=not onnx
        )
        return Target(policy=policy, pipeline=self.described.pipeline)


def kind_of(path: str | os.PathLike[str], to: str | None) -> str:
    """The kind of a target: said, or read off its name.

    Raises:
        UsageError: No kind of that name, or none known for the end of the file's name.
    """
    name = os.fspath(path)
    if to is not None:
        if to not in KINDS:
            raise UsageError(f"no {to!r}", where="--to", hint=f"one of {', '.join(KINDS)}")
        return to
    fitting = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    if not fitting:
        end = os.path.splitext(name)[1]
        known = ", ".join(SUFFIXES)
        raise UsageError(f"no kind known for {end!r}", file=name, hint=f"use {known} or --to")
    return SUFFIXES[max(fitting, key=len)]


def aim(
    path: str | os.PathLike[str],
    *,
    to: str | None = None,
    data_format: str | None = None,
    target_backend: str | None = None,
    io_layout: str | None = None,
    opset: int | None = None,
    weights_only: bool = False,
    weights_layout: str | None = None,
) -> Aim:
    """Everything a conversion aims at, defaults filled in.

    Raises:
        UsageError: An option that the kind of target cannot have.
    """
    name = kind_of(path, to)
    kind = KINDS[name]
    stated = {
        "data_format": data_format,
        "target_backend": target_backend,
        "weights_only": weights_only,
    }
    for option, value in stated.items():
        reason = REFUSED.get((name, option, value))
        if reason is not None:
            flag = "--" + option.replace("_", "-")
            raise UsageError(f"{flag} {value} with --to {name}", hint=reason)
    if opset is not None and name != "onnx":
        raise UsageError(f"--opset with --to {name}", hint="only ONNX has opsets")
    if weights_layout is not None and not kind.arrays:
        holding = " and ".join(other for other, kind in KINDS.items() if kind.arrays)
        raise UsageError(f"--weights-layout with --to {name}", hint=f"it is for {holding}")
    end = os.fspath(path).lower()
    if kind.by_path and weights_only and end.endswith(".keras"):
        raise UsageError("--weights-only with a .keras file", hint="name it .weights.h5")
    architecture = bool(kind.dialect) and end.endswith(ARCHITECTURE)
    if architecture and weights_only:
        hint = "it holds the architecture and no weights"
        raise UsageError(f"--weights-only with a {ARCHITECTURE} file", hint=hint)
    by_name = kind.by_path and end.endswith(".weights.h5")
    chosen = {
        "kind": name,
        "data_format": data_format or kind.data_format,
        "backend": target_backend or "tensorflow",
        "io": io_layout or kind.io,
        "opset": opset,
        "weights_only": weights_only or kind.arrays or by_name,
        "architecture_only": architecture,
        "weights_layout": weights_layout or "canonical",
    }
    try:
        return msgspec.convert(chosen, Aim)
    except msgspec.ValidationError as error:
        raise UsageError(str(error)) from error
