"""Engines that run a model: the reference in either precision, ONNX Runtime for `.onnx` files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import numpy as np

from .errors import FormatError, KerasirError, LayoutError, UsageError, show
from .ir.graph import Graph, Value
from .ir.layout import Layout, size_of
from .ir.model import Model
from .ir.ops.activation import Elementwise, Softmax
from .ir.ops.embedding import Embedding
from .ir.ops.shape import View
from .ir.plan import Plan, Policy, Settled
from .ir.source import Array
from .passes.solve import solve
from .passes.states import states_of

Precision = Literal["float32", "float64"]
Watch = Callable[[Settled, tuple[Array, ...]], None]
Shape = tuple[int | None, ...]

ONNX_DTYPES: Mapping[str, str] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
"""ONNX Runtime's names of element types (`onnxruntime.NodeArg.type`) that can be fed."""

STATE = "state:"
"""How the keys of a file's metadata begin that tell which output is to be fed to which input."""

LARGEST_COPY = 512 << 20
"""Bytes of an ONNX file that is held in memory as well, to look at values before its end."""


class Port(msgspec.Struct, frozen=True):
    """An input or output of a model.

    Attributes:
        name: As the file calls it.
        shape: Extents in the order of the file; None where open.
        dtype: Of its numbers.
        layout: What the dimensions mean; None where the file does not say (ONNX).
        below: Indices into a table are fed, from 0 up to this; None for any numbers.
        state: Whether it is a layer's state, which begins with zeros and comes back.
    """

    name: str
    shape: Shape
    dtype: str = "float32"
    layout: Layout | None = None
    below: int | None = None
    state: bool = False

    @property
    def text(self) -> str:
        """The layout as it prints; the shape where there is none."""
        if self.layout is not None:
            return str(self.layout)
        return "(" + ", ".join("?" if size is None else str(size) for size in self.shape) + ")"


class Run(NamedTuple):
    """What came of a run.

    Attributes:
        outputs: One array per output, in the order of the file.
        logits: What a softmax that makes an output was given, by the number of the output.
    """

    outputs: list[Array]
    logits: dict[int, Array]


class Engine(Protocol):
    """Something that runs one model."""

    @property
    def path(self) -> str:
        """The file."""
        ...

    @property
    def title(self) -> str:
        """What computes, and in which precision."""
        ...

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What is fed, in order."""
        ...

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What comes back, in order."""
        ...

    def run(self, inputs: Sequence[Array], watch: Watch | None = None) -> Run:
        """Compute the outputs of these inputs, which lie as `inputs` says."""
        ...


class Reference:
    """kerasir's own NumPy semantics, on the model as its author had it.

    Attributes:
        model: What is run.
        plan: In which layouts; the author's.
        precision: Of the computation.
    """

    def __init__(self, model: Model, precision: Precision = "float64") -> None:
        self.model, self.precision = model, precision
        self.plan: Plan = solve(model.graph, Policy(order="source"))

    @property
    def path(self) -> str:
        """The file."""
        return self.model.facts.path

    @property
    def title(self) -> str:
        """What computes."""
        return f"reference, {self.precision}"

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What is fed."""
        tables = _tables(self.model.graph)
        first = len(self.plan.inputs) - states_of(self.model.graph)
        return tuple(
            Port(
                h.value.name,
                h.layout.shape,
                h.value.dtype,
                h.layout,
                tables.get(h.value),
                i >= first,
            )
            for i, h in enumerate(self.plan.inputs)
        )

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What comes back."""
        pairs = zip(self.model.graph.output_names, self.plan.outputs, strict=True)
        first = len(self.plan.outputs) - states_of(self.model.graph)
        return tuple(
            Port(name, h.layout.shape, h.value.dtype, h.layout, state=i >= first)
            for i, (name, h) in enumerate(pairs)
        )

    def run(self, inputs: Sequence[Array], watch: Watch | None = None) -> Run:
        """Compute the outputs.

        Raises:
            KerasirError: An input does not fit, or a layer's meaning is not known.
        """
        from .reference.evaluate import evaluate

        wanted = _softmaxed(self.model.graph)
        logits: dict[int, Array] = {}

        def watched(settled: Settled, results: tuple[Array, ...]) -> None:
            for value, array in zip(settled.node.results, results, strict=True):
                for index in wanted.get(value, ()):
                    logits[index] = array
            if watch is not None:
                watch(settled, results)

        try:
            outputs = evaluate(self.plan, inputs, dtype=self.precision, watch=watched)
        except KerasirError as error:
            error.at(file=self.path)
            raise
        return Run(outputs, logits)


def _softmaxed(graph: Graph) -> dict[Value, list[int]]:
    """Values that go into a softmax whose result is an output, with the number of that output."""
    found: dict[Value, list[int]] = {}
    for node in graph.nodes:
        if isinstance(node.op, Softmax) and node.inputs[0] is not None:
            numbers = [i for i, value in enumerate(graph.outputs) if value is node.result]
            if numbers:
                found.setdefault(node.inputs[0], []).extend(numbers)
    return found


