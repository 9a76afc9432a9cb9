"""Which weights a Keras 2 layer has: names, shapes, and the order in which a file lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .evaluate import sequential_entries
from .layer import MODELS, Config, Weights

Shape = tuple[int, ...]

NAMES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Dense", "Conv1D", "Conv2D", "Conv3D"), ("kernel",)),
    **dict.fromkeys(("Conv2DTranspose", "Conv3DTranspose"), ("kernel",)),
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), ("kernel",)),
    "SeparableConv1D": ("depthwise_kernel", "pointwise_kernel"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel"),
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM", "ConvLSTM2D"), ("kernel", "recurrent_kernel")),
    "DepthwiseConv2D": ("depthwise_kernel",),
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
}
"""Without the bias, which is last and there if `use_bias` says so."""

BLOCKS = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4, "ConvLSTM2D": 4}
STATISTICS = ("moving_mean", "moving_variance")


def names(class_name: str, config: Config) -> list[str]:
    """The weights of a plain layer, in Keras' order."""
    if class_name == "BatchNormalization":
        affine = [name for name, key in (("gamma", "scale"), ("beta", "center")) if config[key]]
        return [*affine, *STATISTICS]
    found = list(NAMES.get(class_name, ()))
    return [*found, "bias"] if config.get("use_bias") else found


def shapes(class_name: str, config: Config, shape: Shape) -> list[Shape]:
    """The shapes of a plain or wrapped layer's weights; `shape` is its input's, without batch."""
    if class_name in {"TimeDistributed", "Bidirectional"}:
        inner = config["layer"]
        once = class_name == "TimeDistributed"
        found = shapes(inner["class_name"], inner["config"], shape[1:] if once else shape)
        return found if once else found * 2
    wanted = _SHAPES[class_name](config, shape) if class_name in _SHAPES else []
    return wanted[: len(names(class_name, config))]


def _channels(config: Config, shape: Shape) -> int:
    return shape[0] if config.get("data_format") == "channels_first" else shape[-1]


def _convolution(config: Config, shape: Shape) -> list[Shape]:
    filters = config["filters"]
    return [(*config["kernel_size"], _channels(config, shape), filters), (filters,)]


def _transposed(config: Config, shape: Shape) -> list[Shape]:
    filters = config["filters"]
    return [(*config["kernel_size"], filters, _channels(config, shape)), (filters,)]


def _depthwise(config: Config, shape: Shape) -> list[Shape]:
    channels, multiplier = _channels(config, shape), config["depth_multiplier"]
    return [(*config["kernel_size"], channels, multiplier), (channels * multiplier,)]


def _separable(config: Config, shape: Shape) -> list[Shape]:
    size, filters = config["kernel_size"], config["filters"]
    depthwise, (mixed,) = _depthwise(config, shape)
    return [depthwise, (*[1] * len(size), mixed, filters), (filters,)]


def _recurrent(blocks: int) -> Callable[[Config, Shape], list[Shape]]:
    def of(config: Config, shape: Shape) -> list[Shape]:
        units = config["units"]
        wide = blocks * units
        bias = (2, wide) if config.get("reset_after") else (wide,)
        return [(shape[-1], wide), (units, wide), bias]

    return of


def _convolved_gates(config: Config, shape: Shape) -> list[Shape]:
    size, filters = config["kernel_size"], config["filters"]
    wide = BLOCKS["ConvLSTM2D"] * filters
    return [(*size, _channels(config, shape[1:]), wide), (*size, filters, wide), (wide,)]


def _alpha(config: Config, shape: Shape) -> list[Shape]:
    shared = config["shared_axes"] or []
    return [tuple(1 if axis in shared else n for axis, n in enumerate(shape, 1))]


def _statistics(config: Config, shape: Shape) -> list[Shape]:
    axis = config["axis"]
    return [(shape[axis - 1 if axis > 0 else axis],)] * 4


def _dense(config: Config, shape: Shape) -> list[Shape]:
    return [(shape[-1], config["units"]), (config["units"],)]


def _embedding(config: Config, _shape: Shape) -> list[Shape]:
    return [(config["input_dim"], config["output_dim"])]


_SHAPES: dict[str, Callable[[Config, Shape], list[Shape]]] = {
    "Dense": _dense,
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
    "Embedding": _embedding,
    "PReLU": _alpha,
    "BatchNormalization": _statistics,
    "ConvLSTM2D": _convolved_gates,
    **{name: _recurrent(BLOCKS[name]) for name in ("SimpleRNN", "GRU", "LSTM")},
}


class Slot(NamedTuple):
    """One array of a layer's group in a file."""

    path: str
    """Whose it is, as `evaluate` names layers."""
    place: int
    """Its place among the arrays of that layer."""
    name: str
    """As Keras 2 names the variable, without TensorFlow's `:0`."""
    trainable: bool


def slots(entry: Config, path: str = "") -> list[Slot]:
    """What a file lists for one layer, in order.

    A nested model lists what is trainable in it first, then the rest, and a frozen layer's weights
    with the rest (Keras 2.2.4, `Network.trainable_weights` and `non_trainable_weights`).
    """
    found = list(_slots(entry, path or entry.get("name") or entry["config"]["name"]))
    if _holds_model(entry):
        found.sort(key=lambda slot: not slot.trainable)
    return found


def _holds_model(entry: Config) -> bool:
    if entry["class_name"] == "TimeDistributed":
        return _holds_model(entry["config"]["layer"])
    return entry["class_name"] in MODELS


def _slots(entry: Config, path: str) -> Iterator[Slot]:
    class_name, config = entry["class_name"], entry["config"]
    name = path.rpartition("/")[2]
    if class_name in MODELS:
        for inner in sequential_entries(config):
            inner_name = inner.get("name") or inner["config"]["name"]
            yield from _slots(inner, f"{path}/{inner_name}")
    elif class_name == "TimeDistributed":
        yield from _slots(config["layer"], path)
    elif class_name == "Bidirectional":
        inner = config["layer"]
        own = names(inner["class_name"], inner["config"])
        for half, way in enumerate(("forward", "backward")):
            for place, weight in enumerate(own, half * len(own)):
                yield Slot(path, place, f"{name}/{way}_{inner['config']['name']}/{weight}", True)
    else:
        free = config.get("trainable", True)
        for place, weight in enumerate(names(class_name, config)):
            yield Slot(path, place, f"{name}/{weight}", free and weight not in STATISTICS)


def sizes(weights: Weights) -> int:
    """How many numbers a model has."""
    return sum(array.size for arrays in weights.values() for array in arrays)
