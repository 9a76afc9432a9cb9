"""Layers in words: `Conv2D 3x3/2 half, relu`, with a multiplication sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..eras import padding as rules
from ..ir.graph import Layer, Node
from ..ir.layout import size_of
from ..ir.notation import show
from ..ir.op import Op, attributes
from ..ir.ops.activation import TrainingOnly
from ..ir.ops.bare import Bare
from ..ir.ops.opaque import Opaque
from ..ir.ops.shape import View

TIMES = "\N{MULTIPLICATION SIGN}"

RANKED = frozenset({
    "Conv", "GroupedConv", "DepthwiseConv", "SeparableConv", "LocallyConnected", "MaxPool",
    "AveragePool", "ZeroPad", "Crop", "UpSample",
})  # fmt: skip
"""Ops whose name is followed by the number of their spatial axes."""

AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "Dropout": ("rate", "p"),
    "SpatialDropout1D": ("rate", "p"),
    "SpatialDropout2D": ("rate", "p"),
    "SpatialDropout3D": ("rate", "p"),
    "AlphaDropout": ("rate",),
    "GaussianDropout": ("rate", "p"),
    "GaussianNoise": ("stddev", "sigma"),
}
"""The key that says how much, of layers that act in training alone."""

FUNCTIONS: Mapping[str, str] = {
    "Relu": "relu",
    "Elu": "elu",
    "Selu": "selu",
    "LeakyRelu": "leaky_relu",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "hard_sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Softmax": "softmax",
    "Exponential": "exponential",
    "Linear": "linear",
}
"""Functions as Keras calls them."""


def operation(layer: Layer, nodes: Sequence[Node]) -> str:
    """A call of a layer in words: the op that does most, then the function behind it.

    Args:
        layer: Where the nodes came from.
        nodes: At least one, in order.
    """
    main = main_node(nodes)
    text = _one(layer, main)
    behind = [n for n in nodes if n.part == "activation" and n is not main]
    words = [text, *(_function(node.op) for node in behind)]
    repeated = "".join(f"{wrapper.class_name} " for wrapper in layer.wrappers)
    return repeated + ", ".join(words)


def main_node(nodes: Sequence[Node]) -> Node:
    """The node that stands for a layer: the first with weights, else the first that is no mask."""
    shown = [node for node in nodes if node.part != "mask"] or list(nodes)
    return next((node for node in shown if node.params), shown[0])


def settings(op: Op) -> dict[str, Any]:
    """An op's attributes as plain data; the functions in it by name."""
    return {
        name: _function(value) if isinstance(value, Op) else value
        for name, value in attributes(op).items()
    }


def padding_word(node: Node) -> str:
    """What pads are called: `valid`, `same` (TensorFlow's), `half` (Theano's), or the numbers."""
    pads = getattr(node.op, "padding", None)
    if pads is None or pads == "same_upper":
        return "" if pads is None else "same"
    if not any(n for pair in pads for n in pair):
        return "valid"
    for word, backend in (("same", "tensorflow"), ("half", "theano")):
        if list(pads) == ruled(node, backend):
            return word
    return "pads " + " ".join(f"{before},{after}" for before, after in pads)


def ruled(node: Node, backend: str) -> list[tuple[int, int] | None]:
    """The pads that a backend's `same` gives a convolution or a pool, by spatial axis."""
    rule = (rules.CONV if "kernel_space" in node.axes else rules.POOL)[backend]
    taps = _taps(node)
    strides = getattr(node.op, "strides", (1,) * len(taps))
    dilation = getattr(node.op, "dilation", (1,) * len(taps))
    sizes = [size_of(term) for term in node.axes.get("space", ())]
    listed = zip(sizes, taps, strides, dilation, strict=False)
    return [rule(size, k, s, d) for size, k, s, d in listed]


def _taps(node: Node) -> tuple[int, ...]:
    if "kernel_space" in node.axes:
        return tuple(size_of(term) or 0 for term in node.axes["kernel_space"])
    return tuple(getattr(node.op, "pool_size", ()))


