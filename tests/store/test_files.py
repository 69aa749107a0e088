from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shunt.errors import StoreError
from shunt.store.files import (
    findings,
    make_private_dir,
    read_private,
    remove_stray,
    set_aside,
    tighten,
    write_private,
)

LIMIT = 1 << 20


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_a_written_file_is_private_under_any_umask(tmp_path: Path, umask: int) -> None:
    """Nobody else ever reads it, and we always can, whatever the umask."""
    path = tmp_path / "new" / "deeper" / "credentials.json"
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "deeper").mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        write_private(path, b"one")
        write_private(path, b"two")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"two"
    assert mode_of(path) == 0o600
    assert names(path.parent) == ["credentials.json"]


def test_missing_folders_are_created_private(tmp_path: Path) -> None:
    """Folders on the way are this user's alone, even under umask 000."""
    before = os.umask(0)
    try:
        write_private(tmp_path / "a" / "b" / "f", b"x")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "a") == mode_of(tmp_path / "a" / "b") == 0o700


def test_the_mode_can_be_kept(tmp_path: Path) -> None:
    """A file people may share is written with the mode it had."""
    write_private(tmp_path / "config.toml", b"x", mode=0o644)
    assert mode_of(tmp_path / "config.toml") == 0o644


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes a few bytes at a time gets all of them."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    write_private(tmp_path / "f", b"0123456789")
    assert (tmp_path / "f").read_bytes() == b"0123456789"


def test_the_order_of_a_durable_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is flushed before the rename, the folder after it."""
    done: list[str] = []

    def noted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **keywords: Any) -> Any:
            kind = "folder" if name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode) else ""
            done.append(name + kind)
            return real(*args, **keywords)

        return call

    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name))
    write_private(tmp_path / "f", b"x")
    assert done == ["write", "fsync", "replace", "fsyncfolder"]


@pytest.mark.parametrize("call", ["open", "fchmod", "write", "fsync", "replace"])
@pytest.mark.parametrize(
    "fault",
    [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EMFILE, errno.ENAMETOOLONG],
)
def test_a_fault_at_any_call_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    """Disk full, read-only, broken: the old content stays, no temporary file does, and the error says why."""
    path = tmp_path / "f"
    write_private(path, b"old")

    def broken(*_args: Any, **_keywords: Any) -> Any:
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, broken)
        with pytest.raises(StoreError, match=os.strerror(fault).lower()) as caught:
            write_private(path, b"new")
    assert str(path) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]
    write_private(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_fault_of_the_last_flush_leaves_the_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When only the folder cannot be flushed the new content is complete, and the caller is told."""
    real = os.fsync

    def broken(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(fd)

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreError):
        write_private(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_folder_that_cannot_be_flushed_at_all_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems without a flush for folders are lived with."""
    real = os.fsync

    def unsupported(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(fd)

    monkeypatch.setattr(os, "fsync", unsupported)
    write_private(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_descriptors_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed write leaves no file open."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, not reading

    def broken(_fd: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    for _ in range(5):
        with pytest.raises(StoreError):
            write_private(tmp_path / "f", b"x")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    """A folder of the file's name is not replaced, and leaves nothing behind."""
    (tmp_path / "f").mkdir()
    with pytest.raises(StoreError):
        write_private(tmp_path / "f", b"x")
    assert names(tmp_path) == ["f"]


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    """The message names what is in the way."""
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(StoreError, match="in the way"):
        make_private_dir(tmp_path / "a")
    with pytest.raises(StoreError):
        write_private(tmp_path / "a" / "f", b"x")


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


def test_reading(tmp_path: Path) -> None:
    """A file is read whole; an absent one is None, and so is one in an absent folder."""
    (tmp_path / "f").write_bytes(b"x" * 100)
    assert read_private(tmp_path / "f", limit=100) == b"x" * 100
    assert read_private(tmp_path / "g", limit=100) is None
    assert read_private(tmp_path / "no" / "g", limit=100) is None


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def link(path: Path) -> None:
    path.with_name("target").write_bytes(b"x")
    path.symlink_to("target")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def large(path: Path) -> None:
    path.write_bytes(b"x" * (LIMIT + 1))


def open_to_all(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0o666)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (fifo, "a FIFO"),
        (folder, "a folder"),
        (a_socket, "not a file"),
        (link, "symbolic link"),
        (dangling, "symbolic link"),
        (device, "symbolic link"),
        (large, "larger than"),
        (open_to_all, "everybody"),
    ],
)
def test_what_is_not_our_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], said: str
) -> None:
    """Whatever lies in the place of a private file is named and refused at once, without waiting."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "f"
    make(path)
    with pytest.raises(StoreError, match=said) as caught:
        read_private(path, limit=LIMIT)
    assert str(path) in str(caught.value)


def test_links_can_be_followed(tmp_path: Path) -> None:
    """Files that people keep elsewhere are read through their link; devices behind it are not."""
    link(tmp_path / "f")
    assert read_private(tmp_path / "f", limit=LIMIT, follow=True) == b"x"
    device(tmp_path / "d")
    with pytest.raises(StoreError, match="a device"):
        read_private(tmp_path / "d", limit=LIMIT, follow=True)
    dangling(tmp_path / "g")
    with pytest.raises(StoreError, match="does not exist"):
        read_private(tmp_path / "g", limit=LIMIT, follow=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another user owns, another user may have planted."""
    path = tmp_path / "f"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    os.chown(path, 23456, -1)
    with pytest.raises(StoreError, match="another user"):
        read_private(path, limit=LIMIT)
    assert "another user" in findings(path)[0]
    os.chown(path, 0, -1)
    assert read_private(path, limit=LIMIT) == b"x"


