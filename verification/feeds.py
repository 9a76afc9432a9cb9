"""What models are fed: random numbers that exercise them, or arrays of a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from ..engines import Engine, Port, Reference
from ..errors import FormatError, KerasirError, UnsupportedLayerError
from ..ir.layout import Axis, axes_of, size_of
from ..ir.ops.embedding import Masking
from ..ir.source import Array
from .matching import guessed

SAMPLES = 4
SEED = 0
FEWER_ABOVE = 100_000
"""Elements of one sample's inputs above which a single sample is fed: a picture of 224 by 224."""

OPEN_SIZES: Mapping[str, int] = {"T": 12, "D": 16, "H": 64, "W": 96}
"""What axes of open size are given: multiples of 32 where a network may halve them, all unlike."""
OTHERWISE = 8

MOST_DOUBLINGS = 12
MOST_ELEMENTS = 2_000_000
"""Of one sample's inputs, where open sizes are sought that are large enough."""

Extents = tuple[Mapping[str, int], int]
"""Sizes for axes of open size: by role, and for those of any other role."""

EXTENTS: Extents = OPEN_SIZES, OTHERWISE


class Feed(msgspec.Struct, frozen=True, eq=False):
    """Arrays for the inputs of a model, in its own order.

    Attributes:
        arrays: One per input.
        text: Where they come from.
    """

    arrays: tuple[Array, ...]
    text: str


def fixed_by(a: Engine, b: Engine) -> dict[Axis, int]:
    """Sizes that A leaves open and B does not: of a file that was written for one batch, say."""
    found: dict[Axis, int] = {}
    theirs = {port.name: port for port in b.inputs}
    for index, port in enumerate(a.inputs):
        other = theirs.get(port.name, b.inputs[index] if index < len(b.inputs) else port)
        layout = None if port.layout is None else guessed(port.layout, other.shape)
        terms = () if layout is None else layout.terms
        found |= {
            term: size
            for term, size in zip(terms, other.shape, strict=False)
            if isinstance(term, Axis) and term.size is None and size is not None
        }
    return found


def random_feed(
    engine: Engine,
    samples: int | None = None,
    seed: int = SEED,
    extents: Extents = EXTENTS,
    fixed: Mapping[Axis, int] = MappingProxyType({}),
) -> Feed:
    """Random inputs: normally distributed numbers, indices into tables, some steps masked.

    Args:
        engine: What will be fed.
        samples: How many; `SAMPLES` if not given, fewer for large inputs.
        seed: Of the generator.
        extents: For axes of open size; doubled for the reference as often as it takes until every
            layer has something to compute.
        fixed: Sizes of such axes that are known all the same.
    """
    if isinstance(engine, Reference) and any(None in port.shape[1:] for port in engine.inputs):
        extents = _roomy(engine, extents, fixed)
    count = _fixed_batch(engine, fixed) or samples or _samples(engine.inputs, extents)
    arrays = _random(engine.inputs, count, seed, extents, fixed)
    if isinstance(engine, Reference):
        _mask_ends(engine, arrays)
    many = "input" if count == 1 else "inputs"
    return Feed(tuple(arrays), f"{count} random {many}, seed {seed}")


def _random(
    ports: Sequence[Port],
    count: int,
    seed: int,
    extents: Extents,
    fixed: Mapping[Axis, int],
) -> list[Array]:
    generator = np.random.default_rng(seed)
    sizes = dict(fixed)
    arrays = []
    for port in ports:
        if port.dtype == "string":
            raise UnsupportedLayerError("an input of texts, which nothing here computes with")
        shape = _shape(port, sizes, count, extents)
        if port.below is not None:
            array = generator.integers(0, port.below, shape).astype(port.dtype)
        elif port.dtype.startswith("float"):
            array = generator.standard_normal(shape).astype(port.dtype)
        else:
            array = generator.integers(0, 2, shape).astype(port.dtype)
        arrays.append(array)
    return arrays


class _TooSmallError(Exception):
    """A layer's result holds nothing."""


def _roomy(engine: Reference, extents: Extents, fixed: Mapping[Axis, int]) -> Extents:
    """The extents, doubled until no result is empty; as they were if that takes too much.

    A network that crops five thousand steps at either end says nothing of twelve.
    """

    def watch(_: object, results: Sequence[Array]) -> None:
        if any(array.size == 0 for array in results):
            raise _TooSmallError

    known, otherwise = extents
    count = _fixed_batch(engine, fixed) or 1
    for power in range(MOST_DOUBLINGS + 1):
        grown = {role: size << power for role, size in known.items()}, otherwise << power
        arrays = _random(engine.inputs, count, SEED, grown, fixed)
        if sum(array.size for array in arrays) > MOST_ELEMENTS:
            break
        try:
            engine.run(arrays, watch)
        except UnsupportedLayerError:  # at any size
            break
        except (KerasirError, _TooSmallError):
            continue
        return grown
    return extents


