"""Options for reading a model, shared by the commands that read one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .usage import Option, Section
from .values import Formula, InputShape, OneOf

SOURCE = Section("Source: what the file may not say")
SOURCE_A = Section("Source: what A may not say")
CHOOSING = Section("Choosing")
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


def plugin_option(section: Section) -> Option:
    """`--plugin`."""
    return section.values("--plugin", "FILE", "Python file with your layers or passes; repeatable")


def reading_options(section: Section) -> list[click.Parameter]:
    """What a file may not say, so that its reader has to be told."""
    return [
        section.value(
            "--backend",
            "theano|tensorflow",
            "Backend that wrote it; without it: the file, then weight names",
            OneOf(*BACKENDS, synonyms={"tf": "tensorflow", "th": "theano"}),
        ),
        section.value(
            "--arch",
            "FILE",
            "Of bare weights: a .json, .yaml or Keras file, builtin:NAME, auto",
        ),
        section.value(
            "--source-data-format",
            "FORMAT",
            "channels_last or channels_first, for layers that do not say",
            OneOf(*FORMATS, synonyms=MEANT),
        ),
        section.values(
            "--shape",
            "NAME=N,…",
            "An input's whole shape, where the file leaves it open; repeatable",
            InputShape(),
        ),
        section.values(
            "--allow-key",
            "CLASS.KEY",
            "Ignore a setting that kerasir does not know; repeatable",
        ),
        section.values(
            "--lambda",
            "NAME=EXPR",
            'What a Lambda computes: lambda_1="x / 127.5 - 1"; repeatable',
            Formula(),
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
        "lambdas": dict(options["lambda"]),
        "shapes": dict(options["shape"]),
        "isolated": True,
    }
