"""One model of the file while it is filled: which values exist in it, in which layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...errors import ExportError
from ...ir.graph import Value
from ...ir.layout import Layout, Terms
from .bring import Mover, begins
from .network import NOTHING, Arguments, Constant, FileLayer, Network, Tensor

if TYPE_CHECKING:
    from .emission import Emission

Key = tuple[str, str]
Path = tuple[str, ...]
"""A call of a nested model: the calls around it and its own, each as `name#call`."""


class Made(NamedTuple):
    """A value as it first existed in a model."""

    value: Value
    layout: Layout
    tensor: Tensor


class NotNested(Exception):  # ruff: ignore[error-suffix-on-exception-name] (no error: the emission is begun again without the model)
    """A nested model cannot be written as one; its path is given."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


class Scope:
    """A network and the values in it.

    Attributes:
        network: What is filled.
        path: The call that is written.
        lead: The terms that all layouts here begin with: the batch, and the steps that the
            wrappers around the model repeat it over; none for the whole model.
        depth: How many of them the wrappers take away.
        level: How many models of the file are around.
    """

    def __init__(
        self,
        emission: Emission,
        network: Network,
        path: Path = (),
        parent: Scope | None = None,
        lead: Terms = (),
        names: Mapping[Value, str] | None = None,
    ) -> None:
        self.emission, self.network, self.path = emission, network, path
        self.parent, self.lead = parent, lead
        self.depth = max(0, len(lead) - 1)
        self.level: int = 0 if parent is None else parent.level + 1
        self._held: dict[Value, dict[Layout, Tensor]] = {}
        self._fed: dict[Tensor, Made] = {}
        self._names = names or {}

    def define(self, value: Value, layout: Layout, tensor: Tensor) -> None:
        """Say which tensor a value is."""
        self._check(layout)
        self._held.setdefault(value, {})[layout] = tensor
        if tensor.shape is None:
            tensor.shape, tensor.dtype = self._shape(layout), value.dtype

    def held(self, value: Value) -> Made | None:
        """A value as it first came to be here; None if it is not here."""
        held = self._held.get(value)
        return None if held is None else Made(value, *next(iter(held.items())))

    def fed(self, tensor: Tensor) -> Made | None:
        """The value of the model around that a tensor is; None if it came about here."""
        return self._fed.get(tensor)

    def take(self, value: Value, layout: Layout, name: str) -> Tensor:
        """A value in a layout; layers are put in that bring it there, once for all who want it.

        Args:
            value: What is wanted.
            layout: How.
            name: The layer that wants it; what has to be put in is named after it.
        """
        held = self._held.get(value)
        if held is None:
            held = self._held[value] = {layout: self._enter(value, layout, name)}
        if layout not in held:
            self._check(layout)
            have, tensor = next(iter(held.items()))
            if isinstance(tensor, Constant) and tensor.laid_out is not None:
                held[layout] = tensor.laid_out(layout)
                return held[layout]
            held[layout] = self.bring(tensor, have, layout, name)
        return held[layout]

    def bring(self, tensor: Tensor, have: Layout, want: Layout, name: str) -> Tensor:
        """The tensor in another layout."""
        return Mover(self, name).bring(tensor, have, want)

    def call(
        self,
        key: Key,
        layer: FileLayer,
        inputs: Sequence[Tensor],
        *,
        outputs: int = 1,
        mask: Value | None = None,
        arguments: Arguments = NOTHING,
    ) -> tuple[Tensor, ...]:
        """Call a layer; its results carry `mask` along."""
        wanted = layer.name
        if any(isinstance(tensor, Constant) for tensor in inputs):
            raise ExportError(f"a constant where {layer.class_name} takes tensors", where=wanted)
        call, again = self.network.call(key, layer, inputs, outputs, arguments)
        if again:
            self.emission.report.add(
                "KX401",
                "changed",
                f"{wanted} is used with unlike settings: written once more as {layer.name}, with "
                "a copy of its weights",
                layer=wanted,
                level="warning",
            )
        past = layer.wrappers and self.emission.dialect.hands_masks_on
        for tensor in call.outputs:
            tensor.mask = inputs[0].mask if past else mask
        return call.outputs

    def input(self, name: str, value: Value, layout: Layout, mask: Value | None = None) -> Tensor:
        """A tensor that the caller feeds."""
        shape = self._shape(layout)
        layer = FileLayer(
            name,
            "InputLayer",
            {"batch_input_shape": list(shape), "dtype": value.dtype, "sparse": False},
        )
        tensor = self.network.input(layer)
        tensor.mask, tensor.shape, tensor.dtype = mask, shape, value.dtype
        return tensor

    def _shape(self, layout: Layout) -> tuple[int | None, ...]:
        """The shape as this model counts it: what a wrapper repeats over is its batch."""
        shape = layout.shape[self.depth :]
        return (None, *shape[1:]) if self.depth else shape

    def _enter(self, value: Value, layout: Layout, name: str) -> Tensor:
        """A value of the model around: what a nested model is fed."""
        if self.parent is None:
            raise ExportError(f"the value {value.name} is used before it is made", where=name)
        if not self.parent.can(value):
            raise NotNested(self.path, "what it is fed is made after its first layer")
        self._check(layout)
        outer = self.parent.take(value, layout, self.network.name)
        number = len(self.network.inputs) + 1
        own = f"{self.network.name}_input" + (f"_{number}" if number > 1 else "")
        own = self._names.get(value, own)
        blind = self.emission.dialect.masks_past_steps and self.depth > self.parent.depth
        mask = None if blind else outer.mask
        tensor = self.input(self.network.unique(own), value, layout, mask)
        self._fed[tensor] = Made(value, layout, tensor)
        return tensor

    def _check(self, layout: Layout) -> None:
        """Give up the repeated model around if a layout here does not begin as it has to."""
        if not begins(layout, self.lead):
            scope = self
            while scope.parent is not None and scope.parent.lead == self.lead:
                scope = scope.parent
            raise NotNested(scope.path, f"what it is repeated over does not lead in {layout}")

    def can(self, value: Value) -> bool:
        """Whether the value exists here or in a model around."""
        scope: Scope | None = self
        while scope is not None:
            if value in scope._held:
                return True
            scope = scope.parent
        return False

    def strip(self, value: Value) -> None:
        """Take the mask off a value, here and in the models around."""
        scope: Scope | None = self
        while scope is not None:
            for tensor in scope._held.get(value, {}).values():
                tensor.mask = None
            scope = scope.parent

    def feeds(self) -> list[Made]:
        """What came from outside, in order of first use."""
        return list(self._fed.values())
