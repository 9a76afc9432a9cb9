"""Every family of cases, and the classes that have none."""

from __future__ import annotations

from collections.abc import Mapping

import cases_attention
import cases_graphs
import cases_masks
import cases_ops
import cases_plain
import cases_ranks
import cases_rnn
import cases_shaping

FAMILIES = (
    cases_attention,
    cases_graphs,
    cases_masks,
    cases_ops,
    cases_plain,
    cases_ranks,
    cases_rnn,
    cases_shaping,
)

WITHOUT_MEANING = frozenset({"AbstractRNNCell", "InputSpec", "Layer", "Wrapper"})
"""Classes that only others are made of."""

REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TorchModuleWrapper"), "code of another framework"),
    **dict.fromkeys(("StringLookup", "TextVectorization"), "texts"),
    "Lambda": "code",
    "TFSMLayer": "another file",
}
"""Classes that kerasir refuses or keeps unread, and what they hold or need."""

UNMADE: Mapping[str, Mapping[str, str]] = {
    "keras": {"Equalization": "Keras 3.15 finds a cycle in every graph with one"},
    "tf_keras": {"SpectralNormalization": "tf-keras 2.21 builds none on the TensorFlow it needs"},
}
"""By library, classes that it cannot make a model with, and why."""
