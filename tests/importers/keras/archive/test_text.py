"""The gate for JSON and YAML: plain data passes, what two readers could read twice does not."""

from __future__ import annotations

import base64
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from genuine import FixtureCase
from kerasir.errors import FormatError
from kerasir.importers.keras.archive import read_architecture
from kerasir.importers.keras.archive.text import parse_json, parse_object, parse_yaml

PLAIN = {"class_name": "Sequential", "config": [{"units": 3, "rate": 0.5, "bias": None, "é": True}]}


def json_refusal(text: str | bytes) -> str:
    with pytest.raises(FormatError) as caught:
        parse_json(text, "here")
    assert caught.value.where == "here"
    return caught.value.what


def yaml_refusal(text: str) -> str:
    with pytest.raises(FormatError) as caught:
        parse_yaml(text.encode(), "here")
    assert caught.value.where == "here"
    return caught.value.what


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_json_is_parsed(indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(PLAIN, indent=indent, ensure_ascii=ascii_only)
    assert parse_json(text, "here") == PLAIN
    assert parse_json(text.encode("utf-8-sig"), "here") == PLAIN


def test_json_strings_may_hold_anything() -> None:
    """Keras 1 wrote byte code of Lambda layers as text, with zeros and lone backslashes."""
    hostile = {"code": '\x00\x1f[[[{{{\\"}]"\\u00e9,,,', "pair": "\U0001f600"}
    assert parse_json(json.dumps(hostile), "here") == hostile


def test_what_is_infinite_is_a_number() -> None:
    """As Python's JSON has it, by which Keras writes: bounds of a Discretization, of a clip."""
    assert parse_json("[-Infinity, 0.5, Infinity]", "here") == [-math.inf, 0.5, math.inf]
    assert parse_yaml(b"[-.inf, 0.5, .inf]", "here") == [-math.inf, 0.5, math.inf]


JSON_REFUSALS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "not JSON: Expecting value: line 1 column 1 (char 0)"),
    "two": ("{} {}", "not JSON: Extra data: line 1 column 4 (char 3)"),
    "duplicate": ('{"a": 1, "b": {"c": 1, "c": 1}}', "the key 'c' is given twice in one object"),
    "NaN": ("[NaN]", "NaN is no number of JSON"),
    "digits": ("[" + "7" * 400 + "]", "a whole number of 400 digits"),
    "many digits": ("[" + "7" * 100_000 + "]", "a whole number of 100000 digits"),
    "depth": ("[" * 201 + "]" * 201, "JSON nested deeper than 200 levels"),
    "great depth": ('{"a":' * 500_000, "JSON nested deeper than 200 levels"),
    "surrogate": ('["\\ud800"]', "half a character: a surrogate without its pair"),
    "UTF-16": ("[1]".encode("utf-16"), "not UTF-8 text"),
    "values": (
        "[" + "1," * 2_000_000 + "1]",
        "a configuration of 4,000,003 bytes and some 2,000,001 values is too large",
    ),
}


@pytest.mark.parametrize(("text", "said"), JSON_REFUSALS.values(), ids=JSON_REFUSALS)
def test_json_is_refused(text: str | bytes, said: str) -> None:
    assert json_refusal(text) == said


def test_deepest_json_that_passes() -> None:
    assert parse_json("[" * 200 + "]" * 200, "here")


@pytest.mark.parametrize("text", ['"' * 300_000, '\\"' * 300_000, '"\\' * 300_000, '["a' * 100_000])
def test_broken_json_is_refused_in_linear_time(text: str) -> None:
    start = time.process_time()
    json_refusal(text)
    assert time.process_time() - start < 2


def test_json_twice_over_is_opened() -> None:
    text = json.dumps(json.dumps(PLAIN))
    assert parse_object(text, "here") == PLAIN
    with pytest.raises(FormatError, match="a text where a mapping is expected"):
        parse_object(json.dumps(text), "here")


@pytest.mark.parametrize(
    ("text", "kind"), [("[]", "a list"), ("null", "null"), ("3", "a number"), ("true", "a number")]
)
def test_configuration_is_a_mapping(text: str, kind: str) -> None:
    with pytest.raises(FormatError, match=f"here: {kind} where a mapping is expected"):
        parse_object(text, "here")


def test_yaml_is_parsed() -> None:
    assert parse_yaml(yaml.dump(PLAIN).encode(), "here") == PLAIN
    assert parse_yaml(yaml.dump(PLAIN, default_flow_style=True).encode(), "here") == PLAIN


def test_tuples_of_keras_are_lists() -> None:
    text = yaml.dump({"shape": (None, 3, (4, 5)), "names": ["a"]})
    assert "!!python/tuple" in text
    assert parse_yaml(text.encode(), "here") == {"shape": [None, 3, [4, 5]], "names": ["a"]}


