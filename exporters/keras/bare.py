"""Weights without an architecture to a Keras file of weights: as Keras 2 stores each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ...eras import storage
from ...ir.fill import Job, fill
from ...ir.layout import Layout
from ...ir.model import Model
from ...ir.plan import Plan, Settled
from ...ir.tensor import Param
from ..sink import Tensor, writing
from ..target import Path
from .archive.hdf5 import Archive, LayerGroup, hdf5_sink
from .dialects import DIALECTS, Dialect

NAMES: Mapping[str, str] = {"mean": "moving_mean", "variance": "moving_variance"}
"""What Keras 2 calls parameters that it does not call as their ops do."""

Array = tuple[str, Param, Layout]


def export_bare(
    model: Model,
    plan: Plan,
    path: Path,
    *,
    dialect: str = "keras2",
    target_backend: str = "tensorflow",
    overwrite: bool = False,
    durable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a file of weights: each layer's in its place, in the order that they had.

    Args:
        model: Weights as `read_bare` gives them.
        plan: The layouts chosen for its graph.
        path: The file to make.
        dialect: A name of `DIALECTS` whose weights lie as those of Keras 2.
        target_backend: Whose kernels: `tensorflow` correlates, `theano` reverses.
        overwrite: Replace a file that is there.
        durable: Have the disk confirm it.
        progress: Called with bytes done and bytes in all.

    Raises:
        UsageError: The file exists.
        ExportError: A name cannot be written.
    """
    target = DIALECTS[dialect]
    held: dict[str, list[Array]] = {layer.name: [] for layer in model.layers}
    for settled in plan.settled:
        if settled.node.layer is not None:
            held[settled.node.layer.name] += _arrays(settled, target, target_backend)
    for layer in model.layers:
        places = {name: at for at, name in enumerate(layer.config["weight_names"])}
        held[layer.name].sort(key=lambda array: places[array[1].weight.stored_names[0]])
    groups = tuple(
        LayerGroup(name, tuple(_tensor(array) for array in arrays)) for name, arrays in held.items()
    )
    written_by = (("backend", target_backend), ("keras_version", target.keras_version))
    sink = hdf5_sink(Archive(groups, weights_group="", beside_layers=written_by))
    arrays = [array for listed in held.values() for array in listed]
    jobs = [
        Job(index, param, layout, param.weight.dtype)
        for index, (_, param, layout) in enumerate(arrays)
    ]
    total = sum(tensor.nbytes for tensor in sink.tensors)

    def moved(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with writing(sink, path, overwrite=overwrite, durable=durable):
        fill(sink, jobs, progress=moved)


def _arrays(settled: Settled, target: Dialect, backend: str) -> Iterator[Array]:
    """A layer's arrays with names and layouts; what nobody knows keeps its name and layout."""
    node = settled.node
    rank = len(settled.bound.get("kernel_space", ()))
    for port, param in node.params.items():
        if node.op.kind == "Bare":
            yield param.weight.stored_names[0], param, settled.params[port]
            continue
        text, *_ = storage.pattern("keras2", node.op.kind, port, rank=rank, backend=backend)
        name = f"{node.name}/{NAMES.get(port, port)}{target.weight_suffix[backend]}"
        yield name, param, settled.param_layout(port, text)


def _tensor(array: Array) -> Tensor:
    name, param, layout = array
    return Tensor(name, param.weight.dtype, tuple(size or 0 for size in layout.shape))
