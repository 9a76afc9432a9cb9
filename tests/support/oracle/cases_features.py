"""Designed cases: flattened maps, joined features, features that become maps."""

from __future__ import annotations

from .builder import Keras
from .designed import FIRST, LAST, case, conv, dense
from .example import Example

# Flatten, and what stands behind it


@case
def flatten_dense(k: Keras) -> Example:
    """The classic: the kernel's rows are in the order of the flattened map."""
    y = conv(k, k.input(3, 6, 5), 4)
    return k.model(dense(k, k("Flatten", y, **LAST), 2))


@case
def flatten_channels_first(k: Keras) -> Example:
    """The same classes, the other meaning of Flatten."""
    y = conv(k, k.input(3, 6, 5), 4)
    return k.model(dense(k, k("Flatten", y, **FIRST), 2))


@case
def flatten_two_ways(k: Keras) -> Example:
    """Two flattened copies of one map, multiplied: nothing but positions corresponds."""
    y = conv(k, k.input(3, 5, 4), 4)
    product = k("Multiply", k("Flatten", y, **LAST), k("Flatten", y, **FIRST))
    return k.model(dense(k, product, 3))


@case
def flatten_is_the_output(k: Keras) -> Example:
    """The flat vector is seen from outside, normalized and contracted."""
    flat = k("Flatten", conv(k, k.input(3, 5, 4), 4), **LAST)
    return k.model(dense(k, flat, 3), k("BatchNormalization", flat), flat)


@case
def flatten_to_unfactored_reshape(k: Keras) -> Example:
    """A Dense follows any order; a Reshape that cuts across the axes does not."""
    flat = k("Flatten", conv(k, k.input(3, 5, 4), 4), **LAST)
    return k.model(dense(k, flat, 3), k("Reshape", flat, target_shape=[3, 16]))


@case
def flatten_chain(k: Keras) -> Example:
    """Everything between Flatten and Dense that keeps the order: each has parameters along it."""
    y = k("Flatten", conv(k, k.input(3, 6, 5), 4), **LAST)
    y = k("BatchNormalization", y, axis=1)
    y = k("PReLU", k("Dropout", y, rate=0.5))
    y = k("Reshape", y, target_shape=[-1])
    return k.model(dense(k, k("Activation", y, activation="tanh"), 3))


@case
def prelu_behind_flatten(k: Keras) -> Example:
    y = k("PReLU", k("Flatten", conv(k, k.input(2, 5, 6), 3), **LAST))
    return k.model(y, dense(k, y, 4))


@case
def flatten_of_two_axes(k: Keras) -> Example:
    """Flatten with channels_first swaps the two axes of a sequence before it joins them."""
    y = k("Conv1D", k.input(7, 3), filters=4, kernel_size=2)
    return k.model(*(dense(k, k("Flatten", y, **way), 2) for way in (FIRST, LAST)))


@case
def flatten_of_a_volume(k: Keras) -> Example:
    y = k("Conv3D", k.input(2, 4, 5, 3), filters=3, kernel_size=[2, 3, 1])
    return k.model(*(dense(k, k("Flatten", y, **way), 2) for way in (FIRST, LAST)))


@case
def flatten_dense_softmax(k: Keras) -> Example:
    """A small VGG as it was written in 2015."""
    x = k("ZeroPadding2D", k.input(3, 7, 6), padding=[[1, 0], [2, 1]])
    y = conv(k, x, 4, 3, activation="relu")
    y = k("MaxPooling2D", y, pool_size=2)
    y = k("Flatten", conv(k, y, 5), **LAST)
    y = k("Dense", k("Dropout", y, rate=0.3), units=6, activation="relu")
    return k.model(k("Dense", y, units=3, activation="softmax"))


# Joined features


@case
def concatenated_flattens(k: Keras) -> Example:
    """Two maps and plain features in one vector: each part has an order of its own."""
    y = conv(k, k.input(3, 5, 4), 4)
    z = conv(k, k.input(2, 4, 6), 3)
    joined = k("Concatenate", k("Flatten", y, **LAST), k.input(6), k("Flatten", z, **FIRST))
    return k.model(dense(k, joined, 3))


@case
def normalized_concatenated_flattens(k: Keras) -> Example:
    """One map twice among features; parameters lie along the join."""
    flat = k("Flatten", conv(k, k.input(3, 5, 4), 4), **LAST)
    joined = k("Concatenate", flat, k.input(6), flat)
    y = k("PReLU", k("BatchNormalization", joined))
    return k.model(dense(k, y, 3))


@case
def concatenated_with_itself(k: Keras) -> Example:
    """The halves are alike in all but position."""
    y = conv(k, k.input(3, 5, 4), 3)
    return k.model(conv(k, k("Concatenate", y, y, axis=1), 2))


