"""Axes of extent one repeated, for merges that take inputs of one shape only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ir.layout import size_of
from .network import Tensor
from .site import Site

LARGEST = 5
"""Dimensions, the batch among them, of what an UpSampling takes."""


def alike(site: Site, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """The inputs of a merge in the shape of its result, where the target broadcasts none.

    Keras 1 merges inputs of one shape; Theano broadcasts no axis whose extent it does not know
    before. Sources: Keras 1.2.2 `engine/topology.py` `Merge._arguments_validation`; runs of Keras
    2.0.8 and 2.2.4.

    Raises:
        ExportError: There is no layer that repeats this.
    """
    needed = site.dialect.merges_alike or (site.backend == "theano" and not site.emission.native)
    wanted = [size_of(term) for term in site.seen(site.settled.results[0])]
    found = list(inputs)
    for number, held in enumerate(held for held in site.settled.inputs if held is not None):
        sizes = [size_of(term) for term in site.seen(held.layout)]
        if not needed or sizes == wanted:
            continue
        if len(sizes) != len(wanted) or len(sizes) > LARGEST or found[number].mask is not None:
            raise site.refuse(f"{site.dialect.name} merges inputs of one shape only")
        for axis, (have, want) in enumerate(zip(sizes, wanted, strict=True)):
            if have != want:
                role = f"repeated_{number + 1}_{axis}"
                found[number] = _repeated(site, found[number], axis, want, len(sizes), role)
    return found


def _repeated(site: Site, x: Tensor, axis: int, count: int | None, rank: int, role: str) -> Tensor:
    """The tensor with an axis of extent one repeated so often."""
    if count is None or axis == 0:
        raise site.refuse("an axis is repeated to an extent that is not known")
    site.tell("KX102", "changed", "axes of extent one are repeated before they are merged")
    if rank == 2:
        x = site.put("RepeatVector", {"n": count}, [x], role=role)
        return site.put("Reshape", {"target_shape": [count]}, [x], role=f"{role}_row")
    if rank == 3:
        swaps = {"dims": [2, 1]}
        x = site.put("Permute", swaps, [x], role=f"{role}_before") if axis == 2 else x
        x = site.put("UpSampling1D", {"size": count}, [x], role=role)
        return site.put("Permute", swaps, [x], role=f"{role}_after") if axis == 2 else x
    first = axis == rank - 1  # the last axis is no channels then
    sizes = [1] * (rank - 2)
    sizes[axis - (2 if first else 1)] = count
    config: dict[str, Any] = {
        "size": sizes,
        "data_format": "channels_first" if first else "channels_last",
    }
    return site.put(f"UpSampling{rank - 2}D", config, [x], role=role)
