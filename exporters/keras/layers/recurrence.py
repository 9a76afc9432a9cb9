"""What SimpleRNN, GRU and LSTM are made of in a file: inputs, configuration, arrays, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ....eras.activations import ALONG_LAST
from ....eras.values import IMPLEMENTATIONS
from ....ir.graph import Value
from ....ir.layout import Labelled
from ....ir.op import Op
from ....ir.ops.recurrent import GRU, LSTM, ConvLSTM, SimpleRNN
from ....ir.parts import cell_number
from ..elementwise import name_of
from ..hard_sigmoid import Scaled, scaled_array, scaled_name, tell_scaled
from ..masks import carries, mask_of, told
from ..network import NOTHING, Arguments, Array, Tensor, filled, single, stacked
from ..site import Site

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


def zeroing(site: Site) -> dict[str, Any]:
    """The key that has zeros come out of absent steps, where the layer's nodes say so."""
    parts = site.emission.parts(site.layer)
    if "absent" not in parts:
        return {}
    for part in ("turned", "absent"):  # `turned`: the mask in the order walked
        if part in parts:
            site.emission.fuse(parts[part].node)
    return {"zero_output_for_mask": True}


def write_recurrent(
    site: Site,
    class_name: str,
    config: Mapping[str, Any],
    fed: Fed,
    arrays: Sequence[Array | None],
    sequences: bool,
    state: bool,
) -> None:
    """Call the layer, and say which of the op's results it gives."""
    states = len(site.settled.node.results) - 1
    tensors = site.put_all(
        class_name,
        config,
        fed.all,
        arrays=arrays,
        repeats=site.repeats(site.settled.bound["batch"]),
        outputs=1 + states if state else 1,
        arguments=fed.arguments,
    )
    behind = site.emission.masks.get(site.layer) if site.layer else None  # of steps around
    carries(site, tensors[0], fed.carried if sequences else behind)
    site.give(tensors[0], 0 if sequences else 1)
    absent = site.emission.parts(site.layer).get("absent")
    if absent is not None:
        site.scope.define(absent.node.result, absent.results[0], tensors[0])
    for index, tensor in enumerate(tensors[1:], 1):
        site.give(tensor, index)


class Fed(NamedTuple):
    """What a recurrent layer is given.

    Attributes:
        tensors: The sequence, and initial states if there are any.
        mask: What it is told of the steps that count, where that does not come along by itself.
        carried: The mask that goes on with the sequence that it gives.
    """

    tensors: list[Tensor]
    mask: Tensor | None
    carried: Value | None

    @property
    def all(self) -> list[Tensor]:
        """Everything, the mask last."""
        return self.tensors if self.mask is None else [*self.tensors, self.mask]

    @property
    def arguments(self) -> Arguments:
        """How the mask is given."""
        return NOTHING if self.mask is None else Arguments(named=("mask",))


def recurrent_inputs(site: Site) -> Fed:
    """The sequence, its mask, and initial states if there are any.

    Where calls can be told a mask, none comes along with a sequence that has states beside it.
    Source: Keras 3.15 `layers/layer.py` (`Layer.__call__`, with several tensor arguments).
    """
    inputs = site.settled.inputs
    states = [index for index in range(2, len(inputs)) if inputs[index] is not None]
    alone = not states or not site.dialect.tells_masks
    x, mask = told(site, 1, site.x(), carried=alone)
    if states and not site.has(site.op.kind, "return_state"):
        raise site.refuse(f"{site.dialect.name} gives no layer an initial state")
    if states and len(states) < len(inputs) - 2:
        raise site.refuse("some initial states are given, others are not")
    held = mask_of(site, 1)
    if states and held is not None:
        tell_of_idle(site)
    carried = x.mask if held is None else held.value
    return Fed([x, *(site.x(index) for index in states)], mask, carried)


def tell_of_idle(site: Site) -> None:
    """Say which readers give an initial state before the first step that counts, and which zeros.

    What does not unroll the steps gives it on TensorFlow up to Keras 2.2 (`eras.recurrence`).
    """
    op: Any = site.op
    gives = site.backend in site.dialect.gives_first_state
    own = site.layer.config if site.layer else {}
    if own.get("unroll") or inner_config(site).get("unroll") or not (gives or op.idle_state):
        return
    if not op.idle_state:
        site.emission.speak("tf_keras")
    what = "the initial state" if op.idle_state else "zeros"
    site.tell(
        "KN310",
        "note",
        f"before the first step that counts the source gives {what}: Keras up to 2.2 on TensorFlow "
        "gives the initial state, all others zeros",
        level="warning",
    )


def _is_apart(site: Site) -> bool:
    """Whether each gate has arrays of its own: in Keras 1, unless it multiplies them all at once.

    Source: Keras 1.2.2 `LSTM.build`, `consume_less`.
    """
    stated = inner_config(site).get("implementation")
    return site.op.kind in site.dialect.apart and stated != IMPLEMENTATIONS["gpu"]


def inner_config(site: Site) -> Mapping[str, Any]:
    """What the source said of the recurrent layer, inside a Bidirectional or a stack too."""
    config = site.layer.config if site.layer else {}
    inner = config.get("layer")
    found = inner.get("config") if isinstance(inner, Mapping) else config
    found = found if isinstance(found, Mapping) else {}
    number = cell_number(site.settled.node.part)
    return found if number is None else found["cells"][number]["config"]


def parted(
    site: Site, arrays: Sequence[Array | None], units: str, prefix: str = ""
) -> list[Array | None]:
    """The arrays of all gates as arrays of single gates, in the target's order.

    Args:
        site: The node.
        arrays: The kernel, the recurrent kernel and the bias; an absent bias is zeros.
        units: The binding of a gate's numbers.
        prefix: Of the arrays' names.
    """
    (gates,) = site.settled.bound["gates"]
    assert isinstance(gates, Labelled)  # as the op declares it
    found: list[Array | None] = []
    for label in site.dialect.apart[site.op.kind]:
        kernel, recurrent_kernel, bias = (array and single(array, gates, label) for array in arrays)
        bias = bias or filled(f"{prefix}bias_{label}", 0.0, site.size(units))
        found += [kernel, recurrent_kernel, bias]
    return found


def recurrent_config(site: Site) -> dict[str, Any]:
    """What the op says of one direction, but for the direction itself and what is returned."""
    op: Any = site.op
    if isinstance(op, GRU) and op.reset_after and not site.has("GRU", "reset_after"):
        raise site.refuse(f"{site.dialect.name} resets a GRU's state before the product only")
    config: dict[str, Any] = {
        "units": site.size("units"),
        "use_bias": "bias" in site.settled.node.params or not site.has(op.kind, "use_bias"),
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
    if _is_apart(site):
        return parted(site, [kernel, recurrent_kernel, bias], "units", prefix)
    size = site.size("units", *(["gates"] if gates else []))
    bias = site.always(bias, site.op.kind, "use_bias", f"{prefix}bias", 0.0, size)
    return [kernel, recurrent_kernel, bias]


def returned(site: Site) -> tuple[bool, bool]:
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
    if name is None:  # along the units, which come last in every Keras
        along = ALONG_LAST[site.dialect.vocabulary]
        name = next((name for name, known in along.items() if known == op), None)
    if name is not None:
        return Scaled(name)
    found = scaled_name(site, op) if FEEDS[type(site.op)][role] else None
    if found is None:
        raise site.refuse(f"{op} has no name in {site.dialect.name}")
    return found
