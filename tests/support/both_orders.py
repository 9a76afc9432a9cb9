"""Models of Keras 2, written by hand in either data format, to be brought into the other one.

All extents in a tensor are different: which axis went where can be told from its shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from crafted import model_file

Shape = tuple[int, ...]
Config = dict[str, Any]

ORDERS = ("channels_first", "channels_last")


class Net:
    """A functional model while it is written down.

    Attributes:
        order: Its data format.
        layers: Their configurations, in order.
        arrays: What each stores.
        shapes: Of the inputs, without the batch.
    """

    def __init__(self, name: str, order: str) -> None:
        self.name, self.order = name, order
        self.layers: list[Config] = []
        self.arrays: dict[str, dict[str, np.ndarray]] = {}
        self.shapes: list[Shape] = []
        self.inputs: list[str] = []
        self._random = np.random.default_rng(len(name))

    @property
    def first(self) -> bool:
        """Whether channels come before space."""
        return self.order == "channels_first"

    def image(self, *extents: int) -> Shape:
        """The shape of an image: the last extent is the channels."""
        return (extents[-1], *extents[:-1]) if self.first else extents

    def axis(self, rank: int = 2, steps: int = 0) -> int:
        """The number of the channels' axis behind the batch and as many steps."""
        return 1 + steps + (0 if self.first else rank)

    def input(self, *shape: int) -> str:
        """What the caller feeds."""
        name = f"x{len(self.inputs)}"
        config = {"name": name, "batch_input_shape": [None, *shape], "dtype": "float32"}
        self.layers.append(_entry("InputLayer", name, config, []))
        self.arrays[name] = {}
        self.inputs.append(name)
        self.shapes.append(shape)
        return name

    def put(
        self,
        class_name: str,
        inputs: Sequence[str] | str,
        arrays: Mapping[str, Shape] | None = None,
        *,
        each: bool = False,
        **config: Any,
    ) -> str:
        """A layer, in a TimeDistributed if it is for each step; gives its name."""
        name = f"{class_name.lower()}{len(self.layers)}"
        sources = [inputs] if isinstance(inputs, str) else inputs
        inner = {"name": f"{name}_inner" if each else name, **config}
        told: Config = inner
        if each:
            told = {"name": name, "layer": {"class_name": class_name, "config": inner}}
        calls = [[[source, 0, 0, {}] for source in sources]]
        self.layers.append(_entry("TimeDistributed" if each else class_name, name, told, calls))
        drawn = {f"{name}/{key}": self._drawn(key, at) for key, at in (arrays or {}).items()}
        self.arrays[name] = drawn
        return name

    def again(self, layer: str, source: str) -> None:
        """Call a layer once more."""
        entry = next(entry for entry in self.layers if entry["name"] == layer)
        entry["inbound_nodes"].append([[source, 0, 0, {}]])

    def model(self, inner: Net, outputs: Sequence[str], source: str, *, each: bool = False) -> str:
        """A model of its own as a layer."""
        entry = inner.config(outputs)
        name = f"{inner.name}_each" if each else inner.name
        told = {"name": name, "layer": entry} if each else entry["config"]
        kind = "TimeDistributed" if each else "Model"
        self.layers.append(_entry(kind, name, told, [[[source, 0, 0, {}]]]))
        held = [pair for arrays in inner.arrays.values() for pair in arrays.items()]
        self.arrays[name] = dict(held)
        return name

    def config(self, outputs: Sequence[str]) -> Config:
        """The configuration of the model with these results."""
        config = {
            "name": self.name,
            "layers": self.layers,
            "input_layers": [[name, 0, 0] for name in self.inputs],
            "output_layers": [[name, 0, 0] for name in outputs],
        }
        return {"class_name": "Model", "config": config}

    def write(self, path: Path, outputs: Sequence[str]) -> Path:
        """The file."""
        told = {"keras_version": "2.2.4", "backend": "tensorflow"}
        return model_file(path, self.arrays, self.config(outputs), **told)

    def _drawn(self, key: str, shape: Shape) -> np.ndarray:
        if key == "moving_variance":
            return self._random.uniform(0.5, 2.0, shape).astype("f4")
        scale = max(1.0, math.prod(shape[:-1])) ** -0.5
        return (self._random.normal(0, 1, shape) * scale).astype("f4")

    # ---- layers --------------------------------------------------------------------------------

    def conv(self, x: str, given: int, filters: int, *size: int, **more: Any) -> str:
        """A convolution of as many axes as its kernel has extents."""
        arrays = {"kernel": (*size, given, filters), "bias": (filters,)}
        said = {"filters": filters, "kernel_size": list(size), "data_format": self.order}
        return self.put(f"Conv{len(size)}D", x, arrays, **said, **more)

    def window(self, class_name: str, x: str, **more: Any) -> str:
        """A layer over space without weights."""
        return self.put(class_name, x, data_format=self.order, **more)

    def norm(self, x: str, size: int, axis: int, **more: Any) -> str:
        """BatchNormalization."""
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return self.put("BatchNormalization", x, dict.fromkeys(names, (size,)), axis=axis, **more)

    def dense(self, x: str, given: int, units: int, **more: Any) -> str:
        """Dense."""
        return self.put(
            "Dense", x, {"kernel": (given, units), "bias": (units,)}, units=units, **more
        )

    def rnn(self, kind: str, x: str, given: int, units: int, **more: Any) -> str:
        """A recurrent layer."""
        width = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind] * units
        arrays = {"kernel": (given, width), "recurrent_kernel": (units, width), "bias": (width,)}
        return self.put(kind, x, arrays, units=units, **more)

    def conv_lstm(self, x: str, given: int, filters: int, *size: int, **more: Any) -> str:
        """ConvLSTM2D."""
        arrays = self.conv_lstm_arrays(given, filters, *size)
        said = self.conv_lstm_config(filters, *size, **more)
        return self.put("ConvLSTM2D", x, arrays, **said)

    def conv_lstm_arrays(self, given: int, filters: int, *size: int) -> dict[str, Shape]:
        width = 4 * filters
        kernels = {"kernel": (*size, given, width), "recurrent_kernel": (*size, filters, width)}
        return {**kernels, "bias": (width,)}

    def conv_lstm_config(self, filters: int, *size: int, **more: Any) -> Config:
        said = {"filters": filters, "kernel_size": list(size), "data_format": self.order}
        return {**said, "return_sequences": False, "padding": "same", **more}


