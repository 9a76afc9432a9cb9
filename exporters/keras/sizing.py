"""What is flattened, told its extent again where a backend has forgotten it."""

from __future__ import annotations

from .network import Tensor
from .site import Site

FORGETS = "Flatten"

KEEPING = frozenset({
    "Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dropout", "ELU",
    "GaussianDropout", "GaussianNoise", "LeakyReLU", "Maximum", "Multiply", "PReLU", "SReLU",
    "ThresholdedReLU",
})  # fmt: skip
"""Layers whose result TensorFlow knows as much of as of their inputs."""


def sized(site: Site, x: Tensor, rank: int) -> Tensor:
    """The input of a normalization, by way of a Reshape where Keras 1 cannot make it otherwise.

    On TensorFlow, Flatten leaves no extent, and under Python 3 a BatchNormalization asks for it
    (Keras 1.2.2 `tensorflow_backend.py` `batch_flatten`, `layers/normalization.py` `call`, where a
    list is compared with a range; a run of it).

    Args:
        site: The node.
        x: What is normalized.
        rank: Its dimensions, the batch among them.
    """
    forgets = site.dialect.forgets_extents and site.backend == "tensorflow"
    own = site.emission.native and site.emission.model.facts.backend.value == site.backend
    if rank > 2 or not forgets or own or not _is_flattened(x):
        return x
    site.tell("KX102", "changed", "a Reshape before it tells the extent that Flatten leaves open")
    return site.put("Reshape", {"target_shape": [site.size("axis")]}, [x], role="sized")


def _is_flattened(x: Tensor) -> bool:
    waiting, seen = [x.call], {x.call}
    while waiting:
        call = waiting.pop()
        if call.layer.class_name == FORGETS:
            return True
        if call.layer.class_name in KEEPING and not call.layer.wrappers:
            found = [tensor.call for tensor in call.inputs if tensor.call not in seen]
            waiting += found
            seen.update(found)
    return False
