"""What a conversion can be told, as one record."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from .errors import UsageError

Path = str | os.PathLike[str]
Progress = Callable[[int, int], None]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `convert` and `save` can be told.

    Attributes:
        to: Kind of target; from the name of DST if not given.
        arch: Where the architecture is, for a file of weights alone.
        backend: Which backend wrote SRC, where the file does not say.
        source_data_format: What layers of SRC have that do not say.
        data_format: `channels_last`, `channels_first` or `keep`.
        target_backend: Whose kernels to write: `tensorflow` or `theano`.
        io_layout: `keep` or `match`: whose order inputs and outputs have.
        opset: For ONNX.
        passes: Passes or pipelines to run besides the target's own.
        fold: For ONNX: whether layers are folded into their neighbours, or stay one to one.
        plugins: Python files that declare layers, ops and passes.
        verify: Run both models; if they differ, fail and write nothing.
        tolerance: Largest relative error that `verify` allows; 1e-5, or 1e-2 for float16, if it is
            not given.
        expect: An `.npz` file of inputs and genuine predictions to verify against as well.
        weights_only: Write weights without architecture and training record.
        weights_layout: For `.npz` and `.safetensors`: `canonical`, `onnx` or `stored`.
        flattened: Of weights without an architecture, Dense layers behind a Flatten, by name:
            channels, height and width of the feature map.
        overwrite: Replace DST if it exists.
        durable: Have the disk confirm before and after.
        refuse_code: Fail if SRC holds code.
        dry_run: Do everything but write.
        strict: Fail at every assumption and warning.
        check: Check the layouts after every pass.
        allow_keys: Configuration keys nobody knows that may pass, as `Class.key`.
        lambdas: What Lambda layers of SRC compute, by name, as an expression over `x`.
        isolated: Run the HDF5 library in a process of its own.
        external_data: For ONNX: a name for the file of large tensors, or True.
        batch: For ONNX: the batch size of every input, where the model leaves it open; or what
            the open one is called, in the place of `batch`.
        shapes: Whole shapes of inputs, by name, in the source's order of axes: for ONNX, and where
            the file does not say them.
        rename: For ONNX: new names of inputs and outputs, by the old.
        float16: For ONNX: compute in half precision; inputs and outputs keep their numbers.
        functions: For ONNX: write each nested model as a function of the file.
        opaque_domain: For ONNX: the domain of operators that stand for layers which kerasir does
            not compute, such as `com.example`.
        source_hash: For ONNX: state the SHA-256 of SRC however large it is.
        progress: Called with bytes done and bytes in all.
    """

    to: str | None = None
    arch: Path | None = None
    backend: str | None = None
    source_data_format: str | None = None
    data_format: str | None = None
    target_backend: str | None = None
    io_layout: str | None = None
    opset: int | None = None
    passes: Sequence[str] = ()
    fold: bool = True
    plugins: Sequence[Path] = ()
    verify: bool = False
    tolerance: float | None = None
    expect: Path | None = None
    weights_only: bool = False
    weights_layout: str | None = None
    flattened: Mapping[str, tuple[int, int, int]] = {}
    overwrite: bool = False
    durable: bool = False
    refuse_code: bool = False
    dry_run: bool = False
    strict: bool = False
    check: bool = False
    allow_keys: Sequence[str] = ()
    lambdas: Mapping[str, str] = {}
    isolated: bool = False
    external_data: str | bool | None = None
    batch: int | str | None = None
    shapes: Mapping[str, Sequence[int]] = {}
    rename: Mapping[str, str] = {}
    float16: bool = False
    functions: bool = False
    opaque_domain: str = ""
    source_hash: bool = False
    progress: Progress | None = None


ONLY_ONNX: Mapping[str, str] = {
    "external_data": "--external-data",
    "batch": "--batch",
    "rename": "--rename",
    "float16": "--float16",
    "functions": "--functions",
    "opaque_domain": "--opaque-domain",
    "source_hash": "--source-hash",
}
"""Options that say something of ONNX files and of nothing else, and what the command line calls
them."""


def options_of(given: Mapping[str, Any]) -> Options:
    """The record.

    Raises:
        UsageError: There is no such option.
    """
    unknown = sorted(given.keys() - set(Options.__struct_fields__))
    if unknown:
        known = ", ".join(Options.__struct_fields__)
        raise UsageError(f"no option {unknown[0]!r}", hint=f"one of {known}")
    return Options(**given)


def check_for(kind: str, options: Options) -> None:
    """Refuse what would be passed over: options that the kind of target knows nothing of.

    Raises:
        UsageError: There is one.
    """
    if kind == "onnx":
        return
    for name, flag in ONLY_ONNX.items():
        if getattr(options, name):
            raise UsageError(f"{flag} with --to {kind}", hint="it is for ONNX")
