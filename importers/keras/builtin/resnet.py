"""ResNet50 (He et al., 2015), as its weights were published in 2016.

Names, widths, and pads: Keras 1.2.2 `applications/resnet50.py`. Releases since have changed the
pads before the first convolution and the first pool, and kept the weights; these are the first.
"""

from __future__ import annotations

from .net import Net

STAGES = ((2, "abc", (64, 64, 256)), (3, "abcd", (128, 128, 512)),
          (4, "abcdef", (256, 256, 1024)), (5, "abc", (512, 512, 2048)))  # fmt: skip
"""Number of the stage, its blocks, and the widths of a block's three convolutions."""


def resnet50(net: Net, top: bool) -> str:
    """16 blocks of three convolutions; with the top, a Dense layer."""
    x = net.add(
        "ZeroPadding2D", (net.input,), padding=[[3, 3], [3, 3]], data_format=net.data_format
    )
    x = net.conv(x, 64, 7, strides=2, padding="valid", name="conv1")
    x = net.relu(net.norm(x, "bn_conv1"))
    x = net.pool("Max", x, 3, 2)
    for stage, blocks, widths in STAGES:
        for block in blocks:
            strides = 2 if block == "a" and stage > 2 else 1
            x = _block(net, x, f"{stage}{block}_branch", widths, strides, widens=block == "a")
    x = net.pool("Average", x, 7, 7, name="avg_pool")
    if top:
        x = net.dense(net.flat(x), 1000, "fc1000", "softmax")
    return x


def _block(
    net: Net, x: str, name: str, widths: tuple[int, ...], strides: int, *, widens: bool
) -> str:
    """Three convolutions beside the input, which takes one of its own where the width changes."""
    main = x
    for part, width, extent in zip("abc", widths, (1, 3, 1), strict=True):
        steps, pads = (strides, "valid") if part == "a" else (1, "same" if extent > 1 else "valid")
        main = net.conv(main, width, extent, strides=steps, padding=pads, name=f"res{name}2{part}")
        main = net.norm(main, f"bn{name}2{part}")
        if part != "c":
            main = net.relu(main)
    if widens:
        x = net.conv(x, widths[-1], 1, strides=strides, padding="valid", name=f"res{name}1")
        x = net.norm(x, f"bn{name}1")
    return net.relu(net.add("Add", (main, x)))
