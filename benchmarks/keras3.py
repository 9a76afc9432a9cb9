"""What genuine Keras 3 makes of the files that kerasir writes for it.

    KERASIR_KERAS3_PYTHON=… python benchmarks/keras3.py [-v] [--write docs/keras3.md]

Every genuine file (those of tests/data, and the complete set beside the project where it is) is
converted to `.keras`, loaded by Keras 3 on JAX without custom objects but those of the fixtures
themselves, and fed the genuine inputs: `right` is within 1e-4 of the genuine prediction, relative
to its largest magnitude. Every fifth file is also loaded on TensorFlow and PyTorch, from HDF5, and
as `.weights.h5` into the model that its configuration makes. A backend that the interpreter does
not have is left out.

`refused` counts the files that kerasir does not convert, with the reason; `code` those that hold
code of a Lambda, which Keras 3 runs only where it is told to, and no Python of today can.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from measuring import replace_table
from today import FRAMEWORKS, FixtureCase, Verdict, fixture_cases, job, verdicts, writer

import kerasir
from kerasir.errors import KerasirError

EVERY = 5
WORDS = ("right", "silently wrong", "error", "refused", "code")


class Way(NamedTuple):
    """One kind of file and the backend that loads it."""

    title: str
    ending: str
    backend: str
    every: int = EVERY


WAYS = (
    Way("`.keras`, JAX", ".keras", "jax", 1),
    Way("`.keras`, TensorFlow", ".keras", "tensorflow"),
    Way("`.keras`, PyTorch", ".keras", "torch"),
    Way("`.weights.h5`, JAX", ".weights.h5", "jax"),
    Way("HDF5, JAX", ".h5", "jax"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Files for Keras 3, in genuine Keras 3.")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--every", type=int, default=1, help="only every N-th of the files")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what is not right")
    parser.add_argument("--write", type=Path, help="replace the table of this document")
    arguments = parser.parse_args()
    cases = [case for case in fixture_cases() if arguments.only in case.id][:: arguments.every]
    framework = next(one for one in FRAMEWORKS if one.module == "keras")
    python = framework.python()
    if python is None:
        raise SystemExit(f"no Keras 3 here, and {framework.variable} is not set")
    columns: list[dict[str, Verdict]] = []
    ways = [way for way in WAYS if has(python, way.backend)]
    for way in ways:
        found: dict[str, Verdict] = {}
        with tempfile.TemporaryDirectory(prefix="kerasir-keras3-") as folder:
            jobs = [
                made
                for number, case in enumerate(cases[:: way.every])
                if (made := converted(case, way, Path(folder) / str(number), found))
            ]
            os.environ["KERAS_BACKEND"] = way.backend
            found |= verdicts(framework, python, jobs)
        columns.append({name: told(verdict) for name, verdict in found.items()})
        if arguments.verbose:
            for name, verdict in columns[-1].items():
                if verdict.word != "right":
                    print(f"{way.title}, {name}: {verdict.word}: {verdict.reason[:200]}")
    text = table(cases, ways, columns)
    print(text)
    if arguments.write:
        replace_table(arguments.write, "keras3.py", text)


def has(python: str, backend: str) -> bool:
    """Whether an interpreter can import a backend of Keras 3."""
    command = [python, "-c", f"import {backend}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def converted(
    case: FixtureCase, way: Way, folder: Path, found: dict[str, Verdict]
) -> dict[str, Any] | None:
    """The job of one file; None if there is none, and why is put down."""
    said = {"arch": case.arch, "backend": case.backend} if case.arch else {}
    described, target = job(case, folder), folder / f"model{way.ending}"
    try:
        kerasir.convert(case.model, target, to="keras3", **said)
        if way.ending == ".weights.h5":
            kerasir.convert(case.model, folder / "whole.keras", **said)
            with zipfile.ZipFile(folder / "whole.keras") as archive:
                archive.extract("config.json", folder)
    except KerasirError as error:
        found[case.id] = Verdict("refused", reason=str(error))
        return None
    arch = str(folder / "config.json") if way.ending == ".weights.h5" else ""
    return {**described, "model": str(target), "arch": arch}


def told(verdict: Verdict) -> Verdict:
    """A refusal of Keras to run code is no failure of the file."""
    code = verdict.word == "error" and "arbitrary code execution" in verdict.reason
    return verdict._replace(word="code") if code else verdict


def table(
    cases: Sequence[FixtureCase], ways: Sequence[Way], columns: Sequence[dict[str, Verdict]]
) -> str:
    """In Markdown: a row per writer of the files."""
    lines = ["| files written by | " + " | ".join(way.title for way in ways) + " |"]
    lines.append("|---" * (1 + len(ways)) + "|")
    groups: dict[str, list[str]] = {}
    for case in cases:
        groups.setdefault(writer(case), []).append(case.id)
    for group, ids in [*groups.items(), ("**all**", [case.id for case in cases])]:
        cells = [counts([column[i] for i in ids if i in column]) for column in columns]
        lines.append(f"| {group} | " + " | ".join(cells) + " |")
    worst = max((v.error for v in columns[0].values() if v.word == "right"), default=0.0)
    return "\n".join([*lines, "", f"Largest difference of a file that is right: {worst:.1e}."])


def counts(found: Sequence[Verdict]) -> str:
    """Such as `12 of 14 right, 2 refused`."""
    counted = Counter(verdict.word for verdict in found)
    others = [f"{counted[word]} {word}" for word in WORDS[1:] if counted[word]]
    return ", ".join([f"{counted['right']} of {len(found)} right", *others]) if found else ""


if __name__ == "__main__":
    main()
