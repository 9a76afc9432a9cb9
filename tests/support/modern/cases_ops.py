"""Operations on tensors in functional graphs: of Keras 3, and of TensorFlow in tf.keras."""

from __future__ import annotations

from typing import Any

from cases import NEW, OLD, Kit, case


@case(NEW)
def ops_functions(k: Kit) -> Any:
    x, o = k.Input((4, 5)), k.ops
    names = "sin cos tan arctan sinh cosh arcsinh erf floor ceil sign expm1 exp negative absolute "
    names += (
        "square sigmoid tanh relu relu6 silu softplus softsign hard_sigmoid hard_silu elu selu "
    )
    names += "celu gelu leaky_relu log_sigmoid hard_tanh mish tanh_shrink soft_shrink hard_shrink "
    names += "sparse_plus squareplus sparse_sigmoid isnan isfinite deg2rad rad2deg"
    found = [getattr(o, name)(x) for name in names.split() if hasattr(o, name)]
    small = o.clip(x, -0.9, 0.9)
    found += [o.arcsin(small), o.arccos(small), o.arctanh(small), o.log1p(o.abs(x))]
    found += [o.sqrt(o.abs(x)), o.rsqrt(o.abs(x) + 1), o.log(o.abs(x) + 1), o.reciprocal(x + 9)]
    found += [
        o.arccosh(o.abs(x) + 1.1),
        o.threshold(x, 0.1, -3.0),
        o.glu(o.concatenate([x, x], axis=1), axis=1),
    ]
    return k.Model(x, found)


