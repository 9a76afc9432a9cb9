"""What happens to old models today, and what happens to them with kerasir.

    KERASIR_TF_KERAS_PYTHON=… KERASIR_KERAS3_PYTHON=… python benchmarks/today.py [-v]

Every genuine file (those of tests/data, and the complete set beside the project where it is) is
loaded by tf-keras and by Keras 3 as it is, and again as kerasir converts it with its defaults:
channels_last, TensorFlow's kernels, for tf-keras in Keras 2 HDF5 and for Keras 3 in `.keras`. Both
are fed the genuine inputs. `right` is
within 1e-4 of the genuine prediction, relative to its largest magnitude; `silently wrong` loads,
predicts and is not; `error` does not load, or does not predict. kerasir's own errors count as
errors. Each cell of the table gives the three numbers in this order. A converted file that is wrong
although kerasir's report warned of a difference in numerics counts as `wrong, and told`: a fourth
number, where there are any.

The variables name interpreters that can import tf_keras with tensorflow, and keras with jax; one
that is not set is looked for in this interpreter, and left out if it is not there either. A Keras
runs in one process; if that dies, it begins again behind the file that killed it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measuring import replace_table

import kerasir

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "support"))

from genuine import FixtureCase, fixture_cases  # ruff: ignore[module-import-not-at-top-of-file]

WORKER = PROJECT / "tests" / "support" / "keras_worker.py"
TOLERANCE = 1e-4
VERDICTS = ("right", "silently wrong", "error")
TOLD = "wrong, and told"
NUMERICS = "KN3"
"""How the codes begin that tell of numerics which differ between readers of the written file."""


class Framework(NamedTuple):
    """A Keras of today."""

    title: str
    module: str
    needs: tuple[str, ...]
    variable: str
    ending: str

    def python(self) -> str | None:
        """An interpreter that can import it; None if there is none."""
        if named := os.environ.get(self.variable):
            return named
        here = all(importlib.util.find_spec(name) for name in self.needs)
        return sys.executable if here else None


FRAMEWORKS = (
    Framework("tf-keras", "tf_keras", ("tf_keras", "tensorflow"), "KERASIR_TF_KERAS_PYTHON", ".h5"),
    Framework("Keras 3", "keras", ("keras", "jax"), "KERASIR_KERAS3_PYTHON", ".keras"),
)


class Verdict(NamedTuple):
    """What became of one file in one Keras."""

    word: str
    error: float = 0.0
    reason: str = ""


class Result(NamedTuple):
    """What one Keras made of every file, by the file's name."""

    name: str
    before: dict[str, Verdict]
    after: dict[str, Verdict]


def main() -> None:
    parser = argparse.ArgumentParser(description="Old models today, with and without kerasir.")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what is not right")
    parser.add_argument("--write", type=Path, help="replace the table of this document")
    arguments = parser.parse_args()
    cases = [case for case in fixture_cases() if arguments.only in case.id]
    with tempfile.TemporaryDirectory(prefix="kerasir-today-") as folder:
        jobs = [job(case, Path(folder) / f"original-{i}") for i, case in enumerate(cases)]
        results = []
        for framework in FRAMEWORKS:
            python = framework.python()
            if python is None:
                print(f"{framework.title}: not installed here, {framework.variable} not set\n")
                continue
            converted, failed = all_converted(cases, framework.ending, Path(folder))
            before = verdicts(framework, python, jobs)
            after = verdicts(framework, python, converted) | failed
            results.append(Result(title(framework, python), before, after))
            if arguments.verbose:
                listing(cases, results[-1])
    text = "\n".join(table(cases, results))
    print(text)
    if arguments.write:
        replace_table(arguments.write, "today.py", text)


def job(case: FixtureCase, folder: Path) -> dict[str, Any]:
    """The genuine file as it is."""
    folder.mkdir()
    return {
        "id": case.id,
        "model": str(case.model),
        "arch": str(case.arch) if case.arch else "",
        "inputs": str(case.folder / "data.npz"),
        "outputs": str(folder / "out.npz"),
        "twice": "second_out_0" in case.data(),
        "folder": str(case.folder),
    }


def all_converted(
    cases: Sequence[FixtureCase], ending: str, folder: Path
) -> tuple[list[dict[str, Any]], dict[str, Verdict]]:
    """Every file through kerasir; and what it could not convert."""
    converted, failed = [], dict[str, Verdict]()
    for i, case in enumerate(cases):
        try:
            converted.append(through_kerasir(case, ending, folder / f"{i}{ending}"))
        except Exception as error:  # whatever it is, the user has no file
            failed[case.id] = Verdict("error", reason=f"{type(error).__name__}: {error}")
    return converted, failed


def through_kerasir(case: FixtureCase, ending: str, folder: Path) -> dict[str, Any]:
    """The same, converted; weights alone are given their architecture and backend."""
    said = {"arch": case.arch, "backend": case.backend} if case.arch else {}
    target = folder / f"model{ending}"
    described = job(case, folder)
    report = kerasir.convert(case.model, target, **said).report
    told = [e.code for e in report if e.level == "warning" and e.code.startswith(NUMERICS)]
    return {**described, "model": str(target), "arch": "", "told": told}


