"""Attention: means of values, weighted by how well their keys fit each query.

Everything keeps the source order: queries, keys and values meet position by position.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from ..op import MaskRule, Op, Rule, op
from ..signature import Port, ports


@op
class Attention(Op, frozen=True, kw_only=True):
    """y = softmax(scores) · value, for one head without projections (Keras `Attention`).

    A key that a mask leaves out has no part in the mean; where that leaves none, all have the same
    part, as in single precision, where Keras lowers what is masked by 1e9. Steps of the query
    that `query_mask` leaves out become zero.

    Attributes:
        score: How a key fits a query: `dot` is scale * (query · key) (Luong et al., 2015),
            `additive` the sum of scale * tanh(query + key) (Bahdanau et al., 2015), `concat` is
            weight * (the sum of tanh(scale * (query + key))) (Keras `score_mode="concat"`).
        causal: Whether a step of the query sees no later step of the key.
    """

    family: ClassVar[str] = "attention"
    inputs: ClassVar[tuple[Port, ...]] = ports(
        "query: batch steps features",
        "value: value_batch value_source columns",
        "key?: key_batch key_source key_features",
        "query_mask?: query_mask",
        "value_mask?: value_mask",
    )
    params: ClassVar[tuple[Port, ...]] = ports("scale?: scaled", "weight?: weighted")
    results: ClassVar[tuple[Port, ...]] = ports(
        "y: batch steps columns", "scores: batch steps source"
    )
    rule: ClassVar[Rule] = "pinned"
    mask: ClassVar[MaskRule] = "own"

    score: Literal["dot", "additive", "concat"] = "dot"
    causal: bool = False


@op
class MultiHeadAttention(Op, frozen=True, kw_only=True):
    """Attention of several heads over projections of its inputs (Vaswani et al., 2017).

    Per head: q = query · query_kernel + query_bias, and so for key and value; scores =
    q · k / sqrt(key_dim); what the masks leave out has no part in their softmax; the heads' means
    of v, times sigmoid(query · gate_kernel + gate_bias) where there is a gate, are projected by
    `output_kernel`. With fewer heads of keys than of queries (grouped attention), each serves
    several in turn.

    Steps may span several axes; `rest` are axes that are not attended over. `attention_mask` may
    lack the axes of `rest` and of the heads. Sources: Keras 3.15 `layers/attention`, tf-keras 2.21
    `layers/attention/multi_head_attention.py`.

    Attributes:
        causal: Whether a step sees no later step of the key.
        window: How far off a step may be to be seen, itself included; None for any.
        blind: What a step of the query is given that no mask leaves a key: the mean of all values,
            or zeros.
    """

    family: ClassVar[str] = "attention"
    inputs: ClassVar[tuple[Port, ...]] = ports(
        "query: batch rest steps features",
        "value: value_batch value_rest value_source value_features",
        "key?: key_batch key_rest key_source key_features",
        "query_mask?: query_mask",
        "value_mask?: value_mask",
        "key_mask?: key_mask",
        "attention_mask?: attention_mask",
    )
    params: ClassVar[tuple[Port, ...]] = ports(
        "query_kernel: features heads head",
        "query_bias?: heads head",
        "key_kernel: key_features key_heads key_head",
        "key_bias?: key_heads key_head",
        "gate_kernel?: features heads value_head",
        "gate_bias?: heads value_head",
        "value_kernel: value_features key_heads value_head",
        "value_bias?: key_heads value_head",
        "output_kernel: heads value_head outputs",
        "output_bias?: outputs",
    )
    results: ClassVar[tuple[Port, ...]] = ports(
        "y: batch rest steps outputs", "scores: batch rest heads steps source"
    )
    rule: ClassVar[Rule] = "pinned"
    letters: ClassVar[Mapping[str, str]] = {"features": "I", "key_features": "I", "outputs": "O"}
    mask: ClassVar[MaskRule] = "own"

    causal: bool = False
    window: int | None = None
    blind: Literal["mean", "zero"] = "mean"
