"""`kerasir convert`: one model to one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import ExistsError, ExportError, UsageError
from ..ir.orders import ORDERS
from .onnx_options import onnx_options
from .progress import Progress
from .reading import FORMATS, MEANT, SOURCE, reading_options
from .settings import Settings, document
from .summary import print_summary
from .usage import OUTPUT, Command, Section
from .values import FeatureMap, OneOf

if TYPE_CHECKING:
    from ..api import Conversion

PAGES = (".html", ".htm")
RENAMED: Mapping[str, str] = {
    "shape": "shapes",
    "plugin": "plugins",
    "allow_key": "allow_keys",
    "lambda": "lambdas",
}
"""Options that may be given several times, and what `api.convert` calls all of them together."""
TARGET = Section("Target: what DST should be")
PASSES = Section("Passes")
CHECKING = Section("Checking and reporting")


def convert_options(kind: str = "from DST's name") -> list[click.Parameter]:
    """What a conversion can be told, whatever it converts; and its target if it is not told."""
    return [
        *reading_options(SOURCE),
        SOURCE.values(
            "--flattened",
            "LAYER=C,H,W",
            "Shape that entered Flatten before LAYER, if there is no --arch",
            FeatureMap(),
        ),
        *_target_options(kind),
        *onnx_options(),
        PASSES.values(
            "--pass passes",
            "NAME",
            "Add a pass; repeatable, in this order. List: kerasir passes",
        ),
        PASSES.flag(
            "--no-fold fold",
            "ONNX: keep layers one to one, none folded into its neighbours",
            flag_value=False,
            default=True,
        ),
        PASSES.flag("--check", "Type-check the graph after every pass"),
        *_checking_options(),
        OUTPUT.flag("--overwrite", "Replace DST if it exists"),
        OUTPUT.flag("--durable", "Have the disk confirm DST before the command ends"),
    ]


def _target_options(kind: str) -> list[click.Parameter]:
    return [
        TARGET.value(
            "--to",
            "KIND",
            "keras1, keras2.0, keras2.2, keras2, tf-keras,\n"
            f"keras3, onnx, ir, npz or safetensors [{kind}]",
        ),
        TARGET.value(
            "--data-format",
            "FORMAT",
            "channels_last, channels_first or keep [keras: channels_last]",
            OneOf(*FORMATS, "keep", synonyms=MEANT),
        ),
        TARGET.value(
            "--target-backend",
            "NAME",
            "tensorflow or theano kernels [tensorflow]",
            OneOf("tensorflow", "theano"),
        ),
        TARGET.flag("--weights-only", "Write weights without architecture and training record"),
        TARGET.value(
            "--weights-layout",
            "NAME",
            "canonical, onnx or stored, for npz and safetensors [canonical]",
            OneOf(*ORDERS),
        ),
    ]


def _checking_options() -> list[click.Parameter]:
    return [
        CHECKING.flag("--verify", "Run both models; if they differ, fail and write nothing"),
        CHECKING.value(
            "--tolerance",
            "X",
            "Largest error that --verify allows [1e-05; float16: 0.01]",
            click.FloatRange(0, 1),
        ),
        CHECKING.value(
            "--expect", "FILE", "Verify against known answers too: in_0, …, out_0, … (.npz)"
        ),
        CHECKING.value("--report", "FILE", "Write a report, layer by layer: .html or .json"),
        CHECKING.flag("--strict", "Treat every assumption and warning as an error"),
        CHECKING.flag("--refuse-code", "Fail if SRC holds code (which is never run)"),
        CHECKING.flag("--dry-run", "Do everything but write"),
    ]


@click.command(
    cls=Command,
    intro="Convert SRC to DST. The target follows from DST's name: .keras (Keras 3), .h5\n"
    "(Keras 2), .onnx, .kerasir; .weights.h5, .npz and .safetensors for the weights alone,\n"
    ".json for the architecture; --to overrules it. DST appears only if everything worked.",
    params=[
        click.Argument(["src"], metavar="SRC"),
        click.Argument(["dst"], metavar="DST"),
        *convert_options(),
    ],
    examples=[
        ("A model of any age for today's Keras:", "kerasir convert old.h5 new.keras"),
        ("A Theano-era file for Keras 2 on TensorFlow, checked:",
         "kerasir convert old.h5 new.h5 --verify"),
        ("Weights whose architecture lies beside them:",
         "kerasir convert weights.h5 new.h5 --arch model.json --backend theano"),
        ("ONNX with images channels first, at opset 13:",
         "kerasir convert model.h5 model.onnx --io-layout match --opset 13"),
        ("Kernels for Keras 2 on Theano:",
         "kerasir convert new.h5 old.h5 --target-backend theano \\\n"
         "    --data-format channels_first"),
    ],
)  # fmt: skip
@click.pass_obj
def convert(settings: Settings, /, src: str, dst: str, report: str | None, **options: Any) -> None:
    """Convert a file."""
    from ..api import convert as run

    if report is not None:
        _check_report(report, overwrite=bool(options["overwrite"]))
    given = told(options)
    proving = bool(options["verify"] or options["expect"])
    with Progress(
        settings.err,
        "copying weights",
        before="reading",
        after="verifying" if proving else "finishing",
        quiet=settings.quiet,
    ) as progress:
        done = run(src, dst, isolated=True, progress=progress, **given)
    if settings.json or report is not None:
        _tell(settings, done, src, dst, report, overwrite=bool(options["overwrite"]))
    if not settings.quiet:
        print_summary(settings, done, src, dst, report, dry=bool(options["dry_run"]))


def _tell(
    settings: Settings, done: Conversion, src: str, dst: str, report: str | None, *, overwrite: bool
) -> None:
    """Print, and write, what was done as a document."""
    from ..account import account
    from ..arrays import write_text

    body = account(done, src, dst)
    if report is not None:
        write_text(report, _report(report, body), overwrite=overwrite)
    if settings.json:
        settings.document("convert/1", ok=True, body=body)


def told(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line says, as `api.convert` takes it."""
    given = {RENAMED.get(name, name): value for name, value in options.items()}
    pairs = ("flattened", "rename", "shapes", "lambdas")
    return given | {name: dict(given[name]) for name in pairs if name in given}


def _check_report(path: str, *, overwrite: bool) -> None:
    """See before anything is written that the report can be.

    Raises:
        UsageError: Its kind is not known, or it exists and may not be replaced.
        ExportError: There is no such folder.
    """
    if not path.lower().endswith((*PAGES, ".json")):
        raise UsageError(f"no kind of report known for {path!r}", hint="name it .html or .json")
    if os.path.lexists(path) and not overwrite:
        raise ExistsError("exists", file=path, hint="--overwrite replaces it")
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise ExportError(f"there is no folder {folder}", file=path, hint="make it first")


def _report(path: str, body: Mapping[str, Any]) -> str:
    """The report: the document as it is, or as a page."""
    if not path.lower().endswith(PAGES):
        return document("convert/1", ok=True, body=body, indent=2) + "\n"
    from ..pages.report import report_page

    return report_page(body)
