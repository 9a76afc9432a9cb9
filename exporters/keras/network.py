"""The layers of a Keras file: what is written, before it is spelt as a configuration.

A `Network` is one model of the file: calls of layers, each with tensors in and out. A nested
model is a layer that holds a network. Everything is in the target's terms here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from ...ir.graph import Value
from ...ir.layout import Axis, Labelled, Layout, expand, fuse, key
from ...ir.source import ConstantSource
from ...ir.tensor import Param, Stored, Weight, extents

Kind = Literal["sequential", "merged", "functional"]
"""How a model is written: a `merged` one is a Sequential that begins with a Merge of models."""


class Array(msgspec.Struct, frozen=True, eq=False):
    """One stored array of a layer: copied from a weight when the file is written.

    Attributes:
        name: As Keras calls it in the layer: `kernel`, `moving_mean`.
        param: The weight as the node uses it.
        layout: How it is stored.
        trains: Whether training changes it while the layer is trainable.
        shown: The shape that the file states, where it is not the layout's own.
        parts: The arrays that were stacked into this one; or the one array that its numbers are
            computed from.
        place: Where a `.keras` file keeps it, from its layer's group; None where the layer's class
            tells.
        again: Of an array that is computed from one weight: the same of a slot of that weight,
            which goes with it by a power of what it is multiplied with; None where there is no
            such slot.
    """

    name: str
    param: Param
    layout: Layout
    trains: bool = True
    shown: tuple[int, ...] | None = None
    parts: tuple[Array, ...] = ()
    place: str | None = None
    again: Callable[[Param, int], Weight] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Extents as stored."""
        return extents(self.layout) if self.shown is None else self.shown

    def same(self, other: Array) -> bool:
        """Whether the other holds the same numbers in the same order."""
        if (self.name, self.shape) != (other.name, other.shape):
            return False
        mine, theirs = self.param.plans(self.layout), other.param.plans(other.layout)
        return len(mine) == len(theirs) and all(
            a is b and copy == other_copy
            for (a, copy), (b, other_copy) in zip(mine, theirs, strict=True)
        )

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The weights of the model that are stored in it."""
        inner = tuple(weight for part in self.parts for weight in part.weights)
        return inner or (self.param.weight,)

    @property
    def follows(self) -> bool:
        """Whether an optimizer's slots can be computed as its numbers are."""
        if len(self.parts) == 1 and self.again is None:
            return False
        return all(part.follows for part in self.parts)

    @property
    def computed(self) -> bool:
        """Whether its numbers are others than those of its weights."""
        return len(self.parts) == 1 or any(part.computed for part in self.parts)


def stacked(first: Array, second: Array) -> Array:
    """Two arrays of one node as one: along a new first dimension of two."""
    axis = Axis("X", 2)
    stored = tuple(
        Stored(one.layout, {**one.at, axis: label})
        for array, label in ((first, "first"), (second, "second"))
        for one in array.param.stored
    )
    weight = Weight(
        first.param.weight.name, first.param.weight.sources + second.param.weight.sources
    )
    both = Labelled(axis, ("first", "second"))
    layout = Layout((both, *first.layout.terms))
    param = Param(weight, stored)
    return Array(first.name, param, layout, first.trains, parts=(first, second))


def filled(name: str, value: float, *shape: int) -> Array:
    """An array of one number, for a layer that always has it where the node has none."""
    layout = Layout(tuple(Axis("X", size) for size in shape))
    weight = Weight(name, (ConstantSource(value, shape),))
    return Array(name, Param(weight, (Stored(layout),)), layout)


def single(array: Array, gates: Labelled, label: str) -> Array:
    """One gate's part of an array, as an array of its own."""
    terms = [
        fuse(atom for atom in expand((term,)) if atom != gates and key(atom) != key(gates))
        for term in array.layout.terms
    ]
    return msgspec.structs.replace(
        array,
        name=f"{array.name}_{label}",
        param=msgspec.structs.replace(array.param, only={gates.axis: label}),
        layout=Layout(tuple(terms)),
    )


class Wrapper(msgspec.Struct, frozen=True):
    """A TimeDistributed around a layer: its own name and the rest of its configuration."""

    name: str
    config: Mapping[str, Any] = {}


