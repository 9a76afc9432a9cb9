"""Latency of recurrent layers behind a mask in ONNX Runtime: ONNX' operators, and step by step.

    python benchmarks/onnx_masks.py

Graphs of layers with random weights are exported twice: as kerasir does, and as a Scan, which it
draws for functions that ONNX' operators do not know (here Tanh is hidden from its table). Medians
of runs taken in turn, one thread; masks are full, have holes, or leave the first third. That both
compute the same is for the tests: random weights make chaos of 200 steps.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from networks import Net
from one_op import Array
from onnx_models import export
from recurrent_networks import WAYS, one_way

from kerasir.exporters.onnx.ops.recurrent import PLAIN
from kerasir.ir.graph import Graph, Value
from kerasir.ir.layout import Axis
from kerasir.ir.ops.activation import Tanh

UNITS, RUNS = 64, 25
SIZES = ((1, 20), (1, 200), (8, 200))


def begun(net: Net) -> tuple[Value, Value]:
    """A sequence and its mask."""
    time = Axis("T", None)
    x = net.builder.input("x", (net.batch, time, Axis("F", UNITS)))
    return x, net.builder.input("mask", (net.batch, time), "bool")


def last(net: Net) -> Graph:
    """One layer, its last result."""
    x, mask = begun(net)
    return net.freeze(one_way(net, "a", WAYS["LSTM"][0], x, UNITS, mask=mask).results[1])


def sequence(net: Net) -> Graph:
    """One layer, all its results."""
    x, mask = begun(net)
    return net.freeze(one_way(net, "a", WAYS["LSTM"][0], x, UNITS, mask=mask).result)


def stacked(net: Net) -> Graph:
    """Two layers, the last result."""
    x, mask = begun(net)
    y = one_way(net, "a", WAYS["LSTM"][0], x, UNITS, mask=mask).result
    return net.freeze(one_way(net, "b", WAYS["LSTM"][0], y, UNITS, mask=mask).results[1])


def both_ways(net: Net) -> Graph:
    """Both directions, their last results."""
    x, mask = begun(net)
    ends = [one_way(net, f"a{i}", op, x, UNITS, mask=mask) for i, op in enumerate(WAYS["LSTM"])]
    return net.freeze(net.concat("join", [end.results[1] for end in ends], 1))


GRAPHS: Mapping[str, Callable[[Net], Graph]] = {
    "last result": last, "sequence": sequence, "two layers": stacked, "two directions": both_ways,
}  # fmt: skip


def masks(batch: int, time: int) -> Iterator[tuple[str, Array]]:
    """Masks by what they are called."""
    yield "full", np.ones((batch, time), bool)
    yield "holes", np.random.default_rng(1).random((batch, time)) > 0.3
    yield "a third", np.broadcast_to(np.arange(time) < time // 3, (batch, time))


def sessions(graph: Graph, folder: Path) -> list[onnxruntime.InferenceSession]:
    """Step by step, and by the operator."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    found = []
    for hidden in ({Tanh}, set()):
        known = {kind: function for kind, function in PLAIN.items() if kind not in hidden}
        with mock.patch.dict(PLAIN, known, clear=True):
            path = export(graph, folder).path
        found.append(onnxruntime.InferenceSession(path, options))
    return found


def measured(run: list[onnxruntime.InferenceSession], fed: Mapping[str, Array]) -> list[float]:
    """Medians in milliseconds, of runs taken in turn."""
    spent: list[list[float]] = [[], []]
    for _ in range(RUNS):
        for session, times in zip(run, spent, strict=True):
            begin = time.perf_counter()
            session.run(None, fed)
            times.append(1e3 * (time.perf_counter() - begin))
    return [statistics.median(times) for times in spent]


def main() -> None:
    """Print the table."""
    print("| | batch | steps | mask | Scan, ms | operator, ms | times |")
    print("|---|---|---|---|---|---|---|")
    for name, make in GRAPHS.items():
        with tempfile.TemporaryDirectory() as folder:
            run = sessions(make(Net(first=True)), Path(folder))
        for batch, steps in SIZES:
            x = np.random.default_rng(2).standard_normal((batch, steps, UNITS)).astype(np.float32)
            for called, mask in masks(batch, steps):
                slow, fast = measured(run, {"x": x, "mask": mask})
                row = (name, batch, steps, called, f"{slow:.2f}", f"{fast:.2f}")
                print(f"| {' | '.join(map(str, row))} | {slow / fast:.1f} |", flush=True)


if __name__ == "__main__":
    main()
