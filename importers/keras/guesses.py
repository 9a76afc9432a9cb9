"""What a layer seems to be, by its arrays alone: their number, ranks, extents and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from .archive.record import StoredWeight, WeightGroup
from .layers.recurrent import GRU_GATES, KERAS1_LSTM_GATES, LSTM_GATES
from .match import STORED_NAMES, bare_name, is_called

PER_GATE: Mapping[tuple[int, int], tuple[str, tuple[str, ...]]] = {
    (12, 2): ("LSTM", KERAS1_LSTM_GATES),
    (9, 2): ("GRU", GRU_GATES),
    (12, 4): ("ConvLSTM", KERAS1_LSTM_GATES),
}
"""Ops that store arrays of each gate, and the order of the gates: by number of arrays and rank."""

GATES: Mapping[str, tuple[str, ...]] = {
    "LSTM": LSTM_GATES,
    "ConvLSTM": LSTM_GATES,
    "GRU": GRU_GATES,
}
"""The order of the gates in one array."""

RECURRENT: Mapping[int, str] = {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}
"""By how many times wider than tall the recurrent kernel is."""

KERNELS = frozenset({"kernel", "depthwise_kernel", "embeddings"})
OTHERS = ("locally", "maxout", "prelu", "p_re_lu")
"""Names of layers whose first array is no kernel of a convolution begin so."""

KERAS1_NAME = re.compile(
    r"(.+)_(?:[WUb](?:_[a-z])?|gamma|beta|running_mean|running_std|depthwise_kernel|"
    r"pointwise_kernel)(?:_\d+)?(?::\d+)?"
)
"""A layer's name, that of a weight, and what TensorFlow puts behind it."""

NORMALIZATION = ("gamma", "beta", "mean", "variance")


class Guess(msgspec.Struct, frozen=True):
    """What a group of arrays may be.

    Attributes:
        of: An op.
        rank: Its spatial axes.
        arrays: The position of each parameter's array; several where each gate has its own.
        gates: The order of those.
    """

    of: str
    rank: int
    arrays: Mapping[str, tuple[int, ...]]
    gates: tuple[str, ...] = ()

    @property
    def class_name(self) -> str:
        """The layer's class as Keras 2 calls it."""
        pattern = {
            "Conv": "Conv{}D",
            "ConvTranspose": "Conv{}DTranspose",
            "SeparableConv": "SeparableConv{}D",
            "DepthwiseConv": "DepthwiseConv{}D",
            "ConvLSTM": "ConvLSTM{}D",
            "BatchNorm": "BatchNormalization",
        }.get(self.of, self.of)
        return pattern.format(self.rank)


