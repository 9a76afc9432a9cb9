"""Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention."""

from __future__ import annotations

from typing import Any

from ....ir.layout import size_of
from ....ir.ops.attention import Attention, MultiHeadAttention
from ..masks import mask_of
from ..network import Arguments
from ..registry import writes
from ..site import Site
from .attention_inputs import BETWEEN, MASKS, Fed, heads_fed, is_composed, is_seen, pair_fed, strip

CLASSES = {"dot": "Attention", "concat": "Attention", "additive": "AdditiveAttention"}
"""The class of each way to score."""


@writes(Attention, attributes="score causal")
def attention(site: Site) -> None:
    """Attention of one head: a list of query, value, and maybe key."""
    op = site.op
    assert isinstance(op, Attention)
    params = site.settled.node.params
    config: dict[str, Any] = {"use_scale": "scale" in params}
    if op.score == "concat":
        config["score_mode"] = op.score
    fed = pair_fed(site)
    arrays = [
        site.array("scale", "scale", "scaled"),
        site.array("concat_score_weight", "weight", "weighted"),
    ]
    _call(site, CLASSES[op.score], config, fed, arrays, causal=op.causal)


@writes(MultiHeadAttention, attributes="causal window blind")
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
    config |= _for_the_blind(site)
    fed = heads_fed(site, class_name)
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
    scored = op.blind == "zero" and site.dialect.tells_masks and not is_composed(site)
    _call(site, class_name, config, fed, arrays, causal=op.causal, scored=scored)
    if class_name in site.dialect.strips_masks:
        strip(site, fed.tensors)


def _for_the_blind(site: Site) -> dict[str, Any]:
    """What has a query without a key come out as the op says, be it seen.

    Raises:
        ExportError: Nothing has.
    """
    op = site.op
    assert isinstance(op, MultiHeadAttention)
    masked = any(mask_of(site, port) is not None for port in (*MASKS.values(), BETWEEN))
    zero = site.dialect.tells_masks and is_composed(site)
    if not masked or zero == (op.blind == "zero") or not is_seen(site):
        return {}
    if zero and not is_composed(site, dropout=False):
        site.tell(
            "KX408",
            "lost",
            "its dropout: with it, Keras 3 gives zeros to a query that the masks leave no key, and "
            "not the mean of all values",
            level="warning",
            fix="set `dropout` of the layer before training goes on",
        )
        return {"dropout": 0.0}
    if not zero and site.dialect.tells_masks:
        return {}  # it is asked for the scores, and computes them then
    gives = "zeros" if zero else "the mean of all values"
    raise site.refuse(
        f"{site.dialect.name} gives {gives} to a query that its masks leave no key",
        hint="convert to ONNX" + ("" if zero else ", or for Keras 3"),
    )


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


def _call(
    site: Site,
    class_name: str,
    config: dict[str, Any],
    fed: Fed,
    arrays: list[Any],
    *,
    causal: bool,
    scored: bool = False,
) -> None:
    if class_name not in site.dialect.classes:
        raise site.refuse(f"{site.dialect.name} has no {class_name}")
    scores = site.emission.is_read(site.settled.node.results[1])
    said: dict[str, Any] = {"use_causal_mask": True} if causal else {}
    if scores or scored:  # or asked for since Keras 3 gives zeros then
        said["return_attention_scores"] = True
    tensors = site.put_all(
        class_name,
        config,
        fed.tensors,
        arrays=arrays,
        mask=fed.carried,
        outputs=2 if scores or scored else 1,
        arguments=Arguments(constants=said, named=fed.named),
    )
    site.give(tensors[0])
    if scores:
        tensors[1].mask = None
        site.give(tensors[1], 1)
