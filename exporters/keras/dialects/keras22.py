"""Keras 2.2.3 to 2.3.1 for itself: what tf-keras or Keras 3 makes of the file is of no matter.

Sources: the constructors of Keras 2.2.4 and 2.3.1, and genuine files of both.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .keras2 import CLASSES as KERAS2_CLASSES, KERAS2
from .records import Keys, Known, narrowed

_LATER: Keys = (
    "groups", "keepdims", "backward_layer", "ragged", "optional", "time_major", "mode",
    "zero_output_for_mask",
)  # fmt: skip
"""Keys that only tf.keras and Keras 3 have."""

CLASSES: Mapping[str, Known] = {
    **{name: narrowed(known, _LATER) for name, known in KERAS2_CLASSES.items()},
    "Conv3DTranspose": narrowed(KERAS2_CLASSES["Conv3DTranspose"], (*_LATER, "dilation_rate")),
}

KERAS22 = msgspec.structs.replace(
    KERAS2,
    name="keras2.2",
    sequential="fed",
    readers=("Keras 2",),
    inner_modules=("", ""),
    classes=CLASSES,
    functions=None,
    later={},
    walks_as={"tf_keras": "2.3.1"},
    hears_masks=False,
    ends_masks=frozenset(),
    written_by=("2.2.3", "2.2.4", "2.2.5", "2.3."),
    era="keras2",
    era_alone={},
    from_corners={"tensorflow": (), "theano": ((2, 2),)},
)
"""Keras 2.2.3 to 2.3.1, the last Keras with backends of its own, and no later one."""
