"""Genuine models of Keras 2.0 to 2.3: recurrent layers and their options.

    KERAS_BACKEND=theano python keras2_recurrent.py OUT th|tf [CASE ...]
"""

from both import fan
from harness import FIRST, VERSION, absent, case, image, indices, main
from keras import backend as K, layers as L
from keras.models import Model, Sequential


Input = L.Input
RNNS = {"SimpleRNN": L.SimpleRNN, "GRU": L.GRU, "LSTM": L.LSTM}
NEW = VERSION >= (2, 2)


# ---- recurrent -----------------------------------------------------------------------------------


def options(kind):
    """Options of a recurrent layer, each its own layer."""
    found = [
        {},
        {"return_sequences": True},
        {"go_backwards": True},
        {"go_backwards": True, "return_sequences": True},
        {"use_bias": False},
        {"unroll": True, "return_sequences": True},
        {"implementation": 2, "return_sequences": True},
        {"implementation": 1},
        {"implementation": 0 if VERSION < (2, 1) else 1, "dropout": 0.2, "recurrent_dropout": 0.1},
        {"activation": "relu", "kernel_regularizer": "l2", "recurrent_constraint": "unit_norm"},
        {"activation": "linear"},
        {"activation": "softsign", "return_sequences": True},
        {"activation": "hard_sigmoid"},
        {"activation": "softmax"},
        {"activation": "softmax", "return_sequences": True},
        {"activation": "elu"},
    ]
    if kind != "SimpleRNN":
        found += [
            {"recurrent_activation": "sigmoid"},
            {"recurrent_activation": "sigmoid", "activation": "sigmoid"},
            {"recurrent_activation": "relu", "activation": "softplus"},
            {"recurrent_activation": "softmax"},
        ]
    if kind == "LSTM":
        found += [{"unit_forget_bias": False}]
    if kind == "GRU" and NEW:
        found += [
            {"reset_after": True},
            {"reset_after": True, "return_sequences": True, "use_bias": False},
            {"reset_after": True, "go_backwards": True, "implementation": 2},
            {"reset_after": True, "implementation": 1, "recurrent_activation": "sigmoid"},
        ]
    return found


def recurrent(kind):
    def build():
        x = Input((7, 5))
        return fan(x, [RNNS[kind](4, **given) for given in options(kind)])

    return build


