"""Genuine models of Keras 0.3.3: every layer class of its own, and its options.

    KERAS_BACKEND=theano python keras0.py OUT th|tf [CASE ...]

Where a model has several outputs, it is a Graph.
"""

import numpy as np
from harness import FIRST, absent, case, image, indices, main
from keras.layers import advanced_activations as A, convolutional as C, core as L, embeddings as E
from keras.layers import noise as N, normalization as B, recurrent as R
from keras.layers.containers import Graph as Inner, Sequential as Chain
from keras.layers.core import add_shared_layer
from keras.layers.wrappers import TimeDistributed
from keras.models import Graph, Sequential

RNNS = {"SimpleRNN": R.SimpleRNN, "GRU": R.GRU, "LSTM": R.LSTM}


def fan(shape, layers, **given):
    """A Graph of several layers over one input."""
    model = Graph()
    model.add_input("x", input_shape=shape, **given)
    for number, layer in enumerate(layers):
        model.add_node(layer, "node%d" % number, input="x", create_output=True)
    return model, [shape]


def ordered(layer, *args, **given):
    return layer(*args, dim_ordering="th" if FIRST else "tf", **given)


def recurrent(kind):
    def build():
        given = [
            {}, {"return_sequences": True}, {"go_backwards": True},
            {"go_backwards": True, "return_sequences": True}, {"activation": "softmax"},
            {"activation": "relu"},
        ]  # fmt: skip
        if kind != "SimpleRNN":
            given += [{"inner_activation": "sigmoid"}]
        return fan((7, 5), [RNNS[kind](4, **said) for said in given])

    return build


def masked(kind):
    def build():
        model = Sequential()
        model.add(L.Masking(0.5, input_shape=(7, 5)))
        model.add(RNNS[kind](4, return_sequences=True))
        model.add(L.Dropout(0.2))
        model.add(A.LeakyReLU(0.2))
        model.add(L.TimeDistributedDense(4, activation="tanh"))
        model.add(RNNS[kind](3, return_sequences=True, go_backwards=True))
        model.add(R.GRU(3))
        return model, absent((7, 5), 0.5)

    return build


def stateful(kind):
    def build():
        model = Sequential()
        model.add(RNNS[kind](4, stateful=True, return_sequences=True, batch_input_shape=(3, 7, 5)))
        model.add(RNNS[kind](3, stateful=True))
        return model, [(7, 5)]

    return build


for _kind in RNNS:
    for _function in (recurrent, masked, stateful):
        _build = _function(_kind)
        _build.__name__ = "g_%s_%s" % (_function.__name__, _kind.lower())
        case("tf")(_build)


@case("tf")
def g_embedding():
    model = Sequential()
    model.add(E.Embedding(11, 5, mask_zero=True, input_length=9))
    model.add(R.LSTM(4, return_sequences=True))
    model.add(R.SimpleRNN(3))
    return model, indices(11, 9, pad=5)


@case("tf")
def g_conv1d():
    return fan((13, 5), [
        C.Convolution1D(4, 3), C.Convolution1D(3, 4, border_mode="same", activation="relu"),
        C.Convolution1D(2, 3, subsample_length=2),
        C.MaxPooling1D(3), C.MaxPooling1D(2, stride=3), C.AveragePooling1D(4, stride=2),
        C.UpSampling1D(3), C.ZeroPadding1D(2), L.Flatten(), L.Permute((2, 1)),
    ])


@case()
def g_conv2d():
    return fan(image(9, 8, 3), [
        ordered(C.Convolution2D, 4, 2, 3),
        ordered(C.Convolution2D, 4, 3, 3, border_mode="same", activation="tanh"),
        ordered(C.Convolution2D, 2, 4, 2, border_mode="same"),
        ordered(C.Convolution2D, 2, 3, 2, subsample=(2, 3)),
        ordered(C.MaxPooling2D, (3, 2), strides=(2, 1)),
        ordered(C.MaxPooling2D, (2, 3), border_mode="same"),
        ordered(C.AveragePooling2D, (2, 3)),
        ordered(C.AveragePooling2D, (3, 4), strides=(2, 2), border_mode="same"),
        ordered(C.UpSampling2D, (2, 3)),
        ordered(C.ZeroPadding2D, (2, 1)),
    ])


