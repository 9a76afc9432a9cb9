"""How eras, backends and containers are called in texts."""

from __future__ import annotations

from collections.abc import Mapping

CONTAINERS: Mapping[str, str] = {
    "hdf5": "HDF5",
    "weights-h5": "Keras 3 weights",
    "keras-zip": ".keras archive",
    "kerasir": ".kerasir",
}
ERAS: Mapping[str, str] = {"keras3": "Keras", "tf_keras": "tf.keras", "keras0": "Keras"}
BACKENDS: Mapping[str, str] = {
    "theano": "Theano", "tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch",
    "cntk": "CNTK", "mxnet": "MXNet", "plaidml": "PlaidML",
}  # fmt: skip


def writer(era: str | None, version: str | None) -> str:
    """What wrote a file: `Keras 1.2.2`, `tf.keras 2.4.0`; the era where no version is stored."""
    return f"{ERAS.get(era or '', 'Keras')} {version or (era or '?').removeprefix('keras')}"
