"""Genuine models of tf.keras: preprocessing, under `experimental.preprocessing` up to 2.5."""

import numpy as np
from harness import Input, L, Model, V, case, floats, offered, whole

P = L if V >= (2, 6) else getattr(getattr(L, "experimental", None), "preprocessing", None)


@case(since=(2, 2))
def images_prepared():
    x = Input((7, 10, 3))
    makers = [
        lambda: P.Rescaling(1 / 127.5, offset=-1)(x), lambda: P.Rescaling(2.0)(x),
        lambda: P.CenterCrop(4, 5)(x), lambda: P.CenterCrop(9 if V >= (2, 6) else 7, 6)(x), lambda: P.RandomCrop(4, 5)(x),
        lambda: P.Resizing(5, 5, crop_to_aspect_ratio=True)(x),
    ]  # fmt: skip
    names = "bilinear nearest bicubic area lanczos3 lanczos5 gaussian mitchellcubic".split()
    makers += [(lambda n=n: P.Resizing(5, 13, interpolation=n)(x)) for n in names]
    makers += [(lambda n=n: P.Resizing(14, 20, n)(x)) for n in names]
    makers += [(lambda n=n: L.UpSampling2D(2, interpolation=n)(x)) for n in names]
    return Model(x, offered(*makers))


@case(since=(2, 2))
def augmentation():
    h = x = Input((8, 9, 3))
    makers = (
        lambda: P.RandomBrightness(0.2), lambda: P.RandomContrast(0.2), lambda: P.RandomFlip(),
        lambda: P.RandomFlip("horizontal"), lambda: P.RandomHeight(0.2), lambda: P.RandomRotation(0.1),
        lambda: P.RandomTranslation(0.1, 0.2), lambda: P.RandomWidth(0.1), lambda: P.RandomZoom(0.1),
        lambda: P.RandomZoom((-0.2, 0.3), (0.1, 0.2), fill_mode="constant"),
        lambda: L.GaussianNoise(0.1),
    )  # fmt: skip
    for layer in offered(*makers):
        h = layer(h)
    return Model(x, L.Conv2D(2, 3)(h) if h.shape[1] else h)


@case(since=(2, 2))
def normalized():
    x = Input((4, 5, 3))
    data = floats((7, 4, 5, 3), 3) * 3 + 1

    def learnt(**given):
        def build():
            layer = P.Normalization(**given)
            layer.adapt(data)
            return layer(x)

        return build

    found = offered(
        learnt(), learnt(axis=-1), learnt(axis=(1, 3)), learnt(axis=None), learnt(axis=2),
        *([learnt(invert=True)] if V >= (2, 13) else []),
        lambda: P.Normalization(axis=-1, mean=[0.5, 0.2, 0.1], variance=[2.0, 3.0, 0.5])(x),
        lambda: P.Normalization(axis=None, mean=0.3, variance=2.0)(x),
    )  # fmt: skip
    return Model(x, found)


@case(since=(2, 2))
def discretized():
    x, one = Input((4,)), Input((1,))
    found = offered(
        lambda: P.Discretization([-0.5, 0.2, 1.0])(x),
        lambda: P.Discretization(bins=[-0.5, 0.2, 1.0])(x),
        lambda: P.Discretization([-0.5, 0.2, 1.0], output_mode="one_hot")(one),
        lambda: P.Discretization([-0.5, 0.2, 1.0], output_mode="multi_hot")(x),
        lambda: P.Discretization([-0.5, 0.2, 1.0], output_mode="count")(x),
    )
    used = [x, one] if V >= (2, 8) else [x]
    return Model(used, found)


@case(since=(2, 6))
def discretized_learnt():
    x = Input((4,))
    layer = P.Discretization(num_bins=4, epsilon=0.01)
    layer.adapt(floats((200, 4)))
    return Model(x, layer(x))


@case(since=(2, 2))
def encoded():
    x, w, one = Input((4,), dtype="int32"), Input((4,)), Input((1,), dtype="int32")
    found = offered(
        lambda: P.CategoryEncoding(7, output_mode="multi_hot")(x),
        lambda: P.CategoryEncoding(max_tokens=7, output_mode="binary")(x),
        lambda: P.CategoryEncoding(max_tokens=7, output_mode="count")(x),
        lambda: P.CategoryEncoding(7, output_mode="count")(x),
        lambda: P.CategoryEncoding(7, output_mode="count")(x, count_weights=w) if V >= (2, 6) else [],
        lambda: P.CategoryEncoding(7, output_mode="one_hot")(one),
    )
    used = [x, w, one] if V >= (2, 6) else [x]
    return Model(used, found), [whole((3, 4), 7), floats((3, 4)), whole((3, 1), 7)][: len(used)]


@case(since=(2, 3))
def encoded_by_weight():
    """Up to TensorFlow 2.5 an encoding can learn how much each index counts."""
    x = Input((4,), dtype="int32")
    layer = P.CategoryEncoding(max_tokens=7, output_mode="tf-idf")
    layer.adapt(whole((30, 4), 7))
    return Model(x, layer(x)), [whole((3, 4), 7)]


@case(since=(2, 3))
def integer_lookup():
    x = Input((4,), dtype="int64")
    words = [12, 36, 4]
    found = offered(
        lambda: P.IntegerLookup(vocabulary=words)(x),
        lambda: P.IntegerLookup(vocabulary=words, num_oov_indices=3)(x),
        lambda: P.IntegerLookup(vocabulary=words, num_oov_indices=2, mask_token=0)(x),
        lambda: P.IntegerLookup(vocabulary=words, num_oov_indices=2, mask_value=0)(x),
        lambda: P.IntegerLookup(vocabulary=words, output_mode="multi_hot")(x),
        lambda: P.IntegerLookup(vocabulary=words, output_mode="binary")(x),
        lambda: P.IntegerLookup(vocabulary=words, output_mode="count")(x),
        lambda: P.IntegerLookup(vocabulary=words, invert=True)(x),
    )
    return Model(x, found), [np.array([[12, 5, 36, 0], [4, 1, 9, 12], [3, 2, 2, 4]], "int64")]


@case(since=(2, 3))
def string_lookup():
    """Texts, which no target computes."""
    x = Input((2,), dtype="string")
    h = P.StringLookup(vocabulary=["a", "b", "c"])(x)
    return Model(x, L.Embedding(6, 3)(h)), [np.array([["a", "q"], ["c", "b"]], object)]


@case(since=(2, 2))
def text_vectors():
    x = Input((1,), dtype="string")
    layer = P.TextVectorization(max_tokens=10, output_sequence_length=4)
    layer.adapt(np.array([["one two three"], ["two four"]]))
    return Model(x, L.Embedding(10, 3)(layer(x))), [np.array([["one four"], ["five two"]], object)]


@case(since=(2, 3))
def hashed():
    x = Input((2,), dtype="int64")
    found = offered(lambda: P.Hashing(num_bins=5)(x), lambda: P.Hashing(5, salt=133)(x))
    return Model(x, found), [whole((3, 2), 90).astype("int64")]
