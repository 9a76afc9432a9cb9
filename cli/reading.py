"""Options for reading a model, shared by the commands that read one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .usage import OneOf, Option

BACKENDS = ("theano", "tensorflow")
FORMATS = ("channels_last", "channels_first")
MEANT: Mapping[str, str] = {
    "nhwc": "channels_last",
    "tf": "channels_last",
    "nchw": "channels_first",
    "th": "channels_first",
    "theano": "channels_first",
}
"""What others call the data formats."""


def plugin_option(section: str) -> Option:
    """`--plugin`."""
    return Option(
        ["--plugin"],
        metavar="FILE",
        multiple=True,
        section=section,
        help="Python file with your layers or passes; repeatable",
    )


def reading_options(section: str) -> list[click.Parameter]:
    """What a file may not say, so that its reader has to be told."""
    return [
        Option(
            ["--backend"],
            metavar="theano|tensorflow",
            type=OneOf(*BACKENDS, synonyms={"tf": "tensorflow", "th": "theano"}),
            section=section,
            help="Backend that wrote it; without it: the file, then weight names",
        ),
        Option(
            ["--arch"],
            metavar="FILE",
            section=section,
            help="Architecture of weights: .json, .yaml, a Keras file, builtin:NAME",
        ),
        Option(
            ["--source-data-format"],
            metavar="FORMAT",
            type=OneOf(*FORMATS, synonyms=MEANT),
            section=section,
            help="channels_last or channels_first, for layers that do not say",
        ),
        Option(
            ["--allow-key"],
            metavar="CLASS.KEY",
            multiple=True,
            section=section,
            help="Ignore a setting that kerasir does not know; repeatable",
        ),
        plugin_option(section),
    ]


def reading_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """What `load` takes, from the options of `reading_options`."""
    return {
        "arch": options["arch"],
        "backend": options["backend"],
        "data_format": options["source_data_format"],
        "plugins": options["plugin"],
        "allow_keys": options["allow_key"],
        "isolated": True,
    }