class FileLayer:
    """One layer of the file.

    Attributes:
        name: Unique in its network; that of the outermost wrapper, if there is one.
        class_name: As the target calls it.
        config: Its configuration without the name.
        arrays: What it stores, in the target's order.
        wrappers: Outermost first; the first one's name is the layer's.
        inner_name: The name inside the wrappers.
        network: The model that it is, if it is one.
    """

    __slots__ = ("arrays", "class_name", "config", "inner_name", "name", "network", "wrappers")

    def __init__(
        self,
        name: str,
        class_name: str,
        config: Mapping[str, Any],
        arrays: Sequence[Array] = (),
        wrappers: Sequence[Wrapper] = (),
        inner_name: str = "",
        network: Network | None = None,
    ) -> None:
        self.name, self.class_name, self.config = name, class_name, dict(config)
        self.arrays, self.wrappers = tuple(arrays), tuple(wrappers)
        self.inner_name, self.network = inner_name or name, network

    @property
    def is_input(self) -> bool:
        """Whether it is where the caller feeds."""
        return self.class_name == "InputLayer"

    def same(self, other: FileLayer) -> bool:
        """Whether two calls can be calls of one layer: equal configurations, the same weights."""
        if self.class_name != other.class_name or self.config != other.config:
            return False
        if [w.config for w in self.wrappers] != [w.config for w in other.wrappers]:
            return False
        if len(self.arrays) != len(other.arrays):
            return False
        if not all(a.same(b) for a, b in zip(self.arrays, other.arrays, strict=True)):
            return False
        if self.network is None or other.network is None:
            return self.network is other.network
        return self.network.same(other.network)

    def __repr__(self) -> str:
        return f"<FileLayer {self.name}: {self.class_name}>"


class Tensor:
    """A result of a call.

    Attributes:
        call: The call.
        index: Which of its results.
        mask: The mask that Keras carries along with it.
        shape: Its shape, the batch first; None where nobody asked for it in a known layout.
        dtype: Of its numbers.
    """

    __slots__ = ("call", "dtype", "index", "mask", "shape")

    def __init__(self, call: Call, index: int, mask: Value | None = None) -> None:
        self.call, self.index, self.mask = call, index, mask
        self.shape: tuple[int | None, ...] | None = None
        self.dtype = "float32"


class Constant(Tensor):
    """Numbers among the tensors: no call makes them, and only an operation takes them.

    Attributes:
        value: They, in lists.
        laid_out: The same in another layout; None for numbers without one.
    """

    __slots__ = ("laid_out", "value")

    def __init__(self, value: Any, laid_out: Callable[[Layout], Constant] | None = None) -> None:
        super().__init__(Call(FileLayer("constant", "InputLayer", {}), ()), 0)
        self.value, self.laid_out = value, laid_out


class Arguments(msgspec.Struct, frozen=True):
    """What a call is given besides its tensors.

    Attributes:
        constants: Keyword arguments.
        named: The keywords that the last of the tensors are given by.
        function: Whether a function is called, not a layer: its one tensor stands in no list.
        places: Constants among the tensors, by their place.
    """

    constants: Mapping[str, Any] = {}
    named: tuple[str, ...] = ()
    function: bool = False
    places: Mapping[int, Any] = {}


NOTHING = Arguments()


class Call:
    """One call of a layer."""

    __slots__ = ("arguments", "inputs", "layer", "outputs")

    def __init__(
        self,
        layer: FileLayer,
        inputs: Sequence[Tensor],
        outputs: int = 1,
        arguments: Arguments = NOTHING,
    ) -> None:
        self.layer, self.inputs, self.arguments = layer, tuple(inputs), arguments
        self.outputs = tuple(Tensor(self, index) for index in range(outputs))

    @property
    def positional(self) -> tuple[Tensor, ...]:
        """The tensors that are not given by keyword."""
        return self.inputs[: len(self.inputs) - len(self.arguments.named)]

    @property
    def keywords(self) -> Mapping[str, Tensor]:
        """The tensors that are given by keyword."""
        named = self.arguments.named
        return dict(zip(named, self.inputs[len(self.inputs) - len(named) :], strict=True))