def verdicts(
    framework: Framework, python: str, jobs: Sequence[dict[str, Any]]
) -> dict[str, Verdict]:
    """What one Keras makes of each file."""
    found: dict[str, Verdict] = {}
    left = list(jobs)
    while left:
        answers = list(asked(framework, python, left))
        for one, answer in zip(left, answers, strict=False):
            found[one["id"]] = judged(one, answer.get("error"))
        left = left[len(answers) :]
        if left:
            found[left[0]["id"]] = Verdict("error", reason="the process died")
            left = left[1:]
    return found


def asked(
    framework: Framework, python: str, jobs: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Let a process load and predict; one answer per file, until it ends or dies."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as listed:
        listed.writelines(f"{json.dumps(one)}\n" for one in jobs)
        listed.flush()
        command = [python, str(WORKER), framework.module, listed.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    yield from map(json.loads, done.stdout.splitlines())


def judged(one: dict[str, Any], error: str | None) -> Verdict:
    """Right, silently wrong, or an error."""
    if error:
        return Verdict("error", reason=error)
    with np.load(one["outputs"]) as arrays:
        outputs = dict(arrays)
    with np.load(Path(one["folder"]) / "data.npz") as arrays:
        expected = {name: array for name, array in arrays.items() if "out_" in name}
    errors = [off(outputs.get(name), array) for name, array in expected.items()]
    worst = max(errors, key=lambda error: (np.isnan(error), error))
    wrong = TOLD if one.get("told") else "silently wrong"
    return Verdict("right" if worst <= TOLERANCE else wrong, worst, ", ".join(one.get("told", ())))


def off(found: Any, expected: Any) -> float:
    """Largest difference relative to the largest expected; channels may lie first or last."""
    if found is None:
        return float("nan")
    firsts = range(1, expected.ndim - 1)  # behind the batch, or behind the steps repeated over
    orders = [expected, *(np.moveaxis(expected, first, -1) for first in firsts)]
    orders += [np.moveaxis(expected, -1, first) for first in firsts]
    fitting = [order for order in orders if order.shape == found.shape]
    if not fitting or not np.isfinite(found).all():
        return float("nan")
    difference = np.abs(np.float64(found) - np.float64(fitting[0])).max()
    return float(difference / max(np.abs(expected).max(), 1e-30))


def title(framework: Framework, python: str) -> str:
    """Name and version, as the interpreter has it."""
    script = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    command = [python, "-c", script, framework.module.replace("_", "-")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return f"{framework.title.removesuffix(' 3')} {done.stdout.strip()}"


def table(cases: Sequence[FixtureCase], results: Sequence[Result]) -> Iterator[str]:
    """One table in Markdown: a row per writer, counts of the verdicts before and after."""
    heads = [f"{result.name} | {result.name}, with kerasir" for result in results]
    yield "| files written by | files | " + " | ".join(heads) + " |"
    yield "|---" * (2 + 2 * len(results)) + "|"
    groups: dict[str, list[str]] = {}
    for case in cases:
        groups.setdefault(writer(case), []).append(case.id)
    for group, ids in [*groups.items(), ("**all**", [case.id for case in cases])]:
        cells = [
            counts([verdict[i] for i in ids])
            for result in results
            for verdict in (result.before, result.after)
        ]
        yield f"| {group} | {len(ids)} | " + " | ".join(cells) + " |"
    yield ""
    for result in results:
        right = [v.error for v in result.after.values() if v.word == "right"]
        largest = f"{max(right, default=0):.1e}"
        yield f"Largest difference of a converted file that is right in {result.name}: {largest}."


def counts(found: Sequence[Verdict]) -> str:
    """Such as `12 / **62** / 17`: what is silently wrong stands out."""
    counted = Counter(verdict.word for verdict in found)
    right, wrong, error = (counted[word] for word in VERDICTS)
    told = f" / {counted[TOLD]} told" if counted[TOLD] else ""
    return f"{right} / {f'**{wrong}**' if wrong else 0} / {error}{told}"


def writer(case: FixtureCase) -> str:
    """Such as `Keras 2.2.4 on Theano`, in either ordering."""
    release, _, backend = case.era.rpartition("-")
    number = release.rpartition("keras")[2]
    name = "tf-keras" if release.startswith("tf-keras") else "Keras"
    named = {"theano": "Theano", "tensorflow": "TensorFlow", "jax": "JAX"}[backend]
    return f"{name} {number} on {named}"


def listing(cases: Sequence[FixtureCase], result: Result) -> None:
    """Everything that is not right with kerasir, with the reason."""
    for case in cases:
        was, now = result.before[case.id], result.after[case.id]
        if now.word != "right":
            reason = now.reason.partition("\n")[0][:150]
            reason = reason if now.word == "error" else f"off by {now.error:.1e} {reason}"
            print(f"{result.name}, {case.id}: {was.word} -> {now.word}: {reason}")
    print()


if __name__ == "__main__":
    main()
