"""Genuine models of tf.keras: layers that are not recurrent, and their options."""

from harness import (
    Input, K, L, Model, Sequential, V, V1, applied, case, floats, keras, offered, tf, whole
)

NAMES = (
    "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign"
    " swish tanh"
).split()


@case()
def activations():
    x = Input((5, 6))
    return Model(x, applied(x, *[(lambda n=n: L.Activation(n)) for n in NAMES]))


@case()
def activations_inside():
    x = Input((5, 6))
    made = [(lambda n=n: L.Dense(4, activation=n)) for n in NAMES]
    functions = (tf.nn.relu, tf.nn.softmax, tf.nn.tanh, tf.nn.sigmoid, tf.nn.elu, tf.nn.selu,
                 tf.nn.softplus, tf.nn.swish, tf.nn.relu6, tf.nn.leaky_relu)  # fmt: skip
    made += [(lambda f=f: L.Dense(3, activation=f)) for f in functions]
    return Model(x, applied(x, *made))


@case()
def activation_layers():
    x = Input((4, 5, 6))
    made = (
        lambda: L.ReLU(max_value=1.1, negative_slope=0.1, threshold=0.2),
        lambda: L.ReLU(6.0),
        lambda: L.LeakyReLU(0.15),
        lambda: L.LeakyReLU(),
        lambda: L.ELU(0.7),
        lambda: L.PReLU(shared_axes=[1, 2]),
        lambda: L.PReLU(),
        lambda: L.Softmax(axis=1),
        lambda: L.Softmax(axis=(1, 2)) if V >= (2, 4) else L.Softmax(),
        lambda: L.ThresholdedReLU(0.3),
        lambda: L.ActivityRegularization(0.1, 0.2),
        lambda: L.SpatialDropout2D(0.2),
        lambda: L.GaussianNoise(0.1),
        lambda: L.GaussianDropout(0.1),
        lambda: L.AlphaDropout(0.1),
        lambda: L.Dropout(0.3, noise_shape=(None, 1, 1, 6), seed=3),
        lambda: L.Identity(),
    )
    return Model(x, applied(x, *made))


@case()
def convolutions():
    x, y, z = Input((9, 8, 4)), Input((11, 4)), Input((4, 5, 6, 2))
    found = applied(
        x,
        lambda: L.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
        lambda: L.Conv2D(6, (3, 2), dilation_rate=2, kernel_regularizer="l2"),
        lambda: L.Conv2D(6, 3, groups=2 if V >= (2, 5) else 1, use_bias=False),
        lambda: L.Convolution2D(3, (2, 3), kernel_initializer="he_normal"),
        lambda: L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same"),
        lambda: L.DepthwiseConv2D((2, 3), activation="tanh"),
        lambda: L.DepthwiseConv2D((2, 3), dilation_rate=2),
        lambda: L.SeparableConv2D(5, 3, depth_multiplier=2),
        lambda: L.SeparableConv2D(5, 3, strides=2, padding="same", use_bias=False),
        lambda: L.Conv2DTranspose(3, 3, strides=2, padding="same"),
        lambda: L.Conv2DTranspose(3, (2, 3), strides=(2, 3)),
        lambda: L.Conv2DTranspose(3, 3, strides=2, output_padding=1),
        lambda: L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1),
        lambda: L.Conv2DTranspose(3, 2, dilation_rate=2),
        lambda: L.ZeroPadding2D(((1, 2), (0, 3))),
        lambda: L.Cropping2D(((1, 2), (0, 3))),
        lambda: L.UpSampling2D((2, 3)),
        lambda: L.UpSampling2D(2, interpolation="bilinear"),
        lambda: L.LocallyConnected2D(3, 2),
    )
    found += applied(
        y,
        lambda: L.Conv1D(5, 3, padding="causal"),
        lambda: L.Conv1D(5, 3, padding="causal", dilation_rate=2),
        lambda: L.Conv1D(5, 3, strides=2, padding="same"),
        lambda: L.Conv1D(6, 3, groups=2 if V >= (2, 5) else 1),
        lambda: L.DepthwiseConv1D(3, depth_multiplier=2),
        lambda: L.SeparableConv1D(5, 3, padding="same"),
        lambda: L.SeparableConv1D(5, 2, dilation_rate=2),
        lambda: L.SeparableConv1D(5, 2, padding="causal"),
        lambda: L.Conv1DTranspose(3, 3, strides=2),
        lambda: L.Conv1DTranspose(3, 3, strides=2, padding="same", output_padding=1),
        lambda: L.ZeroPadding1D((1, 2)),
        lambda: L.Cropping1D((1, 2)),
        lambda: L.UpSampling1D(3),
        lambda: L.LocallyConnected1D(3, 2, strides=2),
    )
    found += applied(
        z,
        lambda: L.Conv3D(3, 2, padding="same"),
        lambda: L.Conv3D(4, 2, strides=2, groups=2 if V >= (2, 5) else 1),
        lambda: L.Conv3DTranspose(3, 2, strides=2),
        lambda: L.Conv3DTranspose(3, 3, strides=2, padding="same", output_padding=1),
        lambda: L.ZeroPadding3D((1, 2, 1)),
        lambda: L.Cropping3D(1),
        lambda: L.UpSampling3D((1, 2, 3)),
    )
    return Model([x, y, z], found)


