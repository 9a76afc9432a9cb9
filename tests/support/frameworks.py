"""Genuine Keras: which there are, and which interpreter has one.

Keras 3 (with jax) and tf-keras are looked for in this interpreter, or in others that the variables
KERASIR_KERAS3_PYTHON and KERASIR_TF_KERAS_PYTHON name.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import NamedTuple


class Framework(NamedTuple):
    """A genuine Keras: what to import, where to look for an interpreter that has it."""

    module: str
    needs: tuple[str, ...]
    variable: str

    def python(self) -> str | None:
        """An interpreter that can import it; None if there is none."""
        if named := os.environ.get(self.variable):
            return named
        here = all(importlib.util.find_spec(name) for name in self.needs)
        return sys.executable if here else None


KERAS3 = Framework("keras", ("keras", "jax"), "KERASIR_KERAS3_PYTHON")
TF_KERAS = Framework("tf_keras", ("tf_keras", "tensorflow"), "KERASIR_TF_KERAS_PYTHON")

FRAMEWORKS = {framework.module: framework for framework in (KERAS3, TF_KERAS)}
