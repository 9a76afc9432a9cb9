"""The classes of Keras 2 and their keys, as all versions from 2.2.3 on and Keras 3 read them.

Sources: the constructors of Keras 2.2.4, 2.3.1, tf-keras 2.21 and Keras 3.15, and genuine files of
each.
"""

from __future__ import annotations

from collections.abc import Mapping

from ....eras.masking import ENDS_AT
from ....eras.tensorflow import TENSORFLOW
from .keys import CONV_KEPT, CONV_STEPS, DEPTHWISE, KERNEL, POINTWISE, RECURRENT, STEPS, WINDOW
from .records import Dialect, Functions, Known
from .tf_keras import TF_KERAS

_CONV = Known(("filters", "dilation_rate", "groups", *WINDOW), KERNEL, {"groups": "tf.keras 2.3"})
_SEPARABLE = Known(("filters", "depth_multiplier", "dilation_rate", "groups", *WINDOW), POINTWISE)
_POOL = Known(("pool_size", "strides", "padding", "data_format"))
_GLOBAL = Known(("data_format", "keepdims"), since={"keepdims": "tf.keras 2.6"}, era="tf_keras")
_STEPS = (*STEPS, "zero_output_for_mask")
_ZEROES = {"zero_output_for_mask": "tf.keras 1.13"}
_LOCAL = Known(("filters", "implementation", *WINDOW), KERNEL, {}, "Keras 3")
_SPATIAL_DROPOUT = Known(("noise_shape", "data_format"), ("rate",), unsaid=("trainable",))
_MERGE = Known()

CLASSES: Mapping[str, Known] = {
    "InputLayer": Known(("batch_input_shape", "sparse", "ragged", "optional")),
    "Dense": Known(("units", "use_bias", "activation"), KERNEL),
    "Conv1D": _CONV,
    "Conv2D": _CONV,
    "Conv3D": _CONV,
    "SeparableConv1D": _SEPARABLE,
    "SeparableConv2D": _SEPARABLE,
    "DepthwiseConv2D": Known(
        ("depth_multiplier", "filters", "dilation_rate", "groups", *WINDOW),
        DEPTHWISE,
    ),
    "Conv2DTranspose": Known(
        ("filters", "output_padding", "output_shape", "dilation_rate", "groups", *WINDOW),
        KERNEL,
    ),
    "Conv3DTranspose": Known(
        ("filters", "output_padding", "dilation_rate", "groups", *WINDOW),
        KERNEL,
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
    "SimpleRNN": Known(("implementation", *_STEPS), RECURRENT[:-1], _ZEROES, era="tf_keras"),
    "GRU": Known(
        ("recurrent_activation", "reset_after", *_STEPS), RECURRENT, _ZEROES, era="tf_keras"
    ),
    "LSTM": Known(
        ("recurrent_activation", *_STEPS), (*RECURRENT, "unit_forget_bias"), _ZEROES,
        era="tf_keras",
    ),
    "ConvLSTM2D": Known(CONV_STEPS, CONV_KEPT, {"return_state": "tf.keras 1.13"}),
    "RNN": Known(("cell", *STEPS[3:-1]), ("unroll",)),
    "Bidirectional": Known(
        ("layer", "backward_layer", "merge_mode", "num_constants"),
        since={"backward_layer": "tf.keras 2.1"},
        era="tf_keras",
    ),
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
    policies=frozenset({"float16", "float32", "float64"}),
    spans=True,
    functions=Functions(TENSORFLOW, "TFOpLambda"),
    later={"tf_keras": "2.15.0"},
    hears_masks=True,
    ends_masks=ENDS_AT["tf_keras"],
    era_alone={"theano": "keras2"},
    gives_first_state=("tensorflow",),
)
"""Keras 2.2.3 and later, tf.keras, and Keras 3's reader of legacy HDF5, all from one file."""