def _one(layer: Layer, node: Node) -> str:
    op = node.op
    if isinstance(op, TrainingOnly):
        keys = AMOUNTS.get(op.layer_class, ())
        amount = next((layer.config[key] for key in keys if key in layer.config), None)
        number = f" {amount:.6g}" if isinstance(amount, (int, float)) else ""
        return op.layer_class + number
    if isinstance(op, View):
        return op.layer_class or "View"
    if isinstance(op, Opaque):
        return f"Opaque {op.layer_class}"
    if isinstance(op, Bare):
        return op.of
    describe = _DESCRIBE.get(op.kind)
    if describe is not None:
        return describe(layer, node)
    if op.kind in FUNCTIONS:
        return _function(op)
    return _name(node)


def _function(op: Op) -> str:
    if isinstance(op, Opaque):
        return op.layer_class
    return FUNCTIONS.get(op.kind, op.kind)


def _name(node: Node) -> str:
    kind = node.op.kind
    return f"{kind}{len(node.axes['space'])}D" if kind in RANKED else kind


def _window(layer: Layer, node: Node) -> str:
    """Kernel, strides if not one, dilation if not one, padding."""
    strides = _over(getattr(node.op, "strides", ()), 1)
    dilation = getattr(node.op, "dilation", ())
    stretched = f" dilated {_numbers(dilation)}" if any(d != 1 for d in dilation) else ""
    word = padding_word(node)
    return f"{_name(node)} {_numbers(_taps(node))}{strides}{stretched}" + (word and f" {word}")


def _transposed(layer: Layer, node: Node) -> str:
    word = str(layer.config.get("padding", layer.config.get("border_mode", ""))) or "valid"
    name = f"Conv{len(node.axes['space'])}DTranspose"
    strides = _over(getattr(node.op, "strides", ()), 1)
    return f"{name} {_numbers(_taps(node))}{strides} {word}"


def _pool(layer: Layer, node: Node) -> str:
    size, strides = _taps(node), tuple(getattr(node.op, "strides", ()))
    step = "" if strides == size else _over(strides, 0)
    word = padding_word(node)
    name = node.op.kind if len(size) == 2 else _name(node)
    return f"{name} {_numbers(size)}{step}" + ("" if word == "valid" else f" {word}")


def _edges(layer: Layer, node: Node) -> str:
    pairs = getattr(node.op, "padding", getattr(node.op, "cropping", ()))
    return f"{_name(node)} " + " ".join(f"{before},{after}" for before, after in pairs)


def _upsample(layer: Layer, node: Node) -> str:
    how = getattr(node.op, "interpolation", "nearest")
    return f"{_name(node)} {_numbers(getattr(node.op, 'size', ()))} {how}"


def _over_axis(layer: Layer, node: Node) -> str:
    return f"{node.op.kind} over {show(node.axes['axis'], sizes=False)}"


def _joined(layer: Layer, node: Node) -> str:
    return f"{node.op.kind} along {show(node.axes['joined'], sizes=False)}"


def _numbers(values: Sequence[int]) -> str:
    return TIMES.join(map(str, values))


def _over(values: Sequence[int], default: int) -> str:
    """Strides as `/2`, or `/2x1` where they differ; nothing if all are one."""
    if all(value == default for value in values):
        return ""
    return f"/{values[0]}" if len(set(values)) == 1 else f"/{_numbers(values)}"


_DESCRIBE: Mapping[str, Callable[[Layer, Node], str]] = {
    "Conv": _window,
    "GroupedConv": _window,
    "DepthwiseConv": _window,
    "SeparableConv": _window,
    "LocallyConnected": _window,
    "ConvTranspose": _transposed,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "ZeroPad": _edges,
    "Crop": _edges,
    "UpSample": _upsample,
    "BatchNorm": _over_axis,
    "Concat": _joined,
}
"""How an op is described, where its name alone does not say it."""
