"""Makes the genuine models of tf-keras and Keras 3 that begin with `m_`, one folder each.

    python tests/data/make_modern.py tf_keras OUT [CASE ...]
    KERAS_BACKEND=jax python tests/data/make_modern.py keras OUT [CASE ...]

Weights are random, sizes odd and unequal; predictions are those of the model that was saved.
"""

from __future__ import annotations

import importlib
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FLAVOUR = sys.argv[1] if len(sys.argv) > 1 else "keras"
keras: Any = importlib.import_module(FLAVOUR)
L: Any = keras.layers
IS_3 = FLAVOUR == "keras"
ERA = f"keras{keras.__version__}-jax" if IS_3 else f"tf-keras{keras.__version__}-tensorflow"
ZIP, H5 = ("model.keras",), ("model.h5",)

CASES: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {}
Input, Model, Sequential = keras.Input, keras.Model, keras.Sequential


def case(
    new: tuple[str, ...] = ZIP, old: tuple[str, ...] = ZIP
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """A function that gives a model, or a model and its inputs.

    Args:
        new: The files that Keras 3 writes; none leaves the case to tf-keras.
        old: Those that tf-keras writes.
    """

    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        files = new if IS_3 else old
        if files:
            CASES[function.__name__] = (function, files)
        return function

    return register


# ---- activations, normalizations --------------------------------------------------------------


@case()
def m_activations() -> Any:
    names = ["swish", "gelu", "mish", "silu", "hard_sigmoid", "leaky_relu", "relu6", "selu"]
    names += ["softsign", "exponential", "elu", "softmax"]
    names += [
        "hard_silu", "celu", "log_sigmoid", "tanh_shrink", "hard_shrink", "soft_shrink",
        "squareplus", "sparse_plus", "sparse_sigmoid", "hard_tanh", "log_softmax", "sparsemax",
    ] if IS_3 else []  # fmt: skip
    names = [name for name in names if IS_3 or name not in {"silu", "leaky_relu", "relu6"}]
    x = Input((5,))
    h = L.Dense(4)(x)
    return Model(x, L.Concatenate()([L.Activation(name)(h) for name in names]))


@case(old=H5)
def m_activation_layers() -> Any:
    x = Input((4, 5, 3))
    slope = {"negative_slope" if IS_3 else "alpha": 0.15}
    h = L.Conv2D(6, 2, activation=L.LeakyReLU(**slope))(x)
    h = L.Softmax(axis=[1, 2])(h)
    h = L.Softmax(axis=1)(L.Identity()(h))
    h = L.ReLU(max_value=0.31, negative_slope=0.1, threshold=0.05)(h)
    return Model(x, L.ELU(alpha=0.7)(h))


@case()
def m_norms() -> Any:
    x = Input((4, 5, 6))
    h = L.LayerNormalization(epsilon=0.02)(x)
    h = L.LayerNormalization(axis=[1, 2], center=False)(h)
    h = L.GroupNormalization(groups=2)(h)
    h = L.GroupNormalization(groups=-1, axis=1, scale=False, epsilon=0.1)(h)
    h = L.LayerNormalization(axis=2, scale=False)(h)
    h = L.UnitNormalization(axis=[1, 3])(h)
    h = L.RMSNormalization()(h) if IS_3 else h
    h = L.Conv2D(3, 2)(h)
    return Model(x, L.LayerNormalization()(L.Dense(4)(L.Flatten()(h))))


@case(old=H5)
def m_scaling() -> Any:
    x = Input((4, 5, 3))
    h = L.Rescaling(1 / 127.5, offset=-1)(x)
    h = L.Rescaling([0.5, 2.0, 3.0], offset=[0.1, 0.2, 0.3])(h)
    h = L.Normalization(axis=-1, mean=[0.5, 0.2, 0.1], variance=[2.0, 3.0, 0.5])(h)
    learnt = L.Normalization(axis=2)
    learnt.adapt(random((7, 4, 5, 3), 3))
    h = L.Normalization(axis=None, mean=0.3, variance=2.0)(learnt(h))
    return Model(x, L.Conv2D(2, 3)(h))


@case()
def m_batch_statistics() -> Any:
    x = Input((6, 4))
    h = L.BatchNormalization(epsilon=0.01)(x, training=True)
    return Model(x, L.BatchNormalization()(h, training=False))


# ---- convolutions, resizing -------------------------------------------------------------------


@case()
def m_conv1d() -> Any:
    x = Input((13, 3))
    h = L.DepthwiseConv1D(3, depth_multiplier=2, strides=2, padding="same")(x)
    h = L.SeparableConv1D(5, 3, padding="valid", dilation_rate=2)(h)
    h = L.Conv1DTranspose(4, 3, strides=2, padding="same")(h)
    h = L.Conv1DTranspose(3, 4, strides=3, padding="valid", output_padding=1, use_bias=False)(h)
    return Model(x, L.Conv1D(2, 2, padding="causal", dilation_rate=2, groups=1)(h))


@case()
def m_conv_lstm() -> Any:
    x, y = Input((3, 7, 2)), Input((2, 3, 4, 5, 2))
    a = L.ConvLSTM1D(3, 3, strides=2, padding="same", return_sequences=True)(x)
    b = L.ConvLSTM3D(2, (2, 3, 2), use_bias=False, recurrent_activation="hard_sigmoid")(y)
    return Model([x, y], [L.Conv1D(4, 2)(L.Reshape((12, 3))(a)), b])


@case()
def m_upsampling() -> Any:
    x = Input((3, 4, 2))
    h = L.UpSampling2D((2, 3), interpolation="bilinear")(x)
    h = L.UpSampling2D(2)(L.Conv2D(3, 2)(h))
    return Model(x, L.GlobalMaxPooling2D(keepdims=True)(h))


@case()
def m_augmentation() -> Any:
    layers = [L.RandomFlip(), L.RandomRotation(0.2), L.RandomZoom(0.3), L.GaussianNoise(0.1)]
    layers += [L.AlphaDropout(0.2), L.SpatialDropout2D(0.2), L.Conv2D(2, 3), L.Dropout(0.5)]
    return Sequential([Input((5, 6, 3)), *layers])


# ---- recurrent --------------------------------------------------------------------------------


@case((*ZIP, *H5))
def m_masks() -> Any:
    ids, x = Input((6,), dtype="int32"), Input((6, 3))
    h = L.Embedding(9, 4, mask_zero=True)(ids)
    pooled = L.GlobalAveragePooling1D()(h)
    h = L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="sum")(h)
    h = L.GRU(5)(L.Dense(4, activation="tanh")(h))
    y = L.LSTM(4, return_sequences=True, go_backwards=True)(L.Masking(0.5)(x))
    z = L.SimpleRNN(2)(y)
    words = np.array([[3, 0, 4, 0, 0, 0], [1, 2, 3, 4, 5, 6], [0, 0, 7, 8, 0, 1]], np.int32)
    steps = random((3, 6, 3), 5)
    steps[0, 3:] = steps[1, 2] = 0.5
    return Model([ids, x], L.Concatenate()([pooled, h, z])), [words, steps]


