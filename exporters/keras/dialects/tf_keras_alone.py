"""tf.keras for itself: what Keras 2 or Keras 3 makes of the file is of no matter.

A file of tf-keras in which nothing is to be changed is said again as it is; what has to be spelt
is spelt as for all readers of Keras 2, with what they have in common left unsaid.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .keras2 import KERAS2
from .records import Known

CLASSES: Mapping[str, Known] = {
    name: msgspec.structs.replace(
        known,
        missing="",
        since={},
        unsaid=tuple(key for key in known.unsaid if key == "dtype"),  # refused by tf-keras, too
        era="",
    )
    for name, known in KERAS2.classes.items()
}

TF_KERAS = msgspec.structs.replace(
    KERAS2,
    name="tf-keras",
    keras_version="2.15.0",
    functional="Functional",
    readers=("tf-keras",),
    era="tf_keras",
    by_path=True,
    top_level=True,
    backends=("tensorflow",),
    gives_first_state=(),
    classes=CLASSES,
)
"""tf-keras, up to 2.21, on TensorFlow."""
