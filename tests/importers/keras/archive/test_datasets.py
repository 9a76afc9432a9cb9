"""What numbers may be, how they may lie, and what a dataset may declare."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import jobs
import numpy as np
import pytest
from crafted import numbers, values, weight

from kerasir.errors import FormatError, KerasirError
from kerasir.importers.keras.archive import read_archive
from kerasir.importers.keras.archive.contents import Contents, Entry, Group, check_extents
from kerasir.importers.keras.archive.dataset import Extent
from kerasir.importers.keras.archive.decode import boxes, decode, runs
from kerasir.importers.keras.archive.hdf5 import read_hdf5
from kerasir.importers.keras.archive.sources import DecodedSource
from kerasir.importers.keras.gates import open_source
from kerasir.ir.source import FileSource, Source
from kerasir.isolate import run

WHERE = "/d/k"


def file_with(path: Path, create: Callable[[h5py.Group], Any]) -> Path:
    """Weights of one layer `d`, whose only dataset `k` is made by `create`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"d"]
        group = file.create_group("d")
        group.attrs["weight_names"] = [b"k"]
        create(group)
    return path


def dataset(data: Any = None, **options: Any) -> Callable[[h5py.Group], Any]:
    return lambda group: group.create_dataset("k", data=data, **options)


def refusal(path: Path) -> str:
    """What is said of the dataset."""
    with pytest.raises(FormatError) as caught:
        read_archive(path, isolated=False)
    assert (caught.value.where, caught.value.file) == (WHERE, str(path))
    return caught.value.what


def source(path: Path, *, isolated: bool = False) -> Source:
    return read_archive(path, isolated=isolated).groups[0].weights[0].source


DTYPES = ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "<i4", ">i8", "<i1", "<u2", ">u4", "<u8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_is_kept_with_its_byte_order(tmp_path: Path, dtype: str) -> None:
    data = numbers(3, 5, dtype=dtype)
    found = source(file_with(tmp_path / "w.h5", dataset(data)))
    assert isinstance(found, FileSource)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(values(found), data)


def test_every_bit_is_kept(tmp_path: Path) -> None:
    bits = np.array([0x7FC00001, 0xFF800000, 0x80000000, 1, 0x7F7FFFFF], "<u4")
    found = source(file_with(tmp_path / "w.h5", dataset(bits.view("<f4"))))
    np.testing.assert_array_equal(values(found).view("<u4"), bits)


@pytest.mark.parametrize("stored", ["keras", "legacy", "hdf5"])
def test_bfloat16_is_widened_exactly(tmp_path: Path, stored: str) -> None:
    wide = np.array([0.0, -0.0, 1.5, 3.140625, -65280.0, 2.0**-126, np.inf], "<f4")
    bits = (wide.view("<u4") >> 16).astype("<u2")
    np.testing.assert_array_equal(wide.view("<u4") & 0xFFFF, 0)  # they are bfloat16, all of them

    def as_keras_does(group: h5py.Group) -> None:
        created = group.create_dataset("k", data=bits.view("V2"))
        if stored == "keras":
            created.attrs["dtype"] = "bfloat16"

    def as_hdf5_does(group: h5py.Group) -> None:
        kind = h5py.h5t.IEEE_F16LE.copy()
        kind.set_fields(15, 7, 8, 0, 7)
        kind.set_ebias(127)
        created = h5py.h5d.create(group.id, b"k", kind, h5py.h5s.create_simple(bits.shape))
        created.write(h5py.h5s.ALL, h5py.h5s.ALL, bits, mtype=kind)

    write = as_hdf5_does if stored == "hdf5" else as_keras_does
    found = source(file_with(tmp_path / "w.h5", write))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(values(found).view("<u4"), wide.view("<u4"))


STRANGE = {
    "of the type opaque": numbers(3).view("V4"),
    "of the type compound": np.zeros(3, [("re", "<f4"), ("im", "<f4")]),
    "of the type compound ": np.zeros(3, np.complex64),
    "of the type enum": np.array([True, False]),
    "of the type string": np.array([b"0.5", b"0.25"]),
    "of an unusual kind (128 bits)": np.zeros(3, np.longdouble),
}


@pytest.mark.parametrize(("kind", "data"), STRANGE.items(), ids=STRANGE)
def test_what_is_no_number_is_refused(tmp_path: Path, kind: str, data: Any) -> None:
    path = file_with(tmp_path / "w.h5", dataset(data))
    assert refusal(path) == f"its numbers are {kind.strip()}"