@case()
def g_conv3d():
    return fan(image(5, 6, 7, 2), [
        ordered(C.Convolution3D, 3, 2, 3, 1), ordered(C.MaxPooling3D, (2, 3, 2)),
        ordered(C.AveragePooling3D, (2, 1, 3)), ordered(C.UpSampling3D, (1, 2, 2)),
        ordered(C.ZeroPadding3D, (1, 2, 1)),
    ])


@case("th")
def g_conv3d_same():
    model = Sequential()
    sizes = {"border_mode": "same", "input_shape": image(4, 5, 3, 2)}
    model.add(ordered(C.Convolution3D, 3, 2, 2, 4, **sizes))
    return model, [image(4, 5, 3, 2)]


@case()
def g_cnn():
    model = Sequential()
    model.add(ordered(C.ZeroPadding2D, (1, 1), input_shape=image(7, 9, 3)))
    model.add(ordered(C.Convolution2D, 4, 3, 3, activation="relu"))
    model.add(B.BatchNormalization(axis=1))
    model.add(A.PReLU())
    model.add(ordered(C.MaxPooling2D, (2, 2)))
    model.add(L.Flatten())
    model.add(B.BatchNormalization())
    model.add(L.Dense(5, activation="softmax"))
    return model, [image(7, 9, 3)]


@case()
def g_batch_normalization():
    return fan(image(5, 6, 3), [
        B.BatchNormalization(axis=1), B.BatchNormalization(axis=2, epsilon=0.01),
        B.BatchNormalization(axis=3), B.BatchNormalization(mode=1),
    ])


@case("tf")
def g_activations():
    names = ["softmax", "softplus", "relu", "tanh", "sigmoid", "hard_sigmoid", "linear"]
    return fan((4, 6), [L.Activation(name) for name in names] + [
        A.LeakyReLU(), A.LeakyReLU(0.15), A.PReLU(), A.ELU(0.7), A.ParametricSoftplus(),
        A.ThresholdedLinear(0.4), A.ThresholdedReLU(0.4), A.SReLU(), N.GaussianNoise(0.2),
        N.GaussianDropout(0.1), L.Dropout(0.3), L.ActivityRegularization(0.1),
        L.TimeDistributedDense(3, activation="softmax"), TimeDistributed(L.Dense(5)),
        L.TimeDistributedMerge("sum"), L.TimeDistributedMerge("ave"), L.TimeDistributedMerge("mul"),
        L.Reshape((8, 3)), L.Reshape((2, -1)), L.Layer(),
    ])


@case("tf")
def g_dense_kinds():
    names = ["softmax", "softplus", "hard_sigmoid"]
    return fan((6,), [L.Dense(3, activation=name) for name in names] + [
        L.Highway(activation="tanh"), L.MaxoutDense(4, nb_feature=3), L.RepeatVector(3),
        L.Dense(2, W_regularizer="l2", b_constraint="nonneg"),
    ])


@case("tf")
def g_distributed_conv():
    model = Sequential()
    model.add(TimeDistributed(C.Convolution2D(3, 2, 3, dim_ordering="tf"), input_shape=(4, 5, 6, 2)))
    model.add(TimeDistributed(L.Flatten()))
    model.add(TimeDistributed(L.Dense(4)))
    model.add(R.LSTM(3))
    return model, [(4, 5, 6, 2)]


def chain(*layers):
    found = Sequential()
    for layer in layers:
        found.add(layer)
    return found


def merging(mode, **given):
    def build():
        left = chain(L.Dense(4, input_dim=5), L.Activation("tanh"))
        right = chain(L.Dense(4, input_dim=3))
        return chain(L.Merge([left, right], mode=mode, **given), L.Dense(2)), [(5,), (3,)]

    return build


for _mode, _given in {
    "sum": {}, "mul": {}, "ave": {}, "concat": {}, "dot": {"dot_axes": [[1], [1]]},
    "cos": {"dot_axes": [[1], [1]]},
}.items():  # fmt: skip
    _build = merging(_mode, **_given)
    _build.__name__ = "g_merge_" + _mode
    case("tf")(_build)


