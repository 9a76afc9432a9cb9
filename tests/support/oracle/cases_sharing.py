"""Designed cases: shared layers, nested models, layers applied step by step."""

from __future__ import annotations

from .builder import BuiltLayer, Keras, Tensor
from .designed import FIRST, LAST, case, conv, dense
from .example import Example

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
def distributed_dot(k: Keras) -> Example:
    """A layer of two inputs, which only a model around it can repeat."""
    inner = k.child()
    x = inner.input(7, 6)
    y = inner("Dot", x, dense(inner, x, 5), axes=[1, 1], normalize=True)
    return k.model(k.nested(inner.model(y), "TimeDistributed")(k.input(4, 7, 6)))


@case
def distributed_over_channels(k: Keras) -> Example:
    """TimeDistributed on a map takes its channels for steps."""
    y = conv(k, k.input(3, 6, 5), 4)
    y = k.wrapped("TimeDistributed", "Conv1D", filters=3, kernel_size=2)(y)
    return k.model(conv(k, y, 2))
