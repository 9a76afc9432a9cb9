"""StringLookup and TextVectorization: layers over texts, which are kept and not computed.

What they give is known in shape and dtype, so that the numeric layers behind them are read as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Term, Terms, size_of
from ....ir.ops.opaque import Opaque
from ..call import LayerCall
from ..registry import Config, Slot, translates
from .encoding import BY_WEIGHT, WEIGHTS, Mode

TEXT = "string"
"""The dtype of texts."""


class LookupConfig(Config, frozen=True, kw_only=True):
    """What StringLookup says of the shape of its result."""

    vocabulary: Any = None
    vocabulary_size: int | None = None
    max_tokens: int | None = None
    num_oov_indices: int = 1
    mask_token: str | None = None
    invert: bool = False
    output_mode: Mode = "int"
    pad_to_max_tokens: bool = False
    sparse: bool = False


class VectorsConfig(Config, frozen=True, kw_only=True):
    """What TextVectorization says of the shape of its result."""

    vocabulary: Any = None
    vocabulary_size: int | None = None
    max_tokens: int | None = None
    output_mode: Mode = "int"
    output_sequence_length: int | None = None
    pad_to_max_tokens: bool = False
    ragged: bool = False
    sparse: bool = False


def kept_texts(call: LayerCall, inputs: Sequence[Value], axes: Sequence[Term], dtype: str) -> Value:
    """A node that keeps a layer over texts as it is, with the weights of words."""
    call.report.add(
        "KE401",
        "assumed",
        f"{call.name} ({call.class_name}) is of texts: it is kept as it is, not computed",
        layer=call.name,
        level="warning",
        fix="to compute the rest elsewhere, cut the model behind it and feed what it gives",
    )
    op, stored = Opaque(layer_class=call.class_name), call.stored.get(WEIGHTS)
    if stored is None:
        return call.add(op, inputs, axes, dtypes=(dtype,)).result
    own = tuple(Axis("X", extent) for extent in stored.source.shape)
    params = {WEIGHTS: call.tagged(WEIGHTS, [Layout(own)])}
    return call.add(op, inputs, axes, axes={WEIGHTS: own}, params=params, dtypes=(dtype,)).result


def encoded_axes(call: LayerCall, x: Value, mode: Mode, classes: int | None) -> tuple[Terms, str]:
    """The axes and dtype of indices, or of vectors over so many classes.

    Source: Keras 3.15 `utils/numerical_utils.py` (`encode_categorical_inputs`).
    """
    axes = call.axes(x)
    if mode == "int":
        return axes, "int64"
    own = Axis("F", classes)
    alone = len(axes) > call.batch and size_of(axes[-1]) == 1
    lead = axes if mode == "one_hot" and not alone else axes[:-1]
    return (*(lead if len(axes) > call.batch else axes), own), "float32"


def _weights(config: LookupConfig | VectorsConfig, era: str) -> Sequence[Slot]:
    return (Slot(WEIGHTS, trainable=False, optional=True),) * (config.output_mode in BY_WEIGHT)


@translates("StringLookup", config=LookupConfig, slots=_weights, free=True)
def string_lookup(call: LayerCall, x: Value) -> Value:
    """StringLookup: texts to indices, or back."""
    config: LookupConfig = call.config  # type: ignore[assignment]
    _check(call, config)
    if config.invert:
        return kept_texts(call, [x], call.axes(x), TEXT)
    masked = config.mask_token is not None and config.output_mode == "int"
    classes = _classes(config, int(masked) + config.num_oov_indices)
    axes, dtype = encoded_axes(call, x, config.output_mode, classes)
    return kept_texts(call, [x], axes, dtype)


def _twice(config: VectorsConfig, era: str) -> Sequence[Slot]:
    again = [Slot(f"{WEIGHTS}_inside", trainable=False, optional=True)]
    return (*_weights(config, era), *(again * (config.output_mode in BY_WEIGHT)))


@translates(
    "TextVectorization", config=VectorsConfig, slots=_twice, places=("", "_lookup_layer"), free=True
)
def text_vectorization(call: LayerCall, x: Value) -> Value:
    """TextVectorization: a text to the indices of its words, or to a vector over all words."""
    config: VectorsConfig = call.config  # type: ignore[assignment]
    _check(call, config)
    if config.ragged:
        raise UnsupportedLayerError("a TextVectorization that gives a ragged tensor")
    batch = call.axes(x)[: call.batch]
    if config.output_mode == "int":
        return kept_texts(call, [x], (*batch, Axis("T", config.output_sequence_length)), "int64")
    return kept_texts(call, [x], (*batch, Axis("F", _classes(config, 0))), "float32")


def _check(call: LayerCall, config: LookupConfig | VectorsConfig) -> None:
    sizes = [config.vocabulary_size, config.max_tokens]
    sizes += [config.output_sequence_length] if isinstance(config, VectorsConfig) else []
    if any(size is not None and size < 1 for size in sizes):
        raise ConfigError(f"a {call.class_name} of {min(size or 1 for size in sizes)} elements")
    if config.sparse:
        raise UnsupportedLayerError(
            f"{call.class_name} gives a sparse tensor, which no target of kerasir has",
            hint="make the layer with sparse=False: it says the same",
        )
    if not isinstance(config.vocabulary, (list, tuple)) or not config.vocabulary:
        raise ConfigError(
            f"a {call.class_name} whose vocabulary is not in the file",
            hint="save the model as .keras, or give the layer its vocabulary as a list",
        )


def _classes(config: LookupConfig | VectorsConfig, special: int) -> int | None:
    if config.pad_to_max_tokens and config.max_tokens:
        return config.max_tokens
    return config.vocabulary_size or len(config.vocabulary) + special
