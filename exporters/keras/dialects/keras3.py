"""The classes of Keras 3 and their keys.

Source: the constructors of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping

from ....eras.layer_names import KERAS3 as KERAS3_NAMES, KERAS3_WEIGHTED
from ....eras.masking import ENDS_AT, STRIPS
from ....eras.operations import KERAS3 as OPERATIONS, KERAS3_MODULES
from .keys import STRINGS, VECTORS
from .records import Dialect, Functions, Keys, Known

_KERNEL: Keys = (
    "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
    "activity_regularizer", "kernel_constraint", "bias_constraint",
)  # fmt: skip
_CELL: Keys = (
    *_KERNEL, "recurrent_initializer", "recurrent_regularizer", "recurrent_constraint",
    "dropout", "recurrent_dropout", "seed",
)  # fmt: skip
_RECURRENT: Keys = (*_CELL, "unroll")
_STEPS: Keys = (
    "units", "activation", "use_bias", "return_sequences", "return_state", "go_backwards",
    "stateful",
)  # fmt: skip
_ZEROING: Keys = (*_STEPS, "zero_output_for_mask")
_DEPTHWISE: Keys = (
    "depthwise_initializer", "bias_initializer", "depthwise_regularizer", "bias_regularizer",
    "activity_regularizer", "depthwise_constraint", "bias_constraint",
)  # fmt: skip
_POINTWISE: Keys = (
    *_DEPTHWISE, "pointwise_initializer", "pointwise_regularizer", "pointwise_constraint",
)  # fmt: skip
_AFFINE: Keys = (
    "beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer",
    "beta_constraint", "gamma_constraint",
)  # fmt: skip
_WINDOW: Keys = ("kernel_size", "strides", "padding", "data_format", "use_bias", "activation")
_CONV = Known(("filters", "dilation_rate", "groups", *_WINDOW), _KERNEL)
_TRANSPOSED = Known(("filters", "output_padding", "dilation_rate", *_WINDOW), _KERNEL)
_SEPARABLE = Known(("filters", "depth_multiplier", "dilation_rate", *_WINDOW), _POINTWISE)
_DEPTHWISE_CONV = Known(("depth_multiplier", "dilation_rate", *_WINDOW), _DEPTHWISE)
_POOL = Known(("pool_size", "strides", "padding", "data_format"))
_GLOBAL = Known(("data_format", "keepdims"))
_ADAPTIVE = Known(("output_size", "data_format"))
_NO_TRAINABLE: Keys = ("trainable",)
_SPATIAL_DROPOUT = Known(("data_format",), ("rate", "seed"), unsaid=_NO_TRAINABLE)
_CONV_LSTM = Known(
    ("filters", "dilation_rate", "recurrent_activation", *_WINDOW, *_STEPS[1:]),
    (*_CELL, "unit_forget_bias"),
    places=("cell",),
    call="states",
)

_BINS: Keys = ("num_bins", "mask_value", "salt", "output_mode")
_RANGE: Keys = ("value_range", "seed", "data_format")
_FILL: Keys = ("fill_mode", "fill_value", "interpolation", "seed", "data_format")
_AUGMENTATION: Mapping[str, Keys] = {
    "AugMix": (
        "num_chains", "chain_depth", "factor", "alpha", "all_ops", "interpolation", *_RANGE,
    ),
    "CutMix": ("factor", "seed", "data_format"),
    "MixUp": ("alpha", "seed", "data_format"),
    "RandAugment": ("num_ops", "factor", "interpolation", *_RANGE),
    "RandomBrightness": ("factor", "value_range", "seed"),
    "RandomColorDegeneration": ("factor", *_RANGE),
    "RandomColorJitter": (
        "brightness_factor", "contrast_factor", "saturation_factor", "hue_factor", *_RANGE,
    ),
    "RandomContrast": ("factor", "value_range", "seed"),
    "RandomElasticTransform": ("factor", "scale", "value_range", *_FILL),
    "RandomErasing": ("factor", "scale", "fill_value", *_RANGE),
    "RandomFlip": ("mode", "seed", "data_format"),
    "RandomGaussianBlur": ("factor", "kernel_size", "sigma", *_RANGE),
    "RandomGrayscale": ("factor", "seed", "data_format"),
    "RandomHue": ("factor", *_RANGE),
    "RandomInvert": ("factor", *_RANGE),
    "RandomPerspective": (
        "factor", "scale", "interpolation", "fill_value", "seed", "data_format",
    ),
    "RandomPosterization": ("factor", *_RANGE),
    "RandomRotation": ("factor", *_FILL),
    "RandomSaturation": ("factor", *_RANGE),
    "RandomSharpness": ("factor", *_RANGE),
    "RandomShear": ("x_factor", "y_factor", *_FILL),
    "RandomTranslation": ("height_factor", "width_factor", *_FILL),
    "RandomZoom": ("height_factor", "width_factor", *_FILL),
    "Solarization": ("addition_factor", "threshold_factor", "value_range", "seed"),
}  # fmt: skip
"""Layers that change images in training alone."""

_WHOLE: Mapping[str, Keys] = {
    "AutoContrast": ("value_range", "data_format"),
    "ContrastLimitedAdaptiveHistogramEqualization": (
        "value_range", "clip_limit", "tile_grid_size", "data_format",
    ),
    "MelSpectrogram": (
        "fft_length", "sequence_stride", "sequence_length", "window", "sampling_rate",
        "num_mel_bins", "min_freq", "max_freq", "power_to_db", "top_db", "mag_exp", "min_power",
        "ref_power",
    ),
}  # fmt: skip
"""Layers that are read as several operations."""

CLASSES: Mapping[str, Known] = {
    **{name: Known(kept=keys) for name, keys in _WHOLE.items()},
    "InputLayer": Known(
        ("batch_shape", "sparse", "ragged", "optional"),
        renamed={"batch_input_shape": "batch_shape"},
    ),
    "Dense": Known(("units", "use_bias", "activation"), _KERNEL),
    "EinsumDense": Known(("equation", "output_shape", "activation", "bias_axes"), _KERNEL),
    **{f"Conv{n}D": _CONV for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": _TRANSPOSED for n in (1, 2, 3)},
    **{f"SeparableConv{n}D": _SEPARABLE for n in (1, 2)},
    **{f"DepthwiseConv{n}D": _DEPTHWISE_CONV for n in (1, 2)},
    **{f"{kind}Pooling{n}D": _POOL for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": _GLOBAL for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Adaptive{kind}Pooling{n}D": _ADAPTIVE for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": Known(("padding", "data_format")) for n in (1, 2, 3)},
    "Cropping1D": Known(("cropping",)),
    **{f"Cropping{n}D": Known(("cropping", "data_format")) for n in (2, 3)},
    "UpSampling1D": Known(("size",)),
    "UpSampling2D": Known(("size", "data_format", "interpolation")),
    "UpSampling3D": Known(("size", "data_format")),
    "BatchNormalization": Known(
        ("axis", "epsilon", "center", "scale"),
        ("momentum", "moving_mean_initializer", "moving_variance_initializer", *_AFFINE),
    ),
    "LayerNormalization": Known(("axis", "epsilon", "center", "scale"), _AFFINE),
    "GroupNormalization": Known(("groups", "axis", "epsilon", "center", "scale"), _AFFINE),
    "RMSNormalization": Known(("axis", "epsilon")),
    "UnitNormalization": Known(("axis",)),
    "Rescaling": Known(("scale", "offset")),
    "Normalization": Known(("axis", "mean", "variance", "invert")),
    "Activation": Known(("activation",)),
    "Identity": Known(),
    "Softmax": Known(("axis",)),
    "ReLU": Known(("max_value", "negative_slope", "threshold")),
    "LeakyReLU": Known(("negative_slope",), renamed={"alpha": "negative_slope"}),
    "ELU": Known(("alpha",)),
    "PReLU": Known(
        ("shared_axes",), ("alpha_initializer", "alpha_regularizer", "alpha_constraint")
    ),
    "Dropout": Known(("noise_shape",), ("rate", "seed")),
    "AlphaDropout": Known(("noise_shape",), ("rate", "seed")),
    "SpatialDropout1D": Known((), ("rate", "seed"), unsaid=_NO_TRAINABLE),
    "SpatialDropout2D": _SPATIAL_DROPOUT,
    "SpatialDropout3D": _SPATIAL_DROPOUT,
    "GaussianNoise": Known((), ("stddev", "seed")),
    "GaussianDropout": Known((), ("rate", "seed")),
    "ActivityRegularization": Known((), ("l1", "l2")),
    **{name: Known((), kept) for name, kept in _AUGMENTATION.items()},
    "Flatten": Known(("data_format",)),
    "Resizing": Known(("height", "width", "interpolation", "antialias", "data_format")),
    "Reshape": Known(("target_shape",)),
    "Permute": Known(("dims",)),
    "RepeatVector": Known(("n",)),
    "Embedding": Known(
        ("input_dim", "output_dim", "mask_zero"),
        ("embeddings_initializer", "embeddings_regularizer", "embeddings_constraint"),
    ),
    "Masking": Known(("mask_value",)),
    "Attention": Known(("use_scale", "score_mode"), ("dropout", "seed")),
    "AdditiveAttention": Known(("use_scale",), ("dropout", "seed")),
    "MultiHeadAttention": Known(
        (
            "num_heads", "key_dim", "value_dim", "use_bias", "output_shape", "attention_axes",
            "sliding_window", "use_gate",
        ),
        (*_KERNEL, "dropout", "flash_attention", "seed"),
        parts={
            "query": "query_dense",
            "key": "key_dense",
            "gate": "_gate_dense",
            "value": "value_dense",
            "attention_output": "output_dense",
        },
        call="each",
    ),
    "GroupQueryAttention": Known(
        (
            "head_dim", "num_query_heads", "num_key_value_heads", "use_bias", "sliding_window",
            "use_gate",
        ),
        (*_KERNEL, "dropout", "flash_attention", "seed"),
        parts={
            "query": "_query_dense",
            "key": "_key_dense",
            "gate": "_gate_dense",
            "value": "_value_dense",
            "attention_output": "_output_dense",
        },
        group="GroupedQueryAttention",
        call="each",
    ),
    "SimpleRNN": Known(_ZEROING, _RECURRENT, places=("cell",), call="states"),
    "GRU": Known(
        ("recurrent_activation", "reset_after", *_ZEROING),
        _RECURRENT,
        places=("cell",),
        call="states",
    ),
    "LSTM": Known(
        ("recurrent_activation", *_ZEROING),
        (*_RECURRENT, "unit_forget_bias"),
        places=("cell",),
        call="states",
    ),
    **{f"ConvLSTM{n}D": _CONV_LSTM for n in (1, 2, 3)},
    "RNN": Known(
        ("cell", "return_sequences", "return_state", "go_backwards", "stateful"),
        ("unroll",),
        call="states",
    ),
    "Bidirectional": Known(
        ("layer", "merge_mode", "backward_layer"),
        places=("forward_layer/cell", "backward_layer/cell"),
        call="states",
    ),
    **dict.fromkeys(
        ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), Known()
    ),
    "Concatenate": Known(("axis",)),
    "Dot": Known(("axes", "normalize")),
    "Hashing": Known(_BINS, _BINS, unsaid=("dtype",)),
    "HashedCrossing": Known(("num_bins", "output_mode"), unsaid=("dtype",)),
    "StringLookup": Known(kept=(*STRINGS, "oov_method"), unsaid=("dtype",)),
    "TextVectorization": Known(kept=VECTORS, unsaid=("dtype",)),
    "TimeDistributed": Known(places=("layer",)),
    "Lambda": Known(),
}  # fmt: skip

ABSENT = frozenset({
    "LocallyConnected1D", "LocallyConnected2D", "ThresholdedReLU", "TFOpLambda", "RandomHeight",
    "RandomWidth", "StochasticDepth",
})  # fmt: skip
"""What Keras 2 or tf.keras has and Keras 3 has not."""

KERAS3 = Dialect(
    name="keras3",
    keras_version="3.15.1",
    form="keras3",
    functional="Functional",
    era="keras3",
    by_path=True,
    top_level=True,
    sequential="dict",
    first_call=0,
    readers=("Keras 3",),
    inner_modules=("keras.layers", "keras"),
    vocabulary="keras3",
    storage="keras2",
    weight_suffix={"tensorflow": ""},
    backends=("tensorflow",),
    policies=frozenset({"float16", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16"}),
    classes=CLASSES,
    absent=ABSENT,
    keeps_training=False,
    interpolations=("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
    functions=Functions(OPERATIONS, modules=KERAS3_MODULES),
    merged_masks="any",
    backs_second=True,
    zeroes_absent=True,
    masks_stay=True,
    masked_values=frozenset({"Multiply", "Maximum", "Minimum"}),
    names={"tensorflow": KERAS3_NAMES},
    weighted_names=KERAS3_WEIGHTED,
    whole=frozenset({*_WHOLE, "Hashing"}),
    tells_masks=True,
    ends_masks=ENDS_AT["keras3"],
    strips_masks=STRIPS,
)
"""Keras 3, whatever backend it runs on: `.keras`, `.weights.h5` and legacy HDF5."""
