"""What the scripts beside it share: runs cases in a genuine Keras 0.3 to 2.3 and keeps the results.

Runs under Python 3.6. For each case one folder is written, in the form of the other genuine files:
the model (or, in Keras 0.3, weights and architecture), `data.npz` and `meta.json`. Weights are
random and saved untrained; sizes are odd and unequal.
"""

from __future__ import print_function

import json
import os
import shutil
import sys
import time
import traceback
import zlib

import numpy as np

OUT, ORD, CHOSEN = sys.argv[1], sys.argv[2], sys.argv[3:]
os.environ.setdefault("KERAS_BACKEND", "theano")
if os.environ["KERAS_BACKEND"] == "theano":
    import theano.ifelse  # Theano 1.0.5 does not import it by itself, Keras up to 1.2 expects it
import keras
from keras import backend as K

FIRST = ORD == "th"
VERSION = tuple(int(n) for n in keras.__version__.split("."))
BACKEND = os.environ["KERAS_BACKEND"]
ERA = "keras%s-%s" % (keras.__version__, BACKEND)
if VERSION >= (2,):
    K.set_image_data_format("channels_first" if FIRST else "channels_last")
elif hasattr(K, "set_image_dim_ordering"):
    K.set_image_dim_ordering(ORD)

CASES = []


def case(*orderings, **said):
    """A function that gives a model, or a model and its inputs (shapes of a sample, or arrays).

    Or a third thing: another model that takes the file's weights and predicts in its place.

    Args:
        orderings: In which it is made; in both where none is named.
        said: `since` and `until`: versions; `backend`: the only one.
    """

    def register(function):
        fits = said.get("since", (0,)) <= VERSION and VERSION < said.get("until", (9,))
        fits = fits and said.get("backend", BACKEND) == BACKEND
        if fits and ORD in (orderings or ("th", "tf")):
            CASES.append((function.__name__, function))
        return function

    return register


def image(*extents):
    """The shape of a sample of images: the last extent is the channels."""
    return (extents[-1],) + extents[:-1] if FIRST else extents


def channels():
    """The number of the channels' axis."""
    return 1 if FIRST else -1


