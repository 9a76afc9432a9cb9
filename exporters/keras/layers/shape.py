"""Ops that only say in another way where a number stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....ir.graph import Layer
from ....ir.layout import Layout, Terms, expand, size_of
from ....ir.ops.shape import Repeat, Reshape, View
from ..registry import writes
from ..site import Site


@writes(View, attributes="layer_class")
def view(site: Site) -> None:
    """Flatten, Permute, Reshape: as the source's class where that says it, else as is needed."""
    op = site.op
    assert isinstance(op, View)
    have, want = site.settled.input, site.settled.results[0]
    repeats = site.own_repeats()
    lead = 1 + site.depth + repeats
    x = site.x()
    before, after = have.terms[lead:], want.terms[lead:]
    kept = have.terms[:lead] == want.terms[:lead]
    said = _said(op.layer_class, site.layer, before, after) if kept else None
    if said and said[0] == "Flatten" and said[1] != PLAIN and not site.has("Flatten", *PLAIN):
        said = None  # no word for it: moved, then flattened
    if said is not None:
        site.give(site.put(said[0], said[1], [x], repeats=repeats))
        return
    if _bare(have.terms) == _bare(want.terms) and have.shape == want.shape:
        site.tell("KX101", "changed", f"{op.layer_class or 'a view'} moves nothing now: left out")
        site.give(x)
        return
    site.give(site.bring(x, have, want))


Said = tuple[str, Mapping[str, Any]]
"""A layer: its class and its configuration."""

PLAIN: Mapping[str, Any] = {"data_format": "channels_last"}
"""The Flatten that walks its input as it lies."""


def _said(class_name: str, layer: Layer | None, before: Terms, after: Terms) -> Said | None:
    """The layer of this class that regroups `before` to `after`; None if it cannot."""
    if class_name == "Flatten":
        return _flatten(layer, before, after)
    if class_name == "Permute":
        return _permute(before, after)
    return _reshape(layer, before, after) if class_name == "Reshape" else None


def _flatten(layer: Layer | None, before: Terms, after: Terms) -> Said | None:
    if len(after) > 1 or len(before) < 2:
        return None
    stated = layer.config.get("data_format") if layer else None
    if _bare(before) == _bare(after):
        # said in so many words: where the layer is silent, Keras 2.2 asks the process' keras.json
        return "Flatten", PLAIN
    if stated == "channels_first" and _bare((*before[1:], before[0])) == _bare(after):
        return "Flatten", {"data_format": stated}
    return None


def _permute(before: Terms, after: Terms) -> Said | None:
    left = list(enumerate(before, 1))
    dims: list[int] = []
    for term in after:
        found = next((entry for entry in left if entry[1] == term), None)
        if found is None:
            return None
        left.remove(found)
        dims.append(found[0])
    moves = dims != sorted(dims)
    return ("Permute", {"dims": dims}) if not left and moves else None


def _reshape(layer: Layer | None, before: Terms, after: Terms) -> Said | None:
    if _bare(before) != _bare(after) or Layout(before).shape == Layout(after).shape:
        return None
    return _to_shape(layer, Layout(after))


def _to_shape(layer: Layer | None, layout: Layout) -> Said | None:
    target = [-1 if size is None else size for size in layout.shape]
    if target.count(-1) > 1:
        return None
    stated = layer.config.get("target_shape") if layer else None
    if isinstance(stated, (list, tuple)) and len(stated) == len(target) and -1 not in target:
        open_too = [-1 if said == -1 else size for said, size in zip(stated, target, strict=True)]
        target = open_too if open_too == list(stated) else target
    return "Reshape", {"target_shape": target}


def _bare(terms: Terms) -> Terms:
    """The atoms, without those of size one."""
    return tuple(atom for atom in expand(terms) if size_of(atom) != 1)


@writes(Reshape)
def reshape(site: Site) -> None:
    """A Reshape whose extents do not factor: the author's order is what it gets and gives."""
    repeats = site.own_repeats()
    lead = 1 + site.depth + repeats
    found = _to_shape(site.layer, Layout(site.settled.results[0].terms[lead:]))
    if found is None:
        raise site.refuse("a Reshape with more than one unknown extent")
    site.give(site.put(*found, [site.x()], repeats=repeats))


@writes(Repeat)
def repeat(site: Site) -> None:
    """RepeatVector."""
    repeats = site.repeats(site.settled.bound["batch"])
    site.give(site.put("RepeatVector", {"n": site.size("time")}, [site.x()], repeats=repeats))
