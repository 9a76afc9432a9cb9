"""Classes of tf.keras that older versions lack: written where a model needs them, and told.

Sources: the constructors of tf-keras 2.21 and Keras 3.15, and genuine files of both.
"""

from __future__ import annotations

from collections.abc import Mapping

from .keys import CONV_KEPT, CONV_STEPS, DEPTHWISE, KERNEL, STRINGS, VECTORS, WINDOW
from .records import Keys, Known

_LEARNT: Keys = (
    "beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer",
    "beta_constraint", "gamma_constraint",
)  # fmt: skip
_HEADS: Keys = (
    "num_heads", "key_dim", "value_dim", "use_bias", "output_shape", "attention_axes",
    "query_shape", "value_shape", "key_shape",
)  # fmt: skip
_FILLED: Keys = ("fill_mode", "fill_value", "interpolation", "seed")
_OLD = "Keras 2.2 and 2.3"
_ALONE = "Keras 2.2, 2.3 and 3"


def _newer(*stated: str, kept: Keys = (), missing: str = _OLD, unsaid: Keys = ()) -> Known:
    """A class of tf.keras and Keras 3."""
    return Known(stated, kept, {}, missing, unsaid, era="tf_keras")


TF_KERAS: Mapping[str, Known] = {
    "LayerNormalization": _newer("axis", "epsilon", "center", "scale", kept=_LEARNT),
    "GroupNormalization": _newer("groups", "axis", "epsilon", "center", "scale", kept=_LEARNT),
    "UnitNormalization": _newer("axis"),
    "DepthwiseConv1D": _newer("depth_multiplier", "dilation_rate", *WINDOW, kept=DEPTHWISE),
    "Conv1DTranspose": _newer("filters", "output_padding", "dilation_rate", *WINDOW, kept=KERNEL),
    "ConvLSTM1D": _newer(*CONV_STEPS, kept=CONV_KEPT),
    "ConvLSTM3D": _newer(*CONV_STEPS, kept=CONV_KEPT),
    "Rescaling": _newer("scale", "offset"),
    "Resizing": _newer("height", "width", "interpolation"),
    "Attention": _newer("use_scale", "score_mode", kept=("dropout",)),
    "AdditiveAttention": _newer("use_scale", kept=("dropout",)),
    "MultiHeadAttention": _newer(*_HEADS, kept=(*KERNEL, "dropout")),
    "RandomFlip": _newer(kept=("mode", "seed")),
    "RandomRotation": _newer(kept=("factor", *_FILLED)),
    "RandomZoom": _newer(kept=("height_factor", "width_factor", *_FILLED)),
    "RandomTranslation": _newer(kept=("height_factor", "width_factor", *_FILLED)),
    "RandomContrast": _newer(kept=("factor", "seed")),
    "RandomBrightness": _newer(kept=("factor", "value_range", "seed")),
    "RandomHeight": _newer(kept=("factor", "interpolation", "seed"), missing=_ALONE),
    "RandomWidth": _newer(kept=("factor", "interpolation", "seed"), missing=_ALONE),
    "Hashing": _newer("num_bins", "mask_value", "salt", "output_mode", unsaid=("dtype",)),
    "HashedCrossing": _newer("num_bins", "output_mode", unsaid=("dtype",)),
    "StringLookup": _newer(kept=STRINGS, unsaid=("dtype",)),
    "TextVectorization": _newer(kept=VECTORS, unsaid=("dtype",)),
    "TFOpLambda": _newer("function", missing=_ALONE),
}
