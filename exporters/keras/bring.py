"""A tensor brought from one layout to another by layers that every Keras has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ExportError
from ...ir import coerce
from ...ir.layout import Joined, Layout, Term, Terms, size_of
from .fit import fitted
from .network import FileLayer, Tensor

if TYPE_CHECKING:
    from .emission import Emission


class Caller(Protocol):
    """Where layers are called: a model of the file (`Scope`)."""

    depth: int
    emission: Emission

    def call(
        self, key: tuple[str, str], layer: FileLayer, inputs: Sequence[Tensor]
    ) -> Sequence[Tensor]:
        """The layer of this key, called with these."""


class Mover:
    """Puts in what moves a tensor: Reshape and Permute; Cropping and Concatenate inside joins.

    The batch never moves: Keras gives no layer a hold on it.
    """

    def __init__(self, scope: Caller, name: str) -> None:
        self.scope, self.name = scope, name
        self.lead = scope.depth + 1
        self._way = ""

    def bring(self, tensor: Tensor, have: Layout, want: Layout) -> Tensor:
        """The tensor, laid out as `have`, in the layout `want`.

        Raises:
            ExportError: It cannot be brought there, with the reason.
        """
        if not begins(want, have.terms[: self.lead]):
            raise self._refusal(f"the way from {have} to {want} would take the batch apart")
        self._way = f"{have} {want}"
        return self._rest(tensor, Layout(have.terms[self.lead :]), Layout(want.terms[self.lead :]))

    def _rest(self, tensor: Tensor, have: Layout, want: Layout) -> Tensor:
        """As `bring`; layouts are without the batch from here on."""
        for step in coerce.decompose(have, want):
            if isinstance(step, coerce.Reshape):
                tensor = self._reshape(tensor, have, step.layout)
                have = step.layout
            elif isinstance(step, coerce.Permute):
                dims = [index + 1 for index in step.perm]
                tensor = self._put("Permute", {"dims": dims}, tensor, "permute")
                have = Layout(tuple(have.terms[index] for index in step.perm))
            else:
                tensor = self._rejoin(tensor, have, step)
                have = _replaced(have, step.axis, step.want)
        return tensor

    def _reshape(self, tensor: Tensor, have: Layout, want: Layout) -> Tensor:
        """The same numbers in the same order under another shape."""
        target = [-1 if size is None else size for size in want.shape]
        if target.count(-1) > 1:
            raise self._refusal(
                f"a Reshape from {have} to {want}: more than one size is not known",
                "fix the sizes of the model's inputs",
            )
        if len(target) == 1 and len(have.terms) > 1:
            return self._put("Flatten", {"data_format": "channels_last"}, tensor, "flatten")
        return self._put("Reshape", {"target_shape": target}, tensor, "reshape")

    # ---- joins: one part after the other -------------------------------------------------------

    def _rejoin(self, tensor: Tensor, have: Layout, step: coerce.Gather) -> Tensor:
        """The parts of a joined dimension, each brought into its own new order."""
        old, new = step.have, step.want
        if not isinstance(old, Joined) or not isinstance(new, Joined):
            raise self._refusal(f"no layer reorders {old!r} to {new!r}")
        parts: list[Tensor] = []
        start = 0
        for before, after in zip(old.parts, new.parts, strict=True):
            stop = start + _known(before)
            cut = self._cut(tensor, have, step.axis, start, stop, before)
            there = _replaced(have, step.axis, after)
            parts.append(self._rest(cut, _replaced(have, step.axis, before), there))
            start = stop
        return self._put_many("Concatenate", {"axis": step.axis + 1}, parts, "join")

    def _cut(
        self, tensor: Tensor, have: Layout, axis: int, start: int, stop: int, part: Term
    ) -> Tensor:
        """Positions `start` to `stop` of one dimension, as Cropping2D of `before axis after`."""
        sizes = have.shape
        before = _product(sizes[:axis])
        after = _product(sizes[axis + 1 :])
        total = _known(have.terms[axis])
        flat = self._put("Reshape", {"target_shape": [before, total, after]}, tensor, "split")
        cropping = [[0, 0], [start, total - stop]]
        config = {"cropping": cropping, "data_format": "channels_last"}
        cut = self._put("Cropping2D", config, flat, "part")
        shape = _replaced(have, axis, part).shape
        target = [-1 if size is None else size for size in shape]
        return self._put("Reshape", {"target_shape": target}, cut, "part_shape")

    # ---- layers --------------------------------------------------------------------------------

    def _put(self, class_name: str, config: Mapping[str, Any], x: Tensor, role: str) -> Tensor:
        return self._put_many(class_name, config, [x], role)

    def _put_many(
        self, class_name: str, config: Mapping[str, Any], inputs: list[Tensor], role: str
    ) -> Tensor:
        if any(tensor.mask is not None for tensor in inputs):
            raise self._refusal(f"a mask cannot be carried through a {class_name}")
        emission = self.scope.emission
        said = fitted(class_name, config, emission.dialect, emission.backend)
        layer = FileLayer(f"{self.name}_{role}", class_name, said)
        # the way back has layers of its own: an old Keras makes all calls of one at once
        return self.scope.call((self.name, f"{role} {self._way}"), layer, inputs)[0]

    def _refusal(self, what: str, hint: str = "") -> ExportError:
        return ExportError(what, where=self.name, hint=hint)


def begins(layout: Layout, lead: Terms) -> bool:
    """Whether a layout begins with these terms; axes of size one have no identity."""
    pairs = zip(layout.terms, lead, strict=False)
    return len(layout.terms) >= len(lead) and all(
        term == wanted or size_of(term) == size_of(wanted) == 1 for term, wanted in pairs
    )


def _known(term: Term) -> int:
    size = size_of(term)
    if size is None:
        raise ExportError(f"the size of {term!r} is not known")
    return size


def _product(sizes: tuple[int | None, ...]) -> int:
    """The product of sizes, of which at most one may be unknown (-1)."""
    found = 1
    for size in sizes:
        found = -1 if size is None or found < 0 else found * size
    return found


def _replaced(layout: Layout, axis: int, term: Term) -> Layout:
    return Layout((*layout.terms[:axis], term, *layout.terms[axis + 1 :]))
