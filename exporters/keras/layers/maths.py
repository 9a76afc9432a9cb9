"""Operations on tensors that are no layers: written as such where the target can say them."""

from __future__ import annotations

from collections.abc import Mapping

from ....ir.layout import Layout, key
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
    """A pool that no layer of Keras since 1.0 computes."""
    _reduced(site, "sum")


@writes(GlobalProductPool)
def global_product(site: Site) -> None:
    """As `global_sum`."""
    _reduced(site, "prod")


def _reduced(site: Site, kind: str) -> None:
    y = needed(site, kind, [site.x()], axis=_axes(site), keepdims=False)
    _give_rest(site, y)


def _axes(site: Site) -> list[int]:
    return sorted(place - site.depth for place in site.settled.positions("space"))


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
    op, axes = site.op, _axes(site)
    assert isinstance(op, ArgMax)
    if len(axes) != 1:
        raise site.refuse("Keras finds the largest along one axis, not along several at a time")
    _give_rest(site, needed(site, "argmin" if op.least else "argmax", [site.x()], axis=axes[0]))


@writes(Cumulate, attributes="product")
def cumulate(site: Site) -> None:
    """`cumsum`, `cumprod`.

    Raises:
        ExportError: The target has no such operation, or the numbers run along several axes.
    """
    op, axes = site.op, _axes(site)
    assert isinstance(op, Cumulate)
    if len(axes) != 1:
        raise site.refuse("Keras cumulates along one axis, not along several at a time")
    y = needed(site, "cumprod" if op.product else "cumsum", [site.x()], axis=axes[0])
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
    """One tensor where a condition holds, another elsewhere."""
    site.give(needed(site, "where", site.all()))


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
