"""Genuine models of Keras 1.2.2: recurrent layers, masks, wrappers, nested and shared models.

    KERAS_BACKEND=theano python keras1_models.py OUT th|tf [CASE ...]
"""

from both import fan
from harness import FIRST, absent, case, channels, image, indices, main
from keras import layers as L
from keras.layers import Input
from keras.models import Model, Sequential


RNNS = {"SimpleRNN": L.SimpleRNN, "GRU": L.GRU, "LSTM": L.LSTM}


# ---- recurrent -----------------------------------------------------------------------------------


def recurrent(kind):
    def build():
        given = [
            {},
            {"return_sequences": True},
            {"go_backwards": True},
            {"go_backwards": True, "return_sequences": True, "unroll": True},
            {"consume_less": "mem", "return_sequences": True},
            {"consume_less": "gpu"},
            {"consume_less": "gpu", "return_sequences": True, "go_backwards": True},
            {"activation": "relu", "dropout_W": 0.2, "dropout_U": 0.1, "W_regularizer": "l2"},
            {"activation": "softmax", "return_sequences": True},
            {"activation": "elu"},
            {"activation": "softsign"},
        ]
        if kind != "SimpleRNN":
            given += [{"inner_activation": "sigmoid"}, {"inner_activation": "softmax"}]
        if kind == "LSTM":
            given += [{"forget_bias_init": "zero"}]
        return fan(Input((7, 5)), [RNNS[kind](4, **said) for said in given])

    return build


def masked(kind):
    def build():
        x = Input((7, 5))
        m = L.Masking(0.5)(x)
        given = [
            {},
            {"return_sequences": True},
            {"go_backwards": True, "return_sequences": True},
            {"unroll": True, "return_sequences": True},
            {"consume_less": "gpu"},
        ]
        one = [RNNS[kind](4, **said)(m) for said in given]
        two = L.LSTM(3)(RNNS[kind](4, return_sequences=True)(m))
        three = L.GRU(3)(RNNS[kind](4, return_sequences=True, go_backwards=True)(m))
        return Model(x, one + [two, three]), absent((7, 5), 0.5)

    return build


def stateful(kind):
    def build():
        model = Sequential()
        model.add(RNNS[kind](4, stateful=True, return_sequences=True, batch_input_shape=(3, 7, 5)))
        model.add(RNNS[kind](3, stateful=True, go_backwards=True, consume_less="gpu"))
        return model, [(7, 5)]

    return build


def in_two_directions(kind):
    def build():
        x = Input((7, 5))
        modes = ["sum", "mul", "ave", "concat"]
        found = [L.Bidirectional(RNNS[kind](4), merge_mode=m)(x) for m in modes]
        found += [
            L.Bidirectional(RNNS[kind](3, return_sequences=True), merge_mode=m)(x) for m in modes
        ]
        found += [L.Bidirectional(RNNS[kind](3, consume_less="gpu"))(x)]
        found += [L.Bidirectional(RNNS[kind](3, go_backwards=True, return_sequences=True))(x)]
        return Model(x, found)

    return build


def in_two_directions_masked(kind):
    def build():
        x = Input((9,), dtype="int32")
        h = L.Embedding(11, 5, mask_zero=True)(x)
        found = [L.Bidirectional(RNNS[kind](4))(h)]
        s = L.Bidirectional(RNNS[kind](3, return_sequences=True))(h)
        found += [s, L.LSTM(2)(s), L.Bidirectional(RNNS[kind](2))(s)]
        return Model(x, found + [L.TimeDistributed(L.Dense(3))(s)]), indices(11, 9, pad=5)

    return build


for _kind in RNNS:
    for _function in (recurrent, masked, stateful, in_two_directions, in_two_directions_masked):
        _build = _function(_kind)
        _build.__name__ = "g_%s_%s" % (_function.__name__, _kind.lower())
        case("tf")(_build)