@case("tf")
def g_merge_of_sequences():
    left = chain(R.LSTM(4, input_shape=(6, 5), return_sequences=True))
    right = chain(E.Embedding(9, 4, input_length=6, mask_zero=True), R.GRU(4, return_sequences=True))
    model = chain(L.Merge([left, right], mode="sum"), R.LSTM(3))
    return model, [np.random.RandomState(3).normal(size=(3, 6, 5)).astype("float32"), indices(9, 6, pad=3)]


@case("tf")
def g_merge_dot_of_sequences():
    left = chain(L.TimeDistributedDense(4, input_shape=(6, 5)))
    right = chain(L.TimeDistributedDense(3, input_shape=(6, 2)))
    model = chain(L.Merge([left, right], mode="dot", dot_axes=[[1], [1]]), L.Flatten(), L.Dense(2))
    return model, [(6, 5), (6, 2)]


@case("tf")
def g_merge_dot_of_two_axes():
    left = chain(L.TimeDistributedDense(4, input_shape=(6, 5)))
    right = chain(L.TimeDistributedDense(4, input_shape=(6, 2)))
    model = chain(L.Merge([left, right], mode="dot", dot_axes=[[1, 2], [1, 2]]), L.Dense(2))
    return model, [(6, 5), (6, 2)]


@case("tf")
def g_merge_cos_of_two_axes():
    left = chain(L.TimeDistributedDense(4, input_shape=(6, 5)))
    right = chain(L.TimeDistributedDense(4, input_shape=(6, 2)))
    return chain(L.Merge([left, right], mode="cos", dot_axes=[[1, 2], [1, 2]])), [(6, 5), (6, 2)]


@case("tf")
def g_merge_nested():
    one, two = chain(L.Dense(4, input_dim=5)), chain(L.Dense(3, input_dim=2))
    inner = chain(L.Merge([one, two], mode="concat"), L.Dense(4))
    three = chain(L.Dense(4, input_dim=6))
    return chain(L.Merge([inner, three], mode="mul"), L.Dense(2)), [(5,), (2,), (6,)]


# ---- containers inside containers ------------------------------------------------------------


@case("tf")
def g_auto_encoder():
    encoder = Chain([L.Dense(4, input_dim=6, activation="tanh"), L.Dense(3)])
    decoder = Chain([L.Dense(5, input_dim=3), L.Dense(6)])
    return chain(L.AutoEncoder(encoder, decoder), L.Activation("relu")), [(6,)]


@case("tf")
def g_auto_encoder_hidden():
    encoder = Chain([L.Dense(4, input_dim=6, activation="tanh"), L.Dense(3)])
    decoder = Chain([L.Dense(5, input_dim=3), L.Dense(6)])
    model = chain(L.AutoEncoder(encoder, decoder, output_reconstruction=False), L.Dense(2))
    return model, [(6,)]


@case("tf")
def g_auto_encoder_of_layers():
    return chain(L.AutoEncoder(L.Dense(3, input_dim=6), L.Dense(6, input_dim=3))), [(6,)]


@case("tf")
def g_nested():
    inner = Chain([L.Dense(4, input_dim=6), Chain([L.Dense(3, input_dim=4), L.Activation("tanh")])])
    return chain(L.Dense(6, input_dim=5), inner, L.Dense(2)), [(5,)]


@case("tf")
def g_nested_graph():
    inner = Inner()
    inner.add_input("in", input_shape=(6,))
    inner.add_node(L.Dense(4), "one", input="in")
    inner.add_node(L.Dense(4, activation="tanh"), "two", input="in")
    inner.add_node(L.Dense(3), "three", inputs=["one", "two"], merge_mode="mul")
    inner.add_output("out", input="three")
    return chain(L.Dense(6, input_dim=5), inner, L.Dense(2)), [(5,)]


