"""How an axis is resampled: the weight of each element in each element of the result.

Sources: TensorFlow 2.21 `core/kernels/image/sampling_kernels.h` (kernels),
`scale_and_translate_op.cc` (spans, and weights scaled to a sum of one), `resize_area_op.cc`;
Keras 3.15 `backend/jax/image.py` gives the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

Kernel = Callable[[float], float]


def _triangle(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


CUBICS: Mapping[str, tuple[Sequence[float], Sequence[float]]] = {
    "bicubic": ((1.5, -2.5, 0.0, 1.0), (-0.5, 2.5, -4.0, 2.0)),
    "bicubic_table": ((1.5, -2.5, 0.0, 1.0), (-0.5, 2.5, -4.0, 2.0)),
    "mitchellcubic": ((7 / 6, -2.0, 0.0, 8 / 9), (-7 / 18, 2.0, -10 / 3, 16 / 9)),
}
"""Kernels in two pieces, up to one element away and up to two: coefficients, of the cube first.

The cubic of Keys with a = -1/2; that of Mitchell and Netravali with B = C = 1/3."""


def _cubic(method: str) -> Kernel:
    def kernel(x: float) -> float:
        x = abs(x)
        if x >= 2:
            return 0.0
        total = 0.0
        for coefficient in CUBICS[method][x >= 1]:
            total = total * x + coefficient
        return total

    return kernel


def _gaussian(x: float) -> float:
    """Of a deviation of 1/2, within a radius of 3/2."""
    return math.exp(-2.0 * x * x) if abs(x) < 1.5 else 0.0


def _lanczos(radius: int) -> Kernel:
    def kernel(x: float) -> float:
        x = abs(x)
        if x > radius:
            return 0.0
        if x <= 1e-3:
            return 1.0
        both = math.sin(math.pi * x) * math.sin(math.pi * x / radius)
        return radius * both / (math.pi * math.pi * x * x)

    return kernel


KERNELS: Mapping[str, tuple[Kernel, float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic("bicubic"), 2.0),
    "bicubic_table": (_cubic("bicubic_table"), 2.0),
    "lanczos3": (_lanczos(3), 3.0),
    "lanczos5": (_lanczos(5), 5.0),
    "gaussian": (_gaussian, 1.5),
    "mitchellcubic": (_cubic("mitchellcubic"), 2.0),
}
"""By method: the kernel, and how far it reaches in elements."""


def weights(method: str, antialias: bool, size: int, wanted: int) -> list[list[float]]:
    """The weights of `size` elements in each of `wanted` ones.

    Args:
        method: A key of `KERNELS`, `nearest` or `area`.
        antialias: Whether a kernel grows with the step when the axis gets shorter.
        size: Elements of the axis.
        wanted: Elements of the result.
    """
    step = size / wanted
    if method == "nearest":
        places = [min(math.floor((n + 0.5) * step), size - 1) for n in range(wanted)]
        return [[float(m == place) for m in range(size)] for place in places]
    if method == "area":
        return [_overlaps(n * step, (n + 1) * step, size) for n in range(wanted)]
    kernel, radius = KERNELS[method]
    wide = max(step, 1.0) if antialias else 1.0
    centres = [(n + 0.5) * step for n in range(wanted)]
    if method == "bicubic_table":
        centres = [round((centre - 0.5) * TABLE) / TABLE + 0.5 for centre in centres]
    return [_weighed(kernel, radius * wide, wide, centre, size) for centre in centres]


TABLE = 1024
"""Places between two elements for which TensorFlow knows weights (`resize_bicubic_op.cc`)."""


def _weighed(kernel: Kernel, reach: float, wide: float, centre: float, size: int) -> list[float]:
    """Weights around a place, which lies half an element behind the number of its element."""
    first = max(math.ceil(centre - reach - 0.5), 0)
    last = min(math.floor(centre + reach - 0.5), size - 1)
    row = [0.0] * size
    for place in range(first, last + 1):
        row[place] = kernel((place + 0.5 - centre) / wide)
    total = sum(row)
    return [weight / total for weight in row] if abs(total) >= 1000 * 2.0**-126 else row


def _overlaps(start: float, end: float, size: int) -> list[float]:
    """Which share of a stretch each element covers."""
    covered = [max(0.0, min(end, n + 1.0) - max(start, float(n))) for n in range(size)]
    return [share / (end - start) for share in covered]
