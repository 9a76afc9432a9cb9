"""ONNX files of kerasir beside those of tf2onnx and of Keras 3's own export.

    python benchmarks/onnx_export.py FOLDER [NAME …] --others PYTHON [--results FILE.json]

FOLDER has models and answers that `benchmarks/applications.py` made, PYTHON is an interpreter with
tf2onnx, tf-keras and Keras 3. For each model: nodes, Transposes, size of the file, processor time,
wall time and peak memory of the conversion, each a process of its own with start-up included; the
error of kerasir's file in ONNX Runtime against what the genuine Keras predicted, relative to the
largest output; and the latency of both files with two threads. Latencies are medians, taken in turn
(kerasir, the other, kerasir again), so that other work on the machine meets both alike; `noise` is
how far kerasir's two medians are apart. What the others take is kept in the results, and done once.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from measuring import KERASIR, CommandError, alone, installed

RUNS: Mapping[int, int] = {1: 9, 8: 5}
"""How often each batch is run, after a first time."""

CONVERSIONS = 5
"""How often kerasir converts; the median counts. The others do it once."""

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

OTHERS = {".h5": ("tf2onnx", TF2ONNX), ".keras": ("Keras 3", KERAS3)}

ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", **installed(), "CUDA_VISIBLE_DEVICES": ""}

Record = dict[str, Any]


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--others", help="a Python with tf2onnx, tf-keras and Keras 3")
    parser.add_argument("--results", type=Path, default=Path("onnx_export.json"))
    given = parser.parse_args()
    known: dict[str, Record] = (
        json.loads(given.results.read_text()) if given.results.exists() else {}
    )
    paths = [given.folder / name for name in given.names] or sorted(
        path for suffix in OTHERS for path in given.folder.glob(f"*{suffix}")
    )
    for path in paths:
        record = known.setdefault(path.name, {})
        measure(path, record, given.others)
        given.results.write_text(json.dumps(known, indent=1))
        print(f"{path.name}: {_sentence(record)}", file=sys.stderr, flush=True)
    for line in tables({path.name: known[path.name] for path in paths}):
        print(line)


def measure(path: Path, record: Record, python: str | None) -> None:
    """Convert and run one model in all ways there are."""
    mine, other = (path.with_name(f"{path.name}.{who}.onnx") for who in ("kerasir", "other"))
    command = [*KERASIR, "convert", str(path), str(mine)]
    takes = [converted([*command, "--overwrite", "--quiet"], mine) for _ in range(CONVERSIONS)]
    costs = {key: [take[key] for take in takes if key in take] for key in ("wall", "cpu", "mb")}
    medians = {key: statistics.median(values) for key, values in costs.items() if values}
    record["kerasir"] = {**takes[0], **medians}
    name, code = OTHERS[path.suffix]
    if python and ("other" not in record or ("nodes" in record["other"] and not other.exists())):
        head = f"SOURCE, TARGET, OPSET = {str(path)!r}, {str(other)!r}, {OPSET}\n"
        record["other"] = {"name": name, **converted([python, "-c", head + code], other)}
    answers = path.with_name(path.name + ".npz")
    if answers.exists() and "nodes" in record["kerasir"]:
        held = np.load(answers)
        y = session(mine)(held["x"])
        record["error"] = float(np.abs(y - held["y"]).max() / np.abs(held["y"]).max())
        if "nodes" in record.get("other", {}):
            record["latency"] = latencies(mine, other, held["x"])


def converted(command: Sequence[str], target: Path) -> Record:
    """What a conversion takes, and what comes of it."""
    try:
        run = alone(command, ENVIRONMENT)
        counts = Counter(node.op_type for node in onnx.load(target).graph.node)
    except (CommandError, FileNotFoundError) as error:
        return {"failed": str(error)[-200:]}
    return {
        "wall": run.seconds,
        "cpu": run.cpu,
        "mb": run.peak / 1e6,
        "bytes": target.stat().st_size,
        "nodes": dict(counts.most_common()),
    }


def session(path: Path) -> Callable[[Any], Any]:
    """A model, ready to run with two threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 2, 3
    model = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    name = model.get_inputs()[0].name
    return lambda x: model.run(None, {name: x})[0]


def latencies(mine: Path, other: Path, x: Any) -> Record:
    """Milliseconds by batch: kerasir's, the other's, kerasir's again."""
    a, b, found = session(mine), session(other), Record()
    for batch, runs in RUNS.items():
        fed = np.resize(x, (batch, *x.shape[1:]))
        times: tuple[list[float], ...] = ([], [], [])
        for run in range(runs + 1):
            for each, model in zip(times, (a, b, a), strict=True):
                start = time.perf_counter()
                model(fed)
                if run:
                    each.append(1e3 * (time.perf_counter() - start))
        found[str(batch)] = [statistics.median(each) for each in times]
    return found


def tables(records: Mapping[str, Record]) -> Iterator[str]:
    """Markdown."""
    for suffix, (other, _) in OTHERS.items():
        yield f"| {suffix} | nodes | {other} | Transposes | {other} | MB | {other} | error |"
        yield "|---|---|---|---|---|---|---|---|"
        chosen = {n: r for n, r in records.items() if n.endswith(suffix)}
        for name, record in chosen.items():
            sides = (record["kerasir"], record.get("other", {}))
            cells = [
                *(_count(side) for side in sides),
                *(_count(side, "Transpose") for side in sides),
                *(_number(side.get("bytes"), 1e6, 1) for side in sides),
                f"{record['error']:.0e}" if "error" in record else "-",
            ]
            yield f"| {name.removesuffix(suffix)} | {' | '.join(cells)} |"
        yield ""
        yield (
            f"| {suffix} | cpu s | {other} | times | MB of memory | {other} | times "
            "| ms, batch 1 | times | noise | ms, batch 8 | times | noise |"
        )
        yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
        for name, record in chosen.items():
            yield f"| {name.removesuffix(suffix)} | {' | '.join(_costs(record))} |"
        yield ""


def _count(side: Record, kind: str = "") -> str:
    nodes = side.get("nodes")
    if nodes is None:
        return "fails" if "failed" in side else "-"
    return str(nodes.get(kind, 0) if kind else sum(nodes.values()))


def _number(value: float | None, unit: float = 1, digits: int = 0) -> str:
    return "-" if value is None else f"{value / unit:.{digits}f}"


def _costs(record: Record) -> Iterator[str]:
    mine, other = record["kerasir"], record.get("other", {})
    for key, digits in (("cpu", 2), ("mb", 0)):
        a, b = mine.get(key), other.get(key)
        yield _number(a, 1, digits)
        yield _number(b, 1, 0)
        yield f"{b / a:.0f}" if a and b else "-"
    for batch in RUNS:
        found = record.get("latency", {}).get(str(batch))
        if found is None:
            yield from ("-", "-", "-")
            continue
        first, others, again = found
        own = (first + again) / 2
        yield f"{own:.1f}"
        yield f"{others / own:.2f}"
        yield f"{abs(first - again) / own:.2f}"


def _sentence(record: Record) -> str:
    mine, other = record["kerasir"], record.get("other", {})
    parts = [f"{_count(mine)} nodes, {_count(other)} of the other"]
    if "error" in record:
        parts.append(f"error {record['error']:.0e}")
    parts += [f"failed: {side['failed']}" for side in (mine, other) if "failed" in side]
    return "; ".join(parts)


if __name__ == "__main__":
    main()
