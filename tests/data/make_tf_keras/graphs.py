"""Genuine models of tf.keras: graphs, nested models, operations of TensorFlow as layers."""

import numpy as np
from harness import Input, K, L, Model, Sequential, V, case, floats, keras, offered, tf, whole


@case()
def nested():
    a = Input((5, 4, 3))
    inner = Model(a, L.Dense(3)(L.Flatten()(L.Conv2D(2, 2)(a))), name="inner")
    shared = Sequential([L.Dense(4, activation="relu", input_shape=(3,)), L.Dense(3)], name="shared")
    x, y = Input((5, 4, 3), name="left"), Input((5, 4, 3), name="right")
    h, g = inner(x), inner(y)
    return Model([x, y], [L.Subtract()([shared(h), g]), shared(g)], name="outer")


@case()
def nested_first():
    """A model as the first layer of a Sequential, one part frozen."""
    a = Input((8, 7, 3))
    h = L.BatchNormalization()(L.Conv2D(4, 3)(a))
    base = Model(a, L.DepthwiseConv2D(2)(L.ReLU(6.0)(h)), name="base")
    base.layers[1].trainable = False
    return Sequential([base, L.GlobalAveragePooling2D(), L.Dense(2)], name="classifier")


@case()
def nested_deep():
    def block(width, name):
        x = Input((6, width))
        h = L.Conv1D(width, 3, padding="same", activation="relu")(x)
        return Model(x, L.Add()([x, h]), name=name)

    x = Input((6, 4))
    middle = Sequential([block(4, "one"), L.Dense(4), block(4, "two")], name="middle")
    return Model(x, middle(middle(x)))


@case()
def shared():
    x, y = Input((7,)), Input((7,))
    dense, norm = L.Dense(5), L.BatchNormalization()
    h, g = norm(dense(x)), norm(dense(y))
    return Model([x, y], [L.Concatenate()([h, g]), dense(x)])


@case(since=(2, 0))
def dicts():
    x, y = Input((4,), name="b"), Input((3,), name="a")
    outputs = {"two": L.Dense(2)(x), "one": L.Dense(3)(L.Concatenate()([x, y]))}
    if V < (2, 2):
        return Model([x, y], [outputs["one"], outputs["two"]])
    model = Model({"b": x, "a": y}, outputs)
    if V < (2, 4):
        return model, [floats((3, 4)), floats((3, 3))]
    return model


@case()
def several_calls_of_a_list():
    x = Input((4, 6))
    h = L.Lambda(lambda t: t * 2.0, name="twice")(x)
    return Model(x, L.Dense(2)(h))


