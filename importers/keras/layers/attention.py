"""Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.handed_on import one_object
from ....ir.layout import Axis, Term, Terms, copy_of, size_of
from ....ir.ops.attention import Attention, MultiHeadAttention
from ....ir.tensor import Param
from ..call import LayerCall
from ..registry import Config, Slot, translates

Results = Value | tuple[Value, ...]

SCORES, CAUSAL = "return_attention_scores", "use_causal_mask"

POSITIONS: Mapping[str, Sequence[str]] = {
    "tf_keras": ("query", "value", "key", "attention_mask", SCORES, "training", CAUSAL),
    "keras3": (
        "query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask",
        SCORES, "training", CAUSAL,
    ),
}  # fmt: skip
"""What positional arguments of a call are, in order."""


class AttentionConfig(Config, frozen=True, kw_only=True):
    """What Attention reads; `causal` was an argument up to TensorFlow 2.10."""

    use_scale: bool = False
    score_mode: Literal["dot", "concat"] = "dot"
    causal: bool = False


class AdditiveConfig(Config, frozen=True, kw_only=True):
    """What AdditiveAttention reads."""

    use_scale: bool = True
    causal: bool = False


class HeadsConfig(Config, frozen=True, kw_only=True):
    """What MultiHeadAttention reads; flash attention gives the same numbers."""

    num_heads: int
    key_dim: int
    value_dim: int | None = None
    use_bias: bool = True
    output_shape: int | tuple[int, ...] | None = None
    attention_axes: int | tuple[int, ...] | None = None
    use_gate: bool = False
    sliding_window: int | None = None
    flash_attention: bool | None = None
    query_shape: Any = None
    key_shape: Any = None
    value_shape: Any = None
    softmax_robust_masking: bool = False
    dropout: float = 0.0


class GroupedConfig(Config, frozen=True, kw_only=True):
    """What GroupQueryAttention reads."""

    head_dim: int
    num_query_heads: int
    num_key_value_heads: int
    use_bias: bool = True
    use_gate: bool = False
    sliding_window: int | None = None
    flash_attention: bool | None = None
    dropout: float = 0.0


# ---- one head -----------------------------------------------------------------------------------


@translates(
    "Attention",
    config=AttentionConfig,
    slots=lambda config, era: (
        *[Slot("scale")] * config.use_scale,
        *[Slot("weight")] * (config.score_mode == "concat"),
    ),
    arguments=(SCORES, CAUSAL),
)
def attention(call: LayerCall, query: Value, value: Value, *key: Value) -> Results:
    """Attention: dot products, or sums of tanh, of queries and keys.

    Source: tf-keras 2.21 `layers/attention/attention.py`, Keras 3.15 likewise.
    """
    config: AttentionConfig = call.config  # type: ignore[assignment]
    causal = config.causal
    return _one_head(call, Attention(score=config.score_mode, causal=causal), query, value, key)


@translates(
    "AdditiveAttention",
    config=AdditiveConfig,
    slots=lambda config, era: (Slot("scale"),) if config.use_scale else (),
    arguments=(SCORES, CAUSAL),
)
def additive_attention(call: LayerCall, query: Value, value: Value, *key: Value) -> Results:
    """AdditiveAttention: sums of tanh, each feature with a scale of its own."""
    config: AdditiveConfig = call.config  # type: ignore[assignment]
    op = Attention(score="additive", causal=config.causal)
    return _one_head(call, op, query, value, key)


def _one_head(
    call: LayerCall, op: Attention, query: Value, value: Value, keys: tuple[Value, ...]
) -> Results:
    if len(keys) > 1:
        raise ConfigError(f"{call.class_name} is called with {len(keys) + 2} tensors")
    key = keys[0] if keys else None
    q, v, k = (call.axes(x) for x in (query, value, key or value))
    if not len(q) == len(v) == len(k) >= 3 or not _equal(q[-1:], k[-1:]):
        raise ConfigError(f"{call.class_name} over {query.layout} and {(key or value).layout}")
    masks = _stated_masks(call, query, value)
    if masks != (None, None) and len(q) != 3:
        raise ConfigError(f"{call.class_name} over {query.layout} with a mask")
    bound: dict[str, Terms] = {
        "batch": q[:-2], "steps": q[-2:-1], "features": q[-1:],
        "value_batch": v[:-2], "value_source": v[-2:-1], "columns": v[-1:],
        "key_batch": k[:-2], "key_source": k[-2:-1], "key_features": k[-1:],
        "source": _other(v[-2:-1], q),
        "scaled": q[-1:] if op.score == "additive" else (), "weighted": (),
        **{name: call.axes(m) if m else () for name, m in zip(MASKS, masks, strict=False)},
    }  # fmt: skip
    causal = op.causal or bool(call.given.kwargs.get(CAUSAL))
    params = {port: call.param(Attention, port, bound) for port in ("scale", "weight")}
    node = call.add(
        Attention(score=op.score, causal=causal),
        [query, value, key, *masks],
        (*q[:-1], *_other(v[-1:], q[:-1])),
        (*q[:-1], *bound["source"]),
        axes=bound,
        params=params,
    )
    call.set_mask(node.result, masks[0])
    return node.results if call.given.kwargs.get(SCORES) else node.result


MASKS = ("query_mask", "value_mask", "key_mask")


def _stated_masks(call: LayerCall, query: Value, value: Value) -> tuple[Value | None, ...]:
    """The masks of query and value: those of the call, else those that travel with the inputs.

    Raises:
        ConfigError: They are no tensors.
    """
    stated = call.given.kwargs.get("mask")
    if stated is None:
        return call.carried_mask(query), call.carried_mask(value)
    found = [*stated, None][:2] if isinstance(stated, list) else [stated]
    if len(found) != 2 or not all(m is None or isinstance(m, Value) for m in found):
        raise ConfigError(f"{call.class_name} with masks that are no tensors")
    return tuple(found)


def _equal(a: Terms, b: Terms) -> bool:
    return [size_of(term) for term in a] == [size_of(term) for term in b]


def _other(terms: Terms, taken: Sequence[Term]) -> Terms:
    """The terms, as copies where a value has them already."""
    return tuple(copy_of(term) if term in taken else term for term in terms)


# ---- several heads ------------------------------------------------------------------------------


def _slots(config: Any, era: str) -> Sequence[Slot]:
    names = ["query", "key", *["gate"] * config.use_gate, "value", "output"]
    params = ["kernel", *["bias"] * config.use_bias]
    return tuple(Slot(f"{name}_{param}") for name in names for param in params)


PLACES = tuple(
    f"{mark}{name}_dense"
    for name in ("query", "key", "gate", "value", "output")
    for mark in ("", "_")
)
"""Where files of Keras 3 hold the projections: with an underscore where no property has one."""

ARGUMENTS = ("value", "key", *MASKS, "attention_mask", SCORES, CAUSAL)


@translates(
    "MultiHeadAttention", config=HeadsConfig, slots=_slots, places=PLACES, arguments=ARGUMENTS
)
def multi_head_attention(call: LayerCall, query: Value, *others: Value) -> Results:
    """MultiHeadAttention: its axes count the query's, the batch being 0."""
    config: HeadsConfig = call.config  # type: ignore[assignment]
    stated = config.attention_axes
    axes = (stated,) if isinstance(stated, int) else stated
    heads = (config.num_heads, config.num_heads)
    width = (config.key_dim, config.value_dim or config.key_dim)
    outputs = config.output_shape
    outputs = (outputs,) if isinstance(outputs, int) else outputs or None
    return _several(call, heads, width, axes, outputs, config.sliding_window)


