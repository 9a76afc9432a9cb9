"""Every genuine file as ONNX, at several opsets: checked by onnx, run by ONNX Runtime.

    python benchmarks/onnx_opsets.py [--opsets 13,17,18,21,26] [--float16] [--functions] [FILTER]

For each opset: how many files were written, valid (full check, strict inference), and right (the
predictions of the Keras that wrote them, within 1e-5 of the largest; 1e-2 in half precision). What
is not, is named. A newer opset than ONNX Runtime knows is only checked.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from onnx_models import newest_opset

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.engines import OnnxRuntime
from kerasir.errors import KerasirError
from kerasir.exporters.onnx.opsets import DEFAULT_OPSET, HIGHEST, LOWEST
from kerasir.verification.feeds import known_arrays
from kerasir.verification.run import HALF_TOLERANCE, TOLERANCE

OPSETS = (LOWEST, DEFAULT_OPSET, 18, 21)


def found(case: FixtureCase, path: Path, opset: int, options: dict[str, Any]) -> str:
    """What became of one file: `right`, `valid` where it cannot be run, or what is wrong."""
    arch = {} if case.arch is None else {"arch": case.arch, "backend": case.backend}
    try:
        kerasir.convert(case.model, path, opset=opset, overwrite=True, **arch, **options)
    except KerasirError as error:
        refused = "no ONNX" in str(error)
        return "refused: a layer that nobody knows" if refused else f"not written: {error}"
    try:
        onnx.checker.check_model(str(path), full_check=True)
        onnx.shape_inference.infer_shapes(
            onnx.load(path), check_type=True, strict_mode=True, data_prop=True
        )
    except Exception as error:
        return f"not valid: {error}"
    if opset > newest_opset():
        return "valid"
    engine, data = OnnxRuntime(str(path)), case.data()
    fed = known_arrays(engine, data, "data.npz").inputs
    if fed is None:
        return "not run: no inputs"
    within = HALF_TOLERANCE if options.get("float16") else TOLERANCE
    for mine, genuine in zip(engine.run(fed).outputs, case.outputs(), strict=False):
        if mine.shape != genuine.shape:
            return f"wrong: shape {mine.shape} instead of {genuine.shape}"
        error = np.abs(mine - genuine).max() / max(float(np.abs(genuine).max()), 1e-30)
        if not error <= within:
            return f"wrong: off by {error:.2g}"
    return "right"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    newest = min(HIGHEST, onnx.defs.onnx_opset_version())
    parser.add_argument("--opsets", default=",".join(map(str, (*OPSETS, newest))))
    parser.add_argument("--float16", action="store_true")
    parser.add_argument("--functions", action="store_true")
    parser.add_argument("filter", nargs="?", default="", help="part of a case's name")
    args = parser.parse_args()
    options = {"float16": args.float16, "functions": args.functions}
    cases = [case for case in fixture_cases() if args.filter in case.id]
    for opset in map(int, args.opsets.split(",")):
        started, counts = time.perf_counter(), Counter[str]()
        with tempfile.TemporaryDirectory() as folder:
            for case in cases:
                what = found(case, Path(folder, "model.onnx"), opset, options)
                counts[what.partition(":")[0]] += 1
                if what not in {"right", "valid"}:
                    print(f"  {case.id}: {what.splitlines()[0][:160]}", flush=True)
        told = ", ".join(f"{count} {what}" for what, count in counts.most_common())
        took = time.perf_counter() - started
        print(f"opset {opset}: {told} of {len(cases)}, {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
