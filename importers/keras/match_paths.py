"""Which stored array belongs to which layer, where weights lie by path: Keras 3 and `.keras` files.

A layer's group is called by its class and its number among the layers of that class, in a group
`layers` of its model's group: `layers/dense_1`, `layers/functional/layers/conv2d`. Recent Keras 3
notes the layer's name as well. Arrays are numbered: first those that train, then the others.

Source: Keras 3.15 `saving/saving_lib.py` `_save_container_state`, `layers/layer.py`
`save_own_variables`; tf-keras 2.21 `saving/saving_lib.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ...errors import WeightError, show
from .archive.record import StoredWeight, WeightGroup
from .layers import OPERATION
from .registry import Slot, known_translator
from .spec import SEEN_THROUGH, LayerSpec, ModelSpec, Path, leaves

Assigned = dict[Path, dict[str, StoredWeight]]
Slots = Mapping[Path, Sequence[Slot]]

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""What a model's group calls the group of its layers; the second in tf-keras 2.12 and 2.13."""

WRAPPED = "layer"
"""What a wrapper's group calls the layer inside (`layers/core/wrapper.py`)."""

NOT_WEIGHTS = frozenset({"seed_generator", "_random_generator", "_metrics"})
"""Parts of a layer that hold the state of its random numbers, or of metrics that it adds to."""

WITHOUT_PLACE = frozenset({"InputLayer"})


class Place:
    """A group: the arrays it holds, and the groups in it.

    Attributes:
        path: From the root.
        group: Its arrays; None where it has none of its own.
        inside: The groups in it, by name.
    """

    __slots__ = ("group", "inside", "path")

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.group: WeightGroup | None = None
        self.inside: dict[str, Place] = {}

    @classmethod
    def tree(cls, groups: Sequence[WeightGroup]) -> Place:
        """The groups of a file as a tree."""
        root = cls()
        for group in groups:
            place = root
            for part in filter(None, group.layer.split("/")):
                place = place.inside.setdefault(part, cls(f"{place.path}/{part}".lstrip("/")))
            place.group = group
        return root

    @property
    def name(self) -> str | None:
        """The name of the layer, where the file says it."""
        return self.group.name if self.group else None

    @property
    def arrays(self) -> tuple[StoredWeight, ...]:
        """The arrays of the group itself."""
        return self.group.weights if self.group else ()

    @property
    def layers(self) -> Place | None:
        """The group of a model's layers."""
        return next((self.inside[name] for name in CONTAINERS if name in self.inside), None)

    def at(self, path: str) -> Place | None:
        """The group at a path from here; itself at ""."""
        place: Place | None = self
        for part in filter(None, path.split("/")):
            place = place.inside.get(part) if place else None
        return place

    def all(self) -> Iterator[StoredWeight]:
        """Every array in this group and below, states of random numbers aside."""
        todo = [self]
        while todo:
            place = todo.pop()
            yield from place.arrays
            todo += [p for name, p in reversed(place.inside.items()) if name not in NOT_WEIGHTS]


def assign_by_path(model: ModelSpec, groups: Sequence[WeightGroup], slots: Slots) -> Assigned:
    """Give every layer its stored arrays.

    Args:
        model: The architecture.
        groups: Those of the file, in its order.
        slots: What each weighted layer stores; layers that are not in it (opaque ones) take what
            their group holds.

    Raises:
        WeightError: A layer has no group, or too few arrays or too many; or some are left over.
    """
    root = Place.tree(groups)
    found: Assigned = {}
    _model(model, root, (), slots, found)
    known = {array.path for arrays in found.values() for array in arrays.values()}
    known |= _estimates(root)
    left = [array for array in root.all() if array.path not in known]
    if left:
        raise WeightError(
            f"{len(left)} arrays in the file belong to no layer",
            where=show(left[0].path),
            hint="is it the architecture that these weights were trained with?",
            details=[f"{array.path}   {array.source.shape}" for array in left[:12]],
        )
    return found


def _estimates(root: Place) -> set[str]:
    """Arrays beside the layer that SpectralNormalization wraps: its kernel again, an estimate."""
    found, todo = set[str](), [root]
    while todo:
        place = todo.pop()
        todo += place.inside.values()
        own = place.path.rsplit("/", 1)[-1].startswith("spectral_normalization")
        if own and WRAPPED in place.inside:
            found |= {array.path for array in place.arrays}
    return found


def _model(model: ModelSpec, place: Place, path: Path, slots: Slots, found: Assigned) -> None:
    layers = [spec for spec in model.layers if _has_place(spec)]
    container = place.layers or Place(f"{place.path}/{CONTAINERS[0]}".lstrip("/"))
    for spec, own in _places(layers, container, path, slots):
        _layer(spec, own, path, slots, found)


