"""Models whose class their author wrote: one layer that is not computed, with all of the weights.

A file names the class, what it was made with and what it was built for; what it computes is the
author's code. A plugin that knows the class can say it, as for any layer.

Sources: Keras 3.15 `saving/serialization_lib.py` (`serialize_keras_object`), `models/model.py`
(`get_config`, `build_from_config`); tf-keras 2.21 `engine/training.py` (`get_config`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ...errors import ConfigError
from .archive.record import StoredWeight, WeightGroup
from .nodes import is_shape
from .spec import Call, LayerSpec, ModelSpec, Ref

ENTRY = "subclassed"
"""The key of `ModelSpec.extra` that holds what the file says of the model."""

SAID = ("module", "class_name", "config", "registered_name", "build_config", "compile_config")
"""The keys of an entry that a file of the same kind has again."""

MOST_INPUTS = 64

MADE_OF: Mapping[str, str] = {
    "FeatureSpace": "keras.Model(space.get_inputs(), space.get_encoded_features())",
}
"""What has the layers of an object of Keras that is no model."""


def no_model(class_name: str) -> ConfigError:
    """The error for an entry of a class of Keras' own that is no model."""
    return ConfigError(
        f"the model is of class {class_name!r:.80}, not Sequential or Model",
        hint=f"save {MADE_OF[class_name]}" if class_name in MADE_OF else "",
    )


def subclassed(stored: Mapping[str, Any], class_name: str, source_class: str) -> ModelSpec:
    """A model of one layer, fed what the author's model was built for.

    Args:
        stored: The model as the file has it, of a class that is none of Keras'.
        class_name: As a plugin knows it.
        source_class: As stored, with its package.
    """
    config = stored["config"] if isinstance(stored["config"], Mapping) else {}
    stated = config.get("name")
    own = re.sub(r"\W+", "_", class_name.rpartition(">")[2]).lower()
    name = stated if isinstance(stated, str) and stated.isprintable() and stated else own
    built = stored.get("build_config")
    shapes = list(_shapes(built))[:MOST_INPUTS] or [("input", ())]
    inputs = [
        LayerSpec(
            f"{name}_{key}",
            "InputLayer",
            "",
            {"name": f"{name}_{key}", "batch_input_shape": [None, *shape[1:]], "dtype": "float32"},
            (Call(),),
        )
        for key, shape in shapes
    ]
    refs = tuple(Ref(spec.name) for spec in inputs)
    layer = LayerSpec(name, class_name, source_class, config, (Call(refs, gives=(None,)),))
    entry = {key: stored[key] for key in SAID if key in stored}
    return ModelSpec(name, "subclassed", (*inputs, layer), refs, (Ref(name),), {ENTRY: entry})


def _shapes(built: Any, key: str = "input") -> Iterator[tuple[str, Sequence[int | None]]]:
    """Every shape in a nest, in the order of sorted keys, and what to call what has it."""
    if isinstance(built, Mapping):
        for name in sorted(built):
            inner = key if name in {"input_shape", "shapes_dict"} else str(name)
            yield from _shapes(built[name], re.sub(r"\W+", "_", inner))
    elif isinstance(built, Sequence) and not isinstance(built, str):
        if is_shape(built):
            yield key, built
            return
        for number, item in enumerate(built):
            yield from _shapes(item, f"{key}_{number + 1}" if len(built) > 1 else key)


def own_arrays(groups: Sequence[WeightGroup], form: str) -> dict[str, StoredWeight]:
    """All arrays of a file, named after what holds them: `d1_0`, `net_dense_kernel`.

    Where weights lie by path an array is called by its whole path, which is where it has to lie in
    another such file.
    """
    found: dict[str, StoredWeight] = {}
    count = defaultdict[str, int](lambda: 1)
    for group in groups:
        for array in group.weights:
            told = array.path.strip("/") if form == "paths" else array.name
            parts = [part for part in told.partition(":")[0].split("/") if part != "vars"]
            slot = base = "_".join(parts) if len(parts) > 1 else f"weight_{parts[0]}"
            while slot in found:
                count[base] += 1
                slot = f"{base}_{count[base]}"
            found[slot] = msgspec.structs.replace(array, name=told)
    return found
