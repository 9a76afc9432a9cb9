"""MobileNet (Howard et al., 2017) and MobileNetV2 (Sandler et al., 2018) of every published width.

Names and widths: Keras 2.0.8 `applications/mobilenet.py`, keras_applications 1.0.8
`mobilenet_v2.py`. The activation, min(relu(x), 6), is written as a layer ReLU, which Keras knows
from 2.2.1 on.
"""

from __future__ import annotations

from .net import Net

BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5,
          (1024, 2), (1024, 1))  # fmt: skip
"""Filters and strides of the blocks, at the full width."""


def mobilenet(net: Net, top: bool, width: float = 1.0) -> str:
    """13 blocks; with the top, a convolution over one position.

    Args:
        net: To be written to.
        top: Whether to classify.
        width: Filters of each layer, compared to the full width.
    """
    x = net.conv(net.input, int(32 * width), 3, strides=2, bias=False, name="conv1")
    x = _activated(net, x, "conv1")
    filters = 0
    for number, (full, strides) in enumerate(BLOCKS, 1):
        filters = int(full * width)
        x = _depthwise(net, x, strides, f"conv_dw_{number}")
        x = net.conv(x, filters, 1, bias=False, name=f"conv_pw_{number}")
        x = _activated(net, x, f"conv_pw_{number}")
    if not top:
        return x
    shape = [filters, 1, 1] if net.channels_first else [1, 1, filters]
    x = net.add("Reshape", (net.average(x),), name="reshape_1", target_shape=shape)
    x = net.add("Dropout", (x,), name="dropout", rate=1e-3)
    x = net.conv(x, 1000, 1, name="conv_preds")
    x = net.add("Reshape", (x,), name="reshape_2", target_shape=[1000])
    return net.add("Activation", (x,), name="act_softmax", activation="softmax")


def _depthwise(net: Net, x: str, strides: int, name: str) -> str:
    return _activated(net, net.depthwise(x, name, strides=strides), name)


def _activated(net: Net, x: str, name: str) -> str:
    return _normed(net, x, f"{name}_bn", f"{name}_relu")


def _normed(net: Net, x: str, norm: str, name: str) -> str:
    """A normalization, and min(relu(x), 6), by their names."""
    return net.add("ReLU", (net.norm(x, norm),), name=name, max_value=6.0)


BLOCKS_V2 = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
"""Filters of a group of blocks at the full width, how many there are, strides of the first."""

DEEPEST = 1280
"""Filters of the last convolution; only greater widths change them."""


def mobilenet_v2(net: Net, top: bool, width: float = 1.0) -> str:
    """17 blocks, each wide in its middle; with the top, a Dense layer.

    Args:
        net: To be written to.
        top: Whether to classify.
        width: Filters of each layer, compared to the full width.
    """
    channels, number = _eights(32 * width), 0
    x = net.conv(
        net.pad(net.input, *_pads(net.size), name="Conv1_pad"),
        channels, 3, strides=2, padding="valid", bias=False, name="Conv1",
    )  # fmt: skip
    x = _normed(net, x, "bn_Conv1", "Conv1_relu")
    extent = _half(net.size)
    for full, count, first in BLOCKS_V2:
        filters = _eights(int(full * width))
        for strides in (first, *(1,) * (count - 1)):
            pads = _pads(extent) if strides > 1 else None
            x = _inverted(net, x, number, (channels, filters), pads)
            extent = _half(extent) if strides > 1 else extent
            channels, number = filters, number + 1
    x = net.conv(x, _eights(DEEPEST * max(1.0, width)), 1, bias=False, name="Conv_1")
    x = _normed(net, x, "Conv_1_bn", "out_relu")
    return net.dense(net.average(x), 1000, "Logits", "softmax") if top else x


def _inverted(
    net: Net, x: str, number: int, channels: tuple[int, int], pads: tuple[int, int] | None
) -> str:
    """One block, from so many channels to so many; it halves the image where it is given pads."""
    before, after = channels
    name, main = f"block_{number}_" if number else "expanded_conv_", x
    if number:
        main = net.conv(main, 6 * before, 1, bias=False, name=f"{name}expand")
        main = _activated_v2(net, main, f"{name}expand")
    if pads is None:
        main = net.depthwise(main, f"{name}depthwise")
    else:
        main = net.pad(main, *pads, name=f"{name}pad")
        main = net.depthwise(main, f"{name}depthwise", strides=2, padding="valid")
    main = _activated_v2(net, main, f"{name}depthwise")
    main = net.conv(main, after, 1, bias=False, name=f"{name}project")
    main = net.norm(main, f"{name}project_BN")
    same = before == after and pads is None
    return net.add("Add", (x, main), name=f"{name}add") if same else main


def _activated_v2(net: Net, x: str, name: str) -> str:
    return _normed(net, x, f"{name}_BN", f"{name}_relu")


def _pads(extent: int | None) -> tuple[int, int]:
    """Zeros before and after, where a window of 3 moves by 2: none before an even extent."""
    return (extent or 0) % 2, 1


def _half(extent: int | None) -> int | None:
    return None if extent is None else -(-extent // 2)


def _eights(filters: float) -> int:
    """The nearest multiple of 8 that is not smaller by more than a tenth."""
    found = max(8, int(filters + 4) // 8 * 8)
    return found if found >= 0.9 * filters else found + 8
