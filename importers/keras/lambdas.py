"""What a Lambda computes, as the user says it: an expression in the place of code nobody runs.

`x / 127.5 - 1` becomes operations as Keras 3 has them. The expression is parsed and looked up in a
table of operations, never evaluated.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ...eras.operations import KERAS3
from ...errors import ConfigError, UsageError, show
from ...ir.report import Report
from .layers import OPERATION
from .spec import Call, LayerSpec, ModelSpec, Ref, refs_in, walk

LAMBDA = "Lambda"
MOST = 500
"""Characters of an expression."""

OPERATORS: Mapping[type[ast.AST], tuple[str, Callable[..., Any]]] = {
    ast.Add: ("Add", operator.add),
    ast.Sub: ("Subtract", operator.sub),
    ast.Mult: ("Multiply", operator.mul),
    ast.Div: ("Divide", operator.truediv),
    ast.Pow: ("Power", lambda base, exponent: float(base) ** exponent),
    ast.Mod: ("Mod", operator.mod),
    ast.FloorDiv: ("FloorDivide", operator.floordiv),
    ast.USub: ("Negative", operator.neg),
    ast.UAdd: ("Identity", operator.pos),
}
"""Python's operators: the operation on tensors, and what is done with numbers alone."""

FUNCTIONS: Mapping[str, str] = {
    re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(): name for name in KERAS3
} | {
    "pow": "Power", "concat": "Concatenate", "reverse": "Flip", "permute_dimensions": "Transpose",
    "reduce_mean": "Mean", "reduce_sum": "Sum", "l2_normalize": "Normalize",
}  # fmt: skip
"""Functions as `keras.ops` and Keras' backends call them, and their operation."""

PRESET: Mapping[str, Mapping[str, Any]] = {"l2_normalize": {"epsilon": 1e-6}}
"""What a function of a backend means where `keras.ops` would mean something else: the backends take
the root of a square of 1e-12 at least (Keras 2.2.4 `tensorflow_backend.py` `l2_normalize`)."""

_REDUCED = ("Mean", "Sum", "Max", "Min", "Prod", "Std", "Var", "Any", "All")
POSITIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_REDUCED, ("axis", "keepdims")),
    **dict.fromkeys(
        ("Softmax", "LogSoftmax", "Normalize", "ExpandDims", "Squeeze", "Flip", "Concatenate",
         "Stack"),
        ("axis",),
    ),
    "Clip": ("x_min", "x_max"),
    "Transpose": ("axes",),
    "Reshape": ("newshape",),
}  # fmt: skip
"""What stands behind the tensor, where it is not named."""

_INPUT = re.compile(r"x(\d?)")


def with_lambdas(spec: ModelSpec, said: Mapping[str, str], report: Report) -> ModelSpec:
    """The model with operations in the place of Lambdas.

    Args:
        spec: The model.
        said: Expressions by the name of their Lambda, over its input `x`, or `x[0]`, `x[1]`, … of
            several, which are called `x0`, `x1` as well.
        report: Told which layers are taken for what.

    Raises:
        UsageError: There is no such Lambda, or its expression cannot be read.
    """
    if not said:
        return spec
    known = [layer.name for layer in walk(spec) if layer.class_name == LAMBDA]
    for name in said:
        if name not in known:
            hint = f"it has {', '.join(known)}" if known else "it has none"
            raise UsageError(f"no Lambda is called {show(name)}", where="--lambda", hint=show(hint))
    return _model(spec, said, report)


def _model(spec: ModelSpec, said: Mapping[str, str], report: Report) -> ModelSpec:
    layers: list[LayerSpec] = []
    for layer in spec.layers:
        if layer.model is not None:
            layers.append(replace(layer, model=_model(layer.model, said, report)))
        elif layer.class_name == LAMBDA and layer.name in said:
            text = said[layer.name]
            told = f"taken for {show(text)}, as --lambda says; its code is left out"
            report.add("KS103", "changed", told, layer=layer.name)
            taken = {other.name for other in spec.layers}
            layers += _Formula(layer, text, taken).layers()
        elif layer.wrapped is not None and layer.wrapped.name in said:
            raise ConfigError(
                f"it stands inside {layer.class_name}, where --lambda does not reach",
                where=layer.wrapped.name,
                hint="a plugin can say what it computes",
            )
        else:
            layers.append(layer)
    return replace(spec, layers=tuple(layers))


