"""Keras files of every era, read into one neutral record.

`read_archive` sniffs what kind of file it is, lets a reader find names and places (beside the HDF5
library, in a process of its own) and assembles an `Archive`: configuration as it stands, weights
as sources that are read when asked for. Nothing is renamed, filled in or believed here.
"""

from .architecture import read_architecture
from .reader import read_archive
from .record import Archive, StoredWeight, WeightGroup

__all__ = ["Archive", "StoredWeight", "WeightGroup", "read_architecture", "read_archive"]