@case
def nested_concatenations(k: Keras) -> Example:
    """A join inside a join, one part in both."""
    flat = k("Flatten", conv(k, k.input(3, 5, 4), 2), **LAST)
    inner = k("Concatenate", flat, k.input(5))
    return k.model(dense(k, k("Concatenate", inner, flat, inner), 3))


@case
def concatenated_over_height(k: Keras) -> Example:
    x = k.input(3, 5, 4)
    y = k("Concatenate", conv(k, x, 4), conv(k, x, 4), axis=2)
    return k.model(dense(k, k("Flatten", conv(k, y, 2), **LAST), 2))


@case
def concatenated_reshapes(k: Keras) -> Example:
    """Two ways of joining the same three axes meet as parts."""
    y = conv(k, k.input(3, 2, 4), 3, 1)
    back = k("Reshape", k("Flatten", y, **LAST), target_shape=[3, 2, 4])
    one = k("Reshape", k("Permute", back, dims=[3, 1, 2]), target_shape=[4, 6])
    two = k("Permute", k("Reshape", y, target_shape=[6, 4]), dims=[2, 1])
    joined = k("Concatenate", one, two, axis=2)
    return k.model(dense(k, k("Flatten", joined, **LAST), 2))


@case
def concatenated_and_split_again(k: Keras) -> Example:
    """A Reshape cuts a join of two equal maps where they meet."""
    x = k.input(3, 5, 4)
    joined = k("Concatenate", conv(k, x, 2), conv(k, x, 2), axis=1)
    stacked = k("Reshape", joined, target_shape=[2, 2, 4, 3])
    return k.model(k("Conv3D", stacked, filters=3, kernel_size=[1, 2, 2]))


@case
def added_to_features(k: Keras) -> Example:
    """A Dense has to produce the order of a flattened map."""
    flat = k("Flatten", conv(k, k.input(3, 5, 4), 4), **LAST)
    return k.model(dense(k, k("Add", flat, dense(k, flat, 48)), 3))


@case
def dot_of_flattened(k: Keras) -> Example:
    """A dot product does not care about order, if both sides have the same one."""
    x = k.input(3, 5, 4)
    one, two = (k("Flatten", conv(k, x, 2), **way) for way in (LAST, FIRST))
    same = k("Dot", one, k("Flatten", conv(k, x, 2), **LAST), axes=1)
    return k.model(same, k("Dot", one, two, axes=1, normalize=True))


@case
def dot_over_places(k: Keras) -> Example:
    """Attention over the places of a map: (places, channels) against (channels,)."""
    y = conv(k, k.input(3, 5, 4), 6)
    places = k("Permute", k("Reshape", y, target_shape=[6, 12]), dims=[2, 1])
    query = k("GlobalAveragePooling2D", y)
    scores = k("Activation", k("Dot", places, query, axes=[2, 1]), activation="softmax")
    return k.model(k("Dot", places, scores, axes=[1, 1]))


# From features to maps


@case
def generator(k: Keras) -> Example:
    """The columns of a Dense become a map; a normalization stands between."""
    y = k("BatchNormalization", dense(k, k.input(7), 60))
    y = k("Activation", y, activation="tanh")
    return k.model(conv(k, k("Reshape", y, target_shape=[3, 4, 5]), 2))


@case
def features_split_two_ways(k: Keras) -> Example:
    """The same features become two maps whose sizes contradict each other."""
    y = dense(k, k.input(7), 60)
    one = conv(k, k("Reshape", y, target_shape=[3, 4, 5]), 2)
    two = conv(k, k("Reshape", y, target_shape=[4, 3, 5]), 2)
    return k.model(one, two)


@case
def autoencoder(k: Keras) -> Example:
    """Flatten, Dense, Dense, Reshape, transposed convolution: both ends at once."""
    y = k("Flatten", conv(k, k.input(3, 6, 5), 4, activation="tanh"), **LAST)
    y = dense(k, dense(k, y, 6), 80)
    y = k("Reshape", y, target_shape=[4, 5, 4])
    return k.model(k("Conv2DTranspose", y, filters=3, kernel_size=2))


@case
def flat_and_back(k: Keras) -> Example:
    """Flatten with channels_first, then a Reshape in the order that it did not leave."""
    y = k("Flatten", conv(k, k.input(3, 6, 5), 4), **FIRST)
    return k.model(conv(k, k("Reshape", y, target_shape=[4, 5, 4]), 2))


@case
def repeated_features(k: Keras) -> Example:
    """A flattened map, repeated as the steps of a sequence."""
    flat = k("Flatten", conv(k, k.input(2, 4, 5), 3), **LAST)
    y = k("RepeatVector", flat, n=4)
    return k.model(k("LSTM", y, units=3), k("Conv1D", y, filters=2, kernel_size=3))
