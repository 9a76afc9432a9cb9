"""Keys that several layer classes have, in Keras 2 and later."""

from __future__ import annotations

from .records import Keys

KERNEL: Keys = (
    "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
    "activity_regularizer", "kernel_constraint", "bias_constraint",
)  # fmt: skip
RECURRENT: Keys = (
    *KERNEL, "recurrent_initializer", "recurrent_regularizer", "recurrent_constraint",
    "dropout", "recurrent_dropout", "unroll", "implementation",
)  # fmt: skip
STEPS: Keys = (
    "units", "activation", "use_bias", "return_sequences", "return_state", "go_backwards",
    "stateful", "time_major",
)  # fmt: skip
POINTWISE: Keys = (
    "depthwise_initializer", "pointwise_initializer", "bias_initializer",
    "depthwise_regularizer", "pointwise_regularizer", "bias_regularizer", "activity_regularizer",
    "depthwise_constraint", "pointwise_constraint", "bias_constraint",
)  # fmt: skip
DEPTHWISE: Keys = (
    "depthwise_initializer", "bias_initializer", "depthwise_regularizer", "bias_regularizer",
    "activity_regularizer", "depthwise_constraint", "bias_constraint",
)  # fmt: skip
WINDOW: Keys = ("kernel_size", "strides", "padding", "data_format", "use_bias", "activation")
CONV_STEPS: Keys = (
    "filters", "dilation_rate", "recurrent_activation", "unroll", "implementation",
    *WINDOW, *STEPS[1:],
)  # fmt: skip
CONV_KEPT: Keys = (*RECURRENT[:-2], "unit_forget_bias")

STRINGS: Keys = (
    "max_tokens", "num_oov_indices", "mask_token", "oov_token", "vocabulary", "idf_weights",
    "invert", "output_mode", "pad_to_max_tokens", "encoding",
)  # fmt: skip
VECTORS: Keys = (
    "max_tokens", "standardize", "split", "ngrams", "output_mode", "output_sequence_length",
    "pad_to_max_tokens", "vocabulary", "idf_weights", "encoding",
)  # fmt: skip
