"""Attention."""

from __future__ import annotations

from typing import Any

from cases import NEW, Kit, case


def sequences(k: Kit, *shapes: tuple[int, ...]) -> list[Any]:
    return [k.Input(shape) for shape in shapes]


@case()
def attention_dot(k: Kit) -> Any:
    q, v = sequences(k, (4, 6), (5, 6))
    return k.Model([q, v], k.L.Attention(use_scale=True)([q, v]))


@case()
def attention_key(k: Kit) -> Any:
    q, v, key = sequences(k, (4, 6), (5, 3), (5, 6))
    y = k.L.Attention(dropout=0.3)([q, v, key])
    causal = k.L.Attention()([q, v, key], use_causal_mask=True)
    return k.Model([q, v, key], [y, causal])


@case()
def attention_concat(k: Kit) -> Any:
    q, v = sequences(k, (None, 6), (5, 6))
    a = k.L.Attention(score_mode="concat", use_scale=True)([q, v])
    b = k.L.Attention(score_mode="concat")([q, v])
    return k.Model([q, v], [a, b])


@case()
def attention_scores(k: Kit) -> Any:
    q, v = sequences(k, (4, 6), (5, 6))
    y, scores = k.L.Attention()([q, v], return_attention_scores=True)
    return k.Model([q, v], [y, scores])


@case()
def attention_masks(k: Kit) -> Any:
    q, v = sequences(k, (4,), (5,))
    embedded = k.L.Embedding(7, 6, mask_zero=True)
    y = k.L.Attention()([embedded(q), embedded(v)])
    z = k.L.AdditiveAttention()([embedded(q), embedded(v)], use_causal_mask=True)
    return k.Model([q, v], [y, z]), [k.whole((3, 4), 7), k.whole((3, 5), 7)]


@case()
def attention_additive(k: Kit) -> Any:
    q, v, key = sequences(k, (4, 6), (5, 6), (5, 6))
    a = k.L.AdditiveAttention()([q, v])
    b = k.L.AdditiveAttention(use_scale=False)([q, v, key], use_causal_mask=True)
    return k.Model([q, v, key], [a, b])


@case()
def attention_batched(k: Kit) -> Any:
    q, v = sequences(k, (2, 4, 6), (2, 5, 6))
    return k.Model([q, v], k.L.Attention(use_scale=True)([q, v]))


@case(shards=True)
def heads_self(k: Kit) -> Any:
    x = k.Input((5, 8))
    h = k.L.MultiHeadAttention(num_heads=3, key_dim=4, dropout=0.1)(x, x)
    h = k.L.LayerNormalization()(k.L.Add()([h, x]))
    return k.Model(x, k.L.Dense(7)(h))


@case()
def heads_cross(k: Kit) -> Any:
    q, v, key = sequences(k, (4, 6), (None, 7), (None, 8))
    layer = k.L.MultiHeadAttention(2, 3, value_dim=5, output_shape=9, use_bias=False)
    return k.Model([q, v, key], layer(q, v, key=key))


@case()
def heads_causal(k: Kit) -> Any:
    x = k.Input((None, 6))
    h = k.L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    return k.Model(x, k.L.MultiHeadAttention(2, 3, value_dim=4)(h, h, use_causal_mask=True))


@case()
def heads_scores(k: Kit) -> Any:
    q, v = sequences(k, (4, 6), (5, 6))
    y, scores = k.L.MultiHeadAttention(2, 3)(q, v, return_attention_scores=True)
    return k.Model([q, v], [y, scores])


@case()
def heads_mask(k: Kit) -> Any:
    q, v = sequences(k, (4, 6), (5, 6))
    m, n = k.Input((4, 5), dtype="bool"), k.Input((2, 4, 5), dtype="bool")
    y = k.L.MultiHeadAttention(2, 3)(q, v, attention_mask=m)
    z = k.L.MultiHeadAttention(2, 3)(q, v, attention_mask=n, use_causal_mask=True)
    masks = [k.whole((3, 4, 5), 2).astype(bool), k.whole((3, 2, 4, 5), 2).astype(bool)]
    return k.Model([q, v, m, n], [y, z]), [k.random((3, 4, 6)), k.random((3, 5, 6)), *masks]


