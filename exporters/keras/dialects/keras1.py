"""The classes of Keras 1.2 and their keys, under the names that Keras 2 gives them.

Source: the constructors and `get_config` of Keras 1.2.2, and genuine files of it. `eras.respell`
gives classes and keys their own names.
"""

from __future__ import annotations

from collections.abc import Mapping

from .records import Dialect, Keys, Known

_KERNEL: Keys = (
    "kernel_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
    "kernel_constraint", "bias_constraint",
)  # fmt: skip
_FED: Keys = ("input_dim", "input_length")
_GATED: Keys = (
    "kernel_initializer", "recurrent_initializer", "kernel_regularizer", "recurrent_regularizer",
    "bias_regularizer", "dropout", "recurrent_dropout",
)  # fmt: skip
_RECURRENT: Keys = (*_GATED, "unroll", "implementation", "batch_input_shape", *_FED)
_STEPS: Keys = ("units", "activation", "return_sequences", "go_backwards", "stateful")
_CONV: Keys = ("filters", "kernel_size", "strides", "padding", "use_bias", "activation")
_CONV1D = Known((*_CONV, "dilation_rate"), (*_KERNEL, *_FED))
_DENSE = Known(("units", "use_bias", "activation"), (*_KERNEL, "input_dim"))
_POOL: Keys = ("pool_size", "strides", "padding")
_SPAN: Keys = ("shared_axes",)
_SPATIAL_DROPOUT = Known((), ("rate",))

CLASSES: Mapping[str, Known] = {
    "InputLayer": Known(("batch_input_shape", "sparse")),
    "Dense": _DENSE,
    "Highway": Known(("use_bias", "activation"), (*_KERNEL, "input_dim")),
    "MaxoutDense": Known(("units", "nb_feature", "use_bias"), (*_KERNEL, "input_dim")),
    "Conv1D": _CONV1D,
    "Conv2D": Known((*_CONV, "data_format", "dilation_rate"), _KERNEL),
    "Conv3D": Known((*_CONV, "data_format"), _KERNEL),
    "Conv2DTranspose": Known((*_CONV, "data_format", "output_shape"), _KERNEL),
    "SeparableConv2D": Known(
        (*_CONV, "data_format", "depth_multiplier"),
        (
            "depthwise_initializer", "depthwise_regularizer", "pointwise_regularizer",
            "bias_regularizer", "activity_regularizer", "depthwise_constraint",
            "pointwise_constraint", "bias_constraint",
        ),
        backends=("tensorflow",),
    ),
    "LocallyConnected1D": Known(_CONV, (*_KERNEL, *_FED)),
    "LocallyConnected2D": Known((*_CONV, "data_format"), _KERNEL),
    **{f"{kind}Pooling1D": Known(_POOL) for kind in ("Max", "Average")},
    **{
        f"{kind}Pooling{n}D": Known((*_POOL, "data_format"))
        for kind in ("Max", "Average")
        for n in (2, 3)
    },
    **{f"Global{kind}Pooling1D": Known() for kind in ("Max", "Average")},
    **{
        f"Global{kind}Pooling{n}D": Known(("data_format",))
        for kind in ("Max", "Average")
        for n in (2, 3)
    },
    "ZeroPadding1D": Known(("padding",)),
    "Cropping1D": Known(("cropping",)),
    "UpSampling1D": Known(("size",)),
    **{f"ZeroPadding{n}D": Known(("padding", "data_format")) for n in (2, 3)},
    **{f"Cropping{n}D": Known(("cropping", "data_format")) for n in (2, 3)},
    **{f"UpSampling{n}D": Known(("size", "data_format")) for n in (2, 3)},
    "BatchNormalization": Known(
        ("axis", "epsilon", "mode"), ("momentum", "gamma_regularizer", "beta_regularizer")
    ),
    "Activation": Known(("activation",)),
    "LeakyReLU": Known(("alpha",)),
    "ELU": Known(("alpha",)),
    "ThresholdedReLU": Known(("theta",)),
    "PReLU": Known(_SPAN, ("alpha_initializer",), sparing=_SPAN),
    "ParametricSoftplus": Known(_SPAN, ("alpha_init", "beta_init"), sparing=_SPAN),
    "SReLU": Known(
        _SPAN, ("t_left_init", "a_left_init", "t_right_init", "a_right_init"), sparing=_SPAN
    ),
    "Dropout": Known((), ("rate",)),
    "SpatialDropout1D": _SPATIAL_DROPOUT,
    "SpatialDropout2D": Known(("data_format",), ("rate",)),
    "SpatialDropout3D": Known(("data_format",), ("rate",)),
    "GaussianNoise": Known((), ("stddev",)),
    "GaussianDropout": Known((), ("rate",)),
    "ActivityRegularization": Known((), ("l1", "l2")),
    "Flatten": Known(),
    "Reshape": Known(("target_shape",)),
    "Permute": Known(("dims",)),
    "RepeatVector": Known(("n",)),
    "Embedding": Known(
        ("input_dim", "output_dim", "mask_zero"),
        (
            "embeddings_initializer", "embeddings_regularizer", "activity_regularizer",
            "embeddings_constraint", "input_length", "dropout",
        ),
    ),
    "Masking": Known(("mask_value",)),
    "SimpleRNN": Known(_STEPS, _RECURRENT),
    "GRU": Known((*_STEPS, "recurrent_activation"), _RECURRENT),
    "LSTM": Known((*_STEPS, "recurrent_activation"), (*_RECURRENT, "forget_bias_init")),
    "ConvLSTM2D": Known(
        (
            "filters", "kernel_size", "strides", "padding", "data_format",
            "recurrent_activation", *_STEPS[1:],
        ),
        (*_GATED, "forget_bias_init"),
        sparing=("strides",),
    ),
    "Bidirectional": Known(("layer", "merge_mode")),
    **dict.fromkeys(("Add", "Multiply", "Average", "Maximum"), Known(unsaid=("trainable",))),
    "Concatenate": Known(("axis",), unsaid=("trainable",)),
    "Dot": Known(("axes",), unsaid=("trainable",)),
    "Cosine": Known(("axes",), unsaid=("trainable",)),
    "TimeDistributed": Known(),
}  # fmt: skip