@case(old=H5)
def m_states() -> Any:
    x, y = Input((5, 3)), Input((4, 2))
    _, h, c = L.LSTM(4, return_state=True)(x)
    a = L.LSTM(4, return_sequences=True)(y, initial_state=[h, c])
    b = L.GRU(4, reset_after=False)(a, initial_state=h)
    d = L.Bidirectional(L.GRU(4))(a, initial_state=[h, c])
    if not IS_3:
        return Model([x, y], L.Concatenate()([b, d]))
    masked = L.Masking(0.25)(y)  # with initial states, no mask comes along
    steps = random((3, 4, 2), 6)
    steps[:, 2] = 0.25
    outputs = [b, d, L.LSTM(4)(masked, initial_state=[h, c]), L.LSTM(2)(masked)]
    return Model([x, y], L.Concatenate()(outputs)), [random((3, 5, 3), 4), steps]


@case(old=H5)
def m_two_directions() -> Any:
    x = Input((5, 3))
    forward = L.LSTM(4, return_sequences=True, activation="relu")
    backward = L.LSTM(4, return_sequences=True, go_backwards=True, use_bias=False)
    h = L.Bidirectional(forward, backward_layer=backward)(x)
    return Model(x, L.TimeDistributed(L.Dense(2))(h))


# ---- graphs -----------------------------------------------------------------------------------