@case()
def heads_embedded(k: Kit) -> Any:
    q, v = sequences(k, (4,), (5,))
    embedded = k.L.Embedding(7, 6, mask_zero=True)
    a, b = embedded(q), embedded(v)
    y = k.L.MultiHeadAttention(2, 3)(a, b)
    z = k.L.MultiHeadAttention(2, 3, dropout=0.2)(a, a, use_causal_mask=True)
    pooled = k.L.GlobalAveragePooling1D()(k.L.Add()([y, z]))
    return k.Model([q, v], [y, z, pooled]), [k.whole((3, 4), 7), k.whole((3, 5), 7)]


@case()
def heads_blind(k: Kit) -> Any:
    """Queries that their masks leave no key, where there is dropout, and where there is none."""
    q = k.Input((5,))
    x = k.L.Embedding(7, 6, mask_zero=True)(q)
    found = []
    for number, dropout in enumerate((0.0, 0.3, 0.3, 0.0)):
        h = k.L.Dense(6)(x)
        causal = {"use_causal_mask": True} if number > 1 else {}
        found.append(k.L.MultiHeadAttention(2, 3, dropout=dropout)(h, h, **causal))
    return k.Model(q, found), [k.whole((4, 5), 2)]


@case()
def heads_shared(k: Kit) -> Any:
    """Who reads a masked tensor before, beside and behind an attention."""
    q = k.Input((5,))
    x = k.L.Embedding(7, 6, mask_zero=True)(q)
    before = k.L.GlobalAveragePooling1D()(x)
    h = k.L.Dropout(0.2)(x)
    h = k.L.MultiHeadAttention(2, 3)(h, h, use_causal_mask=True)
    h = k.L.LayerNormalization()(k.L.Add()([x, h]))
    other = k.L.MultiHeadAttention(2, 3)(h, x)
    beside = k.L.LSTM(3)(k.L.Dense(4)(x))
    behind = k.L.GRU(3)(k.L.Add()([h, other]))
    found = [before, h, other, beside, behind, k.L.LSTM(2)(k.L.Dense(3)(k.L.Identity()(h)))]
    return k.Model(q, found), [k.whole((3, 5), 7)]


@case()
def heads_encoder(k: Kit) -> Any:
    """An encoder of two blocks, each a model, in front of a mean over the steps that count."""

    def block(width: int) -> Any:
        x = k.Input((None, width))
        h = k.L.MultiHeadAttention(2, 3)(x, x)
        h = k.L.LayerNormalization()(k.L.Add()([x, h]))
        return k.Model(x, k.L.LayerNormalization()(k.L.Add()([h, k.L.Dense(width)(h)])))

    q = k.Input((None,))
    h = k.L.Embedding(9, 6, mask_zero=True)(q)
    h = block(6)(block(6)(k.L.Dropout(0.1)(h)))
    return k.Model(q, k.L.Dense(2)(k.L.GlobalAveragePooling1D()(h))), [k.whole((3, 5), 4)]


@case()
def heads_axes(k: Kit) -> Any:
    x = k.Input((3, 4, 6))
    a = k.L.MultiHeadAttention(2, 3, attention_axes=(1,))(x, x)
    b = k.L.MultiHeadAttention(2, 3, attention_axes=(2,), output_shape=(3, 2))(x, x)
    c = k.L.MultiHeadAttention(2, 3)(x, x)
    return k.Model(x, [a, b, c])


@case(NEW)
def heads_gate(k: Kit) -> Any:
    x = k.Input((6, 8))
    h = k.L.MultiHeadAttention(2, 3, use_gate=True)(x, x)
    h = k.L.MultiHeadAttention(2, 3, sliding_window=2, use_gate=True, value_dim=5)(h, h)
    return k.Model(x, h)


@case(NEW)
def heads_grouped(k: Kit) -> Any:
    q, v = sequences(k, (4, 8), (5, 8))
    a = k.L.GroupQueryAttention(3, 6, 2)(q, v)
    b, scores = k.L.GroupQueryAttention(3, 4, 1, use_bias=False, use_gate=True)(
        q, v, use_causal_mask=True, return_attention_scores=True
    )
    c = k.L.GroupQueryAttention(2, 4, 4, sliding_window=2)(q, q)
    return k.Model([q, v], [a, b, scores, c])


@case()
def heads_in_space(k: Kit) -> Any:
    x = k.Input((8, 8, 3))
    h = k.L.Reshape((16, 6))(k.L.Conv2D(6, 2, strides=2)(x))
    h = k.L.MultiHeadAttention(2, 3)(h, h)
    return k.Model(x, k.L.Dense(3)(k.L.Flatten()(h)))
