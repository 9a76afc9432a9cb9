"""Recurrent layers: SimpleRNN, GRU, LSTM, ConvLSTM2D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....eras import padding as rules
from ....ir.layout import key, size_of
from ....ir.op import Op
from ....ir.ops.recurrent import GRU, LSTM, ConvLSTM, SimpleRNN
from ..elementwise import name_of
from ..hard_sigmoid import Scaled, scaled_array, scaled_name, tell_scaled
from ..network import Array, Tensor, stacked
from ..registry import writes
from ..site import Site
from ..windows import Space, Window, needed, pad, said

GATES: Mapping[type[Op], str] = {LSTM: "[i f c o]", GRU: "[z r h]", ConvLSTM: "[i f c o]"}
"""The order of the gates in each array: Keras 2.0 and later, every backend."""

FEEDS: Mapping[type[Op], Mapping[str, tuple[str, ...]]] = {
    SimpleRNN: {"activation": ("",)},
    GRU: {"activation": ("h",), "recurrent_activation": ("z", "r")},
    LSTM: {"activation": (), "recurrent_activation": ("i", "f", "o")},
    ConvLSTM: {"activation": (), "recurrent_activation": ("i", "f", "o")},
}
"""The gates whose weights alone make what a function is given; an LSTM's `activation` is also given
its state, which no weight scales."""

ATTRIBUTES = "activation recurrent_activation reset_after go_backwards stateful"


@writes(SimpleRNN, GRU, LSTM, attributes=ATTRIBUTES)
def recurrent(site: Site) -> None:
    """SimpleRNN, GRU, LSTM; what the layer returns follows from which results are read."""
    from .bidirectional import bidirectional, is_half

    if is_half(site):
        bidirectional(site)
        return
    inputs = recurrent_inputs(site)
    sequences, state = _returned(site)
    config = {
        **recurrent_config(site),
        "return_sequences": sequences,
        "return_state": state,
        "go_backwards": site.op.go_backwards,  # type: ignore[attr-defined]
    }
    _write(site, site.op.kind, config, inputs, recurrent_arrays(site), sequences, state)


def _write(
    site: Site,
    class_name: str,
    config: Mapping[str, Any],
    inputs: Sequence[Tensor],
    arrays: Sequence[Array | None],
    sequences: bool,
    state: bool,
) -> None:
    states = len(site.settled.node.results) - 1
    tensors = site.put_all(
        class_name,
        config,
        inputs,
        arrays=arrays,
        repeats=site.repeats(site.settled.bound["batch"]),
        outputs=1 + states if state else 1,
    )
    tensors[0].mask = inputs[0].mask if sequences else None
    site.give(tensors[0], 0 if sequences else 1)
    for index, tensor in enumerate(tensors[1:], 1):
        site.give(tensor, index)


def recurrent_inputs(site: Site) -> list[Tensor]:
    """The sequence, and initial states if there are any. The mask comes along by itself."""
    x = site.x()
    site.check_mask(1, x)
    inputs = site.settled.inputs
    states = [index for index in range(2, len(inputs)) if inputs[index] is not None]
    if states and len(states) < len(inputs) - 2:
        raise site.refuse("some initial states are given, others are not")
    return [x, *(site.x(index) for index in states)]


def recurrent_config(site: Site) -> dict[str, Any]:
    """What the op says of one direction, but for the direction itself and what is returned."""
    op: Any = site.op
    config: dict[str, Any] = {
        "units": site.size("units"),
        "use_bias": "bias" in site.settled.node.params,
        "stateful": op.stateful,
        **functions(site),
    }
    if isinstance(op, GRU):
        config["reset_after"] = op.reset_after
    return config


def recurrent_arrays(site: Site, prefix: str = "") -> list[Array | None]:
    """What one direction stores."""
    gates = GATES.get(type(site.op))
    columns = "units" if gates is None else f"(gates{gates} units)"
    factors = gate_factors(site)

    def array(port: str, pattern: str, name: str = "") -> Array | None:
        stored = site.array(f"{prefix}{name or port}", port, pattern)
        return scaled_array(site, stored, factors)

    kernel = array("kernel", f"features {columns}")
    recurrent_kernel = array("recurrent_kernel", f"recurrent {columns}")
    bias = array("bias", columns)
    again = array("recurrent_bias", columns, "bias")
    if bias is not None and again is not None:
        # of shape (2, 3 units): the input's, then the recurrent one (Keras 2.2.4 `GRUCell.build`)
        bias = stacked(bias, again)
    return [kernel, recurrent_kernel, bias]


def _returned(site: Site) -> tuple[bool, bool]:
    """Whether the layer has to return sequences, and its state besides."""
    read = [site.emission.is_read(value) for value in site.settled.node.results]
    stated = site.layer.config if site.layer else {}
    if not any(read):
        return bool(stated.get("return_sequences")), bool(stated.get("return_state"))
    return read[0], any(read[2:]) or (read[0] and read[1])


def functions(site: Site) -> dict[str, str]:
    """The names of a recurrent op's functions, by the keys of its configuration.

    Raises:
        ExportError: The target has no such function.
    """
    found: dict[str, str] = {}
    for role in FEEDS[type(site.op)]:
        function = _function(site, role)
        if function.factor is not None:
            tell_scaled(site, function)
        found[role] = function.name
    return found


def gate_factors(site: Site) -> Mapping[str, float]:
    """What the weights of each gate are multiplied with, where a function has another slope."""
    found: dict[str, float] = {}
    for role, gates in FEEDS[type(site.op)].items():
        factor = _function(site, role).factor
        found |= dict.fromkeys(gates, factor) if factor is not None else {}
    return found


def _function(site: Site, role: str) -> Scaled:
    op: Op = getattr(site.op, role)
    name = name_of(site, op)
    if name is not None:
        return Scaled(name)
    found = scaled_name(site, op) if FEEDS[type(site.op)][role] else None
    if found is None:
        raise site.refuse(f"{op} has no name in {site.dialect.name}")
    return found


@writes(
    ConvLSTM,
    attributes="activation recurrent_activation strides dilation padding recurrent_padding "
    "go_backwards stateful",
)
def conv_lstm(site: Site) -> None:
    """ConvLSTM2D; zeros put around each step before it where its padding has no word."""
    op, bound = site.op, site.settled.bound
    assert isinstance(op, ConvLSTM)
    if len(bound["space"]) != 2:
        raise site.refuse("Keras 2 has ConvLSTM over two axes only")
    space, window = _steps(site, op)
    inputs = recurrent_inputs(site)
    word = said(space, window, op.padding, rules.CONV[site.backend])
    if word is None and op.padding != "same_upper":
        site.tell("KP201", "changed", f"padding {op.padding} written out")
        inputs[0] = pad(site, inputs[0], space, needed(space, window, op.padding), "pad")
        word = "valid"
    _check_recurrent(site, op)
    sequences, state = _returned(site)
    config = {
        "filters": site.size("filters"),
        "kernel_size": list(window.kernel),
        "strides": list(op.strides),
        "padding": word,
        "data_format": space.data_format,
        "dilation_rate": list(op.dilation),
        **functions(site),
        "use_bias": "bias" in site.settled.node.params,
        "return_sequences": sequences,
        "go_backwards": op.go_backwards,
        "stateful": op.stateful,
    }
    if state:
        config["return_state"] = True
    flip = "~" if site.backend == "theano" else ""
    columns = f"(gates{GATES[ConvLSTM]} filters)"
    patterns = {
        "kernel": f"{flip}kernel_space channels {columns}",
        "recurrent_kernel": f"{flip}recurrent_space recurrent {columns}",
        "bias": columns,
    }
    factors = gate_factors(site)
    arrays = [
        scaled_array(site, site.array(port, port, pattern), factors)
        for port, pattern in patterns.items()
    ]
    _write(site, "ConvLSTM2D", config, inputs, arrays, sequences, state)


def _steps(site: Site, op: ConvLSTM) -> tuple[Space, Window]:
    """The geometry of one step."""
    bound, layout = site.settled.bound, site.settled.input
    lead = len(bound["batch"]) + 1
    last = key(layout.terms[lead]) == key(bound["space"][0])
    space = Space(
        rank=2,
        data_format="channels_last" if last else "channels_first",
        sizes=tuple(map(size_of, bound["space"])),
        outs=tuple(map(size_of, bound["out_space"])),
        repeats=site.repeats(bound["batch"]) + 1,
    )
    taps = tuple(size_of(term) or 0 for term in bound["kernel_space"])
    return space, Window(taps, op.strides, op.dilation)


def _check_recurrent(site: Site, op: ConvLSTM) -> None:
    """The state's convolution is `same` in every Keras, by its backend's rule."""
    bound = site.settled.bound
    taps = [size_of(term) or 0 for term in bound["recurrent_space"]]
    rule = rules.CONV[site.backend]
    wanted = tuple(
        rule(size_of(term), k, 1, 1) for term, k in zip(bound["out_space"], taps, strict=True)
    )
    other = "tensorflow" if site.backend == "theano" else "theano"
    if op.recurrent_padding not in {wanted, "same_upper"}:
        raise site.refuse(
            f"the state's padding {op.recurrent_padding}: {site.backend} pads {wanted}",
            f"its kernel is even: only kernels for {other} can be written",
        )