@case()
def m_nested() -> Any:
    a = Input((5, 4, 3))
    inner = Model(a, L.Dense(3)(L.Flatten()(L.Conv2D(2, 2)(a))), name="inner")
    x = Input((2, 5, 4, 3))
    shared = Sequential([Input((3,)), L.Dense(4, activation="relu"), L.Dense(3)], name="shared")
    each = Model(a, L.Dense(3)(L.GlobalAveragePooling2D()(a)), name="each")
    h = shared(L.GlobalMaxPooling1D()(L.TimeDistributed(each)(x)))
    y = Input((5, 4, 3))
    z = inner(y)
    both = Model({"b": x, "a": y}, {"u": L.Subtract()([h, z]), "s": shared(z)}, name="outer")
    p, q = Input((5, 4, 3), name="p"), Input((2, 5, 4, 3), name="q")
    r = both({"a": p, "b": q})
    return Model([q, p], [r["u"], L.Dense(2)(r["s"])])


@case(old=())
def m_numbered() -> Any:
    """Twelve layers of one class: `dense_10` comes behind `dense_2`."""
    x = h = Input((3,))
    for units in (4, 5, 3, 6, 4, 5, 3, 6, 4, 5, 3, 2):
        h = L.Dense(units, activation="tanh")(h)
    return Model(x, h)


@case()
def m_einsum() -> Any:
    dense = L.EinsumDense
    x = Input((4, 6))
    h = dense("abc,cde->abde", output_shape=(4, 2, 5), bias_axes="de", activation="relu")(x)
    h = dense("abde,dec->abc", output_shape=(4, 3), bias_axes="c")(h)
    h = dense("abc,bd->adc", output_shape=(5, 3))(h)
    return Model(x, dense("...x,xy->...y", output_shape=(7,), bias_axes="y")(h))


@case(old=())
def m_patches() -> Any:
    x = Input((7, 6, 3))
    extract = keras.ops.image.extract_patches
    apart = extract(x, 2, strides=3, padding="same")
    over = extract(x, (2, 3), strides=1, dilation_rate=2)
    tiles = keras.ops.reshape(extract(L.Conv2D(3, 2, padding="same")(x), 2), (-1, 9, 12))
    return Model(x, [apart, over, L.Dense(4)(tiles)])


@case((*ZIP, *H5), ())
def m_operations() -> Any:
    ops = keras.ops
    x, image = Input((6,)), Input((5, 4, 3))
    h = (L.Dense(6)(x) * 2.0 + 1.0) - np.arange(6, dtype="float32")
    h = ops.relu6(3.0 - h) / 1.5
    h = ops.concatenate([h[:, 1:5], ops.silu(h[:, -2:])], axis=-1)
    h = ops.transpose(ops.reshape(h, (-1, 2, 3)), (0, 2, 1))
    h = ops.maximum(0.1, h) * ops.exp(-ops.square(h)) + ops.mean(h, axis=1, keepdims=True)
    h = h / (1.0 + ops.sum(ops.abs(h), axis=[1, 2], keepdims=True))
    h = ops.squeeze(ops.expand_dims(h[..., 0], 1), 1)
    y = L.Conv2D(4, 2)(image)[:, 1:, :, :3]
    y = ops.softmax(keras.activations.relu(y, max_value=0.9), axis=[1, 2])
    y = ops.max(y, axis=-1) ** 2 - ops.sqrt(ops.gelu(y[:, :, :, 1], approximate=False) + 1.0)
    return Model([x, image], [L.Dense(2)(h), L.Dense(2)(L.Flatten()(y))])


@case((), H5)
def m_functions() -> Any:
    tf = importlib.import_module("tensorflow")
    x, image = Input((6,)), Input((5, 4, 3))
    h = (L.Dense(6)(x) * 2.0 + 1.0) - np.arange(6, dtype="float32")
    h = tf.nn.relu6(3.0 - h) / 1.5
    h = tf.concat([h[:, 1:5], tf.nn.silu(h[:, -2:])], axis=-1)
    h = tf.transpose(tf.reshape(h, (-1, 2, 3)), (0, 2, 1))
    h = tf.maximum(0.1, h) * tf.exp(-tf.square(h)) + tf.reduce_mean(h, axis=1, keepdims=True)
    h = tf.squeeze(tf.expand_dims(h[:, :, 0], 1), 1)
    y = L.Conv2D(4, 2)(image)[:, 1:, :, :3]
    y = tf.nn.softmax(tf.nn.leaky_relu(y, 0.1), axis=1)
    y = tf.reduce_max(y, axis=-1) - tf.sqrt(tf.nn.gelu(y[:, :, :, 1]) + 1.0)
    return Model([x, image], [L.Dense(2)(h), L.Dense(2)(L.Flatten()(y))])


# ---- attention, preprocessing --------------------------------------------------------------------


