"""Locally connected layers where a target has none: windows laid out, and a product per place."""

from __future__ import annotations

import math
from typing import Any

from ....ir.derived import TapsSource
from ....ir.layout import Axis, size_of
from ....ir.ops.convolution import LocallyConnected
from ..network import Tensor
from ..scaling import constant
from ..site import Site
from ..windows import Space
from .activation import fused

EQUATIONS = {
    (1, "channels_last"): ("abc,bcd->abd", "bd"),
    (1, "channels_first"): ("acb,bcd->adb", "db"),
    (2, "channels_last"): ("abcd,bcde->abce", "bce"),
    (2, "channels_first"): ("adbc,bcde->aebc", "ebc"),
}
"""By rank and data format: the product of every place's window with its own kernel, and the axes of
the bias, in the order of the result."""


def each_place(site: Site, op: LocallyConnected, space: Space) -> None:
    """A depthwise convolution that lays out each window, then an EinsumDense over the places.

    The convolution's kernel is constant: each channel has one multiplier per tap, which is 1 at
    this tap. So the channels behind it are the patches, `(channels kernel_space)`.

    Raises:
        ExportError: The target has neither.
    """
    windows = f"DepthwiseConv{space.rank}D"
    known = site.dialect.classes
    if windows not in known or "EinsumDense" not in known:
        raise site.refuse(f"{site.dialect.name} has no locally connected layer")
    site.tell("KX102", "changed", "a locally connected layer is written as an EinsumDense")
    patches = _patches(site, op, space, windows)
    equation, places = EQUATIONS[space.rank, space.data_format]
    outs, filters = list(space.outs), site.size("filters")
    first = space.data_format == "channels_first"
    config: dict[str, Any] = {
        "equation": equation,
        "output_shape": [filters, *outs] if first else [*outs, filters],
        "bias_axes": places if "bias" in site.settled.node.params else None,
        "activation": fused(site),
    }
    arrays = [
        site.array("kernel", "kernel", "out_space (channels kernel_space) filters"),
        site.array("bias", "bias", "filters out_space" if first else "out_space filters"),
    ]
    site.give(site.put("EinsumDense", config, [patches], arrays=arrays, repeats=space.repeats))


def _patches(site: Site, op: LocallyConnected, space: Space, class_name: str) -> Tensor:
    sizes = [size_of(term) or 0 for term in site.settled.bound["kernel_space"]]
    taps, channels = math.prod(sizes), site.size("channels")
    config = {
        "kernel_size": sizes,
        "strides": list(op.strides),
        "padding": "valid",
        "depth_multiplier": taps,
        "data_format": space.data_format,
        "use_bias": False,
        "activation": "linear",
        "trainable": False,
    }
    axes = (*(Axis("X", n) for n in sizes), Axis("C", channels), Axis("M", taps))
    kernel = constant("depthwise_kernel", TapsSource(taps, channels), *axes)
    x, repeats = site.x(), space.repeats
    return site.put(class_name, config, [x], role="windows", arrays=[kernel], repeats=repeats)
