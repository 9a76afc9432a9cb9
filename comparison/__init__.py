"""What differs between two model files: structure, settings, weights. Nothing is run."""

from .compare import diff, diff_models
from .records import Differences, Row

__all__ = ["Differences", "Row", "diff", "diff_models"]
