"""Every architecture of `keras.applications` through every target, against genuine Keras.

    python benchmarks/applications_check.py FOLDER --keras PYTHON [NAME …] [--module tf_keras]
        [--results FILE.json] [--write docs/applications.md] [--jax MB] [--keep]

PYTHON is an interpreter with Keras 3, tf-keras, TensorFlow and JAX; it makes each model in FOLDER
with random weights (`benchmarks/applications.py`). The model is then converted by the command line,
one process for each file: to ONNX, to channels_first HDF5 and from that back to channels_last, to
HDF5, and to `.keras`. Each is run: ONNX by ONNX Runtime; channels_first as ONNX made of that file,
and where the model is smaller than --jax, by Keras 3 on JAX, which computes it on a processor too;
HDF5 by tf-keras, `.keras` by Keras 3, neither with custom objects. Errors are those of the outputs
for two images, relative to the largest. Where one is above 1e-5, both are held against the
reference in double precision: then it says how far the genuine prediction itself is from that.

What is in the results is not done again; files are deleted as soon as they have been run.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from applications import SUFFIXES
from measuring import KERASIR, CommandError, alone, read_results, replace_table, where_and_when

import kerasir
from kerasir.engines import OnnxRuntime, Reference

MAKER = Path(__file__).with_name("applications.py")
TITLES = {"tf_keras": "tf-keras", "keras": "Keras 3"}
SIZE = (96, 80)
"""Height and width of the images, unlike each other so that no swap goes unseen."""

TOLERANCE = 1e-5
RENEW = 6
"""Models after which the process of Keras is begun anew: it does not give back all memory."""

Record = dict[str, Any]


class Way(NamedTuple):
    """A conversion: its title, the file it makes, the options, and what it is made from."""

    title: str
    name: str
    options: Sequence[str] = ()
    source: str = "model"


WAYS = (
    Way("ONNX", "out.onnx"),
    Way("first", "first.h5", ("--data-format", "channels_first")),
    Way("back", "back.h5", source="first.h5"),
    Way("HDF5", "last.h5"),
    Way(".keras", "out.keras"),
)


class Keras:
    """A process of genuine Keras that does one thing after the other."""

    def __init__(self, python: str, backend: str = "tensorflow") -> None:
        self.command = ["env", f"KERAS_BACKEND={backend}", "JAX_PLATFORMS=cpu", python, str(MAKER)]
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, task: str, *arguments: Any) -> Any:
        """What it answers.

        Raises:
            CommandError: What Keras said of it.
        """
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps([task, *map(_plain, arguments)]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            self.end()
            raise CommandError("the process of Keras ended")
        answer = json.loads(line)
        if "error" in answer:
            raise CommandError(answer["error"])
        return answer["answer"]

    def end(self) -> None:
        """Let the process go; the next task begins another."""
        if self.process is not None:
            self.process.communicate()
            self.process = None


def _plain(argument: Any) -> Any:
    return str(argument) if isinstance(argument, Path) else argument


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where models are made")
    parser.add_argument("names", nargs="*", help="architectures; all if there are none")
    parser.add_argument("--keras", help="an interpreter with Keras 3 and tf-keras")
    parser.add_argument("--module", choices=SUFFIXES, help="only of this Keras")
    parser.add_argument("--results", type=Path, default=Path("applications_check.json"))
    parser.add_argument("--jax", type=float, default=0, help="largest model for Keras on JAX, MB")
    parser.add_argument("--keep", action="store_true", help="do not delete the models")
    parser.add_argument("--write", type=Path, help="replace the tables of this document")
    given = parser.parse_intermixed_args()
    known: dict[str, Record] = read_results(given.results)
    if given.keras:
        genuine, jax = Keras(given.keras), Keras(given.keras, "jax")
        for number, (module, name) in enumerate(_wanted(genuine, given, known)):
            if number % RENEW == RENEW - 1:
                genuine.end()
                jax.end()
            folder = given.folder / f"{module}-{name}"
            folder.mkdir(parents=True, exist_ok=True)
            record = check(folder, module, name, genuine, jax, given.jax)
            for path in folder.iterdir() if not given.keep else ():
                path.unlink()
            known = read_results(given.results)
            known[f"{module} {name}"] = record
            given.results.write_text(json.dumps(known, indent=1))
            print(f"{module} {name}: {_sentence(record)}", file=sys.stderr, flush=True)
        genuine.end()
        jax.end()
    text = "\n".join([where_and_when(), "", *tables(known)]).strip()
    print(text)
    if given.write:
        replace_table(given.write, "applications_check.py", text)


def _wanted(
    genuine: Keras, given: argparse.Namespace, known: Mapping[str, Record]
) -> Iterator[tuple[str, str]]:
    """Architectures that have not been done."""
    there = {module: genuine("list", module) for module in SUFFIXES}
    for name in given.names or dict.fromkeys(chain(*there.values())):
        for module in [given.module] if given.module else SUFFIXES:
            if name in there[module] and f"{module} {name}" not in known:
                yield module, name


def check(
    folder: Path, module: str, name: str, genuine: Keras, jax: Keras, largest: float
) -> Record:
    """One model by all ways."""
    model, data = folder / f"model{SUFFIXES[module]}", folder / "data.npz"
    try:
        genuine("make", module, name, model, data, SIZE)
    except CommandError as error:
        return {"failed": str(error)}
    x, y = (np.load(data)[key] for key in ("x", "y"))
    difference = float(np.abs(y[0] - y[1]).max() / np.abs(y).max())
    record: Record = {"bytes": model.stat().st_size, "difference": difference, "ways": {}}
    for way in WAYS:
        record["ways"][way.title] = found = converted(folder, way, model)
        if "failed" in found:
            continue
        try:
            outputs = ran(folder / way.name, way, data, genuine)
            found["error"] = off(outputs, y)
            if found["error"] > TOLERANCE:
                found |= told_apart(model, outputs, y, x)
            if way.title == "first" and record["bytes"] < largest * 1e6:
                found["jax"] = off(ran_first(folder / way.name, data, jax), y)
        except (CommandError, kerasir.KerasirError) as error:
            found["failed"] = str(error)
    return record


def converted(folder: Path, way: Way, model: Path) -> Record:
    """Make one file; what that takes."""
    source = model if way.source == "model" else folder / way.source
    command = [*KERASIR, "convert", "-q", "--overwrite", *way.options, str(source)]
    try:
        run = alone([*command, str(folder / way.name)])
    except CommandError as error:
        return {"failed": str(error)}
    return {"cpu": run.cpu, "seconds": run.seconds, "peak": run.peak}


def ran(path: Path, way: Way, data: Path, genuine: Keras) -> Any:
    """What a file computes."""
    if way.title == "HDF5" and filecmp.cmp(path, path.with_name("back.h5"), shallow=False):
        return np.load(path.with_name("back.h5.npz"))["y"]
    if path.suffix == ".keras":
        return predicted(genuine, "keras", path, data)
    if way.title in {"back", "HDF5"}:
        return predicted(genuine, "tf_keras", path, data)
    if way.title == "first":
        target = path.with_suffix(".onnx")
        kerasir.convert(path, target, overwrite=True)
        path = target
    x = np.load(data)["x"]
    engine = OnnxRuntime(str(path))
    return engine.run([np.moveaxis(x, -1, 1) if way.title == "first" else x]).outputs[0]


def ran_first(path: Path, data: Path, jax: Keras) -> Any:
    """What a channels_first file computes in Keras 3 on JAX."""
    target = path.with_name("first_keras3.h5")
    kerasir.convert(path, target, to="keras3", data_format="channels_first", overwrite=True)
    return predicted(jax, "keras", target, data)


def predicted(genuine: Keras, module: str, path: Path, data: Path) -> Any:
    """What genuine Keras computes by a file."""
    outputs = path.with_name(f"{path.name}.npz")
    genuine("predict", module, path, data, outputs)
    return np.load(outputs)["y"]


def off(found: Any, expected: Any) -> float:
    """Largest difference, relative to the largest number."""
    return float(np.abs(found.astype(np.float64) - expected).max() / np.abs(expected).max())


def told_apart(model: Path, found: Any, genuine: Any, x: Any) -> Record:
    """How far both are from the same in double precision."""
    exact = Reference(kerasir.load(model), "float64").run([x]).outputs[0]
    return {"from_exact": off(found, exact), "genuine_from_exact": off(genuine, exact)}


def tables(records: Mapping[str, Record]) -> Iterator[str]:
    """A table for each Keras, in Markdown."""
    for module, title in TITLES.items():
        chosen = {k.partition(" ")[2]: v for k, v in records.items() if k.startswith(f"{module} ")}
        if not chosen:
            continue
        titles = [way.title for way in WAYS]
        yield f"{len(chosen)} architectures of {title}:"
        yield ""
        heads = [
            "MB",
            *(f"{t}, cpu s" for t in titles),
            "peak MB",
            *(f"{t}, error" for t in titles),
        ]
        yield f"| {title} | {' | '.join(heads)} |"
        yield "|---" * (1 + len(heads)) + "|"
        for name, record in sorted(chosen.items()):
            yield f"| {name} | {' | '.join(_cells(record))} |"
        yield ""


def _cells(record: Record) -> Iterator[str]:
    if "failed" in record:
        yield record["failed"]
        return
    ways = [record["ways"][way.title] for way in WAYS]
    yield f"{record['bytes'] / 1e6:.0f}"
    yield from (f"{way['cpu']:.1f}" if "cpu" in way else "-" for way in ways)
    yield f"{max(way.get('peak', 0) for way in ways) / 1e6:.0f}"
    for way in ways:
        exact = ""
        if "from_exact" in way:
            exact = f" ({way['from_exact']:.0e}; {way['genuine_from_exact']:.0e})"
        error = f"{way['error']:.0e}" if way.get("error") else "0"
        yield "fails" if "failed" in way else f"{error}{exact}"


def _sentence(record: Record) -> str:
    if "failed" in record:
        return f"failed: {record['failed']}"
    parts = [f"{record['bytes'] / 1e6:.0f} MB, images differ by {record['difference']:.0e}"]
    for title, way in record["ways"].items():
        numbers = [f"{k} {v:.2g}" for k, v in way.items() if k not in {"failed", "peak", "seconds"}]
        parts.append(f"{title}: {', '.join(numbers)} {way.get('failed', '')}")
    return "; ".join(parts)


if __name__ == "__main__":
    main()
