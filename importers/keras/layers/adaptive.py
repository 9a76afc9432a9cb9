"""AdaptiveAveragePooling, AdaptiveMaxPooling: windows follow from the extent that is wanted."""

from __future__ import annotations

from functools import partial
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, size_of
from ....ir.ops.pooling import AdaptivePool
from ..call import SPACE, LayerCall, one_or_many
from ..registry import Config, translates


class AdaptiveConfig(Config, frozen=True, kw_only=True):
    """What adaptive pools read."""

    output_size: int | tuple[int, ...]
    data_format: str | None = None


def _adaptive(call: LayerCall, x: Value, rank: int, largest: bool) -> Value:
    config: AdaptiveConfig = call.config  # type: ignore[assignment]
    return adapted(call, x, config.output_size, config.data_format, rank, largest=largest)


def adapted(
    call: LayerCall, x: Value, stated: Any, data_format: str | None, rank: int, *, largest: bool
) -> Value:
    """The means, or the largest, of as many windows as are wanted.

    Source: Keras 3.15 `backend/tensorflow/nn.py` `_compute_static_gather_indices`.

    Raises:
        ConfigError: The input has fewer elements.
    """
    ports = call.spatial(x, data_format or "channels_last", rank)
    wanted = one_or_many(stated, rank, "output_size")
    sizes = [size_of(term) for term in ports.space]
    if any(size is None or size < count for size, count in zip(sizes, wanted, strict=True)):
        raise ConfigError(f"{call.class_name} to {wanted} of an input {x.layout}")
    space = tuple(Axis(r, n) for r, n in zip(SPACE[rank], wanted, strict=True))
    axes = {**ports.bindings(), "out_space": space}
    op = AdaptivePool(size=wanted, largest=largest)
    return call.add(op, [x], ports.placed(ports.channels, space), axes=axes).result


for _rank in SPACE:
    for _kind, _largest in (("Average", False), ("Max", True)):
        translates(f"Adaptive{_kind}Pooling{_rank}D", config=AdaptiveConfig)(
            partial(_adaptive, rank=_rank, largest=_largest)
        )