class Network:
    """One model of the file.

    Attributes:
        name: The model's name.
        kind: How the source spelt it; whether it can be spelt so again is found out at the end.
        calls: In order of execution; those of inputs first.
        inputs: Tensors that the caller feeds, in order.
        outputs: Tensors that the caller gets, in order.
        vocabulary: Of the whole file: the later vocabulary that it needs, if it needs one.
        as_listed: Whether its reader is Keras 1, which makes layers as they are listed.
    """

    __slots__ = (
        "_layers", "_operations", "_reserved", "as_listed", "calls", "inputs", "kind", "name",
        "outputs", "vocabulary",
    )  # fmt: skip

    def __init__(self, name: str, kind: Kind, *, as_listed: bool = False) -> None:
        self.name, self.kind, self.vocabulary = name, kind, ""
        self.as_listed = as_listed
        self.calls: list[Call] = []
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self._layers: dict[tuple[str, str], list[FileLayer]] = {}
        self._operations: set[FileLayer] = set()
        self._reserved: dict[str, tuple[str, str] | None] = {}

    def reserve(self, name: str) -> None:
        """Keep a name for the layer that the source calls so."""
        self._reserved.setdefault(name, (name, ""))

    def input(self, layer: FileLayer) -> Tensor:
        """A tensor that the caller feeds."""
        self._reserved[layer.name] = None
        call = Call(layer, ())
        self.calls.insert(len(self.inputs), call)
        self.inputs.append(call.outputs[0])
        return call.outputs[0]

    def call(
        self,
        key: tuple[str, str],
        layer: FileLayer,
        inputs: Sequence[Tensor],
        outputs: int = 1,
        arguments: Arguments = NOTHING,
    ) -> tuple[Call, bool]:
        """Call a layer, a known one if there is one with this key that is the same.

        Args:
            key: The source layer's name, and which part of it this is.
            layer: What is wanted; its name may be changed to a free one.
            inputs: Tensors.
            outputs: How many results it has.
            arguments: What it is given besides.

        Returns:
            The call, and whether weights are written once more for it.
        """
        known = self._layers.setdefault(key, [])
        # a TimeDistributed takes one shape only (Keras 2.2.4 `TimeDistributed.build`)
        once = bool(key[1]) and bool(layer.wrappers) and not layer.arrays
        for other in () if once else known:
            if other.same(layer) and (other in self._operations) == arguments.function:
                self.calls.append(Call(other, inputs, outputs, arguments))
                return self.calls[-1], False
        layer.name = self.unique(layer.name, key)
        known.append(layer)
        if arguments.function:
            self._operations.add(layer)
        self.calls.append(Call(layer, inputs, outputs, arguments))
        return self.calls[-1], len(known) > 1 and bool(layer.arrays)

    def variants(self, key: tuple[str, str]) -> int:
        """How many unlike layers were called under a key."""
        return len(self._layers.get(key, ()))

    def functions(self) -> frozenset[FileLayer]:
        """What is called as a function and not as a layer."""
        return frozenset(self._operations)

    def sort_inputs(self, tensors: Sequence[Tensor]) -> None:
        """Put the inputs into another order."""
        self.inputs = list(tensors)
        self.calls[: len(tensors)] = [tensor.call for tensor in tensors]

    def unique(self, name: str, key: tuple[str, str] | None = None) -> str:
        """A name that is free, or kept for this key."""
        candidate, number = name, 1
        while candidate in self._reserved and (key is None or self._reserved[candidate] != key):
            number += 1
            candidate = f"{name}_{number}"
        self._reserved[candidate] = None
        return candidate

    def same(self, other: Network) -> bool:
        """Whether two calls of a nested model can be calls of one model."""
        if (self.name, self.kind, len(self.calls)) != (other.name, other.kind, len(other.calls)):
            return False
        place = {call: index for index, call in enumerate(self.calls)}
        theirs = {call: index for index, call in enumerate(other.calls)}

        def wired(tensors: Sequence[Tensor], table: Mapping[Call, int]) -> list[tuple[int, int]]:
            return [(table[tensor.call], tensor.index) for tensor in tensors]

        for a, b in zip(self.calls, other.calls, strict=True):
            if a.layer.name != b.layer.name or not a.layer.same(b.layer):
                return False
            if a.arguments != b.arguments:
                return False
            if wired(a.inputs, place) != wired(b.inputs, theirs):
                return False
        return wired(self.inputs, place) == wired(other.inputs, theirs) and wired(
            self.outputs, place
        ) == wired(other.outputs, theirs)


def freeze(network: Network) -> None:
    """Freeze a model layer by layer: not every Keras stores it of the model itself."""
    for layer in {call.layer for call in network.calls}:
        if layer.network is not None:
            freeze(layer.network)
        elif not layer.is_input:
            layer.config["trainable"] = False
