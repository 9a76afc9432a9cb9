"""Layers that older Keras had already, with what newer ones added; and further small ones."""

from __future__ import annotations

from typing import Any

from cases import BOTH, NEW, OLD, Kit, case

NAMES = (
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "linear",
    "mish",
    "relu",
    "selu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
)
NEW_NAMES = (
    "celu",
    "glu",
    "hard_shrink",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu6",
    "silu",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
    "threshold",
)


@case()
def activations(k: Kit) -> Any:
    x = k.Input((5, 6))
    names = [*NAMES, *(NEW_NAMES if k.new else ())]
    usable = [n for n in names if n != "threshold"]
    return k.Model(x, [k.L.Activation(name)(x) for name in usable])


@case()
def activations_inside(k: Kit) -> Any:
    x = k.Input((5, 6))
    names = [*NAMES, *(NEW_NAMES if k.new else ())]
    usable = [n for n in names if n not in {"threshold", "glu"}]
    return k.Model(x, [k.L.Dense(4, activation=name)(x) for name in usable])


@case()
def activation_layers(k: Kit) -> Any:
    x = k.Input((4, 5, 6))
    slope = {"negative_slope" if k.new else "alpha": 0.15}
    found = [
        k.L.ReLU(max_value=1.1, negative_slope=0.1, threshold=0.2)(x),
        k.L.LeakyReLU(**slope)(x),
        k.L.ELU(0.7)(x),
        k.L.PReLU(shared_axes=[1, 2])(x),
        k.L.PReLU()(x),
        k.L.Softmax(axis=(1, 2))(x),
        k.L.Softmax(axis=1)(x),
        k.L.ActivityRegularization(0.1)(x),
        k.L.Identity()(x),
        k.L.SpatialDropout2D(0.2)(x),
        k.L.GaussianNoise(0.1)(x),
        k.L.GaussianDropout(0.1)(x),
        k.L.AlphaDropout(0.1)(x),
        k.L.Dropout(0.3)(x),
    ]
    found += [] if k.new else [k.L.ThresholdedReLU(0.3)(x)]
    return k.Model(x, found)


@case()
def softmax_masked(k: Kit) -> Any:
    x, m = k.Input((4, 6)), k.Input((4, 6), dtype="bool")
    y = k.L.Softmax()(x, mask=m)
    return k.Model([x, m], y), [k.random((3, 4, 6)), k.whole((3, 4, 6), 2).astype(bool)]


@case()
def norms(k: Kit) -> Any:
    x = k.Input((4, 5, 6))
    found = [
        k.L.LayerNormalization()(x),
        k.L.LayerNormalization(axis=[1, 3], epsilon=0.01)(x),
        k.L.LayerNormalization(axis=1, center=False, scale=False)(x),
        k.L.BatchNormalization(axis=1)(x),
        k.L.BatchNormalization(scale=False, epsilon=0.01)(x),
        k.L.GroupNormalization(3)(x),
        k.L.GroupNormalization(-1, axis=1, center=False)(x),
        k.L.GroupNormalization(1)(x),
        k.L.UnitNormalization()(x),
        k.L.UnitNormalization(axis=[1, 2])(x),
    ]
    if k.new:
        found += [k.L.LayerNormalization(rms_scaling=True, center=False)(x)]
        found += [k.L.RMSNormalization()(x), k.L.RMSNormalization(axis=[2, 3], epsilon=0.01)(x)]
        found += [k.L.BatchNormalization(synchronized=False, axis=2)(x)]
    return k.Model(x, found)


@case(OLD)
def old_norms(k: Kit) -> Any:
    x = k.Input((4, 5, 6))
    found = [
        k.L.BatchNormalization(axis=[1, 3])(x),
        k.L.BatchNormalization(synchronized=True)(x),
        k.L.experimental.SyncBatchNormalization()(x),
    ]
    return k.Model(x, found)


