"""A layer, a call or a model in the words that its source has for it, as far as they still say it.

What is written is spelt from the graph, since passes and other orders change what it says. Where
source and target are of one dialect, most of what is spelt says what the source said: then its
words are taken, and with them all that no op knows of: keys at their defaults, modules and
registered names, what a layer was built with, seeds, dtype policies as objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set as AbstractSet
from typing import Any

import msgspec

from ...eras.activations import ALONG_LAST, FUNCTIONS
from ...eras.config import WORDS, old_words
from ...eras.operations import says_operation
from ...ir.graph import Layer
from ...ir.model import Model
from ...ir.plan import Plan
from .dialects import Dialect, Known
from .fit import NEUTRAL, is_neutral
from .kept import MEANT_OTHERWISE, STORES_OTHERWISE

Config = Mapping[str, Any]

INSIDE = frozenset({"layer", "backward_layer"})
"""Keys that hold a layer."""

ENDS = frozenset({"input_layers", "output_layers"})

BUILT = frozenset({"build_config", "build_input_shape"})
"""What a layer or a model was made for: true as long as what it is fed has the order it had."""

TENSOR = "__keras_tensor__"
OPERATIONS = ".ops."
"""In the names of modules that hold operations."""


class OwnWords(msgspec.Struct, frozen=True, eq=False):
    """What a source of the target's dialect says.

    Attributes:
        config: Of its model, with the class.
        moved: Names of layers that are fed or give something in another order than they did.
    """

    config: Config
    moved: frozenset[str] = frozenset()


def has_own_words(model: Model, dialect: Dialect) -> bool:
    """Whether the source's words are those of the dialect."""
    original = model.original
    if original is None or original.config is None or original.era != dialect.era:
        return False
    return not dialect.written_by or is_native(model, dialect)


def is_native(model: Model, dialect: Dialect) -> bool:
    """Whether a version wrote the source whose files are in the dialect already."""
    facts = model.facts
    own = not dialect.era or facts.era.value == dialect.era
    return own and (facts.version.value or "").startswith(dialect.written_by)


def has_own_record(model: Model, dialect: Dialect, container: str) -> bool:
    """Whether the source's training record is as the target has it.

    HDF5 of Keras 3 names classes without their modules, which a `.keras` file has to say (Keras
    3.15 `legacy/saving/saving_utils.py`, `model_metadata`; seen in runs).
    """
    original = model.original
    named = original is not None and original.form == "named"
    return has_own_words(model, dialect) and named != bool(container)


def own_words_of(model: Model, plan: Plan, dialect: Dialect) -> OwnWords | None:
    """What the source says, if it is of this dialect.

    Where a pass has changed the graph, what is fed to a layer may have another shape than it had.
    """
    original = model.original
    if original is None or original.config is None or not has_own_words(model, dialect):
        return None
    changed = plan.graph is not original.graph
    moved = [
        settled.node.layer
        for settled in plan.settled
        if settled.node.layer is not None and (changed or not settled.as_authored)
    ]
    return OwnWords(original.config, frozenset(name for one in moved for name in _around(one)))


def _around(layer: Layer) -> Iterator[str]:
    """The names of a layer, of wrappers around it, and of models around it."""
    yield layer.name
    yield from (wrapper.name for wrapper in layer.wrappers)
    yield from (part.rpartition("#")[0] for part in layer.scope)


def in_own_words(entry: Config, stored: Config, dialect: Dialect, moved: frozenset[str]) -> Any:
    """An entry of a layer or a model, with the source's words wherever these say the same.

    Args:
        entry: As it is spelt from the graph: what is to be said.
        stored: As the source has it.
        dialect: Of both.
        moved: As of `OwnWords`.
    """
    own, said = stored.get("config"), entry["config"]
    if not _same_class(entry, stored, dialect) or not isinstance(own, Mapping):
        return entry
    calls = own_calls(entry.get("inbound_nodes", ()), stored.get("inbound_nodes", ()))
    authored = not (moved if "layers" in said else moved & {said.get("name")})
    if "layers" in said:
        fed_alike = calls is stored.get("inbound_nodes", calls)
        config = _model(said, own, dialect, moved, fed_alike=fed_alike)
    else:
        config = _layer(str(entry["class_name"]), said, own, dialect, moved)
    rest = {key: value for key, value in stored.items() if authored or key not in BUILT}
    found = {**rest, "config": config}
    found |= {key: value for key, value in entry.items() if key not in stored}
    return found | ({"inbound_nodes": calls} if "inbound_nodes" in entry else {})


def _same_class(entry: Config, stored: Config, dialect: Dialect) -> bool:
    """Whether two entries are of one class of layers.

    A layer and an operation may have one name; what an operation is told changes with releases.
    """
    modules = {str(one["module"]) for one in (entry, stored) if one.get("module")}
    if any(OPERATIONS in module for module in modules):
        return False
    if dialect.form == "keras3" and "module" not in stored and says_operation(stored):
        return False
    return entry.get("class_name") == stored.get("class_name") and len(modules) < 2


