"""From the vocabulary of Keras 1 to that of Keras 2: tables, and the routine that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....eras.names import CLASSES, DEFAULTS, EVERYWHERE, LAYERS, Layer
from ....eras.values import moved_axes


def upgrade_layer(
    class_name: str, config: Mapping[str, Any], era: str
) -> tuple[str, dict[str, Any]]:
    """One layer's class and configuration in the vocabulary of Keras 2.

    Args:
        class_name: As stored.
        config: As stored; not changed.
        era: `keras1` or `keras2`: which vocabulary it is in.

    Returns:
        The new class name, and a configuration with the era's defaults filled in.
    """
    names = CLASSES[era]
    new_class = names.get(class_name, class_name)
    upgraded = dict(config)
    for rules in (EVERYWHERE[era], LAYERS[era].get(class_name, Layer())):
        _apply(rules, upgraded)
    for name in (class_name, new_class):
        for key, value in DEFAULTS[era].get(name, {}).items():
            upgraded.setdefault(key, value)
    return new_class, upgraded


def _apply(rules: Layer, config: dict[str, Any]) -> None:
    for new, parts in rules.gather.items():
        if all(part in config for part in parts):
            config[new] = [config.pop(part) for part in parts]
    for old, new in rules.rename.items():
        if old in config:
            value = config.pop(old)
            config.setdefault(new, value)
    for key, words in rules.words.items():
        if isinstance(config.get(key), str):
            config[key] = words.get(config[key], config[key])
    for key, convert in rules.convert.items():
        if key in config:
            config[key] = convert(config[key])
    for key in rules.drop:
        config.pop(key, None)
    places = rules.dimensions.get(str(config.get("data_format") or "channels_last"))
    if places and config.get("kernel_constraint"):
        config["kernel_constraint"] = moved_axes(config["kernel_constraint"], places)
