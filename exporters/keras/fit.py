"""A layer's configuration cut to what a target's class takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ExportError
from .dialects import DIALECTS, Dialect

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "antialias": (False,),
    "backward_layer": (None,),
    "center": (True,),
    "data_format": ("channels_last",),
    "depth_multiplier": (1,),
    "groups": (1,),
    "implementation": (1,),
    "interpolation": ("nearest",),
    "keepdims": (False,),
    "mode": (0,),
    "noise_shape": (None,),
    "normalize": (False,),
    "num_constants": (None,),
    "output_padding": (None,),
    "output_shape": (None,),
    "reset_after": (False,),
    "return_state": (False,),
    "scale": (True,),
    "score_mode": ("dot",),
    "shared_axes": (None,),
    "sparse": (False,),
    "time_major": (False,),
    "unit_forget_bias": (True,),
    "use_bias": (True,),
}
"""What a class computes that has no such key."""

BUILT_IN: frozenset[str] = frozenset(name for d in DIALECTS.values() for name in d.classes)
"""Classes that some Keras has; any other is an author's own, of whose keys nothing is known."""


def fitted(
    class_name: str, config: Mapping[str, Any], dialect: Dialect, backend: str
) -> dict[str, Any]:
    """The configuration without keys that the target's class lacks and does not need.

    Args:
        class_name: In the vocabulary of Keras 2.
        config: What the op says.
        dialect: The target.
        backend: Whose file it is.

    Raises:
        ExportError: The target has no such class on this backend, or no such key and computes
            something else without it.
    """
    known = dialect.classes.get(class_name)
    if known is None:
        if class_name in BUILT_IN:
            raise ExportError(f"{dialect.name} has no {class_name}")
        return dict(config)
    if known.backends and backend not in known.backends:
        raise ExportError(
            f"{dialect.name} has {class_name} on {', '.join(known.backends)} only",
            hint=f"--target-backend {known.backends[0]}",
        )
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key in (*known.stated, *known.kept, *known.renamed, *dialect.base):
            if key not in known.sparing or not is_neutral(key, value):
                found[key] = value
        elif not is_neutral(key, value):
            raise ExportError(f"{dialect.name} has no {class_name}.{key}, and it is {value!r:.80}")
    return found


def is_neutral(key: str, value: Any) -> bool:
    """Whether a key says what a class does that lacks it."""
    if key in {"dilation_rate", "strides"}:
        return all(n == 1 for n in (value if isinstance(value, (list, tuple)) else [value]))
    return value in NEUTRAL.get(key, ())
