"""Documents held against what `kerasir --json-schema` says of their kind."""

from __future__ import annotations

import json

import msgspec

from kerasir.cli.schemas import DOCUMENTS


def conforms(text: str) -> None:
    """Hold a document against its schema; NaN and infinities are texts."""
    document = json.loads(text)
    name = document["schema"].removeprefix("kerasir.").removesuffix("/1")
    msgspec.convert(document, DOCUMENTS[name], strict=False)
