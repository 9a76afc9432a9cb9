"""Options that say what an ONNX file is to be like."""

from __future__ import annotations

import click

from .usage import Section
from .values import BatchSize, NewName, OneOf

ONNX = Section("ONNX")


def onnx_options() -> list[click.Parameter]:
    """Options of `kerasir convert`."""
    return [
        ONNX.value("--opset", "N", "13 to 28 [17]", click.INT),
        ONNX.value(
            "--io-layout",
            "keep|match",
            "Inputs and outputs: SRC's order, or the target's [onnx: keep]",
            OneOf("keep", "match"),
        ),
        ONNX.value(
            "--external-data", "NAME", "Put large tensors into a file of this name beside DST"
        ),
        ONNX.value(
            "--batch", "N|NAME", "Fix the batch size, or name the open one [batch]", BatchSize()
        ),
        ONNX.values(
            "--rename", "OLD=NEW", "Call an input or output otherwise; repeatable", NewName()
        ),
        ONNX.flag("--float16", "Compute in half precision; inputs and outputs stay"),
        ONNX.flag("--functions", "Write nested models as functions, not inlined"),
        ONNX.value(
            "--opaque-domain",
            "DOMAIN",
            "Write unknown layers as operators of this domain",
            default="",
        ),
        ONNX.flag("--source-hash", "State SRC's SHA-256 even if it is large"),
    ]
