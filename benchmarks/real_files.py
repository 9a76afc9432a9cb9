"""Other people's files, each through inspect and every target: a table of what came of it.

    python benchmarks/real_files.py FOLDER [--only TEXT] [--write FILE]

FOLDER holds a folder for each file: `model.h5`, `model.keras` or `weights.h5`, maybe `arch.json`,
and the answers of the Keras of its day where there are any (`data*.npz` with `in_0`, `out_0`, …).
What is called WRONG was computed by a Keras that misreads the file, and is left alone. With
answers every target is held against them (`--expect`), without against what was read (`--verify`);
weights alone, and layers whose code is their author's, can only be carried. A file that fails has
to say why: the message is in the table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import kerasir
from kerasir.inspection import inspect_file
from kerasir.ir.ops.opaque import Opaque

MODELS = ("model.h5", "model.keras", "weights.h5")
TARGETS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "first": ("model.h5", {"data_format": "channels_first"}),
    "last": ("model.h5", {"data_format": "channels_last"}),
    "onnx": ("model.onnx", {}),
    "npz": ("weights.npz", {}),
}
TOLERANCE = 1e-4
"""Of known answers: they were computed in float32, some of large numbers."""


class Outcome(NamedTuple):
    """What came of one file by one target; no reason means that it is right."""

    name: str
    target: str
    known: bool
    reason: str = ""
    internal: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="files whose name holds this")
    parser.add_argument("--write", type=Path, help="the table goes here")
    given = parser.parse_args()
    outcomes: list[Outcome] = []
    for folder in sorted(given.folder.iterdir()):
        if given.only in folder.name and model_in(folder):
            outcomes += tried(folder)
            print(f"{folder.name}", file=sys.stderr)
    text = "\n".join([*counts(outcomes), "", *reasons(outcomes)])
    if given.write:
        given.write.write_text(text + "\n")
    else:
        print(text)
    sys.exit(any(outcome.internal for outcome in outcomes))


def model_in(folder: Path) -> Path | None:
    """The file, if there is one in the folder."""
    return next((folder / name for name in MODELS if (folder / name).exists()), None)


def answers_in(folder: Path) -> Path | None:
    """Known answers: those of the Keras that the file is of, before those of another."""
    found = [path for path in sorted(folder.glob("data*.npz")) if "WRONG" not in path.name]
    return max(found, key=lambda path: path.name != "data.npz", default=None)


def tried(folder: Path) -> Iterator[Outcome]:
    """One file by inspect and every target."""
    model = model_in(folder)
    assert model is not None
    arch, answers = folder / "arch.json", answers_in(folder)
    bare = model.name == "weights.h5"
    said: dict[str, Any] = {"arch": str(arch)} if bare and arch.exists() else {}
    yield outcome(folder, "inspect", False, lambda: inspect_file(str(model), **said))
    for target, (name, options) in TARGETS.items():
        check: dict[str, Any] = {"verify": True}
        if answers is not None:
            check = {"expect": str(answers), "tolerance": TOLERANCE}
        if target == "npz" or (bare and not said) or not computable(model, said):
            check = {}

        def convert(
            name: str = name, options: Mapping[str, Any] = options, check: Any = check
        ) -> None:
            with tempfile.TemporaryDirectory(prefix="kerasir-real-") as place:
                kerasir.convert(model, Path(place) / name, **said, **options, **check)

        yield outcome(folder, target, "expect" in check, convert)


def computable(model: Path, said: Mapping[str, Any]) -> bool:
    """Whether kerasir knows what every layer of a file computes."""
    try:
        graph = kerasir.load(model, **said).graph
    except kerasir.KerasirError:
        return True  # what is wrong with it comes out where it is converted
    return not any(isinstance(node.op, Opaque) for node in graph.nodes)


def outcome(folder: Path, target: str, known: bool, action: Any) -> Outcome:
    """What an action comes to."""
    try:
        action()
    except kerasir.KerasirError as error:
        where = f"{error.where}: " if error.where else ""
        return Outcome(folder.name, target, known, f"{where}{error.what}")
    except Exception as error:  # a fault of kerasir: it is listed as one
        reason = f"internal error: {type(error).__name__}: {error}"
        return Outcome(folder.name, target, known, reason, internal=True)
    return Outcome(folder.name, target, known)


def counts(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Files by target: all, right, held against known answers."""
    yield "| target | files | right | of them against known answers |"
    yield "|---|---|---|---|"
    for target in ("inspect", *TARGETS):
        here = [one for one in outcomes if one.target == target]
        right = [one for one in here if not one.reason]
        known = sum(one.known for one in right)
        yield f"| {target} | {len(here)} | {len(right)} | {known} |"


def reasons(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Why files failed, each reason once."""
    failed: dict[tuple[str, str], list[str]] = {}
    for one in outcomes:
        if one.reason:
            failed.setdefault((one.name, one.reason), []).append(one.target)
    yield f"{len({name for name, _ in failed})} files fail somewhere."
    yield ""
    yield "| file | by | reason |"
    yield "|---|---|---|"
    for (name, reason), targets in failed.items():
        text = " ".join(reason.split()).replace("|", "\\|")
        yield f"| {name} | {' '.join(targets)} | {text:.200} |"
    kinds = Counter(reason.rpartition(": ")[2] for _, reason in failed)
    yield ""
    yield "Most common: " + "; ".join(f"{text:.60} ({n})" for text, n in kinds.most_common(5))


if __name__ == "__main__":
    main()
