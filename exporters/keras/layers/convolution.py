"""Convolutions: plain, dilated, grouped, depthwise, separable, locally connected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....eras import padding as rules
from ....eras.storage import pattern, table
from ....ir.arithmetic import MOST_SPREAD, diagonal
from ....ir.layout import Layout, expand, fuse, size_of
from ....ir.ops.convolution import (
    Conv,
    DepthwiseConv,
    GroupedConv,
    LocallyConnected,
    Padding,
    SeparableConv,
)
from ....ir.signature import Pattern
from ....ir.tensor import extents
from ..network import Array, Tensor
from ..registry import writes
from ..site import Site
from ..windows import (
    Space,
    Window,
    in_words,
    is_causal,
    needed,
    pad,
    said,
    space_of,
    time_last,
    turned,
)
from .activation import fused
from .local import each_place

_WINDOW = "strides dilation padding"


@writes(Conv, attributes=_WINDOW)
def conv(site: Site) -> None:
    """Conv1D, Conv2D, Conv3D."""
    _slide(site, "Conv", {"filters": site.size("filters")}, ["kernel"], causal=True)


@writes(GroupedConv, attributes=_WINDOW)
def grouped_conv(site: Site) -> None:
    """Conv with groups: tf.keras 2.3 and later."""
    own = {"filters": site.size("groups", "filters"), "groups": site.size("groups")}
    if not site.has(f"Conv{len(site.settled.bound['space'])}D", "groups"):
        _over_all(site, "kernel", ("groups", "in_group", "filters"), "(groups filters)")
        return
    _slide(site, "Conv", own, ["kernel"], causal=True)


@writes(DepthwiseConv, attributes=_WINDOW)
def depthwise_conv(site: Site) -> None:
    """DepthwiseConv1D, DepthwiseConv2D."""
    if not _is_there(site, "DepthwiseConv"):
        _over_all(site, "kernel", ("channels", "", "multiplier"), "(channels multiplier)")
        return
    own = {"depth_multiplier": site.size("multiplier")}
    names = {"kernel": "depthwise_kernel"}
    _slide(site, "DepthwiseConv", own, ["kernel"], names=names)


@writes(SeparableConv, attributes=_WINDOW)
def separable_conv(site: Site) -> None:
    """SeparableConv1D, SeparableConv2D."""
    own = {"filters": site.size("filters"), "depth_multiplier": site.size("multiplier")}
    kernels = ["depthwise_kernel", "pointwise_kernel"]
    if _is_there(site, "SeparableConv"):
        _slide(site, "SeparableConv", own, kernels, same=rules.SEPARABLE)
        return
    space = space_of(site)
    y = _over_all(site, kernels[0], ("channels", "", "multiplier"), role="depthwise")
    config = {
        "filters": site.size("filters"),
        "kernel_size": [1] * space.rank,
        "strides": [1] * space.rank,
        "padding": "valid",
        "data_format": space.data_format,
        "use_bias": "bias" in site.settled.node.params,
        "activation": fused(site),
        "dilation_rate": [1] * space.rank,
    }
    kernel = site.array("kernel", kernels[1], rank=space.rank, data_format=space.data_format)
    arrays = [kernel, site.array("bias", "bias")]
    class_name = f"Conv{space.rank}D"
    site.give(site.put(class_name, config, [y], arrays=arrays, repeats=space.repeats))


def _is_there(site: Site, family: str) -> bool:
    """Whether the target has such a layer of the family; where it has no convolution, too."""
    op: Any = site.op
    rank = len(site.settled.bound["space"])
    known = site.dialect.classes.get(f"{family}{rank}D")
    fits = known is not None and (not known.backends or site.backend in known.backends)
    dilated = any(step != 1 for step in op.dilation)
    fits = fits and not (dilated and not site.has(f"{family}{rank}D", "dilation_rate"))
    return fits or not site.has(f"Conv{rank}D")


def _over_all(
    site: Site, port: str, each: tuple[str, str, str], biases: str = "", role: str = ""
) -> Tensor:
    """A convolution of groups by themselves as one of all channels, zeros between the groups.

    Args:
        site: The node.
        port: Its kernel.
        each: The bindings of the groups, of what a group is given and of what comes of it.
        biases: The order of the bias; "" for none, and no activation either.
        role: What it is beside the node's own layer; "" for the layer itself, which is then given.
    """
    space, bound = space_of(site), site.settled.bound
    site.tell(
        "KX102", "changed", "it is written as a convolution of all channels, most of it zeros"
    )
    groups, rows, columns = (bound[name] if name else () for name in each)
    taps = bound["kernel_space"]
    param = site.settled.node.params[port]
    kernel, channels, filters = diagonal(param, taps, groups, rows, columns)
    count = math.prod(kernel.weight.sources[0].shape)
    if count > MOST_SPREAD:
        raise site.refuse(f"as a convolution of all channels it would hold {count:,} numbers")
    lies = table(site.dialect.storage, space.data_format)
    text = pattern(lies, "Conv", "kernel", rank=space.rank, backend=site.backend)[0]
    terms = {"kernel_space": taps, "channels": (channels,), "filters": (filters,)}
    held = Array(port, param, Layout((*taps, *groups, *rows, *columns)))
    whole = Array("kernel", kernel, Layout(Pattern.parse(text).build(terms)), parts=(held,))
    arrays = [whole, site.array("bias", "bias", biases) if biases else None]
    own = {"filters": filters.size}
    return _slide(site, "Conv", own, [], arrays=arrays, role=role, causal=True)


def _slide(
    site: Site,
    family: str,
    own: dict[str, Any],
    kernels: Sequence[str],
    *,
    names: dict[str, str] | None = None,
    causal: bool = False,
    same: Mapping[str, rules.Rule] = rules.CONV,
    arrays: Sequence[Array | None] = (),
    role: str = "",
) -> Tensor:
    """A layer that slides kernels over space, zeros put around before it where it cannot say so.

    Its arrays are the kernels and the bias of the node, if none are given; its activation is
    fused, and its result the node's, unless it is a part of it that has a role.
    """
    op: Any = site.op
    space = space_of(site)
    taps = [size_of(term) for term in site.settled.bound["kernel_space"]]
    window = Window(tuple(size or 0 for size in taps), op.strides, op.dilation)
    causal = causal and "causal" in site.dialect.paddings
    x, word = _padded(site, space, window, op.padding, same[site.backend], causal=causal)
    class_name = f"{family}{space.rank}D"
    turn = turned(site, class_name, space)
    x = time_last(site, x, space, f"{role}_before".lstrip("_")) if turn else x
    config = {
        **own,
        "kernel_size": list(window.kernel),
        "strides": list(window.strides),
        "padding": word,
        "data_format": "channels_last" if turn else space.data_format,
        "use_bias": "bias" in site.settled.node.params and not role,
        "activation": "linear" if role else fused(site),
        "dilation_rate": list(window.dilation),
    }
    arrays = arrays or [
        site.array(
            (names or {}).get(port, port), port, rank=space.rank, data_format=space.data_format
        )
        for port in (*kernels, "bias")
    ]
    y = site.put(class_name, config, [x], role=role, arrays=arrays, repeats=space.repeats)
    y = time_last(site, y, space, f"{role}_after".lstrip("_")) if turn else y
    if not role:
        site.give(y)
    return y


def _padded(
    site: Site,
    space: Space,
    window: Window,
    padding: Padding,
    rule: rules.Rule,
    *,
    causal: bool,
) -> tuple[Tensor, str]:
    """The input with zeros around it where needed, and the word for what the layer itself pads."""
    x, word = site.x(), said(space, window, padding, rule)
    if word == "same" and _is_lost(site, x, space, padding):
        word = None
    if word is not None:
        return x, word
    if causal and is_causal(space, window, padding):
        return x, "causal"
    if padding == "same_upper":
        raise site.refuse(
            f"TensorFlow's `same` over an input of unknown extent has no word in {site.backend}",
            "fix the sizes of the model's inputs",
        )
    site.tell("KP201", "changed", f"pads {in_words(padding)} written out")
    return pad(site, x, space, needed(space, window, padding), "pad"), "valid"


GRAPHS = frozenset({"Keras 3", "tf-keras"})
"""Readers that may run on TensorFlow 2."""


def _is_lost(site: Site, x: Tensor, space: Space, padding: Padding) -> bool:
    """Whether TensorFlow loses the padding of a convolution behind a layer of zeros.

    In a graph, as `predict` makes one, oneDNN takes such a layer and a Conv3D for one operation,
    whose zeros are the layer's alone (runs of TensorFlow 2.21; not without oneDNN, nor by rank 2).
    """
    behind = x.call.layer.class_name == f"ZeroPadding{space.rank}D"
    graphs = not GRAPHS.isdisjoint(site.dialect.readers) and site.backend == "tensorflow"
    return behind and graphs and space.rank == 3 and not isinstance(padding, str)


@writes(LocallyConnected, attributes="strides")
def locally_connected(site: Site) -> None:
    """LocallyConnected1D, LocallyConnected2D.

    The patch is `(channels kernel_space)` in channels_first, else `(kernel_space channels)`; the
    bias of a channels_first layer is `filters out_space` under the shape `out_space filters`
    (Keras 1.2.2 and 2.2.4 `LocallyConnected2D.call` reshape it so).
    """
    op = site.op
    assert isinstance(op, LocallyConnected)
    space, bound, x = space_of(site), site.settled.bound, site.x()
    if space.rank > 2:
        raise site.refuse("no Keras has a locally connected layer over three axes")
    first = space.data_format == "channels_first"
    if f"LocallyConnected{space.rank}D" not in site.dialect.classes:
        each_place(site, op, space)
        return
    if first and space.rank == 1 and set(site.dialect.readers) != {"tf-keras"}:
        raise site.refuse(
            "Keras 2 has no LocallyConnected1D of channels_first",
            "give --data-format channels_last, or --to tf-keras",
        )
    patch = ("channels", "kernel_space") if first else ("kernel_space", "channels")
    config: dict[str, Any] = {
        "filters": site.size("filters"),
        "kernel_size": [size_of(term) for term in bound["kernel_space"]],
        "strides": list(op.strides),
        "padding": "valid",
        "data_format": space.data_format,
        "use_bias": "bias" in site.settled.node.params,
        "activation": fused(site),
    }
    if space.rank == 1 and not first:
        del config["data_format"]  # Keras 1 has but one
    kernel = site.array("kernel", "kernel", f"(out_space) ({' '.join(patch)}) filters")
    bias = site.array("bias", "bias", "filters out_space" if first else "out_space filters")
    if bias is not None and first:
        shown = extents(Layout((*bound["out_space"], fuse(expand(bound["filters"])))))
        bias = Array(bias.name, bias.param, bias.layout, shown=shown)
    class_name = f"LocallyConnected{space.rank}D"
    y = site.put(class_name, config, [x], arrays=[kernel, bias], repeats=space.repeats)
    site.give(y)
