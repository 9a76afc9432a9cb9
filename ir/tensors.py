"""A model's weights by name, in any layout: `model.tensors["fc1/kernel"].numpy(layout="…")`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import WeightError
from .graph import Graph, Node
from .layout import Axis, Layout
from .notation import names_of, parse_over, show
from .source import Array
from .tensor import Param


class Tensor:
    """One weight, as the first node that uses it sees it. Its numbers are read when asked for.

    Attributes:
        node: That node.
        port: Which of its parameters the weight is.
        param: The weight and how it is stored.
    """

    __slots__ = ("node", "param", "port")

    def __init__(self, node: Node, port: str, param: Param) -> None:
        self.node, self.port, self.param = node, port, param

    @property
    def name(self) -> str:
        """`layer/weight`."""
        return self.param.weight.name

    @property
    def dtype(self) -> np.dtype[Any]:
        """As stored, in this machine's byte order."""
        return self.param.weight.dtype

    @property
    def layout(self) -> Layout:
        """The canonical layout: declared by the op, in the author's inner order."""
        return self.node.param_layout(self.port)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Extents in the canonical layout, in elements."""
        return self.layout.shape

    @property
    def stored(self) -> tuple[Layout, ...]:
        """The layout of each stored array."""
        return tuple(stored.layout for stored in self.param.stored)

    def names(self) -> dict[Axis, str]:
        """What the axes print as here: a convolution's input channels are `I`."""
        return axis_names(self.node, self.port, self.stored)

    def shown(self, layout: Layout, *, sizes: bool = True) -> str:
        """A layout of this weight as text."""
        return show(layout.terms, sizes, self.names())

    def numpy(self, layout: str | Layout | None = None, dtype: Any = None) -> Array:
        """The numbers, in memory.

        Args:
            layout: Such as `"H W I O"` or `"(C H W) O"`, over the names that `shown` prints; the
                canonical one if not given.
            dtype: Of the result; as stored if not given.

        Raises:
            LayoutError: The text is no layout of this weight.
        """
        wanted = self.layout if layout is None else layout
        if isinstance(wanted, str):
            wanted = parse_over(wanted, self.layout.terms, self.names())
        return self.param.numpy(wanted, dtype)

    def __repr__(self) -> str:
        stored = " + ".join(self.shown(layout) for layout in self.stored)
        return f"<Tensor {self.name} {self.dtype} stored {stored}>"


class Tensors(Mapping[str, Tensor]):
    """Every weight of a graph by name, in the order of first use."""

    def __init__(self, graph: Graph) -> None:
        self._found: dict[str, Tensor] = {}
        for node in graph.nodes:
            for port, param in node.params.items():
                self._found.setdefault(param.weight.name, Tensor(node, port, param))

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._found:
            import difflib

            near = difflib.get_close_matches(name, self._found, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {len(self._found)} weights"
            raise WeightError(f"no weight {name!r}", hint=hint)
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def axis_names(node: Node, port: str, layouts: tuple[Layout, ...]) -> dict[Axis, str]:
    """A printed name per axis of a parameter.

    The op says what its bindings print as (a convolution's channels are `I` in a kernel); an axis
    that is one of several fused ones keeps its own role: `(C H W) O`.
    """
    letters: dict[Axis, str] = {}
    for name in node.op.port(port).pattern.bindings:
        letter = node.op.letters.get(name)
        for term in node.axes[name] if letter else ():
            if isinstance(term, Axis) and letter:
                letters[term] = letter
    terms = [term for layout in layouts for term in layout.terms]
    return names_of([*terms, *node.param_layout(port).terms], letters)
