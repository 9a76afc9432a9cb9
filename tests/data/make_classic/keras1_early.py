"""Genuine models of Keras 1.0.0 to 1.1.0: what these releases compute otherwise than 1.2.2.

    KERAS_BACKEND=theano python keras1_early.py OUT th|tf [CASE ...]

Before 1.0.7 a whole model cannot be saved: weights and architecture.
"""

from harness import ORD, case, image, main
from keras import layers as L
from keras.layers import Input
from keras.models import Model, Sequential


@case("th")
def g_early_norm():
    model = Sequential()
    model.add(L.Convolution1D(4, 2, input_shape=(7, 3)))
    model.add(L.BatchNormalization(axis=1, epsilon=0.05))
    model.add(L.BatchNormalization(mode=1, epsilon=0.1))
    model.add(L.Flatten())
    model.add(L.BatchNormalization())
    model.add(L.Dense(3))
    return model, [(7, 3)]


@case("th")
def g_early_conv3d():
    x = Input(image(4, 5, 3, 2))
    layer = L.Convolution3D(3, 2, 2, 4, border_mode="same", dim_ordering=ORD)
    return Model(x, layer(x)), [image(4, 5, 3, 2)]


if __name__ == "__main__":
    main()
