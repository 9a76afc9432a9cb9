"""What class an entry is of: Keras' own, an operation of Keras 3, or one of the author's.

Modules and registered names are only compared, never looked up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...eras.names import CLASSES
from ...eras.operations import says_operation
from ...errors import ConfigError, show
from .layers import OPERATION
from .registry import translator_of

KERAS_MODULES = ("keras", "tf_keras", "tensorflow")
OWN_REGISTERED = frozenset({"Custom>CustomScaleLayer"})
"""Classes that Keras itself registers like an author's (tf-keras `inception_resnet_v2.py`)."""

OPERATION_ERAS = frozenset({"keras3"})
UNKNOWN = "keras."
"""Before the name of a class of Keras' own that has no translator: it is refused, not kept."""

WITHOUT_TRANSLATOR = frozenset({
    "InputLayer",
    "Lambda",
    "TimeDistributed",
    "SpectralNormalization",
    "RNN",
    "Sequential",
    "Functional",
    "Model",
})
"""Classes of Keras that are read otherwise than by a translator."""

FUNCTION_LAYERS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
"""Layers of tf.keras that are an operation each."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*(>[A-Za-z_][A-Za-z0-9_.]*)?")
OWN_PACKAGE = __name__.split(".", 1)[0]


def is_operation(class_name: str) -> bool:
    """Whether a class, as it is told apart here, is an operation and no layer."""
    return class_name.startswith((OPERATION, *FUNCTION_LAYERS))


def own_class(stored: Mapping[str, Any], era: str) -> str:
    """The class of an entry, told apart from others of the same name.

    Args:
        stored: With `class_name`, `config`, and maybe `module` and `registered_name`.
        era: Whose vocabulary it is in.

    Returns:
        `Dense`; `ops.Add` for an operation; `Package>Dense` for an author's class that is called
        like one of Keras' own, else its bare name, as a plugin knows it.
    """
    class_name, registered = str(stored["class_name"]), stored.get("registered_name")
    _check_name(stored)
    bare = class_name.rsplit(">", 1)[-1]
    if translator_of(bare) is not None and not _is_builtin(bare):
        return bare  # a plugin's
    if era in OPERATION_ERAS and says_operation(stored):
        return OPERATION + bare
    if class_name not in OWN_REGISTERED and _is_foreign(stored) and _is_builtin(bare):
        full = registered if isinstance(registered, str) else class_name
        return full if ">" in full else f"Custom>{full}"
    if bare not in CLASSES[era] and _is_unknown_of_keras(stored, bare):
        return f"{UNKNOWN}{bare}"
    return bare


def registered_class(stored: Mapping[str, Any], class_name: str) -> str:
    """The name that an author's class is found by: `package>Name` where it is registered so."""
    full = stored.get("registered_name")
    registered = isinstance(full, str) and full.rpartition(">")[2] == class_name != full
    return str(full) if registered else class_name


def is_of_keras(stored: Mapping[str, Any]) -> bool:
    """Whether the class is one of Keras' own, as the file says or by its name."""
    module, bare = stored.get("module", ""), str(stored["class_name"])
    if isinstance(module, str) and module:
        return module.split(".", 1)[0] in KERAS_MODULES
    return bare in WITHOUT_TRANSLATOR or (module == "" and _is_builtin(bare))


def _check_name(stored: Mapping[str, Any]) -> None:
    """Only what can be the name of a class is taken for one, and only what Keras can find.

    An author's class is registered with Keras, or of the author's own script (`module` null): an
    object of any other module is nothing that Keras saved, and never looked up here.
    """
    class_name, module = str(stored["class_name"]), stored.get("module", "keras")
    if not _NAME.fullmatch(class_name):
        raise ConfigError(f"a layer of class '{show(class_name)}', which cannot be a class's name")
    first = str(module).split(".", 1)[0]
    if isinstance(module, str) and first not in KERAS_MODULES and not stored.get("registered_name"):
        raise ConfigError(
            f"a layer of {show(module)}.{class_name}, which is not registered with Keras",
            hint="nothing that a file names is ever imported; a plugin can say what it computes",
        )


def _is_unknown_of_keras(stored: Mapping[str, Any], bare: str) -> bool:
    """Whether the file says that the class is Keras' own, and nobody here knows it."""
    module = stored.get("module")
    if not isinstance(module, str) or module.split(".", 1)[0] not in KERAS_MODULES:
        return False
    return translator_of(bare) is None and bare not in WITHOUT_TRANSLATOR


def _is_foreign(stored: Mapping[str, Any]) -> bool:
    """Whether the class is none of Keras: registered by its author, or of another module."""
    module = stored.get("module", "keras")
    if module is None:  # a class of the author's script
        return isinstance(stored.get("registered_name"), str)
    return ">" in stored["class_name"] or str(module).split(".", 1)[0] not in KERAS_MODULES


def _is_builtin(name: str) -> bool:
    known = translator_of(name)
    if known is None:
        return False
    function = getattr(known.translate, "func", known.translate)  # of a partial
    return str(function.__module__).startswith(OWN_PACKAGE)
