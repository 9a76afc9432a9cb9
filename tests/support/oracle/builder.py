"""Build Keras 2 configs as one builds Keras models: call layers on tensors.

    k = Keras("channels_first")
    x = k.input(3, 7, 6)
    y = k("Flatten", k("Conv2D", x, filters=4, kernel_size=3))
    shared = k.layer("Dense", units=5)
    example = k.model(shared(y), shared(k.input(80)))

Every call is evaluated at once on sample inputs: shapes need no rules of their own, and what Keras
would refuse mostly fails here too. Weights are drawn at a layer's first call.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np

from .defaults import full_config
from .example import Example
from .layer import MODELS, Array, Config, Layer, Value, apply
from .weights import names, shapes

BATCH = 2
SHAPE_BACKEND = "tensorflow"
"""Shapes do not depend on the backend; this one refuses nothing."""


class Tensor:
    """A value while a model is built: its sample, and the call that made it."""

    __slots__ = ("call", "result", "value")

    def __init__(self, value: Value, call: Call, result: int) -> None:
        self.value = value
        self.call = call
        self.result = result

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the batch."""
        return self.value.shape

    @property
    def size(self) -> int:
        """Numbers per sample."""
        return int(np.prod(self.shape))


class Call:
    """One call of a layer."""

    __slots__ = ("inputs", "layer", "results")

    def __init__(
        self, layer: BuiltLayer, inputs: tuple[Tensor, ...], values: Iterable[Value]
    ) -> None:
        self.layer = layer
        self.inputs = inputs
        self.results = [Tensor(value, self, number) for number, value in enumerate(values)]


class BuiltLayer:
    """A layer of a model being built; called several times, it is a shared one."""

    def __init__(self, keras: Keras, class_name: str, config: Config, name: str) -> None:
        self.keras = keras
        self.class_name = class_name
        self.config = config
        self.name = name
        self.calls: list[Call] = []

    def __call__(self, *tensors: Tensor) -> Tensor:
        """Call it; for a model of several outputs see `results`."""
        (tensor,) = self.results(*tensors)
        return tensor

    def results(self, *tensors: Tensor) -> list[Tensor]:
        layer = Layer(self.class_name, self.config, self.name, self.keras.doubles, SHAPE_BACKEND)
        self.keras.draw_weights(self, tensors[0].shape)
        with np.errstate(all="raise", under="ignore"):
            values = apply(layer, *(tensor.value for tensor in tensors))
        self.calls.append(Call(self, tensors, values))
        return self.calls[-1].results

    @property
    def first_call(self) -> int:
        """A nested model's calls count from 1 in a file."""
        return 1 if self.class_name in MODELS else 0


