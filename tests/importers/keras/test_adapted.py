"""Kernels that low-rank adaptation (LoRA) adapts."""

from __future__ import annotations

import numpy as np
import pytest

from kerasir.errors import WeightError
from kerasir.importers.keras.adapted import with_adaptations
from kerasir.importers.keras.archive.record import StoredWeight, WeightGroup
from kerasir.importers.keras.spec import LayerSpec, ModelSpec
from kerasir.ir.source import AdaptedSource, ArraySource

MODEL = ModelSpec(
    "model", "functional", (LayerSpec("d", "Dense", "Dense", {"lora_alpha": 5}),), (), ()
)


def stored(name: str, array: np.ndarray) -> StoredWeight:
    return StoredWeight(name, f"/{name}", ArraySource(array))


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize("start", [0, 1, 7, 23])
def test_any_range_of_elements_is_the_sum(start: int) -> None:
    whole, first, second = numbers(2, 3, 4), numbers(2, 3, 5), numbers(5, 4)
    source = AdaptedSource(*map(ArraySource, (whole, first, second)), scale=0.5)
    found = np.empty(24 - start, "float32")
    source.read_into(start, found)
    expected = np.zeros((2, 3, 4))
    for i, j, k in np.ndindex(2, 3, 4):
        expected[i, j, k] = whole[i, j, k] + 0.5 * sum(
            float(first[i, j, n]) * float(second[n, k]) for n in range(5)
        )
    np.testing.assert_allclose(found, expected.reshape(-1)[start:], rtol=1e-6, atol=1e-6)


def test_it_counts_by_alpha_over_rank() -> None:
    kernel, first, second = numbers(3, 4), numbers(3, 2), numbers(2, 4)
    arrays = (
        stored("d/kernel", kernel), stored("d/bias", numbers(4)),
        stored("d/lora_kernel_a", first), stored("d/lora_kernel_b", second),
    )  # fmt: skip
    (group,) = with_adaptations(MODEL, [WeightGroup("d", arrays)])
    assert [array.name for array in group.weights] == ["d/kernel", "d/bias"]
    found = np.empty(12, "float32")
    group.weights[0].source.read_into(0, found)
    expected = kernel + 5 / 2 * (first @ second)
    np.testing.assert_allclose(found.reshape(3, 4), expected, rtol=1e-5)


def test_an_adaptation_of_another_shape_is_refused() -> None:
    arrays = (
        stored("d/kernel", numbers(3, 4)), stored("d/lora_kernel_a", numbers(2, 2)),
        stored("d/lora_kernel_b", numbers(2, 4)),
    )  # fmt: skip
    with pytest.raises(WeightError, match="an adaptation of shapes"):
        with_adaptations(MODEL, [WeightGroup("d", arrays)])