@case()
def local_otherwise():
    """Kernels that hold what is not connected, as zeros, or only what is."""
    x, y = Input((9, 8, 4)), Input((11, 4))
    found = applied(
        x,
        lambda: L.LocallyConnected2D(3, 2, implementation=2),
        lambda: L.LocallyConnected2D(3, (2, 3), strides=2, implementation=3, use_bias=False),
    )
    found += applied(
        y,
        lambda: L.LocallyConnected1D(3, 2, implementation=2, activation="relu"),
        lambda: L.LocallyConnected1D(3, 3, implementation=3),
    )
    return Model([x, y], found)


@case(since=(2, 5))
def channels_first():
    """What a CPU only computes by XLA."""
    x, z = Input((4, 9, 8)), Input((2, 4, 5, 6))
    first = {"data_format": "channels_first"}
    h = L.Conv2D(5, 3, strides=2, padding="same", **first)(x)
    h = L.BatchNormalization(axis=1)(h)
    g = L.Conv2DTranspose(3, 2, **first)(h)
    found = [
        h, g, L.Dense(3)(L.Flatten()(h)), L.Dense(4)(L.Flatten(**first)(g)),
        L.MaxPooling2D(2, **first)(h), L.AveragePooling2D(3, 2, "same", **first)(h),
        L.GlobalAveragePooling2D(**first)(h), L.GlobalMaxPooling2D(**first)(h),
        L.ZeroPadding2D(((1, 0), (2, 1)), **first)(h), L.UpSampling2D(2, **first)(h),
        L.Cropping2D(1, **first)(h), L.SpatialDropout2D(0.1, **first)(h),
        L.Conv3D(3, 2, **first)(z), L.MaxPooling3D(2, **first)(z),
        L.GlobalAveragePooling3D(**first)(z),
    ]  # fmt: skip
    return Model([x, z], found)


@case()
def channels_first_unrun():
    """A CPU computes none of it in older releases."""
    x = Input((4, 9, 8))
    first = {"data_format": "channels_first"}
    h = L.Conv2D(5, 3, strides=2, padding="same", **first)(x)
    h = L.MaxPooling2D(2, **first)(L.BatchNormalization(axis=1)(h))
    h = L.DepthwiseConv2D(2, **first)(L.SeparableConv2D(3, 1, **first)(h))
    return Model(x, L.Dense(3)(L.Flatten(**first)(h)))


@case()
def pools():
    x, y, z = Input((9, 8, 4)), Input((11, 4)), Input((4, 5, 6, 2))
    found = []
    for n, v in ((1, y), (2, x), (3, z)):
        for kind in ("Max", "Average"):
            pool = getattr(L, "%sPooling%dD" % (kind, n))
            over = getattr(L, "Global%sPooling%dD" % (kind, n))
            found += applied(
                v, lambda: pool(2), lambda: pool(3, strides=2, padding="same"), lambda: over(),
                lambda: over(keepdims=True),
            )  # fmt: skip
    found += applied(x, lambda: L.MaxPool2D((2, 3)), lambda: L.AvgPool2D((3, 2), strides=1))
    return Model([x, y, z], found)


@case()
def norms():
    x = Input((4, 5, 6))
    made = (
        lambda: L.BatchNormalization(),
        lambda: L.BatchNormalization(axis=1, **({"fused": False} if V < (2, 4) else {})),
        lambda: L.BatchNormalization(scale=False, epsilon=0.01, momentum=0.9),
        lambda: L.BatchNormalization(center=False, fused=False),
        lambda: L.BatchNormalization(fused=True),
        lambda: L.BatchNormalization(axis=[3]),
        lambda: L.BatchNormalization(axis=[1, 3]),
        lambda: L.BatchNormalization(renorm=True),
        lambda: L.BatchNormalization(
            renorm=True, renorm_clipping={"rmin": 0.3, "rmax": 3.0, "dmax": 5.0}, renorm_momentum=0.8
        ),
        lambda: V1.BatchNormalization(),
        lambda: V1.BatchNormalization(renorm=True, fused=False),
        lambda: L.LayerNormalization(),
        lambda: L.LayerNormalization(axis=[1, 3], epsilon=0.01),
        lambda: L.LayerNormalization(axis=1, center=False, scale=False),
        lambda: L.experimental.LayerNormalization(),
        lambda: L.experimental.SyncBatchNormalization(),
        lambda: L.BatchNormalization(synchronized=True),
        lambda: L.GroupNormalization(3),
        lambda: L.GroupNormalization(-1, axis=1, center=False),
        lambda: L.UnitNormalization(),
        lambda: L.UnitNormalization(axis=[1, 2]),
    )
    return Model(x, applied(x, *made))


