"""What a writer is handed: one settled node, and the network to put layers into."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...eras.storage import Dialect as StorageTable, pattern as stored_pattern, table
from ...errors import ExportError
from ...ir.graph import Layer, Value
from ...ir.layout import Layout, Term, Terms, size_of
from ...ir.op import Op
from ...ir.plan import Settled
from ...ir.report import Kind, Level, Report
from ...ir.tensor import Weight
from .dialects import BASE, Dialect
from .fit import fitted
from .kept import fed_shape, kept
from .known import check_known
from .network import NOTHING, Arguments, Array, FileLayer, Tensor, Wrapper, filled
from .own_words import has_own_words

if TYPE_CHECKING:
    from .emission import Emission
    from .scope import Scope


TRAVELLING = frozenset({"mask", "query_mask", "value_mask", "key_mask"})
"""Ports of masks that Keras carries along with values: nothing in a file says them."""


class Site:
    """One node, where its layers go.

    Attributes:
        settled: The node with everything chosen.
        scope: The model of the file that it is in.
        name: What its layer is called in the file: the source's name, the outer models' before it
            where those were dissolved.
        depth: Batch terms that the model around takes away (it is repeated over time); layouts
            here are seen without them.
        lost: How many wrappers were around models that were dissolved.
    """

    def __init__(
        self, emission: Emission, scope: Scope, settled: Settled, name: str, lost: int = 0
    ) -> None:
        self.emission, self.scope, self.settled, self.name = emission, scope, settled, name
        self.depth, self.lost = scope.depth, lost
        self._taken: list[Settled] = []
        self._read: set[int] = set()
        self._stored: set[Weight] = set()

    # ---- what is to be written -----------------------------------------------------------------

    @property
    def op(self) -> Op:
        """What is computed."""
        return self.settled.node.op

    @property
    def layer(self) -> Layer | None:
        """Where the node comes from."""
        return self.settled.node.layer

    @property
    def dialect(self) -> Dialect:
        """The target."""
        return self.emission.dialect

    @property
    def backend(self) -> str:
        """The backend whose kernels and whose `same` the target has."""
        return self.emission.backend

    def has(self, class_name: str, key: str = "") -> bool:
        """Whether the target has a class, and the class a key."""
        known = self.dialect.classes.get(class_name)
        return known is not None and (not key or key in known.stated)

    def seen(self, layout: Layout) -> Terms:
        """A layout as the target counts it: the batch, then the rest."""
        return layout.terms[self.depth :]

    def axis(self, binding: str, *, result: bool = False) -> int:
        """The axis number of a binding as the target counts it, the batch being 0."""
        return self.settled.position(binding, result=result) - self.depth

    def size(self, *bindings: str) -> int:
        """How many positions these bindings have together.

        Raises:
            ExportError: A size is not known.
        """
        sizes = [size_of(term) for name in bindings for term in self.settled.bound[name]]
        if None in sizes:
            raise self.refuse(f"the size of {' '.join(bindings)} is not known")
        return math.prod(size or 0 for size in sizes)

    def number(self, axis: int, rank: int) -> int:
        """An axis number to be stated: the last counts from the end, unless the source did not.

        Args:
            axis: As the layer counts it, the batch being 0.
            rank: Of what it is an axis of.
        """
        config = self.layer.config if self.layer else {}
        stated = config.get("axis", config.get("concat_axis"))  # of Keras 1's Merge
        from_start = isinstance(stated, int) and stated >= 0
        return -1 if axis == rank - 1 and not from_start else axis

    def repeats(self, batch: Sequence[Term]) -> int:
        """How many TimeDistributed a layer needs that has one batch axis, where there are these."""
        return len(batch) - 1 - self.depth

    def own_repeats(self, *, all_around: bool = False) -> int:
        """The source's wrappers around a layer that can do without, if they can be written back.

        They can where the terms that they repeat over still lead the input and the result.

        Args:
            all_around: Count those around dissolved models too: for a layer that cannot do
                without, being one for inputs of a certain rank.
        """
        node = self.settled.node
        count = (len(self.layer.wrappers) if self.layer else 0) + (self.lost if all_around else 0)
        first = next((value for value in node.inputs if value is not None), None)
        if not count or first is None:
            return 0
        lead = 1 + self.depth + count
        layouts = [held.layout for held in self.settled.inputs if held is not None]
        heads = {layout.terms[:lead] for layout in (*layouts, *self.settled.results)}
        rest = min(len(layout.terms) for layout in layouts) - lead
        return count if heads == {first.axes[:lead]} and rest > 0 else 0

    def refuse(self, what: str, hint: str = "") -> ExportError:
        """The error for something that the target cannot express."""
        return ExportError(what, where=self.name, hint=hint)

    def tell(
        self, code: str, kind: Kind, message: str, *, level: Level = "note", fix: str = ""
    ) -> None:
        """Add an event about this layer."""
        self.emission.report.add(code, kind, message, layer=self.name, level=level, fix=fix)

    # ---- tensors -------------------------------------------------------------------------------

    def x(self, index: int = 0) -> Tensor:
        """An input, in the layout that the plan wants of it."""
        held = self.settled.inputs[index]
        if held is None:
            raise self.refuse(f"input {index} is absent")
        self._read.add(index)
        return self.scope.take(held.value, held.layout, self.name)

    def all(self) -> list[Tensor]:
        """Every input that is there."""
        return [self.x(i) for i, held in enumerate(self.settled.inputs) if held is not None]

    def give(self, tensor: Tensor, index: int = 0) -> None:
        """Say which tensor is a result of the node."""
        value = self.settled.node.results[index]
        self.scope.define(value, self.settled.results[index], tensor)
        for after in self._taken:
            self.scope.define(after.node.result, after.results[0], tensor)

    def beside(self, settled: Settled) -> Site:
        """A site for another node of the same layer."""
        return Site(self.emission, self.scope, settled, self.name, self.lost)

    def take_over(self, after: Settled) -> None:
        """Write the node behind this one with it: `give` gives its result too."""
        self.emission.fuse(after.node)
        self._taken.append(after)

    def bring(self, tensor: Tensor, have: Layout, want: Layout) -> Tensor:
        """The tensor in another layout, by layers that move it."""
        return self.scope.bring(tensor, have, want, self.name)

    def check_mask(self, index: int, tensor: Tensor) -> None:
        """See to it that Keras carries the mask along that the op is to have.

        Raises:
            ExportError: It carries another one, or none.
        """
        held = self.settled.inputs[index] if index < len(self.settled.inputs) else None
        wanted: Value | None = held.value if held is not None else None
        if tensor.mask is not wanted:
            what = "no mask reaches it" if tensor.mask is None else "another mask reaches it"
            raise self.refuse(f"{what} in Keras, which carries masks along with values")

    # ---- layers --------------------------------------------------------------------------------

    def array(
        self,
        name: str,
        port: str,
        pattern: str = "",
        *,
        rank: int = 0,
        data_format: str = "channels_last",
        trains: bool = True,
    ) -> Array | None:
        """A stored array of the node's layer; None where the node has no such parameter.

        Args:
            name: As Keras calls it.
            port: The op's parameter.
            pattern: The order in which it is stored, over the port's bindings; the table's where
                it is not given.
            rank: Spatial axes of the op, for the table.
            data_format: Of the layer, for targets whose kernels lie as it says.
            trains: Whether training changes it.
        """
        param = self.settled.node.params.get(port)
        if param is None:
            return None
        if not pattern:
            pattern = self._pattern(port, rank, table(self.dialect.storage, data_format))
        return Array(name, param, self.settled.param_layout(port, pattern), trains)

    def _pattern(self, port: str, rank: int, lies: StorageTable) -> str:
        kind = self.op.kind
        try:
            return stored_pattern(lies, kind, port, rank=rank, backend=self.backend)[0]
        except KeyError as error:
            raise self.refuse(f"{self.dialect.name} has no layer for {kind}") from error

    def always(
        self, array: Array | None, class_name: str, key: str, name: str, value: float, size: int
    ) -> Array | None:
        """An array, or a constant in its place where the target's class cannot go without.

        Args:
            array: What the node has.
            class_name: The layer's class.
            key: By which a class says whether it has the array, such as `use_bias`; "" if all have
                it.
            name: The array's.
            value: What an absent one stands for.
            size: How many numbers.
        """
        if array is not None or (key and self.has(class_name, key)):
            return array
        return filled(name, value, size)

    def put(
        self,
        class_name: str,
        config: Mapping[str, Any],
        inputs: Sequence[Tensor],
        *,
        role: str = "",
        arrays: Sequence[Array | None] = (),
        repeats: int = 0,
        mask: Value | None = None,
        arguments: Arguments = NOTHING,
    ) -> Tensor:
        """Call a layer that has one result; as `put_all`."""
        return self.put_all(
            class_name,
            config,
            inputs,
            role=role,
            arrays=arrays,
            repeats=repeats,
            mask=mask,
            arguments=arguments,
        )[0]

    def put_all(
        self,
        class_name: str,
        config: Mapping[str, Any],
        inputs: Sequence[Tensor],
        *,
        role: str | None = "",
        arrays: Sequence[Array | None] = (),
        repeats: int = 0,
        mask: Value | None = None,
        outputs: int = 1,
        arguments: Arguments = NOTHING,
    ) -> tuple[Tensor, ...]:
        """Call a layer of the file.

        Args:
            class_name: Its class.
            config: What the op says of it; what the source said besides is added to the main one.
            inputs: Tensors.
            role: What it is beside the node's own layer, such as `pad`; "" for what the node
                itself is, None for the layer whatever part of it the node is.
            arrays: What it stores; None where the node has no such parameter.
            repeats: How many TimeDistributed are around it.
            mask: The mask that Keras carries along with its results.
            outputs: How many results it has.
            arguments: What the call is given besides.
        """
        try:
            config = fitted(class_name, config, self.dialect, self.backend)
        except ExportError as error:
            error.at(self.name)
            raise
        check_known(self.emission, self.name, class_name, config)
        repeats = max(repeats, class_name in self.dialect.unmasked and inputs[0].mask is not None)
        config = self._as_silent(class_name, config)
        if role is not None:
            role = "_".join(filter(None, (self.settled.node.part, role)))
        main, role = not role, role or ""
        told = self._told_of_keys(class_name)
        own = kept(self.layer, class_name, self.dialect, told) if main else {}
        name = self.name if main else f"{self.name}_{role}"
        wrappers = self.wrappers(name, repeats, main=main)
        if wrappers and len(inputs) > 1:
            raise self.refuse(f"TimeDistributed takes one input, not {len(inputs)}")
        inner = self.layer.name if main and self.layer and self.layer.wrappers else f"{name}_each"
        if main and self.emission.native and not wrappers:
            own |= fed_shape(self.layer, class_name, inputs[0].shape)
        self.note(arrays)
        stored = [array for array in arrays if array is not None]
        inner = inner if wrappers else ""
        if _is_constant(stored):
            own["trainable"] = False
        layer = FileLayer(name, class_name, {**own, **config}, stored, wrappers, inner)
        if class_name in self.dialect.ends_masks:
            mask = None
        return self.scope.call(
            (self.name, role), layer, inputs, outputs=outputs, mask=mask, arguments=arguments
        )

    def _told_of_keys(self, class_name: str) -> Report:
        """Who is told of keys that are left out: nobody, if the source's words bring them back."""
        layer = self.layer
        same = layer is not None and (layer.class_name, layer.name) == (class_name, self.name)
        own = same and has_own_words(self.emission.model, self.dialect)
        return Report() if own else self.emission.report

    def _as_silent(self, class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration without a data format that the source's class never states.

        Some classes of Keras 1 and 2.0 ask the reader's own settings. A file for another order,
        or from another era, says it all the same: every reader takes it from there.
        """
        layer, order = self.layer, self.emission.model.facts.ordering.value
        silent = (
            self.emission.native
            and layer is not None
            and layer.class_name == class_name
            and "data_format" not in layer.config
            and order in {None, config.get("data_format")}
        )
        return {key: value for key, value in config.items() if not silent or key != "data_format"}

    def note(self, arrays: Sequence[Array | None]) -> None:
        """Remember which weights a layer of the file stores."""
        self._stored |= {weight for array in arrays if array for weight in array.weights}

    def leave_out(self, *ports: str) -> None:
        """Say that parameters are not written, as no result depends on them; the report has it."""
        params = self.settled.node.params
        self._stored |= {params[port].weight for port in ports if port in params}

    def check_complete(self) -> None:
        """See to it that nothing the node reads or holds has been forgotten.

        Raises:
            ExportError: An input or a weight is not in the file.
        """
        node = self.settled.node
        inputs = node.op.inputs
        for index, value in enumerate(node.inputs):
            port = inputs[min(index, len(inputs) - 1)]
            if value is not None and port.name not in TRAVELLING and index not in self._read:
                raise self.refuse(f"its input {port.name} would be left out")
        for port_name, param in node.params.items():
            if param.weight not in self._stored:
                raise self.refuse(f"its weight {port_name} would be left out")

    def wrappers(self, name: str, repeats: int, *, main: bool = True) -> list[Wrapper]:
        """As many TimeDistributed as asked for, the source's own where there are any."""
        source = self.layer.wrappers if main and self.layer else ()
        found: list[Wrapper] = []
        for number in range(repeats):
            config: dict[str, Any] = {}
            own = f"{name}_each_{number}"
            if number < len(source):
                config = {k: v for k, v in source[number].config.items() if k == BASE[0]}
                own = source[number].name
            found.append(Wrapper(name if number == 0 else own, config))
        return found


def _is_constant(arrays: Sequence[Array]) -> bool:
    """Whether a layer holds what no training changed, in arrays that one would change."""
    held = [weight for array in arrays if array.trains for weight in array.weights]
    return bool(held) and not any(weight.trainable for weight in held)
