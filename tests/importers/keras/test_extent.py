"""How large an architecture may be."""

from __future__ import annotations

from typing import Any

import pytest

from kerasir.errors import ConfigError
from kerasir.importers.keras.extent import MOST, check_extent

Config = dict[str, Any]


def entries(count: int, calls: int = 0) -> list[Config]:
    config = {"kernel_initializer": {"class_name": "Zeros", "config": {}}}
    one = {"class_name": "Dropout", "config": config, "inbound_nodes": [[]] * calls}
    return [one] * count


def nested(layers: list[Config]) -> Config:
    inner = {"class_name": "Model", "config": {"name": "inner", "layers": layers}}
    return {"class_name": "Sequential", "config": [inner, *entries(3)]}


@pytest.mark.parametrize("count", [MOST - 4, MOST - 3])
def test_layers_are_counted_in_all_models(count: int) -> None:
    check_extent(nested(entries(count - 1)))
    check_extent({"class_name": "Sequential", "config": entries(count)})


def test_more_layers_are_refused() -> None:
    message = "architecture: more than 20,000 layers"
    with pytest.raises(ConfigError, match=message):
        check_extent(nested(entries(MOST - 3)))
    with pytest.raises(ConfigError, match=message):
        check_extent({"class_name": "Sequential", "config": entries(MOST + 1)})


def test_calls_are_counted() -> None:
    check_extent(nested(entries(4, calls=MOST // 4)))
    with pytest.raises(ConfigError, match="architecture: more than 20,000 calls of layers"):
        check_extent(nested(entries(5, calls=MOST // 4)))