class Keras:
    """A session: makes layers, remembers them in order, and turns tensors into a model.

    Args:
        data_format: of the layers that have one and are not told, but for one-dimensional ones.
        seed: of weights and inputs; they depend on the layer's name too, not on the building order.
        names: counts of the names given so far; a session that shares another's repeats none.
    """

    def __init__(
        self,
        data_format: str = "channels_last",
        seed: int = 0,
        names: Counter[str] | None = None,
    ) -> None:
        self.data_format = data_format
        self.seed = seed
        self.names: Counter[str] = Counter() if names is None else names
        self.layers: list[BuiltLayer] = []
        self.weights: dict[str, list[Array]] = {}
        self.doubles: dict[str, list[Array]] = {}

    def input(
        self,
        *shape: int | None,
        sample: Sequence[int] | None = None,
        below: int | None = None,
    ) -> Tensor:
        """An input.

        Args:
            shape: without the batch; None where the model does not say.
            sample: the sizes of the sample, where some are None.
            below: the input holds integers below this.
        """
        name = self.name_for("input")
        sizes = (BATCH, *(shape if sample is None else sample))
        random = self.random(name)
        drawn = random.normal(size=sizes) if below is None else random.integers(below, size=sizes)
        config = {"batch_input_shape": [None, *shape], "dtype": "float32", "sparse": False}
        layer = self._remember("InputLayer", config | {"name": name}, name)
        layer.calls.append(Call(layer, (), [Value(single(drawn).astype(np.float64))]))
        return layer.calls[0].results[0]

    def layer(self, class_name: str, /, **config: object) -> BuiltLayer:
        """A layer to be called, once or often."""
        name = self.name_for(class_name)
        full = full_config(class_name, name, self.data_format, config)
        return self._remember(class_name, full, name)

    def __call__(self, class_name: str, /, *tensors: Tensor, **config: object) -> Tensor:
        """A new layer, called at once."""
        return self.layer(class_name, **config)(*tensors)

    def wrapped(self, wrapper: str, class_name: str, /, **config: object) -> BuiltLayer:
        """A layer in a TimeDistributed or Bidirectional. `merge_mode` is the wrapper's."""
        own = {key: config.pop(key) for key in ("merge_mode",) if key in config}
        inner = full_config(class_name, self.name_for(class_name), self.data_format, config)
        name = self.name_for(wrapper)
        full = full_config(wrapper, name, self.data_format, own)
        full["layer"] = {"class_name": class_name, "config": inner}
        return self._remember(wrapper, full, name)

    def nested(self, inner: Example, wrapper: str | None = None) -> BuiltLayer:
        """A whole model as a layer, or in a TimeDistributed."""
        class_name = wrapper or inner.config["class_name"]
        name = self.name_for(class_name)
        if wrapper:
            config = {"name": name, "trainable": True, "layer": inner.config}
        else:
            config = inner.config["config"] | {"name": name}
        for path, arrays in inner.weights.items():
            self._store(f"{name}/{path}", arrays)
        return self._remember(class_name, config, name)

    def child(self, *, fresh_names: bool = False) -> Keras:
        """A session for a nested model; its layers may be named like those outside, or not."""
        inner = Keras(self.data_format, self.seed, None if fresh_names else self.names)
        self.names["session"] += 1
        inner.seed = crc32(f"{self.seed} {self.names['session']}".encode())
        return inner

    def _remember(self, class_name: str, config: Config, name: str) -> BuiltLayer:
        self.layers.append(BuiltLayer(self, class_name, config, name))
        return self.layers[-1]

    def name_for(self, class_name: str) -> str:
        """The next name of a class, in Keras' manner: `max_pooling2d_1`."""
        snake = re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", class_name).lower()
        self.names[snake] += 1
        return f"{snake}_{self.names[snake]}"

    def random(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32(name.encode())])

    def _store(self, path: str, arrays: list[Array]) -> None:
        self.weights[path] = arrays
        self.doubles[path] = [array.astype(np.float64) for array in arrays]

    def draw_weights(self, layer: BuiltLayer, shape: tuple[int, ...]) -> None:
        """Give a layer its weights, unless it has them."""
        wanted = shapes(layer.class_name, layer.config, shape)
        if layer.calls or not wanted:
            return
        inner = layer.config.get("layer", {"class_name": layer.class_name, "config": layer.config})
        kinds = names(inner["class_name"], inner["config"])
        random = self.random(layer.name)
        kinds *= len(wanted) // len(kinds)
        self._store(layer.name, [draw(random, *of) for of in zip(kinds, wanted, strict=True)])

    def model(
        self, *outputs: Tensor, inputs: Sequence[Tensor] = (), name: str | None = None
    ) -> Example:
        """The functional model that yields these; what they do not need is left out, as in Keras.

        The inputs come in the order in which they were made, unless `inputs` gives another.
        """
        name = name or self.name_for("model")
        kept = {id(call) for call in calls_behind(outputs)}
        layers = [
            (layer, [call for call in layer.calls if id(call) in kept])
            for layer in keras_order(outputs)
        ]
        numbers = {
            id(call): number
            for layer, calls in layers
            for number, call in enumerate(calls, layer.first_call)
        }

        def link(tensor: Tensor) -> list[object]:
            return [tensor.call.layer.name, numbers[id(tensor.call)], tensor.result]

        entries = [
            {
                "name": layer.name,
                "class_name": layer.class_name,
                "config": layer.config,
                "inbound_nodes": [
                    [[*link(tensor), {}] for tensor in call.inputs] for call in calls if call.inputs
                ],
            }
            for layer, calls in layers
        ]
        made = [call.results[0] for layer in self.layers for call in layer.calls if not call.inputs]
        starts = inputs or [tensor for tensor in made if id(tensor.call) in kept]
        config = {
            "name": name,
            "layers": entries,
            "input_layers": [link(tensor) for tensor in starts],
            "output_layers": [link(tensor) for tensor in outputs],
        }
        return self._example("Model", config, [layer.name for layer, _ in layers], starts)

    def sequential(self, output: Tensor, name: str | None = None) -> Example:
        """The chain that ends in `output`, as a Sequential."""
        name = name or self.name_for("sequential")
        start, *calls = chain(output)
        entries: list[Config] = [
            {"class_name": call.layer.class_name, "config": call.layer.config} for call in calls
        ]
        first = entries[0]
        if first["class_name"] not in MODELS:
            shape = start.layer.config["batch_input_shape"]
            told: Config = {"batch_input_shape": shape, "dtype": "float32"}
            first["config"] = first["config"] | told
        config = {"name": name, "layers": entries}
        layers = [call.layer.name for call in calls]
        return self._example("Sequential", config, layers, [start.results[0]])

    def _example(
        self, class_name: str, config: Config, layers: list[str], inputs: Iterable[Tensor]
    ) -> Example:
        weights = {
            path: arrays for path, arrays in self.weights.items() if path.split("/")[0] in layers
        }
        samples = [single(tensor.value.array) for tensor in inputs]
        return Example(
            config["name"], {"class_name": class_name, "config": config}, weights, samples
        )


