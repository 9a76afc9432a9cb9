"""ResNet (He et al., 2015), as its weights were published in 2016 and in 2019, and ResNetV2.

Names, widths, and pads: of 2016, Keras 1.2.2 `applications/resnet50.py`. Releases since have
changed the pads before the first convolution and the first pool, and kept the weights; these are
the first. Of 2019, and ResNetV2: keras_applications 1.0.8 `resnet_common.py`.
"""

from __future__ import annotations

from .net import SMALL_EPSILON, Net

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


WIDTHS = (64, 128, 256, 512)
"""Filters of the stages of 2019, inside their blocks."""

DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""How many blocks the stages have."""


def resnet(net: Net, top: bool, depth: int) -> str:
    """The network of 2019 of so many layers; with the top, a Dense layer."""
    x = net.pad(net.input, 3, 3, "conv1_pad")
    x = net.conv(x, 64, 7, strides=2, padding="valid", name="conv1_conv")
    x = net.pad(net.normed(x, "conv1_"), 1, 1, "pool1_pad")
    x = net.pool("Max", x, 3, 2, name="pool1_pool")
    for stage, (width, count) in enumerate(zip(WIDTHS, DEPTHS[depth], strict=True), 2):
        for number in range(1, count + 1):
            strides = 2 if number == 1 and stage > 2 else 1
            x = _block_2019(
                net, x, f"conv{stage}_block{number}", width, strides, widens=number == 1
            )
    return net.dense(net.average(x, "avg_pool"), 1000, "probs", "softmax") if top else x


def _block_2019(net: Net, x: str, name: str, width: int, strides: int, *, widens: bool) -> str:
    main = net.conv(x, width, 1, strides=strides, name=f"{name}_1_conv")
    main = net.conv(net.normed(main, f"{name}_1_"), width, 3, name=f"{name}_2_conv")
    main = net.conv(net.normed(main, f"{name}_2_"), 4 * width, 1, name=f"{name}_3_conv")
    main = net.norm(main, f"{name}_3_bn", epsilon=SMALL_EPSILON)
    if widens:
        x = net.conv(x, 4 * width, 1, strides=strides, name=f"{name}_0_conv")
        x = net.norm(x, f"{name}_0_bn", epsilon=SMALL_EPSILON)
    return net.relu(net.add("Add", (x, main), name=f"{name}_add"), f"{name}_out")


def resnet_v2(net: Net, top: bool, depth: int) -> str:
    """The network of so many layers that normalizes first; with the top, a Dense layer."""
    x = net.pad(net.input, 3, 3, "conv1_pad")
    x = net.conv(x, 64, 7, strides=2, padding="valid", name="conv1_conv")
    x = net.pool("Max", net.pad(x, 1, 1, "pool1_pad"), 3, 2, name="pool1_pool")
    for stage, (width, count) in enumerate(zip(WIDTHS, DEPTHS[depth], strict=True), 2):
        for number in range(1, count + 1):
            strides = 2 if number == count and stage < 5 else 1
            x = _block_v2(net, x, f"conv{stage}_block{number}", width, strides, widens=number == 1)
    x = net.normed(x, "post_")
    return net.dense(net.average(x, "avg_pool"), 1000, "probs", "softmax") if top else x


def _block_v2(net: Net, x: str, name: str, width: int, strides: int, *, widens: bool) -> str:
    ready = net.normed(x, f"{name}_preact_")
    main = net.conv(ready, width, 1, bias=False, name=f"{name}_1_conv")
    main = net.pad(net.normed(main, f"{name}_1_"), 1, 1, f"{name}_2_pad")
    main = net.conv(
        main, width, 3, strides=strides, padding="valid", bias=False, name=f"{name}_2_conv"
    )
    main = net.conv(net.normed(main, f"{name}_2_"), 4 * width, 1, name=f"{name}_3_conv")
    if widens:
        x = net.conv(ready, 4 * width, 1, strides=strides, name=f"{name}_0_conv")
    elif strides > 1:
        x = net.pool("Max", x, 1, strides)
    return net.add("Add", (x, main), name=f"{name}_out")
