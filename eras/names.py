"""What was called what: classes, keys and words of each era in the vocabulary of Keras 2.

Sources: Keras 2.3.1 `keras/legacy/interfaces.py` and `keras/legacy/layers.py`; the configurations
in genuine files of Keras 1.2.2, tf-keras 2.21 and Keras 3.15; the constructors of the last two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .values import (
    IMPLEMENTATIONS,
    constraint,
    dtype,
    finite,
    initializer,
    listed,
    padding1d,
    padding2d,
    padding3d,
    regularizer,
    scalar,
    unquantised,
)


class Layer(msgspec.Struct, frozen=True):
    """Rules for one class, applied in this order.

    Attributes:
        gather: New key from several old ones, as a list.
        rename: Old key to new.
        words: New words for a key's old ones.
        convert: A function for a key whose value has another form.
        drop: Keys that say nothing any more.
        dimensions: Where each dimension of the stored kernel is in Keras 2, by data format (-1:
            gone); constraints count dimensions.
    """

    gather: Mapping[str, tuple[str, ...]] = {}
    rename: Mapping[str, str] = {}
    words: Mapping[str, Mapping[str, Any]] = {}
    convert: Mapping[str, Callable[[Any], Any]] = {}
    drop: tuple[str, ...] = ()
    dimensions: Mapping[str, tuple[int, ...]] = {}


Eras = Mapping[str, Mapping[str, Any]]

ORDERINGS = {"th": "channels_first", "tf": "channels_last"}
_WEIGHTED = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_INITIALIZED = {"kernel_initializer": initializer}
_CONSTRAINED = dict.fromkeys(
    ("W_constraint", "b_constraint", "beta_constraint", "gamma_constraint"), constraint
)
_REGULARIZED = {"kernel_regularizer": regularizer, "bias_regularizer": regularizer}
_CONV = {"nb_filter": "filters", "subsample": "strides", "border_mode": "padding"}
_RECURRENT = {
    "output_dim": "units",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "consume_less": "implementation",
}

_conv2d = Layer(
    gather={"kernel_size": ("nb_row", "nb_col")},
    rename={**_WEIGHTED, **_CONV, "atrous_rate": "dilation_rate", "dim_ordering": "data_format"},
    words={"data_format": ORDERINGS},
    convert={**_INITIALIZED, **_REGULARIZED},
    dimensions={"channels_first": (3, 2, 0, 1)},
)
_conv1d = Layer(
    rename={
        **_WEIGHTED,
        **_CONV,
        "filter_length": "kernel_size",
        "subsample_length": "strides",
        "atrous_rate": "dilation_rate",
    },
    convert={
        **_INITIALIZED,
        **_REGULARIZED,
        **dict.fromkeys(("kernel_size", "strides", "dilation_rate"), listed),
    },
    dimensions={"channels_last": (0, -1, 1, 2)},
)
_conv3d = Layer(
    gather={"kernel_size": ("kernel_dim1", "kernel_dim2", "kernel_dim3")},
    rename={**_WEIGHTED, **_CONV, "dim_ordering": "data_format"},
    words={"data_format": ORDERINGS},
    convert={**_INITIALIZED, **_REGULARIZED},
    dimensions={"channels_first": (4, 3, 0, 1, 2)},
)
_pool = Layer(
    rename={"border_mode": "padding", "dim_ordering": "data_format"},
    words={"data_format": ORDERINGS},
)
_pool1d = Layer(
    rename={"border_mode": "padding", "pool_length": "pool_size", "stride": "strides"},
    convert=dict.fromkeys(("pool_size", "strides"), listed),
)
_spatial = Layer(rename={"dim_ordering": "data_format"}, words={"data_format": ORDERINGS})
_dense = Layer(
    rename={**_WEIGHTED, "output_dim": "units"}, convert={**_INITIALIZED, **_REGULARIZED}
)
_noise = Layer(
    rename={"p": "rate", "sigma": "stddev", "dim_ordering": "data_format"},
    words={"data_format": ORDERINGS},
)
_recurrent = Layer(
    rename=_RECURRENT,
    words={"implementation": IMPLEMENTATIONS},
    convert={
        "kernel_initializer": initializer,
        "recurrent_initializer": initializer,
        "kernel_regularizer": regularizer,
        "recurrent_regularizer": regularizer,
        "bias_regularizer": regularizer,
    },
)

EVERYWHERE: Mapping[str, Layer] = {
    "keras1": Layer(
        rename={"input_dtype": "dtype"},
        convert={"activity_regularizer": regularizer, **_CONSTRAINED},
    ),
    "keras2": Layer(),
    "tf_keras": Layer(convert={"dtype": dtype}),
    "keras3": Layer(
        rename={"batch_shape": "batch_input_shape"},
        convert={"dtype": dtype, "quantization_config": unquantised},
        drop=("quantization_config",),
    ),
}
"""Rules for layers of every class."""

OLD_NAMES: Mapping[str, str] = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
    "Deconv2D": "Conv2DTranspose",
    "Deconv3D": "Conv3DTranspose",
    **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
    **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
}
"""Names that Keras 2 and later versions read, as aliases or as layers of their own."""

OF_FEATURES: Mapping[str, str] = {"TFDConcat": "Concatenate", "TFDIdentity": "Identity"}
"""Layers that a FeatureSpace makes, and whose they are (Keras 3.15
`layers/preprocessing/feature_space.py`)."""

CLASSES: Mapping[str, Mapping[str, str]] = {
    "keras1": {
        "Convolution1D": "Conv1D",
        "Convolution2D": "Conv2D",
        "Convolution3D": "Conv3D",
        "AtrousConvolution1D": "Conv1D",
        "AtrousConvolution2D": "Conv2D",
        "AtrousConv1D": "Conv1D",
        "AtrousConv2D": "Conv2D",
        "Deconvolution2D": "Conv2DTranspose",
        "Deconv2D": "Conv2DTranspose",
        "SeparableConvolution2D": "SeparableConv2D",
    },
    "keras2": OLD_NAMES,
    "tf_keras": OLD_NAMES,
    "keras3": {**OLD_NAMES, **OF_FEATURES},
}
"""Old class name to new."""

_SLOPES: Mapping[str, Layer] = {
    "LeakyReLU": Layer(rename={"negative_slope": "alpha"}, convert={"alpha": scalar}),
    "ELU": Layer(convert={"alpha": scalar}),
    "ThresholdedReLU": Layer(convert={"theta": scalar}),
}

LAYERS: Mapping[str, Mapping[str, Layer]] = {
    "keras1": {
        "Convolution1D": _conv1d,
        **dict.fromkeys(["Conv1D", "AtrousConv1D"], _conv1d),
        **dict.fromkeys(["Conv2D", "AtrousConv2D", "Deconv2D"], _conv2d),
        "Conv3D": _conv3d,
        "AtrousConvolution1D": _conv1d,
        "Convolution2D": _conv2d,
        "AtrousConvolution2D": _conv2d,
        "Deconvolution2D": _conv2d,
        "SeparableConvolution2D": Layer(
            gather=_conv2d.gather,
            rename={**_conv2d.rename, "init": "depthwise_initializer"},
            words=_conv2d.words,
            convert={
                "depthwise_initializer": initializer,
                "depthwise_regularizer": regularizer,
                "pointwise_regularizer": regularizer,
                "bias_regularizer": regularizer,
                "depthwise_constraint": constraint,
                "pointwise_constraint": constraint,
            },
        ),
        "LocallyConnected1D": _conv1d,
        "LocallyConnected2D": _conv2d,
        "Convolution3D": _conv3d,
        **dict.fromkeys(
            [f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (2, 3)], _pool
        ),
        **dict.fromkeys(["MaxPooling1D", "AveragePooling1D"], _pool1d),
        **dict.fromkeys(
            [f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)],
            _spatial,
        ),
        **dict.fromkeys(["Cropping1D", "Cropping2D", "Cropping3D"], _spatial),
        "ZeroPadding1D": Layer(convert={"padding": padding1d}),
        "ZeroPadding2D": Layer(
            rename=_spatial.rename, words=_spatial.words, convert={"padding": padding2d}
        ),
        "ZeroPadding3D": Layer(
            rename=_spatial.rename, words=_spatial.words, convert={"padding": padding3d}
        ),
        "UpSampling1D": Layer(rename={"length": "size"}),
        "UpSampling2D": _spatial,
        "UpSampling3D": _spatial,
        **dict.fromkeys(["Dense", "TimeDistributedDense", "Highway", "MaxoutDense"], _dense),
        "ConvLSTM2D": Layer(
            gather=_conv2d.gather,
            rename={**_recurrent.rename, **_conv2d.rename},
            words=_conv2d.words,
            convert=_recurrent.convert,
        ),
        "BatchNormalization": Layer(
            rename={"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
            convert={"gamma_regularizer": regularizer, "beta_regularizer": regularizer},
        ),
        **dict.fromkeys(
            [
                "Dropout",
                "SpatialDropout1D",
                "SpatialDropout2D",
                "SpatialDropout3D",
                "GaussianDropout",
                "GaussianNoise",
            ],
            _noise,
        ),
        "Embedding": Layer(
            rename={
                "init": "embeddings_initializer",
                "W_regularizer": "embeddings_regularizer",
                "W_constraint": "embeddings_constraint",
            },
            convert={"embeddings_initializer": initializer, "embeddings_regularizer": regularizer},
        ),
        **dict.fromkeys(["SimpleRNN", "GRU", "LSTM"], _recurrent),
        "PReLU": Layer(
            rename={"init": "alpha_initializer"}, convert={"alpha_initializer": initializer}
        ),
        "LeakyReLU": Layer(convert={"alpha": scalar}),
        "ELU": Layer(convert={"alpha": scalar}),
        "ThresholdedReLU": Layer(convert={"theta": scalar}),
    },
    "keras2": {
        **_SLOPES,
        # kept as they were: Keras 2.2.4 `legacy/layers.py`
        **dict.fromkeys(["Highway", "MaxoutDense"], _dense),
    },
    "tf_keras": {
        **_SLOPES,
        # TensorFlow 2.3 to 2.5, with an infinite one behind the others
        "Discretization": Layer(
            rename={"bins": "bin_boundaries"}, convert={"bin_boundaries": finite}
        ),
    },
    "keras3": _SLOPES,
}
"""Rules per stored class."""

_NORMALIZED: Mapping[str, Any] = {"epsilon": 1e-3, "momentum": 0.99, "axis": -1}
_CUDNN: Mapping[str, Mapping[str, Any]] = {
    # what cuDNN computes, which its layers do not state (Keras 2.2.4 `cudnn_recurrent.py`)
    "CuDNNLSTM": {"recurrent_activation": "sigmoid", "activation": "tanh"},
    "CuDNNGRU": {"recurrent_activation": "sigmoid", "activation": "tanh", "reset_after": True},
}
_HARD: Mapping[str, Any] = {"recurrent_activation": "hard_sigmoid", "activation": "tanh"}
_SMOOTH: Mapping[str, Any] = {"recurrent_activation": "sigmoid", "activation": "tanh"}
_OLD_GATED = dict.fromkeys(["LSTM", "GRU", "ConvLSTM2D"], _HARD)
_NEW_GATED = {"LSTM": _SMOOTH, "GRU": {**_SMOOTH, "reset_after": True}}
_CONV_LSTMS = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")

DEFAULTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "keras1": {
        "BatchNormalization": {**_NORMALIZED, "mode": 0},
        "Conv1D": {"data_format": "channels_last"},
        **_OLD_GATED,
    },
    "keras2": {
        "BatchNormalization": _NORMALIZED,
        **_OLD_GATED,
        **_CUDNN,
    },
    "tf_keras": {
        "BatchNormalization": _NORMALIZED,
        **_CUDNN,
        **_NEW_GATED,
        **dict.fromkeys(_CONV_LSTMS, _HARD),
    },
    "keras3": {
        "BatchNormalization": _NORMALIZED,
        **_NEW_GATED,
        **dict.fromkeys(_CONV_LSTMS, _SMOOTH),
    },
}
"""What an absent key meant, per class, the stored one first: only where eras disagree or a
translator needs it."""
