"""What a translator is handed: one call of a layer, its weights, and the graph to add nodes to."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Any

import msgspec

from ...eras import storage
from ...errors import ConfigError, WeightError
from ...ir.build import Builder
from ...ir.graph import Layer, Node, Value
from ...ir.layout import Axis, Layout, Term, Terms
from ...ir.op import Op
from ...ir.report import Report
from ...ir.signature import Pattern
from ...ir.source import Source
from ...ir.tensor import Param, Stored, Weight
from .archive.record import StoredWeight
from .era import Era
from .misfit import letters_of, misfit, other_ordering
from .opaque import lift_opaque
from .slots import Config, Slot
from .spec import Call, Ref, replaced
from .travelling import travelling

SPACE = {1: "T", 2: "HW", 3: "DHW"}


class Ports(msgspec.Struct, frozen=True):
    """The axes of a spatial layer's input, told apart by its data format."""

    batch: Terms
    channels: Term
    space: Terms
    channels_first: bool

    def bindings(self) -> dict[str, Terms]:
        """As an op's ports name them."""
        return {"batch": self.batch, "channels": (self.channels,), "space": self.space}

    def placed(self, channels: Term, space: Sequence[Term]) -> Terms:
        """The axes of a result, in the order of the same data format."""
        if self.channels_first:
            return (*self.batch, channels, *space)
        return (*self.batch, *space, channels)


class Given(msgspec.Struct, frozen=True):
    """The arguments of a call.

    Attributes:
        inputs: The tensors among the positional ones, in order.
        args: The positional ones whole.
        kwargs: Those by keyword.
        gives: The shape of the first result, where the file says it.
    """

    inputs: tuple[Value, ...] = ()
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    gives: tuple[int | None, ...] | None = None

    @classmethod
    def of(cls, call: Call, values: Mapping[Ref, Value]) -> Given:
        """The arguments of a stored call, with what its references stand for.

        Raises:
            ConfigError: A reference to a result that a layer does not have.
        """
        for ref in call.needs:
            if ref not in values:
                raise ConfigError(f"it reads result {ref.tensor} of {ref.layer!r:.80}")
        inputs = tuple(values[ref] for ref in call.inputs)
        args = tuple(replaced(arg, values) for arg in call.args)
        return cls(inputs, args or inputs, replaced(call.kwargs, values), call.gives)

    @property
    def tensors(self) -> int:
        """How many of the arguments are tensors, or nests of them."""
        return sum(_holds_tensors(value) for value in (*self.args, *self.kwargs.values()))

    def but_for(self, known: Collection[str]) -> list[str]:
        """The keyword arguments that say something and are not known."""
        return [key for key, value in self.kwargs.items() if key not in known and value is not None]


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_tensors, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_tensors, value))
    return isinstance(value, Value)


TRAINS_ON_CALL: frozenset[str] = frozenset({"keras2", "tf_keras"})
"""Vocabularies in which a layer that was called with `training=True` acts so in predictions too;
in Keras 3 what a model is called for counts (3.15 `models/functional.py` `operation_fn`)."""

MASKS_ALONE: frozenset[str] = frozenset({"keras3"})
"""Vocabularies in which a mask comes along by itself only where one argument alone is a tensor:
with initial states there is none (Keras 3.15 `layers/layer.py` `Layer.__call__`, step 6)."""


