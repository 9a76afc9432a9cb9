"""Reshapes of inputs of which several extents are unknown: what can be told apart is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from crafted import model_file, numbers

from kerasir import convert, verify
from kerasir.importers.keras.layers.factor import factor
from kerasir.ir.build import Splits
from kerasir.ir.layout import Axis, Layout


@pytest.mark.parametrize(
    ("sizes", "target", "found"),
    [
        ((None, None, 12), (-1, 4), "(H:? W:? X:3) C:4"),
        ((None, None, 12), (-1, 3, 4), "(H:? W:?) X:3 C:4"),
        ((None, None, 12), (-1, 2, 2), "(H:? W:? X:3) X'2:2 C:2"),
        ((None, None, 12), (-1, 12), "(H:? W:?) C:12"),
        ((12, None, None), (4, -1), "X:4 (H:3 W:? C:?)"),
        ((None, None, 12), (-1, 5), None),
        ((None, None, 12), (3, -1), None),
        ((None, None, None), (-1, 2), None),
    ],
)
def test_what_factors_around_unknown_extents(
    sizes: tuple[int | None, ...], target: tuple[int, ...], found: str | None
) -> None:
    axes = tuple(Axis(role, size) for role, size in zip("HWC", sizes, strict=True))
    terms = factor(axes, target, Splits())
    assert (terms and str(Layout(terms))) == found


def heads(path: Path, filters: int) -> tuple[Path, np.ndarray, np.ndarray]:
    """The head of a detector: boxes of four numbers, of an image of any size."""
    conv = {
        "name": "conv", "filters": filters, "kernel_size": [1, 1], "data_format": "channels_last",
        "use_bias": False, "batch_input_shape": [None, None, None, 3],
    }  # fmt: skip
    layers = [
        {"class_name": "Conv2D", "config": conv},
        {"class_name": "Reshape", "config": {"name": "boxes", "target_shape": [-1, 4]}},
    ]
    kernel, x = numbers(1, 1, 3, filters), numbers(2, 6, 2, 3)
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    said = {"keras_version": "2.2.4", "backend": "tensorflow"}
    source = model_file(path / "old.h5", {"conv": {"conv/kernel:0": kernel}}, config, **said)
    return source, x, (x @ kernel[0, 0]).reshape(2, -1, 4)


@pytest.mark.parametrize("filters", [12, 10])
@pytest.mark.parametrize("name", ["new.h5", "new.keras", "new.onnx"])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_boxes_of_an_image_of_any_size(
    name: str, data_format: str, filters: int, tmp_path: Path
) -> None:
    """Ten channels are no boxes of four numbers: their order stays that of the author."""
    source, x, wanted = heads(tmp_path, filters)
    answers, target = tmp_path / "x.npz", tmp_path / name
    np.savez(answers, in_0=x, out_0=wanted)
    assert verify(source, expect=answers).equal
    options = {} if name.endswith("onnx") else {"data_format": data_format}
    convert(source, target, io_layout="keep", expect=answers, **options)
