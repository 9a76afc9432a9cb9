"""What layers do since a release: changes inside one vocabulary that no configuration tells.

A file states the release that wrote it (`keras_version`); one that does not is taken for the
newest. Sources: Keras at the last release before each change and at the first after it, and
genuine runs of 3.0, 3.1, 3.3, 3.5, 3.6, 3.8, 3.10, 3.12 and of TensorFlow 2.4 and 2.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .vocabularies import is_since

Habit = Literal[
    "attention_sees_masks",
    "attention_strips_masks",
    "halves_zero_last",
    "merges_hand_masks_on",
    "merges_look_at_masks",
    "one_hot_squeezes",
    "random_crop_cuts_first",
    "random_crop_resizes",
    "random_crop_takes_a_window",
    "softmax_zeroes",
    "stated_masks_travel",
]

Releases = tuple[tuple[int, ...], tuple[int, ...]]

ALWAYS: Releases = ((), ())

_SINCE: Mapping[Habit, Mapping[str, Releases]] = {
    # MultiHeadAttention: TensorFlow 2.4 `keras/layers/multi_head_attention.py`, Keras 2.10
    # `layers/attention/multi_head_attention.py` (`_compute_attention_mask`)
    "attention_sees_masks": {"tf_keras": ((2, 10), ()), "keras3": ALWAYS},
    # takes masks off its inputs, for all who read them behind it: Keras pull request 20594
    "attention_strips_masks": {"keras3": ((3, 8), ())},
    # a Bidirectional has its halves give zeros for a last step that is absent: TensorFlow 1.13
    # `layers/wrappers.py`; 1.15 has them do so where they return sequences, and states the same
    # version, but not the key
    "halves_zero_last": {"tf_keras": ((), (2, 3))},
    # Keras 3.3 and 3.4 `layers/layer.py` (`__call__`, `previous_mask` of a list)
    "merges_hand_masks_on": {
        **dict.fromkeys(("keras0", "keras1", "keras2", "tf_keras"), ALWAYS),
        "keras3": ((3, 4), ()),
    },
    # Multiply, Maximum, Minimum: Keras 3.3 and 3.4 `layers/merging`
    "merges_look_at_masks": {"keras3": ((3, 4), ())},
    # an index of extent one gives one vector, in CategoryEncoding and Discretization too: Keras 3.3
    # and 3.4 `utils/numerical_utils.py`
    "one_hot_squeezes": {"tf_keras": ALWAYS, "keras3": ((3, 4), ())},
    # RandomCrop at inference: Keras 3.5 `layers/preprocessing/random_crop.py`, 3.6, 3.7 and 3.8
    # `layers/preprocessing/image_preprocessing/random_crop.py` (`transform_images`)
    "random_crop_resizes": {"tf_keras": ALWAYS, "keras3": ((), (3, 6))},
    "random_crop_takes_a_window": {"keras3": ((3, 6), (3, 8))},
    # to the aspect ratio that is wanted, else behind it: Keras 2.6 and 2.7
    # `layers/preprocessing/image_preprocessing.py`
    "random_crop_cuts_first": {"tf_keras": ((2, 7), ()), "keras3": ALWAYS},
    # what a mask leaves out of a Softmax is zero, where it leaves nothing too: Keras 3.9 and 3.10
    # `layers/activations/softmax.py`
    "softmax_zeroes": {"keras3": ((3, 10), ())},
    # a mask that a layer is called with is its result's: Keras 3.10 and 3.11 `layers/layer.py`
    "stated_masks_travel": {
        **dict.fromkeys(("keras0", "keras1", "keras2", "tf_keras"), ALWAYS),
        "keras3": ((3, 11), ()),
    },
}
"""By vocabulary, the first release that has the habit and the first that has not; a vocabulary
that is missing never had it."""


def differs_from_newest(vocabulary: str, version: str | None) -> bool:
    """Whether layers of a release may do something otherwise than the newest of its vocabulary."""
    return any(
        has_habit(habit, vocabulary, version) != has_habit(habit, vocabulary, None)
        for habit in _SINCE
    )


def has_habit(habit: Habit, vocabulary: str, version: str | None) -> bool:
    """Whether layers of a file do something, by who wrote it."""
    releases = _SINCE[habit].get(vocabulary)
    if releases is None:
        return False
    first, end = releases
    return is_since(version, first) and not (end and is_since(version, end))
