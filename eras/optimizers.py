"""What each era's optimizers are told, which arrays they keep, and in which order.

Sources: Keras 3.15 `optimizers/` (`build` of each, and genuine files); Keras 1.2.2, 2.2.4 and 2.3.1
`optimizers.py` (`get_updates`, the order of `self.weights`),
seen in genuine files; Keras 1.2.2 `engine/training.py` (`trainable_weights.sort`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .vocabularies import is_since


class SlotOrder(msgspec.Struct, frozen=True):
    """The arrays of one optimizer: maybe a step count, then one run per kind over all weights.

    Attributes:
        counts: Whether the first array is the number of steps.
        kinds: Kinds of slots, each a run over the weights.
        unread: Kinds that may follow and hold nothing (`vhat` of shape (1,) without amsgrad).
        rate: Whether the learning rate follows the number of steps, if it is a number.
        interleaved: Whether each weight's kinds stand together, and not each kind's weights.
        later: Kinds that follow in runs, each where a key of the configuration says something.
        product: Whether Nadam's product of momentums stands at the end.
        idle: Kinds that are kept all the same where a key of the configuration says nothing, and
            change nothing then.
        passed: Numbers behind the steps that follow from them: Nadam's product of momentums.
    """

    counts: bool
    kinds: tuple[str, ...]
    unread: tuple[str, ...] = ()
    rate: bool = False
    interleaved: bool = False
    later: Mapping[str, str] = {}
    product: bool = False
    passed: int = 0
    idle: Mapping[str, str] = {}

    def runs(self, config: Mapping[str, Any]) -> list[tuple[str, ...]]:
        """The kinds that stand together for each weight, run by run."""
        later = [(kind,) for kind, key in self.later.items() if config.get(key)]
        first = [self.kinds] if self.interleaved else [(kind,) for kind in self.kinds]
        return [run for run in (*first, *later) if run]


def _keras3(
    *kinds: str,
    later: Mapping[str, str] | None = None,
    product: bool = False,
    rate: bool = True,
) -> SlotOrder:
    return SlotOrder(
        counts=True,
        kinds=kinds,
        rate=rate,
        interleaved=True,
        later=later or {},
        product=product,
    )


_SGD = SlotOrder(True, ("momentum",), idle={"momentum": "momentum"})
_ADAM = SlotOrder(
    True, ("momentum", "velocity"), ("velocity_hat",), later={"velocity_hat": "amsgrad"}
)
_ADAMAX = SlotOrder(True, ("momentum", "norm"))

_KERAS1: Mapping[str, SlotOrder] = {
    "SGD": _SGD,
    "RMSprop": SlotOrder(False, ("velocity",)),
    "Adagrad": SlotOrder(False, ("accumulator",)),
    "Adadelta": SlotOrder(False, ("accumulated_grad", "accumulated_delta")),
    "Adam": SlotOrder(True, ("momentum", "velocity")),
    "Adamax": _ADAMAX,
    "Nadam": SlotOrder(True, ("momentum", "velocity")),
}

SLOTS: Mapping[str, Mapping[str, SlotOrder]] = {
    "keras1": _KERAS1,
    "keras2.0": _KERAS1,
    "keras2": {
        "SGD": _SGD,
        "RMSprop": SlotOrder(False, ("velocity",)),
        "Adagrad": SlotOrder(False, ("accumulator",)),
        "Adadelta": SlotOrder(False, ("accumulated_grad", "accumulated_delta")),
        "Adam": _ADAM,
        "Adamax": _ADAMAX,
        "Nadam": SlotOrder(True, ("momentum", "velocity")),
    },
    "keras3": {
        "SGD": _keras3(later={"momentum": "momentum"}),
        "RMSprop": _keras3(
            "velocity", later={"momentum": "momentum", "average_gradient": "centered"}
        ),
        "Adagrad": _keras3("accumulator"),
        "Adadelta": _keras3("accumulated_grad", "accumulated_delta"),
        "Adam": _keras3("momentum", "velocity", later={"velocity_hat": "amsgrad"}),
        "AdamW": _keras3("momentum", "velocity", later={"velocity_hat": "amsgrad"}),
        "Adamax": _keras3("momentum", "norm"),
        "Nadam": _keras3("momentum", "velocity", product=True),
    },
}
"""By vocabulary and optimizer class; kinds are named as Keras 3 names them."""

_RMSPROP = {"momentum": "momentum", "average_gradient": "centered"}

_KERAS23: Mapping[str, SlotOrder] = {
    "RMSprop": SlotOrder(True, ("velocity",)),
    "Adagrad": SlotOrder(True, ("accumulator",)),
    "Adadelta": SlotOrder(True, ("accumulated_grad", "accumulated_delta")),
    "Nadam": SlotOrder(True, ("momentum", "velocity"), passed=1),
}
"""From 2.3 on the steps of all are counted. Source: Keras 2.3.1 `optimizers.py`."""

SINCE: Mapping[str, tuple[tuple[int, ...], Mapping[str, SlotOrder]]] = {
    "keras2": ((2, 3), _KERAS23),
}
"""By vocabulary: the version from which on optimizers of a table are stored otherwise.

