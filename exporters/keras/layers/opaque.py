"""What kerasir does not compute: written back bit for bit, its code never run."""

from __future__ import annotations

from ....ir.ops.opaque import Opaque
from ....ir.tensor import Param
from ..network import Array, FileLayer
from ..registry import writes
from ..site import Site


@writes(Opaque, attributes="layer_class has_code")
def opaque(site: Site) -> None:
    """A Lambda or a layer of an unknown class, with the configuration and the weights it had.

    An activation that nobody knows stands for a function: it is written by its name.
    """
    op, node = site.op, site.settled.node
    assert isinstance(op, Opaque)
    if node.part == "activation" or (site.layer and site.layer.class_name == "Activation"):
        x = site.x()
        named = {"activation": op.layer_class}
        site.give(site.put("Activation", named, [x], repeats=site.own_repeats(), mask=x.mask))
        return
    config = site.layer.config if site.layer else {}
    if op.has_code:
        site.tell(
            "KS102",
            "carried",
            f"{op.layer_class} holds code: what loads the file may run it",
            level="warning",
            fix="only load it if you trust its author",
        )
    arrays = [
        Array(_called(name, param), param, param.stored[0].layout)
        for name, param in node.params.items()
    ]
    repeats = site.own_repeats(all_around=True)
    if repeats < site.lost + len(site.layer.wrappers if site.layer else ()):
        raise site.refuse("what it is repeated over does not lead its input any more")
    site.note(arrays)
    layer = FileLayer(
        site.name,
        op.layer_class,
        {key: value for key, value in config.items() if key not in IMPLIED},
        arrays,
        site.wrappers(site.name, repeats),
        site.layer.name if site.layer and repeats else "",
    )
    site.give(site.scope.call((site.name, ""), layer, site.all())[0])


IMPLIED = frozenset({"name", "batch_input_shape"})
"""Keys that the exporter states itself: here the name, and the shape in the model's input."""


def _called(slot: str, param: Param) -> str:
    """The array's stored name without folders and suffix; its slot's where it has none."""
    stored = param.weight.stored_names[0].rsplit("/", 1)[-1].partition(":")[0]
    return stored or slot
