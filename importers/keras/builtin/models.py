"""The architectures by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import msgspec

from ....errors import UsageError
from .densenet import densenet
from .inception import inception_v3, inception_v3_keras1
from .mobilenet import mobilenet, mobilenet_v2
from .net import DataFormat, Net
from .resnet import resnet, resnet50, resnet_v2
from .vgg import vgg16, vgg19
from .xception import xception

NO_TOP = "-notop"


class Architecture(msgspec.Struct, frozen=True):
    """One published architecture.

    Attributes:
        title: As messages call it.
        write: Writes it down; gives the name of the last layer.
        size: Extent of the images it was trained on, in pixels.
        top: Whether it classifies; without, it takes images of any extent.
    """

    title: str
    write: Callable[[Net, bool], str]
    size: int
    top: bool = True


class Written(msgspec.Struct, frozen=True):
    """An architecture written down.

    Attributes:
        config: As the attribute `model_config` holds it, JSON parsed.
        counted: Names of layers that Keras would have named by counting.
    """

    config: dict[str, Any]
    counted: frozenset[str]


def _both(name: str, title: str, write: Callable[[Net, bool], str], size: int) -> dict[str, Any]:
    whole = Architecture(title, write, size)
    return {
        name: whole,
        name + NO_TOP: Architecture(f"{title} without its top", write, size, top=False),
    }


def _widths(name: str, title: str, write: Callable[..., str], *widths: str) -> dict[str, Any]:
    """An architecture at its full width, and at others."""
    found = _both(name, title, write, 224)
    for width in widths:
        written = partial(write, width=float(width))
        found |= _both(f"{name}-{width}", f"{title} {width}", written, 224)
    return found


def _depths(name: str, title: str, write: Callable[..., str], *depths: int) -> dict[str, Any]:
    """An architecture of several depths."""
    found: dict[str, Any] = {}
    for depth in depths:
        found |= _both(f"{name}{depth}", f"{title}{depth}", partial(write, depth=depth), 224)
    return found


ARCHITECTURES: Mapping[str, Architecture] = {
    **_both("vgg16", "VGG16", vgg16, 224),
    **_both("vgg19", "VGG19", vgg19, 224),
    **_both("resnet50", "ResNet50", resnet50, 224),
    **_both("inceptionv3", "InceptionV3", inception_v3, 299),
    **_both("inceptionv3-keras1", "InceptionV3 of Keras 1", inception_v3_keras1, 299),
    **_both("xception", "Xception", xception, 299),
    **_widths("mobilenet", "MobileNet", mobilenet, "0.75", "0.50", "0.25"),
    **_widths("mobilenetv2", "MobileNetV2", mobilenet_v2, "1.4", "1.3", "0.75", "0.50", "0.35"),
    **_depths("densenet", "DenseNet", densenet, 121, 169, 201),
    **_both("resnet50-2019", "ResNet50 of 2019", partial(resnet, depth=50), 224),
    **_depths("resnet", "ResNet", resnet, 101, 152),
    **_depths("resnetv2-", "ResNetV2 ", resnet_v2, 50, 101, 152),
}
"""By the name that `--arch builtin:NAME` takes."""


def named(text: str) -> tuple[str, int | None]:
    """The name of an architecture, and the extent of images that `NAME@SIZE` asks for.

    Raises:
        UsageError: There is no such architecture, or the extent is none.
    """
    name, at, size = text.partition("@")
    found = ARCHITECTURES.get(name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name.lower().replace("_", ""), ARCHITECTURES, 1, 0.8)
        raise UsageError(
            f"no built-in architecture {name!r}",
            where="--arch",
            hint=f"did you mean {near[0]}?" if near else "",
            details=(f"There are {', '.join(ARCHITECTURES)}.",),
        )
    if at and not (size.isdecimal() and len(size) < 6 and int(size)):
        raise UsageError(
            f"no extent of images {size!r}", where="--arch", hint=f"such as {name}@{found.size}"
        )
    return name, int(size) if at else None


def architecture(name: str, data_format: DataFormat, size: int | None = None) -> Written:
    """Write an architecture down.

    Args:
        name: A key of `ARCHITECTURES`.
        data_format: `channels_first` or `channels_last`, of every layer.
        size: Extent of the images in pixels; that of the training if not given, and any at all
            without the top.
    """
    found = ARCHITECTURES[name]
    extent = found.size if size is None and found.top else size
    net = Net(name.removesuffix(NO_TOP).replace("-", "_"), data_format, extent)
    output = found.write(net, found.top)
    return Written(net.config(output), frozenset(net.counted))


WEIGHTED = frozenset({
    "Conv2D", "SeparableConv2D", "DepthwiseConv2D", "BatchNormalization", "Dense",
})  # fmt: skip
"""Classes of the layers here that hold weights."""


@cache
def weighted_layers(name: str) -> int:
    """How many layers of an architecture hold weights."""
    layers = architecture(name, "channels_last").config["config"]["layers"]
    return sum(layer["class_name"] in WEIGHTED for layer in layers)
