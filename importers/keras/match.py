"""Which stored array belongs to which layer: by name, and by position where no name matches.

Keras 1 and 2 keep a nested model's arrays in one group: all trainable ones in the order of its
layers, then all others; a frozen layer's count as others (Keras 2.3.1 `engine/network.py`,
`Network.trainable_weights`). Each array is used once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ...errors import KerasirError, WeightError
from ...ir.report import Report
from .adapted import with_adaptations
from .archive.record import Archive, StoredWeight, WeightGroup
from .match_paths import Assigned, assign_by_path
from .registry import Slot, read_config, translator_of
from .spec import SEEN_THROUGH, LayerSpec, ModelSpec, Path, leaves
from .subclassed import own_arrays

Leaf = tuple[Path, LayerSpec, bool]

STORED_NAMES: Mapping[str, tuple[str, ...]] = {
    "kernel": ("kernel", "W"),
    "bias": ("bias", "b"),
    "recurrent_kernel": ("recurrent_kernel", "U"),
    "gamma": ("gamma",),
    "mean": ("moving_mean", "running_mean"),
    "variance": ("moving_variance", "running_std"),
    "depthwise_kernel": ("depthwise_kernel",),
    "pointwise_kernel": ("pointwise_kernel",),
    "embeddings": ("embeddings", "W"),
    "alpha": ("alpha", "alphas"),
    "beta": ("beta", "betas"),
    "carry_kernel": ("W_carry",),
    "carry_bias": ("b_carry",),
}
"""What a slot's array is called, in any era."""


def assign(
    model: ModelSpec,
    archive: Archive,
    slots: Mapping[Path, Sequence[Slot]],
    report: Report,
) -> Assigned:
    """Give every layer its stored arrays.

    Args:
        model: The architecture.
        archive: The file, with its groups in its order.
        slots: What each weighted layer stores; layers that are not in it (opaque ones) take what
            their group holds.
        report: Told where positions decided, and what belongs to no layer.

    Raises:
        WeightError: A layer without arrays, with too few, or too many.
    """
    groups: Sequence[WeightGroup] = archive.groups
    if model.kind == "subclassed" and not slots:
        return {(model.layers[-1].name,): own_arrays(groups, archive.form)}
    if archive.form == "paths":
        return assign_by_path(model, groups, slots)
    if archive.form in {"numbered", "graph"}:
        return _in_turn(model, groups, slots)
    groups = with_adaptations(model, groups)
    by_name: Groups = {group.layer: group for group in groups}
    for spec, group in _unnamed(model.layers, by_name, slots):
        by_name[spec] = group
    found: Assigned = {}
    used: set[str] = set()
    for owner, spec in _owners(model.layers, by_name, slots):
        group = by_name[_key(spec)]
        used.add(group.layer)
        _distribute(owner, spec, group, slots, found)
    _rest(model, groups, used, slots, found, report)
    return found


def _in_turn(
    model: ModelSpec, groups: Sequence[WeightGroup], slots: Mapping[Path, Sequence[Slot]]
) -> Assigned:
    """Keras 0.3 has no names: arrays in the order of the layers (`Sequential.get_weights`)."""
    arrays = [array for group in groups for array in group.weights]
    wanted = [
        (path, slot)
        for layer in model.layers
        for path, _ in leaves(layer)
        for slot in slots.get(path, ())
    ]
    if len(arrays) != len(wanted):
        raise WeightError(
            f"{len(arrays)} arrays are stored, the configuration implies {len(wanted)}",
            where="file",
            hint="is it the architecture that these weights were trained with?",
        )
    found: Assigned = {}
    for (path, slot), array in zip(wanted, arrays, strict=True):
        found.setdefault(path, {})[slot.name] = array
    return found


Groups = dict["str | LayerSpec", WeightGroup]
"""By the name of the layer; by the layer itself where the file does not name it."""


def _key(spec: LayerSpec) -> str | LayerSpec:
    return spec.name if spec.named else spec


def _unnamed(
    layers: Sequence[LayerSpec], by_name: Groups, slots: Mapping[Path, Sequence[Slot]]
) -> list[tuple[LayerSpec, WeightGroup]]:
    """Groups of nested models whose names are in the weights alone: in order, if they go up.

    A Sequential inside another has no name in a configuration up to Keras 2.2.2.
    """
    models = list[LayerSpec]()
    names = set[str]()

    def visit(layers: Sequence[LayerSpec], path: Path) -> None:
        for spec in layers:
            if spec.named and (spec.model is None or spec.name in by_name):
                names.add(spec.name)
            elif not spec.named:
                models.extend([spec] * any(slots.get(p) for p, _ in leaves(spec, path)))
            elif spec.model is not None:
                visit(spec.model.layers, (*path, spec.name))

    visit(layers, ())
    left = [group for group in by_name.values() if group.weights and group.layer not in names]
    return list(zip(models, left, strict=True)) if len(models) == len(left) else []


