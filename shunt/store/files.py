"""Private files: each is the old or the new version after a crash, and nobody else reads it.

A write goes to a new file in the same folder (mode 0600 from its first moment), is flushed to disk,
renamed over the old one, and the folder is flushed too: only then does a rename survive a power cut
on every file system. A read refuses what an attacker or an accident may have put in the place of a
file of ours, and never waits (opening a FIFO would).
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from shunt.errors import StoreError

PRIVATE: Final = 0o600
PRIVATE_DIR: Final = 0o700

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_SYNCED: Final = frozenset({"Dropbox", "OneDrive", "Google Drive", "Mobile Documents", "iCloudDrive"})
"""Folders whose content leaves this machine."""

# Absent on Windows, where they have no counterpart.
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


def write_private(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Replace `path` by `data`, durably: once this returns, a power cut no longer undoes it.

    Raises:
        StoreError: the old file is intact, or (when only the last flush failed) the new one is complete.
    """
    make_private_dir(path.parent)
    temp = path.with_name(f".{path.name}.{token_hex(8)}.tmp")
    with explained("write", path):
        try:
            write_new(temp, data, mode)
            temp.replace(path)
        except BaseException:
            with suppress(OSError):
                temp.unlink()
            raise
        sync_folder(path.parent)


def read_private(path: Path, *, limit: int, follow: bool = False) -> bytes | None:
    """The whole content of a file; None when there is none.

    Args:
        path: The file.
        limit: Bytes above which it cannot be what it should be.
        follow: Whether a symbolic link is an accepted way to keep this file (people link dotfiles).

    Raises:
        StoreError: it exists but cannot be read or trusted. Never mistake that for an absent file.
    """
    flags = os.O_RDONLY | _NONBLOCK | _CLOEXEC | _BINARY | (0 if follow else _NOFOLLOW)
    with explained("read", path):
        try:
            fd = os.open(path, flags)
        except FileNotFoundError:
            if not follow or not path.is_symlink():
                return None
            raise StoreError(f"cannot read {path}: it is a link to a file that does not exist") from None
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise StoreError(f"cannot read {path}: it is a socket, not a file") from None
            if error.errno == errno.ELOOP:
                raise StoreError(
                    f"cannot read {path}: it is a symbolic link; put the file itself there"
                ) from None
            raise
        try:
            status = os.fstat(fd)
            if (doubt := doubt_about(status, limit)) is not None:
                raise StoreError(f"cannot read {path}: {doubt}")
            return read_all(fd, path, limit)
        finally:
            os.close(fd)


def make_private_dir(path: Path) -> None:
    """Create a folder, and those above it that are missing, for this user alone; raises StoreError."""
    with explained("create the folder", path):
        for folder in (*reversed(path.parents), path):
            with suppress(FileExistsError):
                if not folder.is_dir():
                    folder.mkdir(mode=PRIVATE_DIR)
        if not path.is_dir():
            raise StoreError(f"cannot create the folder {path}: a file of that name is in the way")


def remove_stray(path: Path) -> int:
    """Remove what interrupted writes of `path` left; the number of files removed.

    Call it while nobody else can be writing `path` (under its lock): the files of a write that is
    still going on look the same.
    """
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.tmp")
    removed = 0
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    Path(entry.path).unlink()
                    removed += 1
    return removed


def set_aside(path: Path, at: float) -> Path:
    """Rename a file that cannot be used to `NAME.corrupt-SECONDS`, and say what it is called now.

    Raises:
        StoreError: it could not be renamed.
    """
    with explained("set aside", path):
        target = path.with_name(f"{path.name}.corrupt-{int(at)}")
        number = 1
        while target.exists() or target.is_symlink():
            number += 1
            target = path.with_name(f"{path.name}.corrupt-{int(at)}-{number}")
        path.rename(target)
        return target