class LayerCall:
    """One call of one layer.

    Attributes:
        name: The layer's name.
        class_name: In the vocabulary of Keras 2.
        config: Read into the translator's record.
        layer: The record that nodes carry.
        batch: How many leading terms of an input are the batch (TimeDistributed adds one).
        era: How to read the file.
        builder: The graph so far.
        report: Where to tell what was assumed.
        stored: The layer's arrays, by slot.
        extents: By value that is a shape, or one extent of it: the axes that it tells of.
        given: Its arguments.
        allowed: What the user lets pass, as `Class.key`.
    """

    def __init__(
        self,
        *,
        layer: Layer,
        config: Config,
        batch: int,
        era: Era,
        builder: Builder,
        report: Report,
        stored: Mapping[str, StoredWeight],
        slots: Sequence[Slot],
        shared: dict[str, Weight],
        masks: dict[Value, Value],
        extents: dict[Value, Terms],
        given: Given,
        allowed: frozenset[str] = frozenset(),
    ) -> None:
        self.layer, self.config, self.batch, self.era = layer, config, batch, era
        self.builder, self.report, self.stored, self.slots = builder, report, stored, slots
        self.given, self.extents, self.allowed = given, extents, allowed
        self._shared, self._masks = shared, masks
        self._mine: set[Value] = set()

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    @property
    def class_name(self) -> str:
        """The layer's class, in the vocabulary of Keras 2."""
        return self.layer.class_name

    @property
    def training(self) -> bool:
        """Whether the layer acts as in training, whatever the model is called for."""
        stated = bool(self.given.kwargs.get("training"))
        return stated and self.era.vocabulary in TRAINS_ON_CALL

    def inner(self, layer: Layer) -> LayerCall:
        """The same call for a layer inside this one: its nodes and weights are that layer's."""
        found = copy(self)
        found.layer = layer
        return found

    # ---- axes ------------------------------------------------------------------------------

    def axes(self, value: Value) -> Terms:
        """A value's axes with all splits made so far."""
        return self.builder.axes(value)

    def axis(self, value: Value, index: int) -> Term:
        """The term at a position as this layer counts it, the batch being 0.

        Raises:
            ConfigError: The input has no such axis.
        """
        axes = self.axes(value)
        position = index if index < 0 else index + self.batch - 1
        if not -len(axes) <= position < len(axes) or index == 0:
            raise ConfigError(f"axis {index} of an input with layout {value.layout}")
        return axes[position]

    def spatial(self, value: Value, data_format: str | None, rank: int) -> Ports:
        """An input's axes as a spatial layer of this rank and data format sees them.

        Raises:
            ConfigError: The input has another rank.
        """
        axes = self.axes(value)
        if len(axes) != self.batch + rank + 1:
            raise ConfigError(
                f"{self.class_name} expects {rank + 2} dimensions, its input is {value.layout}"
            )
        batch, rest = axes[: self.batch], axes[self.batch :]
        first = self.era.data_format(data_format) == "channels_first"
        if first:
            return Ports(batch, rest[0], rest[1:], True)
        return Ports(batch, rest[-1], rest[:-1], False)

    # ---- nodes -----------------------------------------------------------------------------

    def add(
        self,
        op: Op,
        inputs: Sequence[Value | None],
        *results: Sequence[Term],
        axes: Mapping[str, Sequence[Term]] | None = None,
        params: Mapping[str, Param | None] | None = None,
        part: str = "",
        dtypes: Sequence[str] = (),
    ) -> Node:
        """Append a node of this layer; absent parameters are left out."""
        name = f"{self.name}_{part}" if part else self.name
        present = {key: param for key, param in (params or {}).items() if param is not None}
        node = self.builder.add(
            op,
            name,
            inputs,
            results,
            axes=axes,
            params=present,
            layer=self.layer,
            part=part,
            dtypes=dtypes,
        )
        self._mine.update(node.results)
        return node

    def opaque(self, inputs: Sequence[Value]) -> Value:
        """A node that keeps the layer as it is, not computed."""
        found = lift_opaque(
            self.builder, self.layer, inputs, self.stored, self._shared, self.report,
            self.given.gives,
        )  # fmt: skip
        return found[0]

    # ---- masks -----------------------------------------------------------------------------

    def mask(self, value: Value) -> Value | None:
        """The Keras mask that travels with a value; with the first, the one given beside it."""
        stated = self.given.kwargs.get("mask")
        if isinstance(stated, Value) and value in self.given.inputs[:1]:
            return travelling(self.builder, stated, self._masks.get(value))
        alone = self.given.tensors == 1 or self.era.vocabulary not in MASKS_ALONE
        if value in self.given.inputs and not alone:
            return None
        return self._masks.get(value)

    def carried_mask(self, value: Value) -> Value | None:
        """The mask that travels with a value, whatever else the layer is given."""
        return self._masks.get(value)

    def drop_mask(self, value: Value) -> None:
        """Say that nobody behind this call sees a mask of a value."""
        self._masks.pop(value, None)

    def set_mask(self, value: Value, mask: Value | None) -> None:
        """Say which mask travels with a value."""
        if mask is not None:
            self._masks[value] = mask

    # ---- weights ---------------------------------------------------------------------------

    def param(
        self,
        op: type[Op],
        port: str,
        bound: Mapping[str, Sequence[Term]],
        *,
        rank: int = 0,
        data_format: str | None = None,
        slot: str = "",
    ) -> Param | None:
        """A parameter as the era stores it, checked against what the configuration implies.

        Args:
            op: Whose port it is.
            port: Such as `kernel`.
            bound: The terms of the port's bindings.
            rank: Spatial axes of the layer.
            data_format: Of the layer, for eras whose storage follows it.
            slot: The stored array's slot, where it is not called as the port is.

        Returns:
            None if the layer stores no such array.

        Raises:
            WeightError: The stored shape does not fit.
        """
        name = slot or port
        found = self.stored.get(name)
        if found is None:
            return None
        form = self.era.data_format(data_format) if rank else "channels_last"
        dialect = self.era.dialect(form)
        texts = storage.pattern(dialect, op.__name__, port, rank=rank, backend=self.era.backend)
        terms = {key: tuple(value) for key, value in bound.items()}
        layouts = [Layout(Pattern.parse(text).build(terms)) for text in texts]
        shape = found.source.shape
        if not any(learn_sizes(layout, shape) for layout in layouts):
            elsewhere = other_ordering(op, port, terms, rank, self.era.backend, shape)
            raise self.misfit(name, layouts[0], letters_of(op, terms), elsewhere)
        return self.tagged(name, layouts)

    def tagged(self, slot: str, layouts: Sequence[Layout]) -> Param:
        """A stored array under the first of these layouts whose shape it has.

        Raises:
            WeightError: It has none of the shapes.
        """
        found = self.stored[slot]
        for layout in layouts:
            if learn_sizes(layout, found.source.shape):
                weight = self.weight(slot, (slot,))
                return Param(weight, (Stored(layout),))
        raise self.misfit(slot, layouts[0])

    def weight(self, name: str, slots: Sequence[str]) -> Weight:
        """The weight made of these stored arrays; the same object for every call of the layer."""
        if name not in self._shared:
            arrays = [self.stored[slot] for slot in slots]
            sources = tuple(array.source for array in arrays)
            names = tuple(array.name for array in arrays)
            self._shared[name] = self._new(name, slots, sources, names)
        return self._shared[name]

    def made(
        self, name: str, slot: str, sources: Sequence[Source], stored_names: Sequence[str]
    ) -> Weight:
        """A weight of its own made of parts of a stored array; one for every call of the layer."""
        if name not in self._shared:
            self._shared[name] = self._new(name, (slot,), tuple(sources), tuple(stored_names))
        return self._shared[name]

    def _new(
        self, name: str, slots: Sequence[str], sources: tuple[Source, ...], names: tuple[str, ...]
    ) -> Weight:
        trainable = all(slot.trainable for slot in self.slots if slot.name in slots)
        return Weight(
            f"{'/'.join(part.partition('#')[0] for part in self.layer.scope)}"
            f"{'/' if self.layer.scope else ''}{self.name}/{name}",
            sources,
            trainable=trainable and bool(self.layer.config.get("trainable", True)),
            stored_names=names,
        )

    def misfit(
        self,
        slot: str,
        expected: Layout,
        letters: Mapping[Axis, str] = MappingProxyType({}),
        elsewhere: tuple[str, Layout] | None = None,
    ) -> WeightError:
        """The error for an array of another shape than the configuration implies: see `misfit`."""
        place = f"{self.name}/{slot}"
        stored = self.stored[slot]
        return misfit(stored, place, self.class_name, expected, letters, elsewhere)


def learn_sizes(layout: Layout, shape: Sequence[int]) -> bool:
    """Whether an array of this shape fits; an axis of unknown size takes it from the array."""
    if len(layout.terms) != len(shape):
        return False
    open_axes: list[tuple[Axis, int]] = []
    for term, known, extent in zip(layout.terms, layout.shape, shape, strict=True):
        if known is None and isinstance(term, Axis):
            open_axes.append((term, extent))
        elif known is None or known != extent:
            return False
    for axis, extent in open_axes:
        axis.size = extent
    return True


def one_or_many(value: Any, count: int, what: str) -> tuple[int, ...]:
    """A number for every spatial axis, from one number or from as many.

    Raises:
        ConfigError: There are more or fewer, or a number is not positive.
    """
    found = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    if len(found) != count or any(not isinstance(n, int) or n < 1 for n in found):
        raise ConfigError(f"{what} is {value!r}, expected {count} positive numbers")
    return found


def elements(layout: Layout) -> int | None:
    """How many numbers a layout holds; None while a size is unknown."""
    sizes = layout.shape
    return None if None in sizes else math.prod(size or 0 for size in sizes)