@case(backend="theano")
def g_convlstm():
    x = Input((4,) + image(6, 7, 2))
    found = [
        L.ConvLSTM2D(3, 2, 3, border_mode="same")(x),
        L.ConvLSTM2D(3, 3, 3, border_mode="same", return_sequences=True, go_backwards=True)(x),
        L.ConvLSTM2D(3, 3, 2, border_mode="same", inner_activation="sigmoid", activation="relu")(x),
    ]
    h = L.BatchNormalization(axis=2 if FIRST else -1)(found[1])
    return Model(x, found + [L.ConvLSTM2D(2, 3, 3, border_mode="same")(h)])


# ---- masks ---------------------------------------------------------------------------------------


@case("tf")
def g_masks_kept():
    x = Input((7, 5))
    h = L.Masking(0.5)(x)
    for layer in (
        L.Activation("tanh"), L.Dropout(0.3), L.LeakyReLU(), L.TimeDistributed(L.Dense(5)),
        L.GaussianNoise(0.1), L.ELU(), L.PReLU(), L.ThresholdedReLU(0.1), L.GaussianDropout(0.2),
        L.TimeDistributedDense(4), L.ParametricSoftplus(), L.SReLU(),
    ):  # fmt: skip
        h = layer(h)
    return Model(x, [h, L.LSTM(3)(h), L.GRU(3, return_sequences=True)(h)]), absent((7, 5), 0.5)


@case("tf", backend="theano")
def g_masks_past_steps():
    """TimeDistributed gives its layer no mask, and what the layer makes of one is not seen."""
    x = Input((5, 4, 3))
    h = L.TimeDistributed(L.LSTM(2))(L.TimeDistributed(L.Masking(0.5))(x))
    given = absent((5, 4, 3), 0.5)
    given[:, 3, 2:] = 0.5
    m = L.SReLU()(L.ParametricSoftplus()(L.Masking(0.5)(L.Reshape((20, 3))(x))))
    return Model(x, [h, L.GRU(2)(h), L.SimpleRNN(2)(m)]), given


@case("tf")
def g_masks_merged():
    x, y, z = Input((7, 5)), Input((7, 5)), Input((7, 5))
    a, b = L.Masking(0.5)(x), L.Masking(0.0)(y)
    found = [L.LSTM(3)(L.merge([a, b], mode=mode)) for mode in ("sum", "mul", "ave", "concat")]
    found += [L.LSTM(3)(L.merge([a, z], mode="sum")), L.LSTM(2)(L.merge([z, b], mode="mul"))]
    found += [L.LSTM(2)(L.merge([a, z], mode="concat"))]
    return Model([x, y, z], found), [absent((7, 5), 0.5), absent((7, 5))[::-1].copy(), (7, 5)]


@case("tf")
def g_masks_joined_in_time():
    x, y = Input((7, 5)), Input((6, 5))
    a, b = L.Masking(0.5)(x), L.Masking(0.0)(y)
    joined = L.merge([a, b], mode="concat", concat_axis=1)
    found = [L.LSTM(3, return_sequences=True)(joined)]
    return Model([x, y], found), [absent((7, 5), 0.5), absent((6, 5))[::-1].copy()]


@case("tf")
def g_masks_dropped():
    x = Input((9,), dtype="int32")
    h = L.Embedding(11, 5, mask_zero=True, dropout=0.2)(x)
    r = L.LSTM(3, return_sequences=True)(L.RepeatVector(6)(L.LSTM(4)(h)))
    return Model(x, [r, L.LSTM(3, go_backwards=True)(h)]), indices(11, 9, pad=5)


@case("tf", backend="theano")
def g_masks_distributed_models():
    inner = Sequential([L.Embedding(11, 5, mask_zero=True, input_length=9), L.LSTM(4)])
    x = Input((4, 9), dtype="int32")
    return Model(x, L.GRU(3)(L.TimeDistributed(inner)(x))), indices(11, 4, 9, pad=5)


# ---- wrappers, nesting, sharing ------------------------------------------------------------------


