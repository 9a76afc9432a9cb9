"""Graphs in which layers meet that regroup the same channels, or read whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import NEW, Kit, case


@case()
def grouped_twice(k: Kit) -> Any:
    """Groups of groups: alike, shuffled, and of other counts."""
    x, t, layers = k.Input((9, 9, 12)), k.Input((9, 12)), k.L
    h = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(12, 1, groups=3)(x)))
    shuffled = layers.Permute((1, 2, 4, 3))(layers.Reshape((9, 9, 3, 4))(h))
    h = layers.DepthwiseConv2D(3, padding="same")(layers.Reshape((9, 9, 12))(shuffled))
    other = layers.Conv2D(8, 3, groups=4)(layers.Conv2D(8, 3, groups=2)(h))
    normal = layers.GroupNormalization(4)(x)
    found = [
        layers.Conv2D(9, 1, groups=3)(h),
        layers.Dense(3)(layers.Flatten()(other)),
        layers.Conv2D(6, 3, groups=3)(normal),
        layers.LSTM(3)(layers.Conv1D(12, 3, groups=6)(layers.Conv1D(12, 3, groups=3)(t))),
    ]
    return k.Model([x, t], found)


@case(NEW)
def ops_of_whole_numbers(k: Kit) -> Any:
    x, o = k.Input((4,), dtype="int32"), k.ops
    found = [
        -x, o.abs(x), o.square(x), o.clip(x, -2, 3), o.relu(x), o.sign(x), o.exp(x), o.sqrt(x * x),
        o.floor(x), x // 3, x % 3, x * 2.5, x + 1, o.mean(x, axis=1),
        o.sum(x, axis=1), o.max(x, axis=-1), o.maximum(x, 1), o.power(x, 2), x / 2,
    ]  # fmt: skip
    return k.Model(x, found), [np.array([[-7, -1, 0, 2], [3, 5, -2, 9]], "int32")]
