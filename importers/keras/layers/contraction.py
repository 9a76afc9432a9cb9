"""Products of tensors in graphs of operations: matmul, dot, tensordot, einsum."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Term, copy_of, size_of
from ....ir.ops.arrange import Einsum
from ..call import LayerCall
from .arithmetic import constant
from .tensors import permuted, squeezed


def _letters(count: int, start: int = 0) -> str:
    if start + count > len(string.ascii_lowercase):
        raise ConfigError("a product of more than 26 axes")
    return string.ascii_lowercase[start : start + count]


def contracted(call: LayerCall, equation: str, operands: Sequence[Value]) -> Value:
    """A sum of products.

    Args:
        call: The operation.
        equation: As NumPy has it, without an ellipsis.
        operands: Tensors.

    Raises:
        ConfigError: The letters are not those of the operands' axes.
    """
    inputs, _, output = equation.partition("->")
    terms: dict[str, Term] = {}
    for letters, value in zip(inputs.split(","), operands, strict=True):
        axes = call.axes(value)
        if len(letters) != len(axes) or len(set(letters)) < len(letters):
            raise ConfigError(f"the equation {equation!r:.80} for an input {value.layout}")
        for letter, term in zip(letters, axes, strict=True):
            size, other = size_of(term), size_of(terms.get(letter, term))
            if None not in {size, other} and size != other:
                raise ConfigError(f"the equation {equation!r:.80} for an input {value.layout}")
            terms.setdefault(letter, term)
    if len(set(output)) < len(output) or not set(output) <= terms.keys():
        raise ConfigError(f"the equation {equation!r:.80}")
    batch = inputs[: call.batch]
    if output[: call.batch] != batch:
        raise ConfigError(f"the equation {equation!r:.80}, which moves the batch")
    result: list[Term] = []
    for letter in output:
        result.append(copy_of(terms[letter]) if terms[letter] in result else terms[letter])
    bound = {"...": call.axes(operands[0]), "out": tuple(result)}
    op = Einsum(equation=equation)
    return call.add(op, list(operands), result, axes=bound).result


def einsum(call: LayerCall, equation: str, operands: Sequence[Any]) -> Value:
    """`einsum` as it is stated, an ellipsis among its letters or none."""
    plain = equation.replace(" ", "")
    values = _tensors(call, operands, plain.split("->")[0].split(","))
    if "->" not in plain:
        letters = sorted(c for c in set(plain) - {",", "."} if plain.count(c) == 1)
        plain += "->" + "." * 3 * ("..." in plain) + "".join(letters)
    return contracted(call, _spelled(call, plain, values), values)


def _tensors(call: LayerCall, operands: Sequence[Any], spelled: Sequence[str]) -> list[Value]:
    if len(operands) != len(spelled):
        raise ConfigError(f"an equation of {len(spelled)} tensors for {len(operands)}")
    return [
        operand if isinstance(operand, Value) else constant(call, operand, "float32", len(letters))
        for operand, letters in zip(operands, spelled, strict=True)
    ]


def _spelled(call: LayerCall, equation: str, values: Sequence[Value]) -> str:
    """The equation in lower-case letters of its own, one for each axis."""
    inputs, _, output = equation.partition("->")
    spare = _letters(26)
    names: dict[str, str] = {}

    def name(letter: str) -> str:
        if letter not in names:
            if len(names) == len(spare):
                raise ConfigError("an equation of more than 26 letters")
            names[letter] = spare[len(names)]
        return names[letter]

    def spell(text: str, rank: int) -> str:
        before, dots, behind = text.partition("...")
        hidden = max(rank - len(before) - len(behind), 0) if dots else 0
        own = [f".{n}" for n in range(hidden)][::-1]
        return "".join(map(name, [*before, *own, *behind]))

    most = max(
        (len(call.axes(v)) - len(t.replace("...", ""))
         for t, v in zip(inputs.split(","), values, strict=True) if "..." in t),
        default=0,
    )  # fmt: skip
    spelled = [
        spell(text, len(call.axes(value)))
        for text, value in zip(inputs.split(","), values, strict=True)
    ]
    return ",".join(spelled) + "->" + spell(output, len(output.replace("...", "")) + most)


def matmul(call: LayerCall, a: Any, b: Any, *, turn_a: bool = False, turn_b: bool = False) -> Value:
    """A product of matrices; leading axes are repeated where one tensor lacks them.

    Raises:
        ConfigError: The tensors do not go together.
    """
    a = _turned_constant(a) if turn_a else _without_ones(a)
    b = _turned_constant(b) if turn_b else _without_ones(b)
    x, y = _operands(call, a, b)
    x = _turned(call, x) if turn_a and x is a else x
    y = _turned(call, y) if turn_b and y is b else y
    return _product(call, x, y)


def _without_ones(value: Any) -> Any:
    """A constant of matrices without leading axes of one, which say nothing."""
    while not isinstance(value, Value) and _rank(value) > 2 and len(value) == 1:
        value = value[0]
    return value


def _turned_constant(value: Any) -> Any:
    """A constant with its last two axes in each other's place; a tensor as it is."""
    value = _without_ones(value)
    if isinstance(value, Value) or _rank(value) < 2:
        return value
    if _rank(value) > 2:
        return [_turned_constant(one) for one in value]
    return [list(column) for column in zip(*value, strict=True)]


