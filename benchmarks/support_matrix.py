"""Which layers of which era are proven, from the genuine files: the tables of docs/support.md.

    python benchmarks/support_matrix.py [--only TEXT] [--write docs/support.md]

Every genuine file (those of tests/data, and the complete set beside the project where it is) is
read and computed by the reference, and converted to Keras 2 HDF5 in either data format and to ONNX;
each result is compared with the genuine prediction, to 1e-5 of its largest magnitude (the Keras
files by the reference in float32, the ONNX files by ONNX Runtime). A layer class has passed where
every file with it has. Where a file fails and the error names a layer or a class, only that class
counts as failed, and nothing is said of the others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import kerasir
from kerasir.errors import VerifyError

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "support"))

from genuine import FixtureCase, fixture_cases  # ruff: ignore[module-import-not-at-top-of-file]

TOLERANCE = 1e-5
PLUGIN = PROJECT / "examples" / "plugins" / "scale_shift.py"
MARK = "<!-- what follows is written by benchmarks/support_matrix.py -->"

TARGETS: Mapping[str, str] = {
    "R": "the reference computes what the old Keras did",
    "F": "Keras 2 HDF5, channels_first",
    "L": "Keras 2 HDF5, channels_last",
    "O": "ONNX",
}


class Outcome(NamedTuple):
    """One file and one target: why it failed, and at which layer, if that is known."""

    case: FixtureCase
    target: str
    reason: str = ""
    layer: str = ""


Classes = Mapping[str, str]
"""The class of each layer of a model, by name."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--write", type=Path, help="replace the tables of this document")
    given = parser.parse_args()
    outcomes: list[Outcome] = []
    layers: dict[str, Classes] = {}
    for case in fixture_cases():
        if given.only in case.id:
            layers[case.id] = classes_of(case)
            outcomes += tried(case)
    text = "\n".join([*by_file(outcomes), "", *by_class(outcomes, layers), "", *reasons(outcomes)])
    if given.write:
        above = given.write.read_text().partition(MARK)[0]
        given.write.write_text(f"{above}{MARK}\n\n{text}\n")
    else:
        print(text)


def classes_of(case: FixtureCase) -> Classes:
    """Layer classes as the file calls them."""
    return {str(name): str(kind) for name, kind in case.meta["layers"]}


def tried(case: FixtureCase) -> Iterator[Outcome]:
    """The file against its genuine prediction, by every target."""
    said: dict[str, Any] = {"plugins": [PLUGIN]}
    if case.arch:
        said |= {"arch": case.arch, "backend": case.backend}
    expect = str(case.folder / "data.npz")

    def convert(name: str, **options: Any) -> None:
        with tempfile.TemporaryDirectory(prefix="kerasir-support-") as folder:
            target = Path(folder) / name
            kerasir.convert(
                case.model, target, expect=expect, tolerance=TOLERANCE, **said, **options
            )

    def reference() -> None:
        found = kerasir.verify(str(case.model), expect=expect, tolerance=TOLERANCE, **said)
        if not found.equal:
            worst = found.worst.error if found.worst else float("nan")
            raise VerifyError(f"off by {worst:.1e}", where=found.first_difference or "")

    actions: dict[str, Callable[[], None]] = {
        "R": reference,
        "F": lambda: convert("model.h5", data_format="channels_first"),
        "L": lambda: convert("model.h5", data_format="channels_last"),
        "O": lambda: convert("model.onnx"),
    }
    for target, action in actions.items():
        try:
            action()
        except kerasir.KerasirError as error:
            yield Outcome(case, target, error.what, error.where.partition("/")[0])
        except Exception as error:  # a fault of kerasir: it is listed as one
            yield Outcome(case, target, f"internal error: {type(error).__name__}: {error}")
        else:
            yield Outcome(case, target)


def by_file(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Files passed, by era and target."""
    yield "## Files"
    yield ""
    yield "| files of | files | " + " | ".join(TARGETS.values()) + " |"
    yield "|---" * (2 + len(TARGETS)) + "|"
    for era in eras(outcomes):
        here = [one for one in outcomes if one.case.era == era]
        cells = [sum(not one.reason for one in here if one.target == t) for t in TARGETS]
        files = len(here) // len(TARGETS)
        yield f"| {era} | {files} | " + " | ".join(map(str, cells)) + " |"


def by_class(outcomes: Sequence[Outcome], layers: Mapping[str, Classes]) -> Iterator[str]:
    """A row per layer class, a column per era."""
    names = sorted({kind for found in layers.values() for kind in found.values()})
    columns = eras(outcomes)
    yield "## Layer classes"
    yield ""
    yield "| class | " + " | ".join(columns) + " |"
    yield "|---" * (1 + len(columns)) + "|"
    for name in names:
        cells = [cell([o for o in outcomes if o.case.era == era], layers, name) for era in columns]
        yield f"| {name} | " + " | ".join(cells) + " |"


def cell(outcomes: Sequence[Outcome], layers: Mapping[str, Classes], name: str) -> str:
    """What is proven of a class in one era."""
    found: list[str] = []
    for target in TARGETS:
        counted = [
            not one.reason
            for one in outcomes
            if one.target == target and judges(one, layers[one.case.id], name)
        ]
        if counted and all(counted):
            found.append(target)
        elif any(counted):
            found.append(f"{target} {sum(counted)}/{len(counted)}")
        elif counted:
            found.append(f"~~{target}~~")
    return "✓" if found == list(TARGETS) else " ".join(found)


def judges(outcome: Outcome, layers: Classes, name: str) -> bool:
    """Whether an outcome says something about a class."""
    if name not in layers.values():
        return False
    blamed = {layers[outcome.layer]} if outcome.layer in layers else set[str]()
    blamed |= {kind for kind in layers.values() if kind in outcome.reason.split()}
    return not outcome.reason or not blamed or name in blamed


def reasons(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Why files failed, each reason once."""
    yield "## What did not pass, and why"
    yield ""
    failed: dict[tuple[str, str], list[str]] = {}
    for one in outcomes:
        if one.reason:
            reason = " ".join(one.reason.split()).replace("|", "\\|")
            failed.setdefault((one.case.id, reason), []).append(one.target)
    if not failed:
        yield "Nothing."
        return
    yield "| file | by | reason |"
    yield "|---|---|---|"
    for (case, reason), targets in failed.items():
        yield f"| {case} | {' '.join(targets)} | {reason:.200} |"


def eras(outcomes: Sequence[Outcome]) -> list[str]:
    """Every era, in the order of the files."""
    return list(dict.fromkeys(one.case.era for one in outcomes))


if __name__ == "__main__":
    main()
