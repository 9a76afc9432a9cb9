"""Numbers and arrays of NumPy as PyYAML describes them, by the calls that would make them.

No call is made: what a description has to be is checked, and its bytes are read. Sources: PyYAML
3.13 `lib/yaml/representer.py` (`represent_object`); genuine files of Keras 1.2.2 and TensorFlow
1.13 to 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ....errors import show

APPLY = "tag:yaml.org,2002:python/object/apply:"
ARRAY_CLASS = "tag:yaml.org,2002:python/name:numpy.ndarray"
NUMBERS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
"""NumPy's dtypes that a configuration may have numbers of."""


def dtype(described: Mapping[str, Any]) -> np.dtype[Any]:
    """The dtype that is described: `args` has its code, `state` the byte order.

    Raises:
        ValueError: It is none of numbers.
    """
    args, state = described.get("args"), described.get("state")
    if isinstance(args, list) and isinstance(state, list) and args and len(state) > 1:
        code, order = args[0], state[1]
        if isinstance(code, str) and code in NUMBERS and order in ("<", ">", "|"):
            found: np.dtype[Any] = np.dtype(f"{order}{code}")
            return found
    raise ValueError("a number of NumPy of an unknown kind")


def number(described: list[Any]) -> int | float | bool:
    """The number of a dtype and its bytes, which Python 2 wrote as a text if they look like one.

    Raises:
        ValueError: It is not as NumPy writes it.
    """
    if len(described) == 2 and isinstance(kind := described[0], np.dtype):
        raw = described[1].encode() if isinstance(described[1], str) else described[1]
        if isinstance(raw, bytes) and len(raw) == kind.itemsize:
            value: int | float | bool = np.frombuffer(raw, kind)[0].item()
            return value
    raise ValueError("a number of NumPy that is not as NumPy writes it")


def array(described: Mapping[str, Any]) -> Any:
    """The array of a state: version, shape, dtype, whether columns come first, bytes.

    Returns:
        Lists of numbers, or one number of an array without axes.

    Raises:
        ValueError: It is not as NumPy writes it.
    """
    state = described.get("state")
    if isinstance(state, list) and len(state) == 5:
        _, shape, kind, columns, raw = state
        raw = raw.encode() if isinstance(raw, str) else raw
        fits = (
            isinstance(shape, list)
            and all(type(extent) is int for extent in shape)
            # an axis of none beside others would make lists of nothing that no byte stands for
            and (min(shape, default=1) > 0 or shape == [0])
            and isinstance(kind, np.dtype)
            and isinstance(raw, bytes)
            and len(raw) == math.prod(shape) * kind.itemsize
        )
        if fits:
            return np.frombuffer(raw, kind).reshape(shape, order="F" if columns else "C").tolist()
    raise ValueError("an array of NumPy that is not as NumPy writes it")


WRAPPERS = frozenset({"ListWrapper", "_ListWrapper", "_DictWrapper", "dict"})
"""Lists and dicts as TensorFlow keeps what a layer is given (TensorFlow 1.15
`training/tracking/data_structures.py`)."""


def unwrapped(called: str, described: list[Any]) -> Any:
    """The list or dict that a wrapper was made of, its only argument.

    Raises:
        ValueError: It is another class, or has other arguments.
    """
    module, _, name = called.rpartition(".")
    known = module == "builtins" or (
        module.startswith("tensorflow.") and module.endswith(".data_structures")
    )
    if not known or name not in WRAPPERS:
        raise ValueError(f"the tag {show(APPLY + called)}, and tags are not followed")
    if len(described) != 1 or not isinstance(described[0], list | dict):
        raise ValueError(f"a {name} that is not as TensorFlow writes it")
    return described[0]
