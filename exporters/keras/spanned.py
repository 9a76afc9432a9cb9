"""Steps along the axes that a learnt array spans, for layers that a target does not have.

The input is brought to `batch rest 1 span`; there a depthwise convolution of one tap multiplies by
an array and adds another, trains as the layer did, and is known to every Keras since 2.1.5.
"""

from __future__ import annotations

from collections.abc import Callable

from ...ir.layout import Axis, Layout, Term, fuse, key, size_of
from ...ir.op import Op
from ...ir.ops.activation import Affine, Relu
from ...ir.source import Array as NumPyArray, ConstantSource, MappedSource
from ...ir.tensor import Param, Weight
from .elementwise import applied, merged
from .network import Array, Tensor
from .scaling import EPSILON, constant, whole
from .site import Site

Change = Callable[[NumPyArray], NumPyArray]


class Spanned:
    """A node over `... span`, written in several layers.

    Attributes:
        site: The node.
        layout: What its input is brought to.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        terms = site.settled.bound["span"]
        within = {key(term) for term in terms}
        lead = site.settled.input.terms[: 1 + site.depth]
        rest = [t for t in site.settled.input.terms[len(lead) :] if key(t) not in within]
        self._span: Term = fuse(terms) if terms else Axis("X", 1)
        self._one = Axis("X", 1)
        behind = fuse(rest) if rest else Axis("X", 1)
        self.layout = Layout((*lead, behind, self._one, self._span))

    def enter(self) -> Tensor:
        """The input, brought there."""
        return self.site.bring(self.site.x(), self.site.settled.input, self.layout)

    def leave(self, y: Tensor) -> None:
        """Give the result."""
        self.site.give(self.site.bring(y, self.layout, self.site.settled.results[0]))

    @classmethod
    def of(cls, site: Site) -> Spanned:
        """The steps of a node: in place where a mask has to be carried along."""
        return SpannedInPlace(site) if site.x().mask is not None else cls(site)

    def apply(self, op: Op, x: Tensor, role: str) -> Tensor:
        """A function of each number."""
        return applied(self.site, op, x, role)

    def join(self, class_name: str, parts: list[Tensor], role: str) -> Tensor:
        """Several tensors merged."""
        mask, count = parts[0].mask, self.layout.shape[-1]
        return merged(self.site, class_name, parts, role, mask, count=count)

    def times(self, x: Tensor, port: str, role: str) -> Tensor:
        """Multiplied by a parameter."""
        return self._learnt(x, self._array(port, None), None, role)

    def plus(self, x: Tensor, port: str, role: str, change: Change | None = None) -> Tensor:
        """A parameter added, or what a function makes of it."""
        return self._learnt(x, None, self._array(port, change), role)

    def rectified(self, x: Tensor, port: str, role: str) -> Tensor:
        """X where it is positive, else a parameter times x."""
        param = self.site.settled.node.params[port]
        layout = Layout((self._one, self._one, self._span))
        alpha = Array("alpha", param, layout)
        return self.site.put("PReLU", {"shared_axes": [1, 2]}, [x], role=role, arrays=[alpha])

    def _array(
        self, port: str, change: Change | None, layout: Layout | None = None, name: str = ""
    ) -> Array:
        param = self.site.settled.node.params[port]
        array = Array(name or port, param, layout or Layout((self._span,)))
        if change is None:
            return array

        def make(weight: Weight) -> Weight:
            sources = tuple(MappedSource(source, change) for source in weight.sources)
            return Weight(weight.name, sources, trainable=weight.trainable)

        made = self.site.emission.derived(param.weight, change.__name__, make)
        return Array(array.name, Param(made, param.stored), array.layout, parts=(array,))

    def _learnt(self, x: Tensor, gamma: Array | None, beta: Array | None, role: str) -> Tensor:
        count = size_of(self._span)
        if count is None:
            raise self.site.refuse(f"the size of {self._span!r} is not known")
        ones = ConstantSource(1.0, (count,))
        if "DepthwiseConv2D" in self.site.dialect.classes:
            terms = (self._one, self._one, self._span, Axis("X", 1))
            config = {
                "kernel_size": [1, 1],
                "padding": "valid",
                "strides": [1, 1],
                "depth_multiplier": 1,
                "data_format": "channels_last",
                "use_bias": beta is not None,
                "activation": "linear",
            }
            arrays = [_renamed(gamma, "depthwise_kernel", Layout(terms))]
            if gamma is None:
                flat = constant("depthwise_kernel", ones, self._span)
                arrays = [_renamed(flat, "depthwise_kernel", Layout(terms))]
            if beta is not None:
                arrays.append(_renamed(beta, "bias", beta.layout))
            return self.site.put("DepthwiseConv2D", config, [x], role=role, arrays=arrays)
        statistics = {"moving_mean": 0.0, "moving_variance": 1 - EPSILON}
        given = {
            "gamma": _renamed(gamma, "gamma", Layout((self._span,))),
            "beta": _renamed(beta, "beta", Layout((self._span,))),
            **{
                name: constant(name, ConstantSource(n, (count,)), self._span)
                for name, n in statistics.items()
            },
        }
        learnt = {"center": beta is not None, "scale": gamma is not None}
        stated = {"axis": -1, "epsilon": EPSILON, **learnt}
        held, stated = whole(self.site, given, stated, count)
        return self.site.put("BatchNormalization", stated, [x], role=role, arrays=held)


class SpannedInPlace(Spanned):
    """The same where the input lies, by layers that carry a mask: what else Keras masks has none.

    With P(z) = a z for what is below zero, which a PReLU learns, a x is
    P(min(x, 0)) - P(-max(x, 0)), and x + a is x - P(-1).
    """

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.layout = site.settled.input

    def times(self, x: Tensor, port: str, role: str) -> Tensor:
        """Multiplied by a parameter."""
        up = self.apply(Relu(), x, f"{role}_up")
        down = self.join("Subtract", [x, up], f"{role}_down")
        up = self.apply(Affine(scale=-1.0), up, f"{role}_minus")
        parts = [self.rectified(part, port, f"{role}_slope") for part in (down, up)]
        return self.join("Subtract", parts, role)

    def plus(self, x: Tensor, port: str, role: str, change: Change | None = None) -> Tensor:
        """A parameter added, or what a function makes of it."""
        minus_one = self.apply(Affine(scale=0.0, offset=-1.0), x, f"{role}_one")
        minus = self._sloped(minus_one, port, f"{role}_minus", change)
        return self.join("Subtract", [x, minus], role)

    def rectified(self, x: Tensor, port: str, role: str) -> Tensor:
        """X where it is positive, else a parameter times x."""
        return self._sloped(x, port, role, None)

    def _sloped(self, x: Tensor, port: str, role: str, change: Change | None) -> Tensor:
        span = {key(term) for term in self.site.settled.bound["span"]}
        terms = self.site.seen(self.layout)[1:]
        layout = Layout(tuple(term if key(term) in span else Axis("X", 1) for term in terms))
        alpha = self._array(port, change, layout, "alpha")
        shared = [n for n, term in enumerate(terms, 1) if key(term) not in span]
        config = {"shared_axes": shared or None}
        return self.site.put("PReLU", config, [x], role=role, arrays=[alpha], mask=x.mask)


def _renamed(array: Array | None, name: str, layout: Layout) -> Array | None:
    if array is None:
        return None
    return Array(name, array.param, layout, array.trains, parts=array.parts)
