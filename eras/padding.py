"""What `padding="same"` means to each backend, as elements before and after.

Sources: genuine runs (Keras 1.2.2 and 2.2.4 on Theano 1.0.5, on TensorFlow 1.4 and 1.12);
Keras 2.2.4 `backend/theano_backend.py` (`_preprocess_padding`, `pool2d`, `conv2d_transpose`);
TensorFlow's documentation of `tf.nn.convolution`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Pair = tuple[int, int]
Rule = Callable[["int | None", int, int, int], "Pair | None"]
"""(size, kernel, stride, dilation) -> pads, or None while they depend on an unknown size."""


def theano_conv(size: int | None, kernel: int, stride: int, dilation: int) -> Pair | None:
    """Theano's `half`: static, and an even kernel's last row is cropped away."""
    reach = (kernel - 1) * dilation + 1
    return reach // 2, (reach - 1) // 2


def theano_separable(size: int | None, kernel: int, stride: int, dilation: int) -> Pair | None:
    """As `half`, but nothing is cropped: an even kernel gives one place more.

    Source: genuine runs of Keras 2.2.4 on Theano (`theano_backend.separable_conv2d`).
    """
    reach = (kernel - 1) * dilation + 1
    return reach // 2, reach // 2


def theano_pool(size: int | None, kernel: int, stride: int, dilation: int) -> Pair | None:
    """Theano's pools start at -p, p = k - 2 for odd k above 2, else k - 1."""
    before = kernel - 2 if kernel > 2 and kernel % 2 else kernel - 1
    return before, kernel - 1 - before


def theano_pool_uncropped(size: int | None, kernel: int, stride: int, dilation: int) -> Pair | None:
    """The same padding after as before."""
    before = kernel - 2 if kernel > 2 and kernel % 2 else kernel - 1
    return before, before


def tensorflow(size: int | None, kernel: int, stride: int, dilation: int) -> Pair | None:
    """As little as covers the input, the odd element after."""
    reach = (kernel - 1) * dilation + 1
    if size is None:
        return None if stride > 1 else ((reach - 1) // 2, reach // 2)
    total = max(0, (-(-size // stride) - 1) * stride + reach - size)
    return total // 2, total - total // 2


def theano_conv3d2d(size: int | None, kernel: int, stride: int, dilation: int) -> Pair | None:
    """The odd element of padding after, not before."""
    reach = (kernel - 1) * dilation
    return reach // 2, reach - reach // 2


CONV: Mapping[str, Rule] = {"theano": theano_conv, "tensorflow": tensorflow}
SEPARABLE: Mapping[str, Rule] = {"theano": theano_separable, "tensorflow": tensorflow}
POOL: Mapping[str, Rule] = {"theano": theano_pool, "tensorflow": tensorflow}


COUNTING_VERSIONS: tuple[tuple[int, ...], tuple[int, ...]] = ((2, 0, 4), (2, 1, 4))
"""The first and last Keras in which Theano's one- and two-dimensional average pools with `same`
count their padding as zeros; before and after, and in three dimensions, it is left out of the
count. Source: genuine runs of 1.2.2, 2.0.0, 2.0.8, 2.1.6 and 2.2.4; `theano_backend.pool2d`
(`average_inc_pad`) of 2.0.3, 2.0.4, 2.1.4 and 2.1.5."""


UNCROPPED_VERSIONS: tuple[tuple[int, ...], tuple[int, ...]] = ((2, 0, 0), (2, 1, 5))
"""The first and last Keras in which Theano's three-dimensional pools with `same` forget to crop
what their padding makes too much: `theano_backend.pool3d` overwrites the word before it asks for
it. So the result is larger than Keras itself says. Source: genuine runs of 2.0.8 and 2.2.4; the
releases 2.1.5 and 2.1.6."""


CONV3D2D_VERSIONS: tuple[tuple[int, ...], tuple[int, ...]] = ((0, 1), (1, 1, 0))
"""The first and last Keras whose three-dimensional convolutions are those of Theano's `conv3d2d`,
whatever Theano is installed. Source: genuine runs of 0.3.3, 1.0.0, 1.0.8 and 1.1.0;
`theano_backend.conv3d` of those releases and of 1.1.1."""


def conv_rule(rule: str, version: str | None, rank: int) -> Rule:
    """The rule of a convolution with `same`; arguments as of `counts_padding`."""
    if rule == "theano" and rank == 3 and _between(CONV3D2D_VERSIONS, version):
        return theano_conv3d2d
    return CONV[rule]


def pool_rule(rule: str, version: str | None, rank: int) -> Rule:
    """The rule of a pool with `same`; arguments as of `counts_padding`."""
    if rule == "theano" and rank == 3 and _between(UNCROPPED_VERSIONS, version):
        return theano_pool_uncropped
    return POOL[rule]


def _between(versions: tuple[tuple[int, ...], tuple[int, ...]], version: str | None) -> bool:
    numbers = tuple(int(part) for part in (version or "0").split(".")[:3] if part.isdecimal())
    return versions[0] <= numbers <= versions[1]


def counts_padding(rule: str, version: str | None, rank: int) -> bool:
    """Whether an average pool with `same` counts its padding.

    Args:
        rule: `theano` or `tensorflow`.
        version: Of the Keras that wrote the file; None if not known.
        rank: Spatial axes.
    """
    return rule == "theano" and rank < 3 and _between(COUNTING_VERSIONS, version)


def causal(kernel: int, dilation: int) -> Pair:
    """All before: `padding="causal"` on every backend."""
    return (kernel - 1) * dilation, 0


def transposed_extent(size: int | None, kernel: int, stride: int, padding: str) -> int | None:
    """Extent of a transposed convolution's result without output_padding.

    Source: Keras 2.2.4 `utils/conv_utils.py` `deconv_length`.
    """
    if size is None:
        return None
    return size * stride + (max(kernel - stride, 0) if padding == "valid" else 0)


def transposed_crop(
    size: int, kernel: int, stride: int, dilation: int, padding: str, wanted: int, rule: str
) -> Pair:
    """What a backend cuts from a transposed convolution's full result, before and after.

    Args:
        size: Extent of the input.
        kernel: Taps.
        stride: Step in output elements.
        dilation: Distance of taps.
        padding: `same` or `valid`.
        wanted: Extent of the result.
        rule: `theano` or `tensorflow`.
    """
    reach = (kernel - 1) * dilation + 1
    full = (size - 1) * stride + reach
    if padding == "valid":
        before = 0
    elif rule == "theano":
        before = reach // 2
    else:
        # the gradient of a `same` convolution over `wanted` elements
        total = max(0, (-(-wanted // stride) - 1) * stride + reach - wanted)
        before = total // 2
    return before, full - before - wanted
