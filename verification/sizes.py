"""A file of open sizes at other sizes: what was compared at one may be built into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from ..engines import OnnxRuntime, Reference
from ..errors import FormatError, KerasirError
from ..ir.source import Array
from .compare import unlike
from .feeds import SEED, random_feed
from .records import Compared
from .sides import Comparison

OTHER_SIZES: Mapping[str, int] = {"T": 20, "D": 32, "H": 96, "W": 32}
"""What axes of open size are given the second time: all unlike `feeds.OPEN_SIZES`."""

OTHERWISE = 5


def at_other_sizes(comparison: Comparison) -> tuple[Compared, ...]:
    """Outputs of an ONNX file for another batch, and for other extents where those are open.

    Another batch alone costs no run of the reference: one sample more, which is the first again,
    must give what that has given; not so in a model whose samples count in each other's results,
    which is not tried. A file that cannot be run at another size differs.
    """
    a, b = comparison.a, comparison.b
    if not isinstance(a, Reference) or not isinstance(b, OnnxRuntime):
        return ()
    if any(node.op.mixes for node in a.model.graph.nodes):
        return ()
    if any(not port.shape or port.shape[0] is not None for port in (*a.inputs, *b.inputs)):
        return ()
    if any(size is None for port in a.inputs for size in port.shape[1:]):
        found = _other_extents(comparison, a)
        if found is not None:
            return found
    batch = {layout.terms[0] for port in (*a.inputs, *a.outputs) if (layout := port.layout)}
    if len(batch) > 1:
        return ()
    longer = [_longer(array) for array in comparison.feed.arrays]
    return _compared(comparison, longer, [_longer(array) for array in comparison.answers])


def _longer(array: Array) -> Array:
    return np.concatenate((array, array[:1]))


def _other_extents(comparison: Comparison, a: Reference) -> tuple[Compared, ...] | None:
    """As `at_other_sizes`; None if the model itself cannot be run at these extents."""
    count = len(comparison.feed.arrays[0]) + 1
    feed = random_feed(a, count, SEED + 1, (OTHER_SIZES, OTHERWISE))
    try:
        answers = a.run(feed.arrays).outputs
    except KerasirError:  # sizes that do not go together in this model say nothing of the file
        return None
    return _compared(comparison, feed.arrays, answers)


def _compared(
    comparison: Comparison, arrays: Sequence[Array], answers: Sequence[Array]
) -> tuple[Compared, ...]:
    try:
        others = comparison.outputs_of(arrays)
    except FormatError as error:  # it ran at the first size
        failed = (
            unlike(p.a.name, "other size", a.size, True, error.what)
            for p, a in zip(comparison.outputs, answers, strict=True)
        )
        return tuple(failed)
    pairs = zip(comparison.outputs, answers, others, strict=True)
    return tuple(
        replace(comparison.compared(pair.a.name, answer, other), part="other size")
        for pair, answer, other in pairs
    )
