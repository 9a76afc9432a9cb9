"""Verification: two models, or one and known answers, compared on the same inputs."""

from __future__ import annotations

from .records import Cause, Classes, Compared, Difference, Side, Verification
from .run import verify, verify_conversion

__all__ = [
    "Cause",
    "Classes",
    "Compared",
    "Difference",
    "Side",
    "Verification",
    "verify",
    "verify_conversion",
]
