"""The architecture beside the weights: what `model.to_json()` and `model.to_yaml()` wrote."""

from __future__ import annotations

import os
from typing import Any

from ....errors import FormatError, KerasirError
from ..gates import open_source
from .sniff import sniff
from .text import MAX_BYTES, as_object, parse_object, parse_yaml

WRITTEN_BY = "give the file that model.to_json() or model.to_yaml() wrote"


def read_architecture(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the configuration of a model from a JSON or YAML file, unchanged.

    JSON that is written twice over (a JSON string that holds JSON) is accepted.

    Raises:
        FormatError: It is neither, or holds something that is not plain data.
    """
    with open_source(path) as source:
        try:
            kind = sniff(source)
            if kind not in {"json", "yaml", "text"}:
                raise FormatError(f"not an architecture, but {kind}", hint=WRITTEN_BY)
            if source.size > MAX_BYTES:
                raise FormatError(f"{source.size:,} bytes are too many for an architecture")
            text = source.window().readall()
            if kind == "json":
                return parse_object(text, "file")
            return as_object(parse_yaml(text, "file"), "file")
        except KerasirError as error:
            error.at("file", file=source.path)
            raise