def _entry(class_name: str, name: str, config: Config, calls: list[Any]) -> Config:
    return {"class_name": class_name, "name": name, "config": config, "inbound_nodes": calls}


# ---- the models ----------------------------------------------------------------------------------


def features_in_sequence(net: Net) -> list[str]:
    """Rows of a feature map as steps, of every recurrent layer, and of a Conv1D."""
    x = net.conv(net.input(*net.image(9, 7, 3)), 3, 4, 2, 3, activation="relu")
    x = net.window("MaxPooling2D", x, pool_size=[2, 1])  # 4 x 5 x 4
    rows = net.put("Permute", x, dims=[2, 3, 1]) if net.first else x
    steps = net.put("Reshape", rows, target_shape=[4, 20])
    each = net.put("Flatten", rows, each=True)
    return [
        net.rnn("LSTM", steps, 20, 3),
        net.rnn("GRU", each, 20, 5, go_backwards=True),
        net.rnn("SimpleRNN", steps, 20, 6, return_sequences=True),
        net.conv(steps, 20, 6, 2) if not net.first else net.dense(steps, 20, 6),
    ]


def film(net: Net) -> list[str]:
    """Convolution, normalization, pool, Flatten and Dense for each step."""
    x = net.input(5, *net.image(8, 7, 2))
    x = net.conv(x, 2, 3, 3, 2, each=True)  # 6 x 6
    x = net.norm(x, 3, net.axis(2), each=True)
    x = net.window("AveragePooling2D", x, pool_size=[3, 2], each=True)  # 2 x 3 x 3
    x = net.window("ZeroPadding2D", x, padding=[[0, 2], [1, 0]], each=True)  # 4 x 4
    x = net.window("UpSampling2D", x, size=[1, 2], each=True)  # 4 x 8
    flat = net.put("Flatten", x, each=True)
    dense = net.dense(net.norm(flat, 96, -1), 96, 6, each=True)
    return [x, net.rnn("LSTM", dense, 6, 4), net.window("GlobalMaxPooling2D", x, each=True)]


