"""Translators are found by the class's name, and only the families that are met are imported."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

from kerasir.errors import PluginError
from kerasir.importers.keras import layers, registry
from kerasir.importers.keras.layers import FAMILIES, OPERATION, family_of


def test_the_table_of_families_is_what_their_files_register() -> None:
    files = [found.name for found in pkgutil.iter_modules(layers.__path__)]
    for name in files:
        importlib.import_module(f"{layers.__name__}.{name}")
    translating: dict[str, str] = {}
    for name, known in registry._TRANSLATORS.items():
        function = getattr(known.translate, "func", known.translate)
        home, _, family = function.__module__.rpartition(".")
        if home == layers.__name__:
            translating[name] = family
    assert {name: family_of(name) for name in translating} == translating
    listed = [name for names in FAMILIES.values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) == {name for name in translating if not name.startswith(OPERATION)}


def test_a_class_nobody_knows_has_none() -> None:
    assert registry.translator_of("Nonesuch") is family_of("Nonesuch") is None
    assert registry.translator_of(f"{OPERATION}Nonesuch") is None
    with pytest.raises(KeyError, match="Nonesuch"):
        registry.known_translator("Nonesuch")


def test_a_class_is_taken_before_its_family_is_imported() -> None:
    """A plugin meets the name of a built-in layer whether or not a file had such a layer."""
    script = (
        "import sys; from kerasir.plugin import translates\n"
        "assert 'kerasir.importers.keras.layers.stacked' not in sys.modules\n"
        "translates('StackedRNNCells')(lambda call, x: x)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert f"{PluginError.__name__}: layer class StackedRNNCells is already" in done.stderr.decode()
