"""Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ....ir.graph import Value
from ....ir.handed_on import one_object
from ....ir.layout import size_of
from ....ir.ops.attention import Attention, MultiHeadAttention
from ..functions import needed
from ..masks import mask_of, mask_tensor, told, without_mask
from ..network import Arguments, Tensor
from ..registry import writes
from ..site import Site

CLASSES = {"dot": "Attention", "concat": "Attention", "additive": "AdditiveAttention"}
"""The class of each way to score."""

MASKS = {"query": 3, "value": 4, "key": 5}
"""The inputs that are masks, by what they are of: they travel with it."""


@writes(Attention, attributes="score causal")
def attention(site: Site) -> None:
    """Attention of one head: a list of query, value, and maybe key."""
    op = site.op
    assert isinstance(op, Attention)
    params = site.settled.node.params
    config: dict[str, Any] = {"use_scale": "scale" in params}
    if op.score == "concat":
        config["score_mode"] = op.score
    inputs = [_masked(site, "query", 0), _masked(site, "value", 1)]
    if site.settled.inputs[2] is not None:
        inputs.append(site.x(2))
    fed = Fed(inputs, (), inputs[0].mask)
    arrays = [
        site.array("scale", "scale", "scaled"),
        site.array("concat_score_weight", "weight", "weighted"),
    ]
    _call(site, CLASSES[op.score], config, fed, arrays, causal=op.causal)


@writes(MultiHeadAttention, attributes="causal window")
def multi_head_attention(site: Site) -> None:
    """Attention of several heads: everything but the query by keyword."""
    op, bound = site.op, site.settled.bound
    assert isinstance(op, MultiHeadAttention)
    params = site.settled.node.params
    heads, key_heads = site.size("heads"), site.size("key_heads")
    extra: dict[str, Any] = {"use_gate": True} if "gate_kernel" in params else {}
    if op.window is not None:
        extra["sliding_window"] = op.window
    config: dict[str, Any] = {"use_bias": "query_bias" in params, **extra}
    if heads == key_heads:
        class_name = "MultiHeadAttention"
        config |= {
            "num_heads": heads,
            "key_dim": site.size("head"),
            "value_dim": site.size("value_head"),
            "output_shape": [size_of(term) for term in bound["outputs"]],
            "attention_axes": [site.settled.position("steps") + n - site.depth
                               for n in range(len(bound["steps"]))],
        }  # fmt: skip
    else:
        known = site.dialect.classes
        names = ("GroupedQueryAttention", "GroupQueryAttention")
        class_name = next((name for name in names if name in known), names[0])
        config |= {
            "head_dim": site.size("head"),
            "num_query_heads": heads,
            "num_key_value_heads": key_heads,
        }
    _check(site, class_name, extra)
    config |= _shapes(site, class_name)
    fed = _heads_fed(site, class_name)
    patterns = {
        "query": ("features heads head", "heads head"),
        "key": ("key_features key_heads key_head", "key_heads key_head"),
        "gate": ("features heads value_head", "heads value_head"),
        "value": ("value_features key_heads value_head", "key_heads value_head"),
        "output": ("heads value_head outputs", "outputs"),
    }
    place = {"output": "attention_output"}
    arrays = [
        site.array(f"{place.get(name, name)}/{param}", f"{name}_{param}", pattern)
        for name, pair in patterns.items()
        for param, pattern in zip(("kernel", "bias"), pair, strict=True)
    ]
    _call(site, class_name, config, fed, arrays, causal=op.causal)
    if class_name in site.dialect.strips_masks:
        _strip(site, fed.tensors)


def _shapes(site: Site, class_name: str) -> dict[str, Any]:
    """The shapes of its inputs, which tf.keras builds the layer by when it loads it.

    Source: tf-keras 2.21 `layers/attention/multi_head_attention.py` (`from_config`).
    """
    if "query_shape" not in site.dialect.classes[class_name].stated:
        return {}
    held = site.settled.inputs
    shapes = {"query_shape": held[0], "value_shape": held[1], "key_shape": held[2] or held[1]}
    return {key: list(one.layout.shape[site.depth :]) for key, one in shapes.items() if one}


def _check(site: Site, class_name: str, keys: dict[str, Any]) -> None:
    known = site.dialect.classes.get(class_name)
    if known is None:
        raise site.refuse(f"{site.dialect.name} has no {class_name}", "write a .keras file")
    for key in keys:
        if key not in known.stated:
            raise site.refuse(f"{class_name} has no {key} in {site.dialect.name}")


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


def _masked(site: Site, name: str, index: int) -> Tensor:
    """An input that carries the mask along which the op is to have of it, if any."""
    x, port = site.x(index), MASKS[name]
    held = mask_of(site, port)
    if held is None and x.mask is not None:
        return without_mask(site, x, f"{name}_unmasked")
    if held is not None:
        site.check_mask(port, x)
    return x


def _heads_fed(site: Site, class_name: str) -> Fed:
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
        tensors = {name: _masked(site, name, index) for name, index in roles.items()}
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


def _strip(site: Site, given: Sequence[Tensor]) -> None:
    """Take the masks off what the layer is given, as it does for all who read it later."""
    nodes = site.emission.plan.graph.nodes
    for index in ROLES.values():
        held = mask_of(site, index)
        if held is not None and (x := site.x(index)).mask is not None and x in given:
            for value in one_object(nodes, held.value):
                site.scope.strip(value)


def _call(
    site: Site,
    class_name: str,
    config: dict[str, Any],
    fed: Fed,
    arrays: list[Any],
    *,
    causal: bool,
) -> None:
    if class_name not in site.dialect.classes:
        raise site.refuse(f"{site.dialect.name} has no {class_name}")
    scores = site.emission.is_read(site.settled.node.results[1])
    said: dict[str, Any] = {"use_causal_mask": True} if causal else {}
    if scores:
        said["return_attention_scores"] = True
    tensors = site.put_all(
        class_name,
        config,
        fed.tensors,
        arrays=arrays,
        mask=fed.carried,
        outputs=2 if scores else 1,
        arguments=Arguments(constants=said, named=fed.named),
    )
    site.give(tensors[0])
    if scores:
        tensors[1].mask = None
        site.give(tensors[1], 1)
