"""Keras' HDF5 files up to Keras 2 and `.h5` of later ones: a group per layer, lists of names.

Sources: Keras 1.2.2, models.py `save_model` and engine/topology.py `save_weights_to_hdf5_group`;
Keras 2.2.4, engine/saving.py `_serialize_model` and utils/io_utils.py `H5Dict.__setitem__`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from ....errors import ExportError, show
from ...sink import Tensor, encodable
from .skeleton import LONGEST_LIST, Hdf5Sink, list_bytes, under

OPTIMIZER = "optimizer_weights"
TOP_LEVEL = "top_level_model_weights"
"""The group of variables that are the model's own, which no list names. Source: Keras 3.15
`legacy/saving/legacy_h5_format.py` (`save_weights_to_hdf5_group`)."""


class LayerGroup(msgspec.Struct, frozen=True):
    """A layer and its weights, in Keras' order.

    Attributes:
        name: The layer's name.
        weights: Their names are as in `weight_names`: `conv1/kernel:0`, or `conv1_W`. A slash
            makes a group.
    """

    name: str
    weights: tuple[Tensor, ...] = ()


class Archive(msgspec.Struct, frozen=True):
    """All that a file holds besides numbers.

    Attributes:
        layers: In the order of `layer_names`, those without weights included.
        root: Attributes of the file, as name and text: of Keras 2 `keras_version`, `backend`,
            `model_config`, `training_config`; Keras 1 has no `backend`.
        weights_group: The group that holds the layers; "" puts them at the root, as in files of
            weights only.
        beside_layers: Attributes of that group: of Keras 2 `backend` and `keras_version`; Keras 1
            has none.
        optimizer: The optimizer's weights in their order; none makes no group.
        attributes: What else stands at the root, for others than Keras.
        chunked: Whether readers know lists of names in several attributes, `layer_names0`, ...:
            from Keras 2.1.5 on.
    """

    layers: tuple[LayerGroup, ...]
    root: tuple[tuple[str, str], ...] = ()
    weights_group: str = "model_weights"
    beside_layers: tuple[tuple[str, str], ...] = ()
    optimizer: tuple[Tensor, ...] = ()
    attributes: Mapping[str, str | int | float] = {}
    chunked: bool = True


def hdf5_sink(archive: Archive) -> Hdf5Sink:
    """A sink for a Keras file: the weights layer by layer, then the optimizer's; all declared.

    Raises:
        ExportError: Two things have one name, a name cannot be held by HDF5 or is too long.
    """
    sink = Hdf5Sink()
    _texts(sink, "", archive.root)
    for name, value in archive.attributes.items():
        sink.attribute("", name, value)
    _texts(sink, archive.weights_group, archive.beside_layers)
    names = [layer.name for layer in archive.layers if layer.name != TOP_LEVEL]
    if len(set(names)) < len(names):
        ((twice, _),) = Counter(names).most_common(1)
        raise ExportError("two layers of this name", where=show(twice))
    for layer in archive.layers:
        _weights(sink, under(archive.weights_group, layer.name), layer.weights, archive.chunked)
    _names(sink, archive.weights_group, "layer_names", names, archive.chunked)
    if archive.optimizer:
        _weights(sink, OPTIMIZER, archive.optimizer, archive.chunked)
    return sink


def _texts(sink: Hdf5Sink, path: str, texts: Sequence[tuple[str, str]]) -> None:
    """Keras writes byte strings: its readers of old call `decode` on what they find."""
    for name, text in texts:
        if not encodable(text):
            raise ExportError(f"{name} cannot be written in UTF-8", where=show(path))
        sink.attribute(path, name, text.encode())


def _weights(sink: Hdf5Sink, path: str, weights: Sequence[Tensor], chunked: bool) -> None:
    """A group of weights and the list of their names."""
    sink.group(path)
    for weight in weights:
        sink.declare(under(path, weight.name), weight.dtype, weight.shape)
    _names(sink, path, "weight_names", [weight.name for weight in weights], chunked)


def _names(sink: Hdf5Sink, path: str, name: str, names: Sequence[str], chunked: bool) -> None:
    """A list of names, in several attributes if it is too long for one."""
    texts = [text.encode() for text in names]
    chunks = _chunks(texts)
    if len(chunks) == 1:
        sink.attribute(path, name, texts)
    elif not chunked:
        raise ExportError(
            f"{name} takes {list_bytes(texts):,} bytes; this Keras reads {LONGEST_LIST:,} at most",
            where=show(path),
            hint="write the file for a later Keras, or use shorter names",
        )
    else:
        for number, chunk in enumerate(chunks):
            sink.attribute(path, f"{name}{number}", chunk)


def _chunks(texts: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The list in the fewest parts, equal but for one name, that each fit in an attribute.

    Source: Keras 2.2.4, engine/saving.py `save_attributes_to_hdf5_group`.
    """
    longest = max(map(len, texts), default=0)
    if longest > LONGEST_LIST:
        raise ExportError(f"a name of {longest:,} bytes; {LONGEST_LIST:,} is the limit")
    count = -(-len(texts) // (LONGEST_LIST // longest)) if longest else 1
    size, longer = divmod(len(texts), count)
    ends = [number * size + min(number, longer) for number in range(count + 1)]
    return [texts[start:end] for start, end in itertools.pairwise(ends)]
