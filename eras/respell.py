"""From the vocabulary of Keras 2 to an older one: the tables of `names`, read backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .names import EVERYWHERE, LAYERS, Layer
from .values import UNDO, moved_axes

Config = Mapping[str, Any]


class Spelling(msgspec.Struct, frozen=True):
    """An older class that a class of Keras 2 may be written as.

    Attributes:
        class_name: What it is called.
        wide: The key that has to say more than ones for it; "" for no condition.
        says: Keys that the newer class stands for.
        rename: Newer key to older, besides those of `names`.
        drop: Keys that it does not have.
    """

    class_name: str
    wide: str = ""
    says: Config = {}
    rename: Mapping[str, str] = {}
    drop: tuple[str, ...] = ()


_MERGE: Config = {
    "mode_type": "raw",
    "concat_axis": -1,
    "dot_axes": -1,
    "output_shape": None,
    "output_shape_type": "raw",
    "output_mask": None,
    "output_mask_type": "raw",
    "arguments": {},
}
"""What Keras 1.2.2 `Merge.get_config` states."""


def _merge(mode: str, rename: Mapping[str, str] | None = None) -> tuple[Spelling, ...]:
    return (Spelling("Merge", says={**_MERGE, "mode": mode}, rename=rename or {}),)


def _dilated(dimensions: int) -> tuple[Spelling, ...]:
    return (
        Spelling(f"AtrousConvolution{dimensions}D", wide="dilation_rate"),
        Spelling(f"Convolution{dimensions}D", drop=("dilation_rate",)),
    )


SPELLINGS: Mapping[str, Mapping[str, tuple[Spelling, ...]]] = {
    "keras1": {
        "Conv1D": _dilated(1),
        "Conv2D": _dilated(2),
        "Conv3D": (Spelling("Convolution3D"),),
        "Conv2DTranspose": (Spelling("Deconvolution2D"),),
        "SeparableConv2D": (Spelling("SeparableConvolution2D"),),
        "Add": _merge("sum"),
        "Multiply": _merge("mul"),
        "Average": _merge("ave"),
        "Maximum": _merge("max"),
        "Concatenate": _merge("concat", {"axis": "concat_axis"}),
        "Dot": _merge("dot", {"axes": "dot_axes"}),
        "Cosine": _merge("cos", {"axes": "dot_axes"}),
    },
}
"""By vocabulary and newer class, the first that fits; classes that kept their name are left out.
`Cosine` is the exporter's own word: a Dot that normalizes has one axis more in Keras 1."""


def respell(class_name: str, config: Config, vocabulary: str) -> tuple[str, dict[str, Any]]:
    """A layer's class and configuration in the words of an older Keras.

    Args:
        class_name: In the vocabulary of Keras 2.
        config: In the same; not changed.
        vocabulary: Whose words are wanted, a key of `SPELLINGS`.

    Returns:
        The older class, and its configuration. A value that has no older form is None.

    Raises:
        ConfigError: The older layer cannot do this.
    """
    spelling = _spelling(class_name, config, vocabulary)
    said = {key: value for key, value in config.items() if key not in spelling.drop}
    said = {spelling.rename.get(key, key): value for key, value in said.items()}
    for rules in (LAYERS[vocabulary].get(spelling.class_name, Layer()), EVERYWHERE[vocabulary]):
        said = _undone(rules, said)
    return spelling.class_name, {**spelling.says, **said}


def _spelling(class_name: str, config: Config, vocabulary: str) -> Spelling:
    for spelling in SPELLINGS[vocabulary].get(class_name, ()):
        stated = config.get(spelling.wide) or ()
        if not spelling.wide or any(number != 1 for number in stated):
            return spelling
    return Spelling(class_name)


def _undone(rules: Layer, config: Config) -> dict[str, Any]:
    """The configuration before an upgrade by these rules: each step backwards, the last first."""
    said = dict(config)
    places = rules.dimensions.get(str(said.get("data_format") or "channels_last"))
    if places and said.get("kernel_constraint"):
        back = [places.index(n) if n in places else -1 for n in range(max(places) + 1)]
        said["kernel_constraint"] = moved_axes(said["kernel_constraint"], back)
    old_keys = {new: old for old, new in rules.rename.items()}
    for key, convert in rules.convert.items():
        if said.get(key) is not None and convert in UNDO:
            said[key] = _undo(convert, said[key])
    for key, words in rules.words.items():
        old_words = {new: old for old, new in words.items()}
        if isinstance(said.get(key), (str, int)):
            said[key] = old_words.get(said[key], said[key])
    for new, parts in rules.gather.items():
        if new in said:
            said |= dict(zip(parts, said.pop(new), strict=True))
    return {old_keys.get(key, key): value for key, value in said.items()}


def _undo(convert: Callable[[Any], Any], value: Any) -> Any:
    return UNDO[convert](value)


def sayable(class_name: str, key: str, value: Any, vocabulary: str) -> bool:
    """Whether an older Keras has words for a preserved value."""
    _, said = respell(class_name, {key: value}, vocabulary)
    return value is None or any(found is not None for found in said.values())
