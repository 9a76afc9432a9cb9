"""A model and its plan to a Keras file: emit layers, spell them, stream the weights."""

from __future__ import annotations

from collections.abc import Callable

from ...eras.vocabularies import ERAS, era_of_version, is_since
from ...errors import ExportError, UsageError
from ...ir.fill import Job, fill
from ...ir.graph import Graph
from ...ir.model import Facts, Model
from ...ir.ops.maths import Constant
from ...ir.plan import Plan
from ...ir.report import Event, Report
from ...ir.tensor import Weight
from ..sink import writing
from ..target import Path
from . import layers  # ruff: ignore[unused-import]  (registers the writers)
from .again import said_already, tell, write_again
from .besides import tell_besides
from .containers import CONTAINERS, Contents, container_of
from .dialects import DIALECTS, Dialect
from .emit import emit
from .names import settle_names
from .network import Network
from .order import layers_of, stored
from .own_words import has_own_record, has_own_words, own_words_of
from .spell import is_chain
from .splitting import split_calls
from .subclassed import check_sayable
from .training import spell_training


def export_keras(
    model: Model,
    plan: Plan,
    path: Path,
    *,
    dialect: str = "keras2",
    target_backend: str = "tensorflow",
    weights_only: bool = False,
    overwrite: bool = False,
    durable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Event]:
    """Write a Keras file.

    Args:
        model: What is written.
        plan: The layouts chosen for its graph.
        path: The file to make.
        dialect: Which target, a name of `DIALECTS`.
        target_backend: Whose kernels: `tensorflow` correlates, `theano` reverses.
        weights_only: Leave out architecture and training.
        overwrite: Replace a file that is there.
        durable: Have the disk confirm it.
        progress: Called with the bytes of weights written so far and in all.

    Returns:
        What was changed, carried and lost.

    Raises:
        UsageError: There is no such dialect, or it has no kernels of that backend; the file exists.
        ExportError: The target cannot express something; the layer is named.
    """
    target = dialect_of(dialect, target_backend)
    container = container_of(path, target)
    report = Report()
    original = said_already(
        model, plan, target, target_backend, container, weights_only=weights_only
    )
    if original is not None:
        sink, arrays = write_again(original, container, weights_only=weights_only)
        tell(model, report)
    elif container and target.form != "keras3":
        raise ExportError(
            f"{target.name} has files of this kind only of its own models, unchanged",
            hint="name it .h5",
        )
    else:
        check_sayable(model, target, container)
        contents, report = contents_of(
            model, plan, target, target_backend, weights_only=weights_only, container=container
        )
        sink, arrays = CONTAINERS[container](contents, weights_only)
    words = original is not None or has_own_words(model, target)
    if not weights_only:
        tell_besides(model, report, words=words, attributes=not container)
    total = sum(tensor.nbytes for tensor in sink.tensors)

    def moved(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with writing(sink, path, overwrite=overwrite, durable=durable):
        jobs = [
            Job(index, array.param, array.layout, sink.tensors[index].dtype)
            for index, array in enumerate(arrays)
        ]
        fill(sink, jobs, progress=moved)
    return report.events


def contents_of(
    model: Model,
    plan: Plan,
    target: Dialect,
    backend: str,
    *,
    weights_only: bool,
    container: str = "",
) -> tuple[Contents, Report]:
    """Everything that the file says, in the target's words; and what there is to tell.

    Args:
        model: What is written.
        plan: The layouts chosen for its graph.
        target: The dialect.
        backend: Whose kernels are written.
        weights_only: Whether architecture and training are left out.
        container: The kind of file, a key of `CONTAINERS`.

    Raises:
        ExportError: The target cannot express something; the layer is named.
    """
    network, report = emit(model, plan, target, backend)
    if target.makes_as_listed:
        split_calls(network, report)
    of_own = model.facts.era.value == target.era
    settle_names(network, target, backend, report, of_own=of_own)
    if model.kind == "sequential" and network.kind != "merged" and not is_chain(network, target):
        report.add(
            "KX404", "changed", "written as a functional model: it is no chain of layers any more"
        )
    needed = {**target.walks_as, **target.later}.get(network.vocabulary)
    version = needed or _version(model.facts, target)
    state = None
    if not weights_only and model.training is not None:
        era = ERAS[model.facts.era.value or target.vocabulary].vocabulary
        own = has_own_record(model, target, container)
        args = (model.training, network, model.graph, target, report, era, version)
        state = spell_training(*args, own=own)
    _check_all_carried(model, network, target, report)
    words = own_words_of(model, plan, target)
    attributes = model.original.attributes if model.original else {}
    return Contents(network, state, target, backend, version, words, attributes), report


def _version(facts: Facts, dialect: Dialect) -> str:
    """What the file says that wrote it: the source's own version, if it is a later one of its era.

    Then a file that changes nothing else says the same as its source.
    """
    own, source = dialect.keras_version, facts.version.value
    same = source is not None and era_of_version(source) == era_of_version(own)
    if source is None or not same or not dialect.spans:
        return own
    return source if is_since(source, tuple(map(int, own.split(".")))) else own


def dialect_of(name: str, backend: str) -> Dialect:
    """A target by its name.

    Raises:
        UsageError: There is none of that name, or it has no kernels of that backend.
    """
    if name not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise UsageError(f"no Keras dialect is called {name!r}", hint=f"there are {known}")
    dialect = DIALECTS[name]
    if backend not in dialect.backends:
        raise UsageError(
            f"{name} has no kernels of {backend!r}", hint=f"it has {', '.join(dialect.backends)}"
        )
    return dialect


def _check_all_carried(model: Model, network: Network, target: Dialect, report: Report) -> None:
    """Tell of weights that no output needs: Keras does not load such layers."""
    arrays = [array for layer in layers_of(network) for _, array in stored(layer)]
    written = {weight for array in arrays for weight in array.weights}
    said = _said_in_configurations(model.graph, target)
    for weight in model.graph.weights():
        if weight not in written and weight not in said:
            report.add(
                "KX203",
                "lost",
                f"{weight.name}: no output of the model needs it",
                weight=weight.name,
                level="warning",
            )


def _said_in_configurations(graph: Graph, target: Dialect) -> set[Weight]:
    """Numbers that no array holds: operands of operations, and what a configuration implies.

    Of nodes that an output needs; the others' are lost.
    """
    needed, found = set(graph.outputs), set[Weight]()
    for node in reversed(graph.nodes):
        if needed.isdisjoint(node.results):
            continue
        needed.update(value for value in node.inputs if value is not None)
        if isinstance(node.op, Constant) or (node.layer and node.layer.class_name in target.whole):
            found |= {param.weight for param in node.params.values()}
    return found
