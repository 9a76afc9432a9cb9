"""The classes of Keras 2 and their keys, as all versions from 2.2.3 on and Keras 3 read them.

Sources: the constructors of Keras 2.2.4, 2.3.1, tf-keras 2.21 and Keras 3.15, and genuine files of
each.
"""

from __future__ import annotations

from collections.abc import Mapping

from ....eras.operations import TENSORFLOW
from .records import Dialect, Functions, Keys, Known
from .tf_keras import TF_KERAS

_KERNEL: Keys = (
    "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
    "activity_regularizer", "kernel_constraint", "bias_constraint",
)  # fmt: skip
_RECURRENT: Keys = (
    *_KERNEL, "recurrent_initializer", "recurrent_regularizer", "recurrent_constraint",
    "dropout", "recurrent_dropout", "unroll", "implementation",
)  # fmt: skip
_STEPS: Keys = (
    "units", "activation", "use_bias", "return_sequences", "return_state", "go_backwards",
    "stateful", "time_major",
)  # fmt: skip
_POINTWISE: Keys = (
    "depthwise_initializer", "pointwise_initializer", "bias_initializer",
    "depthwise_regularizer", "pointwise_regularizer", "bias_regularizer", "activity_regularizer",
    "depthwise_constraint", "pointwise_constraint", "bias_constraint",
)  # fmt: skip
_DEPTHWISE: Keys = (
    "depthwise_initializer", "bias_initializer", "depthwise_regularizer", "bias_regularizer",
    "activity_regularizer", "depthwise_constraint", "bias_constraint",
)  # fmt: skip
_WINDOW: Keys = ("kernel_size", "strides", "padding", "data_format", "use_bias", "activation")
_CONV = Known(("filters", "dilation_rate", "groups", *_WINDOW), _KERNEL, {"groups": "tf.keras 2.3"})
_SEPARABLE = Known(("filters", "depth_multiplier", "dilation_rate", "groups", *_WINDOW), _POINTWISE)
_POOL = Known(("pool_size", "strides", "padding", "data_format"))
_GLOBAL = Known(("data_format", "keepdims"))
_LOCAL = Known(("filters", "implementation", *_WINDOW), _KERNEL, {}, "Keras 3")
_SPATIAL_DROPOUT = Known(("noise_shape", "data_format"), ("rate",), unsaid=("trainable",))
_MERGE = Known()

CLASSES: Mapping[str, Known] = {
    "InputLayer": Known(("batch_input_shape", "sparse", "ragged", "optional")),
    "Dense": Known(("units", "use_bias", "activation"), _KERNEL),
    "Conv1D": _CONV,
    "Conv2D": _CONV,
    "Conv3D": _CONV,
    "SeparableConv1D": _SEPARABLE,
    "SeparableConv2D": _SEPARABLE,
    "DepthwiseConv2D": Known(
        ("depth_multiplier", "filters", "dilation_rate", "groups", *_WINDOW),
        _DEPTHWISE,
    ),
    "Conv2DTranspose": Known(
        ("filters", "output_padding", "output_shape", "dilation_rate", "groups", *_WINDOW),
        _KERNEL,
    ),
    "Conv3DTranspose": Known(
        ("filters", "output_padding", "dilation_rate", "groups", *_WINDOW),
        _KERNEL,
        {"dilation_rate": "tf.keras 2.3"},
    ),
    "LocallyConnected1D": _LOCAL,
    "LocallyConnected2D": _LOCAL,
    **{f"{kind}Pooling{n}D": _POOL for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": _GLOBAL for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": Known(("padding", "data_format")) for n in (1, 2, 3)},
    **{f"Cropping{n}D": Known(("cropping", "data_format")) for n in (1, 2, 3)},
    **{f"UpSampling{n}D": Known(("size", "data_format", "interpolation")) for n in (1, 2, 3)},
    "BatchNormalization": Known(
        ("axis", "epsilon", "center", "scale", "mode"),
        (
            "momentum", "beta_initializer", "gamma_initializer", "moving_mean_initializer",
            "moving_variance_initializer", "beta_regularizer", "gamma_regularizer",
            "beta_constraint", "gamma_constraint",
        ),
    ),
    "Activation": Known(("activation",)),
    "Softmax": Known(("axis",)),
    "ReLU": Known(("max_value", "negative_slope", "threshold")),
    "LeakyReLU": Known(("alpha",)),
    "ELU": Known(("alpha",)),
    "ThresholdedReLU": Known(("theta",), (), {}, "Keras 3"),
    "PReLU": Known(
        ("shared_axes",), ("alpha_initializer", "alpha_regularizer", "alpha_constraint")
    ),
    "Dropout": Known(("noise_shape",), ("rate", "seed")),
    "AlphaDropout": Known(("noise_shape",), ("rate", "seed")),
    "SpatialDropout1D": Known(("noise_shape",), ("rate",), unsaid=("trainable",)),
    "SpatialDropout2D": _SPATIAL_DROPOUT,
    "SpatialDropout3D": _SPATIAL_DROPOUT,
    "GaussianNoise": Known((), ("stddev",)),
    "GaussianDropout": Known((), ("rate",)),
    "ActivityRegularization": Known((), ("l1", "l2")),
    "Flatten": Known(("data_format",)),
    "Reshape": Known(("target_shape",)),
    "Permute": Known(("dims",)),
    "RepeatVector": Known(("n",)),
    "Embedding": Known(
        ("input_dim", "output_dim", "mask_zero"),
        (
            "embeddings_initializer", "embeddings_regularizer", "activity_regularizer",
            "embeddings_constraint", "input_length",
        ),
    ),
    "Masking": Known(("mask_value",)),
    "SimpleRNN": Known(("implementation", *_STEPS), _RECURRENT[:-1]),
    "GRU": Known(("recurrent_activation", "reset_after", *_STEPS), _RECURRENT),
    "LSTM": Known(("recurrent_activation", *_STEPS), (*_RECURRENT, "unit_forget_bias")),
    "ConvLSTM2D": Known(
        (
            "filters", "dilation_rate", "recurrent_activation", "unroll", "implementation",
            *_WINDOW, *_STEPS[1:],
        ),
        (*_RECURRENT[:-2], "unit_forget_bias"),
        {"return_state": "tf.keras 1.13"},
    ),
    "Bidirectional": Known(("layer", "merge_mode", "num_constants")),
    **dict.fromkeys(
        ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _MERGE
    ),
    "Concatenate": Known(("axis",)),
    "Dot": Known(("axes", "normalize")),
    "TimeDistributed": Known(),
}  # fmt: skip

KERAS2 = Dialect(
    name="keras2",
    keras_version="2.2.4",
    functional="Model",
    sequential="dict",
    first_call=1,
    readers=("Keras 2", "Keras 3"),
    inner_modules=("keras.layers", "keras"),
    vocabulary="keras2",
    storage="keras2",
    weight_suffix={"tensorflow": ":0", "theano": ""},
    backends=("tensorflow", "theano"),
    classes={**CLASSES, **TF_KERAS},
    functions=Functions(TENSORFLOW, "TFOpLambda"),
    later={"tf_keras": "2.15.0"},
)
"""Keras 2.2.3 and later, tf.keras, and Keras 3's reader of legacy HDF5, all from one file."""