def test_references_and_ragged_numbers_are_refused(tmp_path: Path) -> None:
    ragged = file_with(tmp_path / "v.h5", dataset(shape=(2,), dtype=h5py.vlen_dtype("<f4")))
    assert refusal(ragged) == "its numbers are of the type vlen"
    reference = file_with(tmp_path / "r.h5", dataset(shape=(2,), dtype=h5py.ref_dtype))
    assert refusal(reference) == "its numbers are of the type reference"
    nothing = file_with(tmp_path / "n.h5", dataset(h5py.Empty("<f4")))
    assert refusal(nothing) == "it has no dataspace, hence no numbers"


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (7,), (2, 3, 4, 5)])
def test_shapes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    data = numbers(*shape) if shape else np.float32(2.5)
    found = source(file_with(tmp_path / "w.h5", dataset(data)))
    assert found.shape == shape
    np.testing.assert_array_equal(values(found), data)


def compact(group: h5py.Group, data: Any) -> None:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(data.shape)
    created = h5py.h5d.create(group.id, b"k", h5py.h5t.IEEE_F32LE, space, properties)
    created.write(h5py.h5s.ALL, h5py.h5s.ALL, data)


def test_compact_numbers_are_read_at_once(tmp_path: Path) -> None:
    data = numbers(3, 5)
    found = source(file_with(tmp_path / "w.h5", lambda group: compact(group, data)))
    np.testing.assert_array_equal(values(found), data)


CHUNKED: dict[str, dict[str, Any]] = {
    "plain": {},
    "deflate": {"compression": "gzip"},
    "lzf": {"compression": "lzf"},
    "all of them": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "scaleoffset": {"scaleoffset": 3},
}


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("options", CHUNKED.values(), ids=CHUNKED)
def test_chunked_numbers_are_decoded_when_asked_for(
    tmp_path: Path, options: dict[str, Any], isolated: bool
) -> None:
    data = numbers(301, 203, 2)  # more than what is read at once; chunks do not divide it
    path = file_with(tmp_path / "w.h5", dataset(data, chunks=(64, 50, 1), **options))
    found = source(path, isolated=isolated)
    assert isinstance(found, DecodedSource)
    np.testing.assert_array_equal(values(found), data)
    part = np.empty(5, "<f4")
    found.read_into(1000, part)
    np.testing.assert_array_equal(part, data.reshape(-1)[1000:1005])


def test_a_fresh_interpreter_reads_and_decodes_the_same(tmp_path: Path) -> None:
    """Where a fork is not safe, arguments and results pass as plain data."""
    data = numbers(301, 203)
    path = file_with(tmp_path / "w.h5", dataset(data, chunks=(64, 50), compression="gzip"))
    target = tmp_path / "target"
    with open_source(path) as opened, target.open("w+b") as spare:
        fds = (opened.fd, spare.fileno())
        args = (opened.fd, 0, opened.size)
        there = run(read_hdf5, *args, result=Contents, keep=fds, spawn=True)
        assert there == read_hdf5(*args)
        args = (*args, WHERE, "<f4", data.shape, fds[1])
        assert run(decode, *args, result=int, keep=fds, spawn=True) == data.nbytes
    assert target.read_bytes() == data.tobytes()


def test_few_chunked_numbers_are_read_at_once(tmp_path: Path) -> None:
    data = numbers(7, 5)
    found = source(file_with(tmp_path / "w.h5", dataset(data, chunks=(3, 2), compression="gzip")))
    assert not isinstance(found, DecodedSource)
    np.testing.assert_array_equal(values(found), data)