def test_types_of_python_2_are_what_they_hold() -> None:
    text = (
        "!!python/unicode 'name': !!python/unicode 'caf\\xE9'\n"
        'code: !!python/str "\\xE3"\n'
        "units: !!python/long '5'\n"
    )
    assert parse_yaml(text.encode(), "here") == {"name": "caf\\xE9", "code": "ã", "units": 5}


GENUINE = """
input_dim: !!python/object/apply:numpy.core.multiarray.scalar
- &id001 !!python/object/apply:numpy.dtype
  args:
  - i8
  - 0
  - 1
  state: !!python/tuple
  - 3
  - <
  - null
  - null
  - null
  - -1
  - -1
  - 0
- !!binary |
  PAAAAAAAAAA=
again: !!python/object/apply:numpy.core.multiarray.scalar
- *id001
- "\\x05\\0\\0\\0\\0\\0\\0\\0"
"""
"""The first number is from a file of Keras 1.2.2; the second is as Python 2 writes 5."""


def test_numbers_of_numpy_are_read() -> None:
    assert parse_yaml(GENUINE.encode(), "here") == {"input_dim": 60, "again": 5}


@pytest.mark.parametrize(
    ("number", "said"),
    [(np.float32(0.5), 0.5), (np.float64(1e-6), 1e-6), (np.bool_(True), True), (np.int32(-3), -3)],
)
def test_numbers_of_numpy_in_every_dtype(number: np.generic, said: float | bool) -> None:
    kind, raw = number.dtype, base64.b64encode(number.tobytes()).decode()
    text = NUMBER % (f"{kind.kind}{kind.itemsize}", kind.str[0], raw)
    found = parse_yaml(f"a: {text}".encode(), "here")
    assert found == {"a": said}
    assert type(found["a"]) is type(said)


def test_shared_parts_are_followed() -> None:
    shared = {"class_name": "Zeros"}
    text = yaml.dump({"kernel": shared, "bias": shared})
    assert "*id001" in text
    assert parse_yaml(text.encode(), "here") == {"kernel": shared, "bias": shared}


LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)
LIMIT = "nested deeper than 200 levels, or more than 2,000,000 values"
DTYPE = (
    "!!python/object/apply:numpy.dtype {args: [%s, 0, 1], state: !!python/tuple "
    "[3, '%s', null, null, null, -1, -1, 0]}"
)
SCALAR = "!!python/object/apply:numpy.core.multiarray.scalar"
NUMBER = f"{SCALAR} [{DTYPE}, !!binary %s]"
ARRAY = (
    "!!python/object/apply:numpy.core.multiarray._reconstruct {args: [!!python/name:numpy.ndarray "
    "'', !!python/tuple [0], !!binary Yg==], state: !!python/tuple [1, !!python/tuple %s, %s, "
    "false, !!binary %s]}"
)
WRAPPED = "!!python/object/apply:tensorflow.python.training.tracking.data_structures.ListWrapper"
NO_KIND = "a number of NumPy of an unknown kind"
NO_NUMBER = "a number of NumPy that is not as NumPy writes it"


def test_what_tf_keras_wraps_is_read() -> None:
    """ReLU's bounds, a BatchNormalization's axes and clipping, constants of an operation (1.15)."""
    bound = ARRAY % ("[]", DTYPE % ("f4", "<"), "zcyMPw==")
    order = ARRAY % ("[3]", DTYPE % ("i4", "<"), "AAAAAAIAAAABAAAA")
    text = (
        f"max_value: {bound}\naxis: {WRAPPED} [[1, 3]]\nconstants: {{1: {order}}}\n"
        "renorm_clipping: !!python/object/apply:builtins.dict [{rmax: 3.0}]\n"
    )
    read = parse_yaml(text.encode(), "here")
    assert read.pop("max_value") == pytest.approx(1.1)
    expected = {"axis": [1, 3], "constants": {"1": [0, 2, 1]}, "renorm_clipping": {"rmax": 3.0}}
    assert read == expected


