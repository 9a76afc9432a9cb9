"""The moves of the random models: each adds a layer or a few to what is there.

A move is given the generator and one value, picks the rest, and answers the values it made; it may
answer none, or fail where Keras would refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .builder import Tensor

if TYPE_CHECKING:
    from .generate import Generator

Move = Callable[["Generator", Tensor], "list[Tensor]"]
MOVES: list[Move] = []
"""Each as often as it shall come up."""


class Refused(Exception):  # ruff: ignore[error-suffix-on-exception-name] - no error: the move does not apply here
    """The move does not apply to the value that it was given."""


def move(times: int) -> Callable[[Move], Move]:
    def register(function: Move) -> Move:
        MOVES.extend([function] * times)
        return function

    return register


def require(condition: object) -> None:
    if not condition:
        raise Refused


@move(3)
def activation(g: Generator, x: Tensor) -> list[Tensor]:
    name = g.choice(["tanh", "relu", "softmax", "sigmoid", "elu", "softsign", "hard_sigmoid"])
    return [g.add("Activation", x, activation=name)]


@move(2)
def advanced_activation(g: Generator, x: Tensor) -> list[Tensor]:
    axis = g.integer(1, len(x.shape))
    config: dict[str, dict[str, Any]] = {
        "LeakyReLU": {"alpha": 0.25},
        "ELU": {"alpha": 0.75},
        "ThresholdedReLU": {"theta": 0.25},
        "ReLU": {"max_value": 1.5, "negative_slope": 0.125, "threshold": 0.25},
        "Softmax": {"axis": g.choice([axis, axis - len(x.shape) - 1])},
    }
    name = g.choice(list(config))
    return [g.add(name, x, **config[name])]


@move(2)
def prelu(g: Generator, x: Tensor) -> list[Tensor]:
    """Any span of the input, not just whole spatial maps."""
    shared = [axis for axis in range(1, len(x.shape) + 1) if g.chance(0.4)]
    return [g.add("PReLU", x, shared_axes=shared or None)]


@move(3)
def batch_normalization(g: Generator, x: Tensor) -> list[Tensor]:
    axis = g.integer(1, len(x.shape))
    config = {"axis": g.choice([axis, axis - len(x.shape) - 1]), "trainable": g.chance(0.8)}
    return [g.add("BatchNormalization", x, **config, scale=g.chance(0.8), center=g.chance(0.8))]


@move(1)
def dropout(g: Generator, x: Tensor) -> list[Tensor]:
    return [g.add("Dropout", x, rate=0.5)]


@move(4)
def dense(g: Generator, x: Tensor) -> list[Tensor]:
    """On the last axis, whatever the rank; often as wide as something to meet again later."""
    require(x.shape[-1] <= 200)
    wide = g.choice([value.size for value in g.values if value.size <= 150] or [24])
    units = g.choice([2, 3, 4, 5, 6, 24, 60, wide, wide])
    return [
        g.add(
            "Dense",
            x,
            units=units,
            use_bias=g.chance(0.8),
            activation=g.choice(["linear", "linear", "tanh"]),
            trainable=g.chance(0.9),
        )
    ]


@move(3)
def flatten(g: Generator, x: Tensor) -> list[Tensor]:
    require(len(x.shape) > 1)
    return [g.add("Flatten", x, data_format=g.data_format())]


def factors(g: Generator, number: int) -> list[int]:
    """A random ordered factorization."""
    found = []
    while number > 1:
        found.append(g.choice([d for d in range(2, number + 1) if number % d == 0]))
        number //= found[-1]
    return g.shuffled(found)


@move(4)
def reshape(g: Generator, x: Tensor) -> list[Tensor]:
    """To an earlier shape, or to any other; sometimes with axes of size 1, sometimes with a -1."""
    earlier = [list(value.shape) for value in g.values if value.size == x.size]
    target = g.choice(earlier) if earlier and g.chance(0.4) else factors(g, x.size)
    while len(target) > 4 or (len(target) > 1 and g.chance(0.25)):
        at = g.integer(0, len(target) - 2)
        target[at : at + 2] = [target[at] * target[at + 1]]
    while len(target) < 4 and g.chance(0.2):
        target.insert(g.integer(0, len(target)), 1)
    require(target)
    if g.chance(0.2):
        target[g.integer(0, len(target) - 1)] = -1
    return [g.add("Reshape", x, target_shape=target)]


@move(3)
def permute(g: Generator, x: Tensor) -> list[Tensor]:
    require(len(x.shape) > 1)
    return [g.add("Permute", x, dims=g.shuffled(range(1, len(x.shape) + 1)))]


def convolution_options(g: Generator, rank: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "kernel_size": [g.choice([1, 2, 3, 3]) for _ in range(rank)],
        "padding": g.choice(["same", "valid"]),
        "use_bias": g.chance(0.8),
        "activation": g.choice(["linear", "linear", "tanh"]),
    }
    if g.chance(0.25):
        options[g.choice(["strides", "dilation_rate"])] = 2
    if rank > 1:
        options["data_format"] = g.data_format()
    return options


@move(7)
def convolution(g: Generator, x: Tensor) -> list[Tensor]:
    rank = len(x.shape) - 1
    require(1 <= rank <= 3)
    options = convolution_options(g, rank)
    if rank == 1 and g.chance(0.3):
        options["padding"] = "causal"
    return [g.add(f"Conv{rank}D", x, filters=g.integer(2, 5), **options)]


@move(3)
def block(g: Generator, x: Tensor) -> list[Tensor]:
    """Convolution, normalization, activation and pooling, as most networks have them."""
    require(len(x.shape) == 3)
    layout = g.data_format()
    axis = 1 if layout == "channels_first" else -1
    (y,) = convolution(g, x)
    y = g.add("BatchNormalization", y, axis=axis) if g.chance(0.5) else y
    y = g.add("Activation", y, activation=g.choice(["relu", "tanh"])) if g.chance(0.5) else y
    return [g.add("MaxPooling2D", y, data_format=layout) if g.chance(0.5) else y]


@move(3)
def head(g: Generator, x: Tensor) -> list[Tensor]:
    """A Flatten and a Dense: where orders matter most."""
    require(len(x.shape) > 1 and x.size <= 200)
    y = g.add("Flatten", x, data_format=g.choice([g.data_format(), "channels_last"]))
    y = g.add("BatchNormalization", y) if g.chance(0.3) else y
    return [g.add("Dense", y, units=g.integer(2, 6))]


@move(2)
def separable_convolution(g: Generator, x: Tensor) -> list[Tensor]:
    rank = len(x.shape) - 1
    require(1 <= rank <= 2)
    options = convolution_options(g, rank) | {"depth_multiplier": g.integer(1, 2)}
    if rank == 2 and g.chance(0.5):
        return [g.add("DepthwiseConv2D", x, **options)]
    if options["padding"] == "same":  # Theano does not keep the size with an even window
        options["kernel_size"] = [g.choice([1, 3]) for _ in range(rank)]
    return [g.add(f"SeparableConv{rank}D", x, filters=g.integer(2, 5), **options)]


@move(1)
def transposed_convolution(g: Generator, x: Tensor) -> list[Tensor]:
    """Theano refuses an even kernel with 'same'."""
    rank = len(x.shape) - 1
    require(2 <= rank <= 3)
    options = convolution_options(g, rank)
    options.pop("dilation_rate", None)
    if options["padding"] == "same":
        options["kernel_size"] = [g.choice([1, 3]) for _ in range(rank)]
    return [g.add(f"Conv{rank}DTranspose", x, filters=g.integer(2, 4), **options)]


def format_of(g: Generator, rank: int) -> dict[str, Any]:
    return {"data_format": g.data_format()} if rank > 1 else {}


@move(3)
def pooling(g: Generator, x: Tensor) -> list[Tensor]:
    rank = len(x.shape) - 1
    require(1 <= rank <= 3)
    kind = g.choice(["Max", "Average"])
    size = [g.choice([2, 2, 3]) for _ in range(rank)]
    config = {"pool_size": size, "padding": g.choice(["same", "valid"]), **format_of(g, rank)}
    if g.chance(0.4):
        config["strides"] = [g.integer(1, 2) for _ in range(rank)]
    return [g.add(f"{kind}Pooling{rank}D", x, **config)]


@move(2)
def global_pooling(g: Generator, x: Tensor) -> list[Tensor]:
    rank = len(x.shape) - 1
    require(1 <= rank <= 3)
    name = g.choice(["GlobalMax", "GlobalAverage"])
    return [g.add(f"{name}Pooling{rank}D", x, **format_of(g, rank))]


@move(2)
def padding_or_cropping(g: Generator, x: Tensor) -> list[Tensor]:
    rank = len(x.shape) - 1
    require(1 <= rank <= 3)
    edges = [[g.integer(0, 2), g.integer(0, 1)] for _ in range(rank)]
    name, key = g.choice([("ZeroPadding", "padding"), ("Cropping", "cropping")])
    config = {key: edges if rank > 1 else edges[0], **format_of(g, rank)}
    return [g.add(f"{name}{rank}D", x, **config)]


@move(2)
def up_sampling(g: Generator, x: Tensor) -> list[Tensor]:
    rank = len(x.shape) - 1
    require(1 <= rank <= 3 and x.size < 100)
    size: Any = [g.integer(1, 2) for _ in range(rank)] if rank > 1 else 2
    return [g.add(f"UpSampling{rank}D", x, size=size, **format_of(g, rank))]


@move(2)
def repeat_vector(g: Generator, x: Tensor) -> list[Tensor]:
    require(len(x.shape) == 1 and x.size <= 100)
    return [g.add("RepeatVector", x, n=g.integer(2, 4))]


@move(1)
def recurrent(g: Generator, x: Tensor) -> list[Tensor]:
    require(len(x.shape) == 2 and x.shape[0] <= 12 and x.shape[1] <= 60)
    sequences = g.chance(0.6)
    return [g.add("LSTM", x, units=g.integer(2, 5), return_sequences=sequences)]
