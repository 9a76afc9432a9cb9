"""What each era's optimizers are told, which arrays they keep, and in which order.

Sources: Keras 1.2.2, 2.2.4 and 2.3.1 `optimizers.py` (`get_updates`, the order of `self.weights`),
seen in genuine files; Keras 1.2.2 `engine/training.py` (`trainable_weights.sort`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class SlotOrder(msgspec.Struct, frozen=True):
    """The arrays of one optimizer: maybe a step count, then one run per kind over all weights.

    Attributes:
        counts: Whether the first array is the number of steps.
        kinds: Kinds of slots, each a run over the weights.
        unread: Kinds that may follow and hold nothing (`vhat` of shape (1,) without amsgrad).
    """

    counts: bool
    kinds: tuple[str, ...]
    unread: tuple[str, ...] = ()


_SGD = SlotOrder(True, ("momentum",))
_ADAM = SlotOrder(True, ("momentum", "velocity"), ("velocity_hat",))
_ADAMAX = SlotOrder(True, ("momentum", "norm"))

SLOTS: Mapping[str, Mapping[str, SlotOrder]] = {
    "keras1": {
        "SGD": _SGD,
        "RMSprop": SlotOrder(False, ("velocity",)),
        "Adagrad": SlotOrder(False, ("accumulator",)),
        "Adadelta": SlotOrder(False, ("accumulated_grad", "accumulated_delta")),
        "Adam": SlotOrder(True, ("momentum", "velocity")),
        "Adamax": _ADAMAX,
        "Nadam": SlotOrder(True, ("momentum", "velocity")),
    },
    "keras2": {
        "SGD": _SGD,
        "RMSprop": SlotOrder(False, ("velocity",)),
        "Adagrad": SlotOrder(False, ("accumulator",)),
        "Adadelta": SlotOrder(False, ("accumulated_grad", "accumulated_delta")),
        "Adam": _ADAM,
        "Adamax": _ADAMAX,
        "Nadam": SlotOrder(True, ("momentum", "velocity")),
    },
}
"""By vocabulary and optimizer class; kinds are named as Keras 3 names them."""

ORDERS: Mapping[str, str] = {"keras1": "by name", "keras2": "by layer"}
"""How the era sorts the weights that its slots follow: Keras 1.2.2 by their names as text."""

CONFIG: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "keras2": {
        "SGD": ("lr", "momentum", "decay", "nesterov"),
        "RMSprop": ("lr", "rho", "decay", "epsilon"),
        "Adagrad": ("lr", "decay", "epsilon"),
        "Adadelta": ("lr", "rho", "decay", "epsilon"),
        "Adam": ("lr", "beta_1", "beta_2", "decay", "epsilon", "amsgrad"),
        "Adamax": ("lr", "beta_1", "beta_2", "decay", "epsilon"),
        "Nadam": ("lr", "beta_1", "beta_2", "epsilon", "schedule_decay"),
    },
}
"""The optimizers that a target has, and the keys that each reads besides `CLIPPING`.

Sources: Keras 2.2.4 `optimizers.py`."""

CLIPPING = ("clipnorm", "clipvalue")
"""Keys of every optimizer, of every era; left out where they are null."""

RENAMED: Mapping[str, Mapping[str, str]] = {"keras2": {"learning_rate": "lr"}}
"""What keys of other eras are called in this one."""
