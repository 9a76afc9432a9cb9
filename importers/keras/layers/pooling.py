"""Pools, padding, cropping and up-sampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from ....eras import padding as rules, resizing
from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Terms, size_of
from ....ir.op import Op
from ....ir.ops.convolution import Padding, Pads, conv_extent
from ....ir.ops.pooling import (
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    GlobalProductPool,
    GlobalSumPool,
    MaskedAveragePool,
    MaxPool,
    UpSample,
    ZeroPad,
)
from ....ir.ops.shape import View
from ..call import SPACE, LayerCall, Ports, one_or_many
from ..registry import Config, translates
from .resampling import resampled
from .runs import fitted

Numbers = int | tuple[int, ...]
Pairs = int | tuple[Any, ...]


class PoolConfig(Config, frozen=True, kw_only=True):
    """What pools read."""

    pool_size: Numbers = 2
    strides: Numbers | None = None
    padding: Literal["valid", "same"] = "valid"
    data_format: str | None = None


class SpatialConfig(Config, frozen=True, kw_only=True):
    """What a layer reads that only has to find its spatial axes."""

    data_format: str | None = None
    keepdims: bool = False


class PadConfig(Config, frozen=True, kw_only=True):
    """What ZeroPadding reads."""

    padding: Pairs = 1
    data_format: str | None = None


class CropConfig(Config, frozen=True, kw_only=True):
    """What Cropping reads."""

    cropping: Pairs = 1
    data_format: str | None = None


class UpConfig(Config, frozen=True, kw_only=True):
    """What UpSampling reads."""

    size: Numbers = 2
    data_format: str | None = None
    interpolation: str = "nearest"


def _pool(call: LayerCall, x: Value, rank: int, kind: type[MaxPool | AveragePool]) -> Value:
    config: PoolConfig = call.config  # type: ignore[assignment]
    kernel = one_or_many(config.pool_size, rank, "pool_size")
    strides = one_or_many(config.strides or kernel, rank, "strides")
    ports = call.spatial(x, _format(config.data_format, rank), rank)
    return pooled(call, x, kind, kernel, strides, config.padding, ports)


def pooled(
    call: LayerCall,
    x: Value,
    kind: type[MaxPool | AveragePool],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    stated: Literal["valid", "same"],
    ports: Ports,
) -> Value:
    """The largest, or the mean, of each window, padded as the era does."""
    rank = len(kernel)
    sizes = [size_of(term) for term in ports.space]
    same = rules.pool_rule(call.era.same, call.era.version, rank)
    pads: list[tuple[int, int] | None] = [
        (0, 0) if stated == "valid" else same(n, k, s, 1)
        for n, k, s in zip(sizes, kernel, strides, strict=True)
    ]
    known = [pad for pad in pads if pad is not None]
    padding: Padding = "same_upper" if len(known) < len(pads) else tuple(known)
    op: Op = kind(pool_size=kernel, strides=strides, padding=padding)
    if isinstance(op, AveragePool) and stated == "same":
        counts = rules.counts_padding(call.era.same, call.era.version, rank)
        op = msgspec.structs.replace(op, count_padding=counts)
    if padding == "same_upper":
        extents = [None if n is None else -(-n // s) for n, s in zip(sizes, strides, strict=True)]
    else:
        extents = [
            conv_extent(n, k, s, 1, p)
            for n, k, s, p in zip(sizes, kernel, strides, known, strict=True)
        ]
    return placed(call, op, x, ports, extents)


def _format(stated: str | None, rank: int) -> str | None:
    # Keras 1's one-dimensional layers are channels_last and do not say so
    return (stated or "channels_last") if rank == 1 else stated


def placed(
    call: LayerCall,
    op: Op,
    x: Value,
    ports: Ports,
    extents: Sequence[int | None],
    part: str = "",
) -> Value:
    """A node that keeps the channels and has spatial axes of its own."""
    if any(extent is not None and extent < 1 for extent in extents):
        raise ConfigError(f"nothing is left of an input {x.layout}")
    roles = SPACE[len(ports.space)]
    space: Terms = tuple(Axis(r, n) for r, n in zip(roles, extents, strict=True))
    axes = {**ports.bindings(), "out_space": space}
    result = ports.placed(ports.channels, space)
    return call.add(op, [x], result, axes=axes, part=part).result


def _global(call: LayerCall, x: Value, rank: int, op: Op) -> Value:
    config: SpatialConfig = call.config  # type: ignore[assignment]
    ports = call.spatial(x, _format(config.data_format, rank), rank)
    result = (*ports.batch, ports.channels)
    mask = call.mask(x) if isinstance(op, GlobalAveragePool) and rank == 1 else None
    if mask is None:
        y = call.add(op, [x], result, axes={"space": ports.space}).result
    else:
        bound = {"batch": ports.batch, "time": ports.space, "features": (ports.channels,)}
        mask = fitted(call, mask, (*ports.batch, *ports.space), "mask")
        y = call.add(MaskedAveragePool(), [x, mask], result, axes=bound).result
    if not config.keepdims:
        return y
    kept = ports.placed(ports.channels, tuple(Axis("X", 1) for _ in ports.space))
    return call.add(View(), [y], kept, part="keepdims").result


def _pairs(stated: Pairs, rank: int, what: str) -> Pads:
    """Numbers before and after each axis: from one, from one per axis, or from pairs."""
    items: Sequence[Any] = stated if isinstance(stated, tuple) else (stated,) * rank
    if rank == 1 and len(items) == 2 and all(isinstance(n, int) for n in items):
        items = (items,)
    found = tuple(tuple(n) if isinstance(n, (list, tuple)) else (n, n) for n in items)
    fits = len(found) == rank and all(
        len(pair) == 2 and all(isinstance(n, int) and n >= 0 for n in pair) for pair in found
    )
    if not fits:
        raise ConfigError(f"{what} is {stated!r}")
    return tuple((pair[0], pair[1]) for pair in found)


def _zero_pad(call: LayerCall, x: Value, rank: int) -> Value:
    config: PadConfig = call.config  # type: ignore[assignment]
    ports = call.spatial(x, _format(config.data_format, rank), rank)
    return zero_padded(call, x, _pairs(config.padding, rank, "padding"), ports)


def zero_padded(call: LayerCall, x: Value, pads: Pads, ports: Ports, part: str = "") -> Value:
    """Zeros before and after each axis of the space."""
    sizes = [size_of(term) for term in ports.space]
    extents = [None if n is None else n + sum(p) for n, p in zip(sizes, pads, strict=True)]
    return placed(call, ZeroPad(padding=pads), x, ports, extents, part)


def _crop(call: LayerCall, x: Value, rank: int) -> Value:
    config: CropConfig = call.config  # type: ignore[assignment]
    ports = call.spatial(x, _format(config.data_format, rank), rank)
    cuts = _pairs(config.cropping, rank, "cropping")
    sizes = [size_of(term) for term in ports.space]
    extents = [None if n is None else n - sum(c) for n, c in zip(sizes, cuts, strict=True)]
    return placed(call, Crop(cropping=cuts), x, ports, extents)


BY_KERNEL: frozenset[str] = frozenset({
    "bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic", "area",
})  # fmt: skip
"""Interpolations that take the extents of the result."""


def _up_sample(call: LayerCall, x: Value, rank: int) -> Value:
    config: UpConfig = call.config  # type: ignore[assignment]
    ports = call.spatial(x, _format(config.data_format, rank), rank)
    factors = one_or_many(config.size, rank, "size")
    sizes = [size_of(term) for term in ports.space]
    extents = [None if n is None else n * f for n, f in zip(sizes, factors, strict=True)]
    if config.interpolation in BY_KERNEL and None not in extents:
        wanted = [n for n in extents if n is not None]
        return resampled(call, x, wanted, config.interpolation, ports)
    interpolation = resizing.interpolation(call.era.vocabulary, config.interpolation)
    if interpolation != "nearest" and call.era.version in resizing.DOUBTFUL_VERSIONS:
        call.report.add(
            "KN102",
            "assumed",
            f"{config.interpolation} up-sampling takes half-pixel centres, as from TensorFlow 1.14 "
            f"on; TensorFlow 1.13, whose tf.keras is {call.era.version} too, takes corners",
            layer=call.name,
            level="warning",
        )
    return placed(call, UpSample(size=factors, interpolation=interpolation), x, ports, extents)


class TimeMergeConfig(Config, frozen=True, kw_only=True):
    """What TimeDistributedMerge reads."""

    mode: Literal["sum", "ave", "mul"] = "sum"


_OVER_TIME: Mapping[str, Op] = {
    "sum": GlobalSumPool(),
    "ave": GlobalAveragePool(),
    "mul": GlobalProductPool(),
}


@translates("TimeDistributedMerge", config=TimeMergeConfig)
def time_distributed_merge(call: LayerCall, x: Value) -> Value:
    """TimeDistributedMerge (Keras 0.3), over the steps of sequences."""
    config: TimeMergeConfig = call.config  # type: ignore[assignment]
    ports = call.spatial(x, "channels_last", 1)
    result = (*ports.batch, ports.channels)
    return call.add(_OVER_TIME[config.mode], [x], result, axes={"space": ports.space}).result


_FAMILIES: Mapping[str, tuple[type[Config], Callable[..., Value], Mapping[str, Any]]] = {
    "MaxPooling": (PoolConfig, _pool, {"kind": MaxPool}),
    "AveragePooling": (PoolConfig, _pool, {"kind": AveragePool}),
    "GlobalMaxPooling": (SpatialConfig, _global, {"op": GlobalMaxPool()}),
    "GlobalAveragePooling": (SpatialConfig, _global, {"op": GlobalAveragePool()}),
    "ZeroPadding": (PadConfig, _zero_pad, {}),
    "Cropping": (CropConfig, _crop, {}),
    "UpSampling": (UpConfig, _up_sample, {}),
}
"""Each class is there for one, two and three spatial axes."""

for _name, (_config, _function, _own) in _FAMILIES.items():
    for _rank in SPACE:
        translates(f"{_name}{_rank}D", config=_config)(partial(_function, rank=_rank, **_own))
