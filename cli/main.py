"""The `kerasir` command: which commands there are, and how a run ends."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from types import FrameType
from typing import Any, NamedTuple

import click

from .. import __version__
from ..errors import KerasirError
from . import failure
from .console import Console
from .settings import Settings
from .usage import COLORS, shared_options, unknown_command, usage_error


class Entry(NamedTuple):
    """A command that exists: where the help lists it, and how it is found once it is asked for."""

    section: str
    summary: str
    load: Callable[[], click.Command]


def _inspect() -> click.Command:
    from .inspect import inspect

    return inspect


def _diff() -> click.Command:
    from .diff import diff

    return diff


def _view() -> click.Command:
    from .view import view

    return view


def _convert() -> click.Command:
    from .convert import convert

    return convert


def _batch() -> click.Command:
    from .batch import batch

    return batch


def _verify() -> click.Command:
    from .verify import verify

    return verify


def _run() -> click.Command:
    from .run import run

    return run


def _ops() -> click.Command:
    from .ops import ops

    return ops


def _passes() -> click.Command:
    from .passes import passes

    return passes


COMMANDS: dict[str, Entry] = {
    "inspect": Entry(
        "Look", "Show layers, layout tags, weights, era and backend of a file", _inspect
    ),
    "diff": Entry("Look", "List what differs between two models: layers, settings, weights", _diff),
    "view": Entry("Look", "Draw a model's graph, tags on its edges, as one HTML page", _view),
    "convert": Entry(
        "Convert", "Convert one model; the kinds follow from the file names", _convert
    ),
    "batch": Entry("Convert", "Convert many models, in parallel or on a cluster", _batch),
    "verify": Entry(
        "Check", "Run two models on the same inputs and compare them layer by layer", _verify
    ),
    "run": Entry("Check", "Run one model on arrays from an .npz file", _run),
    "ops": Entry("Extend", "List operations, and what each target supports", _ops),
    "passes": Entry("Extend", "List passes and pipelines", _passes),
}

STOPPED_BY: dict[type[BaseException], signal.Signals] = {
    KeyboardInterrupt: signal.SIGINT,
    failure.Terminated: signal.SIGTERM,
}
"""Signals by what they raise."""

COMPLETE = "_KERASIR_COMPLETE"
"""What a shell sets to ask how a line may go on: see docs/command-line.md."""

RESTING = ("OPENBLAS_THREAD_TIMEOUT", "4")
"""A setting of NumPy's library for products of matrices (OpenBLAS, `blas_server.c`): its threads
wait for work asleep. By default each spins for some 2 ** 26 cycles from its start on, which took
as much processor time as NumPy's import, while most commands multiply nothing."""

SOON = 0.02
"""Seconds until a signal that went unheard is repeated."""

INTRO = """\
Convert Keras models, 0.3 to 3.15, between Theano style and TensorFlow style, and to ONNX.
Reads the files alone: no Keras, TensorFlow or Theano needed, and no code from a model is run."""

OPTIONS = (
    ("-q, --quiet", "", "Print only errors", ""),
    ("-v, --verbose", "", "Print more: each layer; -vv: each weight", ""),
    ("    --json", "", "Print one JSON document on stdout in place of text", ""),
    ("    --color", " WHEN", "auto, always or never", " [auto]"),
    ("    --debug", "", "Show a traceback with an error", ""),
    ("-V, --version", "", "Print the version", ""),
    ("-h, --help", "", "Print this help; after a command, its help", ""),
)

EXAMPLES = (
    ("kerasir inspect old.h5", "what is in this file?"),
    ("kerasir convert old.h5 new.keras --verify", "Theano-era file to Keras 3, checked"),
    ("kerasir convert old.h5 model.onnx", "to ONNX"),
)


class Commands(click.Group):
    """The commands; each is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them."""
        entry = COMMANDS.get(cmd_name)
        return entry.load() if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant.

        Raises:
            UsageError: There is none of that name.
        """
        if args and args[0] not in COMMANDS:
            raise unknown_command(args[0], list(COMMANDS))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The whole text."""
        return "\n".join(_help(ctx.ensure_object(Settings).out))


def _help(console: Console) -> list[str]:
    def head(text: str) -> str:
        return console.paint(text, "bold")

    lines = [f"{head('Usage:')} kerasir [OPTIONS] {console.paint('COMMAND', 'dim')} [ARGUMENTS]"]
    lines += ["", *INTRO.splitlines()]
    for title in dict.fromkeys(entry.section for entry in COMMANDS.values()):
        lines += ["", head(title)]
        lines += [
            f"  {console.paint(name, 'cyan')}{' ' * (10 - len(name))}{entry.summary}"
            for name, entry in COMMANDS.items()
            if entry.section == title
        ]
    lines += ["", head("Options")]
    for names, metavar, text, default in OPTIONS:
        left = console.paint(names, "cyan") + console.paint(metavar, "dim")
        gap = " " * (19 - len(names + metavar))
        lines.append(f"  {left}{gap}{text}{console.paint(default, 'dim')}")
    lines += ["", head("Examples")]
    lines += [f"  {command:<42}  {console.paint(text, 'dim')}" for command, text in EXAMPLES]
    return lines