@case()
def arithmetic():
    x, y = Input((4, 5)), Input((4, 5))
    n = Input((4, 5), dtype="int32")
    row = np.array([0.5, -1.0, 2.0, 0.25, 3.0], "float32")
    makers = (
        lambda: x + y, lambda: x - y, lambda: x * y, lambda: x / (y + 9.0), lambda: 2.0 - x,
        lambda: 3.0 / (x + 9.0), lambda: x ** 2.0, lambda: -x, lambda: abs(x), lambda: 1.5 * x - 1.0,
        lambda: x // 0.3, lambda: x % 0.7, lambda: tf.maximum(x, y), lambda: tf.minimum(x, 0.3),
        lambda: tf.pow(tf.abs(x), 0.5), lambda: tf.math.squared_difference(x, y),
        lambda: x > 0.0, lambda: tf.less_equal(x, y), lambda: tf.equal(n, 3),
        lambda: tf.logical_not(x > 0.0), lambda: tf.logical_and(x > 0.0, y > 0.0),
        lambda: tf.cast(x > 0.0, tf.float32), lambda: tf.cast(n, "float32") * x,
        lambda: tf.sin(x), lambda: tf.cos(x), lambda: tf.exp(x), lambda: tf.tanh(x),
        lambda: tf.sigmoid(x), lambda: tf.nn.relu(x), lambda: tf.math.erf(x), lambda: tf.nn.relu6(x),
        lambda: tf.sqrt(tf.abs(x)), lambda: tf.math.rsqrt(tf.abs(x) + 1.0), lambda: tf.square(x),
        lambda: tf.nn.gelu(x), lambda: tf.clip_by_value(x, -0.5, 0.5), lambda: tf.nn.leaky_relu(x),
        lambda: tf.nn.softplus(x), lambda: tf.nn.swish(x), lambda: tf.zeros_like(x),
        lambda: tf.ones_like(x), lambda: tf.nn.elu(x), lambda: tf.floor(x), lambda: tf.math.ceil(x),
        lambda: tf.sign(x), lambda: tf.math.log1p(tf.abs(x)), lambda: tf.round(x),
        lambda: tf.add(x, y), lambda: tf.multiply(x, 0.5), lambda: tf.subtract(1.0, x),
        lambda: tf.divide(x, 2.0), lambda: tf.add_n([x, y, x]), lambda: x + row, lambda: x * row,
        lambda: tf.where(x > 0.2, x, y), lambda: tf.math.log(tf.abs(x) + 1.0),
        lambda: tf.nn.selu(x), lambda: tf.math.reciprocal(x + 9.0), lambda: tf.identity(x),
        lambda: tf.stop_gradient(x), lambda: tf.nn.softsign(x), lambda: tf.math.divide_no_nan(x, y),
        lambda: tf.nn.bias_add(x, row), lambda: tf.atan(x), lambda: tf.not_equal(n, 2),
        lambda: n + 2, lambda: n * n, lambda: tf.math.logical_xor(x > 0, y > 0),
    )  # fmt: skip
    data = [floats((3, 4, 5), 1), floats((3, 4, 5), 2), whole((3, 4, 5), 6)]
    return Model([x, y, n], offered(*makers)), data


@case()
def shapes():
    x, y, w = Input((4, 6)), Input((4, 6)), Input((3, 4, 6))
    makers = (
        lambda: tf.reshape(x, (-1, 3, 8)), lambda: tf.reshape(x, [-1, 24]),
        lambda: tf.transpose(x, (0, 2, 1)), lambda: tf.expand_dims(x, 1),
        lambda: tf.expand_dims(x, -1), lambda: tf.squeeze(tf.expand_dims(x, 1), axis=1),
        lambda: tf.concat([x, y], axis=1), lambda: tf.concat([x, y], -1),
        lambda: tf.stack([x, y], axis=1), lambda: tf.split(x, 2, axis=1),
        lambda: tf.split(x, [1, 3, 2], axis=-1), lambda: tf.unstack(x, axis=1),
        lambda: tf.reverse(x, axis=[1]), lambda: tf.roll(x, shift=2, axis=1),
        lambda: tf.tile(x, [1, 2, 3]),
        lambda: tf.pad(x, [[0, 0], [1, 2], [0, 3]]),
        lambda: tf.pad(x, [[0, 0], [1, 2], [2, 1]], "REFLECT"),
        lambda: tf.gather(x, [3, 0, 0], axis=1), lambda: x[:, 1], lambda: x[:, 1:3],
        lambda: x[:, ::2], lambda: x[:, -1, :3], lambda: x[:, tf.newaxis], lambda: x[..., 1:],
        lambda: x[:, :, None, 2:], lambda: x[:, ::-1],
        lambda: tf.cumsum(x, axis=1),
        lambda: tf.slice(x, [0, 1, 0], [-1, 2, 6]),
        lambda: tf.reduce_mean(x, axis=1), lambda: tf.reduce_mean(w, [1, 2], keepdims=True),
        lambda: tf.reduce_sum(x, axis=-1), lambda: tf.reduce_max(x, axis=1, keepdims=True),
        lambda: tf.reduce_min(x, -1), lambda: tf.reduce_prod(x, axis=1),
        lambda: tf.math.reduce_std(x, axis=1), lambda: tf.math.reduce_variance(x, axis=-1),
        lambda: tf.reduce_logsumexp(x, axis=1), lambda: tf.argmax(x, axis=-1),
        lambda: tf.argmin(x, axis=1), lambda: tf.nn.l2_normalize(x, axis=-1),
        lambda: tf.matmul(x, y, transpose_b=True), lambda: tf.nn.softmax(x),
        lambda: tf.one_hot(tf.argmax(x, axis=-1), 6),
        lambda: tf.linalg.matmul(w, w, transpose_b=True), lambda: tf.math.top_k(x, 2)[0],
        lambda: tf.reduce_any(x > 1.0, axis=-1), lambda: tf.norm(x, axis=-1),
        lambda: tf.linalg.norm(x, axis=1, keepdims=True), lambda: tf.sort(x, axis=-1),
        lambda: tf.nn.log_softmax(x), lambda: tf.einsum("abc,adc->abd", x, y),
        lambda: tf.reduce_mean(x, axis=[1, 2]), lambda: tf.broadcast_to(x[:, None], (3, 2, 4, 6)),
        lambda: tf.tensordot(x, floats((6, 3), 3), axes=1), lambda: tf.math.cumprod(x, axis=-1),
        lambda: tf.nn.moments(x, axes=[1]), lambda: tf.transpose(w, [0, 3, 1, 2]),
        lambda: tf.reduce_all(x > -1.0, axis=1), lambda: tf.meshgrid and x,
        lambda: tf.linalg.band_part(w, -1, 0), lambda: tf.gather(x, 2, axis=1),
    )  # fmt: skip
    data = [floats((3, 4, 6), 1), floats((3, 4, 6), 2), floats((3, 3, 4, 6), 3)]
    return Model([x, y, w], offered(*makers)), data


