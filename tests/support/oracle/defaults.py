"""Layer configs as Keras 2.2.4 writes them, every key, so that a file made from them looks genuine.

The keys and defaults are those of the genuine files of that version; those of the few classes that
no genuine file holds follow `get_config` of the same version.
"""

from __future__ import annotations

import re
from copy import deepcopy

from .layer import Config

ZEROS: Config = {"class_name": "Zeros", "config": {}}
ONES: Config = {"class_name": "Ones", "config": {}}
GLOROT: Config = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}
ORTHOGONAL: Config = {"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": None}}
UNIFORM: Config = {
    "class_name": "RandomUniform",
    "config": {"minval": -0.05, "maxval": 0.05, "seed": None},
}


def variable(*names: str, of: Config) -> Config:
    """The keys that go with weights: how they start, what holds them back."""
    keys: Config = {}
    for name in names:
        keys |= {f"{name}_initializer": of, f"{name}_regularizer": None, f"{name}_constraint": None}
    return keys


BIAS: Config = {"use_bias": True, **variable("bias", of=ZEROS), "activity_regularizer": None}
WEIGHTED: Config = {"activation": "linear", **BIAS, **variable("kernel", of=GLOROT)}


def convolution(weighted: Config, **more: object) -> Config:
    return {
        "strides": 1,
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": 1,
        **weighted,
        **more,
    }


def recurrent(**more: object) -> Config:
    return {
        "return_sequences": False,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        **WEIGHTED,
        **variable("recurrent", of=ORTHOGONAL),
        "activation": "tanh",
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        **more,
    }


def spatial(**keys: object) -> Config:
    return {**keys, "data_format": "channels_last"}


DEPTHWISE: Config = {
    "activation": "linear",
    **BIAS,
    "depth_multiplier": 1,
    **variable("depthwise", of=GLOROT),
}
SEPARABLE: Config = {**DEPTHWISE, **variable("pointwise", of=GLOROT)}
GATED: Config = {"recurrent_activation": "hard_sigmoid", "implementation": 1}

CONFIGS: dict[str, Config] = {
    "Dense": WEIGHTED,
    "Embedding": {
        **variable("embeddings", of=UNIFORM),
        "activity_regularizer": None,
        "mask_zero": False,
        "input_length": None,
    },
    "BatchNormalization": {
        "axis": -1,
        "momentum": 0.99,
        "epsilon": 0.001,
        "center": True,
        "scale": True,
        **variable("beta", of=ZEROS),
        **variable("gamma", of=ONES),
        "moving_mean_initializer": ZEROS,
        "moving_variance_initializer": ONES,
    },
    "PReLU": {**variable("alpha", of=ZEROS), "shared_axes": None},
    "LeakyReLU": {"alpha": 0.30000001192092896},
    "ELU": {"alpha": 1.0},
    "ThresholdedReLU": {"theta": 1.0},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "Softmax": {"axis": -1},
    "Flatten": {"data_format": "channels_last"},
    "Concatenate": {"axis": -1},
    "Dot": {"normalize": False},
    "Masking": {"mask_value": 0.0},
    "Dropout": {"noise_shape": None, "seed": None},
    "Bidirectional": {"merge_mode": "concat"},
    "SimpleRNN": recurrent(),
    "GRU": recurrent(**GATED, reset_after=False),
    "LSTM": recurrent(**GATED, unit_forget_bias=True),
    "ConvLSTM2D": convolution(recurrent(**GATED, unit_forget_bias=True)),
    "Conv2DTranspose": convolution(WEIGHTED, output_padding=None),
    "Conv3DTranspose": convolution(WEIGHTED, output_padding=None),
    "DepthwiseConv2D": convolution(DEPTHWISE),
    "SeparableConv1D": convolution(SEPARABLE),
    "SeparableConv2D": convolution(SEPARABLE),
    "UpSampling1D": {"size": 2},
    "UpSampling2D": spatial(size=2, interpolation="nearest"),
    "UpSampling3D": spatial(size=2),
    "ZeroPadding1D": {"padding": [1, 1]},
    "Cropping1D": {"cropping": [1, 1]},
    "GlobalAveragePooling1D": {"data_format": "channels_last"},
    "GlobalMaxPooling1D": {"data_format": "channels_last"},
}
for _rank in (1, 2, 3):
    CONFIGS[f"Conv{_rank}D"] = convolution(WEIGHTED)
    for _kind in ("Max", "Average"):
        CONFIGS[f"{_kind}Pooling{_rank}D"] = spatial(pool_size=2, strides=None, padding="valid")
        CONFIGS[f"Global{_kind}Pooling{_rank}D"] = {"data_format": "channels_last"}
for _rank in (2, 3):
    CONFIGS[f"ZeroPadding{_rank}D"] = spatial(padding=1)
    CONFIGS[f"Cropping{_rank}D"] = spatial(cropping=1)

REQUIRED = frozenset({
    "activation", "axes", "cropping", "dims", "filters", "input_dim", "kernel_size", "l1", "l2",
    "layer", "n", "output_dim", "padding", "rate", "size", "stddev", "target_shape", "units",
})  # fmt: skip
"""Keys without a default, of whatever class."""


def spatial_rank(class_name: str) -> int:
    """How many axes the options of a class speak of; 0 if of none."""
    found = re.search(r"([123])D", class_name)
    return int(found[1]) if found else 0


def full_config(class_name: str, name: str, data_format: str, given: Config) -> Config:
    """The whole config of a layer: what is given, completed and spelt out as Keras 2.2.4 does.

    Args:
        class_name: of Keras 2.
        name: of the layer.
        data_format: for a class that has one, unless given; one-dimensional ones never follow it.
        given: what differs from the defaults; a number for a list of equal ones is well.
    """
    config = deepcopy(CONFIGS.get(class_name, {}))
    unknown = given.keys() - config.keys() - REQUIRED - {"trainable"}
    assert not unknown, f"{class_name} has no {sorted(unknown)}"
    rank = spatial_rank(class_name)
    if "data_format" in config and rank != 1:
        config["data_format"] = data_format
    config = {"name": name, "trainable": True} | config | deepcopy(given)
    if "pool_size" in config and config["strides"] is None:
        config["strides"] = config["pool_size"]
    for key in ("kernel_size", "strides", "dilation_rate", "pool_size", "size"):
        if key in config and class_name != "UpSampling1D":
            config[key] = per_axis(config[key], rank)
    for key in ("padding", "cropping"):
        if not isinstance(config.get(key, ""), str):
            config[key] = edge_pairs(config[key], rank)
    return config


def edge_pairs(found: object, rank: int) -> list[object]:
    """Before and after, per axis; a one-dimensional class has the bare pair."""
    return (
        per_axis(found, 2) if rank == 1 else [per_axis(pair, 2) for pair in per_axis(found, rank)]
    )


def per_axis(found: object, rank: int) -> list[object]:
    return list(found) if isinstance(found, list | tuple) else [found] * rank
