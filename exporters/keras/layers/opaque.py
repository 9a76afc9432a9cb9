"""What kerasir does not compute: written back bit for bit, its code never run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....ir.ops.opaque import Opaque
from ....ir.report import Report
from ....ir.tensor import Param
from ..dialects import Dialect, Known
from ..network import Array, FileLayer
from ..places import VARIABLES
from ..registry import writes
from ..site import Site


@writes(Opaque, attributes="layer_class has_code")
def opaque(site: Site) -> None:
    """A Lambda or a layer of an unknown class, with the configuration and the weights it had.

    An activation that nobody knows stands for a function: it is written by its name.
    """
    op, node = site.op, site.settled.node
    assert isinstance(op, Opaque)
    if node.part == "activation" or (site.layer and site.layer.class_name == "Activation"):
        x = site.x()
        named = {"activation": op.layer_class}
        site.give(site.put("Activation", named, [x], repeats=site.own_repeats(), mask=x.mask))
        return
    config = site.layer.config if site.layer else {}
    if op.layer_class in OF_TEXTS:
        _write_own(site, op.layer_class, config)
        return
    if op.has_code:
        tell_of_code(site.emission.report, op.layer_class, site.name)
    names = [one for param in node.params.values() for one in param.weight.stored_names]
    if site.dialect.form == "keras3" and any(
        n.count("/") > 1 and VARIABLES not in n for n in names
    ):
        site.tell(
            "KX409",
            "note",
            f"{op.layer_class} holds layers of its own: where a .keras file has their arrays is "
            "not in the source",
            level="warning",
            fix="write HDF5, or load the weights into them yourself",
        )
    arrays = [
        Array(_called(name, param), param, param.stored[0].layout)
        for name, param in node.params.items()
    ]
    repeats = site.own_repeats(all_around=True)
    if repeats < site.lost + len(site.layer.wrappers if site.layer else ()):
        raise site.refuse("what it is repeated over does not lead its input any more")
    site.note(arrays)
    layer = FileLayer(
        site.name,
        op.layer_class,
        _config(op.layer_class, config, site.dialect),
        arrays,
        site.wrappers(site.name, repeats),
        site.layer.name if site.layer and repeats else "",
    )
    site.give(site.scope.call((site.name, ""), layer, site.all())[0])


OF_TEXTS = frozenset({"StringLookup", "TextVectorization", "Hashing", "HashedCrossing"})
"""Layers of Keras' own that are not computed, as they are of texts."""


def _write_own(site: Site, class_name: str, config: Mapping[str, Any]) -> None:
    """A layer whose class the target has itself, with what the source says of it.

    Weights of words are told in the configuration and, by tf-keras, stored as well. Keras 3 stores
    them under a name of their own (3.15 `layers/preprocessing/index_lookup.py`,
    `save_own_variables`), which no other layer has.
    """
    known = site.dialect.classes.get(class_name, Known())
    said = {key: config[key] for key in known.stated if key in config}
    params = site.settled.node.params
    arrays = [Array(key, param, param.stored[0].layout) for key, param in params.items()]
    if config.get("output_mode") == "tf_idf" and (site.dialect.form == "keras3" or not arrays):
        raise site.refuse(
            f"a {class_name} with weights of words is written again as it was read, or for tf-keras"
            " from a file that stores them",
            "count words by output_mode='count', and multiply behind it",
        )
    for key, param in params.items():
        said |= {} if config.get(key) else {key: param.numpy(param.stored[0].layout).tolist()}
    y = site.put(class_name, said, site.all(), arrays=arrays, repeats=site.own_repeats())
    site.give(y)


def tell_of_code(report: Report, class_name: str, layer: str) -> None:
    """Say that a layer's code stands in the new file."""
    report.add(
        "KS102",
        "carried",
        f"{class_name} holds code: what loads the file may run it",
        layer=layer,
        level="warning",
        fix="only load it if you trust its author",
    )


IMPLIED = frozenset({"name", "batch_input_shape"})
"""Keys that the exporter states itself: here the name, and the shape in the model's input."""


LAMBDA_FORMS = frozenset({
    "function_type", "module", "output_shape_type", "output_shape_module",
})  # fmt: skip
"""Keys of a Lambda that say how its functions are given; Keras 3 sees it by their form."""


def _config(class_name: str, stored: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    config = {key: value for key, value in stored.items() if key not in IMPLIED}
    if class_name != "Lambda":
        return config
    if dialect.form != "keras3":
        return _with_forms(config)
    return {
        key: _function(value) if key in FUNCTIONS else value
        for key, value in config.items()
        if key not in LAMBDA_FORMS
    }


FUNCTIONS = ("function", "output_shape")
"""Keys of a Lambda that hold functions, or a shape."""


def _with_forms(config: Mapping[str, Any]) -> dict[str, Any]:
    """A Lambda's configuration that says how its functions are given, as Keras up to 2 asks for.

    Source: Keras 2.2.4 `layers/core.py` (`Lambda.from_config`).
    """
    found = dict(config)
    for key in FUNCTIONS:
        held = config.get(key)
        kind = held.get("class_name") if isinstance(held, Mapping) else None
        inner: Any = held.get("config") if isinstance(held, Mapping) else None
        if kind == "__lambda__" and isinstance(inner, Mapping):
            found[key] = [inner.get(part) for part in ("code", "defaults", "closure")]
            found[f"{key}_type"] = "lambda"
        elif kind == "function":
            found[key], found[f"{key}_type"] = inner, "function"
    return {"function_type": "lambda", "output_shape_type": "raw", "output_shape": None, **found}


def _function(stored: Any) -> Any:
    """A Lambda's function as Keras 3 has it: code, or the name of one of the author's functions.

    Sources: Keras 2.2.4 `layers/core.py` (`Lambda.get_config`), Keras 3.15
    `layers/core/lambda_layer.py` (`_serialize_function_to_config`).
    """
    if isinstance(stored, str):
        return {"module": "builtins", "class_name": "function", "config": stored,
                "registered_name": stored}  # fmt: skip
    code = isinstance(stored, Sequence) and len(stored) == 3 and isinstance(stored[0], str)
    if not code:
        return stored
    config = dict(zip(("code", "defaults", "closure"), stored, strict=True))
    return {"class_name": "__lambda__", "config": config}


def _called(slot: str, param: Param) -> str:
    """The array's stored name without folders and suffix; its slot's where it has none.

    In files of Keras 3 an array of a layer inside is called by its path: `d/vars/0`.
    """
    if VARIABLES in param.weight.stored_names[0]:
        return param.weight.stored_names[0]
    stored = param.weight.stored_names[0].rsplit("/", 1)[-1].partition(":")[0]
    return stored or slot
