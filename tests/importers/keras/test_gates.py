"""The gates: what is opened, what is said of what is not, and that nothing else is touched."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from crafted import model_file, weights_file

from kerasir.errors import FormatError, show
from kerasir.importers.keras.archive import read_archive
from kerasir.importers.keras.gates import Window, h5_get, members, open_hdf5, open_source


def refusal(path: Path | str) -> str:
    """What is said of a file, without its name."""
    with pytest.raises(FormatError) as caught:
        read_archive(path, isolated=False)
    assert caught.value.file == os.fspath(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_regular_file_is_opened_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with open_source(path) as source:
        assert source.size == 10
        assert source.window().head(4, 3) == b"3456"
        assert not os.get_inheritable(source.fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(source.fd)


def test_missing_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.h5") == "there is no such file"
    assert refusal("a\0b") == "cannot be opened: embedded null byte"
    (tmp_path / "f").write_text("x")
    assert refusal(tmp_path / "f" / "m.h5") == "cannot be opened: Not a directory"


def test_folders(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "a folder, not a file"
    (tmp_path / "config.json").touch()
    (tmp_path / "model.weights.h5").touch()
    assert refusal(tmp_path) == (
        "an unzipped .keras archive, and a file is needed "
        "(give its model.weights.h5, and its config.json by --arch)"
    )
    (tmp_path / "saved_model.pb").touch()
    assert refusal(tmp_path).startswith("a TensorFlow SavedModel folder, not a Keras file")


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "not a regular file, but a pipe, socket or device"
    assert refusal("/dev/zero") == "not a regular file, but a pipe, socket or device"


def test_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert refusal("s") == "cannot be opened: No such device or address"


def test_file_name_need_not_be_text(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xff\xfe.h5")
    weights_file(tmp_path / "w.h5").rename(os.fsdecode(path))
    assert read_archive(os.fsdecode(path)).groups


DIGEST = "4d2f" + "0" * 56 + "c81a"
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{DIGEST}\nsize 102967424\n"
PAGE = "\n <!DOCTYPE html>\n<html><head><title>404</title>"
SAVE_AGAIN = "save the model as .keras or .h5 with the Keras that wrote it"
KINDS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty (0 bytes) (download or save it again)"),
    "LFS pointer": (
        LFS.encode(),
        "file: a Git LFS pointer (134 bytes), not the model itself "
        "(fetch it with git lfs pull --include m.h5)\n"
        "  The real file: 102,967,424 bytes, sha256 4d2f…c81a.",
    ),
    "page": (
        PAGE.encode(),
        "file: a web page (HTML), not a model "
        "(the download was answered by a page: fetch the file itself)",
    ),
    "pickle": (
        b"\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94\x8c\x01a\x94K\x01s.",
        "file: a Python pickle, which runs code when it is loaded: not a Keras file "
        f"(never unpickle what you do not trust; {SAVE_AGAIN})",
    ),
    "gzip": (gzip.compress(b"x" * 100), "file: compressed by gzip (unpack it first)"),
    "ONNX": (
        b"\x08\x08\x12\x07pytorch",
        "file: ONNX or another protobuf, not Keras (kerasir verify and run read ONNX)",
    ),
    "TFLite": (
        b"\x1c\0\0\0TFL3" + bytes(9),
        f"file: a TensorFlow Lite model, not a Keras file ({SAVE_AGAIN})",
    ),
    "safetensors": (
        (2000).to_bytes(8, "little") + b'{"a":{"dtype":"F32"',
        "file: safetensors, not a Keras file",
    ),
    "array": (b"\x93NUMPY\x01\0", "file: a NumPy array (.npy), not a model"),
    "zeros": (
        bytes(9000),
        "file: nothing but zero bytes at its beginning (download it again)",
    ),
    "architecture": (
        b'{"class_name": "Sequential"}',
        "file: an architecture (JSON) without weights "
        "(give the file of the weights, and this one by --arch)",
    ),
    "TensorFlow.js": (
        b'{"format": "layers-model", "modelTopology": {}, "weightsManifest": []}',
        "file: a TensorFlow.js model (tensorflowjs_converter --input_format tfjs_layers_model "
        "--output_format keras undoes it)",
    ),
    "YAML": (
        b"class_name: Sequential\nconfig:\n",
        "file: an architecture (YAML) without weights "
        "(give the file of the weights, and this one by --arch)",
    ),
    "text": (b"Hello, world. " * 9, "file: plain text, not a Keras file"),
    "UTF-8 cut": ("é".encode() * 2049 + b"x", "file: plain text, not a Keras file"),
    "noise": (
        b"\xa8\x5c\x9d\x6f\x0f\x8a\x61\x2f" * 9,
        "file: not a Keras file: neither HDF5 nor .keras (it begins with a8 5c 9d 6f 0f 8a 61 2f)",
    ),
}


@pytest.mark.parametrize(("content", "said"), KINDS.values(), ids=KINDS)
def test_other_kinds_of_files_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(content)
    assert refusal(path) == said


def opened(path: Path) -> tuple[int, Window]:
    fd = os.open(path, os.O_RDONLY)
    return fd, Window(fd, 0, path.stat().st_size)


def test_hard_links_alone_are_followed(tmp_path: Path) -> None:
    path = weights_file(tmp_path / "w.h5")
    with h5py.File(path, "a") as file:
        file["hard"] = file["dense"]
        file["soft"] = h5py.SoftLink("/dense")
        file["away"] = h5py.ExternalLink("other.h5", "/")
    fd, window = opened(path)
    root = open_hdf5(window)
    assert h5_get(root, "hard/dense/kernel", "dataset").path == "/hard/dense/kernel"
    for name, what in (("soft", "a soft link"), ("away", "an external link")):
        with pytest.raises(FormatError, match=rf"/{name}: {what}"):
            h5_get(root, f"{name}/dense/kernel", "dataset")
    os.close(fd)


@pytest.mark.parametrize(
    "name", ["", ".", "/", "./", "..", "/dense", "//dense", "a\0b", "dense/../x"]
)
def test_odd_names_are_not_looked_up(tmp_path: Path, name: str) -> None:
    fd, window = opened(weights_file(tmp_path / "w.h5"))
    with pytest.raises(FormatError, match="is no name for an object"):
        h5_get(open_hdf5(window), name, "group")
    os.close(fd)


@pytest.mark.parametrize("name", ["dense/", "./dense", "dense//", "dense/."])
def test_names_are_taken_as_hdf5_takes_them(tmp_path: Path, name: str) -> None:
    fd, window = opened(weights_file(tmp_path / "w.h5"))
    assert h5_get(open_hdf5(window), name, "group").path == "/dense"
    os.close(fd)


def test_crowded_group_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        for i in range(12):
            file.create_group(f"g{i}")
    fd, window = opened(path)
    root = open_hdf5(window)
    assert len(members(root)) == 12
    with pytest.raises(FormatError, match="/: more than 11 members"):
        members(root, limit=11)
    os.close(fd)


def test_window_is_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"..0123456789..")
    fd = os.open(path, os.O_RDONLY)
    window = Window(fd, 2, 10)
    assert window.readall() == b"0123456789"
    assert window.seek(-3, os.SEEK_END) == 7
    assert window.read(9) == b"789"
    assert window.read(9) == b""
    with pytest.raises(OSError, match="Invalid argument"):
        window.seek(-1)
    assert os.lseek(fd, 0, os.SEEK_CUR) == 0
    os.close(fd)


def test_window_is_padded_with_zeros(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123")
    fd = os.open(path, os.O_RDONLY)
    window = Window(fd, 0, 4, declared=7)
    buffer = bytearray(b"x" * 9)
    window.seek(2)
    assert window.readinto(buffer) == 5
    assert buffer == b"23" + bytes(7)
    os.close(fd)


CANARY = textwrap.dedent("""\
    import os, sys
    from kerasir.importers.keras.archive import read_archive
    from kerasir.errors import KerasirError
    try:
        read_archive(sys.argv[1], isolated=sys.argv[2] == "True")
    except KerasirError:
        pass
