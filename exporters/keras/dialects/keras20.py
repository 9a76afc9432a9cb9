"""The classes of Keras 2.0 and their keys: those of Keras 2 but for what came later.

Source: the constructors of Keras 2.0.8 and genuine files of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from .keras2 import CLASSES as KERAS2_CLASSES, KERAS2
from .records import Dialect, Keys, Known, narrowed

_LATER: frozenset[str] = frozenset({
    "SeparableConv1D", "DepthwiseConv2D", "Softmax", "ReLU", "Minimum", "RNN",
})  # fmt: skip
"""Classes that 2.0.8 lacks."""

_LATER_KEYS: Mapping[str, Keys] = {
    **dict.fromkeys(("Conv1D", "LocallyConnected1D"), ("data_format", "groups", "implementation")),
    **dict.fromkeys(("Conv2D", "Conv3D"), ("groups",)),
    "LocallyConnected2D": ("implementation",),
    "SeparableConv2D": ("dilation_rate", "groups"),
    "Conv2DTranspose": ("output_padding", "output_shape", "dilation_rate", "groups"),
    "Conv3DTranspose": ("output_padding", "dilation_rate", "groups"),
    **dict.fromkeys(
        (
            "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D", "GlobalAveragePooling1D",
            "Flatten", "ZeroPadding1D", "Cropping1D", "UpSampling1D",
        ),
        ("data_format", "keepdims", "interpolation"),
    ),
    **{
        f"Global{kind}Pooling{n}D": ("keepdims",) for kind in ("Max", "Average") for n in (2, 3)
    },
    **dict.fromkeys(("UpSampling2D", "UpSampling3D"), ("interpolation",)),
    "BatchNormalization": ("mode",),
    **dict.fromkeys(("SimpleRNN", "LSTM"), ("time_major", "zero_output_for_mask")),
    "GRU": ("time_major", "reset_after", "zero_output_for_mask"),
    "ConvLSTM2D": ("time_major",),
    "Bidirectional": ("num_constants", "backward_layer"),
    "InputLayer": ("ragged", "optional"),
}  # fmt: skip
"""Keys that it lacks."""

CLASSES: Mapping[str, Known] = {
    **{
        name: narrowed(known, _LATER_KEYS.get(name, ()))
        for name, known in KERAS2_CLASSES.items()
        if name not in _LATER
    },
    **{
        name: narrowed(
            KERAS2_CLASSES[name],
            ("time_major", "zero_output_for_mask"),
            kept=("implementation", "unroll", "return_state"),
        )
        for name in ("SimpleRNN", "ConvLSTM2D")
    },
    "SeparableConv2D": narrowed(
        KERAS2_CLASSES["SeparableConv2D"],
        _LATER_KEYS["SeparableConv2D"],
        backends=("tensorflow",),
    ),
}

KERAS20 = Dialect(
    name="keras2.0",
    keras_version="2.0.8",
    functional="Model",
    sequential="list",
    first_call=1,
    readers=("Keras 2.0",),
    inner_modules=("", ""),
    vocabulary="keras2.0",
    storage="keras2",
    weight_suffix=KERAS2.weight_suffix,
    backends=KERAS2.backends,
    classes=CLASSES,
    chunked=False,
    written_by=("2.0.", "2.1.", "2.2.0", "2.2.1", "2.2.2"),
    masks_enter_models=False,
    masks_past_steps=True,
    gives_first_state=("tensorflow",),
)
"""Keras 2.0.0 to 2.2.2, whose Sequential is a list of layers."""
