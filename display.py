"""Models and results as `print` and notebooks show them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from .ir.shown import CARDS, TEXTS

if TYPE_CHECKING:
    from .api import Conversion
    from .ir.model import Model
    from .verification import Verification


def model_text(model: Model) -> str:
    """The text of `kerasir inspect`."""
    from .cli.console import Console
    from .cli.inspect_text import InspectionText
    from .inspection import inspect_model

    stream = io.StringIO()
    console = Console(stream, "never")
    console.unicode = True
    InspectionText(console, inspect_model(model), 0).print()
    return stream.getvalue().rstrip("\n")


def model_card(model: Model) -> str:
    """A table of layers."""
    from .cli.inspect import record
    from .inspection import inspect_model
    from .pages.cards import model_card as card

    return card(record(inspect_model(model)))


def conversion_card(done: Conversion) -> str:
    """What was assumed, changed, carried and lost."""
    import msgspec

    from .pages.cards import conversion_card as card

    title = done.target.described.title
    events = [msgspec.to_builtins(event) for event in done.report]
    proof = None if done.verification is None else done.verification.equal
    return card(title, done.bytes, done.seconds, events, proof)


def verification_card(found: Verification) -> str:
    """Errors layer by layer."""
    import msgspec

    from .pages.cards import verification_card as card

    return card(msgspec.to_builtins(found), found.equal)


TEXTS["Model"] = model_text
CARDS["Model"] = model_card
CARDS["Conversion"] = conversion_card
CARDS["Verification"] = verification_card
