"""Operations of Keras 3 over numbers that may be NaN, over ranks, and over vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import NEW, OLD, Kit, case


@case(NEW)
def ops_of_missing_numbers(k: Kit) -> Any:
    x, o = k.Input((4, 5)), k.ops
    over = (o.nansum, o.nanmean, o.nanmax, o.nanmin, o.nanprod, o.nanvar, o.nanstd)
    found = [
        f(x, axis=axis, keepdims=keep) for f in over for axis, keep in ((1, False), (-1, True))
    ]
    found += [o.nancumsum(x, axis=1), o.nancumprod(x, axis=-1), o.fmax(x, 0.1), o.fmin(x, -x + 1)]
    data = k.random((3, 4, 5))
    data[0, 1, 2] = data[1, :, 0] = data[2, 3] = np.nan
    return k.Model(x, found), [data]


@case(NEW)
def ops_of_ranks(k: Kit) -> Any:
    x, n, o = k.Input((4, 6)), k.Input((2, 6), dtype="int32"), k.ops
    m = k.Input((4, 3), dtype="int32")
    found = [
        o.percentile(x, 100 * q, axis=axis, method=how, keepdims=keep)
        for q, axis, how, keep in (
            (0.3, 1, "linear", False), (0.5, -1, "lower", True), (0.71, 1, "higher", False),
            (0.4, 2, "nearest", False), (1.0, 1, "linear", False), (0.35, -1, "midpoint", False),
        )
    ]  # fmt: skip
    found += [o.quantile(x, 0.3, axis=1), o.quantile(x, 0.7, axis=-1, method="lower")]
    found += [o.take_along_axis(x, n, axis=1), o.take_along_axis(x, m, axis=-1)]
    found += [o.searchsorted(np.array([-1.0, 0.0, 0.5], "float32"), o.sum(x, axis=(1, 2)))]
    found += [o.trapezoid(x, axis=1), o.trapezoid(x, dx=0.5), o.isin(n, [1, 3])]
    found += [
        o.sinc(x),
        o.signbit(x),
        o.ldexp(x, n[:, :1]),
        o.left_shift(n, 2),
        o.right_shift(n, 1),
    ]
    found += [o.real(x), o.imag(x), o.conj(x)]
    data = [k.random((3, 4, 6)), k.whole((3, 2, 6), 4), k.whole((3, 4, 3), 6, -6)]
    return k.Model([x, n, m], found), data


@case(NEW)
def ops_of_vectors(k: Kit) -> Any:
    x, y, o = k.Input((4, 3)), k.Input((4, 3)), k.ops
    found = [o.cross(x, y), o.dstack([x, y]), *o.hsplit(x, 2), *o.dsplit(x, 3), o.fliplr(x)]
    found += [*o.array_split(x, 3, axis=1)]
    # by two quarters Keras 3.15 on TensorFlow gives something else than on JAX
    found += [o.rot90(x, times, axes=(1, 2)) for times in (1, 3)]
    found += [*o.rfft(x), *o.fft((x, y))]
    return k.Model([x, y], found)


@case(NEW)
def ops_of_layers(k: Kit) -> Any:
    x, y, o = k.Input((6, 7, 4)), k.Input((8, 4)), k.ops
    four = np.array([0.5, 1.0, 2.0, 0.25], "float32")
    found = [
        o.max_pool(x, (2, 2)), o.average_pool(x, (2, 3), strides=1, padding="same"),
        o.max_pool(y, (3,), strides=(2,), padding="same"), o.average_pool(y, (2,)),
        o.adaptive_average_pool(x, (3, 2)), o.adaptive_max_pool(y, (3,)),
        o.batch_normalization(x, four, four + 1, axis=-1, offset=-four, scale=four, epsilon=0.01),
        o.layer_normalization(y, four, four - 1, epsilon=0.01), o.rms_normalization(y, four),
        o.layer_normalization(x, axis=(-2, -1)),
    ]  # fmt: skip
    return k.Model([x, y], found)


@case(OLD)
def tf_of_layers(k: Kit) -> Any:
    import tensorflow as tf

    x, y = k.Input((6, 7, 3)), k.Input((4, 3))
    three = np.array([0.5, 1.0, 2.0], "float32")
    found = [
        tf.image.per_image_standardization(x), tf.image.crop_to_bounding_box(x, 1, 2, 3, 4),
        tf.image.pad_to_bounding_box(x, 1, 2, 9, 12), tf.math.reduce_euclidean_norm(y, axis=1),
        tf.math.erfc(y), tf.math.rint(y), tf.math.atan2(y, y + 0.5),
        tf.math.count_nonzero(y, axis=-1), tf.linalg.cross(y, 1.0 - y),
        tf.nn.batch_normalization(y, three, three + 1, -three, three, 0.01),
    ]  # fmt: skip
    return k.Model([x, y], found)
