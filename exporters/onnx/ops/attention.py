"""Attention, as products of matrices around a `Softmax`."""

from __future__ import annotations

from ....ir.arithmetic import number, scaled
from ....ir.ops.attention import Attention, MultiHeadAttention
from ..dims import Dim, Shape, product
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits

MASKED, MASKED_HALF = -1e9, -65504.0
"""The score of what a mask leaves out; of half precision, its lowest number."""

WRITTEN_DOWN = 1 << 14
"""Truth values of one mask at most; those of a larger one are found when the model is loaded."""

Both = tuple[Edge, Edge | None]


def _weights(at: Emitting, scores: Edge, allowed: Edge | None) -> Edge:
    """The softmax of what is allowed, along the last axis."""
    if allowed is not None:
        low = at.number(MASKED_HALF if at.dtype == "float16" else MASKED)
        scores = at.add("Where", allowed, scores, low, dtype=scores.dtype, shape=scores.shape)
    return at.add("Softmax", scores, axis=-1)


def _seen(at: Emitting, steps: Dim, source: Dim, *, causal: bool, window: int | None) -> Edge:
    """Which positions of the key each position of the query may look at: written down if few."""
    if isinstance(steps, int) and isinstance(source, int) and steps * source <= WRITTEN_DOWN:
        known = (
            (row >= column or not causal) and (window is None or abs(row - column) < window)
            for row in range(steps)
            for column in range(source)
        )
        return at.constant(list(known), "bool", (steps, source), wish="seen")
    rows = at.unsqueeze(_counted(at, steps), 1)
    columns = at.unsqueeze(_counted(at, source), 0)
    shape, seen = (steps, source), None
    if causal:
        seen = at.add("GreaterOrEqual", rows, columns, shape=shape, dtype="bool")
    if window is not None:
        apart = at.add("Abs", at.add("Sub", rows, columns, shape=shape))
        limit = at.constant([window], shape=(), wish="window")
        near = at.add("Less", apart, limit, shape=shape, dtype="bool")
        seen = near if seen is None else at.add("And", seen, near)
    assert seen is not None
    return seen


def _counted(at: Emitting, count: Dim) -> Edge:
    """0, 1, 2, …, as many as an extent."""
    zero, one = (at.constant([n], shape=(), wish="number") for n in (0, 1))
    if isinstance(count, int):
        limit = at.constant([count], shape=(), wish="number")
    else:
        limit = at.squeeze(at.extents((count,), *at.present), 0)
    return at.add("Range", zero, limit, one, shape=(count,), dtype="int64")


def _and(at: Emitting, masks: list[Edge]) -> Edge | None:
    found: Edge | None = None
    for mask in masks:
        found = mask if found is None else at.add("And", found, mask)
    return found


@emits(Attention)
def attention(op: Attention, at: Emitting) -> Both:
    query, value = at.x, at.input(1)
    key = at.input(2) if at.fed(2) else value
    rank = len(query.shape)
    scores = _scores(op, at, query, key)
    masks = list[Edge]()
    if at.fed(4):
        masks.append(at.unsqueeze(at.input(4), rank - 2))
    if op.causal:
        masks.append(_seen(at, *scores.shape[-2:], causal=True, window=None))
    weights = _weights(at, scores, _and(at, masks))
    y = at.add("MatMul", weights, value, shape=at.result_shape())
    if at.fed(3):
        real = at.unsqueeze(at.input(3), rank - 1)
        y = at.add("Where", real, y, at.number(0), shape=y.shape, dtype=y.dtype)
    return y, weights


def _scores(op: Attention, at: Emitting, query: Edge, key: Edge) -> Edge:
    rank = len(query.shape)
    shape = (*query.shape[:-1], key.shape[-2])
    scale = at.optional("scale")
    if op.score == "dot":
        turned = at.permuted(key, (*range(rank - 2), rank - 1, rank - 2))
        scores = at.add("MatMul", query, turned, shape=shape)
        return scores if scale is None else at.add("Mul", scores, scale)
    wide = (*shape, query.shape[-1])
    both = at.add("Add", at.unsqueeze(query, rank - 1), at.unsqueeze(key, rank - 2), shape=wide)
    if op.score == "concat" and scale is not None:
        both = at.add("Mul", both, scale)
    fit = at.add("Tanh", both)
    if op.score == "additive" and scale is not None:
        fit = at.add("Mul", fit, scale)
    total = at.reduce("ReduceSum", fit, (rank,))
    return total if op.score == "additive" else at.add("Mul", total, at.param("weight"))


@emits(MultiHeadAttention)
def multi_head_attention(op: MultiHeadAttention, at: Emitting) -> Both:
    return _Heads(op, at).results()


