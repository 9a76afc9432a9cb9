"""Operations on tensors that are no layers: written as such where the target can say them."""

from __future__ import annotations

from collections.abc import Mapping

from ....ir.layout import Layout, key, size_of
from ....ir.ops.activation import Power
from ....ir.ops.embedding import NotEqual
from ....ir.ops.maths import (
    ArgMax,
    Binary,
    Cast,
    Constant as Numbers,
    Cumulate,
    Fill,
    Not,
    Reduce,
    Where,
)
from ....ir.ops.merge import AllOf
from ....ir.ops.pooling import GlobalProductPool, GlobalSumPool
from ..elementwise import applied, merged
from ..functions import needed, operation
from ..masks import without_mask
from ..network import Array, Constant, Tensor
from ..registry import writes
from ..scaling import scale_and_shift
from ..site import Site


@writes(Reduce, attributes="function")
def reduce(site: Site) -> None:
    """A sum, or what else there is, over some axes.

    Raises:
        ExportError: The target has no such operation.
    """
    op = site.op
    assert isinstance(op, Reduce)
    if op.function == "length":
        square = applied(site, Power(exponent=2.0), site.x(), "square")
        total = needed(site, "sum", [square], "total", axis=_axes(site), keepdims=False)
        _give_rest(site, applied(site, Power(exponent=0.5), total))
    else:
        _reduced(site, op.function)


@writes(GlobalSumPool)
def global_sum(site: Site) -> None:
    """A pool that no layer of Keras since 1.0 computes: a mean times the count of steps."""
    steps = _steps(site)
    if steps is None:
        _reduced(site, "sum")
        return
    x, count = steps
    y = site.put("GlobalAveragePooling1D", {"data_format": "channels_last"}, [x], role="mean")
    site.give(scale_and_shift(site, y, float(count), 0.0))


MOST_STEPS = 256
"""Of how many steps a product is written, each with layers of its own."""


@writes(GlobalProductPool)
def global_product(site: Site) -> None:
    """As `global_sum`: each step is cut out, and all are multiplied."""
    steps = _steps(site)
    if steps is None or not 1 < steps[1] <= MOST_STEPS:
        _reduced(site, "prod")
        return
    x, count = steps
    parts = [
        site.put("Cropping1D", {"cropping": [n, count - 1 - n]}, [x], role=f"step_{n + 1}")
        for n in range(count)
    ]
    product = site.put("Multiply", {}, parts, role="product")
    site.give(site.put("Flatten", {}, [product]))


def _steps(site: Site) -> tuple[Tensor, int] | None:
    """The input as steps of features, and how many; None where that cannot be, or need not.

    Not for targets all of whose readers have operations.
    """
    functions, bound = site.dialect.functions, site.settled.bound
    if functions is not None and not functions.class_name:
        return None
    layout, space = site.settled.input, bound["space"]
    gone = {key(term) for term in space}
    lead = layout.terms[: 1 + site.depth]
    rest = tuple(term for term in layout.terms[len(lead) :] if key(term) not in gone)
    count = size_of(space[0]) if len(space) == 1 else None
    if count is None or len(rest) != 1 or gone & {key(term) for term in lead}:
        return None
    x = site.x()
    x = without_mask(site, x) if x.mask is not None else x
    return site.bring(x, layout, Layout((*lead, *space, *rest))), count


def _checked(site: Site, axes: list[int]) -> list[int]:
    if 0 in axes:
        raise site.refuse(
            f"what is computed over the whole batch has no words in {site.dialect.name}",
            "convert to ONNX",
        )
    return axes


def _reduced(site: Site, kind: str) -> None:
    y = needed(site, kind, [site.x()], axis=_axes(site), keepdims=False)
    _give_rest(site, y)


def _axes(site: Site) -> list[int]:
    return _checked(site, sorted(place - site.depth for place in site.settled.positions("space")))


def _one_axis(site: Site, does: str) -> int:
    axes = _axes(site)
    if len(axes) != 1:
        raise site.refuse(f"Keras {does} along one axis, not along several at a time")
    return axes[0]


def _give_rest(site: Site, y: Tensor) -> None:
    """The result, whose layout is the input's without the axes that are gone."""
    gone = {key(term) for term in site.settled.bound["space"]}
    terms = site.settled.input.terms
    rest = Layout(tuple(term for term in terms if key(term) not in gone))
    site.give(site.bring(y, rest, site.settled.results[0]))


