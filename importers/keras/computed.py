"""Numbers that layers compute from their configuration: waves, bands, places between tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import ConfigError
from ...ir.source import ArraySource

WINDOWS: Mapping[str | None, tuple[float, float]] = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    None: (1.0, 0.0),
}
"""By name: a - b cos(2 pi t / n), the window of n numbers at place t."""


def single(number: float) -> float:
    """A number as single precision has it."""
    return float(np.float32(number))


def waves(length: int, taken: int, window: str | None) -> tuple[ArraySource, ArraySource]:
    """The rows of a Fourier transform under a window: the real and the imaginary ones.

    Args:
        length: Numbers that are transformed, and so the first extent; the second is 1.
        taken: How many of them the window lets through, in the middle.
        window: Its name; None for one that is even.

    Raises:
        ConfigError: Another window.
    """
    if window not in WINDOWS:
        raise ConfigError(f"the window {window!r:.80}")
    mean, swing = WINDOWS[window]
    shape = mean - swing * np.cos(2 * np.pi * np.arange(taken) / taken)
    before = (length - taken) // 2
    wide = np.pad(shape, (before, length - taken - before))[:, None]
    turns = np.outer(np.arange(length), np.arange(length // 2 + 1)) % length
    angles = 2 * np.pi / length * turns
    real, imaginary = wide * np.cos(angles), -wide * np.sin(angles)
    return _held(real[:, None], "real waves"), _held(imaginary[:, None], "imaginary waves")


def mel_matrix(bins: int, bands: int, rate: float, ends: tuple[float, float]) -> ArraySource:
    """Triangles over frequencies, which are alike on the mel scale.

    Args:
        bins: Frequencies, from 0 to half the sampling rate.
        bands: Triangles.
        rate: The sampling rate, in hertz.
        ends: Where the lowest triangle begins and the highest ends, in hertz.

    Source: Keras 3.15 `MelSpectrogram.linear_to_mel_weight_matrix`, which leaves out frequency 0.
    """
    places = _mel(np.linspace(0, rate / 2, bins)[1:])[:, None]
    low, high = _mel(np.asarray(ends))
    edges = np.linspace(low, high, bands + 2)
    up = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - places) / (edges[2:] - edges[1:-1])
    return _held(np.pad(np.maximum(np.minimum(up, down), 0), ((1, 0), (0, 0))), "mel bands")


def _mel(hertz: np.ndarray) -> np.ndarray:
    return np.asarray(1127.0 * np.log(1 + hertz / 700))


def _held(numbers: np.ndarray, what: str) -> ArraySource:
    return ArraySource(numbers.astype(np.float32), f"{what}, which the configuration implies")


def around(count: int, tile: int) -> tuple[list[int], list[int], Sequence[list[float]]]:
    """For each place along an axis of tiles: the tiles before and behind it, and their shares.

    A tile beyond the edge is the one at the edge. In single precision, as Keras does it.
    Source: Keras 3.15 `image_preprocessing/clahe.py` (`_clahe`).
    """
    place = np.arange(count * tile, dtype=np.float32)
    at = (place - np.float32(tile / 2)) / np.float32(tile) + np.float32(1)
    before = np.floor(at)
    first, second = (
        np.clip(np.clip(one, 0, count + 1) - 1, 0, count - 1).astype(int).tolist()
        for one in (before, before + 1)
    )
    behind = at - before
    return first, second, ((1 - behind).tolist(), behind.tolist())