_LETTERS: Mapping[str, str] = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}

NAMES: Mapping[str, str] = {
    **_LETTERS,
    **{
        f"{name}_{gate}": f"{letter}_{gate}"
        for name, letter in _LETTERS.items()
        for gate in "icfozrh"
    },
    "embeddings": "W",
    "carry_kernel": "W_carry",
    "carry_bias": "b_carry",
    "alpha": "alphas",
    "moving_mean": "running_mean",
    "moving_variance": "running_std",
}
"""What Keras 1 calls the arrays of a layer, by what Keras 2 calls them; others keep their names.
`running_std` holds the variance."""

KERAS1 = Dialect(
    name="keras1",
    keras_version="1.2.2",
    functional="Model",
    sequential="list",
    first_call=1,
    readers=("Keras 1",),
    inner_modules=("", ""),
    vocabulary="keras1",
    storage="keras1",
    weight_suffix={"tensorflow": ":0", "theano": ""},
    backends=("tensorflow", "theano"),
    classes=CLASSES,
    base=("trainable",),
    paddings=("valid", "same"),
    pads_alike=frozenset({"ZeroPadding3D"}),
    highest={"softmax": 3},
    apart={"LSTM": "icfo", "GRU": "zrh", "ConvLSTM": "icfo"},
    weight_names=NAMES,
    respelt=True,
    says_backend=False,
    chunked=False,
    states_extent=True,
    modes=True,
    written_by=("1.",),
    makes_as_listed=True,
    merges_models=True,
    merges_alike=True,
    forgets_names=True,
    one_metric=True,
    forgets_extents=True,
    unmasked_merges=frozenset({"Maximum", "Minimum"}),
    merges_ends=True,
    call_arguments=False,
    masks_enter_models=False,
    masks_past_steps=True,
    unmasked=("Dense",),
)
"""Keras 1.2, in either ordering, on either backend.

What it cannot make of masks: Keras 1.2.2 `engine/topology.py` `Merge.compute_mask`,
`layers/wrappers.py` `Bidirectional.compute_mask`.
"""
