"""Models of their authors' own classes: written again as they were read, and not otherwise."""

from __future__ import annotations

from ...errors import ExportError
from ...ir.model import Model
from ...ir.ops.opaque import Opaque
from .dialects import Dialect


def check_sayable(model: Model, target: Dialect, container: str) -> None:
    """Refuse what no target can say: the author's code, in other words than its file's.

    Args:
        model: What is not written as it was read.
        target: For whom it is to be.
        container: The kind of file, a key of `CONTAINERS`.

    Raises:
        ExportError: It is a model of its author's class, and no plugin has said what it computes.
    """
    ops = [node.op for node in model.graph.nodes]
    opaque = next((op for op in ops if isinstance(op, Opaque)), None)
    if model.kind != "subclassed" or opaque is None:
        return
    if not container:
        why = "no Keras loads such a model from HDF5"
    elif model.facts.container == "hdf5":
        why = "the names by which such a file holds arrays are in its code alone"
    else:
        why = f"its own file says what it is, and that is not changed for {target.name}"
    raise ExportError(
        f"the model is of its author's class {opaque.layer_class}: {why}",
        hint="write its arrays by name: .npz, .safetensors; or say what it computes: --plugin FILE",
    )
