"""Genuine models of Keras 2.0 to 2.3: every other layer class and its options.

    KERAS_BACKEND=theano python keras2_layers.py OUT th|tf [CASE ...]
"""

from both import fan
from harness import BACKEND, FIRST, VERSION, case, channels, image, main
from keras import layers as L
from keras.models import Model


Input = L.Input
NEW = VERSION >= (2, 2)
THEANO = BACKEND == "theano"


# ---- convolutions --------------------------------------------------------------------------------


@case("tf")
def g_conv1d():
    x = Input((13, 5))
    found = [
        L.Conv1D(4, 3)(x),
        L.Conv1D(4, 4, strides=3, padding="same", activation="relu")(x),
        L.Conv1D(3, 3, padding="causal", dilation_rate=2)(x),
        L.Conv1D(3, 2, padding="causal", strides=2, use_bias=False)(x),
        L.Conv1D(3, 3, dilation_rate=3, padding="same")(x),
        L.Conv1D(1, 1)(x),
        L.MaxPooling1D(3, strides=2, padding="same")(x),
        L.MaxPooling1D(2, strides=3)(x),
        L.AveragePooling1D(3, padding="same")(x),
        L.AveragePooling1D(4, strides=2, padding="same")(x),
        L.ZeroPadding1D((2, 1))(x),
        L.Cropping1D((1, 3))(x),
        L.UpSampling1D(3)(x),
        L.GlobalMaxPooling1D()(x),
        L.GlobalAveragePooling1D()(x),
        L.SpatialDropout1D(0.3)(x),
        L.LocallyConnected1D(3, 4, strides=2, activation="tanh")(x),
        L.LocallyConnected1D(2, 3, use_bias=False)(x),
    ]
    return Model(x, found)


@case("tf", since=(2, 2), backend="theano")
def g_pools_channels_first_1d():
    x = Input((5, 13))
    given = {"data_format": "channels_first"}
    found = [
        L.MaxPooling1D(3, strides=2, padding="same", **given)(x),
        L.AveragePooling1D(3, **given)(x),
        L.GlobalMaxPooling1D(**given)(x),
        L.GlobalAveragePooling1D(**given)(x),
    ]
    return Model(x, found)


@case("tf", since=(2, 2))
def g_conv1d_channels_first():
    x = Input((5, 13))
    given = {"data_format": "channels_first"}
    found = [L.Conv1D(4, 3, **given)(x), L.Conv1D(3, 4, padding="same", strides=2, **given)(x)]
    h = L.BatchNormalization(axis=1)(found[0])
    return Model(x, found + [L.Dense(3)(L.Flatten()(h))])


@case("tf", since=(2, 2))
def g_separable1d():
    x = Input((13, 5))
    found = [
        L.SeparableConv1D(4, 3)(x),
        L.SeparableConv1D(4, 4, strides=2, padding="same", depth_multiplier=2)(x),
        L.SeparableConv1D(3, 3, dilation_rate=2, use_bias=False)(x),
    ]
    return Model(x, found)


@case()
def g_conv2d():
    x = Input(image(9, 8, 3))
    found = [
        L.Conv2D(4, (2, 3))(x),
        L.Conv2D(4, (4, 3), strides=(2, 3), padding="same", activation="elu")(x),
        L.Conv2D(2, (3, 2), dilation_rate=(2, 1), use_bias=False)(x),
        L.Conv2D(2, (3, 2), dilation_rate=(2, 3), padding="same")(x),
        L.Conv2D(2, (5, 1), strides=2, padding="same")(x),
        L.Conv2D(5, 1, activation="softmax")(x),
        L.MaxPooling2D((3, 2), strides=(2, 1), padding="same")(x),
        L.MaxPooling2D((2, 3), padding="same")(x),
        L.AveragePooling2D((3, 4), strides=2, padding="same")(x),
        L.AveragePooling2D((2, 3), strides=(3, 1))(x),
        L.ZeroPadding2D(((1, 2), (0, 3)))(x),
        L.ZeroPadding2D((2, 1))(x),
        L.Cropping2D(((1, 2), (0, 3)))(x),
        L.UpSampling2D((2, 3))(x),
        L.GlobalMaxPooling2D()(x),
        L.GlobalAveragePooling2D()(x),
        L.SpatialDropout2D(0.3)(x),
        L.LocallyConnected2D(3, (2, 3), strides=(2, 1), activation="relu")(x),
        L.LocallyConnected2D(2, (3, 2), use_bias=False)(x),
    ]
    return Model(x, found)