@case(NEW)
def ops_arithmetic(k: Kit) -> Any:
    x, y, o = k.Input((4, 5)), k.Input((4, 5)), k.ops
    n, m = k.Input((4, 5), dtype="int32"), k.Input((4, 1))
    row = k.keras.ops.convert_to_tensor([0.5, -1.0, 2.0, 0.25, 3.0])
    found = [x + y, x - y, x * y, x / (y + 9), 2 - x, 3 / (x + 9), x**2, o.abs(x) ** y, 1.5 * x - 1]
    found += [o.maximum(x, y), o.minimum(x, 0.3), o.maximum(0.1, x), x * m, x + m, -x]
    found += [x // 0.3, x % 0.7, o.floor_divide(x, y), o.mod(n, 3), n + 2, n * n, n // 2]
    found += [o.add(x, row), o.multiply(x, row), o.subtract(x, row), o.power(o.abs(x), 0.5)]
    found += [o.where(x > 0.2, x, y), o.where(x < y, 1.0, x), o.where(o.equal(n, 2), x, 0.0)]
    found += [x > 0, x >= y, x < y, x <= 0.5, o.equal(n, 3), o.not_equal(n, m)]
    found += [o.logical_and(x > 0, y > 0), o.logical_or(x > 0, y > 0), o.logical_not(x > 0)]
    found += [o.logical_xor(x > 0, y > 0), o.cast(n, "float32") * x, o.cast(x > 0, "float32")]
    found += [o.cast(3 * x, "int32"), o.zeros_like(x) + 1, o.ones_like(n), o.full_like(x, 2.5)]
    data = [k.random((3, 4, 5)), k.random((3, 4, 5)), k.whole((3, 4, 5), 6), k.random((3, 4, 1))]
    return k.Model([x, y, n, m], found), data


@case(NEW)
def ops_reductions(k: Kit) -> Any:
    x, o = k.Input((4, 5, 3)), k.ops
    found = [
        f(x, axis=axis, keepdims=keep)
        for f in (o.mean, o.sum, o.max, o.min, o.prod, o.std, o.var, o.logsumexp)
        for axis, keep in ((1, False), ((1, 2), True), (-1, True))
    ]
    found += [o.any(x > 1, axis=-1), o.all(x > -1, axis=1)]
    found += [o.argmax(x, axis=-1), o.argmin(x, axis=1), o.cumsum(x, axis=1)]
    found += [*o.moments(x, axes=[1]), o.amax(x, axis=2), o.normalize(x), *o.top_k(x, 2)]
    found += [o.sort(x), o.argsort(x), o.softmax(x, axis=1), o.log_softmax(x)]
    return k.Model(x, found)


@case(NEW)
def ops_shapes(k: Kit) -> Any:
    x, y, o = k.Input((4, 6)), k.Input((4, 6)), k.ops
    w = k.Input((3, 4, 6))
    found = [
        o.reshape(x, (-1, 3, 8)),
        o.reshape(x, (-1, 24)),
        o.transpose(x, (0, 2, 1)),
        o.expand_dims(x, 1),
        o.squeeze(o.expand_dims(x, 1), 1),
        o.concatenate([x, y], axis=1),
        o.stack([x, y], axis=1),
        o.stack([x, y], axis=-1),
        *o.split(x, 2, axis=1),
        *o.split(x, [1, 4], axis=-1),
        *o.unstack(x, axis=1),
        o.flip(x, axis=1),
        o.flip(x, axis=[1, 2]),
        o.roll(x, 2, axis=1),
        o.repeat(x, 2, axis=2),
        o.repeat(x, 3, axis=1),
        o.tile(x, (1, 2, 3)),
        o.pad(x, ((0, 0), (1, 2), (0, 3))),
        o.pad(x, ((0, 0), (1, 2), (0, 3)), constant_values=2.0),
        o.pad(x, ((0, 0), (1, 2), (2, 1)), mode="reflect"),
        o.pad(x, ((0, 0), (1, 2), (2, 1)), mode="symmetric"),
        o.swapaxes(w, 1, 3),
        o.moveaxis(w, 1, -1),
        o.broadcast_to(o.expand_dims(x, 1), (3, 2, 4, 6)),
        o.take(x, [3, 0, 0], axis=1),
        o.take(x, [[1, 2], [5, 0]], axis=2),
        o.take(x, 2, axis=1),
        x[:, 1],
        x[:, 1:3],
        x[:, ::2],
        x[:, ::-1],
        x[..., 1:],
        x[:, -1, :3],
        x[:, None],
        x[:, :, None, 2:],
        o.tril(w),
        o.triu(w, k=1),
        o.append(x, y, axis=1),
        o.hstack([x, y]),
        o.slice(x, (0, 1, 2), (3, 2, 3)),
    ]
    return k.Model([x, y, w], found), [
        k.random((3, 4, 6)),
        k.random((3, 4, 6)),
        k.random((3, 3, 4, 6)),
    ]


@case(NEW)
def ops_products(k: Kit) -> Any:
    x, y, o = k.Input((4, 6)), k.Input((6, 5)), k.ops
    w, v = k.Input((2, 4, 6)), k.Input((2, 6, 3))
    table = k.random((6, 3))
    found = [
        o.matmul(x, y),
        o.matmul(w, v),
        x @ y,
        o.einsum("bij,bjk->bki", x, y),
        o.einsum("bhij,bhjk->bhik", w, v),
        o.einsum("bij,bij->bi", x, x),
        o.einsum("bij->bji", x),
        o.einsum("...ij,...jk->...ik", w, v),
        o.one_hot(o.argmax(x, axis=-1), 6),
        o.matmul(x, o.transpose(x, (0, 2, 1))),
        o.tensordot(x, k.ops.convert_to_tensor(table), axes=1),
    ]
    data = [
        k.random((3, 4, 6)),
        k.random((3, 6, 5)),
        k.random((3, 2, 4, 6)),
        k.random((3, 2, 6, 3)),
    ]
    return k.Model([x, y, w, v], found), data


@case(NEW)
def ops_attention(k: Kit) -> Any:
    """An attention that an author wrote by operations."""
    x, o = k.Input((5, 8)), k.ops
    q, v = k.L.Dense(8)(x), k.L.Dense(8)(x)
    heads = [o.transpose(o.reshape(t, (-1, 5, 2, 4)), (0, 2, 1, 3)) for t in (q, v)]
    scores = o.softmax(o.matmul(heads[0], o.transpose(heads[1], (0, 1, 3, 2))) / 2.0)
    y = o.reshape(o.transpose(o.matmul(scores, heads[1]), (0, 2, 1, 3)), (-1, 5, 8))
    position = o.expand_dims(o.convert_to_tensor(k.random((5, 8))), 0)
    return k.Model(x, k.L.LayerNormalization()(y + x + position))


@case(NEW)
def ops_images(k: Kit) -> Any:
    x, o = k.Input((6, 8, 4)), k.ops
    h = k.L.Conv2D(4, 3, padding="same")(x)
    squeezed = o.mean(h, axis=(1, 2), keepdims=True)
    h = h * k.L.Conv2D(4, 1, activation="sigmoid")(squeezed)
    h = o.concatenate([h, o.flip(x, axis=2), o.relu(x - 0.2)], axis=-1)
    h = o.pad(h, ((0, 0), (1, 1), (2, 2), (0, 0)))
    h = k.L.Conv2D(3, 3)(h)
    return k.Model(x, [o.max(h, axis=(1, 2)), h[:, 1:-1, ::2], o.argmax(h, axis=-1)])


@case(OLD)
def tf_arithmetic(k: Kit) -> Any:
    import tensorflow as tf

    x, y = k.Input((4, 5)), k.Input((4, 5))
    n = k.Input((4, 5), dtype="int32")
    found = [x + y, x - y, x * y, x / (y + 9.0), 2.0 - x, 3.0 / (x + 9.0), x**2.0, -x, abs(x)]
    found += [x // 0.3, x % 0.7, tf.maximum(x, y), tf.minimum(x, 0.3), tf.pow(tf.abs(x), y)]
    found += [tf.math.squared_difference(x, y), tf.where(x > 0.2, x, y), tf.where(x < y, 1.0, x)]
    found += [x > 0.0, tf.less_equal(x, y), tf.equal(n, 3), tf.logical_not(x > 0.0)]
    found += [tf.logical_and(x > 0.0, y > 0.0), tf.cast(x > 0.0, tf.float32), tf.cast(n, "float32")]
    found += [
        tf.sin(x),
        tf.cos(x),
        tf.exp(x),
        tf.tanh(x),
        tf.sigmoid(x),
        tf.nn.relu(x),
        tf.erf(x) if hasattr(tf, "erf") else tf.math.erf(x),
    ]
    found += [tf.sqrt(tf.abs(x)), tf.math.rsqrt(tf.abs(x) + 1.0), tf.square(x), tf.nn.gelu(x)]
    found += [
        tf.clip_by_value(x, -0.5, 0.5),
        tf.nn.leaky_relu(x),
        tf.nn.softplus(x),
        tf.nn.swish(x),
    ]
    found += [tf.zeros_like(x), tf.ones_like(x), tf.nn.elu(x)]
    found += [tf.floor(x), tf.math.ceil(x), tf.sign(x), tf.math.log1p(tf.abs(x)), tf.round(x)]
    return k.Model([x, y, n], found), [
        k.random((3, 4, 5)),
        k.random((3, 4, 5)),
        k.whole((3, 4, 5), 6),
    ]


@case(OLD)
def tf_shapes(k: Kit) -> Any:
    import tensorflow as tf

    x, y = k.Input((4, 6)), k.Input((4, 6))
    w = k.Input((3, 4, 6))
    found = [
        tf.reshape(x, (-1, 3, 8)),
        tf.reshape(x, [-1, 24]),
        tf.transpose(x, (0, 2, 1)),
        tf.expand_dims(x, 1),
        tf.expand_dims(x, -1),
        tf.squeeze(tf.expand_dims(x, 1), axis=1),
        tf.concat([x, y], axis=1),
        tf.concat([x, y], -1),
        tf.stack([x, y], axis=1),
        *tf.split(x, 2, axis=1),
        *tf.split(x, [1, 3, 2], axis=-1),
        *tf.unstack(x, axis=1),
        tf.reverse(x, axis=[1]),
        tf.roll(x, shift=2, axis=1),
        tf.repeat(x, 2, axis=2),
        tf.tile(x, [1, 2, 3]),
        tf.pad(x, [[0, 0], [1, 2], [0, 3]]),
        tf.pad(x, [[0, 0], [1, 2], [2, 1]], "REFLECT"),
        tf.gather(x, [3, 0, 0], axis=1),
        x[:, 1],
        x[:, 1:3],
        x[:, ::2],
        x[:, -1, :3],
        x[:, tf.newaxis],
        tf.cumsum(x, axis=1),
    ]
    found += [
        f(x, axis=axis, keepdims=keep)
        for f in (
            tf.reduce_mean,
            tf.reduce_sum,
            tf.reduce_max,
            tf.reduce_min,
            tf.reduce_prod,
            tf.math.reduce_std,
            tf.reduce_logsumexp,
        )
        for axis, keep in ((1, False), ([1, 2], True), (-1, True))
    ]
    found += [tf.argmax(x, axis=-1), tf.argmin(x, axis=1), tf.nn.l2_normalize(x, axis=-1)]
    found += [tf.matmul(x, y, transpose_b=True), tf.nn.softmax(x)]
    found += [tf.one_hot(tf.argmax(x, axis=-1), 6), tf.linalg.matmul(w, w, transpose_b=True)]
    found += [
        tf.math.top_k(x, 2)[0],
        tf.reduce_any(x > 1.0, axis=-1),
        tf.norm(x, axis=-1) if False else x,
    ]
    return k.Model([x, y, w], found), [
        k.random((3, 4, 6)),
        k.random((3, 4, 6)),
        k.random((3, 3, 4, 6)),
    ]


@case(OLD)
def tf_images(k: Kit) -> Any:
    """TensorFlow's functions on images, and some that read like them."""
    import tensorflow as tf

    x = k.Input((4, 6, 4))
    p = tf.nn.max_pool2d(x, 3, 2, "SAME")
    s = tf.image.flip_left_right(tf.nn.depth_to_space(p, 2))
    found = [
        s,
        tf.nn.avg_pool2d(s, 2, 1, "VALID"),
        tf.nn.space_to_depth(x, 2),
        tf.image.resize(x, (5, 4)),
        tf.image.resize(x, (8, 12), method="nearest"),
        tf.image.flip_up_down(x),
        tf.image.rgb_to_grayscale(x[:, :, :, :3]),
        tf.linalg.band_part(x, -1, 0),
        tf.linalg.band_part(x, 0, -1),
        tf.math.divide_no_nan(x, tf.nn.relu(x)),
        tf.math.add_n([x, 2.0 * x, x]),
        tf.norm(x, axis=-1),
        tf.sort(x, axis=-1),
        tf.strided_slice(
            x, [0, 1, 5, 0], [0, 4, 0, 2], [1, 2, -2, 1], begin_mask=1, end_mask=1,
            shrink_axis_mask=8,
        ),
    ]  # fmt: skip
    return k.Model(x, found)


@case(OLD)
def tf_patches(k: Kit) -> Any:
    """Windows as channels, of an image whose extents are no multiple of them."""
    import tensorflow as tf

    x = k.Input((9, 10, 3))
    h, ones = k.L.Conv2D(3, 3, padding="same")(x), [1] * 4
    found = [
        tf.image.extract_patches(h, [1, 2, 2, 1], [1, 2, 2, 1], ones, "VALID"),
        tf.image.extract_patches(
            images=x, sizes=[1, 3, 2, 1], strides=[1, 1, 2, 1], rates=[1, 2, 1, 1], padding="SAME"
        ),
        tf.compat.v1.image.extract_image_patches(
            x, ksizes=[1, 3, 3, 1], strides=[1, 3, 3, 1], rates=ones, padding="SAME"
        ),
        k.L.Dense(4)(tf.nn.space_to_depth(h[:, :8], 2)),
    ]
    return k.Model(x, found)


@case(OLD)
def tf_filters(k: Kit) -> Any:
    """Convolutions and pools of TensorFlow, with constant kernels."""
    import tensorflow as tf

    x, t, v = k.Input((9, 10, 4)), k.Input((9, 4)), k.Input((5, 6, 7, 2))
    kernel, steps = k.random((3, 3, 4, 5)), [1, 2, 2, 1]
    pads = [[0, 0], [1, 0], [2, 1], [0, 0]]
    found = [
        tf.nn.conv2d(x, kernel, 1, "VALID"),
        tf.nn.conv2d(x, filters=kernel, strides=steps, padding="SAME", name="stepping"),
        tf.nn.conv2d(x, kernel, strides=(1, 1), padding=pads, dilations=2),
        tf.nn.conv2d(x, k.random((3, 3, 2, 6)), 2, "SAME", "NHWC"),
        tf.nn.convolution(x, kernel, padding="SAME"),
        tf.nn.conv1d(t, k.random((3, 4, 5)), stride=2, padding="SAME"),
        tf.nn.conv3d(v, k.random((2, 3, 2, 2, 3)), [1, 1, 2, 1, 1], "VALID"),
        tf.nn.depthwise_conv2d(x, k.random((3, 3, 4, 2)), [1, 1, 1, 1], "SAME"),
        tf.nn.depthwise_conv2d(x, k.random((3, 3, 4, 1)), [1] * 4, "SAME", dilations=[2, 2]),
        tf.nn.separable_conv2d(x, k.random((3, 3, 4, 2)), k.random((1, 1, 8, 3)), [1] * 4, "VALID"),
        tf.nn.conv2d_transpose(
            x, k.random((3, 3, 5, 4)), [tf.shape(x)[0], 18, 20, 5], strides=2, padding="SAME"
        ),
        tf.nn.conv2d_transpose(
            x, k.random((3, 3, 5, 4)), (tf.shape(x)[0], 20, 22, 5), [1, 2, 2, 1], "VALID"
        ),
        tf.compat.v1.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME"),
        tf.nn.max_pool1d(t, 3, 2, "SAME"),
        tf.nn.avg_pool3d(v, 2, [1, 2, 1, 2, 1], "SAME"),
    ]
    return k.Model([x, t, v], found)


@case(OLD)
def tf_losses(k: Kit) -> Any:
    """Losses and metrics that a model adds to itself: operations behind which nothing is read."""
    import tensorflow as tf

    x = k.Input((5,))
    h = k.L.Dense(4)(x)
    model = k.Model(x, k.L.Dense(2)(h))
    model.add_loss(0.1 * tf.reduce_mean(tf.square(h)))
    model.add_metric(tf.reduce_max(h), name="largest", aggregation="mean")
    return model


@case(OLD)
def tf_extents(k: Kit) -> Any:
    import tensorflow as tf

    x = k.Input((None, 6))
    h = tf.reshape(x, (tf.shape(x)[0], -1, 2, 3))
    g = tf.reshape(h, (-1, tf.shape(x)[1], 6))
    return k.Model(x, [h, g])
