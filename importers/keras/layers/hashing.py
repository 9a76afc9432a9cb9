"""Hashing and HashedCrossing, of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ....ir.layout import size_of
from ....ir.ops.hashing import Hash, HashCross
from ..call import LayerCall
from ..registry import Config, translates
from .arithmetic import FLOATING, cast
from .encoding import Mode, encoded
from .merge import merged
from .tensors import dtype_of
from .texts import TEXT, encoded_axes, kept_texts

HALF_KEY = 2**64
"""Numbers that either half of a key may be; TensorFlow takes negative ones modulo it."""

UNSALTED = 0xDECAFCAFFE
"""Either half of what stands for no salt in files of TensorFlow 2.3 to 2.5, which hash without one
then (2.4 `keras/layers/preprocessing/hashing.py`, `_DEFAULT_SALT_KEY`)."""


class HashingConfig(Config, frozen=True, kw_only=True):
    """What Hashing reads."""

    num_bins: int
    mask_value: Any = None
    salt: Any = None
    output_mode: Mode = "int"
    sparse: bool = False
    dtype: Any = None


class CrossingConfig(Config, frozen=True, kw_only=True):
    """What HashedCrossing reads."""

    num_bins: int
    output_mode: Mode = "int"
    sparse: bool = False
    dtype: Any = None


CUTS = frozenset({"keras3"})
"""Vocabularies in which a Hashing takes floating point numbers, cut to whole ones."""


@translates("Hashing", config=HashingConfig)
def hashing(call: LayerCall, x: Value) -> Value:
    """Hashing of numbers, by their decimal digits.

    Source: Keras 3.15 and tf-keras 2.21 `layers/preprocessing/hashing.py` (`call`).
    """
    config: HashingConfig = call.config  # type: ignore[assignment]
    _check(call, config.num_bins, sparse=config.sparse)
    if x.dtype == TEXT:
        return kept_texts(call, [x], *encoded_axes(call, x, config.output_mode, config.num_bins))
    if x.dtype.startswith(FLOATING) and call.era.vocabulary not in CUTS:
        raise ConfigError("a Hashing of floating point numbers, which tf.keras does not take")
    masked = config.mask_value
    if isinstance(masked, bool) or not isinstance(masked, int | float | None):
        raise ConfigError(f"a mask value of {masked!r:.80} among numbers")
    op = Hash(bins=config.num_bins, key=_key(config.salt), masked=masked)
    y = call.add(op, [x], call.axes(x), dtypes=("int64",)).result
    return _given(call, y, config)


@translates("HashedCrossing", config=CrossingConfig)
def hashed_crossing(call: LayerCall, *inputs: Value) -> Value:
    """HashedCrossing of one number each.

    Source: Keras 3.15 and tf-keras 2.21 `layers/preprocessing/hashed_crossing.py` (`call`).
    """
    config: CrossingConfig = call.config  # type: ignore[assignment]
    _check(call, config.num_bins, sparse=config.sparse)
    if any(x.dtype == TEXT for x in inputs):
        shape = encoded_axes(call, inputs[0], config.output_mode, config.num_bins)
        return kept_texts(call, inputs, *shape)
    if len(inputs) < 2 or any(x.dtype.startswith(FLOATING) for x in inputs):
        raise ConfigError("a HashedCrossing takes two inputs or more, all of whole numbers")
    if any([size_of(term) for term in call.axes(x)[call.batch :]] not in ([], [1]) for x in inputs):
        raise ConfigError("a HashedCrossing takes one number of each input")
    y = merged(call, HashCross(bins=config.num_bins), inputs, dtypes=("int64",))
    return _given(call, y, config)


def _check(call: LayerCall, bins: int, *, sparse: bool) -> None:
    if not 0 < bins < HALF_KEY // 2:
        raise ConfigError(f"{call.class_name} with {bins} bins")
    if sparse:
        raise UnsupportedLayerError(
            f"{call.class_name} gives a sparse tensor, which no target of kerasir has",
            hint="make the layer with sparse=False: it says the same",
        )


def _key(salt: Any) -> tuple[int, int] | None:
    if salt is None or salt == [UNSALTED, UNSALTED]:
        return None
    halves: Sequence[Any] = salt if isinstance(salt, (list, tuple)) else (salt, salt)
    if len(halves) != 2 or any(isinstance(n, bool) or not isinstance(n, int) for n in halves):
        raise ConfigError(f"a salt of {salt!r:.80}, expected one or two whole numbers")
    return halves[0] % HALF_KEY, halves[1] % HALF_KEY


def _given(call: LayerCall, index: Value, config: HashingConfig | CrossingConfig) -> Value:
    """The bins as the layer gives them: as numbers, or encoded."""
    dtype = None if config.dtype is None else dtype_of(config.dtype)
    if config.output_mode == "int":
        whole = dtype is not None and not dtype.startswith(FLOATING)
        return cast(call, index, dtype) if whole and dtype is not None else index
    y = encoded(call, index, config.output_mode, config.num_bins)
    return y if dtype is None else cast(call, y, dtype)
