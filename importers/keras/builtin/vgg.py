"""VGG16 and VGG19 (Simonyan and Zisserman, 2014): convolutions of extent 3 in five blocks.

Names and widths: Keras 1.2.2 `applications/vgg16.py` and `vgg19.py`; the same in Keras 2.
"""

from __future__ import annotations

from .net import Net

WIDTHS = (64, 128, 256, 512, 512)


def vgg16(net: Net, top: bool) -> str:
    """13 convolutions; with the top, three Dense layers."""
    return _vgg(net, top, (2, 2, 3, 3, 3))


def vgg19(net: Net, top: bool) -> str:
    """16 convolutions; with the top, three Dense layers."""
    return _vgg(net, top, (2, 2, 4, 4, 4))


def _vgg(net: Net, top: bool, depths: tuple[int, ...]) -> str:
    x = net.input
    for block, (depth, width) in enumerate(zip(depths, WIDTHS, strict=True), 1):
        for number in range(1, depth + 1):
            x = net.conv(x, width, 3, name=f"block{block}_conv{number}", activation="relu")
        x = net.pool("Max", x, 2, 2, name=f"block{block}_pool")
    if top:
        x = net.flat(x, "flatten")
        x = net.dense(x, 4096, "fc1", "relu")
        x = net.dense(x, 4096, "fc2", "relu")
        x = net.dense(x, 1000, "predictions", "softmax")
    return x