def models_in_sequence(net: Net) -> list[str]:
    """A model with a Reshape to space in it, for each step."""
    inner = Net("inner", net.order)
    x = inner.conv(inner.input(*net.image(6, 7, 2)), 2, 3, 2, 3)
    x = inner.put("Flatten", inner.window("MaxPooling2D", x, pool_size=[2, 2]))  # 2 x 2 x 3
    x = inner.put("Reshape", inner.dense(x, 12, 30), target_shape=list(net.image(3, 2, 5)))
    x = inner.put("Flatten", inner.conv(x, 5, 4, 2, 1))  # 2 x 2 x 4
    x = net.model(inner, [inner.dense(x, 16, 8)], net.input(5, *net.image(6, 7, 2)), each=True)
    return [x, net.rnn("GRU", x, 8, 3)]


def states_in_space(net: Net) -> list[str]:
    """A stack of ConvLSTM2D, what follows each step of it, and its last state."""
    x = net.conv_lstm(net.input(5, *net.image(6, 7, 2)), 2, 3, 3, 2, return_sequences=True)
    x = net.norm(x, 3, net.axis(2, steps=1))
    x = net.conv_lstm(x, 3, 4, 2, 3, return_sequences=True, go_backwards=True)
    last = net.conv_lstm(x, 4, 3, 2, 2)
    steps = net.put("Flatten", x, each=True)
    flat = net.dense(net.put("Flatten", last), 126, 4)
    return [x, last, flat, net.rnn("LSTM", steps, 168, 3)]


def states_both_ways(net: Net) -> list[str]:
    """Bidirectional over ConvLSTM2D; Keras joins along the last axis, whatever that is."""
    x = net.input(5, *net.image(6, 7, 2))
    found = []
    for mode, sequences in (("sum", True), ("concat", True), ("concat", False)):
        config = net.conv_lstm_config(4, 2, 3, return_sequences=sequences)
        halves = {
            f"{half}_states/{key}": shape
            for half in ("forward", "backward")
            for key, shape in net.conv_lstm_arrays(2, 4, 2, 3).items()
        }
        layer = {"class_name": "ConvLSTM2D", "config": {"name": "states", **config}}
        found.append(net.put("Bidirectional", x, halves, layer=layer, merge_mode=mode))
    return found


def local(net: Net) -> list[str]:
    """LocallyConnected2D, and LocallyConnected1D over rows."""
    x = net.input(*net.image(7, 6, 3))
    arrays = {"kernel": (5 * 5, 3 * 2 * 3, 4), "bias": (5, 5, 4)}
    x = net.put(
        "LocallyConnected2D", x, arrays,
        filters=4, kernel_size=[3, 2], data_format=net.order,
    )  # fmt: skip
    flat = net.put("Flatten", x)
    rows = net.put("Reshape", net.dense(flat, 100, 24), target_shape=[6, 4])
    arrays = {"kernel": (4, 3 * 4, 5), "bias": (4, 5)}
    rows = net.put("LocallyConnected1D", rows, arrays, filters=5, kernel_size=[3])
    return [net.window("MaxPooling2D", x, pool_size=[2, 4]), rows]


