"""Embedding and Masking."""

from __future__ import annotations

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis
from ....ir.ops.embedding import Embedding, Masking, NotEqual
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
