"""The GRU of Keras 2.0.0 and 2.0.1 with `implementation=1`: its candidate reads the reset gate's.

`x_h = K.bias_add(x_r, self.bias_h)` stands there where `x_h` was meant, so the candidate's kernel
takes no part. Source: Keras 2.0.0 `layers/recurrent.py` `GRU.step`; a genuine run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....ir.layout import Labelled, Layout, Terms, fuse, size_of
from ....ir.source import ColumnsSource, PartSource, Source, SumSource
from ....ir.tensor import Param, Stored
from ..call import LayerCall, learn_sizes

VERSIONS = frozenset({"2.0.0", "2.0.1"})


def reads_reset(call: LayerCall, config: Any) -> bool:
    """Whether a GRU of this configuration computes so; without a bias it does not."""
    return config.implementation == 1 and config.use_bias and call.era.version in VERSIONS


def as_computed(
    call: LayerCall, slot: str, name: str, rows: Terms, bound: Mapping[str, Terms]
) -> Param:
    """The kernel, or the bias, of three gates as they take part.

    Raises:
        WeightError: The array has another shape.
    """
    whole = Layout((*rows, fuse((*bound["gates"], *bound["units"]))))
    stored = call.stored[slot]
    if not learn_sizes(whole, stored.source.shape):
        raise call.misfit(slot, whole)
    units = size_of(bound["units"][0]) or 0
    update, reset, candidate = (_gate(stored.source, n, units) for n in range(3))
    sources = (update, reset, reset if rows else SumSource(reset, candidate))
    weight = call.made(name, slot, sources, [f"{stored.name}[{gate}]" for gate in "zrh"])
    axis = next(term.axis for term in bound["gates"] if isinstance(term, Labelled))
    one = Layout((*rows, *bound["units"]))
    if rows:
        call.report.add(
            "KN106",
            "note",
            f"the GRU of Keras {call.era.version} with implementation=1: its candidate reads the "
            "reset gate's kernel in place of its own",
            layer=call.name,
            level="warning",
        )
    return Param(weight, tuple(Stored(one, {axis: gate}) for gate in "zrh"))


def _gate(source: Source, number: int, units: int) -> Source:
    if len(source.shape) == 2:
        return ColumnsSource(source, number * units, units)
    return PartSource(source, number * units, (units,))
