"""Options that say what an ONNX file is to be like."""

from __future__ import annotations

import click

from .usage import InputShape, NewName, OneOf, Option

SECTION = "ONNX"


def onnx_options() -> list[click.Parameter]:
    """Options of `kerasir convert`."""
    return [
        Option(["--opset"], metavar="N", type=click.INT, section=SECTION, help="13 to 28 [17]"),
        Option(
            ["--io-layout"],
            metavar="keep|match",
            type=OneOf("keep", "match"),
            section=SECTION,
            help="Inputs and outputs: SRC's order, or the target's [onnx: keep]",
        ),
        Option(
            ["--external-data"],
            metavar="NAME",
            section=SECTION,
            help="Put large tensors into a file of this name beside DST",
        ),
        Option(
            ["--batch"],
            metavar="N",
            type=click.IntRange(1),
            section=SECTION,
            help="Fix the batch size, which is open otherwise",
        ),
        Option(
            ["--shape"],
            metavar="NAME=N,…",
            type=InputShape(),
            multiple=True,
            section=SECTION,
            help="Fix an input's shape, in SRC's order of axes; repeatable",
        ),
        Option(
            ["--rename"],
            metavar="OLD=NEW",
            type=NewName(),
            multiple=True,
            section=SECTION,
            help="Call an input or output otherwise; repeatable",
        ),
        Option(
            ["--float16"],
            is_flag=True,
            section=SECTION,
            help="Compute in half precision; inputs and outputs stay",
        ),
        Option(
            ["--functions"],
            is_flag=True,
            section=SECTION,
            help="Write nested models as functions, not inlined",
        ),
        Option(
            ["--opaque-domain"],
            metavar="DOMAIN",
            default="",
            section=SECTION,
            help="Write unknown layers as operators of this domain",
        ),
        Option(
            ["--source-hash"],
            is_flag=True,
            section=SECTION,
            help="State SRC's SHA-256 even if it is large",
        ),
    ]