YAML_REFUSALS = {
    "NumPy's array": (
        "a: !!python/object/apply:numpy.core.multiarray._reconstruct [b]",
        "not plain YAML: an array of NumPy that is not as NumPy writes it",
    ),
    "NumPy's shape": (
        f"a: {ARRAY % ('[2]', DTYPE % ('f4', '<'), 'zcyMPw==')}",
        "not plain YAML: an array of NumPy that is not as NumPy writes it",
    ),
    "lists that no byte stands for": (
        f"a: {ARRAY % ('[20000000, 0]', DTYPE % ('f4', '<'), repr(''))}",
        "not plain YAML: an array of NumPy that is not as NumPy writes it",
    ),
    "a list of another class": (
        "a: !!python/object/apply:evil.data_structures.ListWrapper [[1]]",
        "not plain YAML: the tag tag:yaml.org,2002:python/object/apply:"
        "evil.data_structures.ListWrapper, and tags are not followed",
    ),
    "a list of two": (
        f"a: {WRAPPED} [[1], [2]]",
        "not plain YAML: a ListWrapper that is not as TensorFlow writes it",
    ),
    "NumPy's objects": (f"a: {DTYPE % ('O8', '|')}", f"not plain YAML: {NO_KIND}"),
    "NumPy's order": (f"a: {DTYPE % ('i8', '[1]')}", f"not plain YAML: {NO_KIND}"),
    "NumPy's bytes": (f"a: {NUMBER % ('i8', '<', 'PAAA')}", f"not plain YAML: {NO_NUMBER}"),
    "NumPy's call": (f"a: {SCALAR} [i8, !!binary PAAAAAAAAAA=]", f"not plain YAML: {NO_NUMBER}"),
    "NumPy's NaN": (
        f"a: {NUMBER % ('f4', '<', 'AADAfw==')}",
        "not plain YAML: nan is no number of JSON",
    ),
    "object": (
        "!!python/object/apply:os.system ['true']",
        "not plain YAML: the tag tag:yaml.org,2002:python/object/apply:os.system, "
        "and tags are not followed",
    ),
    "name": (
        "a: !!python/name:os.system",
        "not plain YAML: the tag tag:yaml.org,2002:python/name:os.system, "
        "and tags are not followed",
    ),
    "laughs": (LAUGHS, f"not plain YAML: {LIMIT}"),
    "self": ("a: &a [*a]", "not plain YAML: an alias that refers to itself or to nothing"),
    "nothing": ("a: *b", "not plain YAML: an alias that refers to itself or to nothing"),
    "merge": (
        "a: &a {b: 1}\nc:\n  <<: *a\n",
        "not plain YAML: the tag tag:yaml.org,2002:merge, and tags are not followed",
    ),
    "documents": ("a: 1\n---\nb: 2\n", "not plain YAML: more than one document"),
    "date": ("a: 2016-01-01", "not plain YAML: a value of type date"),
    "set": ("a: !!set {b, c}", "not plain YAML: a value of type set"),
    "binary": ("a: !!binary aGk=", "not plain YAML: a value of type bytes"),
    "NaN": ("a: .nan", "not plain YAML: nan is no number of JSON"),
    "digits": ("a: 0x" + "f" * 30, "not plain YAML: a whole number of 37 digits"),
    "key": ("1.5: a", "not plain YAML: a key that is no text"),
    "whole keys": ("1: a\n'1': b", "not plain YAML: the key '1' is given twice in one object"),
    "list as key": ("[a]: b", "not plain YAML: unhashable type: 'list'"),
    "duplicate": ("a: 1\na: 2", "not plain YAML: the key 'a' is given twice in one object"),
    "depth": ("a: " + "[" * 300 + "]" * 300, f"not plain YAML: {LIMIT}"),
    "great depth": ("- " * 100_000, f"not plain YAML: {LIMIT}"),
}


@pytest.mark.parametrize(("text", "said"), YAML_REFUSALS.values(), ids=YAML_REFUSALS)
def test_yaml_is_refused(text: str, said: str) -> None:
    assert yaml_refusal(text) == said


def test_dtype_is_no_value() -> None:
    said = yaml_refusal(f"a: {DTYPE % ('i8', '<')}")
    assert said.startswith("not plain YAML: a value of type")


def test_broken_yaml_is_refused_on_one_line() -> None:
    said = yaml_refusal("a:\n\tb: 1")
    assert said.startswith("not plain YAML: while scanning")
    assert "\n" not in said


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_architecture_is_told_by_its_content(tmp_path: Path) -> None:
    texts = {
        "a.yaml": json.dumps(PLAIN),
        "b.json": yaml.dump(PLAIN),
        "c": json.dumps(json.dumps(PLAIN)),
        "d": "# Keras\n" + yaml.dump(PLAIN),
        "e": yaml.dump(PLAIN, default_flow_style=True),
    }
    for name, text in texts.items():
        assert read_architecture(write(tmp_path / name, text)) == PLAIN


@pytest.mark.fixture_cases(
    eras=("keras1.2.2-theano", "keras3.15.1-jax"),
    where=lambda case: (case.folder / "arch.json").exists(),
)
def test_genuine_architecture_written_as_yaml(fixture_case: FixtureCase) -> None:
    config: Any = json.loads((fixture_case.folder / "arch.json").read_text())
    assert parse_yaml(yaml.dump(config).encode(), "here") == config


def test_what_is_no_architecture_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read_architecture(write(tmp_path / "a.json", "[1, 2]"))
    assert str(caught.value) == f"{tmp_path}/a.json: file: a list where a mapping is expected"
    with pytest.raises(FormatError, match="a web page"):
        read_architecture(write(tmp_path / "b.json", "<!DOCTYPE html><html>"))
