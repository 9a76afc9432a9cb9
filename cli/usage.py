"""Options and help as kerasir writes them: click parses, the texts are ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ..errors import UsageError
from .console import Console, When
from .settings import Settings
from .values import OneOf, near

COLUMN = 35
"""Where the help of an option begins, counted from 0; it never moves."""
COLORS: tuple[When, ...] = ("auto", "always", "never")
SHARED = (
    "  -q  -v  --json  --color  --debug  -h",
    "As for every command: kerasir --help",
)


class Option(click.Option):
    """An option that knows the group of the help it stands in.

    Args:
        section: The heading; "" for an option that the help does not list.
        args: As click has them.
        kwargs: As click has them.
    """

    def __init__(self, *args: Any, section: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section

    def row(self, console: Console) -> str:
        """Its line in the help, such as `  --tolerance X    Largest relative error … [1e-05]`."""
        names = ", ".join(sorted(self.opts, key=len))
        metavar = f" {self.metavar}" if self.metavar and not self.is_flag else ""
        told = (self.help or "").replace("\n", "\n" + " " * COLUMN)
        text, bracket, default = told.partition(" [")
        shown = text + console.paint(bracket + default, "dim")
        painted = "  " + console.paint(names, "cyan") + console.paint(metavar, "dim")
        taken = 2 + len(names + metavar)
        gap = " " * (COLUMN - taken) if taken + 2 <= COLUMN else "\n" + " " * COLUMN
        return painted + gap + shown


class Section:
    """A heading of a command's help, and what makes the options that stand below it.

    Args:
        title: The heading.
    """

    def __init__(self, title: str) -> None:
        self.title = title

    def flag(self, names: str, text: str, **kwargs: Any) -> Option:
        """An option without a value.

        Args:
            names: Such as `--overwrite`; several are separated by blanks.
            text: Its line in the help.
            kwargs: As click has them.
        """
        return Option(names.split(), is_flag=True, section=self.title, help=text, **kwargs)

    def value(self, names: str, metavar: str, text: str, kind: Any = None, **kwargs: Any) -> Option:
        """An option with a value.

        Args:
            names: As of a flag.
            metavar: What the help calls the value.
            text: Its line in the help; a default stands in brackets at its end.
            kind: What the value has to be; any text if not given.
            kwargs: As click has them.
        """
        return Option(
            names.split(), metavar=metavar, section=self.title, help=text, type=kind, **kwargs
        )

    def values(self, names: str, metavar: str, text: str, kind: Any = None) -> Option:
        """An option that may be given several times."""
        return self.value(names, metavar, text, kind, multiple=True)


OUTPUT = Section("Output")
"""The last heading of every command, which has the options that all share."""


class Command(click.Command):
    """A command with kerasir's help.

    Args:
        intro: What it does, in a paragraph.
        examples: Sentences with the command lines below them.
        args: As click has them.
        kwargs: As click has them.
    """

    def __init__(
        self,
        *args: Any,
        intro: str = "",
        examples: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.intro, self.examples = intro, examples
        self.params += shared_options()

    def get_help(self, ctx: click.Context) -> str:
        """The whole text."""
        return "\n".join(self._lines(ctx, _settings(ctx).out))

    def _lines(self, ctx: click.Context, console: Console) -> list[str]:
        arguments = [p.make_metavar(ctx) for p in self.params if isinstance(p, click.Argument)]
        lines = [
            " ".join([
                f"{console.paint('Usage:', 'bold')} {ctx.command_path} [OPTIONS]",
                *arguments,
            ]),
            "",
            *self.intro.splitlines(),
        ]
        sections: dict[str, list[Option]] = {}
        for param in self.params:
            if isinstance(param, Option) and param.section:
                sections.setdefault(param.section, []).append(param)
        sections.setdefault(OUTPUT.title, [])
        for title, options in sections.items():
            lines += ["", console.paint(title, "bold")]
            lines += [option.row(console) for option in options]
            if title == OUTPUT.title:
                lines.append(console.paint(SHARED[0], "cyan") + "    " + SHARED[1])
        if self.examples:
            lines += ["", console.paint("Examples", "bold")]
        for sentence, command in self.examples:
            lines.append(console.paint(f"  {sentence}", "dim"))
            lines += [f"    {line}" for line in command.splitlines()]
        return lines

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Nothing: usage errors are printed by `failure`."""


def shared_options() -> list[click.Parameter]:
    """The options of every command; they may stand before its name or after it."""

    def option(*names: str, **kwargs: Any) -> Option:
        return Option([*names], expose_value=False, callback=_note, **kwargs)

    return [
        option("-q", "--quiet", is_flag=True),
        option("-v", "--verbose", count=True),
        option("--json", is_flag=True),
        option("--color", type=OneOf(*COLORS), default=None),
        option("--debug", is_flag=True),
        Option(["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=_help),
    ]


def _note(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep what was said; what was said before the command's name stays."""
    settings = _settings(ctx)
    if param.name == "verbose":
        settings.verbose += value
    elif value:
        setattr(settings, str(param.name), value)


def _help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        _settings(ctx).out.print(ctx.get_help())
        ctx.exit(0)


def _settings(ctx: click.Context) -> Settings:
    return ctx.ensure_object(Settings)


def usage_error(error: click.UsageError, command: str = "") -> UsageError:
    """A complaint of click, in kerasir's words; `command` is whose it is, if click forgot that."""
    program = error.ctx.command_path if error.ctx else f"kerasir {command}".strip()
    hint = f"{program} --help"
    if isinstance(error, click.NoSuchOption):
        known = [name for p in error.ctx.command.params for name in p.opts] if error.ctx else []
        meant = near(error.option_name, known)
        return UsageError(f"no option {error.option_name!r}", hint=meant or hint)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = error.param.metavar or str(error.param.name).upper()
        return UsageError(f"{name} is missing", hint=hint)
    if isinstance(error, click.BadOptionUsage):
        return UsageError("it needs a value", where=error.option_name, hint=hint)
    if isinstance(error, click.BadParameter) and error.param is not None:
        what = error.message.rstrip(".")
        return UsageError(what[:1].lower() + what[1:], where=error.param.opts[0], hint=hint)
    what = error.message.rstrip(".").replace("Got unexpected", "unexpected")
    return UsageError(what[:1].lower() + what[1:], hint=hint)


def unknown_command(name: str, known: Sequence[str]) -> UsageError:
    """The error for a command that does not exist."""
    hint = near(name, known) or f"one of {', '.join(known)}"
    return UsageError(f"no command {name!r}", hint=hint)
