"""Translators: one per layer class, found by name, each with the configuration that it reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from inspect import signature
from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_args, get_type_hints

import msgspec

from ...errors import ConfigError, PluginError
from ...ir.graph import Value
from .layers import load_family_of
from .slots import Config as Config, Slot as Slot

if TYPE_CHECKING:
    from .call import LayerCall


class Translate(Protocol):
    """Turns one call of a layer into nodes; gives the result, or several."""

    def __call__(self, call: LayerCall, *inputs: Value) -> Value | tuple[Value, ...]: ...

    def __hash__(self) -> int: ...


Slots = Callable[[Any, str], Sequence[Slot]]
Places = tuple[str, ...] | Callable[[Mapping[str, Any]], tuple[str, ...]]
"""Paths of groups, or a function that finds them from a stored configuration."""


class Translator(msgspec.Struct, frozen=True):
    """What is known of a layer class.

    Attributes:
        config: The record its configuration is read into.
        slots: The arrays it stores, in order, given its configuration and the era.
        translate: Makes its nodes.
        places: Where its arrays lie in the files of Keras 3, in the order of the slots: paths from
            the layer's own group, by the names of attributes such as `cell`; or a function of the
            configuration that gives them.
        arguments: Keyword arguments of a call that `translate` looks at in `call.given`.
        free: Whether no key of the configuration changes an inference, known or not.
    """

    config: type[Config]
    slots: Slots
    translate: Translate
    places: Places = ("",)
    arguments: frozenset[str] = frozenset()
    free: bool = False

    @property
    def takes(self) -> tuple[int, int | None]:
        """The fewest and the most tensors that the layer is called with; None for any number."""
        own, many = _tensors(self.translate)
        # an operation may find its tensors among the keyword arguments
        return max(0 if self.free else 1, own), None if many else own


@cache
def _tensors(translate: Callable[..., Any]) -> tuple[int, bool]:
    """How many tensors a function asks for behind the call, and whether it takes any number."""
    _, *parameters = signature(translate).parameters.values()
    own = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return len(own), any(p.kind is p.VAR_POSITIONAL for p in parameters)


_TRANSLATORS: dict[str, Translator] = {}

F = TypeVar("F", bound=Callable[..., Any])


def translator_of(class_name: str) -> Translator | None:
    """What is known of a layer class, its family imported if it has not been; None if nothing."""
    if class_name not in _TRANSLATORS:
        load_family_of(class_name)
    return _TRANSLATORS.get(class_name)


def known_translator(class_name: str) -> Translator:
    """What is known of a layer class that has a translator.

    Raises:
        KeyError: It has none.
    """
    found = translator_of(class_name)
    if found is None:
        raise KeyError(class_name)
    return found


def no_slots(config: Any, era: str) -> Sequence[Slot]:
    """A layer without weights."""
    return ()


def translates(
    *class_names: str,
    config: type[Config] = Config,
    slots: Slots = no_slots,
    places: Places = ("",),
    arguments: Collection[str] = (),
    free: bool = False,
) -> Callable[[F], F]:
    """Register the translator of one or several layer classes.

    Raises:
        PluginError: A class has one already.
    """

    def register(function: F) -> F:
        for name in class_names:
            if (taken := translator_of(name)) is not None:
                raise PluginError(
                    f"layer class {name} is already translated by {taken.translate!r}"
                )
            read = frozenset(arguments)
            _TRANSLATORS[name] = Translator(config, slots, function, places, read, free)
        return function

    return register


PRESERVED: frozenset[str] = frozenset(
    {
        "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape",
        "input_dim", "input_length", "input_dtype", "sparse", "ragged", "weights",
        "build_input_shape",
        "activity_regularizer", "kernel_initializer", "bias_initializer", "kernel_regularizer",
        "bias_regularizer", "kernel_constraint", "bias_constraint", "recurrent_initializer",
        "recurrent_regularizer", "recurrent_constraint", "beta_initializer", "gamma_initializer",
        "beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint",
        "moving_mean_initializer", "moving_variance_initializer", "momentum",
        "depthwise_initializer", "pointwise_initializer", "depthwise_regularizer",
        "pointwise_regularizer", "depthwise_constraint", "pointwise_constraint",
        "alpha_initializer", "alpha_regularizer", "alpha_constraint", "embeddings_initializer",
        "embeddings_regularizer", "embeddings_constraint", "forget_bias_init", "unit_forget_bias",
        "dropout", "recurrent_dropout", "rate", "stddev", "seed", "noise_shape", "l1", "l2",
        "implementation", "unroll", "fused", "virtual_batch_size", "adjustment", "renorm",
        "renorm_clipping", "renorm_momentum", "synchronized", "lora_rank", "lora_alpha", "cell",
    }
)  # fmt: skip
"""Keys that inference does not need; the exporters write them back.

What LoRA has learnt is in the kernel that a `.keras` file holds, and in arrays of its own in HDF5
(`importers.keras.adapted`)."""


def read_config(
    translator: Translator, stored: Mapping[str, Any], class_name: str, allowed: frozenset[str]
) -> tuple[Config, list[str]]:
    """A layer's configuration as its translator reads it.

    Args:
        translator: Whose record it is read into.
        stored: The configuration in the names of Keras 2.
        class_name: For the message.
        allowed: `Class.key` that the user lets pass.

    Returns:
        The record, and the keys nobody knows that say nothing (null, empty or false).

    Raises:
        ConfigError: A key that might change numbers, or a value of another kind.
    """
    known = set(translator.config.__struct_fields__)
    unknown = [key for key in stored if key not in known and key not in PRESERVED]
    unknown = [] if translator.free else unknown
    silent = [key for key in unknown if not stored[key]]
    loud = [key for key in unknown if key not in silent and f"{class_name}.{key}" not in allowed]
    if loud:
        key = loud[0]
        raise ConfigError(
            f"{class_name} has {key!r} = {stored[key]!r:.120}, which kerasir does not know",
            hint=f"if it does not change what the layer computes: --allow-key {class_name}.{key}",
        )
    try:
        return msgspec.convert(picked(translator.config, stored), translator.config), silent
    except msgspec.ValidationError as error:
        raise ConfigError(f"{class_name}: {error}") from error


def picked(config: type[Config], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What a record takes of a stored configuration; null only where it means something.

    Bidirectional with `merge_mode: null` gives both results, without the key it joins them.
    """
    known, nullable = config.__struct_fields__, _nullable(config)
    return {
        key: stored[key]
        for key in known
        if key in stored and (stored[key] is not None or key in nullable)
    }


@cache
def _nullable(config: type[Config]) -> frozenset[str]:
    hints = get_type_hints(config)
    return frozenset(
        key
        for key in config.__struct_fields__
        if hints[key] is Any or NoneType in get_args(hints[key])
    )