def _owners(
    layers: Sequence[LayerSpec],
    by_name: Groups,
    slots: Mapping[Path, Sequence[Slot]],
    path: Path = (),
    around: frozenset[str | LayerSpec] = frozenset(),
) -> Iterator[tuple[Path, LayerSpec]]:
    """Layers with a group of their own; of a Keras 1 Merge's models, the layers inside have it.

    A group of a name that layers inside and outside have is the outer one's.
    """
    here = around.union(map(_key, layers))
    for spec in layers:
        group = None if _key(spec) in around else by_name.get(_key(spec))
        if group is not None and (group.weights or spec.model is None):
            yield path, spec
        elif spec.model is not None:
            yield from _owners(spec.model.layers, by_name, slots, (*path, spec.name), here)


def _distribute(
    path: Path,
    spec: LayerSpec,
    group: WeightGroup,
    slots: Mapping[Path, Sequence[Slot]],
    found: Assigned,
) -> None:
    """Hand a group's arrays to the layers in it."""
    inside: list[Leaf] = [
        (p, leaf, spec.trainable and leaf.trainable) for p, leaf in leaves(spec, path)
    ]
    if len(inside) == 1 and inside[0][0] not in slots:
        at = inside[0][0]
        found[at] = {f"weight_{i}": stored for i, stored in enumerate(group.weights)}
        return
    group = _without_estimates(spec, group)
    wanted = sum(len(slots.get(p, ())) for p, _, _ in inside)
    if wanted > len(group.weights):
        slots = {p: [s for s in slots.get(p, ()) if not s.optional] for p, _, _ in inside}
        wanted = sum(map(len, slots.values()))
    if wanted != len(group.weights):
        raise WeightError(
            f"{len(group.weights)} arrays are stored, the configuration implies {wanted}",
            where=spec.name,
            hint="is it the architecture that these weights were trained with?",
            details=_listing(group),
        )
    named = _by_names(inside, group, slots) if len(inside) > 1 else None
    parts = named if named is not None else _by_order(inside, group, slots)
    for at, stored in parts.items():
        found[at] = _in_slots(slots.get(at, ()), stored)


ESTIMATES = frozenset({"vector_u", "sn_u"})
"""Arrays that SpectralNormalization needs for training alone (Keras 3.15 and tf-keras 2.21
`layers/normalization/spectral_normalization.py` `build`)."""


def _without_estimates(spec: LayerSpec, group: WeightGroup) -> WeightGroup:
    if spec.source_class not in SEEN_THROUGH:
        return group
    kept = [array for array in group.weights if bare_name(array.name) not in ESTIMATES]
    return msgspec.structs.replace(group, weights=tuple(kept))


def _listing(group: WeightGroup) -> list[str]:
    lines = [f"{w.name}   {w.source.shape}   at {w.path}" for w in group.weights[:12]]
    return [*lines, f"and {len(group.weights) - 12} more"] if len(group.weights) > 12 else lines


def _by_names(
    inside: Sequence[Leaf], group: WeightGroup, slots: Mapping[Path, Sequence[Slot]]
) -> dict[Path, list[StoredWeight]] | None:
    """Arrays by the layer that their names begin with; None if the names do not tell all."""
    weighted = [(p, leaf.name) for p, leaf, _ in inside if slots.get(p)]
    names = sorted({name for _, name in weighted}, key=len, reverse=True)
    paths = {name: p for p, name in weighted}
    if len(names) < len(weighted):
        return None
    found: dict[Path, list[StoredWeight]] = {p: [] for p, _ in weighted}
    for stored in group.weights:
        parts = stored.name.split("/")
        owner = next((n for n in names if n in parts[:-1]), None)
        if owner is None and len(parts) == 1:
            owner = next((n for n in names if parts[0].startswith(n + "_")), None)
        if owner is None:
            return None
        found[paths[owner]].append(stored)
    fits = all(len(stored) == len(slots[p]) for p, stored in found.items())
    return found if fits else None


