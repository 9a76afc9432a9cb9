"""Stacked cells of an RNN: what releases count otherwise, and where files keep their arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .vocabularies import is_since

NATURAL_SINCE: Mapping[str, tuple[int, ...]] = {"keras2": (2, 2, 3)}
"""The first version of a vocabulary that counts the states of stacked cells from the first cell on;
before it from the last one, without a word in the file. Source: Keras 2.1.0, 2.2.2 and 2.2.3
`layers/recurrent.py` `StackedRNNCells.state_size`; genuine runs."""

FIRST_STATE_UNTIL: Mapping[tuple[str, str], tuple[int, ...]] = {("keras2", "tensorflow"): (2, 3)}
"""By vocabulary and backend: the version before which a step that a mask leaves out gives the first
of the states, not the last result; which is another thing where there are several cells. From 2.3
on TensorFlow's own Keras walks the steps. Source: Keras 2.0.8, 2.2.4 and 2.3.1
`tensorflow_backend.py` `rnn`; genuine runs of 2.2.4."""

GROUPS: Mapping[str, str] = {
    "SimpleRNN": "simple_rnn_cell",
    "GRU": "gru_cell",
    "LSTM": "lstm_cell",
}
"""What a `.keras` file calls the group of the first cell of each kind, by the cell's layer."""


def states_reversed(vocabulary: str, version: str | None) -> bool:
    """Whether the states of stacked cells are counted from the last cell on.

    Args:
        vocabulary: Of the file.
        version: Of the Keras that wrote it; None if not known.
    """
    since = NATURAL_SINCE.get(vocabulary)
    return since is not None and not is_since(version, since)


def gives_first_state(vocabulary: str, backend: str | None, version: str | None) -> bool:
    """Whether a step that a mask leaves out gives the first of the states; unless unrolled.

    Args:
        vocabulary: Of the file.
        backend: That wrote it.
        version: Of the Keras that wrote it; None if not known.
    """
    until = FIRST_STATE_UNTIL.get((vocabulary, backend or ""))
    return until is not None and not is_since(version, until)


def cell_groups(layers: Iterable[str]) -> Iterator[str]:
    """The groups of the cells in a `.keras` file, from the RNN's own group.

    Args:
        layers: The layer that each cell is one of: `LSTM`.

    Source: Keras 3.15 `saving/saving_lib.py` `_save_container_state`.
    """
    count = dict.fromkeys(GROUPS, 0)
    for layer in layers:
        number = count[layer]
        count[layer] += 1
        yield f"cell/cells/{GROUPS[layer]}" + (f"_{number}" if number else "")
