"""Designed cases: kernels, windows, unknown sizes, masks, and the ends of a model."""

from __future__ import annotations

from .builder import Keras
from .designed import FIRST, LAST, case, conv, dense
from .example import Example

# Convolutions, pools, pads


@case
def every_kernel(k: Keras) -> Example:
    """Reversed by Theano or not, in both formats."""
    outputs = []
    for way, shape in ((FIRST, (3, 7, 6)), (LAST, (7, 6, 3))):
        x = k.input(*shape)
        outputs += [
            conv(k, x, 4, 3, padding="same", strides=2, **way),
            conv(k, x, 4, 2, dilation_rate=[1, 2], **way),
            k("DepthwiseConv2D", x, kernel_size=[3, 2], depth_multiplier=2, **way),
            k("SeparableConv2D", x, filters=4, kernel_size=[1, 3], padding="same", **way),
            k("Conv2DTranspose", x, filters=2, kernel_size=3, strides=2, padding="same", **way),
            k("Conv2DTranspose", x, filters=2, kernel_size=2, strides=[3, 1], **way),
        ]
    return k.model(*outputs)


@case
def every_kernel_of_other_ranks(k: Keras) -> Example:
    line, volume = k.input(8, 3), k.input(2, 4, 5, 6)
    return k.model(
        k("Conv1D", line, filters=4, kernel_size=4, padding="same", strides=3),
        k("Conv1D", line, filters=4, kernel_size=3, padding="causal", dilation_rate=2),
        k("SeparableConv1D", line, filters=4, kernel_size=3, padding="same"),
        k("Conv3D", volume, filters=3, kernel_size=[2, 3, 1], padding="same"),
        k("Conv3DTranspose", volume, filters=3, kernel_size=[2, 1, 3]),
    )


@case
def every_pool(k: Keras) -> Example:
    """Even and odd windows, with pads that the backends place differently."""
    outputs = []
    for kind in ("MaxPooling2D", "AveragePooling2D"):
        for size, strides in ((2, 2), (3, 2), ([3, 2], 1), ([5, 4], [2, 3])):
            for way, shape in ((FIRST, (3, 9, 8)), (LAST, (9, 8, 3))):
                pool = {"pool_size": size, "strides": strides, "padding": "same", **way}
                outputs.append(k(kind, k.input(*shape), **pool))
    return k.model(*outputs)


@case
def pads_and_pools_of_other_ranks(k: Keras) -> Example:
    line, volume = k.input(9, 3), k.input(2, 5, 4, 6)
    y = k("ZeroPadding1D", line, padding=[2, 1])
    y = k("AveragePooling1D", k("UpSampling1D", y, size=2), pool_size=3, padding="same")
    y = k("Cropping1D", y, cropping=[1, 2])
    z = k("ZeroPadding3D", volume, padding=[[1, 0], [0, 2], [1, 1]])
    z = k("MaxPooling3D", k("UpSampling3D", z, size=[1, 2, 1]), pool_size=2, padding="same")
    z = k("Cropping3D", z, cropping=[[0, 1], [1, 0], [1, 1]])
    return k.model(y, k("GlobalMaxPooling1D", y), z, k("GlobalAveragePooling3D", z))


@case
def sizes_unknown(k: Keras) -> Example:
    """Fully convolutional, with no sizes told."""
    x = k.input(3, None, None, sample=(3, 9, 7))
    y = conv(k, x, 4, 3, activation="relu")
    y = k("BatchNormalization", k("MaxPooling2D", y, pool_size=2), axis=1)
    y = k("Add", y, conv(k, y, 4, 1))
    return k.model(dense(k, k("GlobalAveragePooling2D", y), 3))


@case
def sizes_unknown_and_same(k: Keras) -> Example:
    """TensorFlow's 'same' with strides depends on the sizes that are not known."""
    x = k.input(None, None, 3, sample=(8, 7, 3))
    y = conv(k, x, 4, 3, strides=2, padding="same", **LAST)
    return k.model(k("AveragePooling2D", y, pool_size=2, padding="same", **LAST))


