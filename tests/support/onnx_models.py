"""Graphs exported to ONNX, checked in every way there is, and run: what the ONNX tests share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from one_op import OneOp

from kerasir.exporters.onnx.export import DEFAULT_OPSET, HIGHEST, LOWEST, export_onnx
from kerasir.ir.graph import Graph
from kerasir.ir.model import Fact, Facts, Model
from kerasir.ir.plan import Plan, Policy
from kerasir.ir.report import Event, Report
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

Array = NDArray[Any]

SPARED = {"LocallyConnected", "LSTM", "GRU", "SimpleRNN", "Dot", "MultiHeadAttention"}
"""Ops that need Transposes of their own."""


def onnx_policy(io: str = "keep") -> Policy:
    return Policy(order="channels_first", one_dimensional=True, trailing=True, io=io)  # type: ignore[arg-type]


def model_of(graph: Graph, name: str = "model") -> Model:
    """A model as if it had been read from a file of Keras 2.2.4."""
    return Model(
        graph=graph,
        name=name,
        kind="functional",
        facts=Facts(
            path="old/model.h5",
            bytes=1,
            container="hdf5",
            content="model",
            era=Fact("keras2", "file"),
            version=Fact("2.2.4", "file"),
            backend=Fact("theano", "file"),
            ordering=Fact(None, "unknown"),
        ),
        report=Report(),
    )


class Exported(NamedTuple):
    """What was written, and how."""

    model: onnx.ModelProto
    path: Path
    plan: Plan
    events: Sequence[Event]

    @property
    def counts(self) -> Counter[str]:
        """Nodes by operator, those in bodies included."""
        return Counter(node.op_type for node in all_nodes(self.model.graph))

    def node(self, name: str) -> onnx.NodeProto:
        return next(node for node in all_nodes(self.model.graph) if node.name == name)

    @property
    def states(self) -> dict[str, str]:
        """Inputs that take a state, and the outputs that give it."""
        said = {entry.key: entry.value for entry in self.model.metadata_props}
        pairs = ((key.removeprefix("state:"), said[key]) for key in said if key.startswith("state"))
        return dict(pairs)

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """What ONNX Runtime makes of these inputs, given in the order of the file's."""
        return self.calls(inputs, 1)[0]

    def calls(self, inputs: Sequence[Array], count: int) -> list[list[Array]]:
        """The same several times; states, which zeros begin, go from call to call."""
        session = _session(self.path)
        ports = session.get_inputs()
        first = [port for port in ports if port.name not in self.states]
        fed = {
            port.name: np.ascontiguousarray(array, TYPES[port.type])
            for port, array in zip(first, inputs, strict=True)
        }
        for port in ports[len(first) :]:
            fed[port.name] = np.zeros(port.shape, TYPES[port.type])
        found = []
        for _ in range(count):
            outputs = {value.name: None for value in session.get_outputs()}
            outputs |= zip(outputs, session.run(None, fed), strict=True)
            fed |= {name: outputs[other] for name, other in self.states.items()}
            found.append([v for name, v in outputs.items() if name not in self.states.values()])
        return found


TYPES: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])


@cache
def newest_opset() -> int:
    """The newest opset that kerasir writes and the installed onnx and ONNX Runtime read."""
    import onnxruntime

    x, y = (onnx.helper.make_tensor_value_info(name, 1, ["n"]) for name in "xy")
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "probe", [x], [y])
    for opset in range(min(HIGHEST, onnx.defs.onnx_opset_version()), LOWEST, -1):
        model = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=7
        )
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(), providers=["CPUExecutionProvider"]
            )
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
            continue
        return opset
    return LOWEST


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from all_nodes(attribute.g)


def export(
    graph: Graph, folder: Path, *, opset: int = DEFAULT_OPSET, io: str = "keep", **options: Any
) -> Exported:
    """Write a graph, and check the file."""
    plan, path = solve(graph, onnx_policy(io)), folder / "model.onnx"
    events = export_onnx(model_of(graph), plan, path, opset=opset, overwrite=True, **options)
    model = onnx.load(path)
    must_be_valid(model, path)
    return Exported(model, path, plan, events)


