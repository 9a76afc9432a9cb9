"""Xception (Chollet, 2016): separable convolutions in blocks with a shortcut.

Names and widths: Keras 1.2.2 `applications/xception.py`; the same in Keras 2. The convolutions of
the shortcuts are counted, not named.
"""

from __future__ import annotations

from .net import Net

MIDDLE = range(5, 13)
"""Numbers of the blocks that keep width and extent."""


def xception(net: Net, top: bool) -> str:
    """14 blocks; with the top, a Dense layer."""
    x = net.input
    for number, (width, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{number}"
        x = net.conv(x, width, 3, strides=strides, padding="valid", bias=False, name=name)
        x = net.relu(net.norm(x, f"{name}_bn"), f"{name}_act")
    for block, width in ((2, 128), (3, 256), (4, 728)):
        x = _halving(net, x, block, (width, width))
    for block in MIDDLE:
        x = _middle(net, x, f"block{block}")
    x = _halving(net, x, 13, (728, 1024))
    for number, width in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{number}"
        x = net.norm(net.separable(x, width, name), f"{name}_bn")
        x = net.relu(x, f"{name}_act")
    if top:
        x = net.dense(net.average(x, "avg_pool"), 1000, "predictions", "softmax")
    return x


def _halving(net: Net, x: str, block: int, widths: tuple[int, int]) -> str:
    """Two separable convolutions and a pool; the shortcut has a convolution of its own."""
    shortcut = net.norm(net.conv(x, widths[-1], 1, strides=2, bias=False))
    for number, width in enumerate(widths, 1):
        name = f"block{block}_sepconv{number}"
        if block > 2 or number > 1:  # the first of all follows an activation
            x = net.relu(x, f"{name}_act")
        x = net.norm(net.separable(x, width, name), f"{name}_bn")
    x = net.pool("Max", x, 3, 2, "same", f"block{block}_pool")
    return net.add("Add", (x, shortcut))


def _middle(net: Net, x: str, block: str) -> str:
    """Three separable convolutions beside the input itself."""
    main = x
    for number in range(1, 4):
        name = f"{block}_sepconv{number}"
        main = net.separable(net.relu(main, f"{name}_act"), 728, name)
        main = net.norm(main, f"{name}_bn")
    return net.add("Add", (main, x))
