"""From a plan to a network of Keras layers: nodes by their writers, nested models put back."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ...errors import ExportError
from ...ir.graph import Layer, Node, Value
from ...ir.layout import Terms
from ...ir.model import Model, Scope as NestedCall
from ...ir.parts import cell_number, is_between
from ...ir.plan import Plan, Settled
from ...ir.report import Report
from .dialects import Dialect
from .emission import Emission
from .masks import write_mask
from .network import FileLayer, Kind, Network, Wrapper, freeze
from .order import chain, defies_keras2, settle_kind
from .registry import writer_of
from .scope import Made, NotNested, Path, Scope
from .site import TRAVELLING, Site
from .whole import whole_layers, write_whole

Home = tuple[Path, ...]
"""The calls of nested models around a node that are written as models, outermost first."""


ONE_BATCH_AXIS = frozenset({"Dot"})
"""Layers of several inputs, which no TimeDistributed takes, that know one batch axis alone."""


class Placed:
    """A node, the models of the file around it, and those dissolved since the innermost of them."""

    __slots__ = ("dissolved", "home", "prefix", "settled")

    def __init__(self, settled: Settled, home: Home, dissolved: Sequence[Layer]) -> None:
        self.settled, self.home, self.dissolved = settled, home, tuple(dissolved)
        self.prefix = tuple(map(outer_name, dissolved))

    @property
    def name(self) -> str:
        """What the node's layer is called in its model of the file."""
        layer = self.settled.node.layer
        if layer is None:
            return self.settled.node.name.replace("~", "_").replace("/", "_")
        return "_".join((*self.prefix, outer_name(layer)))


def emit(model: Model, plan: Plan, dialect: Dialect, backend: str) -> tuple[Network, Report]:
    """The layers of the file, and what there is to tell.

    A nested model is written as a model where all its calls come out alike; otherwise it is
    dissolved into the model around it, and that is told.

    Raises:
        ExportError: The target cannot express something; the layer is named.
    """
    dissolved: dict[Path, str] = {}
    while True:
        attempt = _Attempt(model, plan, dialect, backend, dissolved)
        try:
            return attempt.run(), attempt.report
        except NotNested as reason:
            dissolved[bare(reason.path)] = str(reason)


def bare(path: Path) -> Path:
    """A path of calls without the numbers of the calls."""
    return tuple(part.rpartition("#")[0] or part for part in path)


def outer_name(layer: Layer) -> str:
    """What a layer is called in its model: its outermost wrapper's name, if it has one."""
    return layer.wrappers[0].name if layer.wrappers else layer.name


