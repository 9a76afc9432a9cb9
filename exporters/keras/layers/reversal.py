"""Steps in the order from the end, where no Bidirectional turns them round."""

from __future__ import annotations

from ....ir.arithmetic import MOST_SPREAD, identity_matrix
from ....ir.layout import Axis
from ....ir.ops.recurrent import ReverseTime
from ....ir.source import ConstantSource
from ..functions import needed
from ..registry import writes
from ..scaling import constant
from ..site import Site


@writes(ReverseTime)
def reverse_time(site: Site) -> None:
    """An operation; else a SimpleRNN that walks from the end and hands on what it is given.

    Raises:
        ExportError: What is reversed is no sequence of vectors, or a mask comes along with it.
    """
    functions = site.dialect.functions
    if functions is not None and not functions.class_name:
        site.give(needed(site, "flip", [site.x()], axis=[site.axis("time")]))
        return
    x, rank = site.x(), len(site.seen(site.settled.input))
    repeats = rank - 3
    if repeats < 0 or site.axis("time") != rank - 2 or x.dtype != "float32":
        raise site.refuse("no layer of Keras reverses this")
    if x.mask is not None:
        raise site.refuse("no layer of Keras reverses a sequence that a mask comes along with")
    count = x.shape[-1] if x.shape else None
    if count is None:
        raise site.refuse("the size of what is reversed is not known")
    if count * count > MOST_SPREAD:
        raise site.refuse(f"what is reversed has {count:,} features, too many for a SimpleRNN")
    rows = Axis("I", count), Axis("U", count)
    arrays = [
        constant("kernel", identity_matrix(count), *rows),
        constant("recurrent_kernel", ConstantSource(0.0, (count, count)), *rows),
        site.always(None, "SimpleRNN", "use_bias", "bias", 0.0, count),
    ]
    config = {
        "units": count,
        "activation": "linear",
        "use_bias": not site.has("SimpleRNN", "use_bias"),
        "return_sequences": True,
        "go_backwards": True,
        "trainable": False,
    }
    site.tell("KX102", "changed", "its steps are turned round by a SimpleRNN that keeps nothing")
    site.give(site.put("SimpleRNN", config, [x], arrays=arrays, repeats=repeats))
