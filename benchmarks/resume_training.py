"""Whether training goes on after a conversion as it would have gone on before.

    python benchmarks/resume_training.py [--cases cnn,rnn,shared] [--markdown FILE]

Small models without dropout are trained by genuine old Keras with each optimizer and saved. Each is
converted, loaded by the target's genuine Keras, trained on one more batch and saved again; so is
the original by its own Keras. The weights of both must then be the same to 1e-5, as kerasir reads
them, brought into one layout. Interpreters are named as for `old_keras.py`.

On TensorFlow old Keras stores each new weight as soon as it is computed, while the gradients of the
layers before it may still be read from it: what one step gives is a matter of chance, 1e-4 to 4e-3
apart. So its updates are made to wait for one another (`resume_training_child.py`);
`--unordered` leaves them as they are, and `--sources` with `--targets` of one name shows that
a Keras on TensorFlow then does not agree with itself. `--floatx float64` computes in double
precision, to tell rounding from anything else (no convolutions on TensorFlow, which has none).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from old_keras import PLACES, Place, run

import kerasir
from kerasir.errors import KerasirError
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve

CHILD = Path(__file__).resolve().parent / "resume_training_child.py"
TOLERANCE = 1e-5
OPTIMIZERS = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "amsgrad", "Adamax", "Nadam")
CASES: Mapping[str, Sequence[str]] = {
    "cnn": OPTIMIZERS,
    "rnn": ("SGD", "Adam", "amsgrad"),
    "shared": ("RMSprop", "Adam"),
}
"""Models, and the optimizers that each is trained with."""

SOURCES = tuple(f"Keras {v}, {b}" for v in ("1.2.2", "2.2.4") for b in ("Theano", "TensorFlow"))
FORMATS = ("channels_first", "channels_last")


class Trained(NamedTuple):
    """A model that was trained and saved."""

    source: Place
    case: str
    optimizer: str
    path: Path

    @property
    def key(self) -> str:
        return f"{self.source.to}-{self.source.backend}-{self.case}-{self.optimizer}"


def made(source: Place, cases: Sequence[str], work: Path) -> list[Trained]:
    """Train and save in one process; what that Keras cannot make is left out."""
    wanted = [
        Trained(source, case, optimizer, work / f"{source.to}-{case}-{optimizer}.h5")
        for case in cases
        for optimizer in CASES[case]
        if not (optimizer == "amsgrad" and source.to == "keras1")
    ]
    jobs = [
        {"key": t.key, "do": "make", "case": t.case, "optimizer": t.optimizer, "to": str(t.path)}
        for t in wanted
    ]
    answers = answered(source, jobs, work)
    for key, answer in answers.items():
        if "error" in answer:
            print("not made:", key, answer["error"], file=sys.stderr)
    return [t for t in wanted if "error" not in answers.get(t.key, {"error": ""})]


def answered(place: Place, jobs: Sequence[Mapping[str, str]], work: Path) -> dict[str, Any]:
    """What a genuine Keras answers to each job."""
    found = run(place, os.environ[place.variable], jobs, work, child=CHILD)
    return {answer["key"]: answer for answer in found}


def stepped(
    place: Place, files: Mapping[str, Path], work: Path, suffix: str
) -> Iterator[tuple[str, Path | str]]:
    """Each file after one more batch, or what went wrong."""
    jobs = [
        {"key": key, "do": "step", "from": str(path), "to": f"{path}.{suffix}.h5"}
        for key, path in files.items()
    ]
    answers = answered(place, jobs, work)
    for job in jobs:
        answer = answers.get(job["key"], {"error": "the process ended"})
        yield job["key"], answer["error"] if "error" in answer else Path(job["to"])


def weights(path: Path, backend: str) -> dict[str, np.ndarray]:
    """All weights by name, channels last, kernels not reversed."""
    model = kerasir.load(path, backend=backend)
    plan = solve(model.graph, Policy(order="channels_last"))
    found: dict[str, np.ndarray] = {}
    for settled in plan.settled:
        for port, param in settled.node.params.items():
            found[f"{settled.node.name}/{port}"] = param.numpy(settled.params[port])
    return found


STATISTICS = ("/mean", "/variance")
"""Moving statistics, which no optimizer touches and each Keras sums up in its own way: Keras 1 the
batch's own variance, later ones the unbiased one; Keras 2.2 on TensorFlow begins the mean anew."""


def deviation(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> float:
    """The largest difference of a number, relative to the largest number of its weight."""
    if one.keys() != other.keys():
        raise ValueError(f"weights differ: {sorted(one.keys() ^ other.keys())}")
    return max(
        float(np.abs(one[name] - other[name]).max() / max(1.0, np.abs(one[name]).max()))
        for name in one
        if not name.endswith(STATISTICS)
    )


def resumed(models: Sequence[Trained], target: Place, work: Path) -> Iterator[tuple[str, ...]]:
    """Each model in one target, in both orders."""
    for data_format in FORMATS:
        files: dict[str, Path] = {}
        for model in models:
            path = work / f"{model.key}-to-{target.title.replace(' ', '')}-{data_format}.h5"
            try:
                kerasir.convert(
                    model.path,
                    path,
                    to=target.to,
                    data_format=data_format,
                    target_backend=target.backend,
                    io_layout="keep",
                )
                files[model.key] = path
            except KerasirError as error:
                yield model.key, data_format, f"refused: {error}"
        for key, after in stepped(target, files, work, "after"):
            original = next(model for model in models if model.key == key)
            if isinstance(after, str):
                yield key, data_format, f"failed: {after}"
                continue
            goal = weights(Path(f"{original.path}.own.h5"), original.source.backend)
            begin = weights(original.path, original.source.backend)
            found = deviation(goal, weights(after, target.backend))
            moved = deviation(goal, begin) > 10 * TOLERANCE  # else a step proves nothing
            word = "yes" if found <= TOLERANCE and moved else "NO"
            yield key, data_format, f"{word} {found:.0e}"


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--sources", default="")
    parser.add_argument("--targets", default="")
    parser.add_argument("--floatx", default="float32")
    parser.add_argument("--unordered", action="store_true")
    parser.add_argument("--markdown")
    options = parser.parse_args()
    os.environ["KERASIR_READ_BEFORE_WRITE"] = "" if options.unordered else "yes"
    known = [
        place._replace(floatx=options.floatx) for place in PLACES if os.environ.get(place.variable)
    ]
    lines = ["| trained by | model | optimizer | resumed by | written as | the same weights |"]
    lines.append("|---|---|---|---|---|---|")
    print(*lines, sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for source in known:
            if source.title not in SOURCES or options.sources not in source.title:
                continue
            models = made(source, options.cases.split(","), work)
            own = dict(stepped(source, {m.key: m.path for m in models}, work, "own"))
            models = [model for model in models if isinstance(own[model.key], Path)]
            for target in known:
                if options.targets not in target.title:
                    continue
                for key, data_format, outcome in resumed(models, target, work):
                    *_, case, optimizer = key.split("-")
                    cells = (source.title, case, optimizer, target.title, data_format, outcome)
                    lines.append("| " + " | ".join(cells) + " |")
                    print(lines[-1], flush=True)
    if options.markdown:
        Path(options.markdown).write_text("\n".join(lines) + "\n")
    return int(any("| NO" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