def tighten(path: Path) -> str | None:
    """Take away everybody else's access to a file of ours; what was done, or None if nothing had to be."""
    with suppress(OSError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_mode & _OTHERS and _is_ours(status):
            path.chmod(PRIVATE)
            return f"{path} could be read or written by other users (mode {status.st_mode & 0o777:04o}); it is 0600 now"
    return None


def findings(path: Path) -> tuple[str, ...]:
    """What is doubtful about where and how a private file or folder is kept, each with its cure."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return ()
    except OSError as error:
        return (f"{path}: {_reason(error)}",)
    return tuple(_findings(path, status))


def _findings(path: Path, status: os.stat_result) -> Iterator[str]:
    folder = stat.S_ISDIR(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        yield f"{path} is a symbolic link to {path.resolve()}"
        return
    if not folder and not stat.S_ISREG(status.st_mode):
        yield f"{path} is {_kind(status)}, not a file; move it away"
        return
    if not _is_ours(status):
        yield f"{path} belongs to another user (uid {status.st_uid}); run: chown $(id -u) {path}"
    if os.name == "posix" and status.st_mode & _OTHERS:
        mode = "700" if folder else "600"
        yield f"{path} is open to other users (mode {status.st_mode & 0o777:04o}); run: chmod {mode} {path}"
    if not folder and status.st_nlink > 1:
        yield f"{path} has {status.st_nlink} names (hard links); old secrets stay under the others"
    for parent in path.absolute().parents:
        if parent.name in _SYNCED:
            yield f"{path} lies in {parent}, which is copied to other machines; move it with SHUNT_HOME"
        if (parent / ".git").exists():
            yield f"{path} lies in the git work tree {parent}; take care not to commit it"


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────


def write_new(path: Path, data: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Write a file that must not exist yet, down to the disk. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOEXEC | _BINARY
    fd = os.open(path, flags, PRIVATE)
    try:
        if os.name == "posix":
            made = os.fstat(fd)
            if owner not in (None, (made.st_uid, made.st_gid)):
                os.fchown(fd, *owner)
            os.fchmod(fd, mode)  # the umask may have taken more away than it should
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Make a rename in this folder outlast a power cut. Raises OSError."""
    if os.name != "posix":
        return  # Windows cannot open a folder; its rename is journalled
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        # Some network and FUSE file systems cannot flush a folder at all; nothing more can be done there.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}:
            raise
    finally:
        os.close(fd)


def read_all(fd: int, path: Path, limit: int) -> bytes:
    """Read an open file from where it stands. Raises StoreError when there is more than the limit."""
    parts: list[bytes] = []
    size = 0
    while part := os.read(fd, 1 << 20):
        parts.append(part)
        size += len(part)
        if size > limit:  # it grew while being read
            raise StoreError(f"cannot read {path}: it is larger than {limit} bytes")
    return b"".join(parts)


def doubt_about(status: os.stat_result, limit: int) -> str | None:
    """Why an opened file is not to be trusted, or None."""
    if not stat.S_ISREG(status.st_mode):
        return f"it is {_kind(status)}, not a file"
    if status.st_size > limit:
        return f"it is larger than {limit} bytes"
    if os.name == "posix" and not _is_ours(status):
        return f"it belongs to another user (uid {status.st_uid})"
    if os.name == "posix" and status.st_mode & stat.S_IWOTH:
        return "everybody on this machine may write to it; check its content, then run: chmod 600"
    return None


def _is_ours(status: os.stat_result) -> bool:
    if os.name != "posix":
        return True
    # Root may use anybody's file (containers mount them so), and anybody may use root's.
    return os.geteuid() in {0, status.st_uid} or status.st_uid == 0


def _kind(status: os.stat_result) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    return next((name for test, name in kinds if test(status.st_mode)), "a device")


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


@contextmanager
def explained(verb: str, path: Path) -> Iterator[None]:
    """Turn an OSError into a StoreError that names the file and what was to be done with it."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot {verb} {path}: {_reason(error)}") from error
