"""Saves genuine models of `tf.keras`, TensorFlow 1.13 to 2.15, in every container of the release.

A case is a function that gives a model, or a model and its inputs. Each becomes a folder with
`model.h5`, `arch.json`, `arch.yaml` and `weights.h5`, from 2.12 on `model.keras` and
`model.weights.h5`, and `data.npz` with inputs and predictions. Weights are random, sizes odd and
unequal. What a release lacks is left out, and named on standard output.
"""

import json
import os
import sys
import traceback
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf

V = tuple(int(n) for n in tf.__version__.split(".")[:2])
if V < (2, 0):
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
keras = tf.keras
L, K, Input, Model, Sequential = (
    keras.layers, keras.backend, keras.Input, keras.Model, keras.Sequential
)
V1 = tf.compat.v1.keras.layers if V >= (1, 14) else keras.layers
ERA = "tf%s-tensorflow" % tf.__version__
CASES = {}
ABSENT = []


def case(since=(1, 13), until=(9, 9)):
    """Register a function under its name, for the releases that it is for."""

    def register(function):
        if since <= V <= until:
            CASES[function.__name__] = function
        return function

    return register


def offered(*makers):
    """What the makers give, but for those that this release has no class or option for."""
    found = []
    for make in makers:
        try:
            made = make()
        except Exception as error:
            where = make.__code__
            ABSENT.append("%s:%d %s" % (
                os.path.basename(where.co_filename), where.co_firstlineno, str(error)[:100]
            ))  # fmt: skip
        else:
            found += made if isinstance(made, (list, tuple)) else [made]
    return found


def applied(x, *makers):
    """The makers' layers, each called with a tensor."""
    return offered(*[(lambda m=make: m()(x)) for make in makers])


def floats(shape, seed=0, scale=1.0):
    return (scale * np.random.RandomState(seed).normal(0, 1, shape)).astype("float32")


def whole(shape, below, seed=0):
    return np.random.RandomState(seed).randint(0, below, shape).astype("int32")


def new_weights(model, rs):
    """Random values for every weight of floats; statistics stay positive."""
    found = []
    if not all(hasattr(weight, "name") for weight in model.weights):
        return  # a table of words is among them
    # up to 1.13 `weights` and `get_weights` are in different orders
    early = V < (1, 14)
    olds = K.batch_get_value(model.weights) if early else model.get_weights()
    for weight, old in zip(model.weights, olds):
        name, shape = weight.name.split("/")[-1].split(":")[0], np.shape(old)
        if np.asarray(old).dtype.kind != "f" or name in ("mean", "variance", "count"):
            found.append(old)
            continue
        if "variance" in name or "stddev" in name or "gamma" in name:
            value = rs.uniform(0.5, 1.5, shape)
        else:
            value = rs.normal(0, 0.9 / np.sqrt(max(1, np.prod(shape[:-1]))), shape)
        found.append(value.astype(np.asarray(old).dtype))
    if early:
        K.batch_set_value(list(zip(model.weights, found)))
    else:
        model.set_weights(found)


def as_list(value):
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def predicted(model, inputs):
    """Predictions; by XLA where TensorFlow has no kernel, as for channels first on a CPU."""
    fed = inputs if len(inputs) > 1 else inputs[0]
    try:
        return [np.asarray(y) for y in as_list(model.predict(fed, batch_size=len(inputs[0])))]
    except Exception:
        if V < (2, 5):
            raise
        run = tf.function(lambda x: model(x, training=False), jit_compile=True)
        return [np.asarray(y) for y in as_list(run(tf.nest.map_structure(tf.constant, fed)))]


def save(model, folder):
    """Write all containers; what could not be written, and why."""
    failed = {}

    def tried(file, write):
        try:
            write(os.path.join(folder, file))
        except Exception as error:
            failed[file] = "%s: %s" % (type(error).__name__, str(error)[:300])
            if os.path.exists(os.path.join(folder, file)):
                os.remove(os.path.join(folder, file))

    def text(make):
        def write(path):
            content = make()
            with open(path, "w") as stream:
                stream.write(content)

        return write

    said = {"save_format": "h5"} if V >= (1, 14) else {}
    tried("model.h5", lambda path: model.save(path, **said))
    tried("weights.h5", lambda path: model.save_weights(path, save_format="h5")
          if V < (2, 12) else model.save_weights(path.replace("weights.h5", "weights.hdf5")))  # fmt: skip
    tried("arch.json", text(model.to_json))
    if V < (2, 4):
        tried("arch.yaml", text(model.to_yaml))
    if V >= (2, 12):
        tried("model.keras", model.save)
        tried("model.weights.h5", model.save_weights)
    return failed


def classes(model):
    """The names of the classes of all layers, inner ones too."""
    found = set()

    def walk(layer):
        found.add(type(layer).__name__)
        for inner in list(getattr(layer, "layers", ())) + list(getattr(layer, "cells", ())):
            walk(inner)
        for name in ("layer", "cell", "backward_layer"):
            inner = getattr(layer, name, None)
            if inner is not None and inner is not layer:
                walk(inner)

    walk(model)
    return sorted(found)


def make(name, out):
    K.clear_session()
    del ABSENT[:]
    seed = zlib.crc32(name.encode()) & 0x7FFFFFFF
    np.random.seed(seed % 100000)
    made = CASES[name]()
    model, inputs = made if isinstance(made, tuple) else (made, None)
    rs = np.random.RandomState(seed)
    new_weights(model, rs)
    if inputs is None:
        inputs = [
            rs.normal(0, 1, (3,) + tuple(n or 5 for n in x.shape.as_list()[1:])).astype("float32")
            for x in model.inputs
        ]
    folder = os.path.join(out, ERA, name)
    os.makedirs(folder)
    answer = {"case": name, "absent": list(ABSENT), "classes": classes(model)}
    arrays = {"in_%d" % i: x for i, x in enumerate(inputs)}
    try:
        outputs = predicted(model, inputs)
        arrays.update({"out_%d" % i: y.astype("float32") if y.dtype.kind == "f" or y.dtype.name == "bfloat16" else y
                       for i, y in enumerate(outputs)})  # fmt: skip
    except Exception as error:
        answer["unpredicted"] = str(error)[:200]
    np.savez_compressed(os.path.join(folder, "data.npz"), **arrays)
    answer["failed"] = save(model, folder)
    after = getattr(model, "one_step", None)
    if after is not None:
        step_x, step_y = after
        model.train_on_batch(step_x, step_y)
        weights = model.get_weights()
        np.savez_compressed(os.path.join(folder, "step.npz"), x=step_x, y=step_y, **{
            "w_%d" % i: w for i, w in enumerate(weights)
        })  # fmt: skip
    meta = {
        "era": ERA, "case": name, "keras_version": getattr(keras, "__version__", tf.__version__), "ordering": "tf",
        "backend": "tensorflow", "python": sys.version.split()[0], "trained": after is not None,
        "layers": [[layer.name, type(layer).__name__] for layer in model.layers],
    }  # fmt: skip
    with open(os.path.join(folder, "meta.json"), "w") as stream:
        stream.write(json.dumps(meta, indent=1, sort_keys=True) + "\n")
    return answer


def main():
    out, chosen = sys.argv[1], sys.argv[2:]
    for name in chosen or CASES:
        if os.path.exists(os.path.join(out, ERA, name)):
            continue
        try:
            answer = make(name, out)
        except Exception as error:
            traceback.print_exc()
            answer = {"case": name, "error": "%s: %s" % (type(error).__name__, str(error)[:300])}
        print(json.dumps(answer))
        sys.stdout.flush()
