"""What each target reads: one table per dialect."""

from __future__ import annotations

from collections.abc import Mapping

from .keras1 import KERAS1
from .keras2 import KERAS2
from .keras3 import KERAS3
from .keras20 import KERAS20
from .keras22 import KERAS22
from .records import BASE, LOADED_BY, Dialect, Known
from .tf_keras_alone import TF_KERAS

__all__ = ["BASE", "DIALECTS", "LOADED_BY", "Dialect", "Known"]

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (KERAS1, KERAS20, KERAS22, KERAS2, TF_KERAS, KERAS3)
}
"""By the name the user asks for."""