@case()
def g_transposed2d():
    x = Input(image(5, 6, 3))
    sizes = [(3, 5), (5, 3)] if THEANO else [(3, 4), (2, 5)]
    found = [
        L.Conv2DTranspose(4, (2, 3))(x),
        L.Conv2DTranspose(4, (3, 2), strides=(2, 3), use_bias=False)(x),
        L.Conv2DTranspose(2, (1, 2), strides=3, activation="relu")(x),
    ]
    found += [L.Conv2DTranspose(2, size, strides=(2, 1), padding="same")(x) for size in sizes]
    if VERSION >= (2, 2, 3):
        found += [L.Conv2DTranspose(2, (3, 5), strides=3, output_padding=(1, 2))(x)]
    return Model(x, found)


@case(since=(2, 2))
def g_separable2d():
    x = Input(image(9, 8, 3))
    found = [
        L.SeparableConv2D(4, (2, 3))(x),
        L.SeparableConv2D(4, 3, strides=2, padding="same", depth_multiplier=2)(x),
        L.SeparableConv2D(4, 3, padding="same", use_bias=False, activation="tanh")(x),
        L.DepthwiseConv2D((3, 2), strides=1, depth_multiplier=2)(x),
        L.DepthwiseConv2D(3, strides=2, padding="same", activation="relu")(x),
        L.DepthwiseConv2D(3, use_bias=False)(x),
    ]
    if not THEANO:
        found += [L.SeparableConv2D(3, 3, dilation_rate=2)(x)]
    return Model(x, found)


@case()
def g_conv3d():
    x = Input(image(5, 6, 7, 2))
    found = [
        L.Conv3D(3, (2, 3, 1))(x),
        L.Conv3D(2, (3, 2, 4), strides=(1, 2, 3), padding="same", use_bias=False)(x),
        L.MaxPooling3D((2, 3, 1), strides=(1, 2, 2))(x),
        L.AveragePooling3D((2, 1, 3))(x),
        L.ZeroPadding3D(((1, 0), (0, 2), (1, 1)))(x),
        L.Cropping3D(((1, 0), (0, 2), (1, 1)))(x),
        L.UpSampling3D((1, 2, 2))(x),
        L.SpatialDropout3D(0.2)(x),
    ]
    if VERSION >= (2, 0, 9):
        found += [L.GlobalMaxPooling3D()(x), L.GlobalAveragePooling3D()(x)]
    return Model(x, found)


@case()
def g_pools3d_same():
    x = Input(image(5, 6, 7, 2))
    pools = [L.MaxPooling3D((2, 3, 4), strides=2, padding="same")]
    pools += [L.AveragePooling3D((3, 2, 3), strides=(2, 2, 1), padding="same")]
    return fan(x, pools)


@case()
def g_pools3d_same_one():
    x = Input(image(5, 6, 7, 2))
    return fan(x, [L.MaxPooling3D((1, 2, 3), strides=(1, 2, 2), padding="same")])


@case(since=(2, 0, 8))
def g_transposed3d():
    x = Input(image(3, 4, 5, 2))
    found = [L.Conv3DTranspose(3, (2, 3, 1), strides=(1, 2, 2))(x)]
    found += [L.Conv3DTranspose(2, 3, padding="same", strides=(2, 1, 2), use_bias=False)(x)]
    return Model(x, found)


@case(since=(2, 2, 3), backend="tensorflow")
def g_bilinear():
    x = Input(image(5, 6, 3))
    sizes = [(2, 3), (2, 2), (4, 1)]
    return fan(x, [L.UpSampling2D(size, interpolation="bilinear") for size in sizes])


# ---- dense, normalization, activation ------------------------------------------------------------


@case()
def g_batch_normalization():
    x = Input(image(5, 6, 3))
    found = [
        L.BatchNormalization(axis=1, epsilon=0.01)(x),
        L.BatchNormalization(axis=2, scale=False)(x),
        L.BatchNormalization(axis=-1, center=False)(x),
        L.BatchNormalization(axis=3, center=False, scale=False)(x),
    ]
    flat = L.Flatten()(x)
    found += [L.BatchNormalization()(flat), L.BatchNormalization(axis=-1)(L.Dense(4)(flat))]
    return Model(x, found)


@case()
def g_batch_normalization_training():
    x = Input(image(5, 6, 3))
    return Model(x, L.BatchNormalization(axis=channels())(x, training=True))


