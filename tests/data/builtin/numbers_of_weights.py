"""Numbers for the weights of a large model that nobody has to store: the same everywhere."""

import numpy as np

POSITIVE = ("gamma", "running_std", "moving_variance", "variance")


def numbers(index, name, shape):
    """The numbers of the weight that is the index-th of a model; float32.

    Args:
        index: In the order of the model's layers and of each layer's weights.
        name: As stored; variances and scales are positive.
        shape: As stored.
    """
    state = np.random.RandomState(1000 + index)
    if len(shape) > 1:
        reach = (6.0 * max(shape) / np.prod(shape, dtype=float)) ** 0.5
        return state.uniform(-reach, reach, shape).astype("float32")
    if any(word in name for word in POSITIVE):
        return state.uniform(0.5, 1.5, shape).astype("float32")
    return state.uniform(-0.2, 0.2, shape).astype("float32")


def image(shape):
    """An image to predict."""
    return np.random.RandomState(7).uniform(-1, 1, shape).astype("float32")
