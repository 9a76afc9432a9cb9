"""How a graph is to be drawn, beside the model itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller may choose; a `Style()` chooses nothing.

    Attributes:
        float16: Compute in half precision. Inputs and outputs keep their numbers.
        functions: Write each nested model as a function of the file, not inlined.
        opaque_domain: Operator domain for layers that kerasir does not compute, such as
            `com.example`; they are refused if it is "".
        rename: New names of inputs and outputs, by the old.
        batch: What a batch of open size is called.
        share: Whether what two layers compute alike from the same tensors is computed once.
    """

    float16: bool = False
    functions: bool = False
    opaque_domain: str = ""
    rename: Mapping[str, str] = {}
    batch: str = "batch"
    share: bool = True


PLAIN = Style()
