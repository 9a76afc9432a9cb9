"""DenseFeatures: feature columns of TensorFlow, as far as they are of numbers.

A column reads one input by its key and gives a few numbers; the layer gives those of all columns,
side by side in the order of their names. Source: TensorFlow 2.15
`python/feature_column/feature_column_v2.py`, `keras` 2.15 `feature_column/dense_features.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout
from ....ir.ops.activation import Power
from ....ir.ops.dense import Dense
from ....ir.ops.hashing import Hash
from ..call import LayerCall
from ..registry import Config, Slot, translates
from .arithmetic import FLOATING, cast, chosen, combined
from .arrangement import one_hot
from .encoding import digitized, replaced
from .merge import joined
from .tensors import expanded, reduced, reshaped
from .texts import TEXT

MOST_CLASSES = 1 << 20
"""Of one column."""


class FeaturesConfig(Config, frozen=True, kw_only=True):
    """What DenseFeatures reads."""

    feature_columns: tuple[Mapping[str, Any], ...]
    partitioner: Any = None


class Column(msgspec.Struct, frozen=True):
    """A column as a file states it.

    Attributes:
        class_name: What it is.
        own: Its configuration.
        source: The column that it is made of, if it is.
    """

    class_name: str
    own: Mapping[str, Any]
    source: Column | None = None

    @classmethod
    def of(cls, stated: Any, depth: int = 3) -> Column:
        """A column, and what it is made of: at most categories, of buckets, of numbers.

        Raises:
            ConfigError: It is none.
        """
        config = stated.get("config") if isinstance(stated, Mapping) else None
        name = stated.get("class_name") if isinstance(stated, Mapping) else None
        if not isinstance(config, Mapping) or not isinstance(name, str) or not depth:
            raise ConfigError(f"a feature column that is {stated!r:.80}")
        inner = next((config[key] for key in SOURCES if key in config), None)
        return cls(name, config, None if inner is None else cls.of(inner, depth - 1))

    @property
    def name(self) -> str:
        """As TensorFlow sorts columns by it, and names their weights."""
        if self.source is not None:
            return f"{self.source.name}{SUFFIXES.get(self.class_name, '')}"
        return str(self.own.get("key"))

    def refuse(self, why: str) -> UnsupportedLayerError:
        """The error for a column that is not computed."""
        return UnsupportedLayerError(
            f"the feature column {self.name!r:.80} ({self.class_name:.40}) {why}",
            hint="cut the model behind DenseFeatures, and feed what it gives",
        )


SOURCES = ("source_column", "categorical_column")
"""Keys that hold the column that another is made of."""

SUFFIXES: Mapping[str, str] = {
    "BucketizedColumn": "_bucketized",
    "IndicatorColumn": "_indicator",
    "EmbeddingColumn": "_embedding",
}


def _columns(config: FeaturesConfig) -> list[Column]:
    """In the order of their names (`_normalize_feature_columns`)."""
    return sorted(map(Column.of, config.feature_columns), key=lambda column: column.name)


def _slots(config: FeaturesConfig, era: str) -> Sequence[Slot]:
    """One array for each embedding."""
    return [
        Slot(column.name, trainable=column.own.get("trainable") is not False)
        for column in _columns(config)
        if column.class_name == "EmbeddingColumn"
    ]


@translates("DenseFeatures", config=FeaturesConfig, slots=_slots)
def dense_features(call: LayerCall, *inputs: Value) -> Value:
    """DenseFeatures.

    Raises:
        UnsupportedLayerError: A column is of texts, holds code, or is none of these.
    """
    config: FeaturesConfig = call.config  # type: ignore[assignment]
    fed = call.given.args[0] if call.given.args else None
    if not isinstance(fed, Mapping) or not config.feature_columns:
        raise ConfigError("DenseFeatures that is not called with its features by name")
    found = []
    for column in _columns(config):
        translate = DENSE.get(column.class_name)
        if translate is None:
            raise column.refuse("is none that kerasir computes")
        found.append(translate(call, column, fed))
    return found[0] if len(found) == 1 else joined(call, found, -1)


def _read(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> Value:
    """The input that a column reads, `batch numbers`."""
    x = fed.get(str(column.own.get("key")))
    if not isinstance(x, Value):
        raise ConfigError(f"no feature {column.name!r:.80} is fed")
    if x.dtype == TEXT:
        raise column.refuse("is of texts")
    if len(call.axes(x)) == call.batch:
        return expanded(call, x, [call.batch], part="raised")
    return x if len(call.axes(x)) == call.batch + 1 else reshaped(call, x, [-1])


def _numbers(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> Value:
    if column.own.get("normalizer_fn") is not None:
        raise column.refuse("is normalized by code")
    return cast(call, _read(call, column, fed), "float32")


def _buckets(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> tuple[Value, int]:
    """The bucket of each number, and how many there are (`Bucketize`)."""
    bounds = column.own.get("boundaries")
    if column.source is None or column.source.class_name != "NumericColumn":
        raise column.refuse("is not of numbers")
    if (
        not isinstance(bounds, (list, tuple))
        or not bounds
        or not all(
            isinstance(bound, int | float) and not isinstance(bound, bool) for bound in bounds
        )
    ):
        raise ConfigError(f"the feature column {column.name!r:.80} has no boundaries")
    x = _numbers(call, column.source, fed)
    found = digitized(call, x, [float(bound) for bound in bounds], "int64", part="bucket")
    return found, len(bounds) + 1


def _bucketized(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> Value:
    index, count = _buckets(call, column, fed)
    return reshaped(call, one_hot(call, index, count), [-1])


# ---- categories ----------------------------------------------------------------------------------


def _identity(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> tuple[Value, int]:
    """The number itself; another where it is none of the categories, if that is said."""
    count, other = column.own.get("number_buckets"), column.own.get("default_value")
    index = _whole(call, column, fed)
    if isinstance(other, int) and isinstance(count, int):
        below, above = (
            combined(call, "less", index, 0),
            combined(call, "greater_equal", index, count),
        )
        index = chosen(call, combined(call, "logical_or", below, above), other, index)
    return index, _count(column, count)


def _listed(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> tuple[Value, int]:
    """The place of the number in a list; -1, which stands for none, where it is not there."""
    words = column.own.get("vocabulary_list")
    other = column.own.get("default_value")
    if not isinstance(words, (list, tuple)) or not all(
        isinstance(word, int) and not isinstance(word, bool) for word in words
    ):
        raise column.refuse("is of texts")
    if column.own.get("num_oov_buckets") or not isinstance(other, int | None) or not words:
        raise column.refuse("hashes what it does not know")
    places = {word: place for place, word in enumerate(words)}
    index = replaced(call, _whole(call, column, fed), places, -1 if other is None else other)
    return index, _count(column, len(words))


def _hashed(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> tuple[Value, int]:
    """The hash of the number's digits; -1 stands for none."""
    count = _count(column, column.own.get("hash_bucket_size"))
    x = _whole(call, column, fed)
    bins = call.add(Hash(bins=count), [x], call.axes(x), dtypes=("int64",)).result
    return chosen(call, combined(call, "equal", x, -1), -1, bins), count


