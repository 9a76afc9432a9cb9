"""One translator per layer class; one file per family, imported when a class of it is met."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ....eras.augmentation import AUGMENTATION

OPERATION = "ops."
"""Before the name of an operation on tensors: Keras 3 has a layer Add and an operation Add."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "activation": (
        "Activation", "LeakyReLU", "ELU", "ThresholdedReLU", "ThresholdedLinear", "ReLU",
        "Identity", "Softmax", "PReLU", "ParametricSoftplus", "SReLU",
    ),
    "adaptive": (
        "AdaptiveAveragePooling1D", "AdaptiveMaxPooling1D", "AdaptiveAveragePooling2D",
        "AdaptiveMaxPooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling3D",
    ),
    "attention": (
        "Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention",
        "GroupedQueryAttention",
    ),
    "audio": ("STFTSpectrogram", "MelSpectrogram"),
    "bidirectional": ("Bidirectional",),
    "contrast": ("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"),
    "conv_recurrent": ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "convolution": (
        "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D",
        "SeparableConv1D", "SeparableConv2D",
    ),
    "dense": ("Dense", "TimeDistributedDense", "Highway", "MaxoutDense"),
    "einsum": ("EinsumDense",),
    "element_merges": ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"),
    "embedding": ("Embedding", "ReversibleEmbedding", "Masking"),
    "encoding": (
        "CategoryEncoding", "Discretization", "IntegerLookup",
    ),
    "feature_columns": ("DenseFeatures",),
    "graph_nodes": ("TensorFlowOpLayer",),
    "hashing": ("Hashing", "HashedCrossing"),
    "local": ("LocallyConnected1D", "LocallyConnected2D"),
    "merge": ("Concatenate", "Dot", "Merge"),
    "normalization": (
        "BatchNormalization", "LayerNormalization", "RMSNormalization",
        "GroupNormalization", "UnitNormalization",
    ),
    "operations": ("TFOpLambda", "SlicingOpLambda"),
    "pooling": (
        "TimeDistributedMerge", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
        "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalMaxPooling1D",
        "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D",
        "GlobalAveragePooling2D", "GlobalAveragePooling3D", "ZeroPadding1D",
        "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D",
        "UpSampling1D", "UpSampling2D", "UpSampling3D",
    ),
    "recurrent": ("SimpleRNN", "GRU", "LSTM"),
    "resampling": ("Resizing", "CenterCrop", "RandomCrop"),
    "scaling": ("Rescaling", "Normalization", "LayerScale", "CustomScaleLayer"),
    "shape": ("Flatten", "Permute", "Reshape", "RepeatVector"),
    "stacked": ("StackedRNNCells",),
    "texts": ("StringLookup", "TextVectorization"),
    "training_only": (
        "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
        "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization",
        *AUGMENTATION,
    ),
    "transposed": ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
}  # fmt: skip
"""The classes that each file translates, beside the operations."""

_FAMILY_OF = {name: family for family, names in FAMILIES.items() for name in names}


def family_of(class_name: str) -> str | None:
    """The file with the translator of a class; None if kerasir has none."""
    return "operations" if class_name.startswith(OPERATION) else _FAMILY_OF.get(class_name)


def load_family_of(class_name: str) -> None:
    """Have the family of a class registered; a file's word only chooses among the table's."""
    family = family_of(class_name)
    if family is not None:
        import_module(f".{family}", __name__)
