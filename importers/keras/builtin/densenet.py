"""DenseNet (Huang et al., 2016), as its weights were published with Keras 2.1.3.

Names and widths: keras_applications 1.0.8 `densenet.py`.
"""

from __future__ import annotations

from .net import Net

DEPTHS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
"""How many blocks the stages have."""

GROWTH = 32
"""Channels that each block adds."""


def densenet(net: Net, top: bool, depth: int) -> str:
    """The network of so many layers; with the top, a Dense layer."""
    x = net.conv(
        net.pad(net.input, 3, 3), 64, 7, strides=2, padding="valid", bias=False, name="conv1/conv"
    )
    x = net.pad(net.normed(x, "conv1/"), 1, 1)
    x = net.pool("Max", x, 3, 2, name="pool1")
    channels = 64
    for stage, count in enumerate(DEPTHS[depth], 2):
        for number in range(1, count + 1):
            x = _block(net, x, f"conv{stage}_block{number}_")
        channels += GROWTH * count
        if stage < 5:
            channels //= 2
            x = net.normed(x, f"pool{stage}_")
            x = net.conv(x, channels, 1, bias=False, name=f"pool{stage}_conv")
            x = net.pool("Average", x, 2, 2, name=f"pool{stage}_pool")
    x = net.normed(x, "")
    return net.dense(net.average(x, "avg_pool"), 1000, "fc1000", "softmax") if top else x


def _block(net: Net, x: str, name: str) -> str:
    """What two convolutions add, joined to what they read."""
    more = net.conv(net.normed(x, f"{name}0_"), 4 * GROWTH, 1, bias=False, name=f"{name}1_conv")
    more = net.conv(net.normed(more, f"{name}1_"), GROWTH, 3, bias=False, name=f"{name}2_conv")
    return net.add("Concatenate", (x, more), name=f"{name}concat", axis=net.axis)