def _whole(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> Value:
    x = _read(call, column, fed)
    if x.dtype.startswith(FLOATING):
        raise column.refuse("is of numbers that are not whole")
    return cast(call, x, "int64")


def _count(column: Column, count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MOST_CLASSES:
        raise ConfigError(f"the feature column {column.name!r:.80} has {count!r:.40} categories")
    return count


def _counts(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> tuple[Value, int]:
    """How often each category of what a column is made of is there."""
    inner = column.source
    translate = CATEGORIES.get(inner.class_name) if inner is not None else None
    if inner is None or translate is None:
        raise column.refuse("is of categories that kerasir does not compute")
    index, count = translate(call, inner, fed)
    if inner.class_name == "BucketizedColumn" and call.axes(index)[-1:] and _many(call, index):
        raise column.refuse("is of the buckets of several numbers")
    hot = one_hot(call, index, count)
    last = len(call.axes(hot)) - 2
    return reduced(call, hot, "sum", [last], keepdims=False, part="counts"), count


def _many(call: LayerCall, index: Value) -> bool:
    term = call.axes(index)[-1]
    return not isinstance(term, Axis) or term.size != 1


def _indicator(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> Value:
    return _counts(call, column, fed)[0]


def _embedded(call: LayerCall, column: Column, fed: Mapping[str, Any]) -> Value:
    """The sum of a vector for each category, over how many there are."""
    own, combiner = column.own, column.own.get("combiner", "mean")
    if own.get("max_norm") is not None or combiner not in {"mean", "sum", "sqrtn"}:
        raise column.refuse("bounds or combines its vectors in another way")
    counts, _ = _counts(call, column, fed)
    axes = call.axes(counts)
    units = Axis("F", own.get("dimension") if isinstance(own.get("dimension"), int) else None)
    kernel = call.tagged(column.name, [Layout((axes[-1], units))])
    bound = {"features": axes[-1:], "units": (units,)}
    y = call.add(
        Dense(), [counts], (*axes[:-1], units), axes=bound, params={"kernel": kernel},
        part="vectors",
    ).result  # fmt: skip
    if combiner == "sum":
        return y
    total = reduced(call, counts, "sum", [len(axes) - 1], keepdims=True, part="total")
    least = combined(call, "maximum", total, 1.0)
    if combiner == "sqrtn":
        least = call.add(Power(exponent=0.5), [least], call.axes(least), part="root").result
    return combined(call, "divide", y, least)


Numbers = Callable[[LayerCall, Column, Mapping[str, Any]], Value]
Category = Callable[[LayerCall, Column, Mapping[str, Any]], tuple[Value, int]]

DENSE: Mapping[str, Numbers] = {
    "NumericColumn": _numbers,
    "BucketizedColumn": _bucketized,
    "IndicatorColumn": _indicator,
    "EmbeddingColumn": _embedded,
}
"""Columns that give numbers, by class."""

CATEGORIES: Mapping[str, Category] = {
    "IdentityCategoricalColumn": _identity,
    "VocabularyListCategoricalColumn": _listed,
    "HashedCategoricalColumn": _hashed,
    "BucketizedColumn": _buckets,
}
"""Columns that give categories, and how many there are, by class."""
