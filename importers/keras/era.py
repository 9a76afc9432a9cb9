"""What is known of the file that holds for every layer: era, backend, ordering."""

from __future__ import annotations

import msgspec

from ...eras.masking import ENDS_AT, STRIPS
from ...eras.normalization import NOW, Statistics
from ...eras.releases import Habit, has_habit
from ...eras.storage import CONVOLVES, Dialect, table
from ...eras.vocabularies import Storage
from ...errors import ConfigError


class Era(msgspec.Struct, frozen=True):
    """How to read a file's layers.

    Attributes:
        vocabulary: Whose names and meanings its configurations use, a key of the tables in `eras`.
        storage: Whose layouts its weights have.
        backend: Which backend computed with the weights.
        ordering: What layers that do not say their data format have; None if nobody knows.
        version: Of the Keras that wrote the file; None if not known.
        statistics: How its BatchNormalization computes.
    """

    vocabulary: str
    storage: Storage
    backend: str
    ordering: str | None
    version: str | None = None
    statistics: Statistics = NOW

    @property
    def same(self) -> str:
        """Whose rule `padding="same"` follows."""
        return "theano" if self.backend in CONVOLVES else "tensorflow"

    def dialect(self, data_format: str) -> Dialect:
        """Which storage table a layer's weights follow."""
        return table(self.storage, data_format)

    def ends_masks(self, *names: str) -> bool:
        """Whether a class of one of these names hands no mask on."""
        return not ENDS_AT.get(self.vocabulary, frozenset()).isdisjoint(names)

    def has(self, habit: Habit) -> bool:
        """Whether layers of the release that wrote the file do something."""
        return has_habit(habit, self.vocabulary, self.version)

    def strips_masks(self, class_name: str) -> bool:
        """Whether layers of a class take the masks off what they are given."""
        return class_name in STRIPS and self.has("attention_strips_masks")

    def data_format(self, stated: str | None) -> str:
        """A layer's data format: its own, or the file's where the layer is silent.

        Raises:
            ConfigError: Nobody says.
        """
        found = self.ordering if stated in {None, "default"} else stated
        if found not in {"channels_first", "channels_last"}:
            raise ConfigError(
                f"its data format is {stated!r}, and no other layer tells",
                hint="add --source-data-format channels_first or channels_last",
            )
        return found
