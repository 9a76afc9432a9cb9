"""What layers do to the masks of what they are given."""

from __future__ import annotations

from collections.abc import Mapping

from .augmentation import AUGMENTATION

_MOVING = frozenset({
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "CategoryEncoding", "CenterCrop",
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
    "Cropping1D", "Cropping2D", "Cropping3D", "DepthwiseConv1D", "DepthwiseConv2D",
    "Discretization", "EinsumDense", "Flatten", "GlobalAveragePooling2D",
    "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "Hashing", "IntegerLookup", "LocallyConnected1D", "LocallyConnected2D", "MaxPooling1D",
    "MaxPooling2D", "MaxPooling3D", "Permute", "RepeatVector", "Reshape", "Resizing",
    "SeparableConv1D", "SeparableConv2D", "SpectralNormalization", "UpSampling1D", "UpSampling2D",
    "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
})  # fmt: skip

ENDS_AT: Mapping[str, frozenset[str]] = {
    "tf_keras": _MOVING | {*AUGMENTATION, "Identity", "Normalization", "Rescaling"},
    "keras3": _MOVING | {*AUGMENTATION, "RMSNormalization"},
}
"""Classes that hand no mask on, by vocabulary. Before tf.keras one that cannot is not built.

Source: `supports_masking` of a layer of each class, in tf-keras 2.21 and Keras 3.15.
"""

STRIPS: frozenset[str] = frozenset({"MultiHeadAttention"})
"""Classes that in today's Keras 3 take the masks off their inputs, for all who read them behind it,
and look at no `query_mask` that is stated (`releases` says since when).

Source: Keras 3.15 `layers/attention/multi_head_attention.py` (`call`).
"""