class _Attempt(Emission):
    """An emission under way: models that could not be written as such are dissolved in the next."""

    def __init__(
        self,
        model: Model,
        plan: Plan,
        dialect: Dialect,
        backend: str,
        dissolved: Mapping[Path, str],
    ) -> None:
        super().__init__(model, plan, dialect, backend)
        self._dissolved = dissolved
        self._calls = {call.path: call for call in model.scopes}
        self._whole = whole_layers(plan, dialect)
        self._steps = self._placed()
        self._readers = self._find_readers()

    def run(self) -> Network:
        """The whole model."""
        self._tell_of_models()
        kind: Kind = "sequential" if self.model.kind == "sequential" else "functional"
        network = Network(self.model.name, kind, as_listed=self.dialect.makes_as_listed)
        top = Scope(self, network)
        self._reserve(network, 0, self._steps)
        for held in self.plan.inputs:
            tensor = top.input(network.unique(held.value.name), held.value, held.layout)
            top.define(held.value, held.layout, tensor)
        self._fill(top, self._steps)
        for held, name in zip(self.plan.outputs, self.plan.graph.output_names, strict=True):
            tensor = top.take(held.value, held.layout, name)
            if tensor.call.layer.is_input:
                layer = FileLayer(f"{name}_output", "Activation", {"activation": "linear"})
                tensor = top.call((name, "output"), layer, [tensor])[0]
            network.outputs.append(tensor)
        network.vocabulary = self.spoken
        settle_kind(network, self.dialect)
        return network

    def _tell_of_models(self) -> None:
        for path, why in self._dissolved.items():
            self.report.add(
                "KX402",
                "changed",
                f"the model {path[-1]} is written layer by layer, not as a model: {why}",
                layer="/".join(path),
            )
        used = {call for placed in self._steps for call in placed.home}
        for path in self._calls:
            if path not in used and bare(path) not in self._dissolved:
                self._tell_idle(path)

    def _tell_idle(self, path: Path) -> None:
        self.report.add(
            "KX403",
            "lost",
            f"the model {bare(path)[-1]}: there is no layer in it that does anything",
            layer="/".join(bare(path)),
        )

    # ---- where nodes belong --------------------------------------------------------------------

    def _placed(self) -> list[Placed]:
        """Every node that becomes a layer, with the models of the file around it."""
        homes: dict[Value, Home] = {}
        found = list[Placed]()
        for settled in self.plan.settled:
            node = settled.node
            if node.layer is not None:
                home, dissolved = self._home(node.layer.scope)
            else:  # a pass made it: it goes where its first input is
                known = [homes[v] for v in node.inputs if v is not None and v in homes]
                home, dissolved = known[0] if known else (), []
            homes |= dict.fromkeys(node.results, home)
            if node.part != "mask":
                found.append(Placed(settled, home, dissolved))
        return list(_together(found))

    def _home(self, scope: Path) -> tuple[Home, list[Layer]]:
        """The models around, and those dissolved since the innermost of them."""
        home: list[Path] = []
        dissolved: list[Layer] = []
        for index, part in enumerate(scope):
            around = scope[: index + 1]
            if around not in self._calls:
                dissolved.append(Layer(bare((part,))[0], "Model"))
            elif bare(around) in self._dissolved:
                dissolved.append(self._calls[around].layer)
            else:
                home.append(around)
                dissolved = []
        return tuple(home), dissolved

    def _model_name(self, path: Path) -> str:
        dissolved = self._home(path[:-1])[1]
        return "_".join(map(outer_name, (*dissolved, self._calls[path].layer)))

    def _reserve(self, network: Network, depth: int, steps: Sequence[Placed]) -> None:
        """Keep the source's names for the source's layers."""
        for placed in steps:
            if len(placed.home) > depth:
                network.reserve(self._model_name(placed.home[depth]))
            elif placed.settled.node.part == "":
                network.reserve(placed.name)

    # ---- writing -------------------------------------------------------------------------------

    def _fill(self, scope: Scope, steps: Sequence[Placed]) -> None:
        """Write a model's own nodes, and its nested models where the first of theirs stands."""
        level = scope.level
        inside: dict[Path, list[Placed]] = {}
        for placed in steps:
            if len(placed.home) > level:
                inside.setdefault(placed.home[level], []).append(placed)
        for placed in steps:
            if len(placed.home) == level:
                self._write(scope, placed)
            elif placed.home[level] in inside:
                path = placed.home[level]
                self._nest(scope, path, inside.pop(path))

    def _write(self, scope: Scope, placed: Placed) -> None:
        settled = placed.settled
        if settled.node in self.fused:
            return
        for port, held in zip(settled.node.op.inputs, settled.inputs, strict=False):
            if held is None or port.name in TRAVELLING:
                continue
            if self.dialect.tells_masks:
                write_mask(self, scope, held.value)
            if not scope.can(held.value):
                raise NotNested(
                    self._maker(held.value, placed.name), "other layers stand between its own"
                )
        lost = sum(len(layer.wrappers) for layer in placed.dissolved)
        site = Site(self, scope, settled, placed.name, lost)
        try:
            layer = settled.node.layer
            if layer is not None and layer in self._whole:
                write_whole(site, self._whole[layer])
                return
            writer_of(settled.node.op)(site)
            site.check_complete()
        except ExportError as error:
            error.at(placed.name)
            raise

    def _maker(self, value: Value, reader: str) -> Path:
        """The nested model that makes a value which is not there yet."""
        if value in self.makers:
            what = "it computes with a mask, which no layer gives away"
            raise ExportError(what, where=reader, hint="convert to ONNX")
        for placed in self._steps:
            if value in placed.settled.node.results and placed.home:
                return placed.home[-1]
        raise ExportError(f"the value {value.name} is used before it is made")

    def _nest(self, outer: Scope, path: Path, steps: Sequence[Placed]) -> None:
        """Write one call of a nested model."""
        record = self._calls[path]
        layer, name = record.layer, self._model_name(path)
        kind: Kind = "sequential" if layer.class_name == "Sequential" else "functional"
        network = Network(layer.name, kind, as_listed=self.dialect.makes_as_listed)
        names = dict(zip(record.inputs, record.names, strict=False))
        inner = Scope(self, network, path, outer, _lead(outer, record), names)
        self._reserve(network, inner.level, steps)
        self._fill(inner, steps)
        given: list[Made] = []
        for value in self._results(record, steps):
            made = inner.held(value)
            fed = inner.fed(made.tensor) if made else None
            if made and fed:  # nothing in the model touches it
                outer.define(value, made.layout, outer.take(fed.value, fed.layout, name))
            elif made:
                given.append(made)
        if not given:
            self._tell_idle(path)
            return
        network.outputs = [made.tensor for made in given]
        rank = {value: index for index, value in reversed(list(enumerate(record.inputs)))}
        feeds = sorted(inner.feeds(), key=lambda feed: rank.get(feed.value, len(rank)))
        network.sort_inputs([feed.tensor for feed in feeds])
        if layer.config.get("trainable") is False:
            freeze(network)
        settle_kind(network, self.dialect)
        chained = outer.network.kind == "sequential"
        self._ease(network, path, repeated=bool(layer.wrappers), chained=chained)
        wrappers = [Wrapper(wrapper.name) for wrapper in layer.wrappers]
        wrappers[:1] = [Wrapper(name)] if wrappers else []
        nested = FileLayer(name, "", {}, wrappers=wrappers, inner_name=layer.name, network=network)
        if outer.level and "Keras 2" in self.dialect.readers and defies_keras2(nested):
            raise NotNested(path, "Keras 2.2 cannot load it inside another model")
        inputs = [outer.take(feed.value, feed.layout, name) for feed in feeds]
        masked = any(tensor.mask is not None for tensor in inputs) and not wrappers
        if masked and not self.dialect.masks_enter_models:
            raise NotNested(path, f"{self.dialect.name} gives no model inside another a mask")
        results = outer.call((name, ""), nested, inputs, outputs=len(given))
        if outer.network.variants((name, "")) > 1:
            raise NotNested(path, "its calls differ in layout")
        for made, tensor in zip(given, results, strict=True):
            if not (wrappers and self.dialect.hands_masks_on):
                tensor.mask = made.tensor.mask
            outer.define(made.value, made.layout, tensor)

    def _ease(self, network: Network, path: Path, *, repeated: bool, chained: bool) -> None:
        """Write a functional model otherwise where Keras 3 cannot load it from HDF5.

        Neither inside TimeDistributed nor inside a Sequential does it take one. Nothing else can
        be said to Keras 2 where a layer in it knows one batch axis alone.
        Source: runs of Keras 3.15 (`TimeDistributed.compute_output_shape`, `Sequential.build`).
        """
        if network.kind == "sequential" or "Keras 3" not in self.dialect.readers:
            return
        if chain(network) is not None and (repeated or chained):
            network.kind = "sequential"
            message = f"{network.name} is written as a Sequential, which Keras 3 can load there"
            self.report.add("KX405", "changed", message, layer=self._model_name(path))
        elif repeated and self._is_bound(network):
            message = "Keras 3 cannot load a functional model inside TimeDistributed"
            name = self._model_name(path)
            self.report.add("KX303", "note", message, layer=name, level="warning")
        elif repeated:
            raise NotNested(path, "Keras 3 cannot load a functional model inside TimeDistributed")

    def _is_bound(self, network: Network) -> bool:
        """Whether a repeated model's layers cannot be written without the model."""
        masked = any(tensor.mask for call in network.calls for tensor in call.outputs)
        classes = {call.layer.class_name for call in network.calls}
        return masked or ("Keras 2" in self.dialect.readers and bool(classes & ONE_BATCH_AXIS))

    def _results(self, record: NestedCall, steps: Sequence[Placed]) -> list[Value]:
        """What a nested model gives: what it gave in the source, and what else is read outside."""
        own = {placed.settled.node for placed in steps}
        first: dict[Value, int] = {}
        for value in itertools.chain.from_iterable(node.results for node in own):
            outside = (place for place, node in self._readers.get(value, ()) if node not in own)
            if (place := next(outside, None)) is not None:
                first[value] = place
        return list(dict.fromkeys([*record.outputs, *sorted(first, key=first.__getitem__)]))

    def _find_readers(self) -> dict[Value, list[tuple[int, Node | None]]]:
        """By value: who reads it, in order; None is the caller, who comes before all nodes."""
        reads: list[tuple[Value, Node | None]] = [(held.value, None) for held in self.plan.outputs]
        for placed in self._steps:
            node = placed.settled.node
            pairs = zip(node.op.inputs, placed.settled.inputs, strict=False)
            reads += [
                (held.value, node)
                for port, held in pairs
                if held is not None and port.name not in TRAVELLING
            ]
        found: dict[Value, list[tuple[int, Node | None]]] = {}
        for place, (value, reader) in enumerate(reads):
            found.setdefault(value, []).append((place, reader))
        return found


def _together(steps: Sequence[Placed]) -> Iterator[Placed]:
    """The recurrent nodes of one layer right before its last one, which may need more."""
    count = Counter(placed.settled.node.layer for placed in steps if _is_one_of_many(placed))
    waiting: dict[Layer, list[Placed]] = {}
    for placed in steps:
        layer = placed.settled.node.layer
        if layer is None or not _is_one_of_many(placed):
            yield placed
            continue
        waiting.setdefault(layer, []).append(placed)
        if len(waiting[layer]) == count[layer]:
            yield from waiting.pop(layer)


def _is_one_of_many(placed: Placed) -> bool:
    """Whether a node is a half of a Bidirectional, or one of several cells, or between them."""
    part = placed.settled.node.part
    return part in {"forward", "backward"} or is_between(part) or cell_number(part) is not None


def _lead(outer: Scope, record: NestedCall) -> Terms:
    """What all layouts in a nested model begin with: more than around it if it is repeated."""
    count = len(record.layer.wrappers)
    if not count:
        return outer.lead
    return record.inputs[0].axes[: 1 + outer.depth + count]
