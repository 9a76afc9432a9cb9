"""`kerasir ops`: which operations there are, and what each target supports."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import click
import msgspec

from . import words
from .console import Console
from .reading import CHOOSING, plugin_option
from .settings import Settings
from .template import plugin_template
from .usage import Command

if TYPE_CHECKING:
    from ..ir.op import Op


@click.command(
    cls=Command,
    intro="List operations and what each target supports, or describe one.",
    params=[
        click.Argument(["name"], required=False, metavar="[OP]"),
        CHOOSING.value(
            "--template", "CLASS", "Print a plugin to begin with, for a layer class of your own"
        ),
        plugin_option(CHOOSING),
    ],
    examples=[
        ("One op, its tensors and attributes:", "kerasir ops Conv"),
        ("A plugin for a class of your own:", "kerasir ops --template MyLayer > my_layer.py"),
    ],
)
@click.pass_obj
def ops(
    settings: Settings, /, name: str | None, template: str | None, plugin: tuple[str, ...]
) -> None:
    """List operations."""
    from ..catalogue import all_ops
    from ..plugin import load_plugins

    if template is not None:
        settings.out.stream.write(plugin_template(template))
        return
    load_plugins(plugin)
    if name is not None:
        _print_one(settings, name)
    elif settings.json:
        settings.document("ops/1", ok=True, body={"ops": msgspec.to_builtins(all_ops())})
    else:
        _print_all(settings.out)


def _print_all(console: Console) -> None:
    from ..catalogue import all_ops

    def mark(there: bool) -> str:
        return console.paint("✓", "green") if there else console.paint("-", "dim")

    found = all_ops()
    rows = [[console.paint(text, "dim") for text in ("  op", "keras", "onnx", "run", "")]]
    for family, members in groupby(found, key=lambda info: info.family):
        rows.append([console.paint(family, "bold"), "", "", "", ""])
        for info in members:
            onnx = mark(False) if info.onnx is None else f"{info.onnx}+"
            origin = console.paint(f"plugin: {info.plugin}", "yellow") if info.plugin else ""
            note = origin or info.summary
            rows.append([f"  {info.name}", mark(info.keras), onnx, mark(info.reference), note])
    console.table(rows, indent="", cut_last=True)
    plugins = sum(bool(info.plugin) for info in found)
    console.print()
    console.print(
        f"{words.count(len(found), 'op')}, {plugins} from plugins. "
        "One op, its tensors and attributes: kerasir ops Conv"
    )
    console.print(
        "Start a plugin for a class of your own: kerasir ops --template MyLayer > my_layer.py"
    )


def _print_one(settings: Settings, name: str) -> None:
    from ..catalogue import OTHER, op_class, pattern_text

    cls = op_class(name)
    rows = [
        (kind, port.name + ("?" if port.optional else "*" if port.variadic else ""), text)
        for kind, ports in (("input", cls.inputs), ("weight", cls.params), ("result", cls.results))
        for port in ports
        if (text := pattern_text(port)) is not None
    ]
    attributes = _attributes(cls)
    doc = [" ".join(part.split()) for part in _paragraphs(cls.__doc__ or "")]
    if settings.json:
        tensors = [{"kind": kind, "name": port, "layout": text} for kind, port, text in rows]
        settings.document(
            "op/1",
            ok=True,
            body={"name": cls.__name__, "family": cls.family, "meaning": doc, "tensors": tensors,
                  "attributes": attributes},
        )  # fmt: skip
        return
    console = settings.out
    console.print(
        f"{console.paint(cls.__name__, 'bold')}   {cls.family or OTHER}   {doc[0] if doc else ''}"
    )
    for paragraph in doc[1:]:
        console.print(f"  {paragraph}")
    console.print()
    head = [console.paint(text, "dim") for text in ("", "tensor", "axes")]
    console.table([head, *([kind, port, console.tag(text)] for kind, port, text in rows)])
    _print_storage(console, cls)
    if attributes:
        console.print()
        head = [console.paint(text, "dim") for text in ("attribute", "default")]
        console.table([head, *([key, value] for key, value in attributes.items())])


def _print_storage(console: Console, cls: type[Op]) -> None:
    """How each era stores the weights, where that is told by a table."""
    from ..catalogue import storage_rows

    rows, reversed_ones = storage_rows(cls)
    if not rows:
        return
    console.print()
    head = ("stored", "Keras 1, th", "Keras 1, tf", "Keras 2 and 3")
    painted = [[name, *map(console.tag, texts)] for name, *texts in rows]
    console.table([[console.paint(text, "dim") for text in head], *painted])
    if reversed_ones:
        runs = f"{' and '.join(reversed_ones)} {'run' if len(reversed_ones) > 1 else 'runs'}"
        console.print(f"  Written on Theano, {runs} back to front in space (~).")


def _paragraphs(doc: str) -> list[str]:
    """The text of a docstring, without its list of attributes."""
    return [
        part for part in doc.strip().split("\n\n") if not part.strip().startswith("Attributes:")
    ]


def _attributes(cls: Any) -> dict[str, str]:
    """Each attribute with its default; those that must be given have none."""
    fields = msgspec.structs.fields(cls)
    return {f.name: "" if f.required else str(f.default) for f in fields}
