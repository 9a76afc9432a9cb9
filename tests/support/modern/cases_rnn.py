"""Recurrent layers, cells, wrappers."""

from __future__ import annotations

from typing import Any

from cases import NEW, Kit, case


@case()
def rnn_cells(k: Kit) -> Any:
    x = k.Input((6, 4))
    a = k.L.RNN(k.L.LSTMCell(5))(x)
    b = k.L.RNN(k.L.GRUCell(5, reset_after=False), return_sequences=True)(x)
    c = k.L.RNN(k.L.GRUCell(3), go_backwards=True)(x)
    d = k.L.RNN(k.L.SimpleRNNCell(4, activation="relu", use_bias=False), return_state=True)(x)
    return k.Model(x, [a, b, c, *d])


@case()
def rnn_stacked(k: Kit) -> Any:
    x = k.Input((6, 4))
    a = k.L.RNN([k.L.LSTMCell(5), k.L.LSTMCell(3)])(x)
    cells = k.L.StackedRNNCells([k.L.GRUCell(4), k.L.SimpleRNNCell(3), k.L.LSTMCell(2)])
    b = k.L.RNN(cells, return_sequences=True)(x)
    c = k.L.RNN([k.L.GRUCell(4), k.L.GRUCell(3)], return_state=True, go_backwards=True)(x)
    return k.Model(x, [a, b, *c])


@case()
def rnn_masked(k: Kit) -> Any:
    x = k.Input((6,))
    h = k.L.Embedding(7, 4, mask_zero=True)(x)
    a = k.L.RNN(k.L.LSTMCell(5))(h)
    b = k.L.RNN([k.L.GRUCell(5), k.L.GRUCell(3)], return_sequences=True)(h)
    return k.Model(x, [a, b]), [k.whole((3, 6), 7)]


@case(shards=True)
def rnn_bidirectional(k: Kit) -> Any:
    x = k.Input((6, 4))
    a = k.L.Bidirectional(k.L.RNN(k.L.LSTMCell(5), return_sequences=True))(x)
    b = k.L.Bidirectional(k.L.RNN(k.L.GRUCell(3)), merge_mode="sum")(a)
    c = k.L.Bidirectional(k.L.RNN(k.L.SimpleRNNCell(2), return_sequences=True))(x)
    back = k.L.GRU(3, go_backwards=True, return_sequences=True)
    d = k.L.Bidirectional(k.L.LSTM(5, return_sequences=True), merge_mode=None, backward_layer=back)(
        x
    )
    e = k.L.Bidirectional(k.L.LSTM(3, return_state=True))(x)
    return k.Model(x, [b, c, *d, *e])


@case()
def rnn_options(k: Kit) -> Any:
    x, s = k.Input((6, 4)), k.Input((5,))
    a = k.L.GRU(5, reset_after=False, activation="relu")(x, initial_state=s)
    b = k.L.LSTM(5, recurrent_activation="hard_sigmoid", unroll=True)(x, initial_state=[s, s])
    c = k.L.SimpleRNN(5, return_sequences=True, go_backwards=True, dropout=0.2)(x)
    d, state = k.L.GRU(3, return_state=True, return_sequences=True)(x)
    return k.Model([x, s], [a, b, c, d, state])


@case()
def conv_lstms(k: Kit) -> Any:
    x, y, z = k.Input((3, 6, 2)), k.Input((3, 5, 6, 2)), k.Input((2, 3, 4, 5, 2))
    a = k.L.ConvLSTM1D(3, 2, padding="same", return_sequences=True)(x)
    b = k.L.ConvLSTM2D(3, (2, 3), strides=(1, 2))(y)
    c = k.L.ConvLSTM3D(2, 2, padding="same")(z)
    d = k.L.Bidirectional(k.L.ConvLSTM2D(2, 2, padding="same"))(y)
    return k.Model([x, y, z], [a, b, c, d])


@case()
def distributed(k: Kit) -> Any:
    x = k.Input((3, 8, 7, 2))
    h = k.L.TimeDistributed(k.L.Conv2D(4, 3, activation="relu"))(x)
    h = k.L.TimeDistributed(k.L.BatchNormalization())(h)
    h = k.L.TimeDistributed(k.L.MaxPooling2D(2))(h)
    h = k.L.TimeDistributed(k.L.LayerNormalization())(h)
    h = k.L.TimeDistributed(k.L.Activation("gelu"))(h)
    h = k.L.TimeDistributed(k.L.Dropout(0.3))(h)
    h = k.L.TimeDistributed(k.L.Flatten())(h)
    return k.Model(x, k.L.LSTM(4)(k.L.TimeDistributed(k.L.Dense(5))(h)))


@case()
def distributed_inside(k: Kit) -> Any:
    x = k.Input((3, 5, 4))
    a = k.L.TimeDistributed(k.L.LSTM(3))(x)
    b = k.L.TimeDistributed(k.L.TimeDistributed(k.L.Dense(3)))(x)
    c = k.L.TimeDistributed(k.L.Permute((2, 1)))(x)
    d = k.L.TimeDistributed(k.L.Bidirectional(k.L.GRU(3)))(x)
    inner = k.Sequential([k.Input((5, 4)), k.L.Conv1D(3, 2), k.L.GlobalMaxPooling1D()])
    e = k.L.TimeDistributed(inner)(x)
    f = k.L.TimeDistributed(k.L.Softmax(axis=1))(x)
    return k.Model(x, [a, b, c, d, e, f])


@case(NEW)
def distributed_heads(k: Kit) -> Any:
    x = k.Input((3, 6, 4))
    a = k.L.TimeDistributed(k.L.Dense(3))(x)
    b = k.L.TimeDistributed(k.L.Reshape((4, 6)))(x)
    c = k.L.TimeDistributed(k.L.GlobalAveragePooling1D())(x)
    return k.Model(x, [a, b, c])


@case(NEW)
def spectral(k: Kit) -> Any:
    x = k.Input((6, 7, 3))
    h = k.L.SpectralNormalization(k.L.Conv2D(4, 3), power_iterations=2)(x)
    h = k.L.SpectralNormalization(k.L.Conv2DTranspose(3, 2))(h)
    h = k.L.SpectralNormalization(k.L.Dense(5))(k.L.Flatten()(h))
    return k.Model(x, h)


@case(NEW)
def spectral_embedding(k: Kit) -> Any:
    x = k.Input((4,))
    h = k.L.SpectralNormalization(k.L.Embedding(7, 3))(x)
    return k.Model(x, h), [k.whole((2, 4), 7)]
