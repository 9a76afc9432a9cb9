"""Which names layers may have, and what one is called where its own is not taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set as AbstractSet

import msgspec


class Names(msgspec.Struct, frozen=True):
    """The names that layers and models may have.

    Attributes:
        characters: Which characters, as in the brackets of a regular expression.
        first: Which of them a name may begin with.
    """

    characters: str
    first: str


SCOPES = Names(r"A-Za-z0-9_./-", "A-Za-z0-9.")
"""What TensorFlow takes as a scope, which a layer's name becomes.

Source: TensorFlow 1.12 and 2.21 `python/framework/ops.py` (`_VALID_SCOPE_NAME_REGEX`); runs of
tf-keras 2.21, which does not take the backslash that it lets pass.
"""

KERAS3 = Names("A-Za-z0-9_.>-", "A-Za-z0-9_.>-")
"""What Keras 3 takes on every backend: no slash.

Source: Keras 3.15 `ops/operation.py` (`Operation.__init__`); runs on TensorFlow for the rest.
"""


KERAS3_WEIGHTED = Names("A-Za-z0-9_>-", "A-Za-z0-9_>-")
"""What Keras 3 takes on every backend of a layer that has weights: no dot, as PyTorch keeps them by
the layer's path.

Source: Keras 3.15 `backend/torch/layer.py` (`_track_variables`); a run on PyTorch 2.
"""


def taken(name: str, names: Names) -> str:
    """The name itself if it is taken, else one like it."""
    spelt = re.sub(f"[^{names.characters}]", "_", name)
    return spelt if re.match(f"[{names.first}]", spelt) else f"layer{spelt}"


def renamed(
    layers: Iterable[str],
    names: Names,
    strict: AbstractSet[str] = frozenset(),
    others: Names | None = None,
) -> dict[str, str]:
    """New names for those layers of one model whose own are not taken; no two are alike.

    Args:
        layers: The names of all layers.
        names: Which are taken.
        strict: Layers of which others are taken.
        others: Which those are.
    """

    def wished(name: str) -> str:
        return taken(name, others if others is not None and name in strict else names)

    found: dict[str, str] = {}
    own = list(dict.fromkeys(layers))
    used = {name for name in own if wished(name) == name}
    for name in own:
        if name not in used:
            wanted = candidate = wished(name)
            number = 1
            while candidate in used or candidate in found.values():
                number += 1
                candidate = f"{wanted}_{number}"
            found[name] = candidate
    return found
