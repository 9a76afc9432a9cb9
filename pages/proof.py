"""How sure: the errors of a verification on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .markup import Markup, el

LEFT, RIGHT, STEP, TOP = 200, 880, 25, 34
LOW, HIGH = -9, 0
"""Decades of the scale."""
FLOAT32 = 2.0**-23
MOST = 120
"""Layers that are drawn; of more, the worst."""


def chart(layers: Sequence[Mapping[str, Any]], tolerance: float) -> Markup:
    """Largest relative error after each layer.

    Args:
        layers: As of a verification: `name`, `error`, `weighted`.
        tolerance: What is allowed.
    """
    shown = list(layers)
    if len(shown) > MOST:
        worst = sorted(range(len(shown)), key=lambda i: -_height(shown[i]["error"]))[:MOST]
        shown = [shown[i] for i in sorted(worst)]
    bottom = TOP + STEP * len(shown)
    zone = {"x": LEFT, "y": TOP - 6, "width": round(_x(tolerance) - LEFT, 1)}
    parts = [el("rect", class_="okzone", height=bottom - TOP + 8, rx=4, **zone)]
    for decade in range(LOW, HIGH + 1):
        x = round(_x(10.0**decade), 1)
        label = "1" if decade == 0 else f"1e{decade:03d}"
        parts.append(el("path", class_="grid", d=f"M{x} {TOP - 6}V{bottom + 2}"))
        parts.append(el("text", label, class_="tick", x=x, y=bottom + 20, text_anchor="middle"))
    for x, style, text in (
        (_x(tolerance), "tol", f"allowed {tolerance:g}"),
        (_x(FLOAT32), "grid", "one float32 step"),
    ):
        at = round(x, 1)
        mark = "tolt" if style == "tol" else "tick"
        parts.append(el("path", class_=style, d=f"M{at} {TOP - 10}V{bottom + 2}"))
        parts.append(el("text", text, class_=mark, x=at, y=16, text_anchor="middle"))
    for number, layer in enumerate(shown):
        parts.append(_line(layer, TOP + number * STEP + 8, tolerance))
    view = f"0 0 960 {bottom + 30}"
    label = "Relative error per layer, on a logarithmic scale"
    return el("svg", *parts, class_="chart", viewBox=view, role="img", aria_label=label)


def _line(layer: Mapping[str, Any], y: int, tolerance: float) -> Markup:
    error = layer["error"]
    known = isinstance(error, (int, float)) and not math.isnan(error)
    text = "exact" if error == 0 else f"{error:.1e}" if known else "no number"
    x = round(_x(error), 1) if known else RIGHT
    name = layer["name"] if len(layer["name"]) <= 26 else f"…{layer['name'][-25:]}"
    return el(
        "g",
        el("text", name, class_="nm", x=LEFT - 12, y=y + 4, text_anchor="end"),
        el("path", class_="stem", d=f"M{LEFT} {y}H{x}"),
        el("circle", class_="dot" if layer["weighted"] else "dot sub", cx=x, cy=y, r=4.5),
        el("text", text, class_="val", x=x + 12, y=y + 4),
        class_=None if known and error <= tolerance else "bad",
    )


def _height(error: object) -> float:
    if not isinstance(error, (int, float)) or math.isnan(error):
        return math.inf
    return float(error)


def _x(error: float) -> float:
    decades = math.log10(min(1.0, max(10.0**LOW, error)))
    return LEFT + (decades - LOW) / (HIGH - LOW) * (RIGHT - LEFT)