What a file that states a later version holds is read in this order by Keras 2.3 and by tf-keras,
whose optimizers for such files are those of `optimizers/legacy/`."""

FOUND: Mapping[str, Mapping[str, SlotOrder]] = {
    "keras2": _KERAS23,
    "tf_keras": {  # from 2.11 on
        "SGD": _keras3("momentum", rate=False),
        "RMSprop": _keras3("velocity", later=_RMSPROP, rate=False),
        "Adagrad": _keras3("accumulator", rate=False),
        "Adadelta": _keras3("accumulated_grad", "accumulated_delta", rate=False),
        "Adam": _keras3("momentum", "velocity", later={"velocity_hat": "amsgrad"}, rate=False),
        "AdamW": _keras3("momentum", "velocity", later={"velocity_hat": "amsgrad"}, rate=False),
        "Adamax": _keras3("momentum", "norm", rate=False),
        "Nadam": _keras3("momentum", "velocity", rate=False),
    },
    "tf_keras legacy": {
        "SGD": SlotOrder(True, (), later={"momentum": "momentum"}),
        "RMSprop": SlotOrder(True, ("velocity",), later=_RMSPROP),
        "Adagrad": SlotOrder(True, ("accumulator",)),
        "Adadelta": SlotOrder(True, ("accumulated_grad", "accumulated_delta")),
        "Adam": SlotOrder(True, ("momentum", "velocity"), later={"velocity_hat": "amsgrad"}),
        "Adamax": SlotOrder(True, ("momentum", "norm")),
        "Nadam": SlotOrder(True, ("momentum", "velocity"), passed=1),
    },
}
"""Orders that only importers meet.

Sources: Keras 2.3.1 `optimizers.py`; tf-keras 2.21 `optimizers/`
(`build`) and `optimizers/legacy/` (`_create_slots`); genuine files of both."""


def forgets_product(order: SlotOrder, name: str) -> bool:
    """Whether a list leaves out the product of momentums that later versions keep.

    Source: Keras 2.2.4 `optimizers.py` (`Nadam.get_updates`): `m_schedule` is no weight of it.
    """
    later = _KERAS23.get(name)
    return later is not None and later.passed > 0 and not (order.passed or order.product)


OLD = frozenset({"keras1", "keras2.0", "keras2"})
"""Vocabularies whose optimizers compute as those of Keras 1 and 2."""


def computes_as_old(vocabulary: str, config: Mapping[str, Any]) -> bool:
    """Whether a file's optimizer computes as that of Keras 1 and 2.

    Source: tf-keras 2.21 `optimizers/__init__.py` (`deserialize`): one that does not say which it
    is is one of `optimizers/legacy/`.
    """
    legacy = vocabulary == "tf_keras" and bool(config.get("is_legacy_optimizer", True))
    return legacy or vocabulary in OLD


def orders(vocabulary: str, name: str, config: Mapping[str, Any]) -> list[SlotOrder]:
    """The orders that a file's optimizer may have, the likeliest first."""
    if vocabulary == "tf_keras" and computes_as_old(vocabulary, config):
        vocabulary = "tf_keras legacy"
    tables = (SLOTS.get(vocabulary, {}), FOUND.get(vocabulary, {}))
    return [table[name] for table in tables if name in table]


def written_order(vocabulary: str, name: str, version: str) -> SlotOrder | None:
    """The order of an optimizer's arrays in a file that states this version."""
    first, later = SINCE.get(vocabulary, ((), {}))
    if name in later and is_since(version, first):
        return later[name]
    return SLOTS[vocabulary].get(name)


ORDERS: Mapping[str, str] = {
    "keras1": "by name",
    "keras2.0": "by layer",
    "keras2": "by layer",
    "keras3": "by layer",
}
"""How the era sorts the weights that its slots follow: Keras 1.2.2 by their names as text."""

_OLD_CONFIG: Mapping[str, tuple[str, ...]] = {
    "SGD": ("lr", "momentum", "decay", "nesterov"),
    "RMSprop": ("lr", "rho", "decay", "epsilon"),
    "Adagrad": ("lr", "decay", "epsilon"),
    "Adadelta": ("lr", "rho", "decay", "epsilon"),
    "Adam": ("lr", "beta_1", "beta_2", "decay", "epsilon"),
    "Adamax": ("lr", "beta_1", "beta_2", "decay", "epsilon"),
    "Nadam": ("lr", "beta_1", "beta_2", "epsilon", "schedule_decay"),
}