def masked(kind):
    def build():
        x = Input((7, 5))
        m = L.Masking(0.5)(x)
        given = [
            {},
            {"return_sequences": True},
            {"go_backwards": True},
            {"go_backwards": True, "return_sequences": True},
            {"unroll": True, "return_sequences": True},
            {"unroll": True, "go_backwards": True},
            {"implementation": 2, "use_bias": False},
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
        model.add(RNNS[kind](3, stateful=True, go_backwards=True))
        return model, [(7, 5)]

    return build


def with_states(kind):
    def build():
        x, count = Input((7, 5)), 2 if kind == "LSTM" else 1
        states = [Input((4,)) for _ in range(count)]
        found = RNNS[kind](4, return_state=True, return_sequences=True)(x, initial_state=states)
        again = RNNS[kind](4)(found[0], initial_state=found[1:])
        back = RNNS[kind](4, go_backwards=True, return_state=True)(x, initial_state=states)
        return Model([x] + states, list(found) + [again] + list(back))

    return build


def in_two_directions(kind):
    def build():
        x = Input((7, 5))
        modes = ["sum", "mul", "ave", "concat"]
        found = [L.Bidirectional(RNNS[kind](4), merge_mode=m)(x) for m in modes]
        found += [
            L.Bidirectional(RNNS[kind](3, return_sequences=True), merge_mode=m)(x) for m in modes
        ]
        found += L.Bidirectional(RNNS[kind](3), merge_mode=None)(x)
        found += L.Bidirectional(RNNS[kind](3, return_sequences=True), merge_mode=None)(x)
        found += [L.Bidirectional(RNNS[kind](3, go_backwards=True))(x)]
        found += [L.Bidirectional(RNNS[kind](3, go_backwards=True, return_sequences=True))(x)]
        found += [L.Bidirectional(RNNS[kind](3, use_bias=False, activation="relu"))(x)]
        return Model(x, found)

    return build


def in_two_directions_masked(kind):
    def build():
        x = Input((9,), dtype="int32")
        h = L.Embedding(11, 5, mask_zero=True)(x)
        found = [L.Bidirectional(RNNS[kind](4))(h)]
        s = L.Bidirectional(RNNS[kind](3, return_sequences=True))(h)
        found += [s, L.LSTM(2)(s), L.Bidirectional(RNNS[kind](2))(s)]
        found += [L.TimeDistributed(L.Dense(3))(s)]
        return Model(x, found), indices(11, 9, pad=5)

    return build


for _kind in RNNS:
    for _function in (
        recurrent, masked, stateful, with_states, in_two_directions, in_two_directions_masked,
    ):  # fmt: skip
        _build = _function(_kind)
        _build.__name__ = "g_%s_%s" % (_function.__name__, _kind.lower())
        _where = ("tf",)
        case(*_where)(_build)


@case("tf")
def g_halves():
    x = Input((3, 2))
    found = list(L.Bidirectional(L.SimpleRNN(3), merge_mode=None)(x))
    return Model(x, found + [L.GRU(4, activation="softmax", return_sequences=True)(x)])


def cudnn(x, lstm, gru):
    h = lstm(4, return_sequences=True)(x)
    found = [L.Bidirectional(lstm(3, return_sequences=True))(h), gru(3, go_backwards=True)(h)]
    return Model(x, found + list(gru(2, return_sequences=True, return_state=True)(x)))


def without_gpu(layer, inputs, initial_state):
    """Something of the right shape: TensorFlow holds no graph with an operation it cannot run."""
    zeros = inputs[:, :, :1] * K.zeros((1, 1, layer.units))
    return (zeros if layer.return_sequences else zeros[:, -1]), list(initial_state)


@case("tf", since=(2, 2), backend="tensorflow")
def g_cudnn():
    """Of cuDNN's layers, which run on GPUs alone, Keras itself makes those that run anywhere."""
    for kind in (L.CuDNNLSTM, L.CuDNNGRU):
        kind._process_batch = without_gpu

    def lstm(units, **given):
        return L.LSTM(units, recurrent_activation="sigmoid", **given)

    def gru(units, **given):
        return L.GRU(units, recurrent_activation="sigmoid", reset_after=True, **given)

    model = cudnn(Input((3, 5)), L.CuDNNLSTM, L.CuDNNGRU)
    return model, [(3, 5)], cudnn(Input((3, 5)), lstm, gru)


@case("tf", since=(2, 1, 3))
def g_bidirectional_states():
    x, a, b, c, d = Input((7, 5)), Input((4,)), Input((4,)), Input((4,)), Input((4,))
    first = L.Bidirectional(L.LSTM(4, return_sequences=True, return_state=True))
    found = first(x, initial_state=[a, b, c, d])
    second = L.Bidirectional(L.GRU(4, return_state=True))(x)
    again = L.Bidirectional(L.LSTM(4))(found[0], initial_state=list(found[1:]))
    return Model([x, a, b, c, d], list(found) + list(second) + [again])


@case("tf", since=(2, 1))
def g_cells():
    x = Input((7, 5))
    found = [
        L.RNN(L.LSTMCell(4))(x),
        L.RNN(L.GRUCell(3), return_sequences=True, go_backwards=True)(x),
        L.RNN(L.SimpleRNNCell(3, activation="relu", use_bias=False))(x),
        L.RNN(L.LSTMCell(3, recurrent_activation="sigmoid", implementation=2), unroll=True)(x),
    ]
    if NEW:
        found += [L.RNN(L.GRUCell(3, reset_after=True), return_sequences=True)(x)]
    found += L.RNN(L.LSTMCell(3), return_state=True, return_sequences=True)(x)
    return Model(x, found)


@case("tf", since=(2, 1))
def g_stacked_cells():
    x = Input((7, 5))
    cells = [L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(2)]
    found = [L.RNN(cells, return_sequences=True)(x)]
    found += [L.RNN([L.LSTMCell(3), L.LSTMCell(4)])(x)]
    found += [L.RNN(L.StackedRNNCells([L.GRUCell(2), L.LSTMCell(3)]), go_backwards=True)(x)]
    return Model(x, found)


@case("tf", since=(2, 1))
def g_cells_masked():
    x = Input((7, 5))
    m = L.Masking(0.5)(x)
    found = [L.RNN(L.LSTMCell(4), return_sequences=True)(m)]
    found += [L.RNN([L.GRUCell(4), L.LSTMCell(3)])(m)]
    found += [L.Bidirectional(L.RNN(L.GRUCell(3)))(m)]
    return Model(x, found), absent((7, 5), 0.5)


@case("tf", since=(2, 1))
def g_cells_states():
    x, a, b, c = Input((7, 5)), Input((4,)), Input((4,)), Input((3,))
    one = L.RNN(L.LSTMCell(4), return_state=True)(x, initial_state=[a, b])
    stack = L.RNN([L.GRUCell(3), L.SimpleRNNCell(2)], return_state=True)(x)
    return Model([x, a, b, c], list(one) + list(stack) + [L.GRU(3)(x, initial_state=c)])


@case("tf", since=(2, 2, 3))
def g_stacked_directions():
    """Cells with names of their own, of which one does not train: its arrays come last."""
    x = Input((4, 3))
    cells = [L.GRUCell(2), L.SimpleRNNCell(3)]
    found = list(L.Bidirectional(L.RNN(cells, return_sequences=True, return_state=True))(x))
    cells = [L.SimpleRNNCell(2, trainable=False), L.SimpleRNNCell(2, use_bias=False)]
    back = L.Bidirectional(L.RNN(cells, go_backwards=True), merge_mode="ave")(found[0])
    return Model(x, found + [back])


@case("tf", since=(2, 2, 3))
def g_absent_steps():
    """Before 2.3 on TensorFlow they give the first state: of several cells the first one's."""
    x, a, b = Input((4, 3)), Input((2,)), Input((2,))
    m = L.Masking()(x)
    cells = [L.SimpleRNNCell(2), L.GRUCell(2)]
    stack = L.RNN(cells, return_sequences=True, return_state=True)
    found = list(stack(m, initial_state=[a, b]))
    found += [L.GRU(2, return_sequences=True)(m, initial_state=a)]
    return Model([x, a, b], found), [absent((4, 3)), (2,), (2,)]


@case("tf", since=(2, 1))
def g_stacked_states():
    """Their order is from the last cell on, up to 2.2.2."""
    x, a, b = Input((4, 3)), Input((2,)), Input((3,))
    if VERSION < (2, 2, 3):
        a, b = b, a
    stack = L.RNN([L.GRUCell(2), L.SimpleRNNCell(3)], return_state=True, return_sequences=True)
    return Model([x, a, b], stack(x, initial_state=[a, b]))


# ---- convolutional recurrent ---------------------------------------------------------------------


def conv_lstm(**given):
    return L.ConvLSTM2D(3, (2, 3), **given)


@case()
def g_convlstm_valid():
    x = Input((4,) + image(6, 7, 2))
    return fan(x, [
        conv_lstm(),
        conv_lstm(return_sequences=True),
        conv_lstm(go_backwards=True, return_sequences=True, use_bias=False),
        conv_lstm(strides=(2, 1), recurrent_activation="sigmoid", activation="relu"),
    ])


@case()
def g_convlstm_same():
    x = Input((4,) + image(6, 7, 2))
    found = [L.ConvLSTM2D(3, 3, padding="same", return_sequences=True)(x)]
    found += [L.ConvLSTM2D(2, (2, 4), padding="same")(x)]
    found += [L.ConvLSTM2D(2, 3, padding="same", strides=2, return_sequences=True)(x)]
    h = L.BatchNormalization(axis=2 if FIRST else -1)(found[0])
    found += [L.ConvLSTM2D(2, 3, padding="same")(h)]
    return Model(x, found)


@case(since=(2, 0, 9))
def g_convlstm_states():
    x = Input((4,) + image(6, 7, 2))
    found = list(conv_lstm(return_state=True)(x))
    return Model(x, found + [L.Bidirectional(conv_lstm(), merge_mode="sum")(x)])


@case(since=(2, 0, 9))
def g_convlstm_dilated():
    x = Input((4,) + image(8, 9, 2))
    return fan(x, [L.ConvLSTM2D(3, (2, 3), dilation_rate=(2, 2))])


@case()
def g_convlstm_stateful():
    model = Sequential()
    first = (3, 4) + image(6, 7, 2)
    model.add(L.ConvLSTM2D(3, 3, stateful=True, batch_input_shape=first, return_sequences=True))
    model.add(L.ConvLSTM2D(2, 2, stateful=True))
    return model, [first[1:]]


if __name__ == "__main__":
    main()
