"""Images of another size, and pools whose windows follow from the extent that is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from ....ir.ops.pooling import AdaptivePool, Resample
from ..registry import writes
from ..site import Site
from ..windows import space_of

BY_TABLE: Mapping[str, str] = {"bicubic_table": "bicubic"}
"""Methods that Keras calls as it calls another: what it computes depends on the backend."""


@writes(Resample, attributes="size method antialias")
def resample(site: Site) -> None:
    """Resizing, which is for images.

    Raises:
        ExportError: What is resampled is no image, or the target has no word for the method.
    """
    op, space = site.op, space_of(site)
    assert isinstance(op, Resample)
    if space.rank != 2:
        raise site.refuse(f"Keras resamples images, not what has {space.rank} spatial axes")
    method = BY_TABLE.get(op.method, op.method)
    if method not in site.dialect.interpolations:
        raise site.refuse(f"{site.dialect.name} resizes no image by {method}", "convert to ONNX")
    if method == "bicubic" and not op.antialias:
        site.tell(
            "KX306",
            "note",
            "bicubic weights: TensorFlow takes them from a table, other backends compute them, "
            "which differs by up to a thousandth",
            level="warning",
        )
    config = {
        "height": op.size[0],
        "width": op.size[1],
        "interpolation": method,
        "antialias": op.antialias,
        "data_format": space.data_format,
    }
    site.give(site.put("Resizing", config, [site.x()], repeats=space.repeats))


@writes(AdaptivePool, attributes="size largest")
def adaptive(site: Site) -> None:
    """AdaptiveAveragePooling, AdaptiveMaxPooling; a plain pool where the windows are alike.

    Raises:
        ExportError: The target has neither.
    """
    op, space = site.op, space_of(site)
    assert isinstance(op, AdaptivePool)
    kind = "Max" if op.largest else "Average"
    class_name = f"Adaptive{kind}Pooling{space.rank}D"
    config = {"output_size": list(op.size), "data_format": space.data_format}
    if not site.has(class_name):
        pairs = list(zip(space.sizes, op.size, strict=True))
        if any(size is None or size % count for size, count in pairs):
            raise site.refuse(
                f"{site.dialect.name} has no {class_name}, and its windows are not all alike"
            )
        site.tell("KX102", "changed", f"{class_name} is written as {kind}Pooling{space.rank}D")
        window = [(size or 0) // count for size, count in pairs]
        class_name = f"{kind}Pooling{space.rank}D"
        config = {
            "pool_size": window,
            "strides": window,
            "padding": "valid",
            "data_format": space.data_format,
        }
    site.give(site.put(class_name, config, [site.x()], repeats=space.repeats))
