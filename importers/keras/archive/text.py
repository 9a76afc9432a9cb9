"""The gate for JSON and YAML: bounded before it is parsed, plain data afterwards.

Everything that two readers of one text could understand differently is refused: a key given twice,
NaN (which is no number), unpaired surrogates, whole numbers beyond 20 digits.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from ....errors import FormatError, show
from ..gates import MIB, repeated
from . import pickled

MAX_BYTES = 64 * MIB
MAX_NODES = 2_000_000
"""As many as a model of 30,000 layers has."""
JSON_MARKS = (b",", b"[", b"{")
YAML_MARKS = (b",", b"- ", b":")
PYTHON_2 = {"unicode": "str", "str": "str", "long": "int"}
"""What the types that Python 2 had besides are in YAML."""

MAX_DEPTH = 200
MAX_DIGITS = 20

STRING = re.compile(rb'"(?:[^"\\]+|\\.)*+"?', re.DOTALL)
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
OPENING = b"[{"


class _RefusedError(ValueError):
    """Something that JSON's grammar allows and this gate does not."""


def parse_json(text: str | bytes, where: str) -> Any:
    """Parse JSON.

    Raises:
        FormatError: It is no JSON, too large, too deep, or ambiguous.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    data = data.removeprefix(b"\xef\xbb\xbf")
    _check_size(data, JSON_MARKS, where)
    if _depth(data) > MAX_DEPTH:
        raise FormatError(f"JSON nested deeper than {MAX_DEPTH} levels", where=where)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_whole,
        )
        if SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("not UTF-8 text", where=where) from None
    except UnicodeEncodeError:
        raise FormatError("half a character: a surrogate without its pair", where=where) from None
    except _RefusedError as error:
        raise FormatError(str(error), where=where) from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {show(str(error))}", where=where) from None
    return value


def parse_object(text: str | bytes, where: str) -> dict[str, Any]:
    """Parse JSON that has to be an object; a string that holds one (JSON twice over) is opened.

    Raises:
        FormatError: As `parse_json`, or it is something else.
    """
    value = parse_json(text, where)
    if isinstance(value, str):  # json.dump(model.to_json(), file), a common slip
        value = parse_json(value, where)
    return as_object(value, where)


def as_object(value: Any, where: str) -> dict[str, Any]:
    """The value, if it is a mapping.

    Raises:
        FormatError: It is not.
    """
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a number")
        raise FormatError(f"{kind} where a mapping is expected", where=where)
    return value


def parse_yaml(text: bytes, where: str) -> Any:
    """Parse YAML as `model.to_yaml()` of Keras 0 to 2 wrote it.

    The tags of plain data that PyYAML wrote are honoured and no others: `!!python/tuple` gives a
    list, and Python 2's `!!python/unicode`, `!!python/str` and `!!python/long` what they hold
    (PyYAML 3.13, lib/yaml/representer.py, `represent_str`, `represent_unicode`, `represent_long`).
    A number of NumPy, as Keras 1 has in `input_dim` behind a Flatten, and its arrays and
    TensorFlow's lists, as tf.keras has in a ReLU or a BatchNormalization, are described by calls
    that are not made (`pickled`).

    Raises:
        FormatError: It is no YAML, too large, too deep, ambiguous, or names other types.
    """
    import yaml

    _check_size(text, YAML_MARKS, where)
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        """The safe loader; a mapping's keys are texts, each given once."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
            return _object([(_key(self.construct_object(k)), self.construct_object(v, deep=deep))
                            for k, v in node.value])  # fmt: skip

        def construct_yaml_map(self, node: Any) -> Any:
            value: dict[str, Any] = {}
            yield value
            value.update(self.construct_mapping(node))

        def construct_tuple(self, node: Any) -> list[Any]:
            return list(self.construct_sequence(node, deep=True))

        def construct_dtype(self, node: Any) -> Any:
            return pickled.dtype(self.construct_mapping(node, deep=True))

        def construct_number(self, node: Any) -> Any:
            return pickled.number(self.construct_sequence(node, deep=True))

        def construct_array(self, node: Any) -> Any:
            described = isinstance(node, yaml.MappingNode)
            return pickled.array(self.construct_mapping(node, deep=True) if described else {})

        def construct_wrapper(self, called: str, node: Any) -> Any:
            if not isinstance(node, yaml.SequenceNode):
                return self.construct_refused(node)
            return pickled.unwrapped(called, self.construct_sequence(node, deep=True))

        def construct_refused(self, node: Any) -> Any:
            raise _RefusedError(f"the tag {show(node.tag)}, and tags are not followed")

    Loader.add_constructor("tag:yaml.org,2002:map", Loader.construct_yaml_map)
    Loader.add_constructor("tag:yaml.org,2002:python/tuple", Loader.construct_tuple)
    for kind, name in PYTHON_2.items():
        plain = base.yaml_constructors[f"tag:yaml.org,2002:{name}"]
        Loader.add_constructor(f"tag:yaml.org,2002:python/{kind}", plain)
    apply, arrays = pickled.APPLY, "numpy.core.multiarray"
    Loader.add_constructor(f"{apply}numpy.dtype", Loader.construct_dtype)
    Loader.add_constructor(f"{apply}{arrays}.scalar", Loader.construct_number)
    Loader.add_constructor(f"{apply}{arrays}._reconstruct", Loader.construct_array)
    Loader.add_constructor(pickled.ARRAY_CLASS, lambda loader, node: None)
    Loader.add_multi_constructor(apply, Loader.construct_wrapper)
    Loader.add_constructor(None, Loader.construct_refused)
    try:
        decoded = text.decode("utf-8-sig")
        _check_events(yaml, yaml.parse(decoded, Loader=base), where)
        value = yaml.load(decoded, Loader=Loader)
        _check_plain(value)
    except UnicodeError:
        raise FormatError("not UTF-8 text", where=where) from None
    except yaml.YAMLError as error:
        raise FormatError(f"not plain YAML: {_one_line(error)}", where=where) from None
    except (_RefusedError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"not plain YAML: {show(str(error))}", where=where) from None
    return value