def _by_order(
    inside: Sequence[Leaf], group: WeightGroup, slots: Mapping[Path, Sequence[Slot]]
) -> dict[Path, list[StoredWeight]]:
    """Arrays by position: what trains first, then the rest, each in the order of the layers."""
    order = [
        (path, index, trainable and slot.trainable)
        for path, _, trainable in inside
        for index, slot in enumerate(slots.get(path, ()))
    ]
    if len(inside) > 1:
        order.sort(key=lambda entry: not entry[2])
    found: dict[Path, dict[int, StoredWeight]] = {}
    for (path, index, _), stored in zip(order, group.weights, strict=True):
        found.setdefault(path, {})[index] = stored
    return {path: [held[i] for i in sorted(held)] for path, held in found.items()}


def _in_slots(slots: Sequence[Slot], stored: Sequence[StoredWeight]) -> dict[str, StoredWeight]:
    """Arrays by slot: by what they are called if that is clear, else in order."""
    last = [bare_name(array.name) for array in stored]
    known = [STORED_NAMES.get(slot.name, (slot.name,)) for slot in slots]
    places = [[i for i, name in enumerate(last) if is_called(name, names)] for names in known]
    if all(len(place) == 1 for place in places) and len({p[0] for p in places}) == len(stored):
        return {slot.name: stored[place[0]] for slot, place in zip(slots, places, strict=True)}
    return {slot.name: array for slot, array in zip(slots, stored, strict=True)}


def bare_name(name: str) -> str:
    """The last part of a stored name: without folders, TensorFlow's `:0` and uniquifying digits."""
    return re.sub(r"(_\d+)?(:\d+)?$", "", name.rsplit("/", 1)[-1])


def is_called(name: str, names: tuple[str, ...]) -> bool:
    return any(name == known or name.endswith(f"_{known}") for known in names)


def _rest(
    model: ModelSpec,
    groups: Sequence[WeightGroup],
    used: set[str],
    slots: Mapping[Path, Sequence[Slot]],
    found: Assigned,
    report: Report,
) -> None:
    """What names have left over: all of it by position where they match nowhere, else told."""
    missing = [
        spec
        for spec in model.layers
        if any(_needs_arrays(slots.get(p, ())) and p not in found for p, _ in leaves(spec))
    ]
    left = [group for group in groups if group.layer not in used and group.weights]
    strange = not any(group.weights and group.layer in used for group in groups)
    if missing and strange and _fit(missing, left, slots):
        for spec, group in zip(missing, left, strict=True):
            _distribute((), spec, group, slots, found)
        pairs = [f"{s.name} from {g.layer}" for s, g in zip(missing, left, strict=True)]
        report.add(
            "KE201",
            "assumed",
            f"no layer is called as in the file; weights taken by position: {listed(pairs)}",
            level="warning",
        )
    elif missing:
        raise _lacking(missing, left)
    elif left:
        report.add(
            "KE203",
            "lost",
            f"weights in the file that belong to no layer: {listed([g.layer for g in left])}",
            level="warning",
        )


def _needs_arrays(slots: Sequence[Slot]) -> bool:
    return not all(slot.optional for slot in slots)


def _fit(
    missing: Sequence[LayerSpec],
    left: Sequence[WeightGroup],
    slots: Mapping[Path, Sequence[Slot]],
) -> bool:
    """Whether groups have as many arrays as the layers at their places; shapes are seen later."""
    wanted = [sum(len(slots.get(p, ())) for p, _ in leaves(spec)) for spec in missing]
    return wanted == [len(group.weights) for group in left]


def _lacking(missing: Sequence[LayerSpec], left: Sequence[WeightGroup]) -> WeightError:
    one = len(missing) == 1
    names = listed([spec.name for spec in missing])
    others = f"The file has weights that belong to no layer: {listed([g.layer for g in left])}"
    return WeightError(
        f"{len(missing)} {'layer has' if one else 'layers have'} no weights in the file: {names}",
        where="file",
        hint="is it the architecture that these weights were trained with?",
        details=[others] if left else [],
    )


def listed(names: Sequence[str]) -> str:
    """Up to three names, and how many more there are."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def slots_of(
    model: ModelSpec, vocabulary: str, allowed: frozenset[str]
) -> dict[Path, Sequence[Slot]]:
    """What each layer with a translator stores, by path.

    Raises:
        ConfigError: A configuration that its translator cannot read; the layer is named.
    """
    found: dict[Path, Sequence[Slot]] = {}
    for layer in model.layers:
        for path, leaf in leaves(layer):
            translator = translator_of(leaf.class_name)
            if translator is None:
                continue
            try:
                config, _ = read_config(translator, leaf.config, leaf.class_name, allowed)
                found[path] = translator.slots(config, vocabulary)
            except KerasirError as error:
                error.at("/".join(path))
                raise
    return found