@case()
def groups_of_groups(k: Kit) -> Any:
    """Groups of channels that are groups already, of others, shuffled, joined, or multiplied."""
    x, layers = k.Input((5, 6, 4)), k.L
    grouped = layers.Conv2D(12, 2, groups=2)(x)
    mixed = layers.Permute((1, 2, 4, 3))(layers.Reshape((4, 5, 2, 6))(grouped))
    both = layers.Concatenate()([grouped, layers.Conv2D(6, 2)(x)])
    found = [
        layers.Conv2D(8, 1, groups=4)(grouped),
        layers.Conv2D(9, 1, groups=3)(grouped),
        layers.Conv2D(4, 1, groups=2)(layers.Reshape((4, 5, 12))(mixed)),
        layers.Conv2D(6, 1, groups=6)(both),
        layers.Conv2D(6, 1, groups=2)(layers.DepthwiseConv2D(2)(x)),
        layers.Conv2D(6, 1, groups=6)(layers.DepthwiseConv2D(2, depth_multiplier=3)(x)),
    ]
    return k.Model(x, found)


@case()
def convolutions(k: Kit) -> Any:
    x, y, z = k.Input((9, 8, 4)), k.Input((11, 4)), k.Input((4, 5, 6, 2))
    layers = k.L
    found = [
        layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(x),
        layers.Conv2D(6, (3, 2), dilation_rate=2)(x),
        layers.Conv2D(6, 3, groups=2, use_bias=False)(x),
        layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same")(x),
        layers.DepthwiseConv2D((2, 3), dilation_rate=2)(x),
        layers.SeparableConv2D(5, 3, depth_multiplier=2)(x),
        layers.Conv1D(5, 3, padding="causal")(y),
        layers.Conv1D(5, 3, strides=2, padding="same")(y),
        layers.Conv1D(6, 3, groups=2)(y),
        layers.DepthwiseConv1D(3, depth_multiplier=2)(y),
        layers.SeparableConv1D(5, 3, padding="same")(y),
        layers.SeparableConv1D(5, 2, dilation_rate=2)(y),
        layers.Conv3D(3, 2, padding="same")(z),
        layers.Conv3D(4, 2, strides=2, groups=2)(z),
        layers.ZeroPadding2D(((1, 2), (0, 3)))(x),
        layers.ZeroPadding1D((1, 2))(y),
        layers.ZeroPadding3D(1)(z),
        layers.Cropping1D((1, 2))(y),
        layers.Cropping2D(((1, 2), (0, 3)))(x),
        layers.Cropping3D(1)(z),
    ]
    found += [layers.Conv1D(5, 3, padding="causal", dilation_rate=2)(y)]
    return k.Model([x, y, z], found)


@case()
def transposed(k: Kit) -> Any:
    x, y, z = k.Input((5, 6, 4)), k.Input((7, 4)), k.Input((3, 4, 5, 2))
    layers = k.L
    found = [
        layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x),
        layers.Conv2DTranspose(3, (2, 3), strides=(2, 3))(x),
        layers.Conv2DTranspose(3, 3, strides=2, output_padding=1)(x),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)(x),
        layers.Conv2DTranspose(3, (4, 3), strides=(3, 2), padding="same", output_padding=(1, 0))(x),
        layers.Conv2DTranspose(3, 2, dilation_rate=2)(x),
        layers.Conv1DTranspose(3, 3, strides=2)(y),
        layers.Conv1DTranspose(3, 3, strides=2, padding="same", output_padding=1)(y),
        layers.Conv1DTranspose(3, 3, dilation_rate=2, padding="same")(y),
        layers.Conv3DTranspose(3, 2, strides=2)(z),
        layers.Conv3DTranspose(3, 3, strides=2, padding="same", output_padding=1)(z),
    ]
    return k.Model([x, y, z], found)


@case()
def pools(k: Kit) -> Any:
    x, y, z = k.Input((9, 8, 4)), k.Input((11, 4)), k.Input((4, 5, 6, 2))
    layers = k.L
    found = []
    for n, v in ((1, y), (2, x), (3, z)):
        for kind in ("Max", "Average"):
            pool = getattr(layers, f"{kind}Pooling{n}D")
            found += [pool(2)(v), pool(3, strides=2, padding="same")(v)]
            found += [getattr(layers, f"Global{kind}Pooling{n}D")()(v)]
            found += [getattr(layers, f"Global{kind}Pooling{n}D")(keepdims=True)(v)]
    return k.Model([x, y, z], found)


