"""Masks: told by keyword, beside states, behind layers that give zeros where one is."""

from __future__ import annotations

from typing import Any

from cases import Kit, case


@case()
def masks_stated(k: Kit) -> Any:
    x, m = k.Input((6, 4)), k.Input((6,), dtype="bool")
    a = k.L.LSTM(3, return_sequences=True)(x, mask=m)
    b = k.L.Bidirectional(k.L.GRU(2, return_sequences=True))(x, mask=m)
    mean = k.L.GlobalAveragePooling1D()(x, mask=m)
    found = [a, k.L.GRU(2)(a), b, k.L.SimpleRNN(2)(b), mean]
    masks = k.whole((3, 6), 2).astype(bool)
    masks[:, 0] = True
    return k.Model([x, m], found), [k.random((3, 6, 4)), masks]


@case()
def absent_zeroed(k: Kit) -> Any:
    """Zeros at the steps that a mask leaves out, the last of which may be one."""
    x = k.Input((6, 4))
    masked = k.L.Masking()(x)
    zeroes = {"zero_output_for_mask": True}
    found = [
        k.L.LSTM(3, **zeroes)(masked),
        k.L.GRU(2, go_backwards=True, **zeroes)(masked),
        k.L.SimpleRNN(2, return_sequences=True, **zeroes)(masked),
        k.L.RNN(k.L.GRUCell(3), **zeroes)(masked),
        k.L.LSTM(3, return_sequences=True, go_backwards=True, **zeroes)(masked),
    ]
    data = k.random((3, 6, 4))
    data[0, 4:], data[1, 0], data[2, 2] = 0, 0, 0
    return k.Model(x, found), [data]


@case()
def absent_zeroed_both_ways(k: Kit) -> Any:
    """The last step of either half may be absent."""
    x = k.Input((6, 4))
    inner = k.L.LSTM(3, zero_output_for_mask=True)
    data = k.random((3, 6, 4))
    data[0, 4:], data[1, 0], data[2, 2] = 0, 0, 0
    return k.Model(x, k.L.Bidirectional(inner)(k.L.Masking()(x))), [data]


@case()
def stacks_turned(k: Kit) -> Any:
    """Several cells in a Bidirectional."""
    x = k.Input((6, 4))
    cells = [k.L.LSTMCell(3), k.L.GRUCell(2)]
    plain = k.L.Bidirectional(k.L.RNN(cells, return_sequences=True))(x)
    cells = [k.L.LSTMCell(3), k.L.LSTMCell(2)]
    masked = k.L.Bidirectional(k.L.RNN(cells, return_sequences=True))(k.L.Masking()(x))
    data = k.random((3, 6, 4))
    data[0, 4:], data[1, 0], data[2, 2] = 0, 0, 0
    return k.Model(x, [plain, masked]), [data]


@case()
def conv_masks_stated(k: Kit) -> Any:
    x, m = k.Input((4, 5, 6, 2)), k.Input((4,), dtype="bool")
    found = [k.L.ConvLSTM2D(3, 2, return_sequences=more)(x, mask=m) for more in (True, False)]
    masks = k.whole((3, 4), 2).astype(bool)
    return k.Model([x, m], found), [k.random((3, 4, 5, 6, 2)), masks]


@case()
def masks_and_states(k: Kit) -> Any:
    """An encoder and a decoder whose steps are padded."""
    x, y = k.Input((6,)), k.Input((5,))
    a = k.L.Embedding(7, 4, mask_zero=True)(x)
    b = k.L.Embedding(7, 4, mask_zero=True)(y)
    _, *states = k.L.LSTM(3, return_state=True)(a)
    decoded = k.L.LSTM(3, return_sequences=True)(b, initial_state=states)
    found = [decoded, k.L.GRU(2)(k.L.Dense(3)(decoded))]
    both = k.L.Bidirectional(k.L.GRU(3, return_state=True))(a)
    found.append(k.L.Bidirectional(k.L.GRU(3))(b, initial_state=both[1:]))
    return k.Model([x, y], found), [k.whole((3, 6), 3), k.whole((3, 5), 3)]
