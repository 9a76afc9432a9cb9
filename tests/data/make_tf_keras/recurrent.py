"""Genuine models of tf.keras: recurrent layers, cells, wrappers."""

from harness import (
    Input, L, Model, Sequential, V, V1, applied, case, floats, keras, offered, tf, whole
)

OPTIONS = (
    {}, {"return_sequences": True}, {"go_backwards": True}, {"use_bias": False}, {"unroll": True},
    {"go_backwards": True, "return_sequences": True}, {"implementation": 1}, {"activation": "relu"},
    {"dropout": 0.2, "recurrent_dropout": 0.1}, {"recurrent_activation": "sigmoid"},
    {"recurrent_activation": "hard_sigmoid"}, {"unit_forget_bias": False}, {"reset_after": True},
    {"reset_after": False, "return_sequences": True}, {"reset_after": True, "use_bias": False},
    {"implementation": 2, "recurrent_activation": "hard_sigmoid"}, {"return_state": True},
    {"time_major": False},
)  # fmt: skip


def options(name, where):
    def build():
        x = Input((6, 4))
        cls = getattr(where, name)
        return Model(x, applied(x, *[(lambda g=g: cls(3, **g)) for g in OPTIONS]))

    return build


for _name in ("SimpleRNN", "GRU", "LSTM"):
    for _where, _prefix in ((L, ""), (V1, "v1_")):
        if _where is L or (L is not V1 and _name != "SimpleRNN"):
            _build = options(_name, _where)
            _build.__name__ = _prefix + _name.lower()
            case()(_build)


@case()
def cudnn():
    """A CPU cannot run them."""
    x = Input((6, 4))
    h = V1.CuDNNLSTM(5, return_sequences=True)(x)
    h = V1.CuDNNGRU(3, return_sequences=True, go_backwards=True)(h)
    h = L.Bidirectional(V1.CuDNNLSTM(4))(h)
    return Model(x, h)


@case()
def cells():
    x = Input((6, 4))
    found = applied(
        x,
        lambda: L.RNN(L.LSTMCell(5)),
        lambda: L.RNN(L.GRUCell(5), return_sequences=True),
        lambda: L.RNN(L.GRUCell(3, reset_after=True), go_backwards=True),
        lambda: L.RNN(L.SimpleRNNCell(4, activation="relu", use_bias=False), return_state=True),
        lambda: L.RNN([L.LSTMCell(5), L.LSTMCell(3)]),
        lambda: L.RNN(
            L.StackedRNNCells([L.GRUCell(4), L.SimpleRNNCell(3), L.LSTMCell(2)]),
            return_sequences=True,
        ),
        lambda: L.RNN([L.GRUCell(4), L.GRUCell(3)], return_state=True),
        lambda: L.RNN(V1.LSTMCell(3)),
        lambda: L.RNN(V1.GRUCell(3), unroll=True),
    )
    return Model(x, found)


@case()
def masked():
    x = Input((6,))
    h = L.Embedding(7, 4, mask_zero=True)(x)
    found = applied(
        h, lambda: L.LSTM(5), lambda: L.GRU(5, return_sequences=True), lambda: L.SimpleRNN(3),
        lambda: L.RNN([L.GRUCell(5), L.GRUCell(3)], return_sequences=True),
        lambda: L.Bidirectional(L.LSTM(3, return_sequences=True)),
        lambda: L.Bidirectional(L.GRU(3)),
        lambda: L.TimeDistributed(L.Dense(2)),
        lambda: L.GlobalAveragePooling1D(),
        lambda: L.LSTM(3, go_backwards=True, return_sequences=True),
    )  # fmt: skip
    return Model(x, found), [whole((3, 6), 3)]


