"""What kind of file it is, by its first bytes; a name's ending says little."""

from __future__ import annotations

import re

import msgspec

from ....errors import FormatError
from ..gates import OpenSource, Window

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
HEAD = 4096
TFJS = "tensorflowjs_converter --input_format tfjs_layers_model --output_format keras undoes it"
RESAVE = "save the model as .keras or .h5 with the Keras that wrote it"
UNPACK = "unpack it first"
DOWNLOAD = "the download was answered by a page: fetch the file itself"


class Sign(msgspec.Struct, frozen=True):
    """How a kind of file begins, and what to do about it."""

    pattern: bytes
    what: str
    hint: str = ""

    def fits(self, head: bytes) -> bool:
        """Whether a file begins so. Patterns are compiled when a file is none of Keras'."""
        return re.match(self.pattern, head, re.DOTALL | re.IGNORECASE) is not None


OTHERS = (
    Sign(rb"\s*<(!doctype html|html|head|\?xml|!--)", "a web page (HTML), not a model", DOWNLOAD),
    Sign(
        rb"\x80[\x02-\x05][\x95}\]c(X\x8a\x8c]",
        "a Python pickle, which runs code when it is loaded: not a Keras file",
        "never unpickle what you do not trust; " + RESAVE,
    ),
    Sign(rb"\x1f\x8b", "compressed by gzip", UNPACK),
    Sign(rb"BZh[1-9]", "compressed by bzip2", UNPACK),
    Sign(rb"\xfd7zXZ\0", "compressed by xz", UNPACK),
    Sign(rb"\x28\xb5\x2f\xfd", "compressed by zstd", UNPACK),
    Sign(rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    Sign(rb"Rar!\x1a\x07", "a RAR archive", UNPACK),
    Sign(rb".{257}ustar", "a tar archive", UNPACK),
    Sign(rb"\x93NUMPY", "a NumPy array (.npy), not a model"),
    Sign(rb".{4}TFL3", "a TensorFlow Lite model, not a Keras file", RESAVE),
    Sign(rb".{4}\0{4}\{\s*\"", "safetensors, not a Keras file"),
    Sign(
        rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]",
        "ONNX or another protobuf, not Keras",
        "kerasir verify and run read ONNX",
    ),
    Sign(rb"\s*\{.{0,400}\"(modelTopology|weightsManifest)\"\s*:", "a TensorFlow.js model", TFJS),
    Sign(rb"\x0a.{1,3}[\x0a\x12]", "a protobuf, perhaps a TensorFlow graph, not Keras", RESAVE),
    Sign(rb"\0{64}", "nothing but zero bytes at its beginning", "download it again"),
)
"""Kinds that people take for Keras files, and what to tell them."""

LFS = (
    rb"version https://git-lfs\.github\.com/spec/v1\n"
    rb"(?s:.*?)oid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n"
)
JSON = rb"(\xef\xbb\xbf)?\s*[{\[\"]"
YAML = rb"(\xef\xbb\xbf)?(---\s*\n|#.*\n)*[A-Za-z_]+:(\s|$)|\{[a-z_]+:\s"


def sniff(source: OpenSource) -> str:
    """`hdf5`, `zip`, `json`, `yaml` or `text`.

    Raises:
        FormatError: It is something else, which the error names if it can.
    """
    window = source.window()
    head = window.head(HEAD)
    # before HDF5: the weights in a zip may begin where a user block could end
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "zip"
    if hdf5_at(window) is not None:
        return "hdf5"
    if pointer := re.match(LFS, head):
        raise _lfs_pointer(source, pointer)
    for sign in OTHERS:
        if sign.fits(head):
            raise FormatError(sign.what, where="file", hint=sign.hint)
    if re.match(YAML, head):  # before JSON: a mapping in braces, {class_name: Model}, is YAML
        return "yaml"
    if re.match(JSON, head):
        return "json"
    if _is_text(head):
        return "text"
    raise FormatError(
        "not a Keras file: neither HDF5 nor .keras",
        where="file",
        hint=f"it begins with {head[:8].hex(' ')}",
    )


def hdf5_at(window: Window) -> int | None:
    """Where the HDF5 signature stands: at 0, or behind a user block at 512, 1024, 2048, ..."""
    at = 0
    while at + len(HDF5_SIGNATURE) <= window.size:
        if window.head(len(HDF5_SIGNATURE), at) == HDF5_SIGNATURE:
            return at
        at = 2 * at or 512
    return None


def declared_size(window: Window) -> int:
    """Where an HDF5 file should end, as its superblock says; 0 if that cannot be told.

    Source: HDF5 File Format Specification, II.A, the field "End of File Address".
    """
    superblock = window.head(64, hdf5_at(window) or 0).ljust(64, b"\xff")
    version = superblock[8]
    if version in {0, 1}:
        width, at = superblock[13], 24 + 4 * version
    elif version in {2, 3}:
        width, at = superblock[9], 12
    else:
        return 0
    address = superblock[at + 2 * width : at + 3 * width]
    known = width in {2, 4, 8} and address != b"\xff" * width
    return int.from_bytes(address, "little") if known else 0


def _lfs_pointer(source: OpenSource, pointer: re.Match[bytes]) -> FormatError:
    """The error for a text of three lines that stands for a file that Git LFS did not fetch."""
    digest, size = pointer[1].decode(), int(pointer[2])
    name = source.path.rpartition("/")[2]
    return FormatError(
        f"a Git LFS pointer ({source.size} bytes), not the model itself",
        where="file",
        hint=f"fetch it with git lfs pull --include {name}",
        details=(f"The real file: {size:,} bytes, sha256 {digest[:4]}…{digest[-4:]}.",),
    )


def _is_text(head: bytes) -> bool:
    """Whether it reads as text; a character may be cut at the end."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 > 0
    return b"\0" not in head