@case()
def images():
    x = Input((8, 10, 4))
    makers = [
        lambda: tf.nn.max_pool2d(x, 2, 2, "VALID"), lambda: tf.nn.avg_pool2d(x, 3, 2, "SAME"),
        lambda: tf.image.resize(x, (16, 20), method="nearest"),
        lambda: tf.nn.depth_to_space(x, 2), lambda: tf.nn.space_to_depth(x, 2),
        lambda: tf.image.flip_left_right(x), lambda: tf.image.rgb_to_grayscale(x[:, :, :, :3]),
    ]  # fmt: skip
    if V >= (2, 0):
        makers += [lambda: tf.image.resize(x, (4, 7)), lambda: tf.repeat(x, 2, axis=2)]
    return Model(x, [L.Conv2D(2, 3)(x)] + offered(*makers))


@case(since=(2, 0))
def further_functions():
    """What is not read yet: each is refused by name."""
    x, y = Input((8, 10, 4)), Input((8, 10, 4))
    kernel = floats((3, 3, 4, 2), 5)
    makers = (
        lambda: tf.nn.conv2d(x, kernel, 1, "SAME"), lambda: tf.image.per_image_standardization(x),
        lambda: tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID"), lambda: tf.nn.crelu(x),
        lambda: tf.compat.v1.image.resize_bilinear(x, (16, 20), align_corners=True),
        lambda: tf.nn.local_response_normalization(x), lambda: tf.image.central_crop(x, 0.5),
        lambda: tf.image.adjust_contrast(x, 2.0), lambda: tf.math.atan2(x, y),
        lambda: x[0:1] * 0.0 + x, lambda: K.dot(x, K.constant(floats((4, 3), 1))),
    )  # fmt: skip
    return Model([x, y], [L.Add()([x, y])] + offered(*makers))


