"""What engines have in common: ports, runs, the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from ..ir.layout import Layout
from ..ir.plan import Settled
from ..ir.source import Array

Precision = Literal["float32", "float64"]
Watch = Callable[[Settled, tuple[Array, ...]], None]
Shape = tuple[int | None, ...]


def fits(layout: Layout, shape: Shape) -> bool:
    """Whether an array of this shape can lie in a layout; an open extent is any."""
    pairs = zip(layout.shape, shape, strict=False)
    return len(layout.terms) == len(shape) and all(a == b or None in {a, b} for a, b in pairs)


class Port(msgspec.Struct, frozen=True):
    """An input or output of a model.

    Attributes:
        name: As the file calls it.
        shape: Extents in the order of the file; None where open.
        dtype: Of its numbers.
        layout: What the dimensions mean; None where the file does not say (ONNX).
        below: Indices into a table are fed, from 0 up to this; None for any numbers.
        state: Whether it is a layer's state, which begins with zeros and comes back.
    """

    name: str
    shape: Shape
    dtype: str = "float32"
    layout: Layout | None = None
    below: int | None = None
    state: bool = False

    @property
    def text(self) -> str:
        """The layout as it prints; the shape where there is none."""
        if self.layout is not None:
            return str(self.layout)
        return "(" + ", ".join("?" if size is None else str(size) for size in self.shape) + ")"


class Run(NamedTuple):
    """What came of a run.

    Attributes:
        outputs: One array per output, in the order of the file.
        logits: What a softmax that makes an output was given, by the number of the output.
    """

    outputs: list[Array]
    logits: dict[int, Array]


class Engine(Protocol):
    """Something that runs one model."""

    @property
    def path(self) -> str:
        """The file."""
        ...

    @property
    def title(self) -> str:
        """What computes, and in which precision."""
        ...

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What is fed, in order."""
        ...

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What comes back, in order."""
        ...

    def run(self, inputs: Sequence[Array], watch: Watch | None = None) -> Run:
        """Compute the outputs of these inputs, which lie as `inputs` says."""
        ...
