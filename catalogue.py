"""What ops there are, and which targets can write them: read from the registries."""

from __future__ import annotations

import msgspec

from .eras import storage
from .errors import UsageError
from .ir.op import OPS, Op
from .ir.signature import Group, Pattern, Port, Ref
from .plugin import plugin_of

OTHER = "other"
"""The family of an op that names none."""


class OpInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One op.

    Attributes:
        name: As it is registered.
        family: The file that everything about it is in.
        summary: The first line of its docstring.
        keras: Whether it can be written for Keras.
        onnx: The lowest opset that it can be written in; None if ONNX cannot say it.
        reference: Whether its meaning is known, so that it can be run.
        plugin: The file or module it comes from, if that is a plugin.
    """

    name: str
    family: str
    summary: str
    keras: bool
    onnx: int | None
    reference: bool
    plugin: str = ""


def all_ops() -> list[OpInfo]:
    """Every registered op, by family."""
    from .exporters.keras import layers as _writers  # ruff: ignore[unused-import]  (registers)
    from .exporters.keras.registry import WRITERS
    from .exporters.onnx import ops as _emitters  # ruff: ignore[unused-import]  (registers)
    from .exporters.onnx.registry import lowest_opset
    from .ir import ops as _ops  # ruff: ignore[unused-import]  (registers)
    from .reference import evaluate as _evaluate  # ruff: ignore[unused-import]  (registers)
    from .reference.registry import computable

    found = [
        OpInfo(
            name=name,
            family=cls.family or OTHER,
            summary=_first_line(cls),
            keras=cls in WRITERS,
            onnx=lowest_opset(cls),
            reference=computable(cls),
            plugin=plugin_of(cls.__module__),
        )
        for name, cls in OPS.items()
    ]
    families = list(dict.fromkeys(info.family for info in found))
    return sorted(found, key=lambda info: families.index(info.family))


def op_class(name: str) -> type[Op]:
    """An op by its name, in any case.

    Raises:
        UsageError: There is none.
    """
    from .ir import ops as _ops  # ruff: ignore[unused-import]  (registers)

    by_name = {known.lower(): cls for known, cls in OPS.items()}
    if name.lower() not in by_name:
        import difflib

        near = difflib.get_close_matches(name.lower(), by_name, 1)
        hint = f"did you mean {by_name[near[0]].__name__}?" if near else "kerasir ops lists them"
        raise UsageError(f"no op {name!r}", hint=hint)
    return by_name[name.lower()]


def pattern_text(port: Port) -> str:
    """The pattern of a port as it is declared: `kernel_space channels filters`."""
    return _text(port.pattern)


def _text(pattern: Pattern) -> str:
    return " ".join(map(_item, pattern.items))


def _item(item: object) -> str:
    if isinstance(item, Ref):
        labels = f"[{' '.join(item.labels)}]" if item.labels else ""
        return f"{'~' if item.reversed else ''}{item.binding}{labels}"
    return f"({' '.join(map(_item, item.refs))})" if isinstance(item, Group) else "1"


def storage_rows(cls: type[Op]) -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """How the arrays of an op lie in the files of each era.

    Returns:
        For each parameter its name and its pattern in files of Keras 1 in either ordering and of
        Keras 2 and 3, "-" where an era has none; and those that Theano stores back to front.
    """
    eras: tuple[storage.Dialect, ...] = ("keras1_th", "keras1_tf", "keras2")
    rows = []
    for port in cls.params:
        key = (cls.__name__, port.name)
        th, tf, new = ((storage.STORAGE[era].get(key) or ("-",))[0] for era in eras)
        if {th, tf, new} != {"-"}:
            rows.append((port.name, th, tf, new))
    names = [port.name for port in cls.params if (cls.__name__, port.name) in storage.REVERSED]
    return rows, names


def _first_line(cls: type[Op]) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]
