"""Weights of CuDNNLSTM and CuDNNGRU, which lie as cuDNN reads them.

Shapes and names of the kernels are those of LSTM and GRU; only the bias tells, which is twice as
long. Source: Keras 2.2.4 `engine/saving.py` `_convert_rnn_weights`, which takes either kind of
file for either kind of layer, `layers/cudnn_recurrent.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ....ir.layout import Axis, Labelled, Layout, Terms
from ....ir.source import ColumnsSource, PartSource, SumSource
from ....ir.tensor import Param, Stored
from ..archive.record import StoredWeight
from ..call import LayerCall


def is_cudnn(bias: StoredWeight | None, columns: int) -> bool:
    """Whether a bias is cuDNN's: of so many columns for the input, and as many for the state."""
    return bias is not None and bias.source.shape == (2 * columns,)


def matrix(call: LayerCall, name: str, slot: str, rows: Terms, bound: Mapping[str, Terms]) -> Param:
    """A kernel, each of whose gates holds the numbers `units rows` under the shape `rows units`.

    Raises:
        WeightError: It has another shape than the configuration implies.
    """
    (gates,), units = bound["gates"], bound["units"]
    assert isinstance(gates, Labelled)
    whole, count = call.stored[slot], Layout(units).shape[0]
    expected = Layout((*rows, gates, *units))
    width = None if count is None else count * len(gates.labels)
    if count is None or len(whole.source.shape) != 2 or whole.source.shape[1] != width:
        raise call.misfit(slot, expected)
    for axis in rows:
        if isinstance(axis, Axis) and axis.size is None:
            axis.size = whole.source.shape[0]
    if Layout(rows).shape[0] != whole.source.shape[0]:
        raise call.misfit(slot, expected)
    pieces = [ColumnsSource(whole.source, n * count, count) for n in range(len(gates.labels))]
    names = [f"{whole.name}[{label}]" for label in gates.labels]
    stored = tuple(Stored(Layout((*units, *rows)), {gates.axis: g}) for g in gates.labels)
    return Param(call.made(name, slot, pieces, names), stored)


def summed(call: LayerCall, name: str, slot: str, bound: Mapping[str, Terms]) -> Param:
    """An LSTM's two biases, of which the sum is all that counts."""
    whole = call.stored[slot]
    count = whole.source.shape[0] // 2
    halves = [PartSource(whole.source, start, (count,)) for start in (0, count)]
    weight = call.made(name, slot, [SumSource(*halves)], [f"{whole.name}[sum]"])
    return Param(weight, (Stored(Layout((*bound["gates"], *bound["units"]))),))