@case
def steps_unknown(k: Keras) -> Example:
    x = k.input(None, 4, sample=(6, 4))
    y = k("Conv1D", x, filters=5, kernel_size=3, padding="causal")
    return k.model(k("LSTM", y, units=3), k("GlobalMaxPooling1D", y))


# Recurrence, embedding, masks


@case
def embedding_and_mask(k: Keras) -> Example:
    """Index 0 is masked; the mask goes through the first recurrent layer."""
    x = k.input(6, below=5)
    y = k("Embedding", x, input_dim=5, output_dim=4, mask_zero=True)
    y = k("LSTM", y, units=3, return_sequences=True)
    return k.model(k("LSTM", y, units=2))


@case
def masked_steps(k: Keras) -> Example:
    """Steps of nothing but zeros, made by padding, are left out."""
    x = k("ZeroPadding1D", k.input(4, 3), padding=[2, 1])
    y = k("Masking", x)
    return k.model(k("LSTM", y, units=3), k("GRU", y, units=2, return_sequences=True))


@case
def embedded_map(k: Keras) -> Example:
    """An embedding of a grid, taken for a channels_last map."""
    x = k.input(5, 4, below=7)
    y = k("Embedding", x, input_dim=7, output_dim=3)
    return k.model(dense(k, k("Flatten", conv(k, y, 2, **LAST), **FIRST), 2))


@case
def recurrent_layers(k: Keras) -> Example:
    x = k.input(6, 4)
    y = k("SimpleRNN", x, units=5, return_sequences=True)
    y = k("GRU", y, units=3, return_sequences=True, go_backwards=True)
    y = k.wrapped("Bidirectional", "LSTM", units=2, return_sequences=True)(y)
    return k.model(y, k.wrapped("Bidirectional", "GRU", units=3, merge_mode="sum")(y))


@case
def halves_brought_elsewhere_before_they_are_merged(k: Keras) -> Example:
    """In channels_first the steps of a ConvLSTM2D are no axis of space yet, behind it they are."""
    x = k("PReLU", k.input(3, 5, 4, 2))
    config = {"filters": 2, "kernel_size": 2, "padding": "same", "return_sequences": True, **LAST}
    y = k.wrapped("Bidirectional", "ConvLSTM2D", merge_mode="sum", **config)(x)
    y = k("MaxPooling3D", y, pool_size=[2, 1, 2], strides=[1, 1, 2], **LAST)
    return k.model(k("ConvLSTM2D", y, **config))


# Ends of the model


@case
def same_output_twice(k: Keras) -> Example:
    y = conv(k, k.input(3, 5, 4), 4)
    return k.model(y, dense(k, k("Flatten", y, **LAST), 2), y)


@case
def inputs_in_another_order(k: Keras) -> Example:
    """The model takes its inputs otherwise than its layers are listed."""
    a, b, c = k.input(3, 5, 4), k.input(6), k.input(2, 4, 5)
    flats = (k("Flatten", conv(k, x, 2), **LAST) for x in (a, c))
    joined = k("Concatenate", *flats, b)
    return k.model(dense(k, joined, 3), inputs=[c, a, b])


@case
def nothing_but_flatten(k: Keras) -> Example:
    return k.model(k("Flatten", k.input(3, 5, 4), **FIRST))


@case
def sequential_cnn(k: Keras) -> Example:
    y = conv(k, k.input(3, 7, 6), 4, 3, activation="relu")
    y = k("BatchNormalization", k("MaxPooling2D", y, pool_size=2), axis=1)
    y = k("Flatten", y, **LAST)
    return k.sequential(dense(k, k("Dense", y, units=6, activation="tanh"), 3))


@case
def sequential_of_models(k: Keras) -> Example:
    """Sequentials in a Sequential: an encoder and a head."""
    inner = k.child()
    y = inner("BatchNormalization", conv(inner, inner.input(3, 6, 5), 4), axis=1)
    encoder = k.nested(inner.sequential(y))
    inner = k.child()
    z = dense(inner, inner("Flatten", inner.input(4, 5, 4), **LAST), 3)
    return k.sequential(k.nested(inner.sequential(z))(encoder(k.input(3, 6, 5))))
