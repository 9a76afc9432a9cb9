"""Graphs in which layers meet that regroup the same channels, or read whole numbers."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from cases import NEW, Kit, case


@case()
def grouped_twice(k: Kit) -> Any:
    """Groups of groups: alike, shuffled, and of other counts."""
    x, t, layers = k.Input((9, 9, 12)), k.Input((9, 12)), k.L
    h = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(12, 1, groups=3)(x)))
    shuffled = layers.Permute((1, 2, 4, 3))(layers.Reshape((9, 9, 3, 4))(h))
    h = layers.DepthwiseConv2D(3, padding="same")(layers.Reshape((9, 9, 12))(shuffled))
    other = layers.Conv2D(8, 3, groups=4)(layers.Conv2D(8, 3, groups=2)(h))
    normal = layers.GroupNormalization(4)(x)
    found = [
        layers.Conv2D(9, 1, groups=3)(h),
        layers.Dense(3)(layers.Flatten()(other)),
        layers.Conv2D(6, 3, groups=3)(normal),
        layers.LSTM(3)(layers.Conv1D(12, 3, groups=6)(layers.Conv1D(12, 3, groups=3)(t))),
    ]
    return k.Model([x, t], found)


@case(NEW)
def ops_of_whole_numbers(k: Kit) -> Any:
    x, o = k.Input((4,), dtype="int32"), k.ops
    found = [
        -x, o.abs(x), o.square(x), o.clip(x, -2, 3), o.relu(x), o.sign(x), o.exp(x), o.sqrt(x * x),
        o.floor(x), x // 3, x % 3, x * 2.5, x + 1, o.mean(x, axis=1),
        o.sum(x, axis=1), o.max(x, axis=-1), o.maximum(x, 1), o.power(x, 2), x / 2,
    ]  # fmt: skip
    return k.Model(x, found), [np.array([[-7, -1, 0, 2], [3, 5, -2, 9]], "int32")]


@case(NEW)
def ops_composed(k: Kit) -> Any:
    """Operations that are read as a formula of others."""
    x, y, o = k.Input((4, 6)), k.Input((4, 6)), k.ops
    p = o.abs(x) + 0.5
    found = [
        o.log2(p), o.log10(p), o.logaddexp(x, y), o.arctan2(x, y), o.nan_to_num(x), o.mod(x, 0.7),
        o.digitize(x, np.array([-1.0, 0.0, 1.0])), o.isclose(x, y, rtol=0.5), o.median(x, axis=1),
        o.median(x, axis=-1, keepdims=True), o.count_nonzero(o.relu(x), axis=1),
        o.average(x, axis=1), o.norm(x, axis=-1), o.norm(x, ord=1, axis=-1),
        o.norm(x, ord=np.inf, axis=1),
        o.diff(x, axis=1), o.diagonal(x, axis1=1, axis2=2), o.trace(x, axis1=1, axis2=2),
        o.sort(x, axis=1), o.argsort(x, axis=1), o.power(p, 0.3),
        o.select([x > 0.5, x < -0.5], [x, -y], 0.25), o.arctan2(o.relu(x), o.relu(y)),
    ]  # fmt: skip
    found += [
        getattr(o, name)(*operands)
        for name, operands in (
            ("exp2", (x,)), ("cbrt", (x,)), ("trunc", (x,)), ("hypot", (x, p)), ("fmod", (x, p)),
            ("ptp", (x, 1)),
        )
        if hasattr(o, name)
    ]  # fmt: skip
    return k.Model([x, y], found)


@case(NEW)
def ops_of_places(k: Kit) -> Any:
    x, i, o = k.Input((10, 12, 3)), k.Input((4,), dtype="int32"), k.ops
    q, v = k.Input((5, 2, 4)), k.Input((7, 2, 4))
    image = o.image
    found = [
        image.resize(x, (5, 7)), image.resize(x, (20, 15), interpolation="nearest"),
        image.rgb_to_grayscale(x), image.crop_images(x, 1, 2, target_height=5, target_width=6),
        image.pad_images(x, 1, 2, target_height=15, target_width=20), o.multi_hot(i, 6),
        o.one_hot(i, 6, axis=1), o.dot_product_attention(q, v, v),
        o.dot_product_attention(q, q, q, is_causal=True),
        o.dot_product_attention(q, v, v, scale=0.3),
    ]  # fmt: skip
    shapes = ((10, 12, 3), (5, 2, 4), (7, 2, 4))
    images, queries, values = (k.random((2, *shape)) for shape in shapes)
    return k.Model([x, i, q, v], found), [images, k.whole((2, 4), 6), queries, values]


@case(NEW)
def ops_patches(k: Kit) -> Any:
    """Windows next to each other, apart and overlapping, of images and of a volume."""
    x, v = k.Input((9, 10, 3)), k.Input((5, 6, 7, 2))
    extract = k.ops.image.extract_patches
    tokens = k.ops.reshape(extract(k.L.Conv2D(3, 3, padding="same")(x), 2), (-1, 20, 12))
    found = [
        extract(x, 2), extract(x, (2, 3), padding="same"), extract(x, 2, strides=3),
        extract(x, 3, strides=2), extract(x, (3, 2), strides=1, padding="same"),
        extract(x, (2, 3), strides=1, dilation_rate=2), k.L.Dense(5)(tokens),
    ]  # fmt: skip
    if hasattr(k.ops.image, "extract_patches_3d"):  # volumes are newer
        found += [extract(v, (2, 2, 3)), extract(v, (3, 3, 3), strides=(1, 2, 2), padding="same")]
    else:
        found.append(2 * v)
    return k.Model([x, v], found)


@case(NEW)
def ops_filters(k: Kit) -> Any:
    """Convolutions with constant kernels: of each rank, with gaps, apart."""
    x, t, v, o = k.Input((9, 10, 4)), k.Input((9, 4)), k.Input((5, 6, 7, 2)), k.ops
    found = [
        o.conv(x, k.random((3, 3, 4, 5))),
        o.conv(x, k.random((3, 2, 4, 5)), strides=2, padding="same"),
        o.conv(x, k.random((3, 3, 4, 6)), padding="same", dilation_rate=2),
        o.conv(t, k.random((3, 4, 5)), padding="same"),
        o.conv(v, k.random((2, 3, 2, 2, 3)), strides=2, padding="same"),
        o.depthwise_conv(x, k.random((3, 3, 4, 1)), padding="same"),
        o.depthwise_conv(t, k.random((3, 4, 2)), strides=2),
        o.separable_conv(x, k.random((3, 3, 4, 2)), k.random((1, 1, 8, 3)), padding="same"),
        o.separable_conv(t, k.random((3, 4, 1)), k.random((1, 4, 3))),
        k.L.Dense(3)(k.L.Flatten()(o.relu(o.conv(x, k.random((3, 3, 4, 2))) + 0.5))),
    ]
    image = o.image
    for name, given in (
        ("gaussian_blur", {}), ("gaussian_blur", {"kernel_size": (5, 5), "sigma": (0.7, 1.5)}),
        ("sobel_edges", {}),
    ):  # fmt: skip
        found.append(getattr(image, name)(x, **given) if hasattr(image, name) else 2 * x)
    return k.Model([x, t, v], found)


@case()
def embedded_twice(k: Kit) -> Any:
    """Two Embeddings that mask the same indices."""
    x = k.Input((6,), dtype="int32")
    embeddings = [k.L.Embedding(11, 3, mask_zero=True)(x) for _ in range(3)]
    found = [k.L.LSTM(3)(embeddings[0]), k.L.GRU(4)(embeddings[1])]
    found.append(k.L.GlobalAveragePooling1D()(embeddings[2]))
    return k.Model(x, found), [np.array([[1, 2, 3, 0, 0, 0], [4, 5, 6, 7, 8, 10]], "int32")]


@case(NEW)
def products_repeated(k: Kit) -> Any:
    """Matrices that are repeated along axes of one."""
    x, y = k.Input((2, 3, 4, 5)), k.Input((1, 3, 5, 6))
    constant = np.random.default_rng(3).normal(size=(1, 3, 5, 2)).astype("float32")
    found = [k.ops.matmul(x, y), k.ops.matmul(x, constant), k.ops.matmul(x[:, :, :1], y)]
    return k.Model([x, y], found)


@case(NEW, ("keras",), weights=False)
def features(k: Kit) -> Any:
    """A FeatureSpace over numbers of every kind."""
    of = k.keras.utils.FeatureSpace
    space = of(
        features={
            "a": of.float_normalized(), "b": of.float_discretized(num_bins=4),
            "c": of.integer_categorical(num_oov_indices=1), "d": of.integer_hashed(num_bins=7),
            "e": of.float(), "f": of.float_rescaled(scale=2.0),
        },
        crosses=[of.cross(("c", "d"), crossing_dim=9)],
        output_mode="concat",
    )  # fmt: skip
    floats = {name: k.random((40, 1)) for name in "abef"}
    held = {**floats, "c": k.whole((40, 1), 5), "d": k.whole((40, 1), 50)}
    tensorflow = importlib.import_module("tensorflow")
    space.adapt(tensorflow.data.Dataset.from_tensor_slices(held))
    inputs = [space.get_inputs()[name] for name in sorted(held)]
    model = k.Model(inputs, k.L.Dense(3)(space.get_encoded_features()))
    return model, [held[name][:5] for name in sorted(held)]


@case(NEW)
def adapted(k: Kit) -> Any:
    """Layers that LoRA adapts: in HDF5 with arrays of its own."""
    x, i, image = k.Input((8,)), k.Input((3,), dtype="int32"), k.Input((6, 7, 3))
    dense, table, kernel = k.L.Dense(5), k.L.Embedding(9, 4), k.L.Conv2D(4, 3)
    product = k.L.EinsumDense("ab,bc->ac", output_shape=6)
    model = k.Model([x, i, image], [dense(x), table(i), kernel(image), product(x)])
    for rank, layer in enumerate((dense, table, kernel, product), 2):
        layer.enable_lora(rank, lora_alpha=3)
    return model, [k.random((2, 8)), k.whole((2, 3), 9), k.random((2, 6, 7, 3))]
