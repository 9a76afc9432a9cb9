"""How each era stores weights: one pattern per op and parameter.

Sources: genuine files of each era (tests/data), and
- Keras 1.2.2 `keras/layers/convolutional.py` (`build`), `recurrent.py`;
- Keras 2.2.4 `keras/engine/saving.py` (`preprocess_weights_for_loading`, `_need_convert_kernel`);
- Keras 2.2.4 `keras/backend/theano_backend.py` (`_preprocess_conv2d_depthwise_kernel`: Theano
  reverses depthwise kernels itself, so those are stored unreversed on every backend).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .vocabularies import Storage

Dialect = Literal["keras1_th", "keras1_tf", "keras2"]
"""Which table a file follows: Keras 0.x and 1.x in either ordering, or 2.x and later."""

Patterns = Mapping[tuple[str, str], tuple[str, ...]]

_COMMON: Patterns = {
    ("Dense", "kernel"): ("features units",),
    ("Dense", "bias"): ("units",),
    ("Highway", "kernel"): ("features columns",),
    ("Highway", "carry_kernel"): ("features columns",),
    ("Highway", "bias"): ("columns",),
    ("Highway", "carry_bias"): ("columns",),
    ("MaxoutDense", "kernel"): ("pieces features units",),
    ("MaxoutDense", "bias"): ("pieces units",),
    ("SampleNorm", "gamma"): ("axis",),
    ("SampleNorm", "beta"): ("axis",),
    ("SampleNorm", "mean"): ("axis",),
    ("SampleNorm", "variance"): ("axis",),
    ("BatchStatisticsNorm", "gamma"): ("axis",),
    ("BatchStatisticsNorm", "beta"): ("axis",),
    ("BatchStatisticsNorm", "mean"): ("axis",),
    ("BatchStatisticsNorm", "variance"): ("axis",),
    ("LayerNorm", "gamma"): ("axis",),
    ("LayerNorm", "beta"): ("axis",),
    ("RMSNorm", "scale"): ("axis",),
    ("GroupNorm", "gamma"): ("(groups in_group)",),
    ("GroupNorm", "beta"): ("(groups in_group)",),
    ("BatchNorm", "gamma"): ("axis",),
    ("BatchNorm", "beta"): ("axis",),
    ("BatchNorm", "mean"): ("axis",),
    ("BatchNorm", "variance"): ("axis",),
    ("Conv", "bias"): ("filters",),
    ("GroupedConv", "bias"): ("(groups filters)",),
    ("ConvTranspose", "bias"): ("filters",),
    ("DepthwiseConv", "bias"): ("(channels multiplier)",),
    ("SeparableConv", "bias"): ("filters",),
    ("Attention", "scale"): ("scaled",),
    ("Attention", "weight"): ("weighted",),
    **{
        ("MultiHeadAttention", f"{name}_{param}"): (text,)
        for name, rows, columns in (
            ("query", "features", "heads head"),
            ("key", "key_features", "key_heads key_head"),
            ("gate", "features", "heads value_head"),
            ("value", "value_features", "key_heads value_head"),
            ("output", "heads value_head", "outputs"),
        )
        for param, text in (("kernel", f"{rows} {columns}"), ("bias", columns))
    },
    ("Embedding", "embeddings"): ("vocabulary features",),
    ("SimpleRNN", "kernel"): ("features units",),
    ("SimpleRNN", "recurrent_kernel"): ("recurrent units",),
    ("SimpleRNN", "bias"): ("units",),
    **{
        (op, param): (text,)
        for op in ("GRU", "LSTM")
        for param, text in (
            ("kernel", "features (gates units)"),
            ("recurrent_kernel", "recurrent (gates units)"),
            ("bias", "(gates units)"),
        )
    },
}

STORAGE: Mapping[Dialect, Patterns] = {
    "keras2": {
        **_COMMON,
        ("ConvLSTM", "kernel"): ("kernel_space channels (gates filters)",),
        ("ConvLSTM", "recurrent_kernel"): ("recurrent_space recurrent (gates filters)",),
        ("ConvLSTM", "bias"): ("(gates filters)",),
        ("Conv", "kernel"): ("kernel_space channels filters",),
        ("GroupedConv", "kernel"): ("kernel_space in_group (groups filters)",),
        ("ConvTranspose", "kernel"): ("kernel_space filters channels",),
        ("DepthwiseConv", "kernel"): ("kernel_space channels multiplier",),
        ("SeparableConv", "depthwise_kernel"): ("kernel_space channels multiplier",),
        ("SeparableConv", "pointwise_kernel"): ("1 (channels multiplier) filters",),
    },
    "keras1_tf": {
        **_COMMON,
        ("ConvLSTM", "kernel"): ("kernel_space channels filters",),
        ("ConvLSTM", "recurrent_kernel"): ("recurrent_space recurrent filters",),
        ("ConvLSTM", "bias"): ("filters",),
        ("Conv", "kernel"): ("kernel_space channels filters",),
        ("ConvTranspose", "kernel"): ("kernel_space channels filters",),
        ("SeparableConv", "depthwise_kernel"): ("kernel_space channels multiplier",),
        ("SeparableConv", "pointwise_kernel"): ("1 1 (channels multiplier) filters",),
    },
    "keras1_th": {
        **_COMMON,
        ("ConvLSTM", "kernel"): ("filters channels kernel_space",),
        ("ConvLSTM", "recurrent_kernel"): ("filters recurrent recurrent_space",),
        ("ConvLSTM", "bias"): ("filters",),
        ("Conv", "kernel"): ("filters channels kernel_space",),
        ("ConvTranspose", "kernel"): ("filters channels kernel_space",),
        ("SeparableConv", "depthwise_kernel"): ("multiplier channels kernel_space",),
        ("SeparableConv", "pointwise_kernel"): ("filters (channels multiplier) 1 1",),
    },
}
"""Patterns over the bindings of the op's port. The pointwise kernel's unit dimensions are as many
as the op has spatial axes; `pattern` repeats them. Keras 1's ConvLSTM2D stores one array per
gate, so its patterns have no gates."""

CONV1D_KERAS1: tuple[str, ...] = (
    "kernel_space 1 channels filters",
    "filters channels kernel_space 1",
)
"""Keras 1 Conv1D in either ordering: 1.2 stores the first, 0.3 to 1.1 the second; the shape tells
which (Keras 2.2.4 `preprocess_weights_for_loading` tests it so too)."""

REVERSED: frozenset[tuple[str, str]] = frozenset({
    ("Conv", "kernel"),
    ("GroupedConv", "kernel"),
    ("ConvTranspose", "kernel"),
    ("ConvLSTM", "kernel"),
    ("ConvLSTM", "recurrent_kernel"),
})
"""Parameters that a backend of true convolutions stores back to front along `kernel_space`."""

CONVOLVES: frozenset[str] = frozenset({"theano"})
"""Backends whose convolutions are true ones; all others correlate."""

BACKENDS = frozenset({
    "theano", "tensorflow", "cntk", "mxnet", "plaidml", "jax", "torch", "numpy", "openvino",
})  # fmt: skip
"""Every backend that a Keras has had; PlaidML calls itself `plaidml.keras.backend`."""


def backend_of(said: str | None) -> str | None:
    """Which backend a file's attribute names; None if it names none that there is.

    Capitals are let pass, and `b'theano'`, which tools wrote that took bytes for a text.
    """
    name = (said or "").strip().lower()
    if name[:2] in {"b'", 'b"'}:
        name = name[2:-1]
    name = name.partition(".")[0]
    return name if name in BACKENDS else None


def table(storage: Storage, data_format: str) -> Dialect:
    """Which table a layer's weights follow: Keras 1 stores kernels as its ordering runs."""
    if storage == "keras2":
        return "keras2"
    return "keras1_th" if data_format == "channels_first" else "keras1_tf"


def pattern(dialect: Dialect, op: str, param: str, *, rank: int, backend: str) -> tuple[str, ...]:
    """The patterns in which an era stores a parameter, likeliest first.

    Args:
        dialect: Which table.
        op: Kind of the op, such as `Conv`.
        param: Its port.
        rank: Spatial axes of the op; 0 where it has none.
        backend: Which one computed with it.

    Raises:
        KeyError: The era has no such parameter.
    """
    found = STORAGE[dialect][op, param]
    if rank == 1 and dialect != "keras2" and (op, param) == ("Conv", "kernel"):
        found = CONV1D_KERAS1
    if param == "pointwise_kernel" and dialect == "keras2":
        found = tuple(text.replace("1 ", "1 " * rank, 1) for text in found)
    if backend in CONVOLVES and (op, param) in REVERSED:
        found = tuple(_reversed(text) for text in found)
    return found


def _reversed(text: str) -> str:
    """A pattern with its spatial bindings back to front."""
    for name in ("kernel_space", "recurrent_space"):
        text = text.replace(name, f"~{name}")
    return text