@case(since=(2, 13))
def spectral():
    x = Input((6, 7, 3))
    h = L.SpectralNormalization(L.Conv2D(4, 3), power_iterations=2)(x)
    return Model(x, L.SpectralNormalization(L.Dense(5))(L.Flatten()(h)))


@case()
def merging():
    x, y, z = Input((4, 6)), Input((4, 6)), Input((5, 6))
    found = [layer()([x, y]) for layer in (
        L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum, L.Concatenate
    )]  # fmt: skip
    found += [L.Concatenate(axis=1)([x, z]), L.Dot(2)([x, z]), L.Dot((1, 1), True)([x, y])]
    found += [L.add([x, y, x]), L.dot([x, y], axes=-1), L.concatenate([x, y], axis=-2)]
    return Model([x, y, z], found)


@case()
def masked_merging():
    x, y = Input((6,)), Input((6,))
    a, b = L.Embedding(7, 4, mask_zero=True)(x), L.Embedding(7, 4, mask_zero=True)(y)
    found = [
        L.LSTM(3)(layer()([a, b])) for layer in (L.Add, L.Multiply, L.Average, L.Maximum, L.Concatenate)
    ]  # fmt: skip
    found += [L.GRU(3)(L.Concatenate(axis=1)([a, b])), L.GlobalAveragePooling1D()(L.Add()([a, b]))]
    return Model([x, y], found), [whole((3, 6), 4, 1), whole((3, 6), 4, 2)]


@case()
def shaping():
    x, y = Input((4, 6)), Input((5,))
    found = [
        L.Reshape((3, 8))(x), L.Reshape((-1, 2))(x), L.Permute((2, 1))(x), L.Flatten()(x),
        L.RepeatVector(3)(y), L.Masking(0.3)(x), L.Dense(3)(x), L.Dense(3, use_bias=False)(y),
    ]  # fmt: skip
    found += offered(
        lambda: L.DenseFeatures and [],
        lambda: L.experimental.EinsumDense(
            "abc,cde->abde", output_shape=(4, 2, 5), bias_axes="de", activation="relu"
        )(x),
        lambda: L.EinsumDense("...x,xy->...y", output_shape=(7,), bias_axes="y")(x),
    )
    return Model([x, y], found)


@case()
def embeddings():
    x = Input((4,), dtype="int32")
    found = [
        L.Embedding(9, 5)(x), L.Embedding(9, 3, mask_zero=True, input_length=4)(x),
        L.Flatten()(L.Embedding(9, 2, embeddings_regularizer=keras.regularizers.l1_l2(0.1, 0.2))(x)),
    ]  # fmt: skip
    return Model(x, found), [whole((3, 4), 9)]


@case()
def initialisers():
    """Objects of every kind as options of a layer."""
    x = Input((6,))
    i, r, c = keras.initializers, keras.regularizers, keras.constraints
    given = (
        {"kernel_initializer": i.VarianceScaling(2.0, "fan_out", "uniform", seed=3)},
        {"kernel_initializer": i.TruncatedNormal(0.1, 0.2), "bias_initializer": i.Constant(0.3)},
        {"kernel_initializer": i.Orthogonal(1.5), "kernel_constraint": c.MaxNorm(2, axis=0)},
        {"kernel_initializer": i.glorot_normal(seed=2), "bias_constraint": c.NonNeg()},
        {"kernel_initializer": i.he_uniform(), "kernel_regularizer": r.l1(0.01)},
        {"kernel_initializer": i.lecun_normal(), "activity_regularizer": r.l2(0.02)},
        {"kernel_initializer": i.RandomUniform(-1, 1), "kernel_constraint": c.MinMaxNorm(0.1, 2.0)},
        {"kernel_initializer": i.Identity(), "kernel_constraint": c.UnitNorm()},
        {"bias_initializer": i.ones(), "trainable": False, "name": "frozen"},
        {"kernel_regularizer": "orthogonal_regularizer"} if V >= (2, 7) else {},
    )
    return Model(x, applied(x, *[(lambda g=g: L.Dense(6, **g)) for g in given]))


