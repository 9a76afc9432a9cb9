"""What a verification found, as records."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from ..ir.shown import Shown

Part = Literal["layer", "before softmax", "output", "answer", "other size"]


class Difference(msgspec.Struct, frozen=True):
    """One number that differs.

    Attributes:
        place: Its index, axis by axis, such as `N:0 C:17 H:0 W:3`.
        a: What A has there.
        b: What B has there.
    """

    place: str
    a: float
    b: float


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One value of both models.

    Attributes:
        name: The layer's or the output's name.
        part: A layer's result, what a final softmax is given, an output, an output against
            its known answer, or an output for inputs of another size.
        error: The largest difference, relative to the largest magnitude in A; NaN where a number
            is not finite or the shapes differ.
        differing: How many numbers differ by more than is allowed.
        count: How many there are.
        weighted: Whether the layer has weights, or is an output.
        problem: Why there is no error to tell; "" if there is one.
    """

    name: str
    part: Part
    error: float
    differing: int
    count: int
    weighted: bool = True
    problem: str = ""

    def agrees(self, tolerance: float) -> bool:
        """Whether the error is allowed; one that cannot be told is not."""
        return self.error <= tolerance


class Side(msgspec.Struct, frozen=True):
    """One of the two that were compared.

    Attributes:
        file: Its path.
        engine: What computed it.
        inputs: The layout of each input.
    """

    file: str
    engine: str
    inputs: tuple[str, ...]


class Cause(msgspec.Struct, frozen=True):
    """What explains a difference: undoing it made the numbers agree.

    Attributes:
        name: Such as `reversed kernel`.
        text: What differs, in a sentence.
        error: The relative error that is left when it is undone.
        tried: What else was tried and did not help.
        fix: What to do; "" if nothing can be said.
    """

    name: str
    text: str
    error: float
    tried: tuple[str, ...] = ()
    fix: str = ""


class Classes(msgspec.Struct, frozen=True):
    """For how many of the inputs both models have their largest output at the same place."""

    same: int
    total: int


class Verification(msgspec.Struct, Shown, frozen=True, kw_only=True):
    """The comparison of two models, or of one with known answers.

    Attributes:
        a: The first model.
        b: The second; the file of known answers if there is none.
        tolerance: Largest relative error allowed.
        fed: What both were fed, in words.
        layers: Results of the layers that both have, in the order of A; of models that agree
            without those of which nothing says which number of one is which of the other.
        outputs: Every output.
        answers: Outputs of both against known answers.
        logits: What final softmaxes were given.
        sizes: Outputs for inputs of another size, of a file that leaves sizes open.
        classes: Agreement of the classes, where the model tells classes apart.
        differences: The largest differences in the first layer (or output) that differs.
        cause: What explains the difference, if that was found.
        tried: Causes that were tried in vain.
    """

    a: Side
    b: Side
    tolerance: float
    fed: str
    layers: tuple[Compared, ...] = ()
    outputs: tuple[Compared, ...] = ()
    answers: tuple[Compared, ...] = ()
    logits: tuple[Compared, ...] = ()
    sizes: tuple[Compared, ...] = ()
    classes: Classes | None = None
    differences: tuple[Difference, ...] = ()
    cause: Cause | None = None
    tried: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[Compared, ...]:
        """Everything that was compared, in order."""
        return (*self.layers, *self.logits, *self.outputs, *self.answers, *self.sizes)

    @property
    def equal(self) -> bool:
        """Whether everything agrees."""
        return bool(self.outputs) and all(c.agrees(self.tolerance) for c in self.compared)

    @property
    def first(self) -> Compared | None:
        """The first value that differs."""
        return next((c for c in self.compared if not c.agrees(self.tolerance)), None)

    @property
    def first_difference(self) -> str | None:
        """The name of the first layer or output that differs."""
        return None if self.first is None else self.first.name

    @property
    def worst(self) -> Compared | None:
        """The value with the largest error."""
        return max(self.compared, key=_badness, default=None)

    @property
    def agreeing(self) -> int:
        """How many layers agree."""
        return sum(layer.agrees(self.tolerance) for layer in self.layers)


def _badness(compared: Compared) -> float:
    return math.inf if math.isnan(compared.error) else compared.error
