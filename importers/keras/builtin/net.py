"""Writing an architecture down as a Keras configuration: layers by calls, in Keras' own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DataFormat = str
"""`channels_first` or `channels_last`."""

VERSION = "2.2.4"
"""Whose vocabulary the configurations are in."""

EPSILON = 1e-3
"""Of BatchNormalization where nothing else is said: Keras' default from 1.2 on, with which the
first files were published."""

SMALL_EPSILON = 1.001e-5
"""What DenseNet has, and ResNet as of 2019."""


class Net:
    """An architecture as it is written down.

    A layer that is given no name takes one as Keras counts them, `conv2d_7`: the published files
    call it by what its author's session had counted up to.

    Attributes:
        size: Extent of the images in pixels; None if any.
        counted: Names of the layers that took theirs by counting.
    """

    def __init__(self, name: str, data_format: DataFormat, size: int | None) -> None:
        self.name, self.data_format, self.size = name, data_format, size
        self.counted: set[str] = set()
        self._layers: dict[str, dict[str, Any]] = {}
        self._counts: dict[str, int] = {}
        shape = [3, size, size] if self.channels_first else [size, size, 3]
        self.input = self.add(
            "InputLayer", (), name="input_1", batch_input_shape=[None, *shape], dtype="float32"
        )

    @property
    def channels_first(self) -> bool:
        """Whether the channels come before space."""
        return self.data_format == "channels_first"

    @property
    def axis(self) -> int:
        """The axis of the channels."""
        return 1 if self.channels_first else 3

    def add(self, class_name: str, inputs: Sequence[str], *, name: str = "", **config: Any) -> str:
        """Append a layer; gives its name, which stands for its result."""
        if not name:
            prefix = PREFIXES.get(class_name, class_name.lower())
            self._counts[prefix] = number = self._counts.get(prefix, 0) + 1
            name = f"{prefix}_{number}"
            self.counted.add(name)
        nodes = [[[source, 0, 0, {}] for source in inputs]] if inputs else []
        self._layers[name] = {
            "class_name": class_name,
            "name": name,
            "config": {"name": name, **config},
            "inbound_nodes": nodes,
        }
        return name

    def conv(
        self,
        x: str,
        filters: int,
        kernel: int | tuple[int, int],
        *,
        name: str = "",
        strides: int = 1,
        padding: str = "same",
        bias: bool = True,
        activation: str = "linear",
    ) -> str:
        """Conv2D; one number is for both spatial axes."""
        return self.add(
            "Conv2D",
            (x,),
            name=name,
            filters=filters,
            kernel_size=_pair(kernel),
            strides=_pair(strides),
            padding=padding,
            data_format=self.data_format,
            dilation_rate=[1, 1],
            activation=activation,
            use_bias=bias,
        )

    def separable(self, x: str, filters: int, name: str) -> str:
        """SeparableConv2D of extent 3, without a bias."""
        return self.add(
            "SeparableConv2D",
            (x,),
            name=name,
            filters=filters,
            kernel_size=[3, 3],
            strides=[1, 1],
            padding="same",
            data_format=self.data_format,
            dilation_rate=[1, 1],
            depth_multiplier=1,
            activation="linear",
            use_bias=False,
        )

    def norm(self, x: str, name: str = "", *, scale: bool = True, epsilon: float = EPSILON) -> str:
        """BatchNormalization over the channels."""
        return self.add(
            "BatchNormalization",
            (x,),
            name=name,
            axis=self.axis,
            momentum=0.99,
            epsilon=epsilon,
            center=True,
            scale=scale,
        )

    def normed(self, x: str, prefix: str) -> str:
        """BatchNormalization and relu as DenseNet has them, and ResNet as of 2019."""
        return self.relu(self.norm(x, f"{prefix}bn", epsilon=SMALL_EPSILON), f"{prefix}relu")

    def pad(self, x: str, before: int, after: int, name: str = "") -> str:
        """ZeroPadding2D, of both spatial axes alike."""
        pads = [[before, after], [before, after]]
        return self.add(
            "ZeroPadding2D", (x,), name=name, padding=pads, data_format=self.data_format
        )

    def depthwise(self, x: str, name: str, *, strides: int = 1, padding: str = "same") -> str:
        """DepthwiseConv2D of extent 3, without a bias."""
        return self.add(
            "DepthwiseConv2D",
            (x,),
            name=name,
            kernel_size=[3, 3],
            strides=[strides, strides],
            padding=padding,
            data_format=self.data_format,
            depth_multiplier=1,
            activation="linear",
            use_bias=False,
        )

    def relu(self, x: str, name: str = "") -> str:
        """Activation relu."""
        return self.add("Activation", (x,), name=name, activation="relu")

    def pool(
        self, kind: str, x: str, size: int, strides: int, padding: str = "valid", name: str = ""
    ) -> str:
        """MaxPooling2D or AveragePooling2D: `kind` is `Max` or `Average`."""
        return self.add(
            f"{kind}Pooling2D",
            (x,),
            name=name,
            pool_size=_pair(size),
            strides=_pair(strides),
            padding=padding,
            data_format=self.data_format,
        )

    def average(self, x: str, name: str = "") -> str:
        """GlobalAveragePooling2D."""
        return self.add("GlobalAveragePooling2D", (x,), name=name, data_format=self.data_format)

    def flat(self, x: str, name: str = "") -> str:
        """Flatten in the order that it sees, as before Keras 2.2: its config has no data format."""
        return self.add("Flatten", (x,), name=name)

    def dense(self, x: str, units: int, name: str, activation: str) -> str:
        """Dense with a bias."""
        return self.add("Dense", (x,), name=name, units=units, activation=activation, use_bias=True)

    def config(self, output: str) -> dict[str, Any]:
        """The configuration of the model that ends in a layer.

        Returns:
            What the attribute `model_config` holds, JSON parsed; the layers in Keras' order.
        """
        return {
            "class_name": "Model",
            "keras_version": VERSION,
            "config": {
                "name": self.name,
                "layers": in_keras_order(self._layers, output),
                "input_layers": [[self.input, 0, 0]],
                "output_layers": [[output, 0, 0]],
            },
        }


PREFIXES: Mapping[str, str] = {
    "Conv2D": "conv2d",
    "BatchNormalization": "batch_normalization",
    "MaxPooling2D": "max_pooling2d",
    "AveragePooling2D": "average_pooling2d",
    "GlobalAveragePooling2D": "global_average_pooling2d",
    "ZeroPadding2D": "zero_padding2d",
}
"""What Keras 2 counts layers of a class as; of others, the class in lower case."""


def _pair(value: int | tuple[int, int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


def in_keras_order(layers: Mapping[str, dict[str, Any]], output: str) -> list[dict[str, Any]]:
    """Layers in the order in which Keras keeps them, and a file its weights.

    By their distance from the output, the farthest first; those at one distance as they are met on
    the way back from the output, each layer before its inputs, these in the order of their place
    (Keras 1.2.2 `engine/topology.py`, `Container.__init__`; the same in Keras 2).
    """
    met: dict[str, int] = {}
    todo = [output]
    while todo:
        name = todo.pop()
        if name not in met:
            met[name] = len(met)
            todo += reversed(_inputs(layers[name]))
    distance = dict.fromkeys(met, 0)
    for name in reversed(list(layers)):  # written down behind their inputs
        for source in _inputs(layers[name]) if name in met else ():
            distance[source] = max(distance[source], distance[name] + 1)
    return [layers[name] for name in sorted(met, key=lambda name: (-distance[name], met[name]))]


def _inputs(layer: Mapping[str, Any]) -> list[str]:
    return [ref[0] for node in layer["inbound_nodes"] for ref in node]
