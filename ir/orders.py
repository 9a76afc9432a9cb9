"""Orders of weights that can be asked for by name, where only weights are written."""

from __future__ import annotations

from collections.abc import Mapping

from .layout import Layout
from .plan import Settled

ORDERS = ("canonical", "onnx", "stored")
"""As ops declare their weights (`space I O`); as ONNX operators take them; as the source has them,
array by array."""

ONNX: Mapping[tuple[str, str], str] = {
    ("Conv", "kernel"): "filters channels kernel_space",
    ("ConvTranspose", "kernel"): "channels filters kernel_space",
    ("GroupedConv", "kernel"): "(groups filters) in_group kernel_space",
    ("DepthwiseConv", "kernel"): "(channels multiplier) 1 kernel_space",
    ("SeparableConv", "depthwise_kernel"): "(channels multiplier) 1 kernel_space",
    ("SeparableConv", "pointwise_kernel"): "filters (channels multiplier)",
    ("LSTM", "kernel"): "(gates[i o f c] units) features",
    ("LSTM", "recurrent_kernel"): "(gates[i o f c] units) recurrent",
    ("LSTM", "bias"): "(gates[i o f c] units)",
    ("GRU", "kernel"): "(gates[z r h] units) features",
    ("GRU", "recurrent_kernel"): "(gates[z r h] units) recurrent",
    ("GRU", "bias"): "(gates[z r h] units)",
    ("GRU", "recurrent_bias"): "(gates[z r h] units)",
    ("SimpleRNN", "kernel"): "units features",
    ("SimpleRNN", "recurrent_kernel"): "units recurrent",
}
"""How ONNX operators take weights (Conv and ConvTranspose: W; LSTM, GRU and RNN: W, R and halves of
B for one direction); all others as they are declared."""


def ordered(settled: Settled, port: str, order: str) -> Layout:
    """The layout of a parameter in an order of `ORDERS` but `stored`.

    Args:
        settled: The node as planned.
        port: Which of its parameters.
        order: `canonical` or `onnx`.
    """
    text = ONNX.get((settled.node.op.kind, port)) if order == "onnx" else None
    return settled.params[port] if text is None else settled.param_layout(port, text)