def must_be_valid(model: onnx.ModelProto, path: Path) -> None:
    """The full check, strict inference, and a type for every tensor that agrees with inference."""
    onnx.checker.check_model(str(path), full_check=True)
    inferred = onnx.shape_inference.infer_shapes(
        model, check_type=True, strict_mode=True, data_prop=True
    )
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    _forget(bare.graph)
    alone = onnx.shape_inference.infer_shapes(bare, strict_mode=True, data_prop=True)
    assert not _must_be_complete(model.graph)
    _must_agree(model.graph, alone.graph)
    assert len(inferred.graph.value_info) == len(model.graph.value_info)
    names = [node.name for node in all_nodes(model.graph)]
    assert all(names)
    assert len(set(names)) == len(names)


def _forget(graph: onnx.GraphProto) -> None:
    graph.ClearField("value_info")
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _forget(attribute.g)


def _must_be_complete(graph: onnx.GraphProto) -> set[str]:
    """Every tensor has a type whose extents are all said; gives what is read from around."""
    typed = {value.name: value for value in (*graph.value_info, *graph.input, *graph.output)}
    assert len(typed) == len(graph.value_info) + len(graph.input) + len(graph.output)
    made = {name for node in graph.node for name in node.output if name}
    assert {value.name for value in (*graph.value_info, *graph.output)} == made
    for value in typed.values():
        dims = value.type.tensor_type.shape.dim
        assert all(dim.WhichOneof("value") for dim in dims), value
    read = {name for node in graph.node for name in node.input if name}
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                read |= _must_be_complete(attribute.g)
    stored = {tensor.name for tensor in graph.initializer}
    assert len(stored) == len(graph.initializer)
    assert stored <= read
    return read - typed.keys() - stored


def _must_agree(ours: onnx.GraphProto, theirs: onnx.GraphProto) -> None:
    """What inference finds by itself is what we say, as far as both are numbers."""
    known = {value.name: value for value in theirs.value_info}
    checked = 0
    for value in ours.value_info:
        other = known.get(value.name)
        if other is None or not other.type.tensor_type.HasField("shape"):
            continue
        mine, found = value.type.tensor_type, other.type.tensor_type
        assert mine.elem_type == found.elem_type, value.name
        assert len(mine.shape.dim) == len(found.shape.dim), (value, other)
        for a, b in zip(mine.shape.dim, found.shape.dim, strict=True):
            if a.HasField("dim_value") and b.HasField("dim_value"):
                assert a.dim_value == b.dim_value, (value.name, mine, found)
                checked += 1
    assert checked or not ours.value_info


def expected(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """The reference's outputs in the author's order, from the plan that moves nothing."""
    return evaluate(solve(graph, Policy()), inputs, dtype=np.float64)


def must_equal(
    found: Sequence[Array], want: Sequence[Array], within: float = 1e-5, *, finite: bool = True
) -> None:
    """Equal, relative to the largest number of each output; and there are numbers at all."""
    assert len(found) == len(want)
    for a, b in zip(found, want, strict=True):
        assert a.shape == b.shape
        assert b.size
        assert not finite or np.isfinite(b).all()
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        np.testing.assert_allclose(a, b, rtol=0, atol=within * scale)


def agrees(
    one: OneOp,
    *arrays: Array,
    folder: Path,
    opset: int = DEFAULT_OPSET,
    within: float = 1e-5,
    finite: bool = True,
) -> Exported:
    """Export a graph of one op, run it, and assert what the reference says of it.

    Args:
        one: The op.
        arrays: Its inputs, in the order of the ports' patterns.
        folder: Where to write.
        opset: What to write.
        within: As of `must_equal`.
        finite: As of `must_equal`.
    """
    fed = [
        np.transpose(array, [terms.index(term) for term in value.axes])
        for array, terms, value in zip(arrays, one.inputs, one.graph.inputs, strict=True)
    ]
    exported = export(one.graph, folder, opset=opset)
    must_equal(exported.run(fed), expected(one.graph, fed), within, finite=finite)
    return exported
