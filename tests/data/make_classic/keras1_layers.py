"""Genuine models of Keras 1.2.2: every layer class and its options but for recurrent ones.

    KERAS_BACKEND=theano python keras1_layers.py OUT th|tf [CASE ...]
"""

import numpy as np
from both import fan
from harness import BACKEND, FIRST, case, channels, image, indices, main
from keras import layers as L
from keras.layers import Input
from keras.models import Model, Sequential


# ---- convolutions --------------------------------------------------------------------------------


@case("tf")
def g_conv1d():
    x = Input((13, 5))
    found = [
        L.Convolution1D(4, 3)(x),
        L.Convolution1D(4, 4, subsample_length=3, border_mode="same", activation="relu")(x),
        L.Convolution1D(1, 1, bias=False)(x),
        L.AtrousConvolution1D(3, 3, atrous_rate=2)(x),
        L.AtrousConvolution1D(3, 2, atrous_rate=3, border_mode="same")(x),
        L.MaxPooling1D(3, stride=2, border_mode="same")(x),
        L.MaxPooling1D(2, stride=3)(x),
        L.AveragePooling1D(3, border_mode="same")(x),
        L.AveragePooling1D(4, stride=2)(x),
        L.ZeroPadding1D(2)(x),
        L.ZeroPadding1D((2, 1))(x),
        L.Cropping1D((1, 3))(x),
        L.UpSampling1D(3)(x),
        L.GlobalMaxPooling1D()(x),
        L.GlobalAveragePooling1D()(x),
        L.SpatialDropout1D(0.3)(x),
        L.LocallyConnected1D(3, 4, subsample_length=2, activation="tanh")(x),
        L.LocallyConnected1D(2, 3, bias=False)(x),
    ]
    if BACKEND == "theano":
        found += [L.Convolution1D(2, 3, border_mode="full")(x)]
    return Model(x, found)


@case()
def g_conv2d():
    x = Input(image(9, 8, 3))
    found = [
        L.Convolution2D(4, 2, 3)(x),
        L.Convolution2D(4, 4, 3, subsample=(2, 3), border_mode="same", activation="elu")(x),
        L.AtrousConvolution2D(2, 3, 2, atrous_rate=(2, 1), bias=False)(x),
        L.AtrousConvolution2D(2, 3, 2, atrous_rate=(2, 3), border_mode="same")(x),
        L.Convolution2D(2, 5, 1, subsample=(2, 2), border_mode="same")(x),
        L.MaxPooling2D((3, 2), strides=(2, 1), border_mode="same")(x),
        L.MaxPooling2D((2, 3), border_mode="same")(x),
        L.AveragePooling2D((3, 4), strides=(2, 2), border_mode="same")(x),
        L.AveragePooling2D((2, 3), strides=(3, 1))(x),
        L.ZeroPadding2D({"top_pad": 1, "bottom_pad": 2, "left_pad": 0, "right_pad": 3})(x),
        L.ZeroPadding2D((1, 2, 3, 0))(x),
        L.ZeroPadding2D((2, 1))(x),
        L.Cropping2D(((1, 2), (0, 3)))(x),
        L.UpSampling2D((2, 3))(x),
        L.GlobalMaxPooling2D()(x),
        L.GlobalAveragePooling2D()(x),
        L.SpatialDropout2D(0.3)(x),
        L.LocallyConnected2D(3, 2, 3, subsample=(2, 1), activation="relu")(x),
        L.LocallyConnected2D(2, 3, 2, bias=False)(x),
    ]
    return Model(x, found)


@case(backend="theano")
def g_conv2d_full():
    x = Input(image(9, 8, 3))
    return fan(x, [
        L.Convolution2D(4, 2, 3, border_mode="full"),
        L.Convolution2D(4, 3, 4, border_mode="full", subsample=(2, 2)),
        
    ])


@case("tf")
def g_own_statistics():
    """Modes that normalize by what is fed; the moving statistics are stored for all that."""
    x = Input((2, 3))
    one = L.BatchNormalization(mode=1, epsilon=0.02)(x)
    return Model(x, L.BatchNormalization(axis=1, mode=2)(one))


