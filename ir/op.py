"""The base of all ops, and their registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from ..errors import PluginError
from .signature import Port, bindings_of

Rule = Literal["ports", "view", "merge", "join", "places", "pinned"]
MaskRule = Literal["keep", "drop", "consume", "own"]

ORDERED: frozenset[str] = frozenset({"batch", "space", "out_space", "time", "kernel_space"})
"""Bindings in which position has a meaning of its own, so that their inner order never changes."""


class Op(msgspec.Struct, frozen=True, kw_only=True):
    """What a node computes: a frozen record of attributes over declared ports.

    Subclasses declare their ports as class variables; attributes are plain checked data, never
    axes (a node binds those) and never numbers of a weight.

    Class attributes:
        family: The file that everything about the op is found under, such as `pooling`.
        inputs: Ports of activations.
        params: Ports of weights, in canonical layout: the order that `normalize_kernels` wants.
        results: Ports of results.
        rule: How layouts are settled: by the ports alone, or by a rule for views, merges, joins;
            `pinned` wants everything in source order, `places` too, unless all extents stay.
        ordered: Bindings whose inner order is part of the meaning.
        letters: What the axes of a binding print as in a weight's layout.
        mixes: Whether what one entry of the batch gives depends on the others.
        mask: What becomes of a Keras mask: kept, dropped, consumed as an input, or a rule of
            the op's own.
        trailing: Whether its one operator in some target works along the last axes only.
        linear: Whether a weightless element-wise op maps any batch entry by itself.
    """

    family: ClassVar[str] = ""
    inputs: ClassVar[tuple[Port, ...]] = ()
    params: ClassVar[tuple[Port, ...]] = ()
    results: ClassVar[tuple[Port, ...]] = ()
    rule: ClassVar[Rule] = "ports"
    ordered: ClassVar[frozenset[str]] = ORDERED
    letters: ClassVar[Mapping[str, str]] = {}
    mask: ClassVar[MaskRule] = "keep"
    mixes: ClassVar[bool] = False
    trailing: ClassVar[bool] = False

    @classmethod
    def port(cls, name: str) -> Port:
        """The declared port of this name."""
        for port in (*cls.inputs, *cls.params, *cls.results):
            if port.name == name:
                return port
        raise KeyError(f"{cls.__name__} has no port {name}")

    @classmethod
    def made(cls) -> frozenset[str]:
        """Bindings that only results have: the op makes these axes itself."""
        return bindings_of(cls.results) - bindings_of(cls.inputs)

    @property
    def kind(self) -> str:
        """The op's name."""
        return type(self).__name__


OPS: dict[str, type[Op]] = {}

_OF_EVERY_OP = frozenset(dir(Op))

OpType = TypeVar("OpType", bound=type[Op])


def op(cls: OpType) -> OpType:
    """Register an op under its class name.

    Raises:
        PluginError: The name is taken, or an attribute has the name of something every op has.
    """
    name = getattr(cls, "namespace", "") + cls.__name__
    hidden = _OF_EVERY_OP.intersection(cls.__struct_fields__)
    if hidden:
        raise PluginError(f"op {name}: {sorted(hidden)[0]} is no name for an attribute")
    if name in OPS:
        raise PluginError(f"op {name} is already declared in {OPS[name].__module__}")
    OPS[name] = cls
    return cls


def attributes(record: Op) -> dict[str, Any]:
    """The op's attributes as plain data."""
    return {name: getattr(record, name) for name in record.__struct_fields__}
