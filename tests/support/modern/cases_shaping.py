"""Images and audio made ready: resizing, cropping, encoding, spectrograms, augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import NEW, OLD, Kit, case


@case()
def resizing(k: Kit) -> Any:
    x = k.Input((7, 10, 3))
    found = []
    names = ["nearest", "bilinear", "lanczos3", "lanczos5"]
    # without antialiasing, Keras 3 on TensorFlow takes bicubic weights from a table
    names += [] if k.new else ["bicubic", "area", "gaussian", "mitchellcubic"]
    for name in names:
        found += [k.L.Resizing(5, 13, interpolation=name)(x)]
        found += [k.L.Resizing(14, 20, interpolation=name)(x)]
    return k.Model(x, found)


@case()
def resizing_crop(k: Kit) -> Any:
    x = k.Input((7, 10, 3))
    found = [k.L.Resizing(5, 5, crop_to_aspect_ratio=True)(x)]
    found += [k.L.Resizing(9, 4, crop_to_aspect_ratio=True, interpolation="nearest")(x)]
    if k.new:
        found += [k.L.Resizing(12, 4, pad_to_aspect_ratio=True, fill_value=0.4)(x)]
        found += [k.L.Resizing(5, 15, pad_to_aspect_ratio=True)(x)]
        found += [k.L.Resizing(3, 4, antialias=True)(x)]
        found += [k.L.Resizing(3, 4, antialias=True, interpolation="bicubic")(x)]
    return k.Model(x, found)


@case()
def cropping(k: Kit) -> Any:
    x = k.Input((9, 12, 3))
    a = k.L.CenterCrop(4, 5)(x)
    b = k.L.CenterCrop(12, 6)(x)  # larger: resized
    c = k.L.RandomCrop(4, 5)(x)
    return k.Model(x, [a, b, c])


@case()
def up_sampling(k: Kit) -> Any:
    x, y, z = k.Input((4, 5, 2)), k.Input((5, 2)), k.Input((2, 3, 4, 2))
    found = [
        k.L.UpSampling2D((2, 3), interpolation=name)(x)
        for name in ("nearest", "bilinear", "lanczos3", "lanczos5")
    ]
    names = ("bicubic", "area", "gaussian", "mitchellcubic")
    found += [] if k.new else [k.L.UpSampling2D(2, interpolation=name)(x) for name in names]
    found += [k.L.UpSampling1D(3)(y), k.L.UpSampling3D((1, 2, 3))(z)]
    return k.Model([x, y, z], found)


@case()
def normalized(k: Kit) -> Any:
    x = k.Input((4, 5, 3))
    learnt = k.L.Normalization(axis=(1, 3))
    learnt.adapt(k.random((7, 4, 5, 3)) * 3 + 1)
    whole = k.L.Normalization(axis=None)
    whole.adapt(k.random((7, 4, 5, 3)) * 2 - 1)
    back = k.L.Normalization(axis=-1, invert=True)
    back.adapt(k.random((7, 4, 5, 3)) * 2 - 1)
    a = k.L.Rescaling([0.5, 2.0, 3.0], offset=[0.1, 0.2, 0.3])(learnt(x))
    b = k.L.Rescaling(scale=1 / 255, offset=-0.5)(whole(x))
    c = k.L.Normalization(mean=[1.0, 2.0, 3.0], variance=[2.0, 0.0, 0.4], invert=True)(x)
    return k.Model(x, [a, b, c, back(x)])


@case(weights=False)
def discretized(k: Kit) -> Any:
    x = k.Input((4,))
    found = []
    for mode, sizes in (("int", 4), ("one_hot", 1), ("multi_hot", 4), ("count", 4)):
        layer = k.L.Discretization([-0.5, 0.2, 1.0], output_mode=mode)
        found.append(layer(x if sizes == 4 else x[:, 1:2]))
    return k.Model(x, found)


@case(weights=False)
def encoded(k: Kit) -> Any:
    x, w = k.Input((4,), dtype="int32"), k.Input((4,))
    one = k.Input((1,), dtype="int32")
    found = [
        k.L.CategoryEncoding(7, output_mode="multi_hot")(x),
        k.L.CategoryEncoding(7, output_mode="count")(x),
        k.L.CategoryEncoding(7, output_mode="count")(x, count_weights=w),
        k.L.CategoryEncoding(7, output_mode="one_hot")(one),
    ]
    return k.Model([x, w, one], found), [k.whole((3, 4), 7), k.random((3, 4)), k.whole((3, 1), 7)]


@case(weights=False)
def integer_lookup(k: Kit) -> Any:
    x = k.Input((4,), dtype="int64")
    one = k.L.IntegerLookup(vocabulary=[12, 7, 30, 5])
    several = k.L.IntegerLookup(vocabulary=[12, 7, 30, 5], num_oov_indices=0)
    masked = k.L.IntegerLookup(vocabulary=[12, 7, 30, 5], mask_token=-1, num_oov_indices=1)
    hot = k.L.IntegerLookup(vocabulary=[12, 7, 30], output_mode="multi_hot")
    count = k.L.IntegerLookup(vocabulary=[12, 7, 30], output_mode="count")
    known = np.array([[12, 7, 5, 5], [30, 30, 12, 7]], "int64")
    return k.Model(x, [one(x), several(x), masked(x), hot(x), count(x)]), [known]


@case(NEW, ("keras",), weights=False)
def augmentation(k: Kit) -> Any:
    h = x = k.Input((8, 9, 3))
    layers = k.L
    for layer in (
        layers.CutMix(),
        layers.MixUp(),
        layers.RandomBrightness(0.2),
        layers.RandomColorDegeneration(0.2),
        layers.RandomColorJitter(),
        layers.RandomContrast(0.2),
        layers.RandomElasticTransform(),
        layers.RandomErasing(),
        layers.RandomFlip(),
        layers.RandomGaussianBlur(),
        layers.RandomGrayscale(),
        layers.RandomHue(0.2),
        layers.RandomInvert(),
        layers.RandomPerspective(),
        layers.RandomPosterization(3),
        layers.RandomRotation(0.1),
        layers.RandomSaturation(0.2),
        layers.RandomSharpness(0.2),
        layers.RandomShear(0.1),
        layers.RandomTranslation(0.1, 0.2),
        layers.RandomZoom(0.1),
        layers.Solarization(),
    ):
        h = layer(h)
    return k.Model(x, h), [255 * np.abs(k.random((2, 8, 9, 3), 0.3)).clip(0, 1)]


@case(NEW, ("keras",), weights=False)
def augmentation_of_many(k: Kit) -> Any:
    x = k.Input((8, 9, 3))
    h = k.L.RandAugment()(k.L.MaxNumBoundingBoxes(3)(k.L.AugMix()(x)))
    return k.Model(x, h), [255 * np.abs(k.random((2, 8, 9, 3), 0.3)).clip(0, 1)]


@case(OLD, weights=False)
def old_augmentation(k: Kit) -> Any:
    h = x = k.Input((8, 9, 3))
    layers = k.L
    for layer in (
        layers.RandomBrightness(0.2),
        layers.RandomContrast(0.2),
        layers.RandomFlip(),
        layers.RandomHeight(0.2),
        layers.RandomRotation(0.1),
        layers.RandomTranslation(0.1, 0.2),
        layers.RandomWidth(0.1),
        layers.RandomZoom(0.1),
    ):
        h = layer(h)
    return k.Model(x, h), [k.random((2, 8, 9, 3))]


@case(NEW)
def spectrograms(k: Kit) -> Any:
    x, y = k.Input((600, 1)), k.Input((80, 2))
    modes = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
    found = [k.L.STFTSpectrogram(mode, 64, frame_step=50, fft_length=64)(x) for mode in modes]
    said: dict[str, Any] = {"frame_length": 10, "window": "hamming", "periodic": True}
    found += [
        k.L.STFTSpectrogram("psd", **said, scaling=None)(y),
        k.L.STFTSpectrogram("stft", **said, scaling="spectrum", padding="same")(y),
        k.L.STFTSpectrogram("magnitude", **said, fft_length=32, expand_dims=True)(y),
    ]
    return k.Model([x, y], found)


@case(NEW)
def mel_spectrograms(k: Kit) -> Any:
    x = k.Input((700,))
    found = [
        k.L.MelSpectrogram(fft_length=128, sequence_stride=50, num_mel_bins=20)(x),
        k.L.MelSpectrogram(
            64, 40, sequence_length=50, window="hamming", sampling_rate=8000, num_mel_bins=9,
            min_freq=30.0, max_freq=3500.0, top_db=20.0, ref_power=2.0,
        )(x),
        k.L.MelSpectrogram(64, 33, num_mel_bins=9, power_to_db=False, mag_exp=1.0)(x),
    ]  # fmt: skip
    return k.Model(x, found)


@case(NEW)
def contrast(k: Kit) -> Any:
    x = k.Input((12, 10, 3))
    small = k.L.Rescaling(1 / 255.0)(x)
    name = "ContrastLimitedAdaptiveHistogramEqualization"
    clahe = getattr(k.L, name)
    found = [
        k.L.AutoContrast()(x), k.L.AutoContrast(value_range=(0, 1))(small),
        clahe(tile_grid_size=(3, 2))(x),
        clahe(value_range=(0, 1), clip_limit=1.5, tile_grid_size=(2, 3))(small),
        clahe(clip_limit=0.0, tile_grid_size=(5, 4))(x),
    ]  # fmt: skip
    images = k.whole((2, 12, 10, 3), 255).astype("float32") + 0.3
    images[0, :, :, 1] = 7
    return k.Model(x, found), [images]


@case(NEW)
def pipelines(k: Kit) -> Any:
    x = k.Input((8, 9, 3))
    steps = [k.L.Rescaling(1 / 255.0), k.L.RandomFlip(), k.L.Resizing(5, 6), k.L.CenterCrop(3, 4)]
    return k.Model(x, k.L.Pipeline(steps)(x)), [k.whole((2, 8, 9, 3), 256).astype("float32")]


@case()
def integer_lookups(k: Kit) -> Any:
    x = k.Input((4,), dtype="int64")
    words = [12, 36, 4]
    found = [
        k.L.IntegerLookup(vocabulary=words, num_oov_indices=3)(x),
        k.L.IntegerLookup(vocabulary=words, num_oov_indices=2, mask_token=0)(x),
        k.L.IntegerLookup(vocabulary=words, num_oov_indices=2, output_mode="multi_hot")(x),
        k.L.IntegerLookup(vocabulary=words, invert=True)(x),
        k.L.IntegerLookup(vocabulary=words, mask_token=0, invert=True)(x),
    ]
    numbers = [[12, 5, 36, 0], [4, 1, -9, 12], [3, 2, 2, 4]]
    return k.Model(x, found), [np.array(numbers, "int64")]


@case(weights=False)
def hashed(k: Kit) -> Any:
    x, one, other = k.Input((4,), dtype="int64"), *(k.Input((1,), dtype="int64") for _ in "ab")
    hashing, crossing = k.L.Hashing, k.L.HashedCrossing
    found = [
        hashing(1009)(x), hashing(1009, salt=[133, 137])(x), hashing(7, mask_value=12, salt=5)(x),
        hashing(1, mask_value=12)(x), hashing(9, output_mode="count")(x),
        hashing(9, output_mode="multi_hot", mask_value=0)(x),
        hashing(9, output_mode="one_hot")(one), crossing(1009)([one, other]),
        crossing(11)([one, other]), crossing(5, output_mode="one_hot")([one, other]),
    ]  # fmt: skip
    if not k.new:
        found.append(crossing(101)([one, other, one]))
    lengths = [0, 9, -9, 12, -12, 999, -9999, 10**7, -(10**6), 10**14, 10**15, -(10**15), 10**16]
    numbers = np.array([*lengths, -(2**63), 2**63 - 1, 12, 7, -(10**18), 123456789012], "int64")
    rows = np.stack([numbers, np.roll(numbers, 3), numbers // 7, -numbers], 1)
    return k.Model([x, one, other], found), [rows, rows[:, 1:2], rows[:, 2:3]]


@case(containers=("keras",), weights=False)
def learnt(k: Kit) -> Any:
    """What is in assets and in variables, where the layer was adapted."""
    x, f = k.Input((4,), dtype="int64"), k.Input((3,))
    lookup = k.L.IntegerLookup
    numbers = np.array([[12, 36, 4, 12], [7, 12, 4, 36], [3, 12, 9, 12]], "int64")
    plain = [lookup(), lookup(mask_token=0, num_oov_indices=2), lookup(output_mode="count"),
             lookup(output_mode="multi_hot", pad_to_max_tokens=True, max_tokens=9)]  # fmt: skip
    for layer in plain:
        layer.adapt(numbers)
    weights = lookup(vocabulary=[12, 4, 7], idf_weights=[0.5, 0.25, 1.5], output_mode="tf_idf")
    if k.new:
        plain.append(lookup(output_mode="tf_idf"))
        plain[-1].adapt(numbers)
    normal, bins = k.L.Normalization(), k.L.Discretization(num_bins=4)
    held = k.random((50, 3))
    normal.adapt(held)
    bins.adapt(held)
    fed = np.array([[12, 5, 36, 0], [4, 1, 9, 12], [3, 2, 7, 4]], "int64")
    found = [*(layer(x) for layer in plain), weights(x), normal(f), bins(f)]
    return k.Model([x, f], found), [fed, k.random((3, 3))]


@case(OLD)
def feature_columns(k: Kit) -> Any:
    import tensorflow as tf

    of = tf.feature_column
    age, plane = of.numeric_column("age"), of.numeric_column("plane", shape=(2,))
    kind = of.categorical_column_with_identity("kind", 5, default_value=2)
    code = of.categorical_column_with_vocabulary_list("code", [7, 9, 4])
    hashed = of.categorical_column_with_hash_bucket("code", 6, dtype=tf.int64)
    bounds = [18, 25.5, 30]
    columns = [
        plane, age, of.bucketized_column(age, bounds), of.bucketized_column(plane, [-0.5, 0.5]),
        of.indicator_column(kind), of.embedding_column(kind, 3), of.indicator_column(code),
        of.embedding_column(code, 2, combiner="sum"),
        of.embedding_column(of.bucketized_column(age, bounds), 2, combiner="sqrtn"),
    ]  # fmt: skip
    fed = {
        "age": k.Input((1,), name="age"),
        "plane": k.Input((2,), name="plane"),
        "kind": k.Input((1,), name="kind", dtype="int64"),
        "code": k.Input((2,), name="code", dtype="int64"),
    }
    found = [
        k.L.Dense(2)(k.L.DenseFeatures(columns)(fed)),
        k.L.DenseFeatures([of.embedding_column(hashed, 3)])({"code": fed["code"]}),
    ]
    ages = 20 + 10 * k.random((4, 1))
    numbers = k.whole((4, 1), 7), k.whole((4, 2), 10, 3)
    data = [ages, k.random((4, 2)), *(one.astype("int64") for one in numbers)]
    return k.Model(list(fed.values()), found), data
