"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence

from ....ir.op import Op
from ....ir.ops.recurrent import LSTM
from ..network import Tensor
from ..registry import writes
from ..site import Site
from .activation import name_of

LSTM_GATES = "i f c o"
"""The order of the gates in each array: Keras 2.0 and later, every backend."""


@writes(LSTM)
def lstm(site: Site) -> None:
    """LSTM; what it returns follows from which of its results are read."""
    op = site.op
    assert isinstance(op, LSTM)
    gates = f"(gates[{LSTM_GATES}] units)"
    x = site.x()
    site.check_mask(1, x)
    inputs = [x, *(site.x(i) for i in (2, 3) if _has(site, i))]
    sequences, state = _returned(site)
    config = {
        "units": site.size("units"),
        "activation": _function(site, op.activation),
        "recurrent_activation": _function(site, op.recurrent_activation),
        "use_bias": "bias" in site.settled.node.params,
        "return_sequences": sequences,
        "return_state": state,
        "go_backwards": op.go_backwards,
        "stateful": op.stateful,
    }
    arrays = [
        site.array("kernel", "kernel", f"features {gates}"),
        site.array("recurrent_kernel", "recurrent_kernel", f"recurrent {gates}"),
        site.array("bias", "bias", gates),
    ]
    tensors = site.put_all(
        "LSTM",
        config,
        inputs,
        arrays=arrays,
        repeats=site.repeats(site.settled.bound["batch"]),
        outputs=3 if state else 1,
    )
    tensors[0].mask = x.mask if sequences else None
    _give(site, tensors, sequences=sequences)


def _has(site: Site, index: int) -> bool:
    return index < len(site.settled.inputs) and site.settled.inputs[index] is not None


def _returned(site: Site) -> tuple[bool, bool]:
    """Whether the layer has to return sequences, and its state besides."""
    y, h, c = (site.emission.is_read(value) for value in site.settled.node.results)
    stated = site.layer.config if site.layer else {}
    if not (y or h or c):
        return bool(stated.get("return_sequences")), bool(stated.get("return_state"))
    return y, c or (y and h)


def _give(site: Site, tensors: Sequence[Tensor], *, sequences: bool) -> None:
    """Which of the layer's results is which of the op's: y, h, c."""
    site.give(tensors[0], 0 if sequences else 1)
    if len(tensors) > 1:
        site.give(tensors[1], 1)
        site.give(tensors[2], 2)


def _function(site: Site, op: Op) -> str:
    name = name_of(site, op)
    if name is None:
        raise site.refuse(f"{op} has no name in {site.dialect.name}")
    return name
