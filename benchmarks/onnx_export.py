"""ONNX files of kerasir beside those of tf2onnx and of Keras 3's own export.

    python benchmarks/onnx_export.py FOLDER [NAME …] [--others PYTHON] [--jax PYTHON]
        [--results FILE.json] [--repeats N] [--patience SECONDS]
        [--no-latency | --no-conversion] [--write docs/onnx.md]

FOLDER has models and answers that `benchmarks/applications.py` made. `--others` names an
interpreter with tf2onnx, tf-keras and Keras 3 (which exports by tf2onnx where it runs on
TensorFlow), `--jax` one with Keras 3, JAX and jax2onnx. For each model: nodes, Transposes, size of
the file, processor time, wall time and peak memory of the conversion, each a process of its own
with start-up included; the error of each file in ONNX Runtime against what the genuine Keras
predicted, relative to the largest output; and the latency of both files with two threads. Runs are
taken in turn (kerasir, the other, kerasir again), each round beginning with the next of them, so
that other work on the machine meets all alike, and the shortest counts: whatever else runs can but
lengthen one. `noise` is how far kerasir's two shortest are apart. `work` is the processor time of
a run with one thread, of which other work takes little. Conversions are taken in turn as well; what
they take is the median of as many as `--repeats` says (5); of one way, which may take minutes each
time, no further one is begun when `--patience` is used up. What the others take is kept in the
results, and done once.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from measuring import (
    KERASIR,
    CommandError,
    alone,
    installed,
    read_results,
    replace_table,
    where_and_when,
)
from onnx_tables import NONE, Record, count, tables

RUNS: Mapping[int, int] = {1: 45, 8: 15}
"""How often each batch is run, after a first time."""

COSTS = ("wall", "cpu", "mb")
"""Of a conversion: seconds by the clock and of the processor, and the most memory."""

LEAST_RUNS, ENOUGH = 5, 10.0
"""After so many seconds no further run is begun, if there were so many."""

OPSET = 17

TF2ONNX = """
import tensorflow as tf, tf2onnx, tf_keras
from tf_keras.src.applications import convnext, inception_resnet_v2
own = {"LayerScale": convnext.LayerScale, "StochasticDepth": convnext.StochasticDepth}
own["CustomScaleLayer"] = getattr(inception_resnet_v2, "CustomScaleLayer", None)
model = tf_keras.models.load_model(SOURCE, compile=False, custom_objects=own)
inputs = [tf.TensorSpec((None, *x.shape[1:]), x.dtype, name=x.name) for x in model.inputs]
tf2onnx.convert.from_keras(model, input_signature=inputs, opset=OPSET, output_path=TARGET)
"""

KERAS3 = """
import keras, numpy
model = keras.saving.load_model(SOURCE, compile=False)
model(numpy.zeros((1, *model.input_shape[1:]), "float32"))
model.export(TARGET, format="onnx", opset_version=OPSET, verbose=False)
"""


class Other(NamedTuple):
    """Another converter: which files it takes, what it runs, on which backend of Keras."""

    name: str
    suffix: str
    code: str
    backend: str = "tensorflow"


class Patience(NamedTuple):
    """How often a conversion is repeated, and after how many seconds not again."""

    repeats: int
    seconds: float


OTHERS = (
    Other("tf2onnx", ".h5", TF2ONNX),
    Other("Keras 3, TensorFlow", ".keras", KERAS3),
    Other("Keras 3, JAX", ".keras", KERAS3, "jax"),
)


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--others", help="a Python with tf2onnx, tf-keras and Keras 3")
    parser.add_argument("--jax", help="a Python with Keras 3, JAX and jax2onnx")
    parser.add_argument("--results", type=Path, default=Path("onnx_export.json"))
    parser.add_argument("--repeats", type=int, default=5, help="how often each converts")
    parser.add_argument(
        "--patience", type=float, default=120, help="seconds for each of the others"
    )
    parser.add_argument("--no-latency", action="store_true", help="convert alone")
    parser.add_argument("--no-conversion", action="store_true", help="run what was converted")
    parser.add_argument("--write", type=Path, help="replace the tables of this document")
    given = parser.parse_intermixed_args()
    known: dict[str, Record] = read_results(given.results)
    suffixes = {other.suffix for other in OTHERS}
    paths = [given.folder / name for name in given.names] or sorted(
        path for suffix in suffixes for path in given.folder.glob(f"*{suffix}")
    )
    pythons = {"tensorflow": given.others, "jax": given.jax}
    for path in paths:
        record = known.setdefault(path.name, {})
        patience = Patience(given.repeats, given.patience)
        if not given.no_conversion:
            convert(path, record, pythons, patience, again=not given.no_latency)
        run(path, record, latency=not given.no_latency)
        given.results.write_text(json.dumps(known, indent=1))
        print(f"{path.name}: {_sentence(record)}", file=sys.stderr, flush=True)
    names = {one.suffix: [other.name for other in of_suffix(one.suffix)] for one in OTHERS}
    text = "\n".join(tables(known, names, tuple(RUNS))).strip()
    print(text)
    if given.write:
        replace_table(given.write, "onnx_export.py", f"{where_and_when()}\n\n{text}")


def convert(
    path: Path,
    record: Record,
    pythons: Mapping[str, str | None],
    patience: Patience,
    *,
    again: bool,
) -> None:
    """Convert one model in all ways there are: by kerasir, by each of the others, and so on.

    Args:
        path: Of the model.
        record: What is known of it, which is added to.
        pythons: Interpreters by Keras' backend.
        patience: Of each way.
        again: Whether files of others that are known but are not there are made once more.
    """
    mine = path.with_name(f"{path.name}.kerasir.onnx")
    command = [*KERASIR, "convert", "--overwrite", "--quiet", str(path), str(mine)]
    ways = {"kerasir": partial(converted, command, mine)}
    done = record.setdefault("others", {})
    earlier: dict[str, Sequence[Record]] = {}
    for other in of_suffix(path.suffix):
        target, known = written_by(other, path), done.get(other.name, NONE)
        python = pythons[other.backend]
        lost = again and "nodes" in known and not target.exists()
        few = "failed" not in known and known.get("runs", 0) < patience.repeats
        if python and (few or lost):
            head = f"SOURCE, TARGET, OPSET = {str(path)!r}, {str(target)!r}, {OPSET}\n"
            call = [python, "-c", head + other.code]
            ways[other.name] = partial(converted, call, target, other.backend)
            takes = known.get("takes", ())
            earlier[other.name] = takes[: patience.repeats - 1] if lost else takes
    found = in_turn(ways, patience, earlier)
    record["kerasir"] = found.pop("kerasir")
    done.update(found)


def run(path: Path, record: Record, *, latency: bool) -> None:
    """Run the files that were made of one model: kerasir's error, and how fast they are."""
    mine = path.with_name(f"{path.name}.kerasir.onnx")
    answers = path.with_name(path.name + ".npz")
    if not answers.exists() or "nodes" not in record["kerasir"]:
        return
    held = np.load(answers)
    record["error"] = error(mine, held)
    for other in of_suffix(path.suffix):
        target, known = written_by(other, path), record["others"].get(other.name, NONE)
        if "nodes" in known and target.exists():
            with suppress(Exception):  # the other's file need not be valid
                known["error"] = error(target, held)
            if latency:
                found = latencies(mine, target, held["x"])
                record.setdefault("latency", {})[other.name] = found


