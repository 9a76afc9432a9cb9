"""ONNX Runtime as an engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import FormatError, LayoutError
from ..ir.layout import Layout
from ..ir.source import Array
from .records import Port, Run, Shape, Watch, fits
from .sessions import documented, failed, read_proto, session_of, with_logits, with_outputs

if TYPE_CHECKING:
    from onnx import ValueInfoProto

ONNX_DTYPES: Mapping[str, str] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
"""ONNX Runtime's names of element types (`onnxruntime.NodeArg.type`) that can be fed."""

HELD = 1 << 26
"""Numbers between nodes that are held at a time."""

UNKNOWN_EXTENT = 64
"""What an open dimension is taken for when numbers are counted."""

STATE = "state:"
"""How the keys of a file's metadata begin that tell which output is to be fed to which input."""


class Inside(NamedTuple):
    """A value inside a model.

    Attributes:
        name: As the model calls it that the file was made of.
        layout: As it prints.
        array: Its numbers.
    """

    name: str
    layout: str
    array: Array


class OnnxRuntime:
    """ONNX Runtime on the CPU.

    Args:
        path: An `.onnx` file.
        inputs: What the dimensions of its inputs mean, where the caller knows.
        outputs: The same for its outputs.

    Attributes:
        half: Whether it computes in half precision, as kerasir says in its files.

    Raises:
        KerasirError: onnxruntime is not installed.
        FormatError: It cannot load the file.
    """

    def __init__(
        self, path: str, inputs: Sequence[Layout] = (), outputs: Sequence[Layout] = ()
    ) -> None:
        self.path = path
        model, self._logits = with_logits(path)
        self._session = session_of(path, model)
        given = self._session.get_outputs()
        said = self._session.get_modelmeta().custom_metadata_map
        self.half = said.get("precision") == "float16"
        self.inputs = _ports(self._session.get_inputs(), inputs, said, "input")
        self.outputs = _ports(given[: len(given) - len(self._logits)], outputs, said, "output")

    @property
    def title(self) -> str:
        """What computes."""
        import onnxruntime

        return f"ONNX Runtime {onnxruntime.__version__}"

    def run(self, inputs: Sequence[Array], watch: Watch | None = None) -> Run:
        """Compute the outputs; there is nothing to watch.

        Raises:
            KerasirError: The inputs do not fit, or ONNX Runtime fails.
        """
        found = self._run(self._session, inputs)
        count = len(self.outputs)
        return Run(found[:count], dict(zip(self._logits, found[count:], strict=True)))

    def inside(self, inputs: Sequence[Array], wanted: Callable[[str], bool]) -> Iterator[Inside]:
        """Values between nodes, as far as the file says what its tensors are: kerasir's do.

        Few are held at a time: the model runs again for every so many numbers.

        Args:
            inputs: As for `run`.
            wanted: Whether a value of this name is.

        Yields:
            Each value at its first tensor, in order of execution.

        Raises:
            KerasirError: As of `run`.
        """
        model = read_proto(self.path)
        if model.functions:
            from onnx.inliner import inline_local_functions

            model = inline_local_functions(model)
        todo: dict[str, ValueInfoProto] = {}
        for value in documented(model):
            name = value.doc_string.rpartition(": ")[0]
            if wanted(name):
                todo.setdefault(name, value)
        for group in _groups(list(todo.values()), len(inputs[0]) if inputs else 1):
            session = session_of(self.path, with_outputs(model, group))
            arrays = self._run(session, inputs)[-len(group) :]
            for value, array in zip(group, arrays, strict=True):
                name, _, text = value.doc_string.rpartition(": ")
                yield Inside(name, text, array)

    def _run(self, session: Any, inputs: Sequence[Array]) -> list[Array]:
        feeds = {
            port.name: np.ascontiguousarray(array, dtype=port.dtype)
            for port, array in zip(self.inputs, inputs, strict=True)
        }
        try:
            found: list[Array] = session.run(None, feeds)
        except Exception as error:
            raise failed("cannot run it", self.path, error) from error
        return found


def _groups(values: Sequence[ValueInfoProto], batch: int) -> Iterator[list[ValueInfoProto]]:
    """So many at a time that not too many numbers are held."""
    group, held = list[Any](), 0
    for value in values:
        dims = [dim.dim_value or UNKNOWN_EXTENT for dim in value.type.tensor_type.shape.dim]
        size = math.prod(dims[1:]) * batch
        if group and held + size > HELD:
            yield group
            group, held = [], 0
        group.append(value)
        held += size
    if group:
        yield group


def _ports(
    described: Sequence[Any], layouts: Sequence[Layout], said: Mapping[str, str], what: str
) -> tuple[Port, ...]:
    """Ports, their layouts as the caller knows them, else as kerasir wrote them into the file."""
    found: list[Port] = []
    pairs = {
        name.removeprefix(STATE): other for name, other in said.items() if name.startswith(STATE)
    }
    states = pairs.keys() if what == "input" else set(pairs.values())
    for index, argument in enumerate(described):
        dtype = ONNX_DTYPES.get(argument.type)
        if dtype is None:
            raise FormatError(f"an input or output of type {argument.type}", where=argument.name)
        shape = tuple(size if isinstance(size, int) else None for size in argument.shape)
        layout = _layout(said.get(f"{what}_layout:{argument.name}", ""), shape)
        known = layouts[index] if index < len(layouts) else layout
        state = argument.name in states
        found.append(Port(argument.name, shape, dtype, known, state=state))
    return tuple(found)


def _layout(text: str, shape: Shape) -> Layout | None:
    """A layout that a file states, if it is one and fits."""
    try:
        layout = Layout.parse(text)
    except LayoutError:
        return None
    return layout if text and fits(layout, shape) else None
