"""Weights without an architecture to a Keras file of weights: as the target stores each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import structs

from ...eras import storage
from ...errors import ExportError
from ...ir.fill import Job, fill
from ...ir.layout import Labelled
from ...ir.model import Model
from ...ir.plan import Plan, Settled
from ..sink import Tensor, writing
from ..target import Path
from .archive.hdf5 import Archive, LayerGroup, hdf5_sink
from .dialects import DIALECTS, Dialect
from .network import Array, single

NAMES: Mapping[str, str] = {"mean": "moving_mean", "variance": "moving_variance"}
"""What Keras 2 calls parameters that it does not call as their ops do."""


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
        dialect: A name of `DIALECTS`.
        target_backend: Whose kernels: `tensorflow` correlates, `theano` reverses.
        overwrite: Replace a file that is there.
        durable: Have the disk confirm it.
        progress: Called with bytes done and bytes in all.

    Raises:
        UsageError: The file exists.
        ExportError: A name cannot be written, or the target has no place for an array.
    """
    target = DIALECTS[dialect]
    order = plan.policy.order
    stated = model.facts.ordering.value if order == "source" else order
    lies = storage.table(target.storage, stated or "channels_last")
    held: dict[str, list[tuple[int, Array]]] = {layer.name: [] for layer in model.layers}
    for settled in plan.settled:
        layer = settled.node.layer
        if layer is not None:
            places = {name: at for at, name in enumerate(layer.config["weight_names"])}
            held[layer.name] += _arrays(settled, target, lies, target_backend, places)
    for found in held.values():
        found.sort(key=lambda pair: pair[0])
    arrays = [array for found in held.values() for _, array in found]
    groups = tuple(
        LayerGroup(name, tuple(_tensor(array) for _, array in found))
        for name, found in held.items()
    )
    written_by = (("backend", target_backend), ("keras_version", target.keras_version))
    told = written_by if target.says_backend else ()
    sink = hdf5_sink(Archive(groups, weights_group="", beside_layers=told, chunked=target.chunked))
    jobs = [
        Job(index, array.param, array.layout, array.param.weight.dtype)
        for index, array in enumerate(arrays)
    ]
    total = sum(tensor.nbytes for tensor in sink.tensors)

    def moved(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with writing(sink, path, overwrite=overwrite, durable=durable):
        fill(sink, jobs, progress=moved)


def _arrays(
    settled: Settled,
    target: Dialect,
    lies: storage.Dialect,
    backend: str,
    places: Mapping[str, int],
) -> Iterator[tuple[int, Array]]:
    """A layer's arrays as the target has them, each with where it stood; gates apart go together.

    What nobody knows keeps its name and layout.
    """
    node = settled.node
    kind, rank = node.op.kind, len(settled.bound.get("kernel_space", ()))
    found: list[tuple[int, Array]] = []
    for port, param in node.params.items():
        at = min(places[name] for name in param.weight.stored_names)
        name = param.weight.stored_names[0]
        layout = settled.params[port]
        if kind != "Bare":
            try:
                text, *_ = storage.pattern(lies, kind, port, rank=rank, backend=backend)
            except KeyError as error:
                what = f"{target.name} has no place for the {port} of a {kind}"
                raise ExportError(what, where=node.name) from error
            layout = settled.param_layout(port, text)
            name = NAMES.get(port, port)
        found.append((at, Array(name, param, layout)))
    if kind in target.apart:
        first = min(at for at, _ in found)
        (gates,) = settled.bound["gates"]
        assert isinstance(gates, Labelled)  # as `read_bare` makes it
        parts = [single(array, gates, gate) for gate in target.apart[kind] for _, array in found]
        found = [(first, part) for part in parts]
    for at, array in found:
        name = array.name if kind == "Bare" else _called(node.name, array, target, backend)
        yield at, structs.replace(array, name=name)


def _called(layer: str, array: Array, target: Dialect, backend: str) -> str:
    suffix = target.weight_suffix[backend]
    if target.weight_names is None:
        return f"{layer}/{array.name}{suffix}"
    own = target.weight_names.get(array.name, array.name)
    return f"{layer.rpartition('/')[2]}_{own}{suffix}"


def _tensor(array: Array) -> Tensor:
    return Tensor(array.name, array.param.weight.dtype, array.shape)
