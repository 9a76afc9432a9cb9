"""How many features a layer gives that is not known: what reads them has weights that tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .match_paths import Assigned
from .opaque import Told
from .registry import translator_of
from .spec import LayerSpec, ModelSpec, Path, Ref

FIRST_EXTENT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Dense", "LSTM", "GRU", "SimpleRNN"), ("kernel",)),
    **dict.fromkeys(("BatchNormalization", "LayerNormalization"), ("gamma", "beta", "mean")),
}
"""Layers along their input's last axis, in every era, and arrays whose first extent is its."""

LAST = (-1, [-1], None)


def widths(
    model: ModelSpec, path: Path, assigned: Assigned, kept: Collection[str] = ()
) -> dict[Ref, Told]:
    """The last extent of what layers of unknown classes give, by the first of their readers.

    Args:
        model: The model that the layers are in.
        path: Of the model.
        assigned: The arrays of all layers.
        kept: Layers of known classes that are not computed either.
    """
    opaque = {spec.name for spec in model.layers if _is_unknown(spec) or spec.name in kept}
    found: dict[Ref, Told] = {}
    for spec in model.layers if opaque else ():
        for ref in (ref for call in spec.calls for ref in call.inputs[:1]):
            told = _told(spec, path, assigned) if ref.layer in opaque else None
            if told is not None:
                found.setdefault(ref, told)
    return found


def _is_unknown(spec: LayerSpec) -> bool:
    inner = spec.class_name == "InputLayer" or spec.model is not None or spec.wrapped is not None
    return not inner and translator_of(spec.class_name) is None


def _told(spec: LayerSpec, path: Path, assigned: Assigned) -> Told | None:
    arrays = assigned.get((*path, spec.name), {})
    if spec.config.get("axis", -1) not in LAST:
        return None
    slots = FIRST_EXTENT.get(spec.class_name, ())
    shapes = [arrays[slot].source.shape for slot in slots if slot in arrays]
    return Told(shapes[0][0], spec.name) if shapes and shapes[0] else None
