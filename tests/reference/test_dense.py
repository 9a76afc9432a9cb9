"""Dense against loops written from the formula."""

from __future__ import annotations

import numpy as np
import pytest
from one_op import REST, OneOp, numbers

from kerasir.ir.ops.dense import Dense


@pytest.mark.parametrize("shape", [(2,), (2, 3), (2, 3, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_dense_over_the_last_axis(shape: tuple[int, ...], bias: bool) -> None:
    x, kernel, shift = numbers(*shape, 4), numbers(4, 6), numbers(6)
    y = np.zeros((*shape, 6))
    for *n, u in np.ndindex(y.shape):
        y[*n, u] = shift[u] if bias else 0
        for f in range(4):
            y[*n, u] += x[*n, f] * kernel[f, u]
    params = {"kernel": kernel, "bias": shift} if bias else {"kernel": kernel}
    sizes = {REST: (None, *shape[1:]), "features": (4,), "units": (6,)}
    OneOp(Dense(), sizes, params).gives(y, of=[x])
