"""Genuine models of Keras 2.0 to 2.3: masks, wrappers, nested and shared models.

    KERAS_BACKEND=theano python keras2_models.py OUT th|tf [CASE ...]
"""

import both  # registers its cases
from harness import FIRST, VERSION, absent, case, channels, image, indices, main
from keras import layers as L
from keras.models import Model, Sequential


Input = L.Input
NEW = VERSION >= (2, 2)


# ---- masks ---------------------------------------------------------------------------------------


@case("tf")
def g_masks_kept():
    x = Input((7, 5))
    h = L.Masking(0.5)(x)
    for layer in (
        L.Dense(4), L.Activation("tanh"), L.Dropout(0.3), L.BatchNormalization(), L.LeakyReLU(),
        L.TimeDistributed(L.Dense(5)), L.GaussianNoise(0.1), L.ELU(), L.PReLU(),
        L.ActivityRegularization(0.1), L.SpatialDropout1D(0.2), L.ThresholdedReLU(0.1),
        L.GaussianDropout(0.2), L.AlphaDropout(0.1),
    ):  # fmt: skip
        h = layer(h)
    found = [h, L.LSTM(3)(h), L.GRU(3, return_sequences=True)(h)]
    return Model(x, found), absent((7, 5), 0.5)


@case("tf")
def g_masks_merged():
    x, y, z = Input((7, 5)), Input((7, 5)), Input((7, 5))
    a, b = L.Masking(0.5)(x), L.Masking(0.0)(y)
    found = []
    for merge in (L.Add(), L.Multiply(), L.Average(), L.Maximum(), L.Concatenate()):
        found.append(L.LSTM(3)(merge([a, b])))
    found.append(L.LSTM(3)(L.Add()([a, z])))
    found.append(L.LSTM(2)(L.Add()([z, b])))
    found.append(L.LSTM(2)(L.Concatenate()([a, z])))
    found.append(L.LSTM(2)(L.Concatenate()([a, a])))
    return Model([x, y, z], found), [absent((7, 5), 0.5), absent((7, 5))[::-1].copy(), (7, 5)]


@case("tf")
def g_masks_concatenated_in_time():
    x, y = Input((7, 5)), Input((6, 5))
    a, b = L.Masking(0.5)(x), L.Masking(0.0)(y)
    found = [L.LSTM(3, return_sequences=True)(L.Concatenate(axis=1)([a, b]))]
    return Model([x, y], found), [absent((7, 5), 0.5), absent((6, 5))[::-1].copy()]


@case("tf")
def g_masks_dropped():
    x = Input((9,), dtype="int32")
    h = L.Embedding(11, 5, mask_zero=True)(x)
    y = L.LSTM(4)(h)
    r = L.LSTM(3, return_sequences=True)(L.RepeatVector(6)(y))
    return Model(x, [r, L.LSTM(3, go_backwards=True)(h)]), indices(11, 9, pad=5)


@case("tf", since=(2, 2, 3))
def g_masks_pooled():
    x = Input((9,), dtype="int32")
    h = L.Embedding(11, 5, mask_zero=True)(x)
    found = [L.GlobalAveragePooling1D()(h), L.GlobalAveragePooling1D()(L.GRU(3, return_sequences=True)(h))]
    return Model(x, found), indices(11, 9, pad=5)


@case("tf")
def g_masks_distributed():
    x = Input((4, 9), dtype="int32")
    h = L.TimeDistributed(L.Embedding(11, 5))(x)
    h = L.TimeDistributed(L.LSTM(4))(h)
    return Model(x, L.GRU(3)(h)), indices(11, 4, 9, pad=5)


@case("tf", since=(2, 2))
def g_masks_distributed_models():
    inner = Sequential([L.Embedding(11, 5, mask_zero=True, input_length=9), L.LSTM(4)])
    x = Input((4, 9), dtype="int32")
    h = L.TimeDistributed(inner)(x)
    return Model(x, L.GRU(3)(h)), indices(11, 4, 9, pad=5)


@case("tf")
def g_masks_of_steps():
    """A step counts where anything of it does, from 2.2 on; before, no mask is seen."""
    x, y = Input((5, 4, 3)), Input((5,), dtype="int32")
    h = L.TimeDistributed(L.LSTM(2))(L.TimeDistributed(L.Masking(0.5))(x))
    both = L.Add()([h, L.Embedding(7, 2, mask_zero=True)(y)])
    given = absent((5, 4, 3), 0.5)
    given[:, 3, 2:] = 0.5
    return Model([x, y], [h, L.GRU(2)(h), L.SimpleRNN(2)(both)]), [given, indices(7, 5, pad=3)]