@case(NEW)
def adaptive(k: Kit) -> Any:
    x, y, z = k.Input((9, 8, 4)), k.Input((11, 4)), k.Input((4, 5, 6, 2))
    layers = k.L
    found = [
        layers.AdaptiveAveragePooling2D(4)(x),
        layers.AdaptiveAveragePooling2D((3, 5))(x),
        layers.AdaptiveMaxPooling2D((2, 8))(x),
        layers.AdaptiveAveragePooling1D(4)(y),
        layers.AdaptiveMaxPooling1D(5)(y),
        layers.AdaptiveAveragePooling3D((2, 3, 4))(z),
        layers.AdaptiveMaxPooling3D(3)(z),
    ]
    return k.Model([x, y, z], found)


@case()
def merging(k: Kit) -> Any:
    x, y, z = k.Input((4, 6)), k.Input((4, 6)), k.Input((5, 6))
    layers = k.L
    found = [
        layers.Add()([x, y]),
        layers.Subtract()([x, y]),
        layers.Multiply()([x, y]),
        layers.Average()([x, y]),
    ]
    found += [
        layers.Maximum()([x, y]),
        layers.Minimum()([x, y]),
        layers.Concatenate(axis=1)([x, z]),
    ]
    found += [
        layers.Concatenate()([x, y]),
        layers.Dot(2)([x, z]),
        layers.Dot((1, 1), normalize=True)([x, y]),
    ]
    return k.Model([x, y, z], found)


@case()
def merging_behind_nothing(k: Kit) -> Any:
    x, y = k.Input((3, 4)), k.Input((3, 4))
    h = k.L.SpatialDropout1D(0.2)(k.L.Add()([x, y]))
    w = k.L.SpatialDropout3D(0.2)(k.L.Reshape((3, 2, 1, 2))(h))
    return k.Model([x, y], w)


@case()
def masked_merging(k: Kit) -> Any:
    x, y = k.Input((6,)), k.Input((6,))
    a = k.L.Embedding(7, 4, mask_zero=True)(x)
    b = k.L.Embedding(8, 4, mask_zero=True)(y)
    c = k.L.Dense(4)(k.L.Embedding(8, 4)(y))
    found = [k.L.LSTM(3)(k.L.Add()([a, b])), k.L.LSTM(3)(k.L.Multiply()([a, c]))]
    found += [k.L.GRU(3)(k.L.Concatenate()([a, b])), k.L.GRU(3)(k.L.Concatenate()([a, c]))]
    found += [k.L.GRU(3)(k.L.Concatenate(axis=1)([a, b]))]
    return k.Model([x, y], found), [k.whole((3, 6), 7), k.whole((3, 6), 8)]


@case()
def masking(k: Kit) -> Any:
    x = k.Input((6, 4))
    h = k.L.Masking(0.0)(x)
    a = k.L.LSTM(3, return_sequences=True)(h)
    b = k.L.GRU(3)(k.L.TimeDistributed(k.L.Dense(4))(k.L.Dropout(0.2)(h)))
    c = k.L.GlobalAveragePooling1D()(h)
    data = k.random((3, 6, 4))
    data[0, 2:] = 0
    data[1, 1] = 0
    return k.Model(x, [k.L.SimpleRNN(2)(a), b, c]), [data]


@case()
def shapes(k: Kit) -> Any:
    x, y = k.Input((4, 6)), k.Input((3,))
    found = [k.L.Reshape((2, 12))(x), k.L.Reshape((-1, 3))(x), k.L.Permute((2, 1))(x)]
    found += [k.L.Flatten()(x), k.L.RepeatVector(3)(y)]
    return k.Model([x, y], found)


