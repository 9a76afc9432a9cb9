"""Weights without an architecture: what each array is, as far as ranks, extents and names tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ...eras import storage
from ...errors import ConfigError, KerasirError, LayoutError, UsageError, WeightError
from ...ir.graph import Graph, Layer, Node
from ...ir.layout import Axis, Labelled, Layout, Terms, fuse, sizes_from
from ...ir.model import Fact, Facts, Model
from ...ir.ops.bare import Bare
from ...ir.report import Report
from ...ir.signature import Pattern
from ...ir.tensor import Param, Stored, Weight
from .archive.record import Archive, StoredWeight, WeightGroup
from .call import SPACE
from .facts import era_of, read_facts
from .guesses import GATES, Guess, guesses, parts
from .match import listed
from .proposals import proposal
from .read import import_model
from .spec import LayerSpec, ModelSpec

Flattened = Mapping[str, tuple[int, int, int]]
"""Layers whose rows are a flattened feature map: its channels, height and width."""

WITHOUT_ORDER = frozenset({"paths"})
"""Forms of archives that list arrays by their place in the model's Python objects, and these by
their names: Keras 3 `saving_lib.py` `_save_state`. Other Keras load weights layer after layer."""

NO_ORDER_NEEDED = frozenset({"Dense", "Embedding", "BatchNorm", "SimpleRNN", "GRU", "LSTM"})
"""Ops whose arrays lie alike in either ordering."""


def read_bare(
    archive: Archive,
    *,
    backend: str | None = None,
    data_format: str | None = None,
    flattened: Flattened | None = None,
    wanted: str | None = None,
    in_order: bool = False,
) -> Model:
    """Weights as a model that computes nothing: a node `Bare` for each layer. No number is read.

    Args:
        archive: A file without an architecture.
        backend: Which backend wrote the weights, where the file does not say.
        data_format: Where the channels are.
        flattened: Dense layers behind a flattened feature map.
        wanted: The order in which rows of those are wanted, `channels_first` or `channels_last`;
            None for the order that they have.
        in_order: Refuse weights that do not tell in which order their layers come.

    Raises:
        ConfigError: Backend or data format matter and are not known, or the layers' order is not.
        WeightError: A layer in `flattened` has another number of rows.
        UsageError: There is no such layer.
    """
    try:
        if in_order and archive.form in WITHOUT_ORDER:
            raise ConfigError(
                "weights only, and they do not tell in which order their layers come",
                hint="add --arch model.json, or write arrays by name: .npz, .safetensors",
            )
        return _Reader(archive, flattened or {}, wanted).model(backend, data_format)
    except KerasirError as error:
        error.at("file", file=archive.path)
        raise


class _Reader:
    def __init__(self, archive: Archive, flattened: Flattened, wanted: str | None) -> None:
        self.archive, self.flattened, self.wanted = archive, flattened, wanted
        self.report = Report()
        self.era, _ = era_of(archive)
        self.storage = "keras1" if self.era.value in {"keras0", "keras1"} else "keras2"
        self.groups = [
            (group, [*parts(group)] if group.weights else []) for group in archive.groups
        ]
        self.called = Counter(group.name for group in archive.groups)
        self.left: list[str] = []
        self.rows: list[str] = []

    def model(self, backend: str | None, data_format: str | None) -> Model:
        facts = read_facts(
            self.archive,
            self._seeming(),
            self.report,
            backend=backend,
            ordering=self._ordering(data_format),
        )
        layers: list[Layer] = []
        nodes: list[Node] = []
        for group, inner in self.groups:
            names = [weight.name for weight in group.weights]
            own = group.name if group.name and self.called[group.name] == 1 else group.layer
            layer = Layer(own, "", {"weight_names": names})
            layers.append(layer)
            for prefix, part in inner:
                name = f"{layer.name}/{prefix}" if prefix else layer.name
                nodes.append(self._node(name, layer, part, facts))
        self._check_flattened(nodes)
        self._tell(nodes)
        return Model(
            graph=Graph((), nodes, ()),
            name="weights",
            kind="weights",
            facts=facts,
            report=self.report,
            layers=tuple(layers),
        )

    # ---- facts -----------------------------------------------------------------------------

    def _parts(self) -> Iterator[WeightGroup]:
        return (part for _, inner in self.groups for _, part in inner)

    def _seeming(self) -> ModelSpec:
        """The layers that there seem to be, for facts that depend on their classes."""
        specs = []
        for part in self._parts():
            guess = next(guesses(part, self.storage), None)
            if guess is not None:
                specs.append(LayerSpec(part.layer, guess.class_name, "", {}))
        return ModelSpec("weights", "functional", tuple(specs), (), ())

    def _ordering(self, said: str | None) -> Fact:
        """Where the channels are; in kernels of Keras 0 and 1 the extent of the bias tells."""
        if said is not None:
            return Fact(said, "user", "--source-data-format")
        if self.storage == "keras2":
            return Fact(None, "unknown", "kernels of Keras 2 lie alike in either ordering")
        told = [found for found in map(_told, self._parts()) if found is not None]
        if told and len(set(told)) == 1:
            many = "a kernel and its bias" if len(told) == 1 else f"{len(told)} kernels and biases"
            self.report.add(
                "KE205",
                "assumed",
                f"{told[0]}: the extents of {many} fit so only",
                fix="to overrule: --source-data-format",
            )
            return Fact(told[0], "inferred", f"extents of {many}")
        return Fact(None, "unknown", "the extents of the weights do not tell")

    # ---- nodes -----------------------------------------------------------------------------

    def _node(self, name: str, layer: Layer, part: WeightGroup, facts: Facts) -> Node:
        for guess in guesses(part, self.storage):
            if self.era.value == "keras0" and guess.of == "BatchNorm":
                break  # its last array is a standard deviation: what it means needs epsilon
            dialect = self._dialect(guess, facts)
            flat = self.flattened.get(layer.name) if guess.of == "Dense" else None
            bound = _bound(guess, flat, facts.ordering.value)
            try:
                params = dict(_params(name, guess, part, bound, dialect, facts.backend.value))
            except LayoutError:
                continue
            if guess.of == "Dense":
                self.rows += [name] * (flat is None)
                bound["features"] = _rows(bound, self.wanted) if flat else bound["features"]
            return Node(name, Bare(of=guess.of), (), (), bound, params, layer)
        self.left.append(name)
        return _unknown(name, layer, part)

    def _dialect(self, guess: Guess, facts: Facts) -> storage.Dialect:
        if self.storage == "keras2":
            return "keras2"
        ordering = facts.ordering.value
        if ordering is None and guess.of not in NO_ORDER_NEEDED:
            raise ConfigError(
                "cannot tell channels_first from channels_last, and kernels lie in one of them",
                hint="add --source-data-format channels_first or channels_last",
            )
        return "keras1_th" if ordering == "channels_first" else "keras1_tf"

    # ---- what is said ----------------------------------------------------------------------

    def _check_flattened(self, nodes: Sequence[Node]) -> None:
        dense = {n.layer.name for n in nodes if n.layer and n.op.kind == "Dense"}
        for name in self.flattened:
            if name in dense:
                continue
            layer = next((n for n in nodes if n.layer and n.layer.name == name), None)
            if layer is None:
                known = listed(sorted(dense)) or "none"
                raise UsageError(
                    f"no layer {name!r}", where="--flattened", hint=f"Dense layers are {known}"
                )
            source = next(iter(layer.params.values())).weight.sources[0]
            c, h, w = self.flattened[name]
            raise WeightError(
                f"stored shape {source.shape} has no {c * h * w} rows, as C:{c} H:{h} W:{w} "
                "flattened would give",
                where=name,
            )

    def _tell(self, nodes: Sequence[Node]) -> None:
        kinds: dict[str, int] = {}
        for node in nodes:
            if node.op.kind != "Bare":
                kinds[node.op.kind] = kinds.get(node.op.kind, 0) + 1
        counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        known = (
            f"by rank, extent and name there are {counted}" if kinds else "nothing is recognized"
        )
        fitting = proposal(self.archive, import_model)
        self.report.add(
            "KE206",
            "assumed",
            f"no architecture: {known}",
            fix=f"for a whole model: --arch {fitting.arch}" if fitting else "",
        )
        if self.rows:
            self.report.add(
                "KE207",
                "note",
                f"rows of Dense layers are left in their order: {listed(self.rows)}",
                level="warning",
                fix="where one follows a Flatten: --flattened LAYER=C,H,W",
            )
        if self.left:
            self.report.add(
                "KE208",
                "note",
                f"left as they are stored, for nothing tells what they are: {listed(self.left)}",
                level="warning",
                fix="an architecture tells: --arch model.json",
            )


def _told(part: WeightGroup) -> str | None:
    """The only ordering of Keras 1 in which a kernel of a convolution fits its bias."""
    shapes = [weight.source.shape for weight in part.weights]
    if [len(shape) for shape in shapes] not in ([4, 1], [5, 1]):
        return None
    kernel, (filters,) = shapes
    if (kernel[0] == filters) == (kernel[-1] == filters):
        return None
    return "channels_first" if kernel[0] == filters else "channels_last"


def _bound(
    guess: Guess, flat: tuple[int, int, int] | None, ordering: str | None
) -> dict[str, Terms]:
    """Terms of every binding that weights have; their extents are still open."""
    roles = {"channels": "I", "filters": "O", "multiplier": "M", "features": "I", "units": "O",
             "recurrent": "R", "axis": "C", "vocabulary": "V"}  # fmt: skip
    if guess.of in {"LSTM", "GRU", "SimpleRNN"}:
        roles["units"] = "U"
    bound: dict[str, Terms] = {name: (Axis(role, None),) for name, role in roles.items()}
    for name in ("kernel_space", "recurrent_space"):
        bound[name] = tuple(Axis(role, None) for role in SPACE.get(guess.rank, ""))
    if guess.of in GATES:
        gates = GATES[guess.of]
        bound["gates"] = (Labelled(Axis("G", len(gates)), gates),)
    if flat is not None:
        bound["channels"] = (Axis("C", flat[0]),)
        bound["kernel_space"] = (Axis("H", flat[1]), Axis("W", flat[2]))
        bound["features"] = _rows(bound, ordering)
    return bound


def _rows(bound: Mapping[str, Terms], ordering: str | None) -> Terms:
    """Rows of a Dense kernel behind a flattened feature map."""
    if ordering is None:
        if isinstance(bound["features"][0], Axis):
            raise ConfigError(
                "whether channels come first or last in flattened rows is not known",
                hint="add --source-data-format channels_first or channels_last",
            )
        return bound["features"]
    channels, space = bound["channels"], bound["kernel_space"]
    first = ordering == "channels_first"
    return (fuse((*channels, *space) if first else (*space, *channels)),)


def _params(
    name: str,
    guess: Guess,
    part: WeightGroup,
    bound: Mapping[str, Terms],
    dialect: storage.Dialect,
    backend: str | None,
) -> Iterator[tuple[str, Param]]:
    """Each parameter with the layout that its era stores it in.

    Raises:
        LayoutError: The extents do not go together: the guess is wrong.
    """
    for port, places in guess.arrays.items():
        if (guess.of, port) not in storage.STORAGE[dialect]:
            raise LayoutError(f"this era has no {guess.of}")
        texts = storage.pattern(
            dialect, guess.of, port, rank=guess.rank, backend=backend or "tensorflow"
        )
        arrays = [part.weights[place] for place in places]
        labels = guess.gates or ("",)
        gates = next((t.axis for t in bound.get("gates", ()) if isinstance(t, Labelled)), None)
        stored: dict[str, Stored] = {}
        for label, array in zip(labels, arrays, strict=True):
            plain = [_of_one_gate(text) if label else text for text in texts]
            at = {gates: label} if gates is not None and label else {}
            stored[label] = Stored(_fitting(plain, bound, array), at)
        weight = Weight(
            f"{name}/{port}",
            tuple(array.source for array in arrays),
            stored_names=tuple(array.name for array in arrays),
        )
        yield port, Param(weight, tuple(stored.values()))


def _of_one_gate(text: str) -> str:
    """A pattern of one gate's array, from that of all gates."""
    return text.replace("(gates units)", "units").replace("(gates filters)", "filters")


def _fitting(texts: Sequence[str], bound: Mapping[str, Terms], array: StoredWeight) -> Layout:
    """The first layout that an array's shape fits; open extents are taken from it."""
    for text in texts:
        terms = Pattern.parse(text).build(bound)
        try:
            sizes = sizes_from(terms, array.source.shape)
        except LayoutError:
            continue
        for axis, size in sizes.items():
            axis.size = size
        return Layout(terms)
    raise LayoutError(f"shape {array.source.shape} does not fit {texts[0]}")


def _unknown(name: str, layer: Layer, part: WeightGroup) -> Node:
    """Arrays as they are."""
    axes: dict[str, Terms] = {}
    params: dict[str, Param] = {}
    for number, array in enumerate(part.weights):
        port = array.name.rpartition("/")[2] or str(number)
        port = f"{port}_{number}" if port in params else port
        axes[port] = tuple(Axis("X", extent) for extent in array.source.shape)
        weight = Weight(f"{name}/{port}", (array.source,), stored_names=(array.name,))
        params[port] = Param(weight, (Stored(Layout(axes[port])),))
    return Node(name, Bare(), (), (), axes, params, layer)