@pytest.mark.parametrize(
    ("shape", "chunk", "room"),
    [
        ((7, 5, 3), (2, 2, 2), 1),
        ((7, 5, 3), (2, 2, 2), 13),
        ((7, 5, 3), (2, 2, 2), 31),
        ((7, 5, 3), (3, 5, 3), 46),
        ((7, 5, 3), (8, 9, 4), 1000),
        ((6,), (4,), 5),
        ((2, 1, 4), (1, 1, 3), 4),
    ],
)
def test_boxes_cover_each_number_once(
    shape: tuple[int, ...], chunk: tuple[int, ...], room: int
) -> None:
    data = numbers(*shape)
    found = np.full(data.size, -1, data.dtype)
    written = 0
    for corner, box in boxes(shape, chunk, room):
        assert all(at % step == 0 for at, step in zip(corner, chunk, strict=True))
        part = data[tuple(slice(a, a + b) for a, b in zip(corner, box, strict=True))]
        assert part.size <= max(room, np.prod(chunk))
        for at, numbers_in_a_row in runs(shape, corner, part):
            found[at : at + numbers_in_a_row.size] = numbers_in_a_row
            written += numbers_in_a_row.size
    np.testing.assert_array_equal(found, data.reshape(-1))
    assert written == data.size


def external(group: h5py.Group) -> None:
    group.create_dataset("k", (2, 3), "<f4", external=[("/etc/passwd", 0, 24)])


def virtual(group: h5py.Group) -> None:
    layout = h5py.VirtualLayout((2, 3), "<f4")
    layout[:] = h5py.VirtualSource("other.h5", "k", (2, 3))
    group.create_virtual_dataset("k", layout)


def test_numbers_of_other_files_are_not_read(tmp_path: Path) -> None:
    assert refusal(file_with(tmp_path / "e.h5", external)) == (
        "its numbers lie in an external file, which is not opened"
    )
    assert refusal(file_with(tmp_path / "v.h5", virtual)) == (
        "a virtual dataset, made of other files, which are not opened"
    )


LINKS = {
    "an external link, to another file: links are not followed": h5py.ExternalLink("o.h5", "/k"),
    "a soft link: links are not followed": h5py.SoftLink("/d/other"),
}


@pytest.mark.parametrize(("what", "link"), LINKS.items(), ids=["external", "soft"])
def test_links_are_not_followed(tmp_path: Path, what: str, link: Any) -> None:
    def linked(group: h5py.Group) -> None:
        group["other"] = numbers(2, 3)
        group["k"] = link

    assert refusal(file_with(tmp_path / "w.h5", linked)) == what


def many_gzipped(group: h5py.Group) -> None:
    group.create_dataset("k", (1 << 27,), "<f4", chunks=(1 << 20,), compression="gzip")
    group["k"][...] = 0


LIES: dict[str, tuple[Callable[[h5py.Group], Any], str]] = {
    "nothing written": (
        dataset(shape=(30_000, 90_000), dtype="<f4"),
        "it declares 10,800,000,000 bytes of <f4 (30000, 90000), but stores 0",
    ),
    "no chunk written": (
        dataset(shape=(30_000, 90_000), dtype="<f4", chunks=(300, 900)),
        "0 of its 10,000 chunks are there",
    ),
    "absurd shape": (
        dataset(shape=(1 << 40, 0), dtype="<f4", maxshape=(None, None)),
        "the shape (1099511627776, 0) is larger than any weight",
    ),
    "large chunks": (
        dataset(shape=(30_000_000,), dtype="<f4", chunks=(30_000_000,), compression="gzip"),
        "its chunks of 120,000,000 bytes are larger than any weight's",
    ),
}


@pytest.mark.parametrize(("create", "what"), LIES.values(), ids=LIES)
def test_what_is_declared_but_not_stored_is_refused(
    tmp_path: Path, create: Callable[[h5py.Group], Any], what: str
) -> None:
    assert refusal(file_with(tmp_path / "w.h5", create)) == what


def test_more_than_a_file_could_hold_is_refused(tmp_path: Path) -> None:
    """Zeros that are well compressed: half a gigabyte out of half a megabyte."""
    path = file_with(tmp_path / "w.h5", many_gzipped)
    with pytest.raises(FormatError, match="its weights declare 536,870,912 bytes, but the file"):
        read_archive(path)


def test_unknown_filter_is_refused_by_number(tmp_path: Path) -> None:
    def foreign(group: h5py.Group) -> None:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((2, 2))
        properties.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        space = h5py.h5s.create_simple((4, 6))
        h5py.h5d.create(group.id, b"k", h5py.h5t.IEEE_F32LE, space, properties)

    assert refusal(file_with(tmp_path / "w.h5", foreign)) == (
        "it needs the HDF5 filter 32015 (zstd), and no plugin is ever loaded"
    )


