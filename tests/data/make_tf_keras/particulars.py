"""Small models of tf.keras with what a release has of its own: the files of `tests/data/releases`."""

from harness import Input, L, Model, case, floats, tf, whole


@case(until=(2, 3))
def r_described_by_calls():
    """NumPy's numbers and arrays and TensorFlow's lists, in YAML; nodes of TensorFlow's graph."""
    x = Input((4, 3))
    h = L.BatchNormalization()(L.Dense(5)(x))
    h = L.ReLU(max_value=1.1, negative_slope=0.1, threshold=0.2)(h)
    one, two = tf.split(h, [1, 3], axis=1)
    h = tf.nn.leaky_relu(tf.concat([two[:, ::2, 1:], one[:, :, 1:]], axis=1), 0.3)
    return Model(x, tf.transpose(tf.stack([h, h * 1.5], axis=1), (0, 3, 1, 2)))


@case(since=(2, 4), until=(2, 5))
def r_before_2_6():
    """An attention that sees no mask; an infinite bin; RandomCrop."""
    q, x, n = Input((4,)), Input((5, 7, 2)), Input((3,))
    e = L.Embedding(5, 3, mask_zero=True)(q)
    h = L.GlobalAveragePooling1D()(L.MultiHeadAttention(1, 2, use_bias=False)(e, e))
    crop = L.experimental.preprocessing.RandomCrop(3, 4)(x)
    bins = L.experimental.preprocessing.Discretization([-0.5, 0.2])(n)
    data = [whole((3, 4), 3), floats((3, 5, 7, 2), 1), floats((3, 3), 2)]
    return Model([q, x, n], [h, crop, bins]), data