@translates(
    "GroupQueryAttention",
    "GroupedQueryAttention",
    config=GroupedConfig,
    slots=_slots,
    places=PLACES,
    arguments=ARGUMENTS,
)
def group_query_attention(call: LayerCall, query: Value, *others: Value) -> Results:
    """GroupQueryAttention (Keras 3): fewer heads of keys and values than of queries."""
    config: GroupedConfig = call.config  # type: ignore[assignment]
    heads = (config.num_query_heads, config.num_key_value_heads)
    if config.num_key_value_heads < 1 or config.num_query_heads % config.num_key_value_heads:
        raise ConfigError(f"{heads[0]} heads of queries for {heads[1]} of keys")
    width = (config.head_dim, config.head_dim)
    return _several(call, heads, width, None, None, config.sliding_window)


def _several(
    call: LayerCall,
    heads: tuple[int, int],
    width: tuple[int, int],
    stated: tuple[int, ...] | None,
    outputs: tuple[int, ...] | None,
    window: int | None,
) -> Results:
    names = POSITIONS.get(call.era.vocabulary, POSITIONS["tf_keras"])
    given = {**dict(zip(names, call.given.args, strict=False)), **call.given.kwargs}
    query, value, key = (_tensor(call, given, name) for name in ("query", "value", "key"))
    if query is None or value is None:
        raise ConfigError(f"{call.class_name} without a query and a value")
    q, v, k = (call.axes(x) for x in (query, value, key or value))
    if not len(q) == len(v) == len(k) >= 3:
        raise ConfigError(f"{call.class_name} over {query.layout} and {value.layout}")
    places = _attended(stated, len(q), call)
    masks = _masks(call, given, query, value, key)
    bound = _bound(q, v, k, places) | _axes_of_heads(heads, width, outputs, q[-1])
    bound |= {name: call.axes(m) if m else () for name, m in masks.items()}
    names = [f"{n}_{p}" for n in ("query", "key", "gate", "value", "output") for p in PARAMS]
    params: dict[str, Param | None] = {
        name: call.param(MultiHeadAttention, name, bound) for name in names
    }
    attended = [term for name in ("batch", "rest") for term in bound[name]]
    masked = any(mask is not None for mask in masks.values())
    node = call.add(
        MultiHeadAttention(
            causal=bool(given.get(CAUSAL)),
            window=window,
            blind=_blind(call, given, len(q)) if masked or window is not None else "mean",
        ),
        [query, value, key, *masks.values()],
        (*q[:-1], *bound["outputs"]),
        (*attended, *bound["heads"], *bound["steps"], *bound["source"]),
        axes=bound,
        params=params,
    )
    call.set_mask(node.result, masks["query_mask"])
    _drop(call, query, value, key)
    return node.results if given.get(SCORES) else node.result