class _Heads:
    """One attention of several heads; positions of a tensor are `outer`, heads, steps, numbers.

    Attributes:
        outer: The extents of the batch and of the axes that are not attended over.
        steps: Positions of the query.
        source: Positions of the key.
    """

    def __init__(self, op: MultiHeadAttention, at: Emitting) -> None:
        self.op, self.at = op, at
        self.outer = (*at.extent("batch"), *at.extent("rest"))
        self.steps, self.source = product(at.extent("steps")), product(at.extent("value_source"))

    def results(self) -> Both:
        at = self.at
        first = at.arranged(0, "batch", "rest", "steps", "features")
        value = at.arranged(1, "value_batch", "value_rest", "value_source", "value_features")
        key = value
        if at.fed(2):
            key = at.arranged(2, "key_batch", "key_rest", "key_source", "key_features")
        query = self._projected(first, "query", self.steps, factor=at.size("head") ** -0.5)
        k = self._repeated(self._projected(key, "key", self.source, turned=True))
        v = self._repeated(self._projected(value, "value", self.source))
        scores = at.add("MatMul", query, k, shape=(*query.shape[:-1], self.source))
        allowed = self._allowed()
        weights = _weights(at, scores, allowed)
        if allowed is not None and self.op.blind == "zero":
            none = at.number(0)
            weights = at.add(
                "Where", allowed, weights, none, shape=weights.shape, dtype=weights.dtype
            )
        heads = at.add("MatMul", weights, v, shape=(*query.shape[:-1], v.shape[-1]))
        if at.has("gate_kernel"):
            gate = at.add("Sigmoid", self._projected(first, "gate", self.steps))
            heads = at.add("Mul", heads, gate)
        return self._output(heads), self._told(weights)

    def _projected(
        self, x: Edge, name: str, steps: Dim, *, turned: bool = False, factor: float = 1
    ) -> Edge:
        """A projection with the heads in front of the steps; or, turned, the steps last.

        What it is to be multiplied by is in its weights when the file is written.
        """
        at, rows = self.at, len(self.outer)
        port = at.settled.node.op.port(f"{name}_kernel")
        features, heads, own = port.pattern.bindings
        kernel = self._scaled(port.name, f"{features} ({heads} {own})", factor)
        y = at.add("MatMul", x, kernel, shape=(*x.shape[:-1], *kernel.shape[1:]))
        bias = None
        if at.has(f"{name}_bias"):
            bias = self._scaled(f"{name}_bias", f"({heads} {own})", factor)
        y = y if bias is None else at.add("Add", y, bias)
        y = at.reshape(y, (*self.outer, steps, at.size(heads), at.size(own)))
        outer = tuple(range(rows))
        last = (rows + 2, rows) if turned else (rows, rows + 2)
        return at.permuted(y, (*outer, rows + 1, *last))

    def _scaled(self, name: str, pattern: str, factor: float) -> Edge:
        at = self.at
        param = at.settled.node.params[name]
        wanted = param if factor == 1 else scaled(param, number(factor))
        return at.draft.initializer(wanted, at.settled.param_layout(name, pattern), at.dtype)

    def _repeated(self, x: Edge) -> Edge:
        """Each head as often as queries share it, one after the other."""
        at, rows = self.at, len(self.outer)
        have, want = at.size("key_heads"), at.size("heads")
        if have == want:
            return x
        places = [head * have // want for head in range(want)]
        shape = (*x.shape[:rows], want, *x.shape[rows + 1 :])
        return at.add("Gather", x, at.constant(places, wish="heads"), shape=shape, axis=rows)

    def _allowed(self) -> Edge | None:
        """All masks together, each so shaped that it meets the scores."""
        at, op, rows = self.at, self.op, len(self.outer)
        masks = list[Edge]()
        of_query, of_key = (*range(1, rows + 1), rows + 2), tuple(range(1, rows + 2))
        for index, missing in ((3, of_query), (4, of_key), (5, of_key)):
            if at.fed(index):
                masks.append(at.unsqueeze(at.input(index), *missing))
        if at.fed(6):
            masks.append(self._attention_mask())
        if op.causal or op.window is not None:
            steps, source = self.steps, self.source
            masks.append(_seen(at, steps, source, causal=op.causal, window=op.window))
        return _and(at, masks)

    def _attention_mask(self) -> Edge:
        at, rows = self.at, len(self.outer)
        mask = at.cast(at.input(6), "bool")
        front = len(mask.shape) - 2 * at.count("steps")
        if at.count("steps") > 1:
            mask = at.reshape(mask, (*mask.shape[:front], self.steps, self.source))
        missing = range(front, rows + 1)
        return at.unsqueeze(mask, *missing) if missing else mask

    def _output(self, heads: Edge) -> Edge:
        at, rows = self.at, len(self.outer)
        turned = at.permuted(heads, (*range(rows), rows + 1, rows, rows + 2))
        shape: Shape = (*turned.shape[: rows + 1], product(turned.shape[rows + 1 :]))
        kernel = at.param("output_kernel", "(heads value_head) (outputs)")
        y = at.reshape(turned, shape)
        y = at.add("MatMul", y, kernel, shape=(*shape[:-1], *kernel.shape[1:]))
        bias = at.optional("output_bias", "(outputs)")
        y = y if bias is None else at.add("Add", y, bias)
        whole = (*self.outer, *at.extent("steps"), *at.extent("outputs"))
        return at.placed(at.reshape(y, whole), "batch", "rest", "steps", "outputs")

    def _told(self, weights: Edge) -> Edge | None:
        at = self.at
        if not at.wanted[1]:
            return None
        several = at.count("steps") > 1
        return at.reshape(weights, at.result_shape(1)) if several else weights
