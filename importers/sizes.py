"""Sizes of inputs that the caller fixes where a file leaves them open.

They are fixed before layers are lifted, so that all that follows from them is a number too: the
pads of a strided `same`, the length of a Flatten, the -1 of a Reshape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from ..errors import ConfigError, UsageError, show
from ..ir.graph import Graph
from ..ir.layout import Axis

Extents = Sequence[int | None]

MOST = 2**63 - 1


class Sizes(msgspec.Struct, frozen=True):
    """What the caller said.

    Attributes:
        batch: Of every input; None leaves it as it is.
        shapes: Whole shapes by the input's name, the batch first, in the file's order of axes.
    """

    batch: int | None = None
    shapes: Mapping[str, Sequence[int]] = {}

    def __bool__(self) -> bool:
        return self.batch is not None or bool(self.shapes)

    def check_names(self, known: Sequence[str]) -> None:
        """Refuse a shape for what is no input.

        Raises:
            UsageError: There is one.
        """
        for name in self.shapes:
            if name not in known:
                listed = ", ".join(map(show, known))
                raise UsageError(
                    f"no input {show(name)!r}", where="--shape", hint=f"one of {listed}"
                )

    def fixed(self, name: str, stated: Extents) -> list[int | None]:
        """The extents of an input.

        Args:
            name: The input's.
            stated: What the file says of it; None where it is open.

        Raises:
            UsageError: What the caller said does not go with that.
            ConfigError: The input holds more numbers than 64 bits count.
        """
        found = list(stated)
        shape = self.shapes.get(name)
        if shape is not None:
            fits = len(shape) == len(stated) and all(n > 0 for n in shape)
            pairs = zip(stated, shape, strict=False)
            if not fits or any(known not in {None, n} for known, n in pairs):
                raise UsageError(
                    f"shape {shown(shape)} does not fit input {show(name)}",
                    where="--shape",
                    hint="in the order of axes that the source has, the batch first",
                    details=(f"expected   {shown(stated)}", f"found      {shown(shape)}"),
                )
            found = list(shape)
        if self.batch is not None:
            if self.batch < 1 or (found and found[0] not in {None, self.batch}):
                raise UsageError(
                    f"a batch of {self.batch} does not fit input {show(name)}",
                    where="--batch",
                    details=(f"expected   {shown(found)}", f"found      {self.batch},…"),
                )
            found[:1] = [self.batch]
        if math.prod(size for size in found if size is not None) > MOST:
            raise ConfigError(
                f"an input of shape {shown(found)}, of more numbers than can be", where=name
            )
        return found

    def check_batch(self, name: str, batch: int | None, other: int | None) -> None:
        """Refuse two batch sizes in one model.

        Raises:
            UsageError: The caller has named them.
        """
        if self and batch is not None and batch != other:
            what = f"a batch of {batch} in input {show(name)}, of {other} in one before it"
            raise UsageError(what, where="--shape", hint="all inputs share the batch")

    def fix(self, graph: Graph) -> None:
        """Fix the batch of a graph that has been built and that nobody shares.

        Raises:
            UsageError: What the caller said does not go with it; another size than the batch was
                left open: what follows from that was settled when the graph was built.
        """
        self.check_names([value.name for value in graph.inputs])
        for value in graph.inputs:
            stated = value.layout.shape
            sizes = self.fixed(value.name, stated)
            if sizes[1:] != list(stated[1:]):
                raise UsageError(
                    f"the sizes of input {show(value.name)} were left open when the file was made",
                    where="--shape",
                    hint="fix them when the Keras file is read",
                )
            first = value.axes[0] if value.axes else None
            if isinstance(first, Axis) and first.size is None:
                first.size = sizes[0]


def shown(extents: Extents) -> str:
    """As the command line takes it: `?,224,224,3`."""
    return ",".join("?" if n is None else str(n) for n in extents)


OPEN = Sizes()
"""Nothing is fixed."""