def into_space(net: Net) -> list[str]:
    """Dense, Reshape to space, and back."""
    x = net.norm(net.dense(net.input(7), 7, 60), 60, -1)
    x = net.put("Reshape", x, target_shape=list(net.image(5, 4, 3)))
    x = net.window("UpSampling2D", x, size=[2, 2])
    arrays = {"kernel": (3, 2, 6, 3), "bias": (6,)}
    x = net.put(
        "Conv2DTranspose", x, arrays, filters=6, kernel_size=[3, 2], data_format=net.order,
        activation="relu",
    )  # fmt: skip
    return [x, net.dense(net.put("Flatten", x), 648, 4)]


def permuted(net: Net) -> list[str]:
    """Rows and columns exchanged by the author, before and behind convolutions."""
    x = net.conv(net.input(*net.image(6, 5, 3)), 3, 4, 2, 2)  # 5 x 4
    x = net.put("Permute", x, dims=[1, 3, 2] if net.first else [2, 1, 3])
    x = net.conv(x, 4, 6, 1, 3)  # 4 x 3
    last = net.put("Permute", x, dims=[2, 3, 1]) if net.first else x
    return [x, net.dense(net.put("Flatten", last), 72, 5)]


def merged(net: Net) -> list[str]:
    """Merges over channels, over rows, and of flattened maps."""
    x, y = net.input(*net.image(6, 7, 3)), net.input(*net.image(6, 7, 2))
    a = net.conv(x, 3, 4, 2, 2, padding="same")
    b = net.conv(y, 2, 4, 3, 1, padding="same")
    wide = net.put("Concatenate", [a, y, b], axis=net.axis())
    wide = net.conv(net.norm(wide, 10, net.axis()), 10, 3, 2, 2)  # 5 x 6
    tall = net.put("Concatenate", [a, b], axis=2 if net.first else 1)
    tall = net.dense(net.put("Flatten", tall), 336, 5)
    flat = net.put("Concatenate", [net.put("Flatten", a), net.put("Flatten", wide)], axis=-1)
    means = net.window("GlobalAveragePooling2D", b)
    ends = [net.dense(net.norm(flat, 258, -1), 258, 4), means]
    total = net.put("Multiply", [net.put("Add", [a, b]), net.put("Maximum", [a, b])])
    return [wide, tall, total, net.put("Dot", ends, axes=1, normalize=True)]


def shared(net: Net) -> list[str]:
    """One CNN over two images."""
    inner = Net("twin", net.order)
    x = inner.norm(inner.conv(inner.input(*net.image(6, 7, 3)), 3, 4, 2, 3), 4, net.axis())
    x = inner.dense(inner.put("Flatten", x), 100, 5)
    a, b = net.input(*net.image(6, 7, 3)), net.input(*net.image(6, 7, 3))
    twin = net.model(inner, [x], a)
    net.again(twin, b)
    calls = [[twin, number, 0, {}] for number in (1, 2)]  # call 0 made the model
    net.layers.append(_entry("Subtract", "distance", {"name": "distance"}, [calls]))
    net.arrays["distance"] = {}
    return ["distance"]


def volumes(net: Net) -> list[str]:
    """Three axes of space: padded, cropped, repeated, convolved, pooled."""
    x = net.input(*net.image(7, 6, 5, 2))
    x = net.window("ZeroPadding3D", x, padding=[[1, 0], [0, 2], [1, 1]])  # 8 x 8 x 7
    x = net.conv(x, 2, 3, 2, 3, 2)  # 7 x 6 x 6
    x = net.window("MaxPooling3D", net.norm(x, 3, net.axis(3)), pool_size=[2, 1, 3])  # 3 x 6 x 2
    x = net.window("UpSampling3D", x, size=[2, 1, 4])  # 6 x 6 x 8
    x = net.window("Cropping3D", x, cropping=[[1, 0], [1, 1], [0, 1]])  # 5 x 4 x 7
    return [x, net.dense(net.put("Flatten", x), 420, 4), net.window("GlobalMaxPooling3D", x)]


MODELS: tuple[Callable[[Net], list[str]], ...] = (
    features_in_sequence,
    film,
    models_in_sequence,
    states_in_space,
    states_both_ways,
    local,
    into_space,
    permuted,
    merged,
    shared,
    volumes,
)
