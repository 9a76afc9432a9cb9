"""Makes the model of Keras 3 in `tests/data/releases`: what early releases did otherwise.

    KERAS_BACKEND=tensorflow python tests/data/make_keras3_releases.py OUT

Run under 3.3 for the file that is kept. Weights are random; predictions are those
of the model that was saved.
"""

import json
import os
import sys

import numpy as np

import keras
from keras import Input, Model
from keras import layers as L


def r_before_3_4():
    """Masks that merges drop (up to 3.3), a row that a mask leaves nothing (up to 3.9), a mask that
    a layer is called with (up to 3.10); an index of extent one (up to 3.3), RandomCrop (up to 3.7).
    """
    p, q, n, x = Input((4,)), Input((4,)), Input((1,)), Input((5, 7, 2))
    y, m = Input((4, 3)), Input((4,), dtype="bool")
    embedded = L.Embedding(5, 3, mask_zero=True)
    a, b = embedded(p), embedded(q)
    found = [L.GlobalAveragePooling1D()(merge()([a, b])) for merge in (L.Add, L.Multiply)]
    h = L.SimpleRNN(2, return_sequences=True)(y, mask=m)
    found += [h, L.GlobalAveragePooling1D()(h), L.Softmax()(L.Flatten()(a[:, :, :1]), mask=m)]
    found += [L.Discretization([-0.5, 0.2], output_mode="one_hot")(n), L.RandomCrop(3, 4)(x)]
    words = np.array([[1, 0, 0, 2], [3, 4, 0, 0], [0, 1, 2, 0]]), np.array([[1, 1, 0, 0]] * 3)
    mask = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1]], "bool")
    data = [*words, floats((3, 1), 2), floats((3, 5, 7, 2), 3), floats((3, 4, 3), 4), mask]
    return Model([p, q, n, x, y, m], found), data


def floats(shape, seed):
    return np.random.RandomState(seed).normal(0, 1, shape).astype("float32")


def make(build, out):
    model, inputs = build()
    rs = np.random.RandomState(7)
    for variable in model.weights:
        if "seed" not in variable.name:
            variable.assign(rs.uniform(-0.9, 0.9, variable.shape))
    found = model(inputs, training=False)
    outputs = [np.asarray(y) for y in (found if isinstance(found, list) else [found])]
    folder = os.path.join(out, "keras" + keras.__version__, build.__name__)
    os.makedirs(folder)
    model.save(os.path.join(folder, "model.keras"))
    arrays = {"in_%d" % i: x for i, x in enumerate(inputs)}
    arrays.update({"out_%d" % i: y for i, y in enumerate(outputs)})
    np.savez_compressed(os.path.join(folder, "data.npz"), **arrays)
    print(json.dumps({"case": build.__name__, "shapes": [list(y.shape) for y in outputs]}))


if __name__ == "__main__":
    make(r_before_3_4, sys.argv[1])
