"""`kerasir passes`: which passes and pipelines there are, from the registry."""

from __future__ import annotations

from typing import Any

import click

from ..errors import PassError, UsageError
from ..passes.pipeline import steps_of
from ..passes.registry import PASSES, PIPELINES, PassInfo
from ..plugin import load_plugins, plugin_of
from .console import Console, cut
from .reading import CHOOSING, plugin_option
from .settings import Settings
from .usage import Command

LETTERS = {"keras": ("K", "to Keras"), "onnx": ("O", "to ONNX"), "deploy": ("D", "--pass deploy")}
"""Pipelines that the table has a letter for. `ir`, which runs no pass, needs none."""


@click.command(
    cls=Command,
    intro="List passes and pipelines, or describe one pass.",
    params=[
        click.Argument(["name"], required=False, metavar="[PASS]"),
        CHOOSING.value("--pipeline", "NAME", "List one pipeline in full"),
        plugin_option(CHOOSING),
    ],
    examples=[
        ("One pass in full:", "kerasir passes relayout"),
        ("A pipeline in full:", "kerasir passes --pipeline onnx"),
    ],
)
@click.pass_obj
def passes(
    settings: Settings, /, name: str | None, pipeline: str | None, plugin: tuple[str, ...]
) -> None:
    """List passes."""
    load_plugins(plugin)
    if settings.json:
        settings.document("passes/1", ok=True, body=_record())
    elif pipeline is not None:
        _print_pipeline(settings.out, pipeline)
    elif name is not None:
        _print_pass(settings.out, name)
    else:
        _print_all(settings.out)


def _record() -> dict[str, Any]:
    known = [
        {
            "name": info.name,
            "summary": info.summary,
            "data": info.data,
            "pipelines": list(info.pipelines),
            "plugin": plugin_of(info.run.__module__) or None,
        }
        for info in PASSES.values()
    ]
    return {"passes": known, "pipelines": {name: list(steps) for name, steps in PIPELINES.items()}}


def _print_all(console: Console) -> None:
    def head(*cells: str) -> list[str]:
        return [console.paint(cell, "dim") for cell in cells]

    console.print("passes")
    room = _room(console)
    rows = [head("name", "what it does", "data", "in")]
    for info in PASSES.values():
        plugin = plugin_of(info.run.__module__)
        told = f"{info.summary}  plugin: {plugin}" if plugin else info.summary
        summary = console.paint(cut(told, room), *["yellow"] * bool(plugin))
        rows.append([console.paint(info.name, "cyan"), summary, info.data, _letters(console, info)])
    console.table(rows)
    console.print()
    console.print("pipelines")
    console.table(
        (
            (console.paint(letter, "bold"), title, ", ".join(PIPELINES[name]))
            for name, (letter, title) in LETTERS.items()
        ),
        cut_last=True,
    )
    console.print()
    console.print(
        "one pass in full: kerasir passes relayout        "
        "a pipeline in full: kerasir passes --pipeline onnx"
    )


def _room(console: Console) -> int:
    """Columns that are left to say what a pass does, beside its name, `value` and its letters."""
    if console.width is None:
        return max(map(len, (info.summary for info in PASSES.values()))) + 80
    return max(20, console.width - max(map(len, PASSES)) - len("value") - 2 * len(LETTERS) - 9)


def _letters(console: Console, info: PassInfo) -> str:
    letters = [
        console.paint(letter, "bold") if name in info.pipelines else " "
        for name, (letter, _) in LETTERS.items()
    ]
    return " ".join(letters) if info.pipelines else "."


def _print_pass(console: Console, name: str) -> None:
    info = PASSES.get(name)
    if info is None:
        raise PassError(f"no pass {name!r}", hint=f"one of {', '.join(PASSES)}")
    console.print(f"{console.paint(info.name, 'cyan')}   {info.summary}.")
    rest = (info.run.__doc__ or "").partition("\n")[2]
    paragraphs = [" ".join(part.split()) for part in rest.split("\n\n")]
    for paragraph in filter(None, paragraphs):
        console.print(f"  {paragraph}")
    console.print()
    words = {"tag": "changes layouts only", "value": "computes new numbers", "-": "moves no data"}
    runs = ", ".join(info.pipelines) or "no pipeline: name it with --pass"
    console.table([("data", words[info.data]), ("in", runs)])


def _print_pipeline(console: Console, name: str) -> None:
    if name not in PIPELINES:
        raise UsageError(f"no pipeline {name!r}", hint=f"one of {', '.join(PIPELINES)}")
    console.print(f"pipeline {name}")
    console.table(
        (str(number), console.paint(step.name, "cyan"), step.summary)
        for number, step in enumerate(steps_of(name), 1)
    )
