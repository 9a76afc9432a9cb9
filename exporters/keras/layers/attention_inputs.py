"""What attention layers are given: tensors, and the masks that do not come along with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ....ir.graph import Value
from ....ir.handed_on import one_object
from ..functions import needed
from ..masks import mask_of, mask_tensor, shows, told, without_mask
from ..network import Tensor
from ..site import Site

MASKS = {"query": 3, "value": 4, "key": 5}
"""The inputs that are masks, by what they are of: they travel with it."""


class Fed(NamedTuple):
    """What a layer is given.

    Attributes:
        tensors: All of it.
        named: The keywords that the last of them are given by.
        carried: The mask that goes on with its result.
    """

    tensors: list[Tensor]
    named: tuple[str, ...]
    carried: Value | None


def masked(site: Site, name: str, index: int) -> Tensor:
    """An input that carries the mask along which the op is to have of it, if any."""
    x, port = site.x(index), MASKS[name]
    held = mask_of(site, port)
    if held is None and x.mask is not None:
        return without_mask(site, x, f"{name}_unmasked")
    if held is not None:
        site.check_mask(port, x)
    return x


def pair_fed(site: Site) -> Fed:
    """Query, value and maybe key in a list; masks in another, where they do not come along."""
    last = [site.x(2)] if site.settled.inputs[2] is not None else []
    if not site.dialect.tells_masks:
        inputs = [masked(site, "query", 0), masked(site, "value", 1)]
        return Fed([*inputs, *last], (), inputs[0].mask)
    pairs = [told(site, MASKS[name], site.x(ROLES[name])) for name in ("query", "value")]
    inputs = [x for x, _ in pairs]
    masks: dict[str, Tensor] = {}
    if any(mask is not None for _, mask in pairs):  # then those that come along are not looked at
        masks = {
            f"mask/{place}": mask_tensor(site, MASKS[name])
            for place, name in enumerate(("query", "value"))
            if mask_of(site, MASKS[name]) is not None
        }
    return Fed([*inputs, *last, *masks.values()], tuple(masks), inputs[0].mask)


def heads_fed(site: Site, class_name: str) -> Fed:
    """Query, value, key; and the masks that do not come along with them."""
    roles = {name: index for name, index in ROLES.items() if mask_of(site, index) is not None}
    tensors = {name: site.x(index) for name, index in roles.items()}
    masks: dict[str, Tensor] = {}
    if class_name in site.dialect.strips_masks:
        if not (_come_along(site, tensors) and _reads_last(site)):
            tensors, masks = _apart(site, tensors)
    elif site.dialect.tells_masks:
        for name, x in tensors.items():
            tensors[name], mask = told(site, MASKS[name], x)
            masks |= {f"{name}_mask": mask} if mask is not None else {}
    else:
        tensors = {name: masked(site, name, index) for name, index in roles.items()}
    if mask_of(site, BETWEEN) is not None:
        own = site.x(BETWEEN)
        both = [own, masks[ATTENTION]] if ATTENTION in masks else []
        masks[ATTENTION] = needed(site, "logical_and", both, "masks") if both else own
    named = (*[name for name in tensors if name != "query"], *masks)
    return Fed([*tensors.values(), *masks.values()], named, tensors["query"].mask)


ATTENTION, BETWEEN = "attention_mask", 6
"""A mask of pairs of steps, and which of the op's inputs it is."""

ROLES = {"query": 0, "value": 1, "key": 2}


def _come_along(site: Site, tensors: Mapping[str, Tensor]) -> bool:
    """Whether each tensor carries the mask that the op is to have of it."""
    pairs = [(x.mask, mask_of(site, MASKS[name])) for name, x in tensors.items()]
    return all(mask is (held.value if held else None) for mask, held in pairs)


def _reads_last(site: Site) -> bool:
    """Whether nobody reads the layer's inputs any more who could look for their masks.

    Keras takes them off when it runs the layer. So whoever else reads them has to come behind it,
    for sure; else they go without, or with, as the order of the run will have it.
    """
    node, graph = site.settled.node, site.emission.plan.graph
    masked = {held.value for name, index in ROLES.items() if (held := mask_of(site, index))
              and mask_of(site, MASKS[name])}  # fmt: skip
    if not masked:
        return True
    readers = graph.consumers()
    alike = {one for value in masked for one in one_object(graph.nodes, value)}
    behind, waiting = {node}, [node]
    while waiting:
        for value in waiting.pop().results:
            fresh = [one for one in readers[value] if one not in behind]
            behind.update(fresh)
            waiting += fresh
    return all(
        one in behind or alike.issuperset(one.results) or one.part == "mask"
        for value in alike
        for one in readers[value]
    )


def _apart(
    site: Site, tensors: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The tensors without masks, as nobody else has them, and the masks by keyword.

    That of the query cannot be told: its steps are left out of the pairs of steps.
    """
    bare: dict[Tensor, Tensor] = {}
    for name, x in tensors.items():
        if x not in bare:
            bare[x] = x if x.mask is None else without_mask(site, x, f"{name}_unmasked")
    masks = {
        f"{name}_mask": mask_tensor(site, MASKS[name])
        for name in ("value", "key")
        if mask_of(site, MASKS[name]) is not None
    }
    if mask_of(site, MASKS["query"]) is not None:
        steps = mask_tensor(site, MASKS["query"])
        masks[ATTENTION] = needed(site, "expand_dims", [steps], "query_mask", axis=-1)
    return {name: bare[x] for name, x in tensors.items()}, masks


def strip(site: Site, given: Sequence[Tensor]) -> None:
    """Take the masks off what the layer is given, as it does for all who read it later."""
    nodes = site.emission.plan.graph.nodes
    for index in ROLES.values():
        held = mask_of(site, index)
        if held is not None and (x := site.x(index)).mask is not None and x in given:
            for value in one_object(nodes, held.value):
                site.scope.strip(value)


def is_composed(site: Site, *, dropout: bool = True) -> bool:
    """Whether Keras 3 computes the scores itself, and gives zeros to a query without a key.

    Args:
        site: The node.
        dropout: Whether the layer keeps its dropout.

    Source: Keras 3.15 `layers/attention/multi_head_attention.py` (`_compute_attention`).
    """
    layer, scores = site.layer, site.settled.node.results[1]
    rate = layer.config.get("dropout") if layer else None
    dropped = dropout and isinstance(rate, (int, float)) and rate > 0
    return dropped or site.emission.is_read(scores) or len(site.seen(site.settled.input)) != 3


def is_seen(site: Site) -> bool:
    """Whether anybody sees what a query is given that its masks leave no key.

    Nobody does where it is a step that its own mask leaves out, for all that comes of it.
    """
    query, *others = (mask_of(site, MASKS[name]) for name in ROLES)
    own = query is not None and all(held is None or held.value is query.value for held in others)
    if query is None or not own or mask_of(site, BETWEEN) is not None:
        return True
    return shows(site.emission.plan.graph, site.settled.node.result, query.value)
