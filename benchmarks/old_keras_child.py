"""Runs inside an old Keras (Python 3.6 as well): load each file, predict, print what deviates.

    python old_keras_child.py MODULE JOBS.json

Not part of kerasir; `old_keras.py` starts it.
"""

import importlib
import json
import os
import sys

import numpy as np


def begin(module):
    """The module, with what this old Keras needs beside it."""
    if os.environ.get("KERAS_BACKEND") == "theano":
        # Theano 1.0.5 no longer imports it by itself, and Keras 1 uses it
        importlib.import_module("theano.ifelse")
    return importlib.import_module(module)


def settle(keras, data_format):
    """What layers that are silent take for their data format, as if keras.json said so."""
    backend = keras.backend
    if backend.backend() == "tensorflow":
        backend.clear_session()  # else the graph of all models grows, and slows the next one
    if hasattr(backend, "set_image_data_format"):
        backend.set_image_data_format(data_format)
    else:
        backend.set_image_dim_ordering("th" if data_format == "channels_first" else "tf")


def load(models, path):
    """The model; Keras before 2.0 compiles whatever it loads."""
    try:
        return models.load_model(path, compile=False)
    except TypeError:
        return models.load_model(path)


def deviation(model, data):
    """The largest deviation of any output, relative to the largest output."""
    inputs = [data["in_%d" % i] for i in range(sum(key.startswith("in_") for key in data))]
    wanted = [data["out_%d" % i] for i in range(sum(key.startswith("out_") for key in data))]
    found = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]))
    found = found if isinstance(found, list) else [found]
    if len(found) != len(wanted):
        raise ValueError("%d outputs, not %d" % (len(found), len(wanted)))
    worst = 0.0
    for a, b in zip(found, wanted):
        if a.shape != b.shape:
            raise ValueError("shape %s, not %s" % (a.shape, b.shape))
        scale = max(1e-30, float(np.abs(b).max()))
        worst = max(worst, float(np.abs(a.astype("f8") - b).max()) / scale)
    return worst if np.isfinite(worst) else 1e30


def main():
    """Answer each job with one line of JSON."""
    module, listed = sys.argv[1:]
    keras = begin(module)
    with open(listed) as file:
        jobs = json.load(file)
    for job in jobs:
        answer = {"key": job["key"]}
        try:
            settle(keras, job["setting"])
            answer["deviation"] = deviation(
                load(keras.models, job["file"]), dict(np.load(job["data"]))
            )
        except Exception as error:  # whatever an old Keras throws is its answer
            answer["error"] = ("%s: %s" % (type(error).__name__, error))[:300]
        print(json.dumps(answer), flush=True)


main()