def _blind(call: LayerCall, given: Mapping[str, Any], rank: int) -> Literal["mean", "zero"]:
    """What a query without a key is given: in Keras 3 it depends on the way that is taken.

    The kernels of its backends give a mean. Its Softmax, which puts zeros where a mask is from 3.10
    on, computes where there is dropout, where scores are asked for, and over several axes of steps.
    Source: Keras 3.15 `layers/attention/multi_head_attention.py` (`_compute_attention`),
    `layers/activations/softmax.py`; genuine runs.
    """
    composed = getattr(call.config, "dropout", 0) > 0 or given.get(SCORES) or rank != 3
    return "zero" if composed and call.era.has("softmax_zeroes") else "mean"


PARAMS = ("kernel", "bias")


def _tensor(call: LayerCall, given: Mapping[str, Any], name: str) -> Value | None:
    found = given.get(name)
    if found is not None and not isinstance(found, Value):
        raise ConfigError(f"{call.class_name} with a {name} that is no tensor")
    return found


def _attended(stated: tuple[int, ...] | None, rank: int, call: LayerCall) -> tuple[int, ...]:
    """The places of the axes that are attended over."""
    if stated is None:
        return tuple(range(1, rank - 1))
    found = tuple(n + rank if n < 0 else n for n in stated)
    if not found or len(set(found)) < len(found) or not all(0 < n < rank - 1 for n in found):
        raise ConfigError(f"{call.class_name} along axes {stated} of {rank}")
    return found


def _bound(q: Terms, v: Terms, k: Terms, places: Sequence[int]) -> dict[str, Terms]:
    """The axes of query, value and key by their parts."""
    found: dict[str, Terms] = {}
    parts = (("", "steps", q), ("value_", "value_source", v), ("key_", "key_source", k))
    for prefix, steps, terms in parts:
        inner = [n for n in range(1, len(terms) - 1) if n not in places]
        found[f"{prefix}batch"] = terms[:1]
        found[f"{prefix}rest"] = tuple(terms[n] for n in inner)
        found[steps] = tuple(terms[n] for n in places)
        found[f"{prefix}features"] = terms[-1:]
    found["source"] = _other(found["value_source"], q)
    return found


def _axes_of_heads(
    heads: tuple[int, int], width: tuple[int, int], outputs: tuple[int, ...] | None, features: Term
) -> dict[str, Terms]:
    own = Axis("K", heads[0])
    sizes = outputs or (size_of(features),)
    return {
        "heads": (own,),
        "key_heads": (own if heads[0] == heads[1] else Axis("K", heads[1]),),
        "head": (head := Axis("U", width[0]),),
        "key_head": (head,),
        "value_head": (Axis("U", width[1]),),
        "outputs": tuple(Axis("F", size) for size in sizes),
    }


def _masks(
    call: LayerCall, given: Mapping[str, Any], query: Value, value: Value, key: Value | None
) -> dict[str, Value | None]:
    """All masks of a call, those that travel with its inputs among them."""
    found: dict[str, Value | None] = {}
    for name, tensor in zip(MASKS, (query, value, key), strict=True):
        mask = _tensor(call, given, name)
        if name == "query_mask" and call.era.strips_masks(call.class_name):
            mask = None
        if mask is None and tensor is not None and call.era.has("attention_sees_masks"):
            mask = call.carried_mask(tensor)
        if mask is not None and len(call.axes(query)) != 3:
            raise ConfigError(f"{call.class_name} over {query.layout} with a mask")
        found[name] = mask
    found["attention_mask"] = _tensor(call, given, "attention_mask")
    return found


def _drop(call: LayerCall, *inputs: Value | None) -> None:
    if call.era.strips_masks(call.class_name):
        for value in inputs:
            if value is not None and call.carried_mask(value) is not None:
                for one in one_object(call.builder.nodes, value):
                    call.drop_mask(one)
