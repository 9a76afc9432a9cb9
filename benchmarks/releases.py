"""Whether files of the releases between are read and converted right.

    python tests/data/make_tf_keras FOLDER          # by each Python that has a TensorFlow
    python tests/support/modern/worker.py keras FOLDER/keras3.x.y    # and by each that has Keras 3
    python benchmarks/releases.py FOLDER/* [-v] [--write docs/releases.md]

Every folder of models is a row: each container is read, computed by the reference with channels
where the author has them and first, run by ONNX Runtime, and converted to HDF5 and to `.keras`,
which are read again. `right` is within 1e-5 of the genuine prediction, relative to the largest
output; 1e-2 for the models in half precision. What the release could not save or predict is not
counted. `--load PYTHON` gives what was converted to a genuine Keras (see `releases_child.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measuring import replace_table

import kerasir
from kerasir.errors import KerasirError
from kerasir.ir.model import Model
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

CLOSE, HALF = 1e-5, 1e-2
IN_HALF = ("mixed_", "opt_loss_scale")
WEIGHTS = {"weights.h5", "weights.hdf5", "model.weights.h5"}
WAYS = ("read", "channels first", "ONNX", "to HDF5", "to `.keras`")
Arrays = list[np.ndarray]


class Outcome(NamedTuple):
    """What came of one way for one model: `right`, `wrong` or `refused`, and why."""

    case: str
    way: str
    word: str
    reason: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description="Files of the releases between.")
    parser.add_argument("folders", nargs="+", type=Path, help="each holds one release's models")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what is not right")
    parser.add_argument("--write", type=Path, help="replace the table of this document")
    parser.add_argument("--load", help="a Python whose Keras loads what is converted")
    parser.add_argument("--kind", choices=("h5", "keras"), default="h5", help="what it loads")
    arguments = parser.parse_args()
    if arguments.load:
        loaded(arguments.folders, arguments.load, arguments.kind)
        return
    lines = ["| written by | models | " + " | ".join(WAYS) + " |", "|---" * (2 + len(WAYS)) + "|"]
    for folder in sorted(arguments.folders, key=release):
        cases = [case for case in sorted(folder.iterdir()) if usable(case)]
        outcomes = [outcome for case in cases for outcome in outcomes_of(case)]
        cells = [counted([o for o in outcomes if o.way == way]) for way in WAYS]
        lines.append(f"| {folder.name} | {len(cases)} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
        if arguments.verbose:
            for outcome in outcomes:
                if outcome.word != "right":
                    print("  ", outcome.case, outcome.way, outcome.word, outcome.reason[:200])
    text = "\n".join(lines)
    print(text)
    if arguments.write:
        replace_table(arguments.write, "releases.py", text)


def release(folder: Path) -> tuple[str, tuple[int, ...]]:
    """The library, and its release in numbers."""
    name = folder.name.split("-")[0]
    library = name.rstrip("0123456789.")
    return library, tuple(int(part) for part in name[len(library) :].split(".") if part)


def files(case: Path) -> list[tuple[Path, Path | None]]:
    """The containers of a case, whole models first, weights with each architecture."""
    found: list[tuple[Path, Path | None]] = []
    for path in sorted(case.glob("*.*")):
        if path.name in WEIGHTS:
            found += [(path, arch) for arch in sorted(case.glob("arch.*"))]
        elif path.suffix in {".h5", ".keras"}:
            found.append((path, None))
    return sorted(found, key=lambda pair: pair[1] is not None)


def usable(case: Path) -> bool:
    """Whether the release could save the model, and predict with it numbers from numbers."""
    if not (case / "data.npz").exists() or not files(case):
        return False
    try:
        return bool(data(case)[1])
    except ValueError:  # texts
        return False


def data(case: Path) -> tuple[Arrays, Arrays]:
    """Inputs and genuine predictions."""
    with np.load(case / "data.npz") as arrays:
        held = dict(arrays)
    count = range(len(held))
    inputs, outputs = ([held[f"{p}{i}"] for i in count if f"{p}{i}" in held]
                       for p in ("in_", "out_"))  # fmt: skip
    return inputs, outputs


def outcomes_of(case: Path) -> list[Outcome]:
    """What becomes of a model by every way."""
    inputs, outputs = data(case)
    close = HALF if case.name.startswith(IN_HALF) else CLOSE
    whole, arch = files(case)[0]

    def read() -> list[Arrays]:
        # an architecture of Keras 3 alone does not say its release
        told = [(p, a) for p, a in files(case) if a is None or "keras_version" in a.read_text()]
        return [computed(kerasir.load(path, arch=a), Policy(), inputs) for path, a in told]

    def first() -> list[Arrays]:
        return [computed(kerasir.load(whole, arch=arch), Policy(order="channels_first"), inputs)]

    def again(suffix: str) -> list[Arrays]:
        with tempfile.TemporaryDirectory(prefix="kerasir-releases-") as scratch:
            target = Path(scratch) / f"model{suffix}"
            said = {} if arch is None else {"arch": arch}
            kept = {} if suffix == ".onnx" else {"data_format": "keep"}
            kerasir.convert(whole, target, **kept, **said)
            if suffix == ".onnx":
                return [in_runtime(target, inputs)]
            return [computed(kerasir.load(target), Policy(), inputs)]

    ways: dict[str, Callable[[], list[Arrays]]] = {
        "read": read, "channels first": first, "ONNX": lambda: again(".onnx"),
        "to HDF5": lambda: again(".h5"), "to `.keras`": lambda: again(".keras"),
    }  # fmt: skip
    return [outcome(case.name, way, make, outputs, close) for way, make in ways.items()]


def outcome(
    case: str, way: str, make: Callable[[], list[Arrays]], outputs: Arrays, close: float
) -> Outcome:
    try:
        found = make()
    except KerasirError as error:
        return Outcome(case, way, "refused", str(error).split(": ", 1)[-1])
    worst = max(difference(arrays, outputs) for arrays in found)
    return Outcome(case, way, "right" if worst <= close else "wrong", f"{worst:.1e}")


def computed(model: Model, policy: Policy, inputs: Arrays) -> Arrays:
    return evaluate(solve(model.graph, policy), inputs)


def in_runtime(path: Path, inputs: Arrays) -> Arrays:
    """What ONNX Runtime computes; states of stateful layers begin with zeros."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": "f4", "tensor(float16)": "f2", "tensor(double)": "f8",
             "tensor(bool)": "?", "tensor(int32)": "i4", "tensor(int64)": "i8"}  # fmt: skip
    ports = session.get_inputs()
    fed = {p.name: x.astype(kinds[p.type]) for p, x in zip(ports, inputs, strict=False)}
    fed |= {p.name: np.zeros(p.shape, kinds[p.type]) for p in ports[len(inputs) :]}
    found: Arrays = session.run(None, fed)
    return found[: len(found) - len(ports) + len(inputs)]