def _start(ctx: click.Context, /, version: bool, json_schema: str | None) -> None:
    """What is done before a command, or without one."""
    settings = ctx.ensure_object(Settings)
    if json_schema is not None:
        import json

        from .schemas import json_schema as schema_of

        settings.out.stream.write(json.dumps(schema_of(json_schema), indent=2) + "\n")
        ctx.exit(0)
    if version:
        settings.out.print(f"kerasir {__version__}")
        if settings.verbose:
            from .surroundings import surroundings

            settings.out.table(surroundings())
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        settings.out.print(ctx.get_help())


def commands() -> Commands:
    """The command line as click sees it."""
    version = click.Option(["-V", "--version"], is_flag=True)
    schema = click.Option(["--json-schema"], metavar="COMMAND")
    return Commands(
        "kerasir",
        invoke_without_command=True,
        callback=click.pass_context(_start),
        params=[*shared_options(), version, schema],
        add_help_option=False,
    )


def main(args: Sequence[str] | None = None) -> int:
    """Run `kerasir`; gives the exit code.

    0: done; 1: failed, or different; 2: wrong usage; 130: interrupted; 143: terminated.
    """
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(commands(), {}, "kerasir", COMPLETE, os.environ[COMPLETE])
    given = list(sys.argv[1:] if args is None else args)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller: what is said goes nowhere
            setattr(sys, name, open(os.devnull, "w"))  # ruff: ignore[open-file-with-context-handler]
    os.environ.setdefault(*RESTING)
    settings = Settings()
    _foresee(settings, given)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    before = signal.signal(signal.SIGTERM, _terminate)
    told, sys.unraisablehook = sys.unraisablehook, _ask_again
    try:
        return _attempt(given, settings)
    finally:
        signal.signal(signal.SIGTERM, before)
        sys.unraisablehook = told


def _foresee(settings: Settings, args: Sequence[str]) -> None:
    """Look for what changes how help and errors are printed: both may come before it is parsed."""
    settings.debug, settings.json = "--debug" in args, "--json" in args
    for index, text in enumerate(args):
        value = (
            text.removeprefix("--color=")
            if text != "--color"
            else "".join(args[index + 1 : index + 2])
        )
        if text.startswith("--color") and value in COLORS:
            settings.color = value


def _finish(args: list[str], settings: Settings) -> int:
    """Parse and run, and see to it that what was printed has left."""
    program = commands()
    try:
        with program.make_context("kerasir", args, obj=settings) as context:
            result: Any = program.invoke(context)
    except click.exceptions.Exit as error:  # help and the like are all that was asked for
        result = error.exit_code
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _attempt(args: list[str], settings: Settings) -> int:
    """Whatever happens, one message and an exit code, and no traceback that nobody asked for."""
    try:
        return _finish(args, settings)
    except BrokenPipeError:  # the reader has seen enough: `| head`
        _discard_output()
        return 0
    except (KeyboardInterrupt, failure.Terminated) as error:
        return failure.stopped(settings, error)
    except click.Abort:
        return failure.stopped(settings, KeyboardInterrupt())
    except BaseException as error:
        try:
            return _told(settings, error, next((arg for arg in args if arg in COMMANDS), ""))
        except (OSError, ValueError):  # nobody can be told: stderr is full or closed
            _discard_output()
            return failure.FAILED


def _told(settings: Settings, error: BaseException, command: str) -> int:
    if isinstance(error, OSError):
        _discard_output()  # it may be stdout itself that is full
    known = usage_error(error, command) if isinstance(error, click.UsageError) else error
    if isinstance(known, KerasirError):
        code = failure.fail(settings, known)
    else:
        code = failure.internal(settings, known)
    failure.show_where(settings, error)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _discard_output() -> None:
    """Let what is still buffered for stdout go nowhere, so that the interpreter ends in silence."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no file, or closed
        return


def _ask_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Repeat a signal that came where Python cannot raise it, such as in a weak reference's end."""
    number = STOPPED_BY.get(unraisable.exc_type)
    if number is None:
        sys.__unraisablehook__(unraisable)
    else:
        threading.Timer(SOON, _interrupt, (number,)).start()


def _interrupt(number: signal.Signals) -> None:
    """Send the main thread a signal that also ends a wait, where the system has such."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)
    else:
        _thread.interrupt_main(number)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise failure.Terminated