def short_chunk(group: h5py.Group) -> None:
    """A chunk with fewer bytes than it must have, which HDF5 2.0 reads beyond its end."""
    created = group.create_dataset("k", (500, 500), "<f4", chunks=(500, 500))
    created.id.write_direct_chunk((0, 0), b"12345678")


def test_short_chunk_is_refused_before_the_library_reads_it(tmp_path: Path) -> None:
    path = file_with(tmp_path / "w.h5", short_chunk)
    assert refusal(path) == "it declares 1,000,000 bytes of <f4 (500, 500), but stores 8"


def test_library_may_die_of_a_short_chunk_but_not_its_caller(tmp_path: Path) -> None:
    """What lies behind the chunk in memory decides whether it does; either way this goes on."""
    path = file_with(tmp_path / "w.h5", short_chunk)
    message = ""
    try:
        total = run(jobs.read_raw, str(path), WHERE, result=float)
    except KerasirError as error:
        total, message = None, str(error)
    assert isinstance(total, float) or "crashed" in message or "damaged" in message


def test_damaged_chunk_is_an_error_when_it_is_decoded(tmp_path: Path) -> None:
    data = numbers(300, 200)
    path = file_with(tmp_path / "w.h5", dataset(data, chunks=(100, 100), compression="gzip"))
    with h5py.File(path) as file:
        chunk = file[WHERE].id.get_chunk_info(2)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 10 : chunk.byte_offset + 40] = b"\xff" * 30
    path.write_bytes(content)
    for isolated in (False, True):
        found = source(path, isolated=isolated)
        with pytest.raises(FormatError) as caught:
            values(found)
        assert (caught.value.where, caught.value.file) == (WHERE, str(path))
        assert caught.value.what.startswith("the HDF5 library cannot read it: ")


def test_numbers_beyond_the_end_are_refused(tmp_path: Path) -> None:
    data = numbers(40, 50)
    path = file_with(tmp_path / "w.h5", dataset(data))
    with h5py.File(path) as file:
        offset = file[WHERE].id.get_offset()
    content = path.read_bytes()
    pointer = struct.pack("<Q", offset)
    assert content.count(pointer) == 1
    path.write_bytes(content.replace(pointer, struct.pack("<Q", len(content) - 100)))
    assert refusal(path) in {
        "the HDF5 library cannot read it: invalid dataset size, likely file corruption",
        f"its numbers lie beyond the end of the file, at {len(content):,} bytes",
    }


ABSURD = {
    "beyond the end": Extent("/k", (5,), "<f4", offset=81),
    "before the start": Extent("/k", (5,), "<f4", offset=-1),
    "strange dtype": Extent("/k", (5,), "object", offset=0),
    "negative shape": Extent("/k", (-5,), "<f4", offset=0),
    "too few": Extent("/k", (5,), "<f4", data=bytes(19)),
}


@pytest.mark.parametrize("extent", ABSURD.values(), ids=ABSURD)
def test_what_a_child_says_is_checked(extent: Extent) -> None:
    def contents(extent: Extent) -> Contents:
        groups = (Group("d", (Entry("k", extent),)),)
        return Contents(container="hdf5", form="named", groups=groups, size=100)

    check_extents(contents(Extent("/k", (5,), "<f4", offset=80)))
    with pytest.raises(FormatError, match="beyond the end of the file, at 100 bytes") as caught:
        check_extents(contents(extent))
    assert caught.value.where == "/k"


def test_two_datasets_of_the_same_bytes_count_twice(tmp_path: Path) -> None:
    def linked(group: h5py.Group) -> None:
        group["k"] = numbers(400, 50)
        group["l"] = group["k"]
        group.attrs["weight_names"] = [b"k", b"l"]

    path = file_with(tmp_path / "w.h5", linked)
    with pytest.raises(FormatError, match="its weights declare 160,000 bytes, but the file has"):
        read_archive(path, isolated=False)


def test_file_that_changed_is_not_read_on(tmp_path: Path) -> None:
    path = file_with(tmp_path / "w.h5", dataset(numbers(3, 5)))
    archive = read_archive(path, isolated=False)
    file_with(tmp_path / "w.h5", dataset(numbers(3, 5, start=1)))
    with pytest.raises(FormatError, match="the file changed while it was being used"):
        weight(archive, WHERE)
    again = read_archive(path, isolated=False)
    path.unlink()
    with pytest.raises(FormatError, match="cannot be opened again: No such file"):
        weight(again, WHERE)