@case()
def g_deconvolution():
    x = Input(image(5, 6, 3))
    shape = (lambda h, w, c: (None, c, h, w)) if FIRST else (lambda h, w, c: (None, h, w, c))
    if BACKEND == "tensorflow":
        shape = (lambda h, w, c: (3, c, h, w)) if FIRST else (lambda h, w, c: (3, h, w, c))
    found = [
        L.Deconvolution2D(4, 2, 3, output_shape=shape(6, 8, 4))(x),
        L.Deconvolution2D(4, 3, 2, output_shape=shape(11, 17, 4), subsample=(2, 3), bias=False)(x),
    ]
    if BACKEND == "theano":
        found += [
            L.Deconvolution2D(
                2, 3, 5, output_shape=shape(9, 11, 2), subsample=(2, 2), border_mode="same"
            )(x)
        ]
    return Model(x, found)


@case(backend="tensorflow")
def g_separable():
    x = Input(image(9, 8, 3))
    return fan(x, [
        L.SeparableConvolution2D(4, 2, 3),
        L.SeparableConvolution2D(4, 3, 3, subsample=(2, 2), border_mode="same", depth_multiplier=2),
        L.SeparableConvolution2D(4, 3, 3, border_mode="same", bias=False, activation="tanh"),
    ])


@case()
def g_conv3d():
    x = Input(image(5, 6, 7, 2))
    found = [
        L.Convolution3D(3, 2, 3, 1)(x),
        L.Convolution3D(2, 3, 2, 4, subsample=(1, 2, 3), border_mode="same", bias=False)(x),
        L.MaxPooling3D((2, 3, 1), strides=(1, 2, 2))(x),
        L.AveragePooling3D((2, 1, 3))(x),
        L.ZeroPadding3D((1, 2, 1))(x),
        L.Cropping3D(((1, 0), (0, 2), (1, 1)))(x),
        L.UpSampling3D((1, 2, 2))(x),
        L.SpatialDropout3D(0.2)(x),
        L.GlobalMaxPooling3D()(x),
        L.GlobalAveragePooling3D()(x),
    ]
    return Model(x, found)


@case(backend="theano")
def g_pools3d_same():
    x = Input(image(5, 6, 7, 2))
    pools = [L.MaxPooling3D((2, 3, 4), strides=(2, 2, 2), border_mode="same")]
    pools += [L.AveragePooling3D((3, 2, 3), strides=(2, 2, 1), border_mode="same")]
    return fan(x, pools)


@case(backend="theano")
def g_pools3d_same_one():
    x = Input(image(5, 6, 7, 2))
    return fan(x, [L.MaxPooling3D((1, 2, 3), strides=(1, 2, 2), border_mode="same")])


# ---- dense, normalization, activation ------------------------------------------------------------


@case(backend="theano")
def g_batch_normalization():
    x = Input(image(5, 6, 3))
    found = [
        L.BatchNormalization(axis=1, epsilon=0.01)(x),
        L.BatchNormalization(axis=2)(x),
        L.BatchNormalization(axis=3)(x),
        L.BatchNormalization(mode=1)(x),
        L.BatchNormalization(mode=2, axis=channels())(x),
    ]
    flat = L.Flatten()(x)
    found += [L.BatchNormalization()(flat), L.BatchNormalization(mode=1)(flat)]
    found += [L.BatchNormalization(mode=2, epsilon=0.1)(L.Dense(4)(flat))]
    return Model(x, found)


@case("tf")
def g_activations():
    x = Input((4, 6))
    names = ["softmax", "elu", "softplus", "softsign", "relu", "tanh", "sigmoid", "hard_sigmoid"]
    names += ["linear"]
    flat = L.Flatten()(x)
    found = [L.Activation(name)(x) for name in names]
    found += [L.Dense(3, activation=name)(flat) for name in names]
    found += [
        L.LeakyReLU()(x), L.LeakyReLU(0.15)(x), L.ELU(0.7)(x), L.ThresholdedReLU(0.4)(x),
        L.PReLU()(x), L.ParametricSoftplus()(x), L.SReLU()(x), L.SReLU()(flat),
        L.ParametricSoftplus(0.3, 2.0)(flat),
    ]  # fmt: skip
    return Model(x, found)


@case()
def g_spanning2d():
    x = Input(image(5, 6, 3))
    shared = [2, 3] if FIRST else [1, 2]
    found = [
        L.PReLU()(x), L.PReLU(shared_axes=shared)(x), L.PReLU(shared_axes=[1])(x),
        L.SReLU()(x), L.SReLU(shared_axes=shared)(x),
        L.ParametricSoftplus()(x), L.ParametricSoftplus(shared_axes=shared)(x),
    ]  # fmt: skip
    return Model(x, found + [L.Dense(3)(L.Flatten()(found[0]))])