@case()
def backend_functions():
    x, w = Input((4, 6)), Input((4, 6))
    makers = (
        lambda: K.mean(x, axis=1), lambda: K.sum(x, axis=-1, keepdims=True), lambda: K.relu(x),
        lambda: K.concatenate([x, w], axis=1), lambda: K.softmax(x), lambda: K.sqrt(K.abs(x)),
        lambda: K.batch_dot(x, w, axes=2), lambda: K.expand_dims(x, 1), lambda: K.l2_normalize(x, -1),
        lambda: K.permute_dimensions(x, (0, 2, 1)), lambda: K.reshape(x, (-1, 24)), lambda: K.square(x),
        lambda: K.clip(x, -0.5, 0.5), lambda: K.max(x, axis=1), lambda: K.hard_sigmoid(x),
        lambda: K.stack([x, w], axis=1), lambda: K.repeat_elements(x, 2, axis=1), lambda: K.exp(x),
        lambda: keras.activations.relu(x), lambda: keras.activations.swish(x),
        lambda: keras.activations.softmax(x, axis=1), lambda: keras.activations.selu(x),
        lambda: keras.activations.gelu(x, approximate=True), lambda: K.sigmoid(x), lambda: K.std(x, axis=1),
        lambda: keras.layers.add([x, w]),
    )  # fmt: skip
    return Model([x, w], offered(*makers))


@case()
def squeeze_excite():
    """An author's block of operators between layers."""
    x = Input((7, 8, 4))
    h = L.Conv2D(6, 3, padding="same", use_bias=False)(x)
    h = L.BatchNormalization()(h)
    h = h * tf.nn.relu6(h + 3.0) / 6.0
    s = tf.reduce_mean(h, axis=[1, 2], keepdims=True)
    s = L.Conv2D(6, 1, activation="sigmoid")(s)
    h = L.Flatten()(L.Conv2D(3, 2)(h * s))
    return Model(x, L.Dense(2)(h))


@case()
def rescaled_inside():
    """Operators at the border of the model and behind layers that are called twice."""
    x = Input((6,))
    dense = L.Dense(6)
    h = dense(x / 127.5 - 1.0)
    h = dense(h) + h
    return Model(x, tf.concat([h, h * 2.0], axis=-1))


@case(since=(2, 4))
def attention_by_hand():
    x = Input((5, 8))
    q, v = L.Dense(8)(x), L.Dense(8)(x)
    parts = [tf.transpose(tf.reshape(t, (-1, 5, 2, 4)), (0, 2, 1, 3)) for t in (q, v)]
    scores = tf.nn.softmax(tf.matmul(parts[0], parts[1], transpose_b=True) / 2.0)
    y = tf.reshape(tf.transpose(tf.matmul(scores, parts[1]), (0, 2, 1, 3)), (-1, 5, 8))
    return Model(x, L.LayerNormalization()(y + x + floats((1, 5, 8), 4)))


@case(since=(2, 4))
def patches():
    """A vision transformer's beginning, whose batch is counted."""
    x = Input((8, 8, 3))
    h = L.Conv2D(6, 4, strides=4)(x)
    h = tf.reshape(h, (tf.shape(h)[0], 4, 6))
    positions = L.Embedding(4, 6)(tf.range(4))
    return Model(x, L.Dense(2)(L.LayerNormalization()(h + positions)))


@case()
def losses_inside():
    x = Input((5,))
    h = L.Dense(4)(x)
    model = Model(x, L.Dense(2)(h))
    if V >= (2, 0):
        model.add_loss(tf.reduce_mean(h * h))
        model.add_metric(tf.reduce_sum(h), name="all", aggregation="mean")
    return model


@case(until=(2, 15))
def applications():
    one = keras.applications.MobileNetV2(alpha=0.35, input_shape=(32, 32, 3), weights=None, classes=5)
    return one, [floats((2, 32, 32, 3))]


@case(since=(2, 3))
def applications_efficient():
    one = keras.applications.EfficientNetB0(input_shape=(32, 32, 3), weights=None, classes=5)
    return one, [floats((2, 32, 32, 3), scale=50.0)]


@case(since=(2, 8))
def applications_small():
    one = keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3), weights=None, classes=5, minimalistic=False
    )
    return one, [floats((2, 32, 32, 3), scale=50.0)]


@case(since=(2, 10))
def applications_next():
    one = keras.applications.ConvNeXtTiny(input_shape=(32, 32, 3), weights=None, classes=5)
    return one, [floats((1, 32, 32, 3), scale=50.0)]
