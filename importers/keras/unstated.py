"""The shape of a model's input where its file does not say it: by the weights, or by the caller.

A Sequential that begins with an InputLayer loses it in the files of Keras 2.2.3 to 2.3.1, and with
it the shape: that Keras itself cannot load them (`engine/sequential.py`, `get_config`, whose
`layers` leave the InputLayer out). The first layer with weights tells how many features there are,
and its class how many axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ...errors import ConfigError, show
from ...ir.report import Report
from ..sizes import shown
from .match_paths import Assigned
from .spec import LayerSpec, ModelSpec, leaves

Shape = tuple[int | None, ...]

FEATURES: Mapping[str, tuple[int, str, int]] = {
    "Dense": (0, "kernel", 0),
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), (1, "kernel", 0)),
    "Bidirectional": (1, "forward_kernel", 0),
    "Conv1D": (1, "kernel", -2),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D"), (2, "kernel", -2)),
    "SeparableConv2D": (2, "depthwise_kernel", -2),
    "Conv3D": (3, "kernel", -2),
    "BatchNormalization": (0, "mean", 0),
}
"""By class: axes between the batch and the features, an array, and its extent that is theirs."""

STORE_ALIKE = frozenset({"keras2", "tf_keras", "keras3"})
"""Vocabularies whose files store arrays so, on every backend."""

KEEPING = frozenset({
    "Activation", "ActivityRegularization", "Dropout", "ELU", "GaussianDropout", "GaussianNoise",
    "LeakyReLU", "Masking", "ReLU", "Softmax", "ThresholdedReLU",
})  # fmt: skip
"""Layers without weights that give what has the shape of what they get."""


def with_inputs(
    model: ModelSpec,
    assigned: Assigned,
    ordering: str | None,
    said: Mapping[str, Sequence[int]],
    report: Report,
) -> ModelSpec:
    """The model with a shape for each of its inputs.

    Args:
        model: As read; inputs whose shape the file does not say have None.
        assigned: The arrays of all layers.
        ordering: The data format of layers that state none.
        said: Shapes that the caller gives, by input, the batch first, which stays open.
        report: Where to tell what was inferred.

    Raises:
        ConfigError: Nobody says the shape, and the weights do not tell.
    """
    layers = list(model.layers)
    for index, layer in enumerate(layers):
        if not is_unstated(layer):
            continue
        shape: Shape | None = None
        if layer.name in said:
            shape = (None, *said[layer.name][1:])
            told = f"the shape of {layer.name} is {shown(shape)}, as was said: the file has none"
            report.add("KE212", "assumed", told, layer=layer.name)
        else:
            shape, teller = _inferred(layers[index + 1 :], assigned, ordering)
            if shape is None:
                raise _unsaid(layer.name, "the model does not say the shape of its input")
            report.add(
                "KE211",
                "assumed",
                f"the file does not say the shape of {layer.name}: {shown(shape)}, by the weights "
                f"of {teller}",
                layer=layer.name,
                fix=f"to state it: --shape {layer.name}=1,…",
            )
        layers[index] = replace(layer, config={**layer.config, "batch_input_shape": list(shape)})
    return replace(model, layers=tuple(layers))


def check_said(inferred: Sequence[str]) -> None:
    """Where a model cannot be read: ask for whole shapes, if the weights told a part of them.

    Args:
        inferred: The inputs whose shapes nobody has said.

    Raises:
        ConfigError: There are some: extents that were left open may be why.
    """
    if inferred:
        raise _unsaid(
            inferred[0],
            "the model does not say the shape of its input, its weights tell a part alone",
        )


def _unsaid(name: str, what: str) -> ConfigError:
    hint = f"add --shape {show(name)}=1,… with the shape it was trained with"
    return ConfigError(what, where=name, hint=hint)


def is_unstated(layer: LayerSpec) -> bool:
    """Whether it is an input whose shape nobody has said yet."""
    keys = ("batch_input_shape", "batch_shape")
    return layer.class_name == "InputLayer" and all(layer.config.get(key) is None for key in keys)


def _inferred(
    behind: Sequence[LayerSpec], assigned: Assigned, ordering: str | None
) -> tuple[Shape | None, str]:
    """The shape that the first layer with weights takes, and its name."""
    for layer in behind:
        if layer.class_name in KEEPING:
            continue
        path, leaf = next(leaves(layer))
        axes, array, place = FEATURES.get(leaf.class_name, (0, "", 0))
        stored = assigned.get(path, {}).get(array)
        if stored is None or len(path) > 2:
            break
        features = stored.source.shape[place]
        first = leaf.config.get("data_format", ordering) == "channels_first" and axes > 1
        own = (features, *(None,) * axes) if first else (*(None,) * axes, features)
        steps = (None,) * (layer.class_name == "TimeDistributed")
        return (None, *steps, *own), layer.name
    return None, ""