def _operands(call: LayerCall, a: Any, b: Any) -> tuple[Value, Value]:
    if not isinstance(a, Value) and not isinstance(b, Value):
        raise ConfigError("a product of constants")
    x, y = (v if isinstance(v, Value) else constant(call, v, "float32", _rank(v)) for v in (a, b))
    return x, y


def _rank(value: Any) -> int:
    return 1 + _rank(value[0]) if isinstance(value, (list, tuple)) and value else 0


def _turned(call: LayerCall, x: Value) -> Value:
    rank = len(call.axes(x))
    order = [*range(rank - 2), rank - 1, rank - 2]
    if order[: call.batch] != list(range(call.batch)):
        raise ConfigError(f"a transposition of {x.layout}, which moves the batch")
    return permuted(call, x, order[call.batch :], part="turned")


def _product(call: LayerCall, x: Value, y: Value) -> Value:
    m, n = len(call.axes(x)), len(call.axes(y))
    if m < 2 or n < 1:
        raise ConfigError(f"a product of {x.layout} and {y.layout}")
    if n == 1:
        letters = _letters(m)
        return contracted(call, f"{letters},{letters[-1]}->{letters[:-1]}", (x, y))
    lead = max(m, n) - 2
    outer = _letters(lead)
    row, inner, column = tuple(_letters(3, lead))
    first, second = outer[lead - m + 2 :], outer[lead - n + 2 :]
    ones = {
        letter
        for letters, value in ((first, x), (second, y))
        for letter, term in zip(letters, call.axes(value), strict=False)
        if size_of(term) == 1
    }
    both = [letter for letter in outer if letter in first and letter in second]
    if any(letter in ones for letter in both) and not _alike(call, x, y, len(both)):
        (x, first), (y, second) = (
            _spared(call, x, first, y, second), _spared(call, y, second, x, first)
        )  # fmt: skip
    return contracted(
        call, f"{first}{row}{inner},{second}{inner}{column}->{outer}{row}{column}", (x, y)
    )


def _spared(
    call: LayerCall, x: Value, letters: str, other: Value, others: str
) -> tuple[Value, str]:
    """A tensor without those axes of one that another's are repeated over."""
    sizes = {letter: size_of(term) for letter, term in zip(others, call.axes(other), strict=False)}
    gone = [
        place
        for place, (letter, term) in enumerate(zip(letters, call.axes(x), strict=False))
        if size_of(term) == 1 and sizes.get(letter, 1) != 1
    ]
    if not gone:
        return x, letters
    kept = "".join(letter for place, letter in enumerate(letters) if place not in gone)
    return squeezed(call, x, gone, part="spared"), kept


def _alike(call: LayerCall, x: Value, y: Value, count: int) -> bool:
    a = [size_of(term) for term in call.axes(x)[-2 - count : -2]]
    return a == [size_of(term) for term in call.axes(y)[-2 - count : -2]]


def tensordot(call: LayerCall, a: Any, b: Any, axes: Any) -> Value:
    """The sum of products over axes of either tensor; the rest side by side."""
    x, y = _operands(call, a, b)
    m, n = len(call.axes(x)), len(call.axes(y))
    if isinstance(axes, int):
        pairs = [(m - axes + i, i) for i in range(axes)]
    else:
        left, right = ([v] if isinstance(v, int) else v for v in axes)
        pairs = [(i % m, j % n) for i, j in zip(left, right, strict=True)]
    first = _letters(m)
    second = list(_letters(n, m))
    for i, j in pairs:
        second[j] = first[i]
    gone = {first[i] for i, _ in pairs}
    rest = "".join(c for c in (*first, *second) if c not in gone)
    return contracted(call, f"{first},{''.join(second)}->{rest}", (x, y))


def dot(call: LayerCall, a: Any, b: Any) -> Value:
    """NumPy's `dot`: over the last axis of the first, and the last but one of the second."""
    x, y = _operands(call, a, b)
    n = len(call.axes(y))
    return tensordot(call, x, y, ([-1], [-1 if n == 1 else -2]))
