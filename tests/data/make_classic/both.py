"""What the scripts for Keras 1 and 2 share: cases that read alike in both.

Imported by `keras1_models.py` and `keras2_models.py`, which thereby make them too.
"""

from harness import VERSION, absent, case
from keras import layers as L
from keras.layers import Input
from keras.models import Model, Sequential


def fan(x, layers):
    """A model of several layers over one input."""
    return Model(x, [layer(x) for layer in layers])


@case("tf")
def g_masks_in_nested():
    inner = Sequential([L.Masking(0.5, input_shape=(7, 5)), L.GRU(4, return_sequences=True)])
    x = Input((7, 5))
    h = inner(x)
    return Model(x, [h, L.LSTM(3)(h)]), absent((7, 5), 0.5)


@case("tf")
def g_chain_of_models():
    one = Sequential([L.Dense(4, input_shape=(5,)), L.Activation("tanh")])
    two = Sequential([L.Dense(4, input_shape=(4,)), L.PReLU(), L.Dense(3)])
    return Sequential([one, two, Sequential([L.Dense(2, input_shape=(3,))]), L.Dense(6)])


@case("tf", **({} if VERSION >= (2,) else {"backend": "theano"}))
def g_nested_frozen():
    """What trains comes first in a nested model's weights; what is frozen does not."""
    inner = Sequential()
    inner.add(L.BatchNormalization(input_shape=(4,)))
    inner.add(L.Dense(5))
    inner.add(L.BatchNormalization(trainable=False))
    inner.add(L.Dense(3, trainable=False))
    inner.add(L.Dense(3))
    x = Input((4,))
    return Model(x, L.Dense(2)(inner(x)))
