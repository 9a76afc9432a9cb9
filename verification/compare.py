"""Comparing arrays: how far apart, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..ir.layout import Layout
from ..ir.notation import names_of
from ..ir.source import Array
from .records import Classes, Compared, Difference, Part

SHOWN = 3


def compare(
    name: str,
    part: Part,
    a: Array,
    b: Array | None,
    tolerance: float,
    *,
    weighted: bool = True,
) -> Compared:
    """Compare two arrays in one order.

    Args:
        name: Of the layer or output.
        part: What it is.
        a: The first model's; its largest magnitude is what the error is relative to.
        b: The second's, brought into the order of `a`; None if that cannot be done.
        tolerance: What is allowed.
        weighted: Whether the layer has weights.
    """
    if b is None or a.shape != b.shape:
        what = "no order makes them comparable" if b is None else f"shapes {a.shape} and {b.shape}"
        return unlike(name, part, a.size, weighted, what)
    x, y = a.astype(np.float64), b.astype(np.float64)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        sides = [s for s, values in (("A", x), ("B", y)) if not np.isfinite(values).all()]
        return unlike(name, part, a.size, weighted, f"not finite in {' and '.join(sides)}")
    apart = np.abs(x - y)
    largest = float(np.abs(x).max(initial=0.0))
    error = float(apart.max(initial=0.0))
    if error:
        error = error / largest if largest else math.inf
    return Compared(
        name=name,
        part=part,
        error=error,
        differing=int((apart > tolerance * largest).sum()),
        count=a.size,
        weighted=weighted,
    )


def alike(a: Array, b: Array, tolerance: float) -> bool:
    """Whether two arrays hold the same numbers, in whatever order."""
    if a.size != b.size:
        return False
    x, y = (np.sort(array.astype(np.float64), axis=None) for array in (a, b))
    return bool(np.abs(x - y).max(initial=0.0) <= tolerance * np.abs(x).max(initial=0.0))


def unlike(name: str, part: Part, count: int, weighted: bool, problem: str) -> Compared:
    """Two arrays of `count` numbers of which there is no error to tell, and why."""
    return Compared(
        name=name,
        part=part,
        error=math.nan,
        differing=count,
        count=count,
        weighted=weighted,
        problem=problem,
    )


def largest_differences(a: Array, b: Array | None, layout: Layout | None) -> tuple[Difference, ...]:
    """Where two arrays of one shape are furthest apart.

    Args:
        a: The first model's.
        b: The second's, in the order of `a`.
        layout: What the dimensions mean; numbers stand for them if it is not known.
    """
    if b is None or a.shape != b.shape or not a.size:
        return ()
    with np.errstate(invalid="ignore"):
        apart = np.abs(a.astype(np.float64) - b.astype(np.float64)).reshape(-1)
    apart[np.isnan(apart)] = np.inf
    count = min(SHOWN, apart.size)
    flat = np.argsort(-apart, kind="stable")[:count]
    found = []
    for index in flat[apart[flat] > 0]:
        place = np.unravel_index(int(index), a.shape)
        found.append(Difference(_place(place, layout), float(a[place]), float(b[place])))
    return tuple(found)


def _place(index: Sequence[np.intp], layout: Layout | None) -> str:
    if layout is None:
        return " ".join(f"{number}:{int(at)}" for number, at in enumerate(index))
    names = names_of(layout.terms)
    labels = []
    for term in layout.terms:
        text = names.get(term) if term in names else None
        labels.append(text or "F")
    return " ".join(f"{label}:{int(at)}" for label, at in zip(labels, index, strict=True))


def classes(a: Array, b: Array | None) -> Classes | None:
    """Whether the largest output is at the same place; None where there are no classes."""
    if b is None or a.shape != b.shape or a.ndim != 2 or a.shape[1] < 2:
        return None
    same = a.argmax(axis=1) == b.argmax(axis=1)
    return Classes(int(same.sum()), len(same))
