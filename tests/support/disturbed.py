"""Configurations of genuine files with something in them that no Keras has written."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from genuine import FixtureCase

Place = tuple[str | int, ...]

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 1.5, -0.0, 1e308, float("inf"), 2**31, 2**63, 10**19),
    *("", "x", "same", "valid", "linear", "softmax", "channels_first", "None", "th", "default"),
    *([], [1], [1, 2], [0, 0], [-1, -1], [None], [2, 2, 2], [[1, 2], [3, 4]], ["a"]),
    *({}, {"a": 1}, {"class_name": "Dense", "config": {}}),
)
"""What takes the place of something else."""

KEYS = ("axis", "units", "unknown", "stateful", "batch_input_shape", "mode", "mask")
"""What is said in addition."""


class Disturbed(NamedTuple):
    """A changed file, and the architecture beside it where the file has none."""

    path: Path
    arch: Path | None = None


def disturbed(
    case: FixtureCase, path: Path, change: Callable[[Any], None], *, trained: bool = False
) -> Disturbed:
    """A genuine file whose configuration is changed.

    Args:
        case: Which.
        path: Where the changed file goes, without its suffix.
        change: Changes the configuration in place.
        trained: The training configuration of an HDF5 file instead, if it has one.
    """
    path = path.with_suffix(case.model.suffix)
    path.write_bytes(case.model.read_bytes())
    if case.arch is not None:
        arch = path.with_suffix(".json")
        arch.write_text(_changed(case.arch.read_text(), change))
        return Disturbed(path, arch)
    if path.suffix == ".keras":
        with zipfile.ZipFile(case.model) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["config.json"] = _changed(members["config.json"], change).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return Disturbed(path)
    with h5py.File(path, "r+") as file:
        trained = trained and "training_config" in file.attrs
        name = "training_config" if trained else "model_config"
        file.attrs[name] = _changed(file.attrs[name], change)
    return Disturbed(path)


def _changed(text: str | bytes, change: Callable[[Any], None]) -> str:
    config = json.loads(text)
    change(config)
    return json.dumps(config)


def disturb(config: Any, rnd: random.Random) -> None:
    """Change one to three places of a configuration at random."""
    for _ in range(rnd.choice((1, 1, 1, 2, 3))):
        places = list(_places(config))
        place = rnd.choice(places)
        inside, key = at(config, place[:-1]), place[-1]
        how = rnd.random()
        if how < 0.65:
            inside[key] = copy.deepcopy(rnd.choice(ODD))
        elif how < 0.75:
            del inside[key]
        elif how < 0.85 and isinstance(inside, list):
            inside.insert(key, copy.deepcopy(inside[key]))
        elif how < 0.95:
            inside[key] = copy.deepcopy(at(config, rnd.choice(places)))
        elif isinstance(inside, dict):
            inside[rnd.choice(KEYS)] = copy.deepcopy(rnd.choice(ODD))
        if not config or not list(_places(config)):
            return


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in items:
        yield (*place, key)
        if isinstance(one, (dict, list)):
            yield from _places(one, (*place, key))


def at(config: Any, place: Place) -> Any:
    """What stands at a place."""
    for key in place:
        config = config[key]
    return config