@case("tf")
def g_masks_into_models():
    a = Input((7, 5))
    inner = Model(a, L.GRU(4, return_sequences=True)(L.Dense(3)(a)))
    x = Input((7, 5))
    h = inner(L.Masking(0.5)(x))
    return Model(x, [h, L.LSTM(3)(h)]), absent((7, 5), 0.5)


# ---- wrappers, nesting, sharing ------------------------------------------------------------------


@case()
def g_distributed():
    x = Input((3,) + image(5, 6, 2))
    h = L.TimeDistributed(L.Conv2D(3, (2, 3), padding="same", activation="relu"))(x)
    h = L.TimeDistributed(L.BatchNormalization(axis=channels()))(h)
    h = L.TimeDistributed(L.MaxPooling2D((2, 3)))(h)
    found = [h, L.TimeDistributed(L.GlobalAveragePooling2D())(h)]
    h = L.TimeDistributed(L.Flatten())(h)
    h = L.TimeDistributed(L.Dense(5))(h)
    return Model(x, found + [L.LSTM(4)(h), L.TimeDistributed(L.Reshape((5, 1)))(h)])


@case()
def g_distributed_model():
    inner = Sequential()
    inner.add(L.Conv2D(3, (2, 3), input_shape=image(5, 6, 2), name="same_name"))
    inner.add(L.PReLU(shared_axes=[1, 2]))
    inner.add(L.Flatten())
    inner.add(L.Dense(4))
    x = Input((3,) + image(5, 6, 2))
    h = L.TimeDistributed(inner)(x)
    return Model(x, [L.LSTM(4, return_sequences=True)(h), L.GRU(2)(L.TimeDistributed(inner)(x))])


@case("tf")
def g_distributed_twice():
    """One layer in two wrappers, each of which stores it."""
    a, b, inner = Input((3, 4)), Input((2, 4)), L.Dense(2)
    return Model([a, b], [L.TimeDistributed(inner)(a), L.TimeDistributed(inner)(b)])


@case("tf")
def g_distributed_deep():
    x = Input((2, 3, 4, 5))
    h = L.TimeDistributed(L.TimeDistributed(L.TimeDistributed(L.Dense(3))))(x)
    h = L.TimeDistributed(L.TimeDistributed(L.GRU(2)))(h)
    h = L.TimeDistributed(L.Bidirectional(L.LSTM(3)))(h)
    return Model(x, h)


@case()
def g_shared():
    a, b = Input(image(6, 7, 3)), Input(image(6, 7, 3))
    conv, flat, dense = L.Conv2D(4, (3, 2), activation="relu"), L.Flatten(), L.Dense(5)
    ends = [dense(flat(conv(x))) for x in (a, b)]
    return Model([a, b], [L.Dot(1, normalize=True)(ends), L.Subtract()(ends) if NEW else L.Add()(ends)])


@case()
def g_nested():
    deepest = Sequential([L.Conv2D(3, 2, input_shape=image(6, 7, 2)), L.BatchNormalization(axis=channels())])
    a = Input(image(6, 7, 2))
    middle = Model(a, [L.Flatten()(deepest(a)), L.GlobalMaxPooling2D()(deepest(a))])
    x, y = Input(image(6, 7, 2)), Input(image(6, 7, 2))
    one, two = middle(x), middle(y)
    found = L.Concatenate()([one[0], two[1]])
    return Model([x, y], [L.Dense(3)(found), L.Dense(2)(L.Add()([one[1], two[1]])), two[0]])


@case()
def g_names():
    x = Input(image(6, 7, 2), name="the input/x")
    h = L.Conv2D(3, 2, name="block1/conv 1")(x)
    h = L.BatchNormalization(axis=channels(), name="block1/bn")(h)
    h = L.Flatten(name=u"fl\u00e4che")(h)
    return Model(x, L.Dense(3, name="out.put-1")(h), name="my model")


@case("tf")
def g_multiple_inputs():
    a, b = Input((7, 5), name="sequence"), Input((3,), name="facts")
    h = L.Concatenate()([L.LSTM(4)(a), L.Dense(3)(b)])
    h = L.Dense(4, activation="relu")(h)
    return Model([b, a], [L.Dense(2, activation="softmax")(h), L.Dense(1)(h), h])


@case("tf")
def g_embedding():
    x = Input((6,), dtype="int32")
    y = Input((2, 3), dtype="int32")
    found = [L.Embedding(9, 4, input_length=6)(x), L.Embedding(9, 3)(y), L.Flatten()(L.Embedding(9, 2)(x))]
    return Model([x, y], found), [indices(9, 6), indices(9, 2, 3)]


if __name__ == "__main__":
    main()
