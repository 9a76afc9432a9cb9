"""One era's hard_sigmoid in the words of another: the same name, another slope.

clip(s x + 0.5, 0, 1) is the target's clip(t x + 0.5, 0, 1) of s / t times x, exactly. In front of
gates the factor goes into their weights; elsewhere a layer multiplies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...eras.activations import FUNCTIONS
from ...ir.derived import scaled, scaled_along
from ...ir.layout import Labelled
from ...ir.op import Op
from ...ir.ops.activation import HardSigmoid
from ...ir.tensor import Param, Weight
from .network import Array
from .site import Site


class Scaled(NamedTuple):
    """A function of the target, and what its argument is multiplied with.

    Attributes:
        name: Of the function.
        factor: Of its argument; None where it takes that as it is.
    """

    name: str
    factor: float | None = None


def scaled_name(site: Site, op: Op) -> Scaled | None:
    """The target's function that is `op` of a multiple of its argument; None if there is none."""
    if not isinstance(op, HardSigmoid):
        return None
    for name, own in FUNCTIONS[site.dialect.vocabulary].items():
        if isinstance(own, HardSigmoid) and own.shift == op.shift and own.slope > 0:
            return Scaled(name, op.slope / own.slope)
    return None


def warn_of_readers(site: Site) -> None:
    """Say that a file for Keras of both meanings is read otherwise by one of them."""
    if "Keras 3" in site.dialect.readers and site.dialect.vocabulary != "keras3":
        site.tell(
            "KN301",
            "note",
            "hard_sigmoid is clip(0.2 x + 0.5, 0, 1) in Keras 2 and tf.keras; Keras 3 computes "
            "clip(x / 6 + 0.5, 0, 1) under this name",
            level="warning",
            fix="for Keras 3 write a .keras file",
        )


def tell_scaled(site: Site, scaled_by: Scaled) -> None:
    """Say that what the function is given is other numbers now."""
    warn_of_readers(site)
    site.tell(
        "KN304",
        "changed",
        f"{scaled_by.name} has another slope in {site.dialect.name}: what it is given is "
        f"multiplied by {scaled_by.factor:g}",
    )


def scaled_array(site: Site, array: Array | None, factors: Mapping[str, float]) -> Array | None:
    """An array whose gates are multiplied; itself where there are no factors.

    Args:
        site: The node.
        array: What would be stored.
        factors: By gate; under "" that of a layer without gates.
    """
    if array is None or not factors:
        return array
    said = " ".join(f"{gate}*{factor}" for gate, factor in factors.items())

    def again(held: Param, power: int) -> Weight:
        by = {gate: factor**power for gate, factor in factors.items()}
        if "" in by:
            return scaled(held.weight, by[""])
        (gates,) = site.settled.bound["gates"]
        assert isinstance(gates, Labelled)  # as every recurrent op binds its gates
        return scaled_along(held, gates.axis, by)

    weight = site.emission.derived(array.param.weight, said, lambda _: again(array.param, 1))
    param = Param(weight, array.param.stored)
    return Array(array.name, param, array.layout, array.trains, parts=(array,), again=again)
