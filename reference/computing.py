"""What the function of an op sees of a node: its inputs, its weights, where its axes stand.

A function names the dimensions it works on by bindings (`"(batch) space channels"`) and gets them
in that order, as they lie: only whole dimensions are moved, never what is inside one. So a plan
that lets the rows of a kernel lie in another order than the features they meet gives wrong numbers
here, as it would in any target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from ..errors import LayoutError
from ..ir.layout import Axis, Key, Layout, Term, find, fuse, key, size_of
from ..ir.plan import Settled
from ..ir.signature import Group, Pattern, Unit
from ..ir.source import Array

Results = tuple[Array, ...]


class Computing:
    """A node about to be computed.

    Attributes:
        settled: The node with its layouts.
        arrays: One per input port, None where it is absent.
        dtype: Of the computation: float32 or float64.
    """

    __slots__ = ("arrays", "dtype", "settled")

    def __init__(self, settled: Settled, arrays: Sequence[Array | None], dtype: DTypeLike) -> None:
        self.settled, self.arrays, self.dtype = settled, tuple(arrays), np.dtype(dtype)

    @property
    def x(self) -> Array:
        """The first input, in `layout`."""
        return self.input(0)

    @property
    def layout(self) -> Layout:
        """The layout of the first input."""
        return self.settled.input

    def input(self, index: int) -> Array:
        """An input as it lies.

        Raises:
            LayoutError: It is absent.
        """
        found = self.arrays[index]
        if found is None:
            raise LayoutError(f"input {index} is absent", where=self.settled.node.name)
        return found

    def fed(self, index: int) -> bool:
        """Whether an optional input is there."""
        return index < len(self.arrays) and self.arrays[index] is not None

    def size(self, binding: str) -> int:
        """Elements along a binding that the op makes itself.

        Raises:
            LayoutError: It is not known.
        """
        size = size_of(fuse(self.settled.bound[binding]))
        if size is None:
            raise LayoutError(f"the size of {binding} is not known", where=self.settled.node.name)
        return size

    def take(self, pattern: str, index: int = 0) -> Array:
        """An input with its dimensions in the order of a pattern.

        Args:
            pattern: Over the bindings of the input's port. A binding in the open gives one
                dimension for each of its terms, parentheses give one dimension in all.
            index: Which input.
        """
        array, layout = self.input(index), self.settled.layout_of(index)
        groups = self._groups(pattern, layout)
        order = [position for group in groups for position in group]
        shape = [math.prod(array.shape[position] for position in group) for group in groups]
        return np.transpose(array, order).reshape(shape)

    def give(self, array: Array, pattern: str, index: int = 0) -> Array:
        """A result in the layout that the plan has for it.

        Args:
            array: Its dimensions in the order of the pattern.
            pattern: Over the bindings of the result's port, as for `take`.
            index: Which result.
        """
        layout = self.settled.results[index]
        groups = self._groups(pattern, layout)
        order = [position for group in groups for position in group]
        shape: list[int] = []
        for extent, group in zip(array.shape, groups, strict=True):
            alone = len(group) == 1
            shape += [extent] if alone else [self._extent(layout.terms[at]) for at in group]
        return np.transpose(array.reshape(shape), np.argsort(order))

    def has(self, param: str) -> bool:
        """Whether an optional parameter is there."""
        return param in self.settled.node.params

    def param(self, name: str, pattern: str | None = None) -> Array:
        """A parameter in its declared order, or in that of a pattern (see `param_layout`)."""
        settled = self.settled
        wanted = settled.params[name] if pattern is None else settled.param_layout(name, pattern)
        return settled.node.params[name].numpy(wanted, self.dtype)

    def along(self, name: str) -> Array:
        """A parameter shaped so that it meets its own axes in the first input."""
        wanted = self.settled.params[name]
        array, terms = self.param(name), wanted.terms
        order = sorted(range(len(terms)), key=lambda at: find(self.layout.terms, terms[at]))
        shape = [1] * len(self.layout.terms)
        for at, extent in enumerate(array.shape):
            shape[find(self.layout.terms, terms[at])] = extent
        return np.transpose(array, order).reshape(shape)

    def sizes(self) -> dict[Axis, int]:
        """Sizes of the plain axes of the inputs, those included that only the arrays tell."""
        return {
            term: extent
            for held, array in zip(self.settled.inputs, self.arrays, strict=True)
            if held is not None and array is not None
            for term, extent in zip(held.layout.terms, array.shape, strict=True)
            if isinstance(term, Axis)
        }

    def _groups(self, pattern: str, layout: Layout) -> list[tuple[int, ...]]:
        """Which dimensions of a layout each dimension that a pattern asks for is made of."""
        found: list[tuple[int, ...]] = []
        for item in Pattern.parse(pattern).items:
            if isinstance(item, Unit):
                found.append(())
            elif isinstance(item, Group):
                found.append(self._grouped(item, layout))
            else:
                bound = self.settled.bound[item.binding]
                found += [(find(layout.terms, term),) for term in bound]
        return found

    def _grouped(self, group: Group, layout: Layout) -> tuple[int, ...]:
        """The one dimension that is fused so already, or those that have to be."""
        terms = [term for ref in group.refs for term in self.settled.bound[ref.binding]]
        whole = key(fuse(terms)) if terms else None
        for position, term in enumerate(layout.terms):
            if key(term) == whole:
                return (position,)
        return tuple(find(layout.terms, term) for term in terms)

    def _extent(self, term: Term) -> int:
        """Elements of a term that a result has in common with an input."""
        sought: Key = key(term)
        for held, array in zip(self.settled.inputs, self.arrays, strict=True):
            if held is not None and array is not None:
                for own, extent in zip(held.layout.terms, array.shape, strict=True):
                    if key(own) == sought:
                        return int(extent)
        size = size_of(term)
        if size is None:
            raise LayoutError(f"the size of {term!r} is not known", where=self.settled.node.name)
        return size