def _fixed_batch(engine: Engine, fixed: Mapping[Axis, int]) -> int | None:
    known = (p.shape[0] for p in engine.inputs if p.shape)
    first = [port.layout.terms[0] for port in engine.inputs if port.layout and port.shape]
    also = (fixed.get(term) for term in first if isinstance(term, Axis))
    return next((size for size in (*known, *also) if size is not None), None)


def _samples(ports: Sequence[Port], extents: Extents) -> int:
    sizes: dict[Axis, int] = {}
    elements = sum(math.prod(_shape(port, sizes, 1, extents)) for port in ports)
    return SAMPLES if elements <= FEWER_ABOVE else 1


def _shape(port: Port, sizes: dict[Axis, int], samples: int, extents: Extents) -> tuple[int, ...]:
    """Extents with the open ones filled in, alike wherever an axis comes again."""
    known, otherwise = extents
    if port.layout is None:
        rest = [otherwise if size is None else size for size in port.shape[1:]]
        return (samples, *rest) if port.shape else ()
    for index, term in enumerate(port.layout.terms):
        for axis in axes_of((term,)):
            if axis.size is None and axis not in sizes:
                sizes[axis] = samples if index == 0 else known.get(axis.role, otherwise)
    return tuple(size_of(term, sizes) or 0 for term in port.layout.terms)


def _mask_ends(engine: Reference, arrays: list[Array]) -> None:
    """Let sequences that go into a Masking end early, each at another step."""
    inputs = [held.value for held in engine.plan.inputs]
    for node in engine.model.graph.nodes:
        if isinstance(node.op, Masking) and node.inputs[0] in inputs:
            array = arrays[inputs.index(node.inputs[0])]
            if array.ndim > 2:
                for sample in range(len(array)):
                    end = array.shape[1] - sample % max(1, array.shape[1])
                    array[sample, end:] = node.op.mask_value


class Known(msgspec.Struct, frozen=True, eq=False):
    """Arrays from a file: what is fed, and what should come back.

    Attributes:
        inputs: One per input; None if the file has none.
        outputs: One per output; None if the file has none.
    """

    inputs: tuple[Array, ...] | None
    outputs: tuple[Array, ...] | None


def known_arrays(engine: Engine, arrays: Mapping[str, Array], path: str) -> Known:
    """Sort arrays into inputs and outputs: `in_0`, `out_0`, …, or by the model's own names.

    Raises:
        FormatError: Some inputs are there and some are not, or one does not fit.
    """
    inputs = _sorted(_fed(engine, arrays), arrays, ("in_", "input_", "arr_"), path, "input")
    given = [port for port in engine.outputs if not port.state]
    outputs = _sorted(given, arrays, ("out_", "output_"), path, "output")
    return Known(None if inputs is None else _begun(engine, inputs), outputs)


def _fed(engine: Engine, arrays: Mapping[str, Array]) -> list[Port]:
    """Every input, or all but the states if the arrays have none of them."""
    named = [port for port in engine.inputs if not port.state]
    states = [port.name in arrays for port in engine.inputs if port.state]
    count = len(engine.inputs)
    numbered = any(f"in_{index}" in arrays for index in range(len(named), count))
    return list(engine.inputs) if any(states) or numbered else named


def _begun(engine: Engine, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """The inputs with zeros for states that are not among them."""
    batch = len(inputs[0]) if inputs and inputs[0].ndim else 1
    rest = (
        np.zeros([batch if size is None else size for size in port.shape], port.dtype)
        for port in engine.inputs[len(inputs) :]
    )
    return (*inputs, *rest)


def _sorted(
    ports: Sequence[Port],
    arrays: Mapping[str, Array],
    prefixes: Sequence[str],
    path: str,
    kind: str,
) -> tuple[Array, ...] | None:
    """The arrays of the ports in order, under the first naming that has any; None if none has."""
    namings = [[port.name for port in ports]]
    namings += [[f"{prefix}{i}" for i in range(len(ports))] for prefix in prefixes]
    for names in namings:
        present = [name for name in names if name in arrays]
        if len(present) == len(names):
            found = [arrays[name] for name in names]
            for port, array in zip(ports, found, strict=True):
                _must_fit(port, array, path, kind)
            return tuple(found)
        if present:
            absent = next(name for name in names if name not in arrays)
            raise FormatError(
                f"{present[0]} is there, {absent} is not",
                file=path,
                hint=f"the model has {len(ports)} {kind}s",
            )
    return None


def _must_fit(port: Port, array: Array, path: str, kind: str) -> None:
    pairs: list[tuple[Any, int]] = list(zip(port.shape, array.shape, strict=False))
    if len(port.shape) != array.ndim or any(size not in {None, extent} for size, extent in pairs):
        what = f"shape {array.shape} does not fit {kind} {port.name}, {port.text}"
        raise FormatError(what, file=path, hint=_other_order(port, array))


def _other_order(port: Port, array: Array) -> str:
    """What to say where only the order of the axes is another: the channels go elsewhere."""
    known = [size for size in port.shape[1:] if size is not None]
    extents = list(array.shape[1:])
    if len(known) < 2 or len(known) != len(port.shape) - 1 or sorted(known) != sorted(extents):
        return ""
    return "the axes are in another order: move them, or convert with --io-layout keep"
