"""Runs inside an old Keras (Python 3.6 as well): train and save, or load, train once more and save.

    python resume_training_child.py MODULE JOBS.json

Not part of kerasir; `resume_training.py` starts it. It is written in the words of Keras 1, which
Keras 2 reads.
"""

import importlib
import json
import os
import sys

import numpy as np


def begin(module):
    """The module, with what this old Keras needs beside it."""
    if os.environ.get("KERAS_BACKEND") == "theano":
        importlib.import_module("theano.ifelse")  # Theano 1.0.5 no longer does by itself
    return importlib.import_module(module)


def read_before_write(optimizers):
    """Let TensorFlow compute all of an update before it stores any of it.

    Keras up to 2.2 makes each new value a `tf.assign` that waits for nothing else (Keras 1.2.2 and
    2.2.4 `backend/tensorflow_backend.py` `update`, `Function`), so the gradient of a layer may be
    computed from the next layer's kernel as it is already after the step.
    """
    for kind in vars(optimizers).values():
        if isinstance(kind, type) and "get_updates" in vars(kind) and kind.__name__ in NAMES:
            kind.get_updates = ordered(kind.get_updates)


def ordered(get_updates):
    """The same updates, each of which waits until all new values are known."""

    def waiting(self, *args, **kwargs):
        assign = importlib.import_module("tensorflow").assign
        given = get_updates(self, *args, **kwargs)
        updates = [assign(*update) if isinstance(update, tuple) else update for update in given]
        operations = [getattr(update, "op", update) for update in updates]
        values = [operation.inputs[1].op for operation in operations]
        for operation in operations:
            operation._add_control_inputs(values)
        self.updates = updates
        return updates

    return waiting


def cnn(keras):
    """Two convolutions, normalized, flattened."""
    layers = keras.layers
    model = keras.models.Sequential()
    config = {"border_mode": "valid", "dim_ordering": "th"}
    model.add(
        layers.Convolution2D(4, 3, 2, input_shape=(2, 6, 5), name="c1", activation="tanh", **config)
    )
    model.add(layers.BatchNormalization(axis=1, name="bn"))
    model.add(layers.Convolution2D(3, 2, 2, name="c2", **config))
    model.add(layers.Flatten(name="flat"))
    model.add(layers.Dense(4, name="d1", activation="tanh"))
    model.add(layers.Dense(2, name="d2"))
    return model


def rnn(keras):
    """An LSTM and a GRU."""
    layers = keras.layers
    model = keras.models.Sequential()
    model.add(layers.LSTM(4, return_sequences=True, input_shape=(5, 3), name="l"))
    model.add(layers.GRU(3, name="g"))
    model.add(layers.Dense(2, name="d"))
    return model


def shared(keras):
    """A model called twice."""
    layers = keras.layers
    inner = keras.models.Sequential(name="inner")
    inner.add(layers.Convolution2D(3, 2, 3, input_shape=(2, 4, 5), name="c", dim_ordering="th"))
    inner.add(layers.Flatten(name="f"))
    inner.add(layers.Dense(3, name="e", activation="tanh"))
    a = layers.Input(shape=(2, 4, 5), name="a")
    b = layers.Input(shape=(2, 4, 5), name="b")
    ends = [inner(a), inner(b)]
    if hasattr(layers, "merge") and not hasattr(layers, "concatenate"):
        joined = layers.merge(ends, mode="concat", name="j")
    else:
        joined = layers.concatenate(ends, name="j")
    y = layers.Dense(2, name="d")(joined)
    if hasattr(layers, "concatenate"):
        return keras.models.Model(inputs=[a, b], outputs=y)
    return keras.models.Model(input=[a, b], output=y)


CASES = {"cnn": cnn, "rnn": rnn, "shared": shared}
OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.05, "momentum": 0.9, "decay": 0.01, "nesterov": True}),
    "RMSprop": ("RMSprop", {"lr": 0.01}),
    "Adagrad": ("Adagrad", {"lr": 0.02}),
    "Adadelta": ("Adadelta", {"lr": 1.0}),
    "Adam": ("Adam", {"lr": 0.01, "decay": 0.01}),
    "amsgrad": ("Adam", {"lr": 0.01, "amsgrad": True}),
    "Adamax": ("Adamax", {"lr": 0.01}),
    "Nadam": ("Nadam", {"lr": 0.01}),
}
NAMES = {name for name, config in OPTIMIZERS.values()}


def batch(model, number):
    """The batch of this number: the same for every Keras."""
    made = np.random.RandomState(number)
    inputs = [made.uniform(-1, 1, (4, *tuple(i.shape)[1:])) for i in shapes(model)]
    wanted = made.uniform(-1, 1, (4, 2))
    inputs = [array.astype("float32") for array in inputs]
    return (inputs if len(inputs) > 1 else inputs[0]), wanted.astype("float32")


class Shape:
    """A shape as an attribute."""

    def __init__(self, shape):
        self.shape = shape


def shapes(model):
    """The shapes of a model's inputs."""
    shape = model.input_shape
    return [Shape(s) for s in (shape if isinstance(shape, list) else [shape])]


def numbers(made, shape):
    """Of both signs in a kernel, so that nothing saturates; positive in a bias or a variance."""
    signs = made.choice([-1, 1], shape) if len(shape) > 1 else 1
    return signs * made.uniform(0.1, 0.5, shape)


def make(keras, job):
    """Train a new model on three batches and save it."""
    name, config = OPTIMIZERS[job["optimizer"]]
    model = CASES[job["case"]](keras)
    model.compile(getattr(keras.optimizers, name)(**config), "mse")
    made = np.random.RandomState(7)
    model.set_weights([numbers(made, w.shape) for w in model.get_weights()])
    for number in range(3):
        model.train_on_batch(*batch(model, number))
    model.save(job["to"])


def step(keras, job):
    """Load a model, train it on one more batch, and save it."""
    model = keras.models.load_model(job["from"])
    model.train_on_batch(*batch(model, 99))
    model.save(job["to"])


def main():
    """Answer each job with one line of JSON."""
    module, listed = sys.argv[1:]
    keras = begin(module)
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if on_tensorflow and os.environ.get("KERASIR_READ_BEFORE_WRITE"):
        read_before_write(keras.optimizers)
    with open(listed) as file:
        jobs = json.load(file)
    for job in jobs:
        answer = {"key": job["key"]}
        try:
            {"make": make, "step": step}[job["do"]](keras, job)
        except Exception as error:  # whatever an old Keras throws is its answer
            answer["error"] = ("%s: %s" % (type(error).__name__, error))[:300]
        print(json.dumps(answer), flush=True)


main()