@pytest.mark.parametrize("call", ["open", "read", "fstat"])
@pytest.mark.parametrize("fault", [errno.EMFILE, errno.ENFILE, errno.EIO, errno.EACCES])
def test_a_file_that_cannot_be_read_is_not_an_absent_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    """Running out of descriptors or a bad disk never looks like "there is no file"."""
    path = tmp_path / "f"
    path.write_bytes(b"x")

    def broken(*_args: Any, **_keywords: Any) -> Any:
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, broken)
        with pytest.raises(StoreError, match=os.strerror(fault).lower()):
            read_private(path, limit=LIMIT)


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit holds for what is read, not only for what was promised."""
    path = tmp_path / "f"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "read", lambda _fd, size: b"y" * size)
    with pytest.raises(StoreError, match="larger than"):
        read_private(path, limit=LIMIT)


# ── Care ──────────────────────────────────────────────────────────────────────────────────────────


def test_only_our_own_strays_are_removed(tmp_path: Path) -> None:
    """Left-overs of our writes go; everything else in the folder stays."""
    kept = [".f.tmp", ".f.0123456789abcdef.tmpx", ".g.0123456789abcdef.tmp", "f", ".f.XYZ3456789abcdef.tmp"]
    for name in [*kept, ".f.0123456789abcdef.tmp", ".f.fedcba9876543210.tmp"]:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".f.aaaaaaaaaaaaaaaa.tmp").mkdir()
    assert remove_stray(tmp_path / "f") == 2
    assert names(tmp_path) == sorted([*kept, ".f.aaaaaaaaaaaaaaaa.tmp"])
    assert remove_stray(tmp_path / "nowhere" / "f") == 0


def test_an_interrupted_write_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process leaves is recognised as ours."""

    def killed(*_args: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        patched.setattr(os, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            write_private(tmp_path / "f", b"x")
    assert len(names(tmp_path)) == 1
    assert remove_stray(tmp_path / "f") == 1


def test_setting_aside_loses_nothing(tmp_path: Path) -> None:
    """A file that cannot be used is renamed, twice in one second if need be, never overwritten."""
    for content in (b"1", b"2"):
        (tmp_path / "state.json").write_bytes(content)
        set_aside(tmp_path / "state.json", 1_700_000_000.9)
    assert names(tmp_path) == ["state.json.corrupt-1700000000", "state.json.corrupt-1700000000-2"]
    with pytest.raises(StoreError):
        set_aside(tmp_path / "absent", 1.0)


def test_tighten(tmp_path: Path) -> None:
    """Access that others had is taken away and reported; a private file is left alone."""
    path = tmp_path / "f"
    path.write_bytes(b"")
    path.chmod(0o644)
    done = tighten(path)
    assert done is not None
    assert "0644" in done
    assert mode_of(path) == 0o600
    assert tighten(path) is None
    assert tighten(tmp_path / "absent") is None


def test_findings(tmp_path: Path) -> None:
    """Doubts about a file are told with their cure; a well-kept one gives none."""
    path = tmp_path / "f"
    assert findings(path) == ()
    write_private(path, b"")
    assert findings(path) == ()
    path.chmod(0o640)
    assert "chmod 600" in findings(path)[0]
    path.chmod(0o600)
    os.link(path, tmp_path / "other")
    assert "hard links" in findings(path)[0]
    (tmp_path / "link").symlink_to("f")
    assert "symbolic link" in findings(tmp_path / "link")[0]
    fifo(tmp_path / "pipe")
    assert "a FIFO" in findings(tmp_path / "pipe")[0]
    (tmp_path / "Dropbox").mkdir(mode=0o700)
    write_private(tmp_path / "Dropbox" / "f", b"")
    assert "other machines" in findings(tmp_path / "Dropbox" / "f")[0]
    (tmp_path / ".git").mkdir()
    assert "git work tree" in findings(tmp_path / "Dropbox" / "f")[1]
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    assert "chmod 700" in findings(tmp_path / "open")[0]


def test_a_kill_at_any_moment_leaves_old_or_new(tmp_path: Path) -> None:
    """A process killed in the middle of saving leaves a whole file, private."""
    path = tmp_path / "f"
    write_private(path, b"old" * 1000)
    program = (
        "import os, sys, signal\n"
        "from pathlib import Path\n"
        "from shunt.store.files import write_private\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "setattr(os, sys.argv[2], die)\n"
        "write_private(Path(sys.argv[1]), b'new' * 1000)\n"
    )
    for call, left in (("write", b"old"), ("fsync", b"old"), ("replace", b"old")):
        done = subprocess.run([sys.executable, "-c", program, str(path), call], check=False)
        assert done.returncode == -9
        assert path.read_bytes() == left * 1000
        assert mode_of(path) == 0o600
        assert remove_stray(path) == 1
