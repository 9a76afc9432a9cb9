"""Flatten, Reshape, Permute, RepeatVector."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Term, fuse, size_of
from ....ir.ops.shape import Repeat, Reshape, View
from ..call import LayerCall
from ..registry import Config, translates
from .factor import factor


class FlattenConfig(Config, frozen=True, kw_only=True):
    """What Flatten reads; `data_format` is Keras 2.2's."""

    data_format: str | None = None


class ReshapeConfig(Config, frozen=True, kw_only=True):
    """What Reshape reads."""

    target_shape: tuple[int | None, ...]


class PermuteConfig(Config, frozen=True, kw_only=True):
    """What Permute reads."""

    dims: tuple[int, ...]


class RepeatConfig(Config, frozen=True, kw_only=True):
    """What RepeatVector reads."""

    n: int


@translates("Flatten", config=FlattenConfig)
def flatten(call: LayerCall, x: Value) -> Value:
    """Flatten: two meanings under one name.

    Plain, it walks the order that it sees. With `data_format="channels_first"` it walks the
    channels last (Keras 2.2.4 `layers/core.py` `Flatten.call`).
    """
    config: FlattenConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    batch, rest = axes[: call.batch], axes[call.batch :]
    if config.data_format == "channels_first" and len(rest) > 1:
        rest = (*rest[1:], rest[0])
    result = (*batch, fuse(rest) if rest else Axis("F", 1))
    return call.add(View(layer_class="Flatten"), [x], result).result


@translates("Permute", config=PermuteConfig)
def permute(call: LayerCall, x: Value) -> Value:
    """Permute: the same axes, counted in another order."""
    config: PermuteConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    batch, rest = axes[: call.batch], axes[call.batch :]
    if sorted(config.dims) != list(range(1, len(rest) + 1)):
        raise ConfigError(f"Permute by {config.dims} of an input {x.layout}")
    result = (*batch, *(rest[n - 1] for n in config.dims))
    return call.add(View(layer_class="Permute"), [x], result).result


@translates("Reshape", config=ReshapeConfig)
def reshape(call: LayerCall, x: Value) -> Value:
    """Reshape: a view where the extents factor, else pinned to the author's order."""
    config: ReshapeConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    batch, rest = axes[: call.batch], axes[call.batch :]
    target = target_of(config.target_shape, rest, x)
    found = factor(rest, target, call.builder.splits)
    if found is not None:
        return call.add(View(layer_class="Reshape"), [x], (*batch, *found)).result
    axes_of_result = tuple(Axis("X", None if extent == -1 else extent) for extent in target)
    return call.add(Reshape(), [x], (*batch, *axes_of_result)).result


def target_of(stated: Sequence[int | None], rest: Sequence[Term], x: Value) -> list[int]:
    """The extents of a reshaped input; -1 only where it stands for an unknown one.

    Raises:
        ConfigError: They do not hold as many elements as the input.
    """
    sizes = [size_of(term) for term in rest]
    known = [extent for extent in stated if extent not in {-1, None}]
    target = [-1 if extent is None else extent for extent in stated]
    if None in sizes:
        if target.count(-1) == 1:
            return target
        raise ConfigError(f"a Reshape to {tuple(stated)} of an input {x.layout} of unknown extent")
    total = math.prod(size or 0 for size in sizes)
    filled = math.prod(int(extent or 0) for extent in known)
    if target.count(-1) == 1 and filled and total % filled == 0:
        target[target.index(-1)] = total // filled
    if math.prod(target) != total or min(target, default=1) < 1:
        raise ConfigError(f"a Reshape to {tuple(stated)} of an input {x.layout}")
    return target


@translates("RepeatVector", config=RepeatConfig)
def repeat_vector(call: LayerCall, x: Value) -> Value:
    """RepeatVector."""
    config: RepeatConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    if len(axes) != call.batch + 1 or config.n < 1:
        raise ConfigError(f"RepeatVector by {config.n} of an input {x.layout}")
    batch, features, time = axes[: call.batch], axes[-1], Axis("T", config.n)
    bound = {"batch": batch, "features": (features,), "time": (time,)}
    return call.add(Repeat(), [x], (*batch, time, features), axes=bound).result