class _Formula:
    """One Lambda's expression, as layers that compute it in each of its calls."""

    def __init__(self, layer: LayerSpec, text: str, taken: set[str]) -> None:
        self.layer, self.text, self.taken = layer, text, taken
        self.steps: list[LayerSpec] = []

    def layers(self) -> list[LayerSpec]:
        """The operations in order; the last is called as the Lambda was."""
        try:
            if len(self.text) > MOST:
                raise self._unreadable("it is too long")
            found = self._value(ast.parse(self.text.strip(), mode="eval").body)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise self._unreadable("it is no expression") from error
        if not isinstance(found, _Tensor):
            raise self._unreadable("it does not depend on x")
        if found.step is None:
            self._step("Identity", [found], {})
        *before, last = self.steps
        return [*before, replace(last, name=self.layer.name)]

    def _value(self, node: ast.AST) -> Any:
        """A tensor, a number, or a list of numbers.

        Raises:
            UsageError: It is written in another way.
        """
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return node.value
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self._value(item) for item in node.elts]
        if isinstance(node, ast.Name) and (named := _INPUT.fullmatch(node.id)):
            return self._input(int(named[1] or 0))
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return self._applied(type(node.op), [self._value(node.left), self._value(node.right)])
        if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            return self._applied(type(node.op), [self._value(node.operand)])
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Subscript) and (place := self._listed(node)) is not None:
            return self._input(place)
        if isinstance(node, ast.Subscript):
            items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return self._step("GetItem", [self._value(node.value), [*map(self._item, items)]], {})
        raise self._unreadable(f"{show(ast.unparse(node), 60)} is nothing that can be said")

    def _applied(self, kind: type[ast.AST], operands: list[Any]) -> Any:
        name, compute = OPERATORS[kind]
        if any(isinstance(operand, _Tensor) for operand in operands):
            return self._step(name, operands, {})
        try:
            return compute(*operands)
        except (TypeError, ArithmeticError, ValueError) as error:
            written = f"{name} of {show(repr(operands), 60)}"
            raise self._unreadable(f"{written} cannot be computed") from error

    def _called(self, node: ast.Call) -> _Tensor:
        """A function by its name, whatever stands before it: `K.abs`, `tf.abs`, `abs`."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name not in FUNCTIONS:
            raise self._unreadable(f"{show(ast.unparse(node.func), 60)} is no function known here")
        meant = FUNCTIONS[name]
        given = [self._value(argument) for argument in node.args]
        behind = dict(zip(POSITIONS.get(meant, ()), given[1:], strict=False))
        named = {str(word.arg): self._value(word.value) for word in node.keywords}
        arguments = {**PRESET.get(name, {}), **behind, **named}
        return self._step(meant, [given[0], *given[1 + len(behind) :]] if given else [], arguments)

    def _item(self, node: ast.AST) -> Any:
        """An index, as the operations on tensors take it."""
        if isinstance(node, ast.Slice):
            bounds = {"start": node.lower, "stop": node.upper, "step": node.step}
            return {key: None if at is None else self._value(at) for key, at in bounds.items()}
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            return {"class_name": "__ellipsis__"}
        return self._value(node)

    def _step(self, name: str, operands: list[Any], arguments: Mapping[str, Any]) -> _Tensor:
        """One operation more, called as often as the Lambda is."""
        number = len(self.steps)
        own = next(
            text
            for extra in range(number, number + len(self.taken) + 2)
            if (text := f"{self.layer.name}_{extra}") not in self.taken
        )
        self.taken.add(own)
        calls = tuple(_call(operands, each, call) for each, call in enumerate(self.layer.calls))
        spec = LayerSpec(own, OPERATION + name, name, dict(arguments), calls)
        self.steps.append(spec)
        return _Tensor(step=spec)

    def _input(self, place: int) -> _Tensor:
        if any(place >= len(call.inputs) for call in self.layer.calls):
            raise self._unreadable(f"it has no input x{place}")
        return _Tensor(place=place)

    def _listed(self, node: ast.Subscript) -> int | None:
        """Which input `x[1]` is of a Lambda that is given a list of them."""
        several = all(len(call.inputs) > 1 for call in self.layer.calls)
        listed = isinstance(node.value, ast.Name) and node.value.id == "x" and several
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return index if listed and isinstance(index, int) else None

    def _unreadable(self, why: str) -> UsageError:
        return UsageError(
            f"{self.layer.name}: {show(self.text, 120)!r}: {why}",
            where="--lambda",
            hint='such as lambda_1="x / 127.5 - 1", with functions of keras.ops',
        )


class _Tensor:
    """Something that is computed: an input of the Lambda, or the result of a step."""

    def __init__(self, place: int = 0, step: LayerSpec | None = None) -> None:
        self.place, self.step = place, step

    def ref(self, index: int, call: Call) -> Ref:
        """What it is in one of the calls."""
        return call.inputs[self.place] if self.step is None else Ref(self.step.name, index)


def _call(operands: Sequence[Any], index: int, call: Call) -> Call:
    args = tuple(_placed(operand, index, call) for operand in operands)
    return Call(inputs=tuple(refs_in(args)), args=args)


def _placed(operand: Any, index: int, call: Call) -> Any:
    if isinstance(operand, list):
        return [_placed(item, index, call) for item in operand]
    return operand.ref(index, call) if isinstance(operand, _Tensor) else operand
