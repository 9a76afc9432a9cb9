"""Designed cases: axes counted otherwise, layers along any axis, broadcasting."""

from __future__ import annotations

from .builder import Keras
from .designed import LAST, case, conv, dense
from .example import Example

# Counting axes otherwise


@case
def map_fed_to_the_other_format(k: Keras) -> Example:
    """A channels_last convolution on a channels_first map, on purpose."""
    y = conv(k, k.input(5, 4, 3), 4)
    return k.model(conv(k, y, 2, **LAST))


@case
def permuted_to_the_other_format(k: Keras) -> Example:
    """The same, but properly."""
    y = k("Permute", conv(k, k.input(3, 6, 5), 4), dims=[2, 3, 1])
    y = k("Permute", conv(k, y, 2, 3, **LAST), dims=[3, 1, 2])
    return k.model(k("MaxPooling2D", y, pool_size=2))


@case
def permute_chain(k: Keras) -> Example:
    """Three turns make none."""
    y = conv(k, k.input(3, 6, 5), 4)
    for _ in range(3):
        y = k("BatchNormalization", k("Permute", y, dims=[2, 3, 1]), axis=1)
    return k.model(conv(k, y, 2))


@case
def sum_with_its_transpose(k: Keras) -> Example:
    """The same axes on both sides, in two orders: they must not be taken for one."""
    y = conv(k, k.input(3, 5, 5), 3, padding="same")
    total = k("Add", y, k("Permute", y, dims=[1, 3, 2]))
    return k.model(dense(k, k("Flatten", conv(k, total, 2), **LAST), 2))


@case
def channel_shuffle(k: Keras) -> Example:
    y = k("Reshape", conv(k, k.input(3, 5, 4), 6), target_shape=[2, 3, 12])
    y = k("Reshape", k("Permute", y, dims=[2, 1, 3]), target_shape=[6, 4, 3])
    return k.model(dense(k, k("Flatten", conv(k, y, 2), **LAST), 2))


@case
def space_to_depth(k: Keras) -> Example:
    """Channels gather blocks of places."""
    y = k("Reshape", conv(k, k.input(3, 5, 7), 2), target_shape=[2, 2, 2, 6])
    y = k("Reshape", k("Permute", y, dims=[3, 1, 2, 4]), target_shape=[4, 2, 6])
    return k.model(conv(k, y, 3))


@case
def map_to_sequence(k: Keras) -> Example:
    """Places become steps, as in text recognition."""
    y = k("Reshape", conv(k, k.input(3, 5, 4), 6), target_shape=[6, 12])
    y = k("LSTM", k("Permute", y, dims=[2, 1]), units=5, return_sequences=True)
    return k.model(dense(k, k("Flatten", y, **LAST), 2))


@case
def columns_to_sequence(k: Keras) -> Example:
    """Columns are steps, their features channels times rows."""
    y = k("Permute", conv(k, k.input(3, 5, 6), 4), dims=[3, 1, 2])
    y = k("Reshape", y, target_shape=[5, 16])
    return k.model(k("LSTM", y, units=3))


@case
def sequence_to_map(k: Keras) -> Example:
    """Steps and features of a recurrent layer split into a map."""
    y = k("LSTM", k.input(6, 4), units=10, return_sequences=True)
    return k.model(conv(k, k("Reshape", y, target_shape=[3, 4, 5]), 2))


@case
def unfactored_reshape(k: Keras) -> Example:
    """A Reshape that no splitting and joining of axes can say, between two convolutions."""
    y = k("Reshape", conv(k, k.input(3, 5, 4), 4), target_shape=[3, 4, 4])
    return k.model(conv(k, y, 2))


@case
def axes_of_size_one(k: Keras) -> Example:
    """Come and go anywhere."""
    y = k("Reshape", k.input(3, 5), target_shape=[3, 1, 5])
    y = k("Conv2D", y, filters=4, kernel_size=[1, 2])
    y = k("Reshape", y, target_shape=[1, 4, 4, 1])
    y = k("BatchNormalization", k("Reshape", y, target_shape=[4, 1, 4]), axis=1)
    return k.model(dense(k, k("Flatten", y, **LAST), 3))


@case
def one_by_one_map_flattened(k: Keras) -> Example:
    """Flatten of a map of one place moves nothing."""
    y = conv(k, k.input(3, 4, 4), 5, 4)
    return k.model(dense(k, k("Flatten", y, **LAST), 2), k("Reshape", y, target_shape=[-1]))


# Dense, normalization, softmax, anywhere


@case
def dense_on_a_map(k: Keras) -> Example:
    """In channels_first a Dense contracts the width."""
    y = dense(k, conv(k, k.input(3, 5, 4), 4), 6)
    normal = k("BatchNormalization", y, axis=1)
    return k.model(conv(k, normal, 2), normal)


@case
def dense_on_a_map_channels_last(k: Keras) -> Example:
    """Here it is a pointwise convolution."""
    y = dense(k, conv(k, k.input(5, 4, 3), 4, **LAST), 6)
    return k.model(conv(k, y, 2, **LAST))


@case
def normalization_along_every_axis(k: Keras) -> Example:
    y = conv(k, k.input(3, 6, 5), 4)
    for axis in (1, 2, 3, -1, -2, -3):
        y = k("BatchNormalization", y, axis=axis)
    return k.model(y)


@case
def softmax_on_a_map(k: Keras) -> Example:
    """The activation takes the last axis, whatever that is; the layer any."""
    y = conv(k, k.input(3, 5, 4), 4, activation="softmax")
    axes = [k("Softmax", y, axis=axis) for axis in (1, 2, -1)]
    return k.model(k("Activation", y, activation="softmax"), *axes)


@case
def softmax_of_flattened(k: Keras) -> Example:
    y = k("Flatten", conv(k, k.input(3, 5, 4), 4), **LAST)
    return k.model(dense(k, k("Activation", y, activation="softmax"), 3))


@case
def prelu_of_every_span(k: Keras) -> Example:
    y = conv(k, k.input(3, 6, 5), 4)
    for shared in (None, [1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]):
        y = k("PReLU", y, shared_axes=shared)
    return k.model(y)


@case
def elementwise_layers_on_a_map(k: Keras) -> Example:
    y = conv(k, k.input(3, 6, 5), 4)
    y = k("LeakyReLU", y, alpha=0.25)
    y = k("ELU", y, alpha=0.5)
    y = k("ThresholdedReLU", y, theta=-0.25)
    y = k("ReLU", y, max_value=1.5, negative_slope=0.25, threshold=0.125)
    return k.model(y)


# Broadcasting


@case
def squeeze_and_excite(k: Keras) -> Example:
    y = conv(k, k.input(3, 5, 4), 4)
    scale = dense(k, k("GlobalAveragePooling2D", y), 4)
    y = k("Multiply", y, k("Reshape", scale, target_shape=[4, 1, 1]))
    return k.model(dense(k, k("Flatten", conv(k, y, 2), **LAST), 2))


@case
def lower_ranks_added(k: Keras) -> Example:
    """Keras adds axes behind the batch: features meet the last axis of a map."""
    y = conv(k, k.input(3, 5, 4), 4)
    return k.model(k("Add", y, k.input(3), k.input(4, 3)))


@case
def outer_product_by_broadcast(k: Keras) -> Example:
    """Each side has 1 where the other has more."""
    x = k.input(4)
    row = k("Reshape", x, target_shape=[1, 4])
    column = k("Reshape", k.input(3), target_shape=[3, 1])
    return k.model(k("Conv1D", k("Multiply", row, column), filters=2, kernel_size=2))
