"""`kerasir run`: one model on arrays."""

from __future__ import annotations

import time
from typing import Any

import click

from ..errors import FormatError, show
from . import words
from .progress import Progress
from .reading import SOURCE, reading_of, reading_options
from .settings import Settings
from .usage import Command, Section
from .values import OneOf

ARRAYS = Section("Arrays")
RUNNING = Section("Running")


@click.command(
    cls=Command,
    intro="Run MODEL on the arrays of an .npz file, and write what comes back to another.\n"
    "Inputs are called in_0, in_1, … or as the model calls them; outputs out_0, out_1, …",
    params=[
        click.Argument(["model"], metavar="MODEL"),
        ARRAYS.value(
            "--inputs", "FILE", "Inputs, in the model's own order of axes (.npz)", required=True
        ),
        ARRAYS.value("--outputs", "FILE", "Where the outputs go (.npz)", required=True),
        ARRAYS.flag("--overwrite", "Replace it if it exists"),
        RUNNING.value(
            "--engine",
            "NAME",
            "reference or onnxruntime [what fits the file]",
            OneOf("reference", "onnxruntime"),
        ),
        RUNNING.value(
            "--precision",
            "NAME",
            "float32 or float64, of the reference [float32]",
            OneOf("float32", "float64"),
            default="float32",
        ),
        *reading_options(SOURCE),
    ],
    examples=[("With the reference:", "kerasir run old.h5 --inputs x.npz --outputs y.npz")],
)
@click.pass_obj
def run(
    settings: Settings,
    /,
    model: str,
    inputs: str,
    outputs: str,
    overwrite: bool,
    engine: str | None,
    precision: Any,
    **options: Any,
) -> None:
    """Run a model."""
    from ..arrays import read_arrays, write_arrays
    from ..engines import open_engine
    from ..verification.feeds import known_arrays

    started = time.perf_counter()
    with Progress(settings.err, before="running", quiet=settings.quiet):
        machine = open_engine(model, engine=engine, precision=precision, **reading_of(options))
        fed = known_arrays(machine, read_arrays(inputs), inputs).inputs
        if fed is None:
            names = ", ".join(port.name for port in machine.inputs)
            raise FormatError("no inputs in it", file=inputs, hint=f"in_0, …, or {names}")
        found = machine.run(fed).outputs
    arrays = {f"out_{index}": array for index, array in enumerate(found)}
    size = write_arrays(outputs, arrays, overwrite=overwrite)
    seconds = time.perf_counter() - started
    described = [
        {"array": name, "output": port.name, "layout": port.text, "shape": list(array.shape)}
        for (name, array), port in zip(arrays.items(), machine.outputs, strict=True)
    ]
    if settings.json:
        body = {"engine": machine.title, "outputs": described, "bytes": size, "seconds": seconds}
        settings.document("run/1", ok=True, body=body)
    if settings.quiet:
        return
    err = settings.err
    err.print(f"{err.paint(words.file(model), 'bold')}   {machine.title}")
    rows = [
        (name, show(port.name), err.tag(port.text), str(array.shape))
        for (name, array), port in zip(arrays.items(), machine.outputs, strict=True)
    ]
    err.table(rows)
    done = err.paint("✓ wrote", "green")
    took = err.paint(f"{words.size(size)} in {words.duration(seconds)}", "dim")
    err.print(f"{done} {words.file(outputs)}   {took}")