@case("tf")
def g_noise():
    x = Input((4, 6))
    found = [
        L.Dropout(0.3)(x), L.GaussianNoise(0.3)(x), L.GaussianDropout(0.2)(x),
        L.ActivityRegularization(0.1, 0.2)(x),
    ]  # fmt: skip
    return Model(x, found)


@case("tf")
def g_dense_kinds():
    x, y = Input((6,)), Input((4, 6))
    found = [
        L.Highway(activation="tanh")(x), L.Highway(bias=False)(x), L.Highway(transform_bias=-1)(x),
        L.MaxoutDense(4, nb_feature=3)(x), L.MaxoutDense(5, bias=False)(x),
        L.Dense(3, bias=False, W_constraint="maxnorm", b_regularizer="l1")(x),
        L.TimeDistributedDense(3, activation="relu")(y), L.TimeDistributedDense(2, bias=False)(y),
        L.Dense(3)(y), L.RepeatVector(3)(x), L.Permute((2, 1))(y), L.Reshape((3, 8))(y),
        L.Reshape((-1, 2))(y),
    ]  # fmt: skip
    return Model([x, y], found)


# ---- merges --------------------------------------------------------------------------------------


@case()
def g_merges():
    a, b, c = (Input(image(4, 5, 3)) for _ in range(3))
    modes = ["sum", "mul", "ave", "max"]
    found = [L.merge([a, b, c], mode=mode) for mode in modes]
    found += [L.merge([a, b, c], mode="concat", concat_axis=axis) for axis in (1, 2, -1)]
    return Model([a, b, c], found)


@case("tf")
def g_dots():
    a, b, c, d = Input((4, 6)), Input((4, 6)), Input((6,)), Input((6,))
    found = [
        L.merge([c, d], mode="dot"), L.merge([c, d], mode="dot", dot_axes=1),
        L.merge([c, d], mode="cos"), L.merge([c, d], mode="cos", dot_axes=1),
        L.merge([a, b], mode="dot", dot_axes=2), L.merge([a, b], mode="dot", dot_axes=(1, 1)),
        L.merge([a, b], mode="dot"), L.merge([a, L.Permute((2, 1))(b)], mode="dot", dot_axes=(2, 1)),
        L.merge([a, c], mode="dot", dot_axes=(2, 1)), L.merge([c, a], mode="dot", dot_axes=[1, 2]),
    ]  # fmt: skip
    return Model([a, b, c, d], found)


@case("tf")
def g_cos_of_sequences():
    inputs = [Input((4, 3)), Input((4, 3))]
    a, b = (L.Activation("sigmoid")(x) for x in inputs)
    found = [L.Flatten()(L.merge([a, b], mode="cos", dot_axes=axis)) for axis in (1, 2)]
    return Model(inputs, [L.Dense(2)(found[0]), found[1]])


@case("tf")
def g_merge_first():
    one, two = Sequential(), Sequential()
    one.add(L.Dense(4, input_dim=5))
    one.add(L.Activation("tanh"))
    two.add(L.LSTM(4, input_shape=(3, 2)))
    inner = Sequential()
    inner.add(L.Merge([one, two], mode="concat"))
    inner.add(L.Dense(3))
    three = Sequential()
    three.add(L.Dense(3, input_shape=(6,)))
    model = Sequential()
    model.add(L.Merge([inner, three], mode="mul"))
    model.add(L.Dense(2, activation="softmax"))
    return model, [(5,), (3, 2), (6,)]


@case("tf", backend="theano")
def g_merge_by_code():
    a, b = Input((4,)), Input((4,))
    h = L.merge([a, b], mode=lambda x: x[0] - x[1], output_shape=(4,))
    h = L.Lambda(lambda x: x[:, :2], output_shape=(2,))(h)
    return Model([a, b], L.Dense(3)(h))


@case("tf")
def g_merge_of_layers():
    one, two = Sequential(), Sequential()
    one.add(L.Embedding(9, 4, input_length=5))
    two.add(L.Dense(4, input_shape=(6,)))
    two.add(L.RepeatVector(5))
    model = Sequential()
    model.add(L.Merge([one, two], mode="concat", concat_axis=2))
    model.add(L.GRU(3))
    return model, [indices(9, 5), np.random.RandomState(3).normal(size=(3, 6)).astype("float32")]


if __name__ == "__main__":
    main()
