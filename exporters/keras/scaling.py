"""Constants that multiply and add: by a layer for that, or by a normalization that learnt to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir.layout import Axis, Layout, Term, size_of
from ...ir.source import ConstantSource, Source
from ...ir.tensor import Param, Stored, Weight
from .network import Array, Tensor
from .site import Site

EPSILON = 1e-3
"""Of a normalization whose variance is 1 - EPSILON: large enough for every backend."""


def scale_and_shift(
    site: Site,
    x: Tensor,
    scale: float,
    offset: float,
    role: str = "",
    count: int | None = None,
    *,
    alike: bool = True,
) -> Tensor:
    """Scale * x + offset, with one number each.

    Args:
        site: The node.
        x: What is scaled.
        scale: Multiplies.
        offset: Is added.
        role: What it is beside the node's own layer.
        count: Extent of the last axis, where `x` has not the axes of the node's first input.
        alike: Whether it has those where no count is given.
    """
    repeats = 0 if role else site.own_repeats()
    if scale == 1 and not offset:
        config: Mapping[str, Any] = {"activation": "linear"}
        return site.put("Activation", config, [x], role=role, repeats=repeats, mask=x.mask)
    term = site.seen(site.settled.input)[-1]
    if count is None and alike:
        count = size_of(term)
    if _rescales(site, count):
        config = {"scale": scale, "offset": offset}
        return site.put("Rescaling", config, [x], role=role, repeats=repeats, mask=x.mask)
    if count is None:
        raise site.refuse(f"the size of {term!r} is not known")
    constants = {"gamma": scale, "beta": offset}
    arrays = {name: ConstantSource(value, (count,)) for name, value in constants.items()}
    return along_axis(site, x, -1, count, arrays, role)


def _rescales(site: Site, count: int | None) -> bool:
    """Whether a Rescaling is written: not for versions that lack it where they need none."""
    known = site.dialect.classes.get("Rescaling")
    if known is None or not known.missing:
        return known is not None
    own = site.layer is not None and site.layer.class_name == "Rescaling"
    return own or count is None


def along_axis(
    site: Site, x: Tensor, axis: int, count: int, arrays: Mapping[str, Source], role: str = ""
) -> Tensor:
    """Gamma * x + beta, with numbers along one axis: a BatchNormalization of mean 0, deviation 1.

    Args:
        site: The node.
        x: What is scaled.
        axis: Its axis as the layer counts them.
        count: Extent of that axis.
        arrays: `gamma` and `beta`, either or both.
        role: What it is beside the node's own layer.
    """
    config = {
        "axis": axis,
        "epsilon": EPSILON,
        "center": "beta" in arrays,
        "scale": "gamma" in arrays,
        "trainable": False,
    }
    sources: Mapping[str, Source] = {
        **{name: arrays[name] for name in ("gamma", "beta") if name in arrays},
        "moving_mean": ConstantSource(0.0, (count,)),
        "moving_variance": ConstantSource(1 - EPSILON, (count,)),
    }
    term = Axis("X", count)
    constants = {name: constant(name, source, term) for name, source in sources.items()}
    held, config = whole(site, constants, config, count)
    return site.put("BatchNormalization", config, [x], role=role, arrays=held, mask=x.mask)


def whole(
    site: Site, arrays: Mapping[str, Array | None], config: Mapping[str, Any], size: int
) -> tuple[list[Array | None], dict[str, Any]]:
    """A BatchNormalization with what it cannot go without: in Keras 1 it always has four arrays.

    Args:
        site: The node.
        arrays: By name; None, or not there, for what the node has not.
        config: Of the layer.
        size: Of each array.
    """
    said, found = dict(config), list[Array | None]()
    for name, (key, value) in FOUR.items():
        array = site.always(arrays.get(name), "BatchNormalization", key, name, value, size)
        found.append(array)
        if key in said:
            said[key] = array is not None
    return found, said


FOUR: Mapping[str, tuple[str, float]] = {
    "gamma": ("scale", 1.0),
    "beta": ("center", 0.0),
    "moving_mean": ("", 0.0),
    "moving_variance": ("", 1.0),
}
"""The arrays of a BatchNormalization: the key that says whether it has one, and what stands for an
absent one."""


def constant(name: str, source: Source, *terms: Term) -> Array:
    """An array of numbers that no weight of the model holds."""
    layout = Layout(terms)
    weight = Weight(name, (source,), trainable=False)
    trains = not name.startswith("moving_")
    return Array(name, Param(weight, (Stored(layout),)), layout, trains)
