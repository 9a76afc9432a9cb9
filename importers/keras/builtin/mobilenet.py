"""MobileNet (Howard et al., 2017) of every width whose weights were published.

Names and widths: Keras 2.0.8 `applications/mobilenet.py`. The activation, min(relu(x), 6), is
written as a layer ReLU, which Keras knows from 2.2.1 on.
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
    x = net.add(
        "DepthwiseConv2D",
        (x,),
        name=name,
        kernel_size=[3, 3],
        strides=[strides, strides],
        padding="same",
        data_format=net.data_format,
        depth_multiplier=1,
        activation="linear",
        use_bias=False,
    )
    return _activated(net, x, name)


def _activated(net: Net, x: str, name: str) -> str:
    return net.add("ReLU", (net.norm(x, f"{name}_bn"),), name=f"{name}_relu", max_value=6.0)
