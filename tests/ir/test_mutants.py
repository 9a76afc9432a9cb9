"""Every fault that can be planted in a plan is caught: no op, no weight is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from mutants import (
    Mutant,
    bindings_wrong,
    coercions_missing,
    inputs_wrong,
    missed,
    values_wrong,
    weights_wrong,
)
from networks import Net, build
from recurrent_networks import NETWORKS

from kerasir.ir.check import check
from kerasir.ir.graph import Graph
from kerasir.ir.plan import Plan, Policy
from kerasir.passes.solve import solve

OTHER = {
    True: Policy(order="channels_last"),
    False: Policy(order="channels_first", one_dimensional=True),
}
networks = pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
authors = pytest.mark.parametrize("first", [True, False], ids=["first", "last"])


@networks
@authors
@pytest.mark.parametrize("order", ["source", "other"])
@pytest.mark.parametrize(
    ("kind", "at_least"),
    [(weights_wrong, 12), (values_wrong, 4), (inputs_wrong, 8), (bindings_wrong, 20)],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_every_fault_is_caught(
    make: Callable[[Net], Graph],
    first: bool,
    order: str,
    kind: Callable[[Plan], Iterable[Mutant]],
    at_least: int,
) -> None:
    plan = solve(build(make, first=first), OTHER[first] if order == "other" else Policy())
    check(plan)
    count, passed = missed(kind(plan))
    assert not passed
    assert count >= at_least


@networks
@authors
def test_every_coercion_is_needed(make: Callable[[Net], Graph], first: bool) -> None:
    plan = solve(build(make, first=first), OTHER[first])
    count, passed = missed(coercions_missing(plan))
    assert not passed
    assert count == len(plan.coercions)
