"""`kerasir view`: a model's graph as one HTML page."""

from __future__ import annotations

from typing import Any

import click

from ..errors import ExistsError, UsageError
from . import words
from .inspect import record
from .reading import SOURCE, reading_of, reading_options
from .settings import Settings
from .usage import OUTPUT, Command


@click.command(
    cls=Command,
    intro="Draw the graph of MODEL as one HTML page, the layout of every tensor on its edges.\n"
    "What repeats is drawn once. The page loads nothing and needs no script; no weight is read.",
    params=[
        click.Argument(["model"], metavar="MODEL"),
        OUTPUT.value(
            "-o --out", "FILE.html", "Where to write [MODEL's name with .html, in this folder]"
        ),
        OUTPUT.flag("--overwrite", "Replace FILE if it exists"),
        *reading_options(SOURCE),
    ],
    examples=[("A picture of an old model:", "kerasir view old.h5 -o old.html")],
)
@click.pass_obj
def view(
    settings: Settings, /, model: str, out: str | None, overwrite: bool, **options: Any
) -> None:
    """Draw it."""
    import os

    from ..arrays import write_text
    from ..inspection import inspect_file
    from ..pages.view import view_page

    target = out or os.path.splitext(os.path.basename(model))[0] + ".html"
    if not target.lower().endswith((".html", ".htm")):
        raise UsageError(f"no kind of page known for {target!r}", hint="name it .html")
    if os.path.lexists(target) and not overwrite:
        raise ExistsError("exists", file=target, hint="--overwrite replaces it")
    found = inspect_file(model, **reading_of(options))
    if not found.kind:
        raise UsageError("weights only: there is no graph", file=model, hint="add --arch")
    text = view_page(record(found))
    write_text(target, text, overwrite=overwrite)
    size = len(text.encode())
    if settings.json:
        settings.document("view/1", ok=True, body={"model": model, "page": target, "bytes": size})
    if not settings.quiet:
        err = settings.err
        told = f"{words.count(found.layers, 'layer')}, {words.size(size)}"
        err.print(f"{err.paint('✓ wrote', 'green')} {words.file(target)}   {told}")