@writes(ArgMax, attributes="least")
def position_of_largest(site: Site) -> None:
    """`argmax`, `argmin`.

    Raises:
        ExportError: The target has no such operation, or the position is among several axes.
    """
    op, axis = site.op, _one_axis(site, "finds the largest")
    assert isinstance(op, ArgMax)
    _give_rest(site, needed(site, "argmin" if op.least else "argmax", [site.x()], axis=axis))


@writes(Cumulate, attributes="product")
def cumulate(site: Site) -> None:
    """`cumsum`, `cumprod`.

    Raises:
        ExportError: The target has no such operation, or the numbers run along several axes.
    """
    op, axis = site.op, _one_axis(site, "cumulates")
    assert isinstance(op, Cumulate)
    y = needed(site, "cumprod" if op.product else "cumsum", [site.x()], axis=axis)
    site.give(site.bring(y, site.settled.input, site.settled.results[0]))


# ---- element by element -------------------------------------------------------------------------

LOGICAL: Mapping[str, str] = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}


@writes(Binary, attributes="function")
def binary(site: Site) -> None:
    """A function of two tensors.

    Raises:
        ExportError: The target has no such operation.
    """
    op, inputs = site.op, site.all()
    assert isinstance(op, Binary)
    kind = LOGICAL.get(op.function, op.function)
    y = operation(site, kind, inputs)
    if y is None and kind == "squared_difference":
        y = applied(site, Power(exponent=2.0), merged(site, "Subtract", inputs, "difference"))
    site.give(y or needed(site, kind, inputs))


@writes(Where)
def where(site: Site) -> None:
    """One tensor where a condition holds, another elsewhere.

    `tf.where` takes whole numbers in a list for int32, unless a tensor says otherwise before them
    (a run of tf-keras 2.21): so a list comes last where the result is of int64.
    """
    holds, one, other = site.all()
    functions = site.dialect.functions
    by_name = functions is not None and bool(functions.class_name)
    long = site.settled.node.result.dtype == "int64"
    if by_name and long and isinstance(one, Constant) and not isinstance(other, Constant):
        holds, one, other = needed(site, "logical_not", [holds], "elsewhere"), other, one
    site.give(needed(site, "where", [holds, one, other]))


@writes(AllOf)
def all_of(site: Site) -> None:
    """Truth values that hold together."""
    first, *rest = site.all()
    for number, other in enumerate(rest, 1):
        role = "" if number == len(rest) else f"and_{number}"
        first = needed(site, "logical_and", [first, other], role)
    site.give(first)


@writes(Not)
def negation(site: Site) -> None:
    """The other truth value."""
    site.give(needed(site, "logical_not", [site.x()]))


@writes(NotEqual, attributes="value")
def not_equal(site: Site) -> None:
    """A comparison with a number."""
    op = site.op
    assert isinstance(op, NotEqual)
    site.give(needed(site, "not_equal", [site.x(), Constant(op.value)]))


@writes(Cast, attributes="dtype")
def cast(site: Site) -> None:
    """Another dtype."""
    op = site.op
    assert isinstance(op, Cast)
    site.give(needed(site, "cast", [site.x()], dtype=op.dtype))


ALIKE: Mapping[float, str] = {0.0: "zeros_like", 1.0: "ones_like"}


@writes(Fill, attributes="value")
def fill(site: Site) -> None:
    """One number in the shape of a tensor."""
    op, x, dtype = site.op, site.x(), site.settled.node.result.dtype
    assert isinstance(op, Fill)
    if op.value in ALIKE:
        site.give(needed(site, ALIKE[op.value], [x], dtype=dtype))
        return
    y = operation(site, "full_like", [x, Constant(op.value)], dtype=dtype)
    if y is None:
        zeros = needed(site, "zeros_like", [x], "zeros", dtype=dtype)
        y = scale_and_shift(site, zeros, 1.0, op.value)
    site.give(y)


@writes(Numbers)
def numbers(site: Site) -> None:
    """Numbers that stand in the calls of the operations that read them."""
    param, layout = site.settled.node.params["value"], site.settled.results[0]
    dtype = site.settled.node.result.dtype

    def laid_out(wanted: Layout) -> Constant:
        made = Constant(param.numpy(wanted, dtype).tolist(), laid_out)
        made.shape, made.dtype = wanted.shape, dtype
        return made

    site.note([Array("value", param, layout)])
    site.give(laid_out(layout))
