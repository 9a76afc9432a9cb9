"""`kerasir inspect --lint --explain CODE`: the document that is shipped, code by code."""

from __future__ import annotations

import json
import re

import pytest

from sources import PROJECT

CODES = re.findall(
    r"^\| (K[A-Z]\d{3}) \|", (PROJECT / "docs" / "report-codes.md").read_text(), re.M
)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page(kerasir, code: str) -> None:
    found, out, err = kerasir("inspect", "--lint", "--explain", code)
    assert (found, err) == (0, "")
    first, blank, says, *_ = out.splitlines()
    assert re.fullmatch(rf"{code}   (Assumed|Changed|Carried|Lost|Notes)", first)
    assert blank == ""
    assert says.startswith("  ")
    assert not re.search(r"`|\]\(|\|", out)


def test_a_page_whole(kerasir) -> None:
    assert kerasir("inspect", "--explain", "kp201").out == (
        "KP201   Changed\n"
        "\n"
        "  The padding of a convolution is written out as a ZeroPadding layer, because same means "
        "other numbers in the target.\n"
        "\n"
        "  why it is safe\n"
        "  Zeros around a convolution are what its padding is.\n"
    )


def test_as_json(kerasir) -> None:
    found = json.loads(kerasir("inspect", "--explain", "KB101", "--json").out)
    assert found["schema"] == "kerasir.code/1"
    assert (found["code"], found["kind"], found["title"]) == ("KB101", "Assumed", "what to do")


def test_a_code_that_does_not_exist(kerasir) -> None:
    told = "kerasir: error: --explain: no code 'KX40' (did you mean KX404?)\n"
    code, out, err = kerasir("inspect", "--explain", "KX40")
    assert (code, out) == (2, "")
    assert err.startswith(told[:45])
