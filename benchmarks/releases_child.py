"""Load models with a genuine Keras of any release, predict, and compare; Python 3.7 and later.

    python releases_child.py tensorflow|keras JOBS.jsonl

Each line of JOBS names a `model` and its `data`, an .npz with `in_0`, ... and `out_0`, .... What
is not right is printed by its `id`, then how many are. Nothing of kerasir is imported.
"""

import importlib
import json
import sys

import numpy as np

CLOSE = 1e-5


def main(library, jobs):
    found = importlib.import_module(library)
    keras = found.keras if library == "tensorflow" else found
    right = wrong = 0
    with open(jobs) as lines:
        for job in map(json.loads, lines):
            try:
                keras.backend.clear_session()
                off = difference(keras.models.load_model(job["model"], compile=False), job["data"])
            except Exception as error:  # any failure of a Keras is this model's answer
                off, said = np.inf, "%s: %s" % (type(error).__name__, error)
            else:
                said = "differs by %.1e" % off
            if off <= CLOSE:
                right += 1
            else:
                wrong += 1
                print(job["id"], " ".join(said.split())[-160:])
    version = getattr(found, "__version__", "?")
    print("%s %s: %d right, %d not" % (library, version, right, wrong))


def difference(model, path):
    with np.load(path) as arrays:
        held = dict(arrays)
    inputs = [held["in_%d" % i] for i in range(len(held)) if "in_%d" % i in held]
    outputs = [held["out_%d" % i] for i in range(len(held)) if "out_%d" % i in held]
    fed = inputs if len(inputs) > 1 else inputs[0]
    found = model.predict(fed, batch_size=len(inputs[0]), verbose=0)
    found = found if isinstance(found, (list, tuple)) else [found]
    worst = 0.0
    for mine, genuine in zip(found, outputs):
        a, b = np.float64(mine), np.float64(genuine)
        if a.shape != b.shape:
            return np.inf
        off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
        worst = max(worst, off.max() / max(np.abs(b[np.isfinite(b)]).max(), 1e-3))
    return worst if len(found) == len(outputs) else np.inf


if __name__ == "__main__":
    main(*sys.argv[1:])
