"""InceptionV3 (Szegedy et al., 2015), in both forms whose weights were published.

Widths and order: Keras 1.2.2 and 2.0.8 `applications/inception_v3.py`. Units are counted, not
named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from .net import Net

Extent = int | tuple[int, int]


class Form(msgspec.Struct, frozen=True):
    """What the two forms differ in.

    Attributes:
        unit: A convolution with its normalization and activation.
        pooled: Filters behind the pool of the first three blocks.
        doubled: Filters of the long branch of the last block over 7, but its last.
        pool: The pool of the last block that halves.
        average: How the top averages: `global`, or `flat` for a pool that is flattened.
    """

    unit: Callable[..., str]
    pooled: tuple[int, int, int]
    doubled: tuple[int, int]
    pool: str
    average: str


def _unit(
    net: Net, x: str, filters: int, kernel: Extent, strides: int = 1, padding: str = "same"
) -> str:
    """As of Keras 2: convolution without a bias, normalization without a scale, relu."""
    x = net.conv(x, filters, kernel, strides=strides, padding=padding, bias=False)
    return net.relu(net.norm(x, scale=False))


def _unit_keras1(
    net: Net, x: str, filters: int, kernel: Extent, strides: int = 1, padding: str = "same"
) -> str:
    """As of Keras 1: convolution with bias and relu, then normalization with a scale."""
    x = net.conv(x, filters, kernel, strides=strides, padding=padding, activation="relu")
    return net.norm(x)


KERAS1 = Form(_unit_keras1, (32, 32, 32), (160, 192), "Average", "flat")
KERAS2 = Form(_unit, (32, 64, 64), (192, 192), "Max", "global")


def inception_v3(net: Net, top: bool) -> str:
    """Of 2017, for Keras 2: 94 units; with the top, a Dense layer."""
    return _Inception(net, KERAS2).model(top)


def inception_v3_keras1(net: Net, top: bool) -> str:
    """Of 2016, for Keras 1: the same units in another order within."""
    return _Inception(net, KERAS1).model(top)


class _Inception:
    def __init__(self, net: Net, form: Form) -> None:
        self.net, self.form = net, form

    def model(self, top: bool) -> str:
        net, unit = self.net, self.unit
        x = unit(net.input, 32, 3, 2, "valid")
        x = unit(x, 32, 3, 1, "valid")
        x = net.pool("Max", unit(x, 64, 3), 3, 2)
        x = unit(x, 80, 1, 1, "valid")
        x = net.pool("Max", unit(x, 192, 3, 1, "valid"), 3, 2)
        for number, width in enumerate(self.form.pooled):
            x = self.over_five(x, width, f"mixed{number}")
        x = self.first_halving(x)
        for number, width in enumerate((128, 160, 160), 4):
            x = self.over_seven(x, width, (width, width), f"mixed{number}")
        x = self.over_seven(x, 192, self.form.doubled, "mixed7")
        x = self.second_halving(x)
        for number in range(2):
            x = self.spread(x, number)
        if not top:
            return x
        if self.form.average == "global":
            x = net.average(x, "avg_pool")
        else:
            x = net.flat(net.pool("Average", x, 8, 8, name="avg_pool"), "flatten")
        return net.dense(x, 1000, "predictions", "softmax")

    def over_five(self, x: str, pooled: int, name: str) -> str:
        """35 by 35 positions."""
        unit = self.unit
        single = unit(x, 64, 1)
        five = unit(unit(x, 48, 1), 64, 5)
        twice = self.chain(x, (64, 1), (96, 3), (96, 3))
        return self.join(single, five, twice, unit(self.blurred(x), pooled, 1), name=name)

    def first_halving(self, x: str) -> str:
        """To 17 by 17 positions."""
        three = self.unit(x, 384, 3, 2, "valid")
        twice = self.unit(self.chain(x, (64, 1), (96, 3)), 96, 3, 2, "valid")
        return self.join(three, twice, self.net.pool("Max", x, 3, 2), name="mixed3")

    def over_seven(self, x: str, width: int, doubled: tuple[int, int], name: str) -> str:
        """17 by 17 positions; an extent of 7 by 7 is 1 by 7 and 7 by 1."""
        unit, (first, rest) = self.unit, doubled
        single = unit(x, 192, 1)
        seven = self.chain(x, (width, 1), (width, (1, 7)), (192, (7, 1)))
        twice = self.chain(
            x, (first, 1), (rest, (7, 1)), (rest, (1, 7)), (rest, (7, 1)), (192, (1, 7))
        )
        return self.join(single, seven, twice, unit(self.blurred(x), 192, 1), name=name)

    def second_halving(self, x: str) -> str:
        """To 8 by 8 positions."""
        three = self.unit(self.unit(x, 192, 1), 320, 3, 2, "valid")
        seven = self.chain(x, (192, 1), (192, (1, 7)), (192, (7, 1)))
        seven = self.unit(seven, 192, 3, 2, "valid")
        return self.join(three, seven, self.net.pool(self.form.pool, x, 3, 2), name="mixed8")

    def spread(self, x: str, number: int) -> str:
        """8 by 8 positions: branches that end in two, side by side."""
        unit = self.unit
        single = unit(x, 320, 1)
        three = unit(x, 384, 1)
        three = self.join(
            unit(three, 384, (1, 3)), unit(three, 384, (3, 1)), name=f"mixed9_{number}"
        )
        twice = self.chain(x, (448, 1), (384, 3))
        twice = self.join(unit(twice, 384, (1, 3)), unit(twice, 384, (3, 1)))
        pooled = unit(self.blurred(x), 192, 1)
        return self.join(single, three, twice, pooled, name=f"mixed{9 + number}")

    def unit(self, x: str, *args: int | str | tuple[int, int]) -> str:
        return self.form.unit(self.net, x, *args)

    def chain(self, x: str, *units: tuple[int, Extent]) -> str:
        for filters, kernel in units:
            x = self.unit(x, filters, kernel)
        return x

    def blurred(self, x: str) -> str:
        return self.net.pool("Average", x, 3, 1, "same")

    def join(self, *branches: str, name: str = "") -> str:
        inputs: Sequence[str] = branches
        return self.net.add("Concatenate", inputs, name=name, axis=self.net.axis)