@case()
def einsum_dense(k: Kit) -> Any:
    x, y = k.Input((4, 6)), k.Input((3, 4, 6))
    dense = k.L.EinsumDense
    found = [
        dense("ab,bc->ac", 5, bias_axes="c")(k.L.Flatten()(x)),
        dense("abc,cd->abd", (None, 5))(x),
        dense("abc,cde->abde", (None, 2, 3), bias_axes="de")(x),
        dense("...x,xy->...y", 5, bias_axes="y")(y),
        dense("abc,bd->acd", (6, 5), bias_axes="d")(x),
        dense("abcd,cde->abe", (None, 5), bias_axes="e")(y),
        dense("abc,cd->abd", (4, 5), bias_axes="bd")(x),
        dense("abcd,bde->abce", (3, 4, 5), bias_axes="be")(y),
        dense("abc,bcd->abd", (4, 5))(x),
        dense("abc,cd->adb", (5, 4), activation="relu")(x),
    ]
    return k.Model([x, y], found)


@case(NEW)
def reversible(k: Kit) -> Any:
    x = k.Input((4,))
    tied = k.L.ReversibleEmbedding(7, 3)
    untied = k.L.ReversibleEmbedding(7, 3, tie_weights=False, logit_soft_cap=2.0)
    a = tied(k.L.Dense(3)(tied(x)), reverse=True)
    b = untied(k.L.Dense(3)(untied(x)), reverse=True)
    return k.Model(x, [a, b]), [k.whole((2, 4), 7)]


@case(OLD)
def local(k: Kit) -> Any:
    x, y = k.Input((6, 7, 3)), k.Input((8, 3))
    a = k.L.LocallyConnected2D(4, (2, 3))(x)
    b = k.L.LocallyConnected1D(4, 3, strides=2, activation="tanh")(y)
    return k.Model([x, y], [a, b])


def _local_matrices(k: Kit, data_format: str) -> Any:
    x, y = k.Input((6, 7, 3)), k.Input((8, 3))
    same = {"padding": "same"}
    planes: list[tuple[Any, ...]] = [
        ((2, 3), {}), ((3, 2), {"strides": (2, 1)}), ((4, 3), same),
        ((2, 4), {"strides": (3, 2), **same}),
    ]  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (3, {"strides": 2}), (2, same), (5, {"strides": 3, "use_bias": False, **same}),
    ]  # fmt: skip
    found = []
    for implementation in (2, 3):
        more = {"implementation": implementation, "data_format": data_format}
        found += [k.L.LocallyConnected2D(4, n, **how, **more)(x) for n, how in planes]
        found += [k.L.LocallyConnected1D(2, n, **how, **more)(y) for n, how in rows]
    return k.Model([x, y], found)


@case(OLD)
def local_matrices(k: Kit) -> Any:
    """Kernels that are stored as matrices, dense and sparse."""
    return _local_matrices(k, "channels_last")


@case(OLD)
def local_matrices_first(k: Kit) -> Any:
    return _local_matrices(k, "channels_first")


@case(BOTH)
def embedding(k: Kit) -> Any:
    x = k.Input((5,), dtype="int32")
    h = k.L.Embedding(9, 4)(x)
    return k.Model(x, k.L.GlobalAveragePooling1D()(h)), [k.whole((3, 5), 9)]


@case(shards=True)
def nested(k: Kit) -> Any:
    a = k.Input((6,))
    inner = k.Model(a, [k.L.Dense(4)(a), k.L.Dense(3)(a)])
    seq = k.Sequential([k.Input((4,)), k.L.Dense(5, activation="relu"), k.L.BatchNormalization()])
    x, y = k.Input((6,)), k.Input((6,))
    p, q = inner(x)
    r, s = inner(y)
    return k.Model([x, y], [k.L.Concatenate()([seq(p), seq(r), q]), s])


@case()
def sequential(k: Kit) -> Any:
    return k.Sequential([
        k.Input((8, 8, 3)),
        k.L.Conv2D(4, 3, activation="relu"),
        k.L.MaxPooling2D(),
        k.L.Flatten(),
        k.L.Dense(6, activation="softmax"),
    ])
