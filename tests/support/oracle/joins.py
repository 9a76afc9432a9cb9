"""The moves that join values, share layers, or nest models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .builder import BuiltLayer, Tensor
from .layer import MODELS
from .moves import convolution_options, factors, move, require
from .weights import shapes

if TYPE_CHECKING:
    from .generate import Generator


def like(g: Generator, x: Tensor) -> Tensor:
    """A value of the shape of `x`: one that is there, or made for the purpose."""
    there = [value for value in g.values if value.shape == x.shape and value is not x]
    if there and g.chance(0.7):
        return g.choice(there)
    same_size = [value for value in g.values if value.size == x.size and value is not x]
    if same_size and g.chance(0.7):
        return g.add("Reshape", g.choice(same_size), target_shape=list(x.shape))
    vectors = [value for value in g.values if len(value.shape) == 1]
    if vectors and x.size <= 150 and g.chance(0.5):
        made = g.add("Dense", g.choice(vectors), units=x.size)
        return g.add("Reshape", made, target_shape=list(x.shape)) if len(x.shape) > 1 else made
    return g.add("Dense", x, units=x.shape[-1])


@move(5)
def merge(g: Generator, x: Tensor) -> list[Tensor]:
    name = g.choice(["Add", "Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract"])
    others = [like(g, x) for _ in range(1 if name == "Subtract" else g.integer(1, 2))]
    return [g.add(name, *g.shuffled([x, *others]))]


@move(2)
def broadcast(g: Generator, x: Tensor) -> list[Tensor]:
    """With a value that has 1 where `x` has more, or fewer axes."""

    def fits(shape: tuple[int, ...]) -> bool:
        tail = x.shape[len(x.shape) - len(shape) :]
        return shape != x.shape and all(a in {1, b} for a, b in zip(shape, tail, strict=True))

    small = [v for v in g.values if len(v.shape) <= len(x.shape) and fits(v.shape)]
    require(small)
    return [g.add(g.choice(["Add", "Multiply"]), *g.shuffled([x, g.choice(small)]))]


@move(2)
def squeeze_and_excite(g: Generator, x: Tensor) -> list[Tensor]:
    require(len(x.shape) == 3)
    layout = g.data_format()
    squeezed = g.add("GlobalAveragePooling2D", x, data_format=layout)
    scale = g.add("Dense", squeezed, units=squeezed.size, activation="sigmoid")
    target = [squeezed.size, 1, 1] if layout == "channels_first" else [1, 1, squeezed.size]
    return [g.add("Multiply", x, g.add("Reshape", scale, target_shape=target))]


@move(1)
def sum_with_transpose(g: Generator, x: Tensor) -> list[Tensor]:
    """The same sizes, other positions: x + x^T."""
    shape = x.shape
    pairs = [
        (a, b) for a in range(len(shape)) for b in range(a) if shape[a] == shape[b] and shape[a] > 1
    ]
    require(pairs)
    a, b = g.choice(pairs)
    dims = list(range(1, len(shape) + 1))
    dims[a], dims[b] = dims[b], dims[a]
    return [g.add(g.choice(["Add", "Maximum"]), x, g.add("Permute", x, dims=dims))]


@move(4)
def concatenate(g: Generator, x: Tensor) -> list[Tensor]:
    """Along any axis; often with itself, since only values that agree elsewhere fit."""
    axis = g.integer(0, len(x.shape) - 1)

    def rest(value: Tensor) -> tuple[int, ...]:
        return value.shape[:axis] + value.shape[axis + 1 :]

    fit = [v for v in g.values if len(v.shape) == len(x.shape) and rest(v) == rest(x)]
    parts = [x] + [g.choice(fit) for _ in range(g.integer(1, 2))]
    index = g.choice([axis + 1, axis - len(x.shape)])
    return [g.add("Concatenate", *g.shuffled(parts), axis=index)]


@move(1)
def dot(g: Generator, x: Tensor) -> list[Tensor]:
    require(len(x.shape) <= 2)
    pairs = [
        (other, a, b)
        for other in g.values
        if len(other.shape) <= 2
        for a, n in enumerate(x.shape, 1)
        for b, m in enumerate(other.shape, 1)
        if n == m > 1
    ]
    require(pairs)
    other, a, b = g.choice(pairs)
    return [g.add("Dot", x, other, axes=[a, b], normalize=g.chance(0.3))]


@move(3)
def another_input(g: Generator, x: Tensor) -> list[Tensor]:
    """One of its own shape, or one that meets a value at once."""
    require(g.may_add_inputs and len(g.inputs) < 3)
    if g.chance(0.3):
        return [g.input(*g.input_shape())]
    fresh = g.input(*x.shape)
    return [fresh, g.add(g.choice(["Add", "Multiply", "Concatenate"]), *g.shuffled([x, fresh]))]


def may_share(layer: BuiltLayer, x: Tensor) -> bool:
    """Whether Keras lets a layer be called on another value: its weights fit, and its rank."""
    (first, *more) = layer.calls[0].inputs
    if more:
        return False
    if layer.class_name in {*MODELS, "TimeDistributed"}:
        return first.shape == x.shape
    if layer.class_name != "Dense" and len(first.shape) != len(x.shape):
        return False
    of = layer.class_name, layer.config
    return shapes(*of, first.shape) == shapes(*of, x.shape)


@move(6)
def shared(g: Generator, x: Tensor) -> list[Tensor]:
    """Call a layer again: mostly one with weights; the results of its calls may meet."""
    called = [layer for layer in g.keras.layers if layer.calls and layer.calls[0].inputs]
    fit = [layer for layer in called if may_share(layer, x)]
    heavy = [layer for layer in fit if layer.name in g.keras.weights]
    require(fit)
    layer = g.choice(heavy if heavy and g.chance(0.8) else fit)
    fresh = layer.results(x)[0]
    first = layer.calls[0].results[0]
    if first.shape == fresh.shape and g.chance(0.5):
        return [fresh, g.add(g.choice(["Add", "Multiply", "Concatenate"]), first, fresh)]
    return [fresh]


@move(4)
def nested(g: Generator, x: Tensor) -> list[Tensor]:
    """A model as a layer, mostly called twice, on values that may be counted differently."""
    require(g.depth < 2)
    inputs = [x] if g.chance(0.75) else [x, g.choice(g.values)]
    inner = g.child()
    tensors = [inner.input(*tensor.shape) for tensor in inputs]
    if g.depth == 0 and g.chance(0.3):
        inner.values += nested(inner, tensors[0])
    inner.grow(g.integer(1, 4))
    example = inner.example(limit=g.choice([1, 1, 2]), sequential=g.chance(0.5))
    require(len(example.inputs) == len(inputs))
    g.allow_all(example.classes())
    layer = g.keras.nested(example)
    results = layer.results(*inputs)
    if g.chance(0.7):
        results = [*results, *layer.results(*(like(g, tensor) for tensor in inputs))]
    return results


@move(2)
def time_distributed(g: Generator, x: Tensor) -> list[Tensor]:
    require(len(x.shape) >= 2)
    shape = x.shape[1:]
    rank = len(shape) - 1
    inner: dict[str, dict[str, Any]] = {
        "Dense": {"units": g.integer(2, 5)},
        "BatchNormalization": {"axis": g.integer(1, len(shape))},
        "Reshape": {"target_shape": factors(g, x.size // x.shape[0])[:4] or [1]},
    }
    if rank:
        inner["Flatten"] = {"data_format": g.data_format()}
        inner["Permute"] = {"dims": g.shuffled(range(1, len(shape) + 1))}
        inner[f"Conv{rank}D"] = {"filters": g.integer(2, 4), **convolution_options(g, rank)}
    name = g.choice(list(inner))
    return [g.wrap("TimeDistributed", name, x, **inner[name])]


@move(1)
def time_distributed_model(g: Generator, x: Tensor) -> list[Tensor]:
    require(g.depth < 2 and len(x.shape) >= 2)
    inner = g.child()
    inner.input(*x.shape[1:])
    inner.grow(g.integer(1, 3))
    example = inner.example(limit=1, sequential=g.chance(0.5))
    g.allow_all({*example.classes(), "TimeDistributed"})
    return [g.keras.nested(example, "TimeDistributed")(x)]
