"""The architectures by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import msgspec

from ....errors import UsageError
from .inception import inception_v3, inception_v3_keras1
from .mobilenet import mobilenet
from .net import DataFormat, Net
from .resnet import resnet50
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


ARCHITECTURES: Mapping[str, Architecture] = {
    **_both("vgg16", "VGG16", vgg16, 224),
    **_both("vgg19", "VGG19", vgg19, 224),
    **_both("resnet50", "ResNet50", resnet50, 224),
    **_both("inceptionv3", "InceptionV3", inception_v3, 299),
    **_both("inceptionv3-keras1", "InceptionV3 of Keras 1", inception_v3_keras1, 299),
    **_both("xception", "Xception", xception, 299),
    **_both("mobilenet", "MobileNet", mobilenet, 224),
    **_both("mobilenet-0.75", "MobileNet 0.75", partial(mobilenet, width=0.75), 224),
    **_both("mobilenet-0.50", "MobileNet 0.50", partial(mobilenet, width=0.5), 224),
    **_both("mobilenet-0.25", "MobileNet 0.25", partial(mobilenet, width=0.25), 224),
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