@case(since=(1, 14))
def attention():
    q, v, key = Input((4, 6)), Input((5, 6)), Input((5, 6))
    found = offered(
        lambda: L.Attention()([q, v]),
        lambda: L.Attention(use_scale=True)([q, v, key]),
        lambda: L.Attention(causal=True)([q, v]) if V < (2, 10) else [],
        lambda: L.Attention(dropout=0.2)([q, v, key]),
        lambda: L.Attention(score_mode="concat")([q, v]),
        lambda: L.Attention()([q, v], use_causal_mask=True),
        lambda: L.Attention()([q, v], return_attention_scores=True),
        lambda: L.AdditiveAttention()([q, v]),
        lambda: L.AdditiveAttention(use_scale=False)([q, v, key]),
        lambda: L.AdditiveAttention(causal=True)([q, v]) if V < (2, 10) else [],
    )
    return Model([q, v, key], found)


@case(since=(2, 0))
def attention_masks():
    q, v = Input((4,)), Input((5,))
    embedded = L.Embedding(7, 6, mask_zero=True)
    y = L.Attention()([embedded(q), embedded(v)])
    z = L.AdditiveAttention()([embedded(q), embedded(v)])
    data = [whole((3, 4), 3, 1), whole((3, 5), 3, 2)]
    return Model([q, v], [y, z, L.GlobalAveragePooling1D()(y)]), data


@case(since=(2, 4))
def heads():
    x, v, w = Input((5, 8)), Input((4, 6)), Input((3, 4, 6))
    found = offered(
        lambda: L.MultiHeadAttention(num_heads=3, key_dim=4, dropout=0.1)(x, x),
        lambda: L.MultiHeadAttention(2, 3, value_dim=5, output_shape=9, use_bias=False)(x, v),
        lambda: L.MultiHeadAttention(2, 3)(x, v, return_attention_scores=True),
        lambda: L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True),
        lambda: L.MultiHeadAttention(2, 3, attention_axes=(1,))(w, w),
        lambda: L.MultiHeadAttention(2, 3, attention_axes=(2,), output_shape=(3, 2))(w, w),
    )
    h = L.LayerNormalization(epsilon=1e-6)(L.Add()([x, found[0]]))
    return Model([x, v, w], found + [h])


@case(since=(2, 4))
def heads_masked():
    q = Input((5,))
    x = L.Embedding(7, 6, mask_zero=True)(q)
    found = [L.MultiHeadAttention(2, 3)(x, x)]
    m = Input((5, 5), dtype="bool")
    found += [L.MultiHeadAttention(2, 3)(L.Dense(6)(x), x, attention_mask=m)]
    found += [L.GlobalAveragePooling1D()(found[0])]
    return Model([q, m], found), [whole((3, 5), 3), whole((3, 5, 5), 2).astype(bool)]


@case(since=(2, 1))
def mixed_precision():
    policy = keras.mixed_precision.experimental.Policy if V < (2, 4) else keras.mixed_precision.Policy
    given = {"dtype": policy("mixed_float16")}
    x = Input((7, 6, 3))
    h = L.Conv2D(4, 3, activation="relu", **given)(x)
    h = L.BatchNormalization(**given)(h)
    h = L.Flatten(**given)(L.MaxPooling2D(2, **given)(h))
    h = L.Dense(5, activation="tanh", dtype=policy("float32"))(h)
    return Model(x, L.Dense(2, activation="softmax", dtype="float32")(h))


@case(since=(2, 1))
def mixed_everywhere():
    one = keras.mixed_precision.experimental if V < (2, 4) else keras.mixed_precision
    set_policy = one.set_policy if V < (2, 4) else one.set_global_policy
    set_policy("mixed_bfloat16")
    try:
        x = Input((6, 3))
        h = L.LSTM(4, return_sequences=True)(L.Conv1D(4, 2)(x))
        h = L.LayerNormalization()(h)
        model = Model(x, L.Activation("softmax", dtype="float32")(L.Dense(2)(L.Flatten()(h))))
    finally:
        set_policy("float32")
    return model


@case()
def doubles():
    x = Input((6,), dtype="float64")
    return Model(x, L.Dense(3, dtype="float64")(L.Dense(4, dtype="float64", activation="relu")(x)))


@case()
def sequential_unbuilt():
    """Built by its data, without an input's shape in the first layer."""
    model = Sequential([L.Dense(5, activation="relu"), L.Dropout(0.2), L.Dense(2)])
    model.build((None, 4))
    x = floats((3, 4))
    if V < (2, 0):
        model.compile("sgd", "mse")
    model.predict(x)
    return model, [x]


@case()
def sequential_image():
    model = Sequential(name="a_net")
    model.add(L.Conv2D(4, (3, 3), input_shape=(8, 9, 3), activation="relu", name="block1/conv"))
    model.add(L.BatchNormalization())
    model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dense(3, activation="softmax"))
    return model