""")


@pytest.mark.parametrize("isolated", [True, False])
def test_no_plugin_is_loaded(
    tmp_path: Path, isolated: bool, compile_plugin: Callable[..., bool]
) -> None:
    """HDF5 loads every plugin of a folder to open what it cannot open by itself."""
    plugins = tmp_path / "plugins"
    canary = tmp_path / "canary"
    assert compile_plugin(plugins, canary)
    path = model_file(tmp_path / "m.h5")
    content = bytearray(path.read_bytes())
    content[64:72] = b"\xff" * 8  # the address of the root's object header
    path.write_bytes(content)
    environment = {**os.environ, "HDF5_PLUGIN_PATH": str(plugins)}
    subprocess.run(
        [sys.executable, "-c", CANARY, str(path), str(isolated)], env=environment, check=True
    )
    assert not canary.exists()


@pytest.fixture
def compile_plugin() -> Callable[..., bool]:
    """Makes an HDF5 plugin that creates a file when it is loaded, and sees that h5py loads it."""

    def make(folder: Path, canary: Path) -> bool:
        folder.mkdir()
        source = folder / "p.c"
        source.write_text(
            "#include <stdio.h>\n"
            "__attribute__((constructor)) static void go(void)"
            f'{{ FILE *f = fopen("{canary}", "w"); if (f) fclose(f); }}\n'
            "int H5PLget_plugin_type(void) { return 0; }\n"
            "const void *H5PLget_plugin_info(void) { return 0; }\n"
        )
        command = ["cc", "-shared", "-fPIC", "-o", str(folder / "libevil.so"), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("needs a C compiler, to make a plugin")
        return True

    return make


def test_plugin_folders_are_given_back(tmp_path: Path) -> None:
    before = [h5py.h5pl.get(i) for i in range(h5py.h5pl.size())]
    read_archive(weights_file(tmp_path / "w.h5"), isolated=False)
    assert [h5py.h5pl.get(i) for i in range(h5py.h5pl.size())] == before


def test_text_of_a_file_is_shown_without_harm() -> None:
    assert show("conv1/é 密") == "conv1/é 密"
    assert show("a\x1b[2J\r\n\u202e\x9b\ud800") == "a\\x1b[2J\\r\\n\\u202e\\x9b\\ud800"
    assert show("x" * 300) == "x" * 200 + "..."