def _check_size(data: bytes, marks: tuple[bytes, ...], where: str) -> None:
    """Refuse what would fill the memory when parsed: objects take far more room than their text."""
    nodes = sum(data.count(mark) for mark in marks)
    if len(data) > MAX_BYTES or nodes > MAX_NODES:
        raise FormatError(
            f"a configuration of {len(data):,} bytes and some {nodes:,} values is too large",
            where=where,
        )


def _depth(data: bytes) -> int:
    """How deep JSON brackets nest, at most, outside of strings."""
    brackets = STRING.sub(b"", data).translate(None, NOT_BRACKETS)
    steps = np.where(np.isin(np.frombuffer(brackets, np.uint8), list(OPENING)), 1, -1)
    return int(np.cumsum(steps).max(initial=0))


def _object(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = repeated(str(key) for key, _ in pairs)
        raise _RefusedError(f"the key {show(twice or '')!r} is given twice in one object")
    return found


def _key(key: Any) -> Any:
    """A key as JSON has it, where a whole number is a text (`constants` of tf.keras)."""
    return str(key) if type(key) is int else key


def _constant(name: str) -> float:
    """An infinite number, which Keras writes as Python does (the last of a Discretization's bins).

    Raises:
        _RefusedError: It is no number at all.
    """
    if math.isnan(found := float(name)):
        raise _RefusedError(f"{name} is no number of JSON")
    return found


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise _RefusedError(f"a whole number of {len(digits)} digits")
    return int(digits)


def _check_events(yaml: Any, events: Any, where: str) -> None:
    """Walk through YAML without building anything: how deep, how much once aliases are expanded."""
    sizes: dict[str, int | None] = {}
    open_: list[tuple[str | None, int]] = []
    total = documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        elif isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor)
            if size is None:
                raise _RefusedError("an alias that refers to itself or to nothing")
            total += size
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            total += 1
            open_.append((event.anchor, total))
            if event.anchor:
                sizes[event.anchor] = None
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = total - before + 1
        if len(open_) > MAX_DEPTH or total > MAX_NODES or documents > 1:
            raise _RefusedError(
                "more than one document"
                if documents > 1
                else f"nested deeper than {MAX_DEPTH} levels, or more than {MAX_NODES:,} values"
            )


def _check_plain(value: Any) -> None:
    """Refuse what JSON could not say, such as dates; no recursion, as aliases may share parts."""
    todo, seen = [value], set[int]()
    while todo:
        item = todo.pop()
        if isinstance(item, list | dict):
            if id(item) in seen:
                continue
            seen.add(id(item))
            todo += item if isinstance(item, list) else item.values()
            if isinstance(item, dict) and not all(isinstance(key, str) for key in item):
                raise _RefusedError("a key that is no text")
        elif isinstance(item, float):
            _constant(str(item))
        elif type(item) is int:
            _whole(str(item))
        elif not isinstance(item, str | float | bool | None):
            raise _RefusedError(f"a value of type {type(item).__name__}")


def _one_line(error: Exception) -> str:
    return show(" ".join(str(error).split()))
