"""Embedding and Masking."""

from __future__ import annotations

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Terms, size_of
from ....ir.ops.activation import Affine, Tanh
from ....ir.ops.arrange import Einsum
from ....ir.ops.dense import Dense
from ....ir.ops.embedding import Embedding, Masking, NotEqual
from ....ir.ops.maths import Constant
from ..call import LayerCall
from ..registry import Config, Slot, translates


class EmbeddingConfig(Config, frozen=True, kw_only=True):
    """What Embedding reads."""

    input_dim: int
    output_dim: int
    mask_zero: bool = False


class MaskingConfig(Config, frozen=True, kw_only=True):
    """What Masking reads."""

    mask_value: float = 0.0


@translates("Embedding", config=EmbeddingConfig, slots=lambda config, era: (Slot("embeddings"),))
def embedding(call: LayerCall, x: Value) -> Value:
    """Embedding; with `mask_zero`, index 0 is a step that is not there."""
    config: EmbeddingConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    vocabulary, features = Axis("V", config.input_dim), Axis("F", config.output_dim)
    bound = {"vocabulary": (vocabulary,), "features": (features,)}
    table = call.param(Embedding, "embeddings", bound)
    y = call.add(
        Embedding(), [x], (*axes, features), axes=bound, params={"embeddings": table},
        dtypes=("float32",),
    ).result  # fmt: skip
    if config.mask_zero:
        mask = call.add(NotEqual(value=0.0), [x], axes, part="mask", dtypes=("bool",)).result
        call.set_mask(y, mask)
    return y


class ReversibleConfig(EmbeddingConfig, frozen=True, kw_only=True):
    """What ReversibleEmbedding reads."""

    tie_weights: bool = True
    logit_soft_cap: float | None = None
    reverse_dtype: str | None = None


@translates(
    "ReversibleEmbedding",
    config=ReversibleConfig,
    slots=lambda config, era: (
        Slot("embeddings"),
        *[Slot("reverse_embeddings")] * (not config.tie_weights),
    ),
    arguments=("reverse",),
)
def reversible_embedding(call: LayerCall, x: Value) -> Value:
    """ReversibleEmbedding: rows of a table for indices, or products with the table turned round.

    Source: Keras 3.15 `layers/core/reversible_embedding.py` `call`.
    """
    config: ReversibleConfig = call.config  # type: ignore[assignment]
    if not call.given.kwargs.get("reverse"):
        return embedding(call, x)
    axes = call.axes(x)
    features, words = axes[-1], Axis("F", config.input_dim)
    result = (*axes[:-1], words)
    if config.tie_weights:
        y = _products(call, x, result)
    else:
        kernel = call.tagged("reverse_embeddings", [Layout((features, words))])
        bound, params = {"features": (features,), "units": (words,)}, {"kernel": kernel}
        y = call.add(Dense(), [x], result, axes=bound, params=params, part="reverse").result
    cap = config.logit_soft_cap
    if cap is None:
        return y
    low = call.add(Affine(scale=1 / cap), [y], result, part="low").result
    bent = call.add(Tanh(), [low], result, part="bent").result
    return call.add(Affine(scale=cap), [bent], result, part="capped").result


def _products(call: LayerCall, x: Value, result: Terms) -> Value:
    """Vectors times each row of the table, which lies as the lookup reads it."""
    own = (Axis("V", size_of(result[-1])), Axis("F", size_of(call.axes(x)[-1])))
    table = call.tagged("embeddings", [Layout(own)])
    bound, params = {"axes": own, "...": ()}, {"value": table}
    rows = call.add(Constant(), [], own, axes=bound, params=params, part="table").result
    letters = "abcdefgh"[: len(result) - 1]
    op = Einsum(equation=f"{letters}z,yz->{letters}y")
    axes = {"...": call.axes(x), "out": result}
    return call.add(op, [x, rows], result, axes=axes, part="reverse").result


@translates("Masking", config=MaskingConfig)
def masking(call: LayerCall, x: Value) -> Value:
    """Masking."""
    config: MaskingConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    if len(axes) < call.batch + 2:
        raise ConfigError(f"Masking of an input {x.layout}")
    node = call.add(
        Masking(mask_value=config.mask_value),
        [x],
        axes,
        axes[:-1],
        axes={"features": axes[-1:]},
        dtypes=("float32", "bool"),
    )
    call.set_mask(node.result, node.results[1])
    return node.result
