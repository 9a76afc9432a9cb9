"""What `compile` was told, in the words of a target: losses and metrics.

Sources: Keras 1.2.2, 2.2.4 and 2.3.1 `losses.py` (`objectives.py`) and `metrics.py`; Keras 3.15
`losses/__init__.py` and `metrics/__init__.py` (`ALL_OBJECTS_DICT`).
"""

from __future__ import annotations

from collections.abc import Mapping

_SHARED = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "mse", "mae", "mape", "msle", "hinge", "squared_hinge",
    "categorical_hinge", "binary_crossentropy", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "poisson", "kl_divergence", "kld",
)  # fmt: skip

_LOSSES: Mapping[str, str] = {
    **{name: name for name in (
        *_SHARED, "bce", "huber", "log_cosh", "categorical_focal_crossentropy",
        "binary_focal_crossentropy", "dice", "tversky", "circle", "ctc",
    )},
    **{name.upper(): name for name in ("mse", "mae", "mape", "msle", "kld")},
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "huber_loss": "huber",
}  # fmt: skip

_METRICS: Mapping[str, str] = {
    **{name: name for name in (
        *_SHARED, "bce", "accuracy", "acc", "crossentropy", "ce", "binary_accuracy",
        "categorical_accuracy", "sparse_categorical_accuracy", "top_k_categorical_accuracy",
        "sparse_top_k_categorical_accuracy", "auc", "root_mean_squared_error",
    )},
    **{name.upper(): name for name in ("mse", "mae", "mape", "msle")},
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh_error",
}  # fmt: skip

NAMES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "keras3": {"losses": _LOSSES, "metrics": _METRICS},
}
"""By vocabulary: what the target calls a loss or a metric. One that it computes otherwise under the
same name, as `cosine_proximity`, whose sign changed, is not among them."""

CLASSES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "keras3": {
        "losses": frozenset({
            "BinaryCrossentropy", "BinaryFocalCrossentropy", "CTC", "CategoricalCrossentropy",
            "CategoricalFocalCrossentropy", "CategoricalHinge", "Circle", "CosineSimilarity",
            "Dice", "Hinge", "Huber", "KLDivergence", "LogCosh", "MeanAbsoluteError",
            "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError",
            "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky",
        }),
        "metrics": frozenset({
            "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU",
            "CategoricalAccuracy", "CategoricalCrossentropy", "CategoricalHinge",
            "CosineSimilarity", "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives",
            "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean", "MeanAbsoluteError",
            "MeanAbsolutePercentageError", "MeanIoU", "MeanSquaredError",
            "MeanSquaredLogarithmicError", "OneHotIoU", "OneHotMeanIoU", "Poisson", "Precision",
            "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError",
            "SensitivityAtSpecificity", "SparseCategoricalAccuracy",
            "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy",
            "SpecificityAtSensitivity", "SquaredHinge", "Sum", "TopKCategoricalAccuracy",
            "TrueNegatives", "TruePositives",
        }),
    },
}  # fmt: skip
"""By vocabulary: losses and metrics that are objects with a configuration."""

UNREAD: frozenset[str] = frozenset({"fn"})
"""Keys of their configurations that say what the class says already."""

REDUCTIONS: Mapping[str, str] = {"auto": "sum_over_batch_size"}
"""What Keras 3 calls a way to sum up losses that tf.keras calls otherwise."""

SCHEDULES: frozenset[str] = frozenset({
    "ExponentialDecay", "PiecewiseConstantDecay", "PolynomialDecay", "InverseTimeDecay",
    "CosineDecay", "CosineDecayRestarts",
})  # fmt: skip
"""Learning rates that are functions of the step: tf.keras and Keras 3 have the same."""

_OLDEST = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "squared_hinge", "hinge", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "binary_crossentropy", "kullback_leibler_divergence",
    "poisson", "cosine_proximity", "mse", "mae", "mape", "msle", "kld", "cosine",
)  # fmt: skip
_ACCURACIES = (
    "accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "top_k_categorical_accuracy",
)  # fmt: skip
_SINCE_KERAS2 = ("categorical_hinge", "logcosh")
_GONE = ("matthews_correlation", "precision", "recall", "fbeta_score", "fmeasure", "fscore")

_FUNCTIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "keras1": {
        "losses": frozenset(_OLDEST),
        "metrics": frozenset((*_OLDEST, *_ACCURACIES, *_GONE)),
    },
    "keras2": {
        "losses": frozenset((*_OLDEST, *_SINCE_KERAS2)),
        "metrics": frozenset((
            *_OLDEST,
            *_SINCE_KERAS2,
            *_ACCURACIES,
            "sparse_top_k_categorical_accuracy",
        )),
    },
}

FUNCTIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    **_FUNCTIONS,
    "keras2.0": _FUNCTIONS["keras2"],
}
"""By vocabulary: the losses and metrics that every version of it has, all of them functions."""

SAME: Mapping[str, str] = {
    "bce": "binary_crossentropy",
    "kl_divergence": "kullback_leibler_divergence",
    "log_cosh": "logcosh",
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
    "SquaredHinge": "squared_hinge",
    "Hinge": "hinge",
    "CategoricalHinge": "categorical_hinge",
    "LogCosh": "logcosh",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "BinaryCrossentropy": "binary_crossentropy",
    "KLDivergence": "kullback_leibler_divergence",
    "Poisson": "poisson",
    "Accuracy": "accuracy",
    "BinaryAccuracy": "binary_accuracy",
    "CategoricalAccuracy": "categorical_accuracy",
    "SparseCategoricalAccuracy": "sparse_categorical_accuracy",
    "TopKCategoricalAccuracy": "top_k_categorical_accuracy",
}
"""What newer Keras calls the same functions, and the classes that stand for them."""

USUAL: Mapping[str, tuple[object, ...] | None] = {
    "reduction": ("auto", "sum_over_batch_size", None),
    "from_logits": (False,),
    "label_smoothing": (0, 0.0),
    "axis": (-1,),
    "ignore_class": (None,),
    "threshold": (0.5, None),
    "k": (5,),
    "dtype": None,
    "name": None,
    "fn": None,
}
"""What such a class says where it computes what the function does; None for anything."""

ALL_KERAS: frozenset[str] = frozenset((
    *_SHARED,
    *_LOSSES,
    *_METRICS,
    *_GONE,
    *SAME,
    *FUNCTIONS["keras2"]["metrics"],
    *CLASSES["keras3"]["losses"],
    *CLASSES["keras3"]["metrics"],
))
"""Names of Keras' own; any other is an author's function, which stays what it is."""
