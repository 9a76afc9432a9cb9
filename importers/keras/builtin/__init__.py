"""Published architectures of 2015 to 2017, for files of weights that came without theirs."""

from __future__ import annotations

from .furnish import PREFIX, furnish
from .models import ARCHITECTURES, architecture, named, weighted_layers

__all__ = ["ARCHITECTURES", "PREFIX", "architecture", "furnish", "named", "weighted_layers"]