def calls_behind(outputs: Iterable[Tensor]) -> list[Call]:
    """Every call that the outputs need, each after those that it needs; depth first."""
    return _walk(outputs)[0]


def _walk(outputs: Iterable[Tensor]) -> tuple[list[Call], list[BuiltLayer]]:
    """The calls as they are left, the layers as they are met, on the way back from the outputs."""
    left: dict[int, Call] = {}
    met: dict[int, BuiltLayer] = {}
    stack = [(tensor.call, False) for tensor in reversed(list(outputs))]
    while stack:
        call, done = stack.pop()
        if done:
            left[id(call)] = call
        elif id(call) not in left:
            met.setdefault(id(call.layer), call.layer)
            stack.append((call, True))
            stack += [(tensor.call, False) for tensor in reversed(call.inputs)]
    return list(left.values()), list(met.values())


def keras_order(outputs: Iterable[Tensor]) -> list[BuiltLayer]:
    """The layers in the order of `Network.layers`, which is that of files, too.

    Keras sorts by depth, the longest way from a layer to an output, and among equals by who is met
    first on the way back from the outputs (2.2.4, `engine/network.py`, `_map_graph_network`).
    """
    calls, met = _walk(outputs)
    depth_of_call = dict.fromkeys(map(id, calls), 0)
    depth_of_layer: dict[int, int] = {}
    for call in reversed(calls):
        depth = max(depth_of_call[id(call)], depth_of_layer.get(id(call.layer), 0))
        depth_of_layer[id(call.layer)] = depth
        for tensor in call.inputs:
            before = id(tensor.call)
            depth_of_call[before] = max(depth_of_call[before], depth + 1)
    return sorted(met, key=lambda layer: -depth_of_layer[id(layer)])


class NotAChain(ValueError):  # ruff: ignore[error-suffix-on-exception-name] - not an error, an answer
    """The layers do not follow each other one by one."""


def chain(output: Tensor) -> list[Call]:
    """The calls of a Sequential that ends in `output`, the input first.

    Raises:
        NotAChain: something has two inputs or results, or is called twice.
    """
    calls = calls_behind([output])
    layers = {id(call.layer) for call in calls}
    linked = all(call.inputs == tuple(before.results) for before, call in pairwise(calls))
    if not linked or len(layers) < len(calls) or len(calls) < 2 or len(calls[-1].results) > 1:
        raise NotAChain
    return calls


def single(array: Array) -> Array:
    return array.astype(np.float32)


def draw(random: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    """A weight of a size that lets values neither grow nor vanish."""
    if kind in {"gamma", "moving_variance"}:
        drawn = random.uniform(0.4, 1.5, shape)
    elif kind == "alpha":
        drawn = random.uniform(-0.4, 0.9, shape)
    else:
        drawn = random.normal(size=shape)
        drawn *= 1 / np.sqrt(np.prod(shape[:-1])) if kind.endswith("kernel") else 0.5
    return single(drawn)
