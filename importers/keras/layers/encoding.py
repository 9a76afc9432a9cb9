"""Numbers and indices as categories: Discretization, CategoryEncoding, IntegerLookup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ....ir.layout import size_of
from ....ir.ops.shape import View
from ..call import LayerCall
from ..constants import MOST, held_numbers, learnt_boundaries
from ..registry import Config, Slot, translates
from .arithmetic import cast, chosen, combined
from .arrangement import one_hot
from .tensors import expanded, reduced

Mode = Literal["int", "one_hot", "multi_hot", "count", "binary", "tf_idf", "tf-idf"]
BY_WEIGHT = frozenset({"tf_idf", "tf-idf"})
"""Modes that count words by weights which are learnt: by a hyphen up to TensorFlow 2.5."""

WEIGHTS = "idf_weights"
"""How much each word counts."""


class DiscretizationConfig(Config, frozen=True, kw_only=True):
    """What Discretization reads."""

    bin_boundaries: Any = None
    num_bins: int | None = None
    epsilon: float = 0.01
    output_mode: Mode = "int"
    sparse: bool = False


class CategoryConfig(Config, frozen=True, kw_only=True):
    """What CategoryEncoding reads."""

    num_tokens: int | None = None
    max_tokens: int | None = None
    output_mode: Mode = "multi_hot"
    sparse: bool = False


class LookupConfig(Config, frozen=True, kw_only=True):
    """What IntegerLookup reads."""

    vocabulary: Any = None
    max_tokens: int | None = None
    num_oov_indices: int = 1
    mask_token: int | None = None
    oov_token: int = -1
    invert: bool = False
    output_mode: Mode = "int"
    sparse: bool = False
    pad_to_max_tokens: bool = False
    vocabulary_dtype: str = "int64"
    vocabulary_size: int | None = None
    oov_method: str = "floormod"
    idf_weights: Any = None


ENCODERS = frozenset({"CategoryEncoding", "Discretization"})
"""Classes that up to Keras 3.3 keep an axis of one index; lookups and hashes never did."""

INDICES = {"tf_keras": "int64", "keras3": "int64"}
"""The dtype of indices that a layer gives, by vocabulary."""


def encoded(
    call: LayerCall, x: Value, mode: Mode, classes: int, weights: Value | None = None
) -> Value:
    """Indices as vectors over the classes.

    Of one index each (`one_hot`), or of all along the last axis together: which there are
    (`multi_hot`), or how often (`count`).

    Raises:
        ConfigError: Another mode, or no classes.
    """
    if classes < 1 or mode not in {"one_hot", "multi_hot", "binary", "count"}:
        raise ConfigError(f"{call.class_name} in mode {mode!r:.80} of {classes} classes")
    axes = call.axes(x)
    if mode == "one_hot":
        squeezed = call.class_name not in ENCODERS or call.era.has("one_hot_squeezes")
        if squeezed and len(axes) > call.batch and size_of(axes[-1]) == 1:
            x = call.add(View(), [x], axes[:-1], part="squeezed").result
        return one_hot(call, x, classes)
    if len(axes) == call.batch:
        x = expanded(call, x, [call.batch], part="raised")
    hot = one_hot(call, x, classes)
    if weights is not None:
        wide = expanded(call, weights, [len(call.axes(weights))], part="weights")
        hot = combined(call, "multiply", hot, wide)
    kind = "sum" if mode == "count" else "max"
    return reduced(call, hot, kind, [len(call.axes(hot)) - 2], keepdims=False, part=mode)


def _word_weights(config: CategoryConfig | LookupConfig, era: str) -> Sequence[Slot]:
    return (Slot(WEIGHTS, trainable=False, optional=True),) * (config.output_mode in BY_WEIGHT)


@translates(
    "CategoryEncoding",
    config=CategoryConfig,
    slots=_word_weights,
    arguments=("count_weights",),
)
def category_encoding(call: LayerCall, x: Value) -> Value:
    """CategoryEncoding.

    Source: Keras 3.15 and tf-keras 2.21 `layers/preprocessing/category_encoding.py`; of TensorFlow
    2.3 to 2.5, which can adapt it to data, 2.4.
    """
    config: CategoryConfig = call.config  # type: ignore[assignment]
    weights = call.given.kwargs.get("count_weights")
    if weights is not None and not isinstance(weights, Value):
        raise ConfigError("CategoryEncoding with weights that are no tensor")
    classes = config.num_tokens or config.max_tokens or 0
    if config.output_mode in BY_WEIGHT and WEIGHTS in call.stored:
        return _weighed(call, encoded(call, cast(call, x, "int64"), "count", classes), classes)
    return encoded(call, cast(call, x, "int64"), config.output_mode, classes, weights)


SUMMARY = "summary"
"""What a Discretization of tf.keras that was adapted stores: numbers, and how many stand for."""


def _summary(config: DiscretizationConfig, era: str) -> Sequence[Slot]:
    learnt = config.bin_boundaries is None and config.num_bins is not None
    return (Slot(SUMMARY, trainable=False, optional=True),) * learnt


@translates("Discretization", config=DiscretizationConfig, slots=_summary)
def discretization(call: LayerCall, x: Value) -> Value:
    """Discretization: how many boundaries are not above each number.

    Source: Keras 3.15 `layers/preprocessing/discretization.py` (`ops.digitize`); tf-keras 2.21
    likewise (`tf.raw_ops.Bucketize`).
    """
    config: DiscretizationConfig = call.config  # type: ignore[assignment]
    bounds = config.bin_boundaries
    if SUMMARY in call.stored and config.num_bins:
        bounds = learnt_boundaries(call.stored[SUMMARY].source, config.num_bins)
    if not isinstance(bounds, (list, tuple)) or not bounds:
        raise ConfigError(
            "Discretization without boundaries",
            hint="save the model after `adapt`",
        )
    if not all(isinstance(bound, int | float) for bound in bounds):
        raise ConfigError("Discretization with boundaries that are no numbers")
    dtype = "int64" if call.era.vocabulary == "tf_keras" else "int32"
    index = digitized(call, x, [float(bound) for bound in bounds], dtype)
    if config.output_mode == "int":
        return index
    return encoded(call, index, config.output_mode, len(bounds) + 1)


def digitized(
    call: LayerCall, x: Value, bounds: Sequence[Any], dtype: str, part: str = ""
) -> Value:
    """How many boundaries are not above each number."""
    wide = expanded(call, x, [len(call.axes(x))], part="wide")
    above = combined(call, "greater_equal", wide, list(bounds))
    counted = cast(call, above, dtype, part="counted")
    last = len(call.axes(counted)) - 1
    return reduced(call, counted, "sum", [last], keepdims=False, part=part)


def _weighed(call: LayerCall, counts: Value, classes: int) -> Value:
    """Counts, each times what the layer has learnt of how much it counts.

    Raises:
        ConfigError: It has learnt it of more or fewer classes.
    """
    held = held_numbers(call.stored[WEIGHTS].source)
    if held.shape != (classes,):
        raise ConfigError(f"{call.class_name} of {classes} indices with {held.size} weights")
    return combined(call, "multiply", counts, held.tolist())


@translates("IntegerLookup", config=LookupConfig, slots=_word_weights)
def integer_lookup(call: LayerCall, x: Value) -> Value:
    """IntegerLookup over a vocabulary that the configuration holds.

    Indices: the mask token's, then those for what is not in the vocabulary (the number modulo
    their count says which), then the vocabulary's; or from such indices back to numbers.
    Source: Keras 3.15 `layers/preprocessing/index_lookup.py` (`_lookup_dense`), tf-keras 2.21
    likewise.
    """
    config: LookupConfig = call.config  # type: ignore[assignment]
    if config.oov_method != "floormod" and config.num_oov_indices > 1:
        raise UnsupportedLayerError(
            "IntegerLookup that hashes the numbers it does not know, which no target of kerasir can"
        )
    masked = config.mask_token is not None and config.output_mode == "int"
    first = int(masked) + config.num_oov_indices
    words, has_special = _words(config, masked=masked)
    x = cast(call, x, "int64")
    if config.invert:
        known = {first + place: word for place, word in enumerate(words)}
        known |= {0: config.mask_token} if masked and config.mask_token is not None else {}
        return replaced(call, x, known, config.oov_token)
    known = {word: first + place for place, word in enumerate(words)}
    known |= {config.mask_token: 0} if masked and config.mask_token is not None else {}
    other: int | Value = int(masked) if config.num_oov_indices else -1
    if config.num_oov_indices > 1:
        other = combined(call, "modulo", x, config.num_oov_indices)
        other = combined(call, "add", other, 1) if masked else other
    index = replaced(call, x, known, other)
    if config.output_mode == "int":
        return index
    padded = config.max_tokens if config.pad_to_max_tokens else None
    classes = padded or first + len(words)
    if config.output_mode not in BY_WEIGHT:
        return cast(call, encoded(call, index, config.output_mode, classes), "int64")
    counts = encoded(call, index, "count", classes)
    if WEIGHTS in call.stored:
        return _weighed(call, counts, classes)
    weights = _weights_of_words(config, 0 if has_special else first)
    if classes > MOST:
        raise ConfigError(f"an IntegerLookup of {classes} indices, each with its weight")
    weights += [0.0] * (classes - len(weights))
    return combined(call, "multiply", counts, weights)


def replaced(call: LayerCall, x: Value, known: Mapping[int, int], other: int | Value) -> Value:
    """Each number by what stands for it, and by another where nothing does."""
    wide = expanded(call, x, [len(call.axes(x))], part="wide")
    same = cast(call, combined(call, "equal", wide, list(known)), "int64", part="same")
    last = len(call.axes(same)) - 1
    marked = combined(call, "multiply", same, list(known.values()))
    found = reduced(call, marked, "sum", [last], keepdims=False, part="known")
    some = reduced(call, same, "sum", [last], keepdims=False, part="some")
    return chosen(call, combined(call, "greater", some, 0), found, other)


def _weights_of_words(config: LookupConfig, first: int) -> list[float]:
    """How much each word counts; what is not known counts as much as the mean of all.

    Source: Keras 3.15 `index_lookup.py` (`set_vocabulary`).
    """
    weights = config.idf_weights
    if not isinstance(weights, (list, tuple)) or not all(
        isinstance(one, (int, float)) for one in weights
    ):
        raise UnsupportedLayerError(
            "IntegerLookup whose weights of words are not in the file",
            hint="save the model as .keras, or give the layer its idf_weights as a list",
        )
    return [sum(weights) / len(weights)] * first + [float(one) for one in weights]


def _words(config: LookupConfig, *, masked: bool) -> tuple[Sequence[int], bool]:
    """The words without what stands for a mask and for what is not known, and whether those stood.

    Source: Keras 3.15 `index_lookup.py` (`set_vocabulary`).
    """
    words = config.vocabulary
    if not isinstance(words, (list, tuple)) or not words:
        raise UnsupportedLayerError(
            "IntegerLookup whose vocabulary is not in the file",
            hint="save the model as .keras, or give the layer its vocabulary as a list",
        )
    if any(isinstance(word, bool) or not isinstance(word, int) for word in words):
        raise ConfigError("a vocabulary that is no list of whole numbers")
    count = masked + max(config.num_oov_indices, 0)
    if not 0 < count <= len(words):
        return words, False
    special = [config.mask_token] * masked + [config.oov_token] * config.num_oov_indices
    has_special = list(words[:count]) == special
    return (words[count:] if has_special else words), has_special