@case(old=H5)
def m_attention() -> Any:
    """Two heads over padded steps; each reader of the masked steps comes before, beside, behind."""
    q = Input((5,))
    x = L.Embedding(6, 4, mask_zero=True)(q)
    h = L.MultiHeadAttention(2, 3, dropout=0.2)(x, x)
    h = L.LayerNormalization()(L.Add()([x, h]))
    mean = L.GlobalAveragePooling1D()(h)
    return Model(q, [mean, L.Attention(use_scale=True)([h, h])]), [whole((3, 5), 3, 5)]


@case(old=H5)
def m_encoding() -> Any:
    x, n = Input((3,)), Input((4,), dtype="int64")
    levels = L.Discretization(bin_boundaries=[-0.5, 0.1, 0.9], output_mode="multi_hot")(x)
    words = L.IntegerLookup(vocabulary=[7, 2, 9], num_oov_indices=2, output_mode="count")(n)
    return Model([x, n], [levels, words]), [random((3, 3), 6), whole((3, 4), 11, 7)]


@case(old=())
def m_spectra() -> Any:
    x = Input((90, 1))
    return Model(x, [
        L.STFTSpectrogram("log", 16, frame_step=9)(x),
        L.MelSpectrogram(32, 20, sampling_rate=8000, num_mel_bins=7)(L.Flatten()(x)),
    ])  # fmt: skip


@case(old=())
def m_adaptive() -> Any:
    x = Input((7, 5, 3))
    return Model(x, [L.AdaptiveAveragePooling2D((3, 2))(x), L.AdaptiveMaxPooling2D((2, 4))(x)])


def whole(shape: tuple[int, ...], below: int, seed: int) -> Any:
    return np.random.RandomState(seed).randint(0, below, shape).astype("int64")


def random(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.RandomState(seed).normal(0, 1, shape).astype("float32")


def randomise(model: Any, rs: Any) -> None:
    """New values for every weight; statistics stay positive."""
    for weight in model.weights:
        name, shape = weight.name.split("/")[-1], tuple(weight.shape)
        if "int" in str(weight.dtype):
            continue
        if "var" in name:
            value = rs.uniform(0.5, 2.0, shape)
        elif "gamma" in name:
            value = rs.uniform(0.5, 1.5, shape)
        else:
            value = rs.normal(0, 0.9 / np.sqrt(max(1, np.prod(shape[:-1]))), shape)
        weight.assign(value.astype("float32"))
    for layer in model.layers:
        if isinstance(layer, L.Normalization):
            layer.finalize_state()


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def flat(value: Any) -> list[Any]:
    return [value[key] for key in sorted(value)] if isinstance(value, dict) else as_list(value)


def make(name: str, out: Path) -> None:
    build, files = CASES[name]
    keras.backend.clear_session()
    seed = zlib.crc32(name.encode()) & 0x7FFFFFFF
    keras.utils.set_random_seed(seed % 100_000)
    made = build()
    model, fixed = made if isinstance(made, tuple) else (made, None)
    rs = np.random.RandomState(seed)
    randomise(model, rs)
    shapes = [tuple(n or 4 for n in tensor.shape[1:]) for tensor in model.inputs]
    inputs = fixed or [rs.normal(0, 1, (3, *shape)).astype("float32") for shape in shapes]
    outputs = flat(model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0))
    folder = out / ERA / f"{name}_tf"
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        model.save(folder / file)
    arrays = {f"in_{i}": x for i, x in enumerate(inputs)}
    arrays |= {f"out_{i}": np.asarray(y, "float32") for i, y in enumerate(outputs)}
    np.savez_compressed(folder / "data.npz", **arrays)
    meta = {
        "era": ERA, "case": name, "keras_version": keras.__version__, "ordering": "tf",
        "backend": "jax" if IS_3 else "tensorflow", "python": sys.version.split()[0],
        "trained": False, "in_shapes": [list(x.shape) for x in inputs],
        "out_shapes": [list(np.shape(y)) for y in outputs], "note": (build.__doc__ or "").strip(),
        "layers": [[layer.name, type(layer).__name__] for layer in model.layers],
    }  # fmt: skip
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
    spread = min(float(np.std(y)) for y in outputs)
    print(f"{name:24} {[list(np.shape(y)) for y in outputs]} spread {spread:.2g}", flush=True)


if __name__ == "__main__":
    for chosen in sys.argv[3:] or CASES:
        make(chosen, Path(sys.argv[2]))