def _has_place(spec: LayerSpec) -> bool:
    return spec.class_name not in WITHOUT_PLACE and not spec.class_name.startswith(OPERATION)


def _places(
    layers: Sequence[LayerSpec], container: Place, path: Path, slots: Slots
) -> Iterator[tuple[LayerSpec, Place]]:
    """The group of each layer that holds arrays: by its name, by Keras' rule, or in turn.

    Raises:
        WeightError: A layer that holds arrays has no group.
    """
    weighted = [spec for spec in layers if _is_weighted(spec, path, slots)]
    by_name = {place.name: place for place in container.inside.values() if place.name}
    if weighted and all(spec.name in by_name for spec in weighted):
        yield from ((spec, by_name[spec.name]) for spec in layers if spec.name in by_name)
        return
    names = numbered(layers)
    named = [container.inside.get(names[spec.name]) for spec in weighted]
    if all(place is not None and any(place.all()) for place in named):
        for spec in layers:
            place = container.inside.get(names[spec.name])
            if place is not None:
                yield spec, place
        return
    yield from _in_turn(weighted, container)


def _is_weighted(spec: LayerSpec, path: Path, slots: Slots) -> bool:
    held = (slot for leaf, _ in leaves(spec, path) for slot in slots.get(leaf, ()))
    return not all(slot.optional for slot in held)


def numbered(layers: Sequence[LayerSpec]) -> dict[str, str]:
    """What Keras calls the group of each layer that has one."""
    count: dict[str, int] = {}
    found: dict[str, str] = {}
    for spec in filter(_has_place, layers):
        base = _base(spec)
        number = count[base] = count.get(base, -1) + 1
        found[spec.name] = f"{base}_{number}" if number else base
    return found


def _in_turn(weighted: Sequence[LayerSpec], container: Place) -> Iterator[tuple[LayerSpec, Place]]:
    """Numbers with gaps (tf-keras 2.12 counts a layer twice): the layers of a class in order."""
    for base in dict.fromkeys(map(_base, weighted)):
        mine = [spec for spec in weighted if _base(spec) == base]
        pattern = re.compile(re.escape(base) + r"(?:_(\d{1,9}))?")
        fitting = [(pattern.fullmatch(name), place) for name, place in container.inside.items()]
        held = sorted(
            (int(match[1] or 0), place.path, place)
            for match, place in fitting
            if match and any(place.all())
        )
        if len(held) != len(mine):
            raise WeightError(
                f"{len(mine)} layers of class {mine[0].source_class} hold weights, the file has "
                f"{len(held)} such groups",
                where=mine[0].name,
                hint="is it the architecture that these weights were trained with?",
                details=[f"looked for {container.path}/{base}"],
            )
        yield from zip(mine, (place for _, _, place in held), strict=True)


def _layer(spec: LayerSpec, place: Place, path: Path, slots: Slots, found: Assigned) -> None:
    here = (*path, spec.name)
    if spec.source_class in SEEN_THROUGH:
        place = place.at(WRAPPED) or place
    if spec.model is not None:
        _model(spec.model, place, here, slots, found)
    elif spec.wrapped is not None:
        inner = place.at(WRAPPED)
        if inner is not None:
            _layer(spec.wrapped, inner, here, slots, found)
    elif here not in slots:
        found[here] = {f"weight_{i}": _inside(array, place) for i, array in enumerate(place.all())}
    else:
        found[here] = _arrays(spec, place, slots[here])


def _arrays(spec: LayerSpec, place: Place, slots: Sequence[Slot]) -> dict[str, StoredWeight]:
    """A layer's arrays by slot, in their order."""
    stated = known_translator(spec.class_name).places
    paths = stated if isinstance(stated, tuple) else stated(spec.config)
    places = [place.at(part) for part in paths]
    arrays = [array for part in places if part is not None for array in part.arrays]
    if len(arrays) < len(slots):
        slots = [slot for slot in slots if not slot.optional]
    if len(arrays) != len(slots):
        raise WeightError(
            f"{len(arrays)} arrays are stored, the configuration implies {len(slots)}",
            where=spec.name,
            hint="is it the architecture that these weights were trained with?",
            details=[f"{array.path}   {array.source.shape}" for array in arrays[:12]],
        )
    return {slot.name: array for slot, array in zip(slots, arrays, strict=True)}


def _base(spec: LayerSpec) -> str:
    """What Keras calls the first layer of a class (`utils/naming.py` `to_snake_case`)."""
    name = re.sub(r"\W+", "", spec.source_class.rsplit(">", 1)[-1])
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _inside(array: StoredWeight, place: Place) -> StoredWeight:
    """An array of a layer that is not known: one of a layer within is called by its path there."""
    path = array.path.strip("/").removeprefix(place.path).strip("/")
    below = path.count("/") > 1
    return msgspec.structs.replace(array, name=path) if below else array
