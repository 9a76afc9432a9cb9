"""Recurrent layers: SimpleRNN, GRU, LSTM, ConvLSTM, alone, in two directions, over cells."""

from __future__ import annotations

import msgspec

from ....ir.ops.recurrent import GRU, LSTM, ConvLSTM, FillAbsent, SimpleRNN, ZeroAbsent
from ..functions import needed
from ..masks import mask_tensor
from ..network import Constant
from ..registry import writes
from ..site import Site
from .bidirectional import bidirectional, is_half
from .conv_recurrent import conv_arrays, conv_config, conv_inputs
from .recurrence import (
    recurrent_arrays,
    recurrent_config,
    recurrent_inputs,
    returned,
    write_recurrent,
    zeroing,
)
from .stacked import cell_kept, is_cell, over_cell, stack

CUDNN = "CuDNN"
"""What classes of layers begin with that need a device."""

ATTRIBUTES = "activation recurrent_activation reset_after go_backwards stateful idle_state"


@writes(ZeroAbsent)
def zero_absent(site: Site) -> None:
    """Only recurrent layers put zeros where a mask is, and say it themselves."""
    raise site.refuse("no layer of Keras zeroes the steps that a mask leaves out")


@writes(FillAbsent)
def fill_absent(site: Site) -> None:
    """What the first of several cells has, where a mask that is a tensor leaves a step out.

    Raises:
        ExportError: Masks are no tensors in the target.
    """
    if not site.dialect.tells_masks:
        raise site.refuse(
            "what the first of several cells has comes out where a mask leaves a step out, as in "
            f"Keras 2.2 on TensorFlow; {site.dialect.name} has no layer that does so",
            "convert to ONNX",
        )
    site.tell("KX102", "changed", "what comes out of absent steps is written as operations")
    mask = needed(site, "expand_dims", [mask_tensor(site, 1)], "steps", axis=-1)
    y = needed(site, "where", [mask, site.x(), site.x(2)], "filled")
    site.give(y)
    if site.emission.is_read(site.settled.node.results[1]):
        time = site.axis("time")
        site.give(needed(site, "take", [y, Constant(-1)], "last", axis=time), 1)


@writes(SimpleRNN, GRU, LSTM, attributes=ATTRIBUTES)
def recurrent(site: Site) -> None:
    """SimpleRNN, GRU, LSTM; what the layer returns follows from which results are read."""
    if is_cell(site) and stack(site):
        return
    if is_half(site):
        bidirectional(site)
        return
    fed = recurrent_inputs(site)
    sequences, state = returned(site)
    source = site.layer.source_class if site.layer else ""
    if source.startswith(CUDNN):
        site.tell(
            "KX102", "changed", f"{source} is written as {site.op.kind}: the same on any device"
        )
    config = {
        **cell_kept(site),
        **recurrent_config(site),
        "return_sequences": sequences,
        "return_state": state,
        "go_backwards": site.op.go_backwards,  # type: ignore[attr-defined]
        **zeroing(site),
    }
    kind, arrays, cell = site.op.kind, recurrent_arrays(site), over_cell(site, site.layer, config)
    if cell is not None:
        kind, config = "RNN", cell
        arrays = [array and msgspec.structs.replace(array, place="cell") for array in arrays]
    write_recurrent(site, kind, config, fed, arrays, sequences, state)


@writes(
    ConvLSTM,
    attributes="activation recurrent_activation strides dilation padding recurrent_padding "
    "go_backwards stateful",
)
def conv_lstm(site: Site) -> None:
    """ConvLSTM1D, 2D, 3D; zeros put around each step before it where its padding has no word."""
    if is_half(site):
        bidirectional(site)
        return
    fed = conv_inputs(site)
    sequences, state = returned(site)
    config = {
        **conv_config(site),
        "return_sequences": sequences,
        "go_backwards": site.op.go_backwards,  # type: ignore[attr-defined]
        **zeroing(site),
    }
    if state or (site.layer and "return_state" in site.layer.config):
        config["return_state"] = state
    class_name = f"ConvLSTM{len(site.settled.bound['space'])}D"
    write_recurrent(site, class_name, config, fed, conv_arrays(site), sequences, state)
