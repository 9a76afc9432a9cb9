"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kerasir.errors import ExportError, UsageError
from kerasir.exporters.target import DiskError, disk_error, target, targets, unproven

GIB = 1 << 30


def put(temporary: str | Path, text: str) -> None:
    Path(temporary).write_text(text)


def test_the_file_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with target(path) as temporary:
        assert Path(temporary).parent == tmp_path
        assert Path(temporary).name.startswith(".")
        put(temporary, "new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["m.h5"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_mode_is_that_of_any_new_file(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with target(tmp_path / "m.h5"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m.h5").stat().st_mode) == 0o666 & ~umask


def test_a_name_in_the_current_folder_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with target("m.h5", durable=True) as temporary:
        put(temporary, "new")
    assert (tmp_path / "m.h5").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, UsageError])
def test_whatever_is_raised_nothing_is_left_and_nothing_lost(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "m.h5"
    path.write_text("old")

    def fail_on_the_way() -> None:
        with targets([path, tmp_path / "m.data"], overwrite=True) as both:
            for temporary in both:
                put(temporary, "half")
            raise error("on the way")

    with pytest.raises(error):
        fail_on_the_way()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["m.h5"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_whose_handler_raises_leaves_nothing(tmp_path: Path, number: int) -> None:
    script = (
        "import signal, sys, time\n"
        "from kerasir.exporters.target import target\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "with target(sys.argv[1]) as temporary:\n"
        "    print(temporary, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "m.h5")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        temporary = process.stdout.readline().strip()
        assert Path(temporary).exists()
        process.send_signal(number)
        assert process.wait(30) != 0
    assert os.listdir(tmp_path) == []


def test_what_exists_is_replaced_only_if_told_so(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_text("old")
    with pytest.raises(UsageError) as caught, target(path):
        pytest.fail("the block ran")
    assert str(caught.value) == f"{path}: exists (--overwrite replaces it)"
    assert path.read_text() == "old"
    with target(path, overwrite=True) as temporary:
        put(temporary, "new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["m.h5"]


def test_what_others_write_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with pytest.raises(UsageError, match="exists"), target(path):
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["m.h5"]


def test_two_runs_of_the_same_both_end_well(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with target(path) as temporary:
        put(temporary, "ours")
        path.write_text("ours")
    assert path.read_text() == "ours"
    assert os.listdir(tmp_path) == ["m.h5"]


def fail_over(temporary: str) -> None:
    put(temporary, "worse")
    raise ZeroDivisionError


def test_an_unproven_file_is_put_there_with_its_companions(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    with unproven(path) as temporary:
        put(temporary, "model")
        put(Path(temporary).with_name("m.data"), "numbers")
        assert not path.exists()
    assert (path.read_text(), (tmp_path / "m.data").read_text()) == ("model", "numbers")
    with pytest.raises(ZeroDivisionError), unproven(path, overwrite=True) as temporary:
        fail_over(temporary)
    with pytest.raises(UsageError, match="exists"), unproven(path) as temporary:
        put(temporary, "another model")
    assert sorted(os.listdir(tmp_path)) == ["m.data", "m.onnx"]
    assert path.read_text() == "model"


def test_an_unproven_file_replaces_no_link(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "m.onnx", tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    with pytest.raises(UsageError, match="symbolic link"), unproven(path, overwrite=True):
        path.symlink_to(elsewhere)
    assert elsewhere.read_text() == "theirs"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("folder", "is a folder"),
        ("link", "is a symbolic link, and only a regular file is ever replaced"),
        ("pipe", "is a device, a pipe or a socket, and only a regular file is ever replaced"),
    ],
)
def test_only_regular_files_are_replaced(
    tmp_path: Path, kind: str, message: str, overwrite: bool
) -> None:
    path, other = tmp_path / "m.h5", tmp_path / "other.h5"
    other.write_text("other")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(other)
    else:
        os.mkfifo(path)
    before = path.lstat()
    with pytest.raises(UsageError, match=message), target(path, overwrite=overwrite):
        pytest.fail("the block ran")
    assert path.lstat().st_ino == before.st_ino
    assert other.read_text() == "other"
    assert {*os.listdir(tmp_path)} == {"m.h5", "other.h5"}


def test_a_link_to_nowhere_is_no_room_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "m.h5").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="symbolic link"), target(tmp_path / "m.h5"):
        pytest.fail("the block ran")
    assert os.listdir(tmp_path) == ["m.h5"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no/such/m.h5", "there is no folder {}/no/such"),
        ("file/m.h5", "cannot be written: Not a directory|there is no folder {}/file"),
        ("n" * 300, "cannot be written: File name too long"),
    ],
)
def test_places_where_no_file_can_be(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_text("file")
    with pytest.raises(ExportError, match=message.format(tmp_path)), target(tmp_path / name):
        pytest.fail("the block ran")
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_may_not_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ExportError) as caught, target(tmp_path / "m.h5"):
        pytest.fail("the block ran")
    expected = f"{tmp_path / 'm.h5'}: cannot be written: Permission denied (write elsewhere)"
    assert str(caught.value) == expected


@pytest.mark.parametrize("path", ["", "folder/"])
def test_a_path_must_name_a_file(path: str) -> None:
    with pytest.raises(UsageError, match="names a folder, not a file"), target(path):
        pytest.fail("the block ran")


def test_several_appear_together_the_first_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, replace = [], os.replace

    def spy(source: str, path: str) -> None:
        order.append(Path(path).name)
        replace(source, path)

    monkeypatch.setattr(os, "replace", spy)
    (tmp_path / "m.onnx.data").write_text("old data")
    paths = [tmp_path / "m.onnx", tmp_path / "m.onnx.data"]
    with targets(paths, overwrite=True) as (model, data):
        put(model, "model")
        put(data, "data")
    assert order == ["m.onnx.data", "m.onnx"]
    assert [path.read_text() for path in paths] == ["model", "data"]
    assert {*os.listdir(tmp_path)} == {"m.onnx", "m.onnx.data"}


@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("fails", ["m.onnx", "m.onnx.data"])
def test_several_appear_all_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool, fails: str
) -> None:
    paths = [tmp_path / "m.onnx", tmp_path / "m.onnx.data"]
    if existed:
        for path in paths:
            path.write_text(f"old {path.name}")
    replace = os.replace

    def refuse(source: str, path: str) -> None:
        if Path(path).name == fails and not source.endswith(".old"):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        replace(source, path)

    monkeypatch.setattr(os, "replace", refuse)
    with (
        pytest.raises(ExportError, match="cannot be written: Operation not permitted"),
        targets(paths, overwrite=True) as both,
    ):
        put(both[0], "new")
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == ({path.name: f"old {path.name}" for path in paths} if existed else {})


@pytest.mark.parametrize("durable", [False, True])
def test_the_disk_is_asked_to_confirm_only_if_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    synced, sync = [], os.fsync

    def spy(fd: int) -> None:
        synced.append(stat.S_IFMT(os.fstat(fd).st_mode))
        sync(fd)

    monkeypatch.setattr(os, "fsync", spy)
    with target(tmp_path / "m.h5", durable=durable):
        pass
    assert synced == ([stat.S_IFREG, stat.S_IFDIR] if durable else [])


def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    written, total = int(3.1 * GIB), int(4.9 * GIB)
    error = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(DiskError) as caught, target(path):
        raise disk_error(error, "/mnt/out", written, total)
    assert str(caught.value) == (
        f"{path}: file: no space left after 3.1 of 4.9 GiB (free 1.8 GiB on /mnt/out, or write "
        "elsewhere; the unfinished file was removed)\n"
        "  An earlier big.onnx, if there was one, is untouched."
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "file: no space left \\(free some on .*, or write elsewhere; "),
        (errno.EDQUOT, "file: the disk quota is used up \\(free some on "),
        (errno.EFBIG, "file: larger than a file may be here \\(write elsewhere; "),
    ],
)
def test_a_block_that_writes_by_itself_may_find_the_disk_full(
    tmp_path: Path, number: int, message: str
) -> None:
    with pytest.raises(DiskError, match=message), target(tmp_path / "m.h5"):
        raise OSError(number, os.strerror(number))
    assert os.listdir(tmp_path) == []


def test_other_errors_of_the_block_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Input/output error"), target(tmp_path / "m.h5"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    expected = f"^{tmp_path}/m.h5: layer: not to be expressed$"
    with pytest.raises(ExportError, match=expected), target(tmp_path / "m.h5"):
        raise ExportError("not to be expressed", where="layer")
    assert os.listdir(tmp_path) == []