def many(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def drawn(name, shape, random):
    """Random numbers that suit a weight of this name and shape."""
    last = (name or "").lower().split("/")[-1]
    if any(word in last for word in ("std", "variance", "_var")):
        return random.uniform(0.5, 2.0, shape)
    if "gamma" in last:
        return random.uniform(0.5, 1.5, shape)
    if len(shape) < 2:
        return random.normal(0, 0.3, shape)
    fan = shape[0] if len(shape) == 2 else np.prod(shape) / float(max(shape[0], shape[-1]))
    return random.normal(0, 1.2, shape) / np.sqrt(max(1.0, fan))


def indices(vocabulary, *shape, **said):
    """Random indices for an Embedding; the last `pad` of each row are 0."""
    random = np.random.RandomState(vocabulary)
    found = random.randint(1, vocabulary, (3,) + shape).astype("int32")
    for row in range(3):
        if said.get("pad"):
            found[row, ..., shape[-1] - row * said["pad"] // 2 :] = 0
    return found


def absent(shape, value=0.0):
    """Random sequences some of whose steps are absent: at the end, in the middle, at the start."""
    found = np.random.RandomState(7).normal(0, 1, (3,) + tuple(shape)).astype("float32")
    found[0, -2:], found[1, 2], found[2, 0] = value, value, value
    return found


def layers_in(model):
    """Every layer with its class, nested models' included."""
    for layer in getattr(model, "layers", None) or []:
        name = getattr(layer, "name", "") or ""
        yield [name, layer.__class__.__name__]
        if layer.__class__.__name__ != "Merge":
            for inner in layers_in(layer):
                yield inner
        if getattr(layer, "layer", None) is not None:
            yield [getattr(layer.layer, "name", ""), layer.layer.__class__.__name__]
            for inner in layers_in(layer.layer):
                yield inner


def save(model, folder):
    """The files that this Keras writes."""
    if hasattr(model, "save"):
        model.save(os.path.join(folder, "model.h5"))
    else:
        model.save_weights(os.path.join(folder, "weights.h5"), overwrite=True)
        with open(os.path.join(folder, "arch.json"), "w") as file:
            file.write(model.to_json())


def predicted(model, fed):
    """What a model predicts for a list of inputs, as a list."""
    if hasattr(model, "input_order"):  # Keras 0.3's Graph
        results = model.predict(dict(zip(model.input_order, fed)), batch_size=3)
        return [results[name] for name in model.output_order]
    return many(model.predict(fed if len(fed) > 1 else fed[0], batch_size=3))


def run(name, function):
    """One case: build, draw weights, predict, save."""
    seed = zlib.crc32(name.encode()) & 0x7FFFFFFF
    np.random.seed(seed % 100000)
    if BACKEND == "tensorflow":
        K.clear_session()
    made = function()
    parts = made if isinstance(made, tuple) else (made,)
    model, inputs, twin = parts + (None,) * (3 - len(parts))
    if inputs is None and hasattr(model, "inputs"):
        inputs = [tuple(n or 5 for n in K.int_shape(x)[1:]) for x in many(model.inputs)]
    random = np.random.RandomState(seed + 1)
    fed = [
        x if isinstance(x, np.ndarray) else random.normal(0, 1, (3,) + tuple(x)).astype("float32")
        for x in many(inputs)
    ]
    if hasattr(model, "output_order"):
        model.compile("sgd", {name: "mse" for name in model.output_order})
    else:
        model.compile("sgd", "mse")
    random = np.random.RandomState(seed + 2)
    if hasattr(K, "batch_set_value") and hasattr(model, "weights"):
        weights = model.weights
        K.batch_set_value([
            (weight, drawn(getattr(weight, "name", None), value.shape, random).astype(value.dtype))
            for weight, value in zip(weights, K.batch_get_value(weights))
        ])
    else:  # Keras 0.3 has no names
        model.set_weights([
            random.uniform(0.4, 1.5, w.shape) if w.ndim < 2 else drawn("", w.shape, random)
            for w in model.get_weights()
        ])

    folder = os.path.join(OUT, ERA, "%s_%s" % (name, ORD))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    save(model, folder)
    if twin is not None:
        twin.load_weights(os.path.join(folder, "model.h5"))

    found = predicted(twin or model, fed)
    data = {"in_%d" % i: x for i, x in enumerate(fed)}
    data.update({"out_%d" % i: y for i, y in enumerate(found)})
    if any(getattr(layer, "stateful", False) for layer in getattr(model, "layers", [])):
        data.update({"second_out_%d" % i: y for i, y in enumerate(predicted(model, fed))})
    for y in found:  # what is wrong leaves a folder without data.npz
        assert np.isfinite(y).all(), "not finite"
        if np.std(y) < 1e-6:
            print("   constant:", name)
    np.savez_compressed(os.path.join(folder, "data.npz"), **data)
    meta = {
        "era": ERA,
        "case": name,
        "keras_version": keras.__version__,
        "backend": BACKEND,
        "ordering": ORD,
        "layers": list(layers_in(model)),
        "trained": False,
        "stateful": any("second" in key for key in data),
    }
    with open(os.path.join(folder, "meta.json"), "w") as file:
        json.dump(meta, file, indent=1, sort_keys=True)


def main():
    """Every case, or those named."""
    failed = []
    for name, function in CASES:
        if CHOSEN and name not in CHOSEN:
            continue
        began = time.time()
        try:
            run(name, function)
            print("ok   %-32s %s %.1fs" % (name, ORD, time.time() - began))
        except Exception as error:
            failed.append(name)
            print("FAIL %-32s %s %s" % (name, ORD, repr(error)[:300]))
            if os.environ.get("TRACE"):
                traceback.print_exc()
        sys.stdout.flush()
    print("failed:", failed)
