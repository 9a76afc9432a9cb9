"""`kerasir verify`: two models on the same inputs, or one against known answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from .progress import Progress
from .reading import SOURCE_A, reading_of, reading_options
from .settings import Settings
from .usage import Command, Section
from .verdict import print_verification

if TYPE_CHECKING:
    from ..verification import Verification

FEEDS = Section("Inputs and answers")


@click.command(
    cls=Command,
    intro="Run A and B on the same inputs and compare them layer by layer; or compare A with\n"
    "known answers. Equal: exit 0. Different, or not finite: exit 1.",
    params=[
        click.Argument(["a"], metavar="A"),
        click.Argument(["b"], metavar="[B]", required=False),
        FEEDS.value(
            "--expect", "FILE", "Known answers, out_0, …, and their inputs, in_0, … (.npz)"
        ),
        FEEDS.value(
            "--inputs", "FILE", "Inputs, in A's order of axes (.npz); without them: random ones"
        ),
        FEEDS.value(
            "--tolerance",
            "X",
            "Largest error that counts as equal [1e-05; float16: 0.01]",
            click.FloatRange(0, 1),
        ),
        *reading_options(SOURCE_A),
    ],
    examples=[
        ("Is the converted model the same?", "kerasir verify old.h5 new.h5"),
        ("Does it predict what the old Keras did?", "kerasir verify old.h5 --expect old.npz"),
    ],
)
@click.pass_obj
def verify(
    settings: Settings,
    /,
    a: str,
    b: str | None,
    expect: str | None,
    inputs: str | None,
    tolerance: float | None,
    **options: Any,
) -> int:
    """Compare."""
    from ..verification import verify as compare

    told = {"expect": expect, "inputs": inputs, "tolerance": tolerance, **reading_of(options)}
    with Progress(settings.err, before="verifying", quiet=settings.quiet):
        found = compare(a, b, **told)
    if settings.json:
        settings.document("verify/1", ok=found.equal, body=record(found))
    elif not settings.quiet:
        print_verification(settings.out, found, settings.verbose)
    return 0 if found.equal else 1


def record(found: Verification) -> dict[str, Any]:
    """A verification as JSON has it."""
    first = found.first
    return {
        "equal": found.equal,
        **msgspec.to_builtins(found),
        "first_difference": None if first is None else {"name": first.name, "part": first.part},
    }