@case()
def bidirectional():
    x = Input((6, 4))
    back = {"go_backwards": True, "return_sequences": True}
    found = applied(
        x,
        lambda: L.Bidirectional(L.LSTM(5)),
        lambda: L.Bidirectional(L.LSTM(5, return_sequences=True), merge_mode="sum"),
        lambda: L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="mul"),
        lambda: L.Bidirectional(L.SimpleRNN(3), merge_mode="ave"),
        lambda: L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=None),
        lambda: L.Bidirectional(L.LSTM(3, return_state=True)),
        lambda: L.Bidirectional(L.RNN(L.GRUCell(3))),
        lambda: L.Bidirectional(L.LSTM(5, return_sequences=True), backward_layer=L.GRU(3, **back)),
        lambda: L.Bidirectional(V1.GRU(3)),
        lambda: L.Bidirectional(V1.LSTM(2, recurrent_activation="sigmoid"), name="both_ways"),
    )
    return Model(x, found)


@case()
def states():
    x, s = Input((6, 4)), Input((5,))
    found = offered(
        lambda: L.GRU(5)(x, initial_state=s),
        lambda: L.LSTM(5)(x, initial_state=[s, s]),
        lambda: L.SimpleRNN(5, return_sequences=True)(x, initial_state=s),
        lambda: V1.LSTM(5)(x, initial_state=[s, s]),
        lambda: L.Bidirectional(L.GRU(5))(x, initial_state=[s, s]),
    )
    _, h, c = L.LSTM(4, return_state=True)(x)
    found.append(L.LSTM(4, return_sequences=True)(x, initial_state=[h, c]))
    return Model([x, s], found)


@case()
def stateful():
    x = Input(batch_shape=(3, 6, 4))
    h = L.LSTM(5, stateful=True, return_sequences=True)(x)
    return Model(x, L.GRU(3, stateful=True)(h)), [floats((3, 6, 4))]


@case()
def conv_lstms():
    x, y, z = Input((3, 6, 2)), Input((3, 5, 6, 2)), Input((2, 3, 4, 5, 2))
    found = applied(
        y,
        lambda: L.ConvLSTM2D(3, (2, 3), strides=(1, 2)),
        lambda: L.ConvLSTM2D(2, 2, padding="same", return_sequences=True),
        lambda: L.ConvLSTM2D(2, 2, recurrent_activation="sigmoid", use_bias=False),
        lambda: L.ConvLSTM2D(2, 2, dilation_rate=2, return_state=True),
        lambda: L.Bidirectional(L.ConvLSTM2D(2, 2, padding="same")),
    )
    found += applied(x, lambda: L.ConvLSTM1D(3, 2, padding="same", return_sequences=True))
    found += applied(z, lambda: L.ConvLSTM3D(2, 2, padding="same"))
    used = [x, y, z] if V >= (2, 6) else [y]
    return Model(used, found)


@case()
def distributed():
    x = Input((3, 8, 7, 2))
    h = L.TimeDistributed(L.Conv2D(4, 3, activation="relu"))(x)
    h = L.TimeDistributed(L.BatchNormalization())(h)
    h = L.TimeDistributed(L.MaxPooling2D(2))(h)
    h = L.TimeDistributed(L.Activation("tanh"))(h)
    h = L.TimeDistributed(L.Dropout(0.3))(h)
    h = L.TimeDistributed(L.Flatten())(h)
    return Model(x, L.LSTM(4)(L.TimeDistributed(L.Dense(5))(h)))


@case()
def distributed_inside():
    x = Input((3, 5, 4))
    inner = Sequential([L.Conv1D(3, 2, input_shape=(5, 4)), L.GlobalMaxPooling1D()])
    found = applied(
        x,
        lambda: L.TimeDistributed(L.LSTM(3)),
        lambda: L.TimeDistributed(L.TimeDistributed(L.Dense(3))),
        lambda: L.TimeDistributed(L.Permute((2, 1))),
        lambda: L.TimeDistributed(L.Bidirectional(L.GRU(3))),
        lambda: L.TimeDistributed(inner),
    )
    return Model(x, found)


@case(since=(2, 0))
def ragged_words():
    """A text classifier as tutorials have it."""
    model = Sequential([
        L.Embedding(20, 6, input_length=7), L.Conv1D(5, 3, activation="relu"), L.MaxPooling1D(2),
        L.Bidirectional(L.LSTM(4)), L.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.build((None, 7))
    return model, [whole((3, 7), 20)]