@case(backend="theano")
def g_distributed():
    x = Input((3,) + image(5, 6, 2))
    h = L.TimeDistributed(L.Convolution2D(3, 2, 3, border_mode="same", activation="relu"))(x)
    h = L.TimeDistributed(L.BatchNormalization(axis=channels()))(h)
    h = L.TimeDistributed(L.MaxPooling2D((2, 3)))(h)
    found = [h, L.TimeDistributed(L.GlobalAveragePooling2D())(h)]
    h = L.TimeDistributed(L.Flatten())(h)
    h = L.TimeDistributed(L.Dense(5))(h)
    return Model(x, found + [L.LSTM(4)(h), L.TimeDistributed(L.Reshape((5, 1)))(h)])


@case()
def g_distributed_model():
    inner = Sequential()
    inner.add(L.Convolution2D(3, 2, 3, input_shape=image(5, 6, 2)))
    inner.add(L.PReLU())
    inner.add(L.Flatten())
    inner.add(L.Dense(4))
    x = Input((3,) + image(5, 6, 2))
    h = L.TimeDistributed(inner)(x)
    return Model(x, [L.LSTM(4, return_sequences=True)(h), L.GRU(2)(h)])


@case("tf")
def g_distributed_deep():
    x = Input((2, 3, 4, 5))
    h = L.TimeDistributed(L.TimeDistributed(L.TimeDistributedDense(3)))(x)
    h = L.TimeDistributed(L.TimeDistributed(L.GRU(2)))(h)
    return Model(x, L.TimeDistributed(L.Bidirectional(L.LSTM(3)))(h))


@case()
def g_shared():
    a, b = Input(image(6, 7, 3)), Input(image(6, 7, 3))
    conv, flat, dense = L.Convolution2D(4, 3, 2, activation="relu"), L.Flatten(), L.Dense(5)
    ends = [dense(flat(conv(x))) for x in (a, b)]
    return Model([a, b], [L.merge(ends, mode="cos"), L.merge(ends, mode="concat")])


@case(backend="theano")
def g_nested():
    deepest = Sequential()
    deepest.add(L.Convolution2D(3, 2, 2, input_shape=image(6, 7, 2)))
    deepest.add(L.BatchNormalization(axis=channels()))
    a = Input(image(6, 7, 2))
    middle = Model(a, [L.Flatten()(deepest(a)), L.GlobalMaxPooling2D()(deepest(a))])
    x, y = Input(image(6, 7, 2)), Input(image(6, 7, 2))
    one, two = middle(x), middle(y)
    found = L.merge([one[0], two[1]], mode="concat")
    return Model([x, y], [L.Dense(3)(found), L.Dense(2)(L.merge([one[1], two[1]])), two[0]])


@case()
def g_names():
    x = Input(image(6, 7, 2), name="the input/x")
    h = L.Convolution2D(3, 2, 2, name="block1/conv_1")(x)
    h = L.PReLU(name="block1/act")(h)
    h = L.Flatten(name="flat.1")(h)
    return Model(x, L.Dense(3, name="out.put-1")(h), name="my_model")


@case("tf")
def g_multiple_inputs():
    a, b = Input((7, 5), name="sequence"), Input((3,), name="facts")
    h = L.merge([L.LSTM(4)(a), L.Dense(3)(b)], mode="concat")
    h = L.Dense(4, activation="relu")(h)
    return Model([b, a], [L.Dense(2, activation="softmax")(h), L.Dense(1)(h), h])


@case("tf")
def g_embedding():
    x = Input((6,), dtype="int32")
    y = Input((2, 3), dtype="int32")
    found = [L.Embedding(9, 4, input_length=6)(x), L.Embedding(9, 3)(y)]
    found += [L.Flatten()(L.Embedding(9, 2, input_length=6)(x))]
    return Model([x, y], found), [indices(9, 6), indices(9, 2, 3)]


if __name__ == "__main__":
    main()