def difference(found: Arrays, outputs: Arrays) -> float:
    """The largest one, relative to each output's largest magnitude; infinite for another shape."""
    if [a.shape for a in found] != [b.shape for b in outputs]:
        return float("inf")
    worst = 0.0
    for mine, genuine in zip(found, outputs, strict=True):
        a, b = np.float64(mine), np.float64(genuine)
        off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
        largest = max(np.abs(b[np.isfinite(b)]).max(initial=0), 1e-3)
        worst = max(worst, float(np.nan_to_num(off, nan=np.inf).max(initial=0)) / largest)
    return worst


def counted(outcomes: Sequence[Outcome]) -> str:
    """Such as `58 right, 2 refused`."""
    words = Counter(one.word for one in outcomes)
    return ", ".join(f"{words[word]} {word}" for word in ("right", "wrong", "refused")
                     if words[word] or word == "right")  # fmt: skip


def loaded(folders: Sequence[Path], python: str, kind: str) -> None:
    """Convert whole models and have a genuine Keras load them and predict."""
    with tempfile.TemporaryDirectory(prefix="kerasir-releases-") as scratch:
        jobs, refused = Path(scratch) / "jobs.jsonl", 0
        with jobs.open("w") as lines:
            for number, case in enumerate(c for f in folders for c in sorted(f.iterdir())):
                if not usable(case):
                    continue
                target, (whole, arch) = Path(scratch) / f"{number}.{kind}", files(case)[0]
                said = {} if arch is None else {"arch": arch}
                try:
                    kerasir.convert(whole, target, data_format="keep", **said)
                except KerasirError:
                    refused += 1
                    continue
                job = {"id": f"{case.parent.name}/{case.name}", "model": str(target),
                       "data": str((case / "data.npz").resolve())}  # fmt: skip
                lines.write(json.dumps(job) + "\n")
        child = Path(__file__).with_name("releases_child.py")
        library = "tensorflow" if kind == "h5" else "keras"
        command = [python, str(child), library, str(jobs)]
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(command, check=True, env=quiet, stdout=sys.stdout)
        print(f"refused by kerasir: {refused}")


if __name__ == "__main__":
    main()
