"""Element-wise functions and softmax. Constants that eras disagree on are attributes."""

from __future__ import annotations

from typing import ClassVar

from ..op import Op, op
from ..signature import Port, ports


class Elementwise(Op, frozen=True, kw_only=True):
    """Base of functions that treat each number by itself."""

    family: ClassVar[str] = "activation"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")


@op
class Linear(Elementwise, frozen=True, kw_only=True):
    """y = x."""


@op
class Relu(Elementwise, frozen=True, kw_only=True):
    """y = min(x, max_value) from `threshold` on, negative_slope * (x - threshold) below.

    Attributes:
        max_value: Largest result; None for none.
        negative_slope: Slope below the threshold.
        threshold: Where the function begins to be x.
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0


@op
class LeakyRelu(Elementwise, frozen=True, kw_only=True):
    """y = x for positive x, else negative_slope * x.

    Attributes:
        negative_slope: 0.3 is the Keras layer's default, 0.2 the Keras 3 function's.
    """

    negative_slope: float


@op
class Elu(Elementwise, frozen=True, kw_only=True):
    """y = x for positive x, else alpha * (exp(x) - 1).

    Attributes:
        alpha: Scale of the negative side.
    """

    alpha: float = 1.0


@op
class Selu(Elementwise, frozen=True, kw_only=True):
    """y = 1.05070098 * elu(x, 1.67326324) (Klambauer et al., 2017)."""


@op
class ThresholdedRelu(Elementwise, frozen=True, kw_only=True):
    """y = x where x > theta, else 0.

    Attributes:
        theta: The threshold.
    """

    theta: float


@op
class Sigmoid(Elementwise, frozen=True, kw_only=True):
    """y = 1 / (1 + exp(-x))."""


@op
class HardSigmoid(Elementwise, frozen=True, kw_only=True):
    """y = clip(slope * x + shift, 0, 1).

    Attributes:
        slope: 0.2 up to Keras 2 and tf-keras, 1/6 in Keras 3, under the same name.
        shift: 0.5 in all.
    """

    slope: float
    shift: float = 0.5


@op
class Tanh(Elementwise, frozen=True, kw_only=True):
    """y = tanh(x)."""


@op
class Softplus(Elementwise, frozen=True, kw_only=True):
    """y = log(1 + exp(x))."""


@op
class Softsign(Elementwise, frozen=True, kw_only=True):
    """y = x / (1 + |x|)."""


@op
class Exponential(Elementwise, frozen=True, kw_only=True):
    """y = exp(x)."""


@op
class Silu(Elementwise, frozen=True, kw_only=True):
    """y = x / (1 + exp(-x)): silu, or swish."""


@op
class HardSilu(Elementwise, frozen=True, kw_only=True):
    """y = x * clip(x / 6 + 1 / 2, 0, 1): hard_silu, or hard_swish (Keras 3)."""


@op
class Gelu(Elementwise, frozen=True, kw_only=True):
    """y = x * P(N < x) for a normal N, or an approximation (Hendrycks and Gimpel, 2016).

    Exactly 0.5 * x * (1 + erf(x / sqrt(2))), approximately
    0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))).

    Attributes:
        approximate: Whether it is the approximation.
    """

    approximate: bool = False


@op
class Mish(Elementwise, frozen=True, kw_only=True):
    """y = x * tanh(log(1 + exp(x))) (Misra, 2019)."""


@op
class Celu(Elementwise, frozen=True, kw_only=True):
    """y = x for positive x, else alpha * (exp(x / alpha) - 1) (Barron, 2017).

    Attributes:
        alpha: Scale of the negative side.
    """

    alpha: float = 1.0


@op
class LogSigmoid(Elementwise, frozen=True, kw_only=True):
    """y = -log(1 + exp(-x))."""


@op
class TanhShrink(Elementwise, frozen=True, kw_only=True):
    """y = x - tanh(x)."""


@op
class ThresholdedLinear(Elementwise, frozen=True, kw_only=True):
    """y = x where |x| >= theta, else 0 (Keras 0.3).

    Attributes:
        theta: What is kept.
    """

    theta: float


@op
class HardShrink(Elementwise, frozen=True, kw_only=True):
    """y = x where |x| > threshold, else 0.

    Attributes:
        threshold: 0.5 in Keras 3 where it is not stated.
    """

    threshold: float


@op
class SoftShrink(Elementwise, frozen=True, kw_only=True):
    """y = x - threshold above the threshold, x + threshold below its negative, else 0.

    Attributes:
        threshold: 0.5 in Keras 3 where it is not stated.
    """

    threshold: float


@op
class SquarePlus(Elementwise, frozen=True, kw_only=True):
    """y = (x + sqrt(x^2 + b)) / 2.

    Attributes:
        b: 4 in Keras 3 where it is not stated.
    """

    b: float


@op
class SparsePlus(Elementwise, frozen=True, kw_only=True):
    """y = 0 up to -1, (x + 1)^2 / 4 between, x from 1 on."""


@op
class Affine(Elementwise, frozen=True, kw_only=True):
    """y = scale * x + offset, with one number each (Keras Rescaling).

    Attributes:
        scale: Multiplies.
        offset: Is added.
    """

    scale: float = 1.0
    offset: float = 0.0


@op
class Power(Elementwise, frozen=True, kw_only=True):
    """y = x ^ exponent: square, sqrt, reciprocal.

    Attributes:
        exponent: One number.
    """

    exponent: float


@op
class Abs(Elementwise, frozen=True, kw_only=True):
    """y = |x|."""


@op
class Log(Elementwise, frozen=True, kw_only=True):
    """y = log(x)."""


@op
class Clip(Elementwise, frozen=True, kw_only=True):
    """y = min(max(x, low), high); hard_tanh is one from -1 to 1.

    Attributes:
        low: Least result; None for none.
        high: Largest result; None for none.
    """

    low: float | None = None
    high: float | None = None


class AlongAxis(Op, frozen=True, kw_only=True):
    """Base of functions along an axis, or along several together."""

    family: ClassVar[str] = "activation"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... axis", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... axis", order="kept")


@op
class Softmax(AlongAxis, frozen=True, kw_only=True):
    """y = exp(x) / sum of exp(x) along an axis."""


@op
class LogSoftmax(AlongAxis, frozen=True, kw_only=True):
    """y = x - log(sum of exp(x)) along an axis."""


@op
class Sparsemax(AlongAxis, frozen=True, kw_only=True):
    """y = max(x - t, 0) along an axis, the threshold t as Keras 3 computes it.

    Of the numbers in falling order, the first k remain for which j * x_j + 1 > s_j, s_j being the
    sum of the first j. Keras 3.15 takes t = (s_1 + ... + s_k - 1) / k, on every backend
    (`backend/jax/nn.py` `sparsemax`); Martins and Astudillo, 2016, have t = (s_k - 1) / k.
    """


@op
class PRelu(Op, frozen=True, kw_only=True):
    """y = x for positive x, else alpha * x; alpha spans some axes of x, the rest share it."""

    family: ClassVar[str] = "activation"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... span", order="kept")
    params: ClassVar[tuple[Port, ...]] = ports("alpha: span")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... span", order="kept")


@op
class TrainingOnly(Elementwise, frozen=True, kw_only=True):
    """A layer that acts in training alone (dropout, noise, activity regularization): y = x.

    Attributes:
        layer_class: Its Keras class, for the exporters that write it back.
    """

    layer_class: str


class _Spanning(Op, frozen=True, kw_only=True):
    family: ClassVar[str] = "activation"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... span", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... span", order="kept")


@op
class ParametricSoftplus(_Spanning, frozen=True, kw_only=True):
    """y = alpha * log(1 + exp(beta * x)); both span some axes of x (Keras 1)."""

    params: ClassVar[tuple[Port, ...]] = ports("alpha: span", "beta: span")


@op
class SRelu(_Spanning, frozen=True, kw_only=True):
    """The S-shaped ReLU of Keras 1.2.2 (`SReLU.call`), as it computes it.

    With r = t_left + |t_right| and z = x - t_left: y = t_left + min(z if z > 0 else a_left * z,
    r - t_left) + a_right * max(x - r, 0). On Theano the clip reaches the left branch too.

    Attributes:
        clips_left: Whether it does; TensorFlow's `K.relu` clips what is positive alone.
    """

    params: ClassVar[tuple[Port, ...]] = ports(
        "t_left: span", "a_left: span", "t_right: span", "a_right: span"
    )

    clips_left: bool = True
