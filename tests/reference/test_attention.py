"""Attention, against loops written from the formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from one_op import Array, OneOp, numbers

from kerasir.ir.ops.attention import Attention, MultiHeadAttention

N, T, S, F = 2, 3, 4, 5
RNG = np.random.default_rng(5)


def weighted(fit: Callable[[int, int], float], seen: Callable[[int, int], bool]) -> Array:
    """The weights that each step of the query has for each of the key."""
    found = np.zeros((T, S))
    for t in range(T):
        powers = [math.exp(fit(t, s)) if seen(t, s) else 0.0 for s in range(S)]
        found[t] = np.array(powers) / sum(powers)
    return found


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("score", ["dot", "additive", "concat"])
def test_attention(score: str, causal: bool) -> None:
    query, value, key = numbers(N, T, F), numbers(N, S, 6), numbers(N, S, F)
    scale = numbers(F) if score == "additive" else numbers()
    factor = 1.3
    weights = np.zeros((N, T, S))
    for n in range(N):

        def fit(t: int, s: int, n: int = n) -> float:
            q, k = query[n, t], key[n, s]
            if score == "dot":
                return float(scale * sum(q[f] * k[f] for f in range(F)))
            if score == "additive":
                return float(sum(scale[f] * math.tanh(q[f] + k[f]) for f in range(F)))
            return float(factor * sum(math.tanh(scale * (q[f] + k[f])) for f in range(F)))

        weights[n] = weighted(fit, lambda t, s: s <= t or not causal)
    y = np.zeros((N, T, 6))
    for n, t, e in np.ndindex(y.shape):
        y[n, t, e] = sum(weights[n, t, s] * value[n, s, e] for s in range(S))
    sizes = {
        "batch": [None], "steps": [T], "features": [F], "value_batch": [None], "value_source": [S],
        "columns": [6], "key_batch": [None], "key_source": [S], "key_features": [F], "source": [S],
        "scaled": [F] if score == "additive" else [], "weighted": [],
    }  # fmt: skip
    params = {"scale": scale} | ({"weight": np.array(factor)} if score == "concat" else {})
    op = Attention(score=score, causal=causal)  # type: ignore[arg-type]
    OneOp(op, sizes, params, feeds=3).gives(y, weights, of=[query, value, key])


@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("key_heads", [4, 2])
def test_multi_head_attention(key_heads: int, window: int | None) -> None:
    heads, own, out = 4, 3, 7
    query, value = numbers(N, T, F), numbers(N, S, 6)
    kernels = {
        "query_kernel": numbers(F, heads, own), "key_kernel": numbers(6, key_heads, own),
        "value_kernel": numbers(6, key_heads, 2), "gate_kernel": numbers(F, heads, 2),
        "output_kernel": numbers(heads, 2, out), "output_bias": numbers(out),
        "query_bias": numbers(heads, own), "value_bias": numbers(key_heads, 2),
    }  # fmt: skip
    y, weights = np.zeros((N, T, out)), np.zeros((N, heads, T, S))
    for n, h in np.ndindex(N, heads):
        shared = h * key_heads // heads
        q = query[n] @ kernels["query_kernel"][:, h] + kernels["query_bias"][h]
        k = value[n] @ kernels["key_kernel"][:, shared]
        v = value[n] @ kernels["value_kernel"][:, shared] + kernels["value_bias"][shared]
        gate = 1 / (1 + np.exp(-query[n] @ kernels["gate_kernel"][:, h]))

        def fit(t: int, s: int, q: Array = q, k: Array = k) -> float:
            return float(sum(q[t, i] * k[s, i] for i in range(own)) / math.sqrt(own))

        weights[n, h] = weighted(fit, lambda t, s: window is None or abs(t - s) < window)
        for t in range(T):
            mean = sum(weights[n, h, t, s] * v[s] for s in range(S)) * gate[t]
            y[n, t] += mean @ kernels["output_kernel"][h]
    y += kernels["output_bias"]
    sizes = {
        "batch": [None], "rest": [], "steps": [T], "features": [F], "value_batch": [None],
        "value_rest": [], "value_source": [S], "value_features": [6], "source": [S],
        "heads": [heads], "head": [own], "key_heads": [key_heads], "value_head": [2],
        "outputs": [out],
    }  # fmt: skip
    one = OneOp(MultiHeadAttention(window=window), _with_key(sizes), kernels, feeds=2)
    one.gives(y, weights, of=[query, value], within=1e-10)


@pytest.mark.parametrize(("blind", "weight"), [("mean", 1 / S), ("zero", 0.0)])
def test_a_query_that_its_mask_leaves_no_key(blind: Any, weight: float) -> None:
    query, value, heads = numbers(N, T, F), numbers(N, S, F), 2
    kernels = {
        "query_kernel": numbers(F, heads, 3), "key_kernel": numbers(F, heads, 3),
        "value_kernel": numbers(F, heads, 2), "output_kernel": numbers(heads, 2, 7),
    }  # fmt: skip
    seen = np.ones((N, T), bool)
    seen[0, 1] = seen[1, 2] = False
    sizes: dict[str, list[int | None]] = {
        "batch": [None], "rest": [], "steps": [T], "features": [F], "value_batch": [None],
        "value_rest": [], "value_source": [S], "value_features": [F], "source": [S],
        "heads": [heads], "head": [3], "key_heads": [heads], "value_head": [2], "outputs": [7],
        "query_mask": [None, T],
    }  # fmt: skip
    types = ["float32"] * 3 + ["bool"]
    op = MultiHeadAttention(blind=blind)
    one = OneOp(op, _with_key(sizes), kernels, feeds=4, dtypes=types)
    for y, weights in one.run(query, value, value, seen):
        for n, h, t in np.argwhere(~np.broadcast_to(seen[:, None], (N, heads, T))):
            assert weights[n, h, t] == pytest.approx(np.full(S, weight))
        assert weights[:, 0][seen].sum(-1) == pytest.approx(np.ones(seen.sum()))
        assert bool(np.all(y[~seen] == 0)) == (blind == "zero")


def _with_key(sizes: dict[str, list[int | None]]) -> dict[str, list[int | None]]:
    return {
        **sizes, "key_batch": [None], "key_rest": [], "key_source": sizes["value_source"],
        "key_features": sizes["value_features"], "key_head": sizes["head"],
    }  # fmt: skip


def test_an_attention_mask_of_extent_one_holds_for_every_key() -> None:
    query, value, heads = numbers(N, T, F), numbers(N, S, F), 2
    kernels = {
        "query_kernel": numbers(F, heads, 3), "key_kernel": numbers(F, heads, 3),
        "value_kernel": numbers(F, heads, 2), "output_kernel": numbers(heads, 2, 7),
    }  # fmt: skip
    seen = np.ones((N, T, 1), bool)
    seen[0, 1] = seen[1, 2] = False
    results = []
    for mask in (seen, np.repeat(seen, S, axis=2)):
        sizes: dict[str, list[int | None]] = {
            "batch": [None], "rest": [], "steps": [T], "features": [F], "value_batch": [None],
            "value_rest": [], "value_source": [S], "value_features": [F], "source": [S],
            "heads": [heads], "head": [3], "key_heads": [heads], "value_head": [2],
            "outputs": [7], "query_mask": [None, T], "value_mask": [None, S], "key_mask": [None, S],
            "attention_mask": [None, T, mask.shape[2]],
        }  # fmt: skip
        op = MultiHeadAttention(blind="zero")
        types = ["float32"] * 3 + ["bool"] * 4
        one = OneOp(op, _with_key(sizes), kernels, feeds=7, dtypes=types)
        all_of = [np.ones((N, steps), bool) for steps in (T, S, S)]
        results.append(next(iter(one.run(query, value, value, *all_of, mask))))
    for mine, other in zip(*results, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-12)
