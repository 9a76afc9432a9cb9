"""Designed corner cases: small models, each of which breaks some plausible shortcut about layouts.

`CASES` maps a name to a function that builds the case, `examples()` builds them all. Sizes are
unequal wherever the case allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .builder import BuiltLayer, Keras, Tensor
from .example import Example

FIRST: dict[str, Any] = {"data_format": "channels_first"}
LAST: dict[str, Any] = {"data_format": "channels_last"}

CASES: dict[str, Callable[[], Example]] = {}


def case(build: Callable[[Keras], Example]) -> Callable[[Keras], Example]:
    """Register a case; it is given a session whose layers are channels_first by default."""
    name = build.__name__

    def named() -> Example:
        return build(Keras("channels_first"))._replace(name=name)

    CASES[name] = named
    return build


def examples() -> Iterator[Example]:
    """Every case, built."""
    return (build() for build in CASES.values())


def conv(k: Keras, x: Tensor, filters: int, size: int = 2, **config: Any) -> Tensor:
    return k("Conv2D", x, filters=filters, kernel_size=size, **config)


def dense(k: Keras, x: Tensor, units: int) -> Tensor:
    return k("Dense", x, units=units)


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


# Sharing


def twice(layer: BuiltLayer, one: Tensor, two: Tensor) -> Tensor:
    return layer.keras("Add", layer(one), layer(two))


@case
def shared_dense_on_two_flattened_shapes(k: Keras) -> Example:
    """One kernel, two orders of its rows, and no third that suits both."""
    one = k("Flatten", conv(k, k.input(2, 4, 5), 3), **LAST)
    two = k("Flatten", conv(k, k.input(4, 4, 3), 6), **LAST)
    return k.model(twice(k.layer("Dense", units=5), one, two))


@case
def shared_dense_on_map_and_features(k: Keras) -> Example:
    flat = k("Flatten", conv(k, k.input(2, 4, 5), 3), **LAST)
    return k.model(twice(k.layer("Dense", units=5), flat, k.input(36)))


@case
def shared_dense_on_both_flattens(k: Keras) -> Example:
    y = conv(k, k.input(2, 4, 5), 3)
    flats = (k("Flatten", y, **way) for way in (FIRST, LAST))
    return k.model(twice(k.layer("Dense", units=5), *flats))


@case
def shared_dense_on_vector_and_map(k: Keras) -> Example:
    """A Dense has no rank of its own."""
    layer = k.layer("Dense", units=5)
    return k.model(layer(conv(k, k.input(3, 5, 5), 2)), layer(k.input(4)))


@case
def shared_dense_behind_itself(k: Keras) -> Example:
    """A kernel whose columns become its rows."""
    layer = k.layer("Dense", units=36)
    flat = k("Flatten", conv(k, k.input(2, 4, 5), 3), **LAST)
    y = layer(layer(flat))
    return k.model(conv(k, k("Reshape", y, target_shape=[3, 3, 4]), 2))


@case
def shared_convolution_on_permuted_map(k: Keras) -> Example:
    x = k.input(3, 5, 3)
    layer = k.layer("Conv2D", filters=4, kernel_size=2)
    y = k("Add", layer(x), layer(k("Permute", x, dims=[3, 2, 1])))
    return k.model(dense(k, k("Flatten", y, **LAST), 2))


@case
def shared_convolution_on_two_sizes(k: Keras) -> Example:
    layer = k.layer("Conv2D", filters=4, kernel_size=[3, 2])
    return k.model(*(k("GlobalMaxPooling2D", layer(k.input(3, *s))) for s in ((6, 5), (4, 7))))


@case
def shared_normalization(k: Keras) -> Example:
    """Along a flattened map, and along features."""
    flat = k("Flatten", conv(k, k.input(2, 4, 5), 3), **LAST)
    return k.model(dense(k, twice(k.layer("BatchNormalization"), flat, k.input(36)), 2))


@case
def shared_prelu(k: Keras) -> Example:
    """One alpha over two maps that are counted differently."""
    layer = k.layer("PReLU")
    one = conv(k, k.input(3, 6, 5), 4)
    two = k("Permute", conv(k, k.input(3, 5, 6), 4), dims=[1, 3, 2])
    return k.model(dense(k, k("Flatten", twice(layer, one, two), **LAST), 2))


@case
def shared_flatten(k: Keras) -> Example:
    """A layer without weights can be shared too, on different ranks."""
    layer = k.layer("Flatten", **FIRST)
    one = dense(k, layer(conv(k, k.input(3, 4, 5), 2)), 3)
    two = dense(k, layer(k("Conv1D", k.input(7, 2), filters=3, kernel_size=2)), 3)
    return k.model(k("Add", one, two))


@case
def siamese(k: Keras) -> Example:
    """A nested Sequential, called twice."""
    inner = k.child()
    y = inner("Flatten", conv(inner, inner.input(3, 6, 5), 4), **LAST)
    tower = k.nested(inner.sequential(dense(inner, y, 5)))
    product = k("Multiply", tower(k.input(3, 6, 5)), tower(k.input(3, 6, 5)))
    return k.model(dense(k, product, 2))


# Nesting


@case
def nested_called_on_two_layouts(k: Keras) -> Example:
    """The same inner weights see a map as it is, and one that was counted otherwise."""
    inner = k.child()
    x = inner.input(4, 5, 4)
    y = inner("BatchNormalization", conv(inner, x, 3), axis=1)
    block = k.nested(inner.model(inner("Flatten", y, **LAST)))
    one = conv(k, k.input(3, 6, 5), 4)
    two = k("Permute", conv(k, k.input(2, 6, 5), 4), dims=[3, 2, 1])
    return k.model(dense(k, k("Concatenate", block(one), block(two)), 3))


@case
def nested_behind_itself(k: Keras) -> Example:
    inner = k.child()
    x = inner.input(3, 5, 4)
    y = conv(inner, x, 3, 3, padding="same", activation="tanh")
    block = k.nested(inner.model(inner("Add", x, y)))
    flat = k("Flatten", block(block(k.input(3, 5, 4))), **LAST)
    return k.model(dense(k, flat, 2))


@case
def nested_two_levels(k: Keras) -> Example:
    """Trainable and other weights of both levels are listed apart."""
    low = k.child()
    y = low("BatchNormalization", conv(low, low.input(3, 5, 4), 4), axis=1)
    middle = k.child()
    z = middle.nested(low.sequential(y))(middle.input(3, 5, 4))
    z = middle("BatchNormalization", middle("Flatten", z, **LAST))
    top = k.nested(middle.model(dense(middle, z, 3)))
    return k.model(top(k.input(3, 5, 4)))


@case
def nested_repeats_a_name(k: Keras) -> Example:
    """A layer of the inner model is called like one outside."""
    inner = k.child(fresh_names=True)
    y = conv(inner, inner.input(4, 5, 4), 3)
    block = k.nested(inner.model(dense(inner, inner("Flatten", y, **LAST), 6)))
    return k.model(dense(k, block(conv(k, k.input(3, 6, 5), 4)), 2))


@case
def nested_with_a_frozen_layer(k: Keras) -> Example:
    """Frozen weights move behind the others in the file."""
    inner = k.child()
    y = inner("BatchNormalization", inner.input(3, 6, 5), axis=1, trainable=False)
    y = conv(inner, y, 3, trainable=False)
    y = inner("BatchNormalization", conv(inner, y, 3), axis=1)
    return k.model(k.nested(inner.model(y))(k.input(3, 6, 5)))


@case
def nested_with_two_ends(k: Keras) -> Example:
    """Two inputs and two results, of which the first is unused once."""
    inner = k.child()
    x, f = inner.input(3, 5, 4), inner.input(4)
    y = conv(inner, x, 4)
    scaled = inner("Multiply", inner("GlobalMaxPooling2D", y), f)
    block = k.nested(inner.model(y, dense(inner, scaled, 3), inputs=[f, x]))
    a, b = k.input(3, 5, 4), k.input(4)
    one, two = block.results(b, a), block.results(k.input(4), a)
    return k.model(conv(k, one[0], 2), k("Add", one[1], two[1]))


@case
def nested_input_is_its_result(k: Keras) -> Example:
    """An inner model that also hands its input through an identity."""
    inner = k.child()
    x = inner.input(3, 5, 4)
    kept = inner("Activation", x, activation="linear")
    block = k.nested(inner.model(kept, conv(inner, x, 2)))
    one, two = block.results(k.input(3, 5, 4))
    return k.model(conv(k, one, 2), dense(k, k("Flatten", two, **LAST), 3))


@case
def distributed_convolution(k: Keras) -> Example:
    """Steps before channels: the inner layer counts from its own first axis."""
    x = k.input(4, 3, 6, 5)
    y = k.wrapped("TimeDistributed", "Conv2D", filters=2, kernel_size=[3, 2])(x)
    y = k.wrapped("TimeDistributed", "BatchNormalization", axis=1)(y)
    y = k.wrapped("TimeDistributed", "Flatten", **LAST)(y)
    y = k.wrapped("TimeDistributed", "Dense", units=6)(y)
    return k.model(k("LSTM", y, units=3))


@case
def distributed_model(k: Keras) -> Example:
    inner = k.child()
    y = inner("BatchNormalization", conv(inner, inner.input(3, 5, 4), 2), axis=1)
    y = dense(inner, inner("Flatten", y, **LAST), 5)
    block = k.nested(inner.sequential(y), "TimeDistributed")
    return k.model(k("Flatten", block(k.input(6, 3, 5, 4)), **LAST))


@case
def distributed_over_channels(k: Keras) -> Example:
    """TimeDistributed on a map takes its channels for steps."""
    y = conv(k, k.input(3, 6, 5), 4)
    y = k.wrapped("TimeDistributed", "Conv1D", filters=3, kernel_size=2)(y)
    return k.model(conv(k, y, 2))


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