@case("tf")
def g_activations():
    x = Input((4, 6))
    names = ["softmax", "elu", "softplus", "softsign", "relu", "tanh", "sigmoid", "hard_sigmoid"]
    names += ["linear"] + (["selu"] if VERSION >= (2, 0, 8) else [])
    names += ["exponential"] if VERSION >= (2, 2, 3) else []
    found = [L.Activation(name)(x) for name in names] + [L.Dense(3, activation=n)(x) for n in names]
    found += [
        L.LeakyReLU()(x), L.LeakyReLU(0.15)(x), L.ELU(0.7)(x), L.ThresholdedReLU(0.4)(x),
        L.PReLU()(x), L.PReLU(shared_axes=[1])(x),
    ]  # fmt: skip
    if NEW:
        found += [L.Softmax()(x), L.Softmax(axis=1)(x), L.ReLU(0.6)(x)]
    if VERSION >= (2, 2, 3):
        found += [L.ReLU(0.9, negative_slope=0.2, threshold=0.1)(x)]
    return Model(x, found)


@case()
def g_prelu2d():
    x = Input(image(5, 6, 3))
    found = [L.PReLU()(x), L.PReLU(shared_axes=[2, 3] if FIRST else [1, 2])(x)]
    found += [L.PReLU(shared_axes=[1])(x), L.PReLU(shared_axes=[1, 2, 3])(x)]
    return Model(x, found + [L.Dense(3)(L.Flatten()(found[0]))])


@case("tf")
def g_noise():
    x = Input((4, 6))
    found = [
        L.Dropout(0.3, noise_shape=(None, 1, 6), seed=3)(x), L.GaussianNoise(0.3)(x),
        L.GaussianDropout(0.2)(x), L.AlphaDropout(0.1)(x), L.ActivityRegularization(0.1, 0.2)(x),
    ]  # fmt: skip
    return Model(x, found)


@case("tf", until=(2, 3))
def g_legacy():
    from keras.legacy.layers import Highway, MaxoutDense

    x = Input((6,))
    found = [Highway(activation="tanh")(x), Highway(bias=False)(x), Highway(transform_bias=-1)(x)]
    found += [MaxoutDense(4, nb_feature=3)(x), MaxoutDense(5, bias=False)(x)]
    return Model(x, found)


@case("tf")
def g_dense_ranks():
    x, y = Input((4, 6)), Input((2, 3, 5))
    found = [L.Dense(3, use_bias=False)(x), L.Dense(4, kernel_constraint="max_norm")(y)]
    found += [L.RepeatVector(3)(L.Dense(2)(L.Flatten()(x))), L.Permute((2, 1))(x)]
    found += [L.Permute((3, 1, 2))(y), L.Reshape((5, -1))(y), L.Reshape((3, 8))(x)]
    return Model([x, y], found)


# ---- merges --------------------------------------------------------------------------------------


@case()
def g_merges():
    a, b, c = (Input(image(4, 5, 3)) for _ in range(3))
    found = [
        L.Add()([a, b, c]), L.Multiply()([a, b, c]), L.Average()([a, b, c]),
        L.Maximum()([a, b, c]), L.Concatenate(axis=1)([a, b, c]), L.Concatenate()([a, b]),
        L.Concatenate(axis=2)([c, b]),
    ]  # fmt: skip
    if NEW:
        found += [L.Subtract()([a, b]), L.Minimum()([a, b, c])]
    return Model([a, b, c], found)


@case("tf")
def g_dots():
    a, b, c, d = Input((4, 6)), Input((4, 6)), Input((6,)), Input((6,))
    found = [
        L.Dot(axes=1)([c, d]), L.Dot(axes=-1, normalize=True)([c, d]), L.Dot(axes=2)([a, b]),
        L.Dot(axes=(2, 1))([a, L.Permute((2, 1))(b)]), L.Dot(axes=1)([a, b]),
        L.Dot(axes=2, normalize=True)([a, b]), L.Dot(axes=(2, 1))([a, c]),
        L.Dot(axes=(1, 2))([c, a]),
    ]  # fmt: skip
    return Model([a, b, c, d], found)


@case("tf")
def g_broadcasts():
    a, b = Input((4, 6)), Input((6,))
    return Model([a, b], [L.Add()([a, b]), L.Maximum()([b, a]), L.Average()([b, a, b])])


@case("tf", backend="tensorflow")
def g_broadcasts_of_one():
    a, b, c = Input((4, 6)), Input((1, 6)), Input((4, 1))
    return Model([a, b, c], [L.Multiply()([a, b]), L.Average()([b, a]), L.Add()([c, b, a])])


if __name__ == "__main__":
    main()