@case()
def g_graph():
    model = Graph()
    shape = image(7, 6, 3)
    model.add_input("image", input_shape=shape)
    model.add_input("words", input_shape=(5,), dtype="int")
    model.add_node(ordered(C.Convolution2D, 4, 2, 3), "conv", input="image")
    model.add_node(ordered(C.Convolution2D, 2, 2, 3), "other", input="image")
    model.add_node(
        L.Flatten(), "flat", inputs=["conv", "other"], merge_mode="concat",
        concat_axis=1 if FIRST else -1,
    )  # fmt: skip
    model.add_node(E.Embedding(9, 4, input_length=5), "table", input="words")
    model.add_node(R.LSTM(3), "lstm", input="table")
    model.add_node(L.Dense(3), "dense", inputs=["flat", "lstm"], create_output=True)
    model.add_output("both", inputs=["dense", "lstm"], merge_mode="sum")
    model.add_output("again", inputs=["dense", "lstm", "dense"], merge_mode="concat")
    picture = np.random.RandomState(5).normal(size=(3,) + shape).astype("float32")
    return model, [picture, indices(9, 5)]


@case("tf")
def g_graph_batch_shape():
    model = Graph()
    model.add_input("x", batch_input_shape=(3, 6, 5))
    model.add_node(R.LSTM(4, stateful=True), "lstm", input="x", create_output=True)
    return model, [(6, 5)]


@case("tf")
def g_graph_dots():
    model = Graph()
    model.add_input("a", input_shape=(6,))
    model.add_input("b", input_shape=(6,))
    model.add_node(L.Dense(4), "left", input="a")
    model.add_node(L.Dense(4), "right", input="b")
    for mode in ("dot", "cos"):
        axes = [[1], [1]]
        model.add_node(
            L.Activation("linear"), mode, inputs=["left", "right"], merge_mode=mode, dot_axes=axes,
            create_output=True,
        )  # fmt: skip
    return model, [(6,), (6,)]


@case("tf")
def g_graph_dot_number():
    model = Graph()
    model.add_input("a", input_shape=(6,))
    model.add_input("b", input_shape=(6,))
    for number in (1, -1):
        model.add_node(
            L.Activation("linear"), "dot%d" % number, inputs=["a", "b"], merge_mode="dot",
            dot_axes=number, create_output=True,
        )  # fmt: skip
    return model, [(6,), (6,)]


def shared(mode, **given):
    def build():
        model = Graph()
        model.add_input("a", input_shape=(6,))
        model.add_input("b", input_shape=(6,))
        model.add_node(L.Dense(5), "before", input="a")
        model.add_node(L.Dense(5), "too", input="b")
        layer = Chain([L.Dense(4, input_dim=5), L.Activation("tanh")])
        model.add_shared_node(layer, "shared", inputs=["before", "too"], merge_mode=mode, **given)
        model.add_node(L.Dense(2), "end", input="shared", create_output=True)
        return model, [(6,), (6,)]

    return build


for _mode, _given in {
    "sum": {}, "concat": {}, "ave": {}, "mul": {}, "dot": {"dot_axes": [[1], [1]]},
    "cos": {"dot_axes": [[1], [1]]},
}.items():  # fmt: skip
    _build = shared(_mode, **_given)
    _build.__name__ = "g_shared_" + _mode
    case("tf")(_build)


@case("tf")
def g_shared_heads():
    model = Graph()
    model.add_input("a", input_shape=(6,))
    model.add_input("b", input_shape=(6,))
    model.add_shared_node(L.Dense(4), "shared", inputs=["a", "b"], outputs=["one", "two"])
    model.add_node(L.Dense(3), "left", input="one")
    model.add_node(L.Dense(2), "end", inputs=["left", "two"], create_output=True)
    model.add_output("second", input="two")
    return model, [(6,), (6,)]


@case("tf")
def g_shared_layer():
    left, right = chain(L.Dense(4, input_dim=5)), chain(L.Dense(4, input_dim=3))
    add_shared_layer(L.Dense(6, activation="tanh"), [left, right])
    return chain(L.Merge([left, right], mode="concat"), L.Dense(2)), [(5,), (3,)]


@case("tf")
def g_siamese():
    left, right = chain(L.Dense(4, input_dim=5)), chain(L.Dense(4, input_dim=3))
    model = chain(L.Siamese(L.Dense(6), [left, right], merge_mode="concat"), L.Dense(2))
    return model, [(5,), (3,)]


if __name__ == "__main__":
    main()
