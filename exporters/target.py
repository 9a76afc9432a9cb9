"""Files that appear whole or not at all: written beside their target, renamed at the end."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from ..errors import ExistsError, ExportError, KerasirError, UsageError

Path = str | os.PathLike[str]

FULL = {
    errno.ENOSPC: "no space left",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "larger than a file may be here",
}
"""Errors of writing that only more room cures, in our words."""


class DiskError(ExportError):
    """The disk took less than the file needs."""


@contextmanager
def target(path: Path, *, overwrite: bool = False, durable: bool = False) -> Generator[str]:
    """Give an empty file to write in place of `path`, and put it there at the end.

    As of `targets`, for a single file.
    """
    with targets([path], overwrite=overwrite, durable=durable) as (temporary,):
        yield temporary


@contextmanager
def targets(
    paths: Sequence[Path], *, overwrite: bool = False, durable: bool = False
) -> Generator[tuple[str, ...]]:
    """Give empty files to write in place of `paths`, and put them there together at the end.

    Each lies in the folder of its target under a hidden random name. Whatever exception leaves the
    block, what a signal handler raises included, the files are removed, and targets that existed
    are as they were. Nothing but an end of the process itself, such as by SIGKILL, leaves any.

    Args:
        paths: The targets. The first is the one that refers to the others: it is renamed last, so
            that it never stands beside companions that are older or missing.
        overwrite: Replace what exists; only regular files are ever replaced.
        durable: Have the disk confirm files and folders before and after renaming.

    Raises:
        UsageError: A target exists and may not be overwritten, or is no regular file.
        DiskError: The disk is full.
        ExportError: The folder is missing or cannot be written to.
    """
    names = [os.fspath(path) for path in paths]
    temporaries: list[str] = []
    try:
        for name in names:
            _check(name, overwrite)
        for name in names:
            temporaries.append(_beside(name))
            _create(temporaries[-1], name)
        yield tuple(temporaries)
        if durable:
            for temporary, name in zip(temporaries, names, strict=True):
                _sync(temporary, name)
        _put_in_place(list(zip(temporaries, names, strict=True))[::-1], overwrite)
        if durable:
            for name in names:
                _sync(_folder(name), name)
    except OSError as error:  # the block writes nothing but the targets
        if error.errno not in FULL:
            raise
        raise _finished(disk_error(error, _folder(names[0])), names[0]) from error
    except ExportError as error:
        _finished(error, names[0])
        raise
    finally:
        for temporary in temporaries:
            with suppress(OSError):  # renamed by now, or in a folder that is gone
                os.unlink(temporary)


@contextmanager
def unproven(path: Path, *, overwrite: bool = False, durable: bool = False) -> Generator[str]:
    """Give a path to write a file to and look at it, and put it in place of `path` at the end.

    It has its own name in a hidden folder beside its target, and so have files that it refers to;
    they are all moved together. Whatever exception leaves the block, nothing is left.

    Args:
        path: The target.
        overwrite: Replace what exists at the end; only regular files are ever replaced. What is
            the same to the byte may be there in any case.
        durable: Have the disk confirm the new names; the files are the writer's to confirm.

    Raises:
        UsageError: A target exists and may not be overwritten, or is no regular file.
        ExportError: The folder is missing or cannot be written to.
    """
    name = os.fspath(path)
    _check(name, overwrite=True)
    try:
        folder = _beside(name)
        os.mkdir(folder, 0o700)
    except OSError as error:
        raise _refusal(error, name) from error
    own = os.path.join(folder, os.path.basename(name))
    try:
        yield own
        # the file that refers to the others comes last
        written = sorted(os.listdir(folder), key=lambda found: found == os.path.basename(name))
        pairs = [(os.path.join(folder, one), os.path.join(_folder(name), one)) for one in written]
        _put_in_place([*pairs[:-1], (own, name)], overwrite)
        if durable:
            _sync(_folder(name), name)
    except KerasirError as error:
        if error.file == own:  # of no use to anybody by now
            error.file = name
        error.hint = error.hint.replace(folder, _folder(name))
        raise
    finally:
        _remove(folder)


def _remove(folder: str) -> None:
    """Remove a folder, also if a signal breaks off the first attempt."""
    with suppress(OSError):  # it is empty if all went well
        os.rmdir(folder)
    if not os.path.lexists(folder):
        return
    import shutil

    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        if os.path.lexists(folder):
            shutil.rmtree(folder, ignore_errors=True)


def disk_error(error: OSError, folder: str, written: int = 0, total: int = 0) -> DiskError:
    """The error for a disk that took `written` of `total` bytes; both 0 if not known."""
    what, cure = FULL[error.errno or 0], "write elsewhere"
    if total:
        size, unit = _unit(total)
        what = f"{what} after {written / size:.1f} of {total / size:.1f} {unit}"
    if error.errno != errno.EFBIG:
        size, unit = _unit(total - written)
        missing = f"{(total - written) / size:.1f} {unit}" if total else "some"
        cure = f"free {missing} on {folder}, or {cure}"
    return DiskError(what, where="file", hint=f"{cure}; the unfinished file was removed")


def _unit(count: int) -> tuple[int, str]:
    """The binary unit to print a number of bytes in."""
    power = min(max(count.bit_length() - 1, 10) // 10, 4)
    return 1 << 10 * power, ("KiB", "MiB", "GiB", "TiB")[power - 1]


def _finished(error: ExportError, name: str) -> ExportError:
    """The error, with the name of the file that could not be written."""
    if isinstance(error, DiskError) and not error.details:
        earlier = os.path.basename(name)
        error.details = (f"An earlier {earlier}, if there was one, is untouched.",)
    return error.at(file=name)


def _folder(name: str) -> str:
    return os.path.dirname(name) or os.curdir


def _beside(name: str) -> str:
    """A hidden name in the same folder that nobody can foresee; it does not grow with `name`."""
    return os.path.join(_folder(name), f".kerasir-{os.urandom(8).hex()}.tmp")


def _check(name: str, overwrite: bool) -> None:
    """Refuse a target that is there and may not be replaced."""
    if not os.path.basename(name):
        raise UsageError("names a folder, not a file", file=name)
    try:
        mode = os.lstat(name).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refusal(error, name) from error
    if stat.S_ISDIR(mode):
        raise UsageError("is a folder", file=name, hint="name a file in it")
    if not stat.S_ISREG(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "a device, a pipe or a socket"
        raise UsageError(
            f"is {kind}, and only a regular file is ever replaced",
            file=name,
            hint="name another file, or remove it",
        )
    if not overwrite:
        raise ExistsError("exists", file=name, hint="--overwrite replaces it")


def _create(temporary: str, name: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    try:
        os.close(os.open(temporary, flags, 0o666))
    except OSError as error:
        raise _refusal(error, name) from error


def _refusal(error: OSError, name: str) -> ExportError:
    folder = _folder(name)
    if error.errno in FULL:
        return disk_error(error, folder)
    if not os.path.isdir(folder):
        return ExportError(f"there is no folder {folder}", file=name, hint="make it first")
    return ExportError(f"cannot be written: {error.strerror}", file=name, hint="write elsewhere")


def _sync(path: str, name: str) -> None:
    """Have the disk confirm a file, or the names in a folder."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise _refusal(error, name) from error


def _put_in_place(pairs: Sequence[tuple[str, str]], overwrite: bool) -> None:
    """Move files to their targets, of which others may have made some since.

    What they made is kept, unless it is the same: of two equal runs at a time both do their work.
    """
    for temporary, name in pairs:
        _check(name, overwrite=True)
        if not overwrite and os.path.lexists(name):
            import filecmp

            _check(name, filecmp.cmp(temporary, name, shallow=False))
    _rename(pairs)


def _rename(pairs: Sequence[tuple[str, str]]) -> None:
    """Rename all; if one cannot be, put back what those before it replaced."""
    done: list[tuple[str, str]] = []
    try:
        for temporary, name in pairs[:-1]:
            old = f"{temporary}.old" if os.path.lexists(name) else ""
            done.append((old, name))
            if old:
                os.rename(name, old)
            os.replace(temporary, name)
        os.replace(*pairs[-1])
    except BaseException as error:
        for old, name in reversed(done):
            with suppress(FileNotFoundError):  # not renamed yet
                os.replace(old, name) if old else os.unlink(name)
        if isinstance(error, OSError):
            raise _refusal(error, pairs[-1][1]) from error
        raise
    for old, _ in done:
        if old:
            os.unlink(old)
