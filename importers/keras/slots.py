"""What a layer class stores: its configuration, and the arrays it has a slot for."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Base of layer configurations: the keys that change numbers, in the names of Keras 2."""


class Slot(msgspec.Struct, frozen=True):
    """One stored array of a layer.

    Attributes:
        name: The parameter it belongs to, as the translator asks for it.
        trainable: Whether training changes it while the layer is trainable.
        optional: Whether some kinds of file leave it out.
    """

    name: str
    trainable: bool = True
    optional: bool = False
