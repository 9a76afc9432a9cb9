"""What describes a target: its forms, its classes, and the keys that a configuration may have.

A key that some version of the target does not know is only written where it is not at its
default, and that is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from ....eras.layer_names import SCOPES, Names
from ....eras.operations import Meaning
from ....eras.vocabularies import Storage

Keys = tuple[str, ...]

BASE: Keys = ("trainable", "dtype")
"""Kept keys of every layer."""


LOADED_BY: Mapping[str, str] = {
    "Keras 3": "Keras 2 or tf-keras",
    "Keras 2.2 and 2.3": "tf-keras or Keras 3",
    "Keras 2.2, 2.3 and 3": "tf-keras",
}
"""What has a class, by the versions that lack it."""


class Known(msgspec.Struct, frozen=True):
    """The keys of one layer class.

    Attributes:
        stated: What the op says; the exporter writes these.
        kept: What a round trip needs and no inference; written back as the source had them.
        since: Stated keys that the oldest versions of the target lack, and which version has
            them; written only where they say something, and told.
        missing: Versions of the target that lack the class altogether: a key of `LOADED_BY`.
        unsaid: Keys of BASE that some version refuses for this class.
        era: The vocabulary that has what `since` and `missing` tell of.
        renamed: What the target calls keys that Keras 2 calls otherwise.
        places: Where the arrays lie in files of Keras 3: paths from the layer's group, each of
            which holds as many of them.
        parts: Where they lie by the part of the layer that their names begin with.
        group: The class that the layer's group is called by, where it is another.
        call: How a call is handed several tensors: as one list, one by one, or the first alone
            and the others as `initial_state`.
        backends: The backends that have the class; none given for all.
        sparing: Stated keys that it leaves out where they say nothing.
    """

    stated: Keys = ()
    kept: Keys = ()
    since: Mapping[str, str] = {}
    missing: str = ""
    unsaid: Keys = ()
    era: str = ""
    renamed: Mapping[str, str] = {}
    places: tuple[str, ...] = ("",)
    parts: Mapping[str, str] = {}
    group: str = ""
    call: Literal["list", "each", "states"] = "list"
    backends: Keys = ()
    sparing: Keys = ()


class Functions(msgspec.Struct, frozen=True):
    """How a target says operations on tensors that are no layers.

    Attributes:
        meanings: What each name means: a table of `eras.operations`.
        class_name: The class of all of them, which states the name; "" where each is a class, and
            no layer: it has no place among the layers, and carries no mask.
        modules: Where those classes are.
    """

    meanings: Mapping[str, Meaning]
    class_name: str = ""
    modules: Mapping[str, str] = {}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One target.

    Attributes:
        name: As the user asks for it.
        keras_version: What the file says that wrote it.
        form: How models are spelt: a functional one's calls as lists of names and numbers, or
            layers with their modules and calls with their arguments.
        functional: The class name of a functional model.
        sequential: A Sequential's config as a dict that begins with an InputLayer, as a `fed` dict,
            whose first layer says what it is fed, or as a list of such layers.
        first_call: The number of a nested model's first call: 1, as call 0 made it.
        readers: Which Keras are to load it: `Keras 2`, `Keras 3`. What one of them cannot load is
            written otherwise where there is another way.
        inner_modules: What the layer, or the model, inside a wrapper states as its module, which
            Keras 3 asks for and others pass over; "" for nothing.
        vocabulary: Whose names activations, optimizers and their slots have.
        storage: Which table of `eras.storage` the weights follow.
        weight_suffix: What names of weights end in, by backend.
        backends: Which backends' kernels it can have.
        policies: Dtype policies that a layer may have besides float32.
        classes: The layer classes it has.
        absent: Classes of other targets that it is known not to have: refused, where there is no
            other way to say what they compute.
        keeps_training: Whether a call that states `training` keeps it when the model predicts.
        functions: How it says operations on tensors; None if it cannot.
        spans: Whether it is for all later versions of its era too, and may state one of them.
        later: Vocabularies of later readers, and the version that a file states which needs one.
        walks_as: By such a vocabulary: the version of the target's own that walks the steps of
            recurrent layers as it does, stated by a file that needs that.
        base: Kept keys of every layer.
        paddings: The words for paddings of a convolution.
        pads_alike: Classes that pad both sides of an axis by one number.
        highest: Functions that take inputs up to a rank only, the batch counted.
        apart: Ops whose gates have arrays of their own, and their order.
        weight_names: What its arrays are called, by what Keras 2 calls them; a layer's name comes
            before them. None: as in Keras 2, each in a group of the layer's name.
        respelt: Whether classes and keys have other names than in Keras 2: those of `eras.respell`
            for its vocabulary.
        says_backend: Whether its files say which backend wrote them, and files of weights which
            version.
        chunked: Whether it reads lists of names in several attributes.
        states_extent: Whether transposed convolutions are told the extent of their result.
        modes: Whether BatchNormalization has Keras 1's modes.
        written_by: Versions whose files are in this dialect already, by what they begin with.
        by_path: Whether it has `.keras` and `.weights.h5` files beside HDF5.
        top_level: Whether HDF5 has a group for variables that are the model's own.
        era: Whose files are said again as they are, where nothing about them changes; "" for none.
        era_alone: The same by backends for which no other Keras reads the target.
        makes_as_listed: Whether its reader makes a layer with all its calls when it comes to it.
        forgets_extents: Whether a BatchNormalization cannot be made behind a Flatten on TensorFlow.
        forgets_names: Whether a Sequential inside a model is called otherwise once it is loaded
            (Keras 1.2.2 `models.py` `Sequential.get_config`): nothing can be said by its name.
        one_metric: Whether what is said by output is one metric and no list (Keras 1.2.2
            `models.py` `load_model`, `deserialize`, which looks each up in a dictionary).
        merges_alike: Whether what it merges has to be of one shape.
        merges_models: Whether a Sequential can begin with a Merge of models.
        call_arguments: Whether calls in functional models have a place for keyword arguments.
        interpolations: The words by which its Resizing computes.
        from_corners: Backends on which UpSampling2D's "bilinear" takes corners, not centres, with
            the factors that it has there; none for all.
        masks_stay: Whether the result of a TimeDistributed has the mask of its input as it is
            (Keras 3.15 `layers/rnn/time_distributed.py` has no `compute_mask`).
        masks_enter_models: Whether a model inside can be given a tensor with a mask (before Keras
            2.2 its InputLayer refuses it: 2.0.8 `engine/topology.py` `Layer.compute_mask`).
        masks_past_steps: Whether TimeDistributed gives its layer no mask, and its result that of
            its input (before Keras 2.2); later the layer's own.
        gives_first_state: Backends on which steps that a mask leaves out give the first state, in
            some version that reads it (`eras.recurrence`).
        unmasked: Classes that cannot be given a tensor with a mask, unless a TimeDistributed
            takes it past them.
        merged_masks: Where a step counts in a merge of inputs with masks: where all say so, inputs
            without passed over; or where any does, and without a mask if an input has none.
        unmasked_merges: Merges that it cannot make where an input has a mask, or that are made of
            such.
        merges_ends: Whether a Bidirectional that gives no sequences has to merge its halves.
        backs_second: Whether the second half of a Bidirectional walks from the end, whatever the
            first does, unless it is a layer that is stated (Keras 3.15 `Bidirectional.__init__`).
        zeroes_absent: Whether a Bidirectional has zeros where a mask leaves a step out, in every
            reader (Keras 3.15 `Bidirectional.__init__`, `zero_output_for_mask`).
        masked_values: Merges that compute otherwise where a mask leaves one of their inputs out.
        names: The names of layers that it takes, by backend; any on others.
        weighted_names: Those of layers that hold weights, where others are taken of them.
        whole: Classes that are written as they were read, though they were read as several
            operations: their configuration says all that they compute.
        tells_masks: Whether a call can be told a mask, as a tensor by keyword.
        hears_masks: Whether some of its readers can be told one, where none comes along.
        ends_masks: Classes that hand no mask on.
        strips_masks: Classes that take the masks off the tensors that they are given, for all who
            read them later.
    """

    name: str
    keras_version: str
    form: Literal["keras2", "keras3"] = "keras2"
    functional: str
    sequential: Literal["dict", "fed", "list"]
    first_call: int
    readers: tuple[str, ...]
    inner_modules: tuple[str, str]
    vocabulary: str
    storage: Storage
    weight_suffix: Mapping[str, str]
    backends: tuple[str, ...]
    policies: frozenset[str] = frozenset({"float16", "float64"})
    classes: Mapping[str, Known]
    absent: frozenset[str] = frozenset()
    keeps_training: bool = True
    functions: Functions | None = None
    later: Mapping[str, str] = {}
    walks_as: Mapping[str, str] = {}
    base: Keys = BASE
    paddings: Keys = ("valid", "same", "causal")
    pads_alike: frozenset[str] = frozenset()
    highest: Mapping[str, int] = {}
    apart: Mapping[str, str] = {}
    weight_names: Mapping[str, str] | None = None
    respelt: bool = False
    says_backend: bool = True
    chunked: bool = True
    states_extent: bool = False
    modes: bool = False
    written_by: Keys = ()
    era: str = ""
    by_path: bool = False
    top_level: bool = False
    era_alone: Mapping[str, str] = {}
    makes_as_listed: bool = False
    merges_models: bool = False
    merges_alike: bool = False
    forgets_names: bool = False
    one_metric: bool = False
    forgets_extents: bool = False
    call_arguments: bool = True
    spans: bool = False
    interpolations: Keys = (
        "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic",
        "area",
    )  # fmt: skip
    from_corners: Mapping[str, tuple[tuple[int, int], ...]] = {}
    masks_stay: bool = False
    masks_enter_models: bool = True
    masks_past_steps: bool = False
    gives_first_state: Keys = ()
    unmasked: Keys = ()
    merged_masks: Literal["all", "any"] = "all"
    masked_values: frozenset[str] = frozenset()
    unmasked_merges: frozenset[str] = frozenset()
    merges_ends: bool = False
    backs_second: bool = False
    zeroes_absent: bool = False
    weighted_names: Names | None = None
    names: Mapping[str, Names] = msgspec.field(default_factory=lambda: {"tensorflow": SCOPES})
    whole: frozenset[str] = frozenset()
    tells_masks: bool = False
    hears_masks: bool = False
    ends_masks: frozenset[str] = frozenset()
    strips_masks: frozenset[str] = frozenset()

    @property
    def hands_masks_on(self) -> bool:
        """Whether a TimeDistributed's result has its input's mask, whatever its layer makes."""
        return self.masks_past_steps or self.masks_stay


def narrowed(known: Known, keys: Keys, backends: Keys = (), kept: Keys = ()) -> Known:
    """A class without some of its stated keys, on some backends only, with more keys to keep."""
    return msgspec.structs.replace(
        known,
        stated=tuple(key for key in known.stated if key not in keys),
        since={key: version for key, version in known.since.items() if key not in keys},
        kept=(*known.kept, *kept),
        missing="",
        unsaid=(),
        backends=backends,
    )
