"""Up-sampling: elements repeated, or means over those."""

from __future__ import annotations

from collections.abc import Sequence

from ....eras import padding as rules
from ....ir.ops.convolution import Pads
from ....ir.ops.pooling import UpSample
from ..network import Tensor
from ..registry import writes
from ..site import Site
from ..windows import Space, Window, said, space_of, time_last
from .pooling import along_axis, axis_by_axis, pool_by


@writes(UpSample, attributes="size interpolation")
def up_sample(site: Site) -> None:
    """UpSampling1D, 2D, 3D."""
    op = site.op
    assert isinstance(op, UpSample)
    space = space_of(site)
    if op.interpolation != "nearest" and space.rank != 2:
        raise site.refuse(f"up-sampling with {op.interpolation}, which Keras has for images alone")
    known = site.dialect.from_corners.get(site.backend)
    corners = known is not None and (not known or op.size in known)
    if op.interpolation == "bilinear_corner" and not corners:
        site.give(_from_corners(site, op.size, space))
        return
    if op.interpolation == "bilinear" and (
        known is not None or not site.has("UpSampling2D", "interpolation")
    ):
        site.give(_from_centres(site, op.size, space))
        return
    if space.rank == 1:
        x = time_last(site, site.x(), space, "before")
        x = site.put("UpSampling1D", {"size": op.size[0]}, [x], repeats=space.repeats)
        site.give(time_last(site, x, space, "after"))
        return
    config = {"size": list(op.size), "data_format": space.data_format}
    if space.rank == 2:
        config["interpolation"] = "nearest" if op.interpolation == "nearest" else "bilinear"
    if op.interpolation == "bilinear":
        site.emission.speak("tf_keras")
        site.tell(
            "KN302", "note", "bilinear up-sampling differs in Keras 2.2 and 2.3", level="warning"
        )
    site.give(site.put(f"UpSampling{space.rank}D", config, [site.x()], repeats=space.repeats))


def _from_centres(site: Site, size: Sequence[int], space: Space) -> Tensor:
    """Bilinear up-sampling from half-pixel centres: means over elements that are repeated.

    Along an axis, by an odd factor f: the mean of the f elements around each, with each element of
    the input f times. By an even one: half of two such means, which begin one element apart. At the
    ends over what is real, which is one element then.

    Raises:
        ExportError: The target has no word for the windows, and the extents are not known.
    """
    site.tell("KX102", "changed", "bilinear up-sampling from centres is written as means")
    config = {"size": list(size), "data_format": space.data_format}
    x = site.put("UpSampling2D", config, [site.x()], role="repeated", repeats=space.repeats)
    around = Space(space.rank, space.data_format, space.outs, space.outs, space.repeats)
    for axis, factor in enumerate(size):
        window = along_axis(Window((1, 1), (1, 1), (1, 1)), axis, factor, 1)
        near, far = (factor - 1) // 2, factor // 2
        parts = []
        for pair in dict.fromkeys([(near, far), (far, near)]):
            padding = tuple(pair if number == axis else (0, 0) for number in range(space.rank))
            parts.append(_means(site, x, around, window, padding) if factor > 1 else x)
        x = parts[0] if len(parts) == 1 else site.put("Average", {}, parts, role=f"means_{axis}")
    return x


def _means(site: Site, x: Tensor, around: Space, window: Window, padding: Pads) -> Tensor:
    """Averages over the real elements of windows, one at every element."""
    version = site.dialect.keras_version
    word = said(around, window, padding, rules.pool_rule(site.backend, version, around.rank))
    if word and not rules.counts_padding(site.backend, version, around.rank):
        return pool_by(site, x, around, window, word, "means")
    if None in around.outs:
        raise site.refuse(
            "bilinear up-sampling over an input of unknown extent",
            "fix the sizes of the model's inputs",
        )
    return axis_by_axis(site, x, around, window, padding)


def _from_corners(site: Site, size: Sequence[int], space: Space) -> Tensor:
    """Bilinear up-sampling from corners: means over elements that are repeated.

    Element q f + k of the result is (f - k) / f of element q and k / f of the next one: the mean of
    a window of extent f that begins there, over the input with each element f times; at the end
    over what is real. Later versions take half-pixel centres under the same word.

    Raises:
        ExportError: The target has no word for the windows, and the extents are not known.
    """
    site.tell("KX102", "changed", "bilinear up-sampling from corners is written as means")
    config = {"size": list(size), "data_format": space.data_format}
    x = site.put("UpSampling2D", config, [site.x()], role="repeated", repeats=space.repeats)
    window = Window(tuple(size), (1,) * space.rank, (1,) * space.rank)
    padding = tuple((0, extent - 1) for extent in size)
    around = Space(space.rank, space.data_format, space.outs, space.outs, space.repeats)
    return _means(site, x, around, window, padding)
