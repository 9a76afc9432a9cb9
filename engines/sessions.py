"""Sessions of ONNX Runtime, of a file as it is or with further outputs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import FormatError, KerasirError, no_such_file, show

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

LARGEST_COPY = 512 << 20
"""Bytes of an ONNX file that is held in memory as well, to look at values before its end."""

FOLDER = "session.model_external_initializers_file_folder_path"
"""Where ONNX Runtime looks for the data of a model that it is given as bytes
(`onnxruntime_session_options_config_keys.h`)."""


def session_of(path: str, model: str | bytes) -> Any:
    """A session on the CPU.

    Args:
        path: The file, for messages, and to find what lies beside it.
        model: The same path, or a model in bytes that was made of the file.

    Raises:
        KerasirError: onnxruntime is not installed.
        FormatError: It cannot load the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise KerasirError(
            "running it needs ONNX Runtime, which is not installed",
            file=path,
            hint="pip install 'kerasir[verify]'",
        ) from error
    if not os.path.isfile(path):
        raise no_such_file(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors come as exceptions
    if isinstance(model, bytes):
        options.add_session_config_entry(FOLDER, os.path.dirname(os.path.abspath(path)))
    try:
        return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    except Exception as error:
        raise failed("cannot load it", path, error) from error


def failed(what: str, path: str, error: Exception) -> FormatError:
    """What ONNX Runtime says, as an error of ours."""
    reason = " ".join(str(error).split())
    return FormatError(f"ONNX Runtime {what}: {show(reason, 400)}", file=path)


def read_proto(path: str) -> ModelProto:
    """The file's message; tensors that lie in other files stay there.

    Raises:
        FormatError: It is none.
    """
    import onnx

    if not os.path.isfile(path):
        raise no_such_file(path)
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:
        raise FormatError(f"not ONNX: {show(str(error))}", file=path) from error


def check_file(path: str) -> None:
    """Hold a file against the standard: every operator, and strict inference of types and shapes.

    By its path, so that data beside it, and files of more than 2 GB, are checked as well.

    Raises:
        FormatError: It is not valid.
    """
    import onnx

    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # of several classes, which only have a text in common
        reason = " ".join(str(error).split())
        raise FormatError(f"onnx.checker: {show(reason, 400)}", file=path) from error


def with_logits(path: str) -> tuple[str | bytes, list[int]]:
    """The model with what goes into a final softmax as further outputs.

    A model that is large, or whose tensors lie in other files, is run as it is.

    Returns:
        The path or the changed model; the outputs whose softmax inputs follow behind the others.

    Raises:
        FormatError: The file is no ONNX.
    """
    import onnx

    if not os.path.isfile(path) or os.path.getsize(path) > LARGEST_COPY:
        return path, []
    model = read_proto(path)
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


def documented(model: ModelProto) -> list[ValueInfoProto]:
    """Tensors between nodes that say which value they hold, in order; functions are opened."""
    order = {name: place for place, node in enumerate(model.graph.node) for name in node.output}
    typed = [value for value in model.graph.value_info if value.doc_string and value.name in order]
    return sorted(typed, key=lambda value: order[value.name])


def with_outputs(model: ModelProto, values: Sequence[ValueInfoProto]) -> bytes:
    """The model with further outputs."""
    import onnx

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    changed.graph.output.extend(values)
    data: bytes = changed.SerializeToString()
    return data
