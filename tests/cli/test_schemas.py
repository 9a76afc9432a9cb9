"""`kerasir --json-schema`: what is said of documents; `conftest.py` holds every one against it."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from described import conforms

from kerasir.cli.schemas import DOCUMENTS
from sources import PROJECT, package_files


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_has_a_schema(kerasir, name: str) -> None:
    code, out, err = kerasir("--json-schema", name)
    assert (code, err) == (0, "")
    schema = json.loads(out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    document = schema["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    assert list(document["properties"])[:3] == ["schema", "kerasir", "ok"]
    assert document["properties"]["schema"] == {"const": f"kerasir.{name}/1"}
    assert {"schema", "kerasir", "ok"} <= set(document["required"])


def test_every_document_that_is_printed_is_described() -> None:
    sources = [path for path in package_files() if path.parts[0] == "cli"]
    text = "".join((PROJECT / path).read_text() for path in sources)
    assert set(re.findall(r'"([a-z]+)/1"', text)) == set(DOCUMENTS)


def test_a_number_may_be_the_text_for_one_that_json_lacks(kerasir) -> None:
    out = kerasir("--json-schema", "verify").out
    assert {"enum": ["nan", "inf", "-inf"]} in (
        json.loads(out)["$defs"]["Verify"]["properties"]["tolerance"]["anyOf"]
    )


def test_a_document_that_nobody_prints(kerasir) -> None:
    told = "kerasir: error: --json-schema: no document 'verfy' (did you mean verify?)\n"
    assert kerasir("--json-schema", "verfy") == (2, "", told)


def test_what_is_not_described_is_seen() -> None:
    said = {"schema": "kerasir.view/1", "kerasir": "1", "ok": True, "model": "a", "page": "b"}
    conforms(json.dumps({**said, "bytes": 3}))
    for other in ({}, {"bytes": "many"}, {"bytes": 3, "more": 1}):
        with pytest.raises(msgspec.ValidationError):
            conforms(json.dumps({**said, **other}))
