"""TimeDistributed and masks: what a repeated layer sees of its input's, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...eras.vocabularies import is_since
from ...ir.build import Builder
from ...ir.graph import Value
from ...ir.layout import size_of
from ...ir.ops.maths import Reduce
from .era import Era

MASKED: Mapping[str, tuple[int, ...] | None] = {"keras1": None, "keras2": (2, 2)}
"""From which version on TimeDistributed hands its layer the mask of each step, and makes its own of
what the layer makes of it; None for never. Before, the input's mask goes past the layer.
Source: Keras 2.1.6 and 2.2.0 `layers/wrappers.py` (`TimeDistributed.compute_mask`)."""

WHOLE_BATCHES = frozenset({"keras2"})
"""Vocabularies whose TimeDistributed never does so where the batch has a known size."""

REDUCED = frozenset({"keras2", "tf_keras"})
"""Vocabularies in which a step counts behind a layer that makes no mask where anything of it does;
in Keras 3 the mask stays (3.15 `layers/rnn/time_distributed.py` has no `compute_mask`)."""


class Steps:
    """One call of a TimeDistributed: made before its layer is called, and finished behind it.

    Args:
        builder: The graph so far.
        era: How to read the file.
        masks: The mask that travels with each value.
        inputs: What the layer is given.
        batch: How many leading terms are the batch outside.
    """

    def __init__(
        self,
        builder: Builder,
        era: Era,
        masks: dict[Value, Value],
        inputs: Sequence[Value],
        batch: int,
    ) -> None:
        self._builder, self._era, self._masks, self._batch = builder, era, masks, batch
        self._given = {value: masks[value] for value in inputs if value in masks}
        self._first = masks.get(inputs[0]) if inputs else None
        self._blind = self._is_blind(inputs)
        if self._blind:
            for value in self._given:
                del masks[value]

    def _is_blind(self, inputs: Sequence[Value]) -> bool:
        vocabulary = self._era.vocabulary
        since = MASKED.get(vocabulary, ())
        if since is None or not is_since(self._era.version, since):
            return True
        sizes = [size_of(self._builder.axes(value)[0]) for value in inputs[:1]]
        return vocabulary in WHOLE_BATCHES and sizes != [None]

    def finish(self, results: Sequence[Value]) -> None:
        """Give the results the mask that is seen outside."""
        if self._blind:
            for value in results:
                self._masks.pop(value, None)
            self._masks |= self._given
        for value in results:
            if self._first is not None and value not in self._masks:
                self._masks[value] = self._passed(self._first, value)

    def _passed(self, mask: Value, result: Value) -> Value:
        """The input's mask behind a layer that made none."""
        axes, kept = self._builder.axes(mask), self._batch + 1
        if self._blind or self._era.vocabulary not in REDUCED or len(axes) <= kept:
            return mask
        maker = next(node for node in reversed(self._builder.nodes) if result in node.results)
        made = self._builder.add(
            Reduce(function="any"),
            f"{maker.name}_mask",
            [mask],
            [axes[:kept]],
            axes={"space": axes[kept:]},
            layer=maker.layer,
            part="mask",
            dtypes=("bool",),
        )
        return made.result
