"""Convert the genuine models in tests/data for old Keras, and have genuine old Keras predict them.

    python benchmarks/old_keras.py [FIXTURE...] [--only TARGET] [--json FILE] [--markdown FILE]

Each interpreter that is named in the environment is tried; the others are left out:

    KERASIR_KERAS122_THEANO_PYTHON       Keras 1.2.2, Theano       --to keras1
    KERASIR_KERAS122_TENSORFLOW_PYTHON   Keras 1.2.2, TensorFlow   --to keras1
    KERASIR_KERAS208_THEANO_PYTHON       Keras 2.0.8, Theano       --to keras2.0
    KERASIR_KERAS224_THEANO_PYTHON       Keras 2.2.4, Theano       --to keras2, keras2.2
    KERASIR_KERAS231_THEANO_PYTHON       Keras 2.3.1, Theano       --to keras2, keras2.2
    KERASIR_KERAS224_TENSORFLOW_PYTHON   Keras 2.2.4, TensorFlow   --to keras2, keras2.2
    KERASIR_TF_KERAS_PYTHON              tf-keras                  --to keras2

Those on Theano are given kernels for Theano (`--target-backend theano`).
Every fixture is converted to channels_first and to channels_last, its inputs and outputs in their
own order, loaded there, and its predictions are compared with those that its own Keras made.
Theano's pure Python mode does for it, and is slow: some minutes per interpreter.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import kerasir
from kerasir.errors import KerasirError

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "data" / "fixtures"
CHILD = Path(__file__).resolve().parent / "old_keras_child.py"
TOLERANCE = 1e-5
THEANO = "cxx=,optimizer_excluding=AbstractConvCheck,optimizer=fast_compile,device=cpu"
SETTINGS = {"epsilon": 1e-7, "image_data_format": "channels_last", "image_dim_ordering": "tf"}
"""What keras.json says where nobody wrote one; Keras 1 and 2 call the order by two names."""


class Place(NamedTuple):
    """An interpreter, and what is written for it."""

    title: str
    variable: str
    to: str
    backend: str
    floatx: str = "float32"


PLACES = (
    Place("Keras 1.2.2, Theano", "KERASIR_KERAS122_THEANO_PYTHON", "keras1", "theano"),
    Place("Keras 1.2.2, TensorFlow", "KERASIR_KERAS122_TENSORFLOW_PYTHON", "keras1", "tensorflow"),
    Place("Keras 2.0.8, Theano", "KERASIR_KERAS208_THEANO_PYTHON", "keras2.0", "theano"),
    Place("Keras 2.2.4, Theano", "KERASIR_KERAS224_THEANO_PYTHON", "keras2", "theano"),
    Place("Keras 2.3.1, Theano", "KERASIR_KERAS231_THEANO_PYTHON", "keras2", "theano"),
    Place("Keras 2.2.4, TensorFlow", "KERASIR_KERAS224_TENSORFLOW_PYTHON", "keras2", "tensorflow"),
    *(
        Place(f"Keras {version}, {backend} (keras2.2)", variable, "keras2.2", backend.lower())
        for version, backend, variable in (
            ("2.2.4", "Theano", "KERASIR_KERAS224_THEANO_PYTHON"),
            ("2.3.1", "Theano", "KERASIR_KERAS231_THEANO_PYTHON"),
            ("2.2.4", "TensorFlow", "KERASIR_KERAS224_TENSORFLOW_PYTHON"),
        )
    ),
    Place("tf-keras", "KERASIR_TF_KERAS_PYTHON", "keras2", "tensorflow"),
)
FORMATS = ("channels_first", "channels_last")


class Result(NamedTuple):
    """What came of one fixture in one place."""

    place: str
    data_format: str
    fixture: str
    outcome: str
    detail: str


def fixtures(named: Sequence[str]) -> Iterator[Path]:
    """The models whose predictions are known, oldest era first; none with a class of its author."""
    for folder in sorted(path.parent for path in FIXTURES.glob("*/*/data.npz")):
        if json.loads((folder / "meta.json").read_text()).get("custom_objects"):
            continue
        if not named or any(name in str(folder) for name in named):
            yield folder


def source_of(folder: Path) -> dict[str, Any]:
    """What is converted: the whole model, or weights with their architecture."""
    for name in ("model.h5", "model.keras"):
        if (folder / name).exists():
            return {"source": folder / name}
    return {"source": folder / "weights.h5", "arch": folder / "arch.json"}


TOLD = frozenset({"KX301", "KX302", "KN302"})
"""Events that say that some version of the target lacks a layer, or computes it otherwise."""


def convert(
    folder: Path, place: Place, data_format: str, target: Path
) -> tuple[str | None, frozenset[str]]:
    """Write one file; the reason if that is refused, and codes of the report."""
    options: dict[str, Any] = {}
    if folder.parent.name.startswith("keras0"):
        options["backend"] = "theano"
    if folder.parent.name.startswith(("keras0", "keras1")):
        first = folder.name.endswith("_th")
        options["source_data_format"] = "channels_first" if first else "channels_last"
    given = source_of(folder)
    try:
        done = kerasir.convert(
            given.pop("source"),
            target,
            to=place.to,
            data_format=data_format,
            target_backend=place.backend,
            io_layout="keep",
            **given,
            **options,
        )
    except KerasirError as error:
        return str(error), frozenset()
    return None, frozenset(event.code for event in done.report.events)


def setting(fixture: Path, place: Place, data_format: str) -> str:
    """What keras.json says there: a file for Keras 1 states its order and must not care.

    Not one of its own era, which is as silent as it was; and recurrent layers of Keras 2 add their
    biases as this setting says (2.0.8 `layers/recurrent.py` `_time_distributed_dense`), which is
    channels_last on TensorFlow.
    """
    if place.to != "keras1" and place.backend == "tensorflow":
        return "channels_last"
    if place.to != "keras1" or fixture.parent.name.startswith("keras1."):
        return data_format
    return next(other for other in FORMATS if other != data_format)


def run(
    place: Place,
    python: str,
    jobs: Sequence[Mapping[str, str]],
    work: Path,
    child: Path = CHILD,
) -> Iterator[Any]:
    """Predict all files in one process of old Keras; answers come line by line."""
    listed = work / "jobs.json"
    listed.write_text(json.dumps(jobs))
    settings = work / "home" / ".keras" / "keras.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({**SETTINGS, "floatx": place.floatx, "backend": place.backend}))
    environment = {
        **os.environ,
        "HOME": str(work / "home"),
        "KERAS_BACKEND": place.backend,
        "THEANO_FLAGS": f"{THEANO},floatX={place.floatx}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }
    module = "tf_keras" if place.title == "tf-keras" else "keras"
    command = [python, "-W", "ignore", str(child), module, str(listed)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            yield json.loads(line)
    process.wait()


def measure(place: Place, named: Sequence[str]) -> Iterator[Result]:
    """One place with all fixtures in both orders."""
    python = os.environ[place.variable]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        jobs: list[dict[str, str]] = []
        warned: set[str] = set()
        for data_format in FORMATS:
            for fixture in fixtures(named):
                name = f"{fixture.parent.name}/{fixture.name}"
                target = work / f"{data_format}-{name.replace('/', '-')}.h5"
                refused, codes = convert(fixture, place, data_format, target)
                if refused is not None:
                    yield Result(place.title, data_format, name, "refused", refused)
                    continue
                key = f"{data_format} {name}"
                warned |= {key} if codes & TOLD else set()
                jobs.append({
                    "key": key,
                    "file": str(target),
                    "data": str(fixture / "data.npz"),
                    "setting": setting(fixture, place, data_format),
                })
        while jobs:
            for answer in run(place, python, jobs, work):
                data_format, name = answer["key"].split(" ")
                outcome, detail = judged(answer)
                if outcome != "right" and answer["key"] in warned:
                    outcome = "told"
                yield Result(place.title, data_format, name, outcome, detail)
                jobs.pop(0)
            if jobs:  # the process ended at this one
                data_format, name = jobs.pop(0)["key"].split(" ")
                yield Result(place.title, data_format, name, "failed", "the process ended")


def judged(answer: Mapping[str, Any]) -> tuple[str, str]:
    """An outcome from what the child tells."""
    if "error" in answer:
        return "failed", answer["error"]
    deviation = answer["deviation"]
    return ("right" if deviation <= TOLERANCE else "wrong"), f"{deviation:.1e}"


def table(results: Sequence[Result]) -> Iterator[str]:
    """A line per place and order."""
    yield (
        "| loaded by | written as | within 1e-5 | refused by name | told to need a later Keras "
        "| not loaded | wrong |"
    )
    yield "|---|---|---|---|---|---|---|"
    for place in dict.fromkeys(r.place for r in results):
        for data_format in FORMATS:
            mine = [r for r in results if (r.place, r.data_format) == (place, data_format)]
            count = Counter(r.outcome for r in mine)
            cells = [count[word] for word in ("right", "refused", "told", "failed", "wrong")]
            yield f"| {place} | {data_format} | " + " | ".join(map(str, cells)) + " |"


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("fixtures", nargs="*")
    parser.add_argument("--only", default="")
    parser.add_argument("--json")
    parser.add_argument("--markdown")
    options = parser.parse_args()
    results: list[Result] = []
    for place in PLACES:
        if os.environ.get(place.variable) and options.only in place.title:
            for result in measure(place, options.fixtures):
                results.append(result)
                if result.outcome != "right":
                    print(*result, file=sys.stderr, flush=True)
    lines = list(table(results))
    print(*lines, sep="\n")
    if options.json:
        Path(options.json).write_text(json.dumps([r._asdict() for r in results], indent=1))
    if options.markdown:
        Path(options.markdown).write_text("\n".join(lines) + "\n")
    return int(any(r.outcome == "wrong" for r in results))


if __name__ == "__main__":
    sys.exit(main())