def _tables(graph: Graph) -> dict[Value, int]:
    """Inputs that are indices into a table of weights, and how many rows it has."""
    consumers = graph.consumers()

    def reached(value: Value) -> Iterator[int]:
        todo, seen = [value], {value}
        while todo:
            for node in consumers[todo.pop()]:
                if isinstance(node.op, Embedding):
                    yield size_of(node.axes["vocabulary"][0]) or 1
                elif isinstance(node.op, (View, Elementwise)) and node.result not in seen:
                    seen.add(node.result)
                    todo.append(node.result)

    rows = {value: list(reached(value)) for value in graph.inputs}
    return {value: min(sizes) for value, sizes in rows.items() if sizes}


class OnnxRuntime:
    """ONNX Runtime on the CPU.

    Args:
        path: An `.onnx` file.
        inputs: What the dimensions of its inputs mean, where the caller knows.
        outputs: The same for its outputs.

    Raises:
        KerasirError: onnxruntime is not installed.
        FormatError: It cannot load the file.
    """

    def __init__(
        self, path: str, inputs: Sequence[Layout] = (), outputs: Sequence[Layout] = ()
    ) -> None:
        self.path = path
        self._session, self._logits, self.version = _session(path)
        given = self._session.get_outputs()
        said = self._session.get_modelmeta().custom_metadata_map
        self.inputs = _ports(self._session.get_inputs(), inputs, said, "input")
        self.outputs = _ports(given[: len(given) - len(self._logits)], outputs, said, "output")

    @property
    def title(self) -> str:
        """What computes."""
        return f"ONNX Runtime {self.version}"

    def run(self, inputs: Sequence[Array], watch: Watch | None = None) -> Run:
        """Compute the outputs; there is nothing to watch.

        Raises:
            KerasirError: The inputs do not fit, or ONNX Runtime fails.
        """
        feeds = {
            port.name: np.ascontiguousarray(array, dtype=port.dtype)
            for port, array in zip(self.inputs, inputs, strict=True)
        }
        try:
            found: list[Array] = self._session.run(None, feeds)
        except Exception as error:
            raise _failed("cannot run it", self.path, error) from error
        count = len(self.outputs)
        return Run(found[:count], dict(zip(self._logits, found[count:], strict=True)))


def _session(path: str) -> tuple[Any, list[int], str]:
    """A session, the outputs whose softmax inputs are further outputs of it, and the version."""
    try:
        import onnxruntime
    except ImportError as error:
        raise KerasirError(
            "running it needs ONNX Runtime, which is not installed",
            file=path,
            hint="pip install 'kerasir[verify]'",
        ) from error
    if not os.path.isfile(path):
        raise FormatError("there is no such file", file=path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors come as exceptions
    model, logits = _with_logits(path)
    try:
        session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    except Exception as error:
        raise _failed("cannot load it", path, error) from error
    return session, logits, onnxruntime.__version__


def _with_logits(path: str) -> tuple[str | bytes, list[int]]:
    """The model with what goes into a final softmax as further outputs.

    A model that is large, or whose tensors lie in other files, is run as it is.
    """
    import onnx

    if os.path.getsize(path) > LARGEST_COPY:
        return path, []
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:
        raise FormatError(f"not ONNX: {show(str(error))}", file=path) from error
    external = onnx.TensorProto.EXTERNAL
    if any(tensor.data_location == external for tensor in model.graph.initializer):
        return path, []
    numbers = {output.name: index for index, output in enumerate(model.graph.output)}
    border = {*numbers, *(given.name for given in model.graph.input)}
    logits: list[int] = []
    for node in model.graph.node:
        last = node.op_type == "Softmax" and node.output[0] in numbers
        if last and node.input[0] not in border:
            border.add(node.input[0])
            index = numbers[node.output[0]]
            extra = onnx.ValueInfoProto()
            extra.CopyFrom(model.graph.output[index])
            extra.name = node.input[0]
            model.graph.output.append(extra)
            logits.append(index)
    return (model.SerializeToString(), logits) if logits else (path, [])


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
    pairs = list(zip(layout.shape, shape, strict=False))
    fits = len(layout.terms) == len(shape) and all(a == b or None in {a, b} for a, b in pairs)
    return layout if fits and text else None


def _failed(what: str, path: str, error: Exception) -> FormatError:
    reason = " ".join(str(error).split())
    return FormatError(f"ONNX Runtime {what}: {show(reason, 400)}", file=path)


def open_engine(
    path: str,
    *,
    engine: str | None = None,
    precision: Precision = "float64",
    **reading: Any,
) -> Engine:
    """The engine for a file.

    Args:
        path: Any model that kerasir reads, or `.onnx`.
        engine: `reference` or `onnxruntime`; what fits the file if not given.
        precision: Of the reference.
        reading: What `load` takes.

    Raises:
        UsageError: The engine cannot run such a file.
    """
    onnx = path.lower().endswith(".onnx")
    chosen = engine or ("onnxruntime" if onnx else "reference")
    if chosen == "onnxruntime":
        if not onnx:
            raise UsageError(
                "--engine onnxruntime runs .onnx files", file=path, hint="convert it to ONNX first"
            )
        return OnnxRuntime(path)
    if onnx:
        raise UsageError("the reference runs Keras files", file=path, hint="--engine onnxruntime")
    from .loading import load

    return Reference(load(path, **reading), precision)