_KERAS3 = (
    "weight_decay", "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip

CONFIG: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "keras1": _OLD_CONFIG,
    "keras2.0": _OLD_CONFIG,
    "keras2": {
        "SGD": ("lr", "momentum", "decay", "nesterov"),
        "RMSprop": ("lr", "rho", "decay", "epsilon"),
        "Adagrad": ("lr", "decay", "epsilon"),
        "Adadelta": ("lr", "rho", "decay", "epsilon"),
        "Adam": ("lr", "beta_1", "beta_2", "decay", "epsilon", "amsgrad"),
        "Adamax": ("lr", "beta_1", "beta_2", "decay", "epsilon"),
        "Nadam": ("lr", "beta_1", "beta_2", "epsilon", "schedule_decay"),
    },
    "keras3": {
        "SGD": ("learning_rate", "momentum", "nesterov", *_KERAS3),
        "RMSprop": ("learning_rate", "rho", "momentum", "epsilon", "centered", *_KERAS3),
        "Adagrad": ("learning_rate", "initial_accumulator_value", "epsilon", *_KERAS3),
        "Adadelta": ("learning_rate", "rho", "epsilon", *_KERAS3),
        "Adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad", *_KERAS3),
        "AdamW": ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad", *_KERAS3),
        "Adamax": ("learning_rate", "beta_1", "beta_2", "epsilon", *_KERAS3),
        "Nadam": ("learning_rate", "beta_1", "beta_2", "epsilon", *_KERAS3),
    },
}
"""The optimizers that a target has, and the keys that each reads besides `CLIPPING`.

Sources: Keras 2.2.4 `optimizers.py`; the constructors of Keras 3.15 `optimizers/`."""

CLIPPING = ("clipnorm", "clipvalue")
"""Keys of every optimizer, of every era; left out where they are null."""

UNSAID: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "keras3": {
        "RMSprop": {"epsilon": 1e-7},
        "Adagrad": {"epsilon": 1e-7, "initial_accumulator_value": 0.0},
        "Adadelta": {"epsilon": 1e-7},
        "Adam": {"epsilon": 1e-7},
        "Adamax": {"epsilon": 1e-7},
        "Nadam": {"epsilon": 1e-7},
    },
}
"""What old optimizers that say nothing of a key, or null, take for it: to be said in a target whose
own default may be another. Source: Keras 2.2.4 `optimizers.py`, `backend/common.py` (`epsilon`)."""

_ITS_OWN_PACE = {"Nadam": {"schedule_decay": 1.0}}

MEANT: Mapping[str, Mapping[str, Mapping[str, float]]] = dict.fromkeys(OLD, _ITS_OWN_PACE)
"""What optimizers of tf-keras from 2.11 on and of Keras 3 do and have no key for, in the keys of
the old ones. Source: Keras 3.15 `optimizers/nadam.py` (`_backend_update_step`)."""

IDLE: Mapping[str, str] = {"ema_momentum": "use_ema", "ema_overwrite_frequency": "use_ema"}
"""Keys that say something only where another one does."""

DECAYS: Mapping[str, str] = {"keras3": "learning_rate"}
"""The targets that say a decay of the rate as a schedule, and the key that holds the schedule."""

_ON_THE_ROOT = "epsilon is added to the root, not under it"

OTHERWISE: Mapping[str, Mapping[str, str]] = {
    **{old: {"RMSprop": _ON_THE_ROOT, "Adagrad": _ON_THE_ROOT} for old in OLD},
    "keras3": {
        "RMSprop": "epsilon is added under the root, not to it",
        "Adagrad": "epsilon is added under the root, not to it",
        "Nadam": "its momentum follows another schedule",
    },
}
"""Optimizers that compute a step otherwise than those of the same name before, or since.

Sources: Keras 2.2.4 `optimizers.py` (`get_updates`), Keras 3.15 `optimizers/` (`update_step`)."""

POWERS: Mapping[str, int] = {
    "momentum": -1,
    "norm": -1,
    "average_gradient": -1,
    "velocity": -2,
    "velocity_hat": -2,
    "accumulator": -2,
    "accumulated_grad": -2,
    "accumulated_delta": 0,
}
"""How a slot goes with its weight: where a weight is written times f, its gradients, and what sums
them up, are those of the old one divided by f; squares by its square."""
_RATE: Mapping[str, str] = {"learning_rate": "lr"}

OTHER_MEANING: Mapping[str, Mapping[str, str]] = {"Nadam": {"decay": "schedule_decay"}}
"""Keys of one optimizer that mean what another key does.

Source: tf-keras 2.21 `optimizers/legacy/nadam.py` (`__init__`)."""

RENAMED: Mapping[str, Mapping[str, str]] = {
    "keras1": _RATE,
    "keras2.0": _RATE,
    "keras2": _RATE,
    "keras3": {"lr": "learning_rate"},
}
"""What keys of other eras are called in this one."""


class StateNames(msgspec.Struct, frozen=True):
    """What a file calls the arrays of an optimizer; every Keras up to 2.3 reads them by order.

    Attributes:
        scalar: The number of steps, and others that belong to no weight; `{optimizer}`, `{name}`
            and `{number}` stand for the class, what it is, and its place.
        slot: Any other.
        dtype: Of the number of steps.
    """

    scalar: str
    slot: str
    dtype: str = "int64"


_NUMBERED = StateNames("{optimizer}/{name}", "training/{optimizer}/variable_{number}")

NAMES: Mapping[str, StateNames] = {
    "keras1": StateNames("param_{number}", "param_{number}", "float32"),
    "keras2.0": _NUMBERED,
    "keras2": _NUMBERED,
    "keras3": msgspec.structs.replace(_NUMBERED, dtype="int32"),
}
"""By vocabulary."""