def _layer(
    class_name: str, said: Config, own: Config, dialect: Dialect, moved: frozenset[str]
) -> dict[str, Any]:
    known = dialect.classes.get(class_name, Known())
    stated = {known.renamed.get(key, key) for key in known.stated}
    authored = said.get("name") not in moved
    found: dict[str, Any] = {}
    for key, value in own.items():
        if key in INSIDE and isinstance(said.get(key), Mapping) and isinstance(value, Mapping):
            inside = moved if authored else moved | {said[key]["config"].get("name", "")}
            found[key] = in_own_words(said[key], value, dialect, inside)
        elif key in said:
            found[key] = value if _says(key, value, said[key], dialect) else said[key]
        elif is_neutral(key, value) or (not value and key not in NEUTRAL):
            found[key] = value
        elif key == "implementation" and class_name in STORES_OTHERWISE:
            continue
        elif key in BUILT or key in MEANT_OTHERWISE:
            found |= {key: value} if authored else {}
        elif key not in stated and not _is_operation(class_name, dialect):
            found[key] = value
        elif key == "backward_layer" and found.get("layer") == own.get("layer"):
            found[key] = value  # the forward one turned round
    added = {key: value for key, value in said.items() if key not in own}
    return found | {key: value for key, value in added.items() if not is_neutral(key, value)}


def _is_operation(class_name: str, dialect: Dialect) -> bool:
    """Whether it is an operation alone: what its writer leaves unsaid is at Keras' default."""
    functions = dialect.functions
    return (
        functions is not None
        and class_name in functions.meanings
        and class_name not in dialect.classes
    )


def _model(
    said: Config, own: Config, dialect: Dialect, moved: frozenset[str], *, fed_alike: bool
) -> dict[str, Any]:
    """A model's configuration; its nest of inputs and outputs if they are those it had."""
    found: dict[str, Any] = {}
    for key, value in own.items():
        if key == "layers" and isinstance(value, Sequence):
            known = {_name_of(entry): entry for entry in value}
            parted = _in_parts({_name_of(entry) for entry in said[key]}, known.keys())
            found[key] = [
                in_own_words(entry, known.get(_name_of(entry), {}), dialect, moved | parted)
                for entry in said[key]
            ]
        elif key in ENDS and key in said:
            same = fed_alike and list(_ends(value)) == list(_ends(said[key]))
            found[key] = value if same else said[key]
        elif key in said:
            found[key] = said[key]
        elif key not in BUILT or not moved:
            found[key] = value
    return found | {key: value for key, value in said.items() if key not in own}


def _in_parts(names: AbstractSet[Any], known: AbstractSet[Any]) -> frozenset[str]:
    """Layers that others help now, `resizing_cropped` before `resizing`: fed another thing."""
    helping = [str(name) for name in names - known]
    return frozenset(
        name for name in names & known if any(helper.startswith(f"{name}_") for helper in helping)
    )


def _name_of(entry: Any) -> str | None:
    config = entry.get("config") if isinstance(entry, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else None
    return name if isinstance(name, str) else None


def _ends(nest: Any) -> Iterator[tuple[Any, ...]]:
    """The references in a nest, a dict's by its sorted keys."""
    if isinstance(nest, Mapping):
        for key in sorted(nest):
            yield from _ends(nest[key])
    elif isinstance(nest, Sequence) and nest and isinstance(nest[0], str):
        yield tuple(nest)
    elif isinstance(nest, Sequence):
        for one in nest:
            yield from _ends(one)


def own_calls(calls: Sequence[Any], stored: Any) -> Any:
    """The source's calls of a layer, if they are of the same tensors and told the same."""
    if not isinstance(stored, Sequence) or len(stored) != len(calls):
        return calls
    return stored if all(map(_same_call, calls, stored)) else calls


def _same_call(said: Any, own: Any) -> bool:
    mine, theirs = list(_leaves(said)), list(_leaves(own))
    return mine == theirs


def _leaves(value: Any) -> Iterator[Any]:
    """What a call is given, in order, without what says nothing."""
    if isinstance(value, Mapping) and value.get("class_name") == TENSOR:
        config = value["config"]
        yield (TENSOR, str(config.get("keras_history")), str(config.get("shape")))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if key == "training":  # no word of how the model predicts
                continue
            if one is not None and isinstance(one, bool | int | float | str):
                yield (key, one)
            else:
                yield from _leaves(one)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from _leaves(one)
    elif value is not None:
        yield value


def _says(key: str, own: Any, said: Any, dialect: Dialect) -> bool:
    """Whether the source's value is what is meant, maybe by a newer name."""
    try:
        worded = WORDS.get(dialect.vocabulary, old_words)(key, own)
    except LookupError:  # of the author's own
        worded = own
    return says(own, said, dialect.vocabulary) or says(worded, said, dialect.vocabulary)


def says(own: Any, said: Any, vocabulary: str) -> bool:
    """Whether the source's word for a value says what is to be said, or more than that."""
    if own == said:
        return True
    if isinstance(said, str) and isinstance(own, str):
        tables = (FUNCTIONS[vocabulary], ALONG_LAST[vocabulary])
        return any(own in table and table.get(said) == table[own] for table in tables)
    if isinstance(own, Mapping):
        return _object_says(own, said, vocabulary)
    listed = [isinstance(one, Sequence) and not isinstance(one, str) for one in (own, said)]
    if all(listed):
        return len(own) == len(said) and all(
            says(a, b, vocabulary) for a, b in zip(own, said, strict=True)
        )
    if any(listed):
        several, one = (own, said) if listed[0] else (said, own)
        return bool(several) and all(says(each, one, vocabulary) for each in several)
    return False


def _object_says(own: Config, said: Any, vocabulary: str) -> bool:
    """Whether an object is the one that is meant, or a policy that of the dtype that is meant."""
    config = own.get("config")
    if str(own.get("class_name")).endswith("DTypePolicy") and isinstance(config, Mapping):
        return said == config.get("name") or (
            isinstance(said, Mapping) and said.get("config") == config
        )
    if not isinstance(said, Mapping):
        return False
    if own.get("class_name") == "function":
        return config == said.get("config")
    return all(
        key in own and says(own[key], value, vocabulary)
        for key, value in said.items()
        if value is not None
    )