def guesses(group: WeightGroup, storage: str) -> Iterator[Guess]:
    """What a group may be, likeliest first; extents are not checked yet.

    Args:
        group: The arrays of one layer.
        storage: `keras1` or `keras2`: whose layouts the arrays have.
    """
    shapes = [weight.source.shape for weight in group.weights]
    ranks = [len(shape) for shape in shapes]
    ports = [_port(weight.name) for weight in group.weights]
    if (len(ranks), ranks[0]) in PER_GATE and ranks == [ranks[0], ranks[0], 1] * (len(ranks) // 3):
        of, gates = PER_GATE[len(ranks), ranks[0]]
        three = ("kernel", "recurrent_kernel", "bias")
        places = {port: tuple(range(i, len(ranks), 3)) for i, port in enumerate(three)}
        yield Guess(of, max(0, ranks[0] - 2), places, gates)
    elif ranks[:2] == [2, 2] and ranks[2:] in ([1], []):
        yield from _recurrent(shapes, ports)
    elif ranks[:2] in ([3, 3], [4, 4]) and ranks[2:] in ([1], []):
        yield from _two_kernels(shapes, ports, ranks)
    elif set(ranks) == {1}:
        yield from _normalization(ports)
    elif not ports[0] or ports[0] in KERNELS:
        yield from _one_array(group, ports, ranks, storage)


def _port(stored_name: str) -> str:
    """The port that a stored name means: `depthwise_kernel` is no `kernel`."""
    last = bare_name(stored_name)
    fitting = [
        (len(name), port)
        for port, names in STORED_NAMES.items()
        for name in names
        if is_called(last, (name,))
    ]
    longest = max((length for length, _ in fitting), default=0)
    return next((port for length, port in fitting if length == longest), "")


def _placed(ports: Sequence[str], arrays: Sequence[object]) -> dict[str, tuple[int, ...]]:
    """One array for each port, as far as there are arrays."""
    return {port: (place,) for place, (port, _) in enumerate(zip(ports, arrays, strict=False))}


def _recurrent(shapes: Sequence[tuple[int, ...]], ports: Sequence[str]) -> Iterator[Guess]:
    units, columns = shapes[1]
    times = columns // units if units and columns % units == 0 else 0
    if times in RECURRENT and (len(shapes) == 3 or ports[1] == "recurrent_kernel"):
        yield Guess(RECURRENT[times], 0, _placed(("kernel", "recurrent_kernel", "bias"), shapes))


def _two_kernels(
    shapes: Sequence[tuple[int, ...]], ports: Sequence[str], ranks: Sequence[int]
) -> Iterator[Guess]:
    """A separable convolution, or a convolutional LSTM."""
    if ports[0] != "kernel" and ports[1] != "recurrent_kernel":
        kernels = ("depthwise_kernel", "pointwise_kernel", "bias")
        yield Guess("SeparableConv", ranks[0] - 2, _placed(kernels, ranks))
    if ranks[0] == 4 and ports[0] != "depthwise_kernel" and shapes[1][-1] == 4 * shapes[1][-2]:
        yield Guess("ConvLSTM", 2, _placed(("kernel", "recurrent_kernel", "bias"), ranks))


def _one_array(
    group: WeightGroup, ports: Sequence[str], ranks: Sequence[int], storage: str
) -> Iterator[Guess]:
    """A kernel with or without a bias."""
    name = group.layer.rpartition("/")[2].lower()
    if ranks[1:] not in ([1], []) or name.startswith(OTHERS):
        return
    kernel = _placed(("kernel", "bias"), ranks)
    rank = ranks[0] - 2
    if rank == 0 and (ports[0] == "embeddings" or name.startswith("embedding")):
        yield Guess("Embedding", 0, {"embeddings": (0,)})
    elif rank == 0:
        yield Guess("Dense", 0, kernel)
    elif ports[0] == "depthwise_kernel" or "depthwise" in name:
        yield Guess("DepthwiseConv", rank, kernel)
    elif rank in {1, 2, 3}:
        if storage == "keras1":  # which gives a kernel over time a second axis, of one
            if rank == 1:
                return
            rank = 1 if "1d" in name else rank
        ops = ("Conv", "ConvTranspose")
        transposed = "transpose" in name or "deconv" in name
        yield from (Guess(of, rank, kernel) for of in (ops[::-1] if transposed else ops))


def _normalization(ports: Sequence[str]) -> Iterator[Guess]:
    if len(ports) == 4 and not any(ports):
        yield Guess("BatchNorm", 0, _placed(NORMALIZATION, ports))
    elif len(ports) > 1 and set(ports) <= set(NORMALIZATION) and len(set(ports)) == len(ports):
        yield Guess("BatchNorm", 0, _placed(ports, ports))


def _owner(name: str) -> str:
    """The layer that a stored name begins with: `model/conv/kernel:0`, `conv_W`, `lstm_1_W_i`."""
    folder, slash, _ = name.rpartition("/")
    match = None if slash else KERAS1_NAME.fullmatch(name)
    return match[1] if match else folder


def parts(group: WeightGroup) -> list[tuple[str, WeightGroup]]:
    """The layers in a group: those of a nested model are told apart by what names begin with."""
    found: dict[str, list[StoredWeight]] = {}
    for weight in group.weights:
        found.setdefault(_owner(weight.name), []).append(weight)
    if len(found) < 2:
        return [("", group)]
    return [
        (prefix, WeightGroup(prefix.rpartition("/")[2] or group.layer, tuple(weights)))
        for prefix, weights in found.items()
    ]