def error(path: Path, held: Mapping[str, Any]) -> float:
    """How far a file is from the genuine prediction, relative to its largest number."""
    y = session(path)(held["x"])
    return float(np.abs(y - held["y"]).max() / np.abs(held["y"]).max())


def written_by(other: Other, path: Path) -> Path:
    """Where the file of another converter lies."""
    return path.with_name(f"{path.name}.{other.name.replace(', ', '_')}.onnx")


def in_turn(
    ways: Mapping[str, Callable[[], Record]],
    patience: Patience,
    earlier: Mapping[str, Sequence[Record]],
) -> dict[str, Record]:
    """What each way of converting takes: medians of several, those taken earlier included."""
    takes = {name: list(earlier.get(name, ())) for name in ways}
    spent = dict.fromkeys(ways, 0.0)
    for _ in range(patience.repeats):
        for name, way in ways.items():
            failed = any("failed" in take for take in takes[name])
            enough = len(takes[name]) >= patience.repeats or spent[name] > patience.seconds
            if not failed and not enough:
                start = time.monotonic()
                takes[name].append(way())
                spent[name] += time.monotonic() - start
    return {name: _together(several) for name, several in takes.items()}


def _together(takes: Sequence[Record]) -> Record:
    """What the file holds, each conversion's costs, and their medians."""
    costs = [{key: take[key] for key in COSTS} for take in takes if "cpu" in take]
    found = {key: value for take in takes for key, value in take.items()}
    if costs:
        found |= {key: statistics.median(cost[key] for cost in costs) for key in COSTS}
    return {**found, "runs": len(costs), "takes": costs}


