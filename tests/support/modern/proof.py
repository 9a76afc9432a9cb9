"""Whether kerasir computes what a modern Keras predicted: by its reference, and in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import kerasir
from kerasir.ir.check import check
from kerasir.ir.model import Model
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

CLOSE = 1e-5
"""Largest difference allowed, relative to the largest output: Keras computes in float32."""

HALF = 1e-2
"""The same for a file in half precision."""

ANGLES: Mapping[str, int] = {"spectrograms": 5}
"""The output of a case that is an angle: half precision may put one beside the cut a circle off."""

POLICIES = (
    Policy(),
    Policy(order="channels_first"),
    Policy(order="channels_last"),
    Policy(order="channels_first", one_dimensional=True),
)

Arrays = list[np.ndarray]

TYPES: Mapping[str, str] = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    **{f"tensor({name})": name for name in ("int32", "int64", "uint8")},
}


def model_files(folder: Path) -> Iterator[tuple[Path, Path | None]]:
    """The containers of a case, each with the architecture that it needs."""
    for path in sorted(folder.glob("model.*")):
        bare = ".weights." in path.name
        stated = folder / "arch.json"
        yield path, (stated if stated.exists() else folder / "arch.yaml") if bare else None


def data(folder: Path) -> tuple[Arrays, Arrays]:
    """Inputs and predictions."""
    with np.load(folder / "data.npz") as arrays:
        held = dict(arrays)
    return tuple([held[f"{p}{i}"] for i in range(len(held)) if f"{p}{i}" in held]
                 for p in ("in_", "out_"))  # type: ignore[return-value]  # fmt: skip


def wrong(folder: Path, scratch: Path) -> list[str]:
    """What is not as it was predicted, in words; of no container anything, if all is well."""
    inputs, outputs = data(folder)
    found = []
    for path, arch in model_files(folder):
        model = kerasir.load(path, arch=arch)
        for policy in POLICIES:
            found += _compared(
                f"{path.name} {policy.order}", _computed(model, policy, inputs), outputs
            )
        target = scratch / f"{folder.name}-{path.name}.onnx"
        kerasir.save(model, target)
        found += _compared(f"{path.name} ONNX", _in_runtime(target, inputs), outputs)
    kerasir.save(model, target, float16=True, overwrite=True)
    half = _in_runtime(target, inputs)
    if folder.name in ANGLES:
        for arrays in (half, outputs):
            arrays[ANGLES[folder.name]] = np.cos(arrays[ANGLES[folder.name]])
    return [*found, *_compared("float16", half, outputs, HALF)]


def again(written: Path, folder: Path) -> list[str]:
    """What the reference computes otherwise of a file that was written of a case."""
    inputs, outputs = data(folder)
    return list(
        _compared(written.name, _computed(kerasir.load(written), Policy(), inputs), outputs)
    )


def compared(answers: Path, folder: Path) -> list[str]:
    """What a Keras computed otherwise, by the arrays that it left."""
    with np.load(answers) as arrays:
        found = [arrays[f"out_{i}"] for i in range(len(arrays))]
    return list(_compared(answers.name, found, data(folder)[1]))


def _computed(model: Model, policy: Policy, inputs: Arrays) -> Arrays:
    plan = solve(model.graph, policy)
    check(plan)
    return evaluate(plan, inputs)


def _in_runtime(path: Path, inputs: Arrays) -> Arrays:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session: Any = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    fed = {
        port.name: array.astype(TYPES[port.type])
        for port, array in zip(session.get_inputs(), inputs, strict=True)
    }
    found: Arrays = session.run(None, fed)
    return found


def _compared(what: str, found: Arrays, expected: Arrays, within: float = CLOSE) -> Iterator[str]:
    if len(found) != len(expected):
        yield f"{what}: {len(found)} outputs instead of {len(expected)}"
    for index, (mine, genuine) in enumerate(zip(found, expected, strict=False)):
        if mine.shape != genuine.shape:
            yield f"{what}: output {index} of shape {mine.shape} instead of {genuine.shape}"
        elif not (off := _off(mine, genuine)) <= within:
            yield f"{what}: output {index} differs by {off:.1e}"


def _off(mine: np.ndarray, genuine: np.ndarray) -> float:
    a, b = np.float64(mine), np.float64(genuine)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    difference = np.where(same, 0, np.abs(a - b))
    return float(difference.max(initial=0) / max(np.abs(b[np.isfinite(b)]).max(initial=0), 1e-3))