def of_suffix(suffix: str) -> list[Other]:
    """The converters of such files."""
    return [other for other in OTHERS if other.suffix == suffix]


def converted(command: Sequence[str], target: Path, backend: str = "tensorflow") -> Record:
    """What a conversion takes, and what comes of it."""
    environment = {**installed(), "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""}
    try:
        run = alone(command, environment)
        counts = Counter(node.op_type for node in onnx.load(target).graph.node)
    except (CommandError, FileNotFoundError) as error:
        return {"failed": str(error)[-200:]}
    beside = target.with_name(f"{target.name}.data")
    return {
        "wall": run.seconds,
        "cpu": run.cpu,
        "mb": run.peak / 1e6,
        "bytes": target.stat().st_size + (beside.stat().st_size if beside.exists() else 0),
        "nodes": dict(counts.most_common()),
    }


def session(path: Path, threads: int = 2) -> Callable[[Any], Any]:
    """A model, ready to run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    model = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    name = model.get_inputs()[0].name
    return lambda x: model.run(None, {name: x})[0]


def latencies(mine: Path, other: Path, x: Any) -> Record:
    """Milliseconds by batch, and of work: kerasir's, the other's, kerasir's again."""
    found = Record()
    try:
        for threads, clock in ((2, time.perf_counter), (1, time.process_time)):
            a, b = session(mine, threads), session(other, threads)
            for batch, runs in RUNS.items():
                fed = np.resize(x, (batch, *x.shape[1:]))
                key = str(batch) if threads > 1 else f"work {batch}"
                found[key] = shortest((a, b, a), fed, runs, clock)
    except Exception as error:  # the other's file need not be valid
        return {"failed": f"{type(error).__name__}: {error}"[:200]}
    return found


def shortest(
    models: Sequence[Callable[[Any], Any]], fed: Any, runs: int, clock: Callable[[], float]
) -> list[float]:
    """Milliseconds of each one's shortest run, taken in turn."""
    times = [math.inf] * len(models)
    begun = time.monotonic()
    for run in range(runs + 1):
        if run > LEAST_RUNS and time.monotonic() - begun > ENOUGH:
            break
        for place in range(len(models)):
            turn = (place + run) % len(models)
            start = clock()
            models[turn](fed)
            if run:
                times[turn] = min(times[turn], 1e3 * (clock() - start))
    return times


def _sentence(record: Record) -> str:
    sides = {"kerasir": record["kerasir"], **record.get("others", {})}
    parts = [f"{name}: {count(side)} nodes" for name, side in sides.items()]
    if "error" in record:
        parts.append(f"error {record['error']:.0e}")
    parts += [
        f"{name} failed: {side['failed']}" for name, side in sides.items() if "failed" in side
    ]
    return "; ".join(parts)


if __name__ == "__main__":
    main()
