from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import BaseFileLock, FileLock

from shunt.errors import StoreError, StoreLocked
from shunt.store.lock import exclusive, holder, is_owned, own, writing

OTHER = """
import sys, time
from pathlib import Path
from shunt.store.lock import own, writing
path = Path(sys.argv[2])
if sys.argv[1] == "own":
    lock = own(path)
    lock.note(4242)
    print("held", flush=True)
    time.sleep(60)
with writing(path):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(kind: str, path: Path) -> subprocess.Popen[str]:
    """Another process that keeps a lock until it is killed."""
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, kind, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def end(other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.communicate()


def test_one_owner_per_folder(tmp_path: Path) -> None:
    """A second shunt on a folder is told who has it, and a third may have it afterwards."""
    first = own(tmp_path / "state")
    first.note(8082)
    assert holder(tmp_path / "state") == (os.getpid(), 8082)
    with pytest.raises(StoreLocked, match=f"process {os.getpid()} on port 8082") as caught:
        own(tmp_path / "state")
    assert "--home" in str(caught.value)
    first.release()
    first.release()
    assert holder(tmp_path / "state") is None
    own(tmp_path / "state").release()


def test_folders_are_independent(tmp_path: Path) -> None:
    """Two shunts with files of their own run side by side."""
    one, two = own(tmp_path / "a"), own(tmp_path / "b")
    one.release()
    two.release()


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    """While the other process lives it owns the folder; once it is killed, whatever it noted, it does not."""
    other = hold("own", tmp_path)
    try:
        with pytest.raises(StoreLocked, match=f"process {other.pid} on port 4242"):
            own(tmp_path)
    finally:
        end(other)
    assert holder(tmp_path) == (other.pid, 4242)
    own(tmp_path).release()


def test_an_unnamed_owner(tmp_path: Path) -> None:
    """An owner that noted nothing readable still owns the folder."""
    lock = own(tmp_path)
    (tmp_path / "shunt.lock.json").write_text("[]")
    with pytest.raises(StoreLocked, match="another process"):
        own(tmp_path)
    lock.release()


def test_lock_files_are_private(tmp_path: Path) -> None:
    """Nobody else may hold our locks."""
    lock = own(tmp_path)
    lock.note(1)
    with writing(tmp_path / "f"):
        pass
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "shunt.lock": 0o600,
        "shunt.lock.json": 0o600,
        "f.lock": 0o600,
    }
    lock.release()


def test_a_lock_may_be_given_back_in_another_thread(tmp_path: Path) -> None:
    """Where it was taken does not matter."""
    lock = own(tmp_path)
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    own(tmp_path).release()


def test_one_writer_per_file(tmp_path: Path) -> None:
    """A process that keeps a file locked is waited for with patience, then named as the reason."""
    other = hold("writing", tmp_path / "f")
    try:
        with pytest.raises(StoreError, match="another program"), writing(tmp_path / "f", patience=0.01):
            pytest.fail("two writers at once")
        with writing(tmp_path / "g", patience=0.01):
            pass
    finally:
        end(other)
    with writing(tmp_path / "f", patience=0.01):
        pass


def test_the_right_to_write_is_given_back_after_an_error(tmp_path: Path) -> None:
    """An exception inside does not leave the file locked."""
    with pytest.raises(ValueError, match="boom"), writing(tmp_path / "f"):
        raise ValueError("boom")
    with writing(tmp_path / "f", patience=0.01):
        pass


def test_a_place_that_cannot_be_locked(tmp_path: Path) -> None:
    """Something in the way of the lock is an error of the store, not a crash."""
    (tmp_path / "f.lock").mkdir()
    with pytest.raises(StoreError, match="cannot lock"), writing(tmp_path / "f", patience=0.01):
        pytest.fail("a folder is no lock")
    (tmp_path / "shunt.lock").mkdir()
    with pytest.raises(StoreError, match="cannot lock"):
        own(tmp_path)


def test_a_lock_that_cannot_be_unlocked_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems fail at it: the work under the lock counts, and the next one gets the lock."""
    path = tmp_path / "file.lock"
    with monkeypatch.context() as patched, exclusive(path, "taken", 0.05):
        patched.setattr(FileLock, "_release", refuse)
    with exclusive(path, "taken", 0.05):
        pass


def refuse(_lock: BaseFileLock) -> None:
    raise OSError(errno.ENOLCK, "no locks available")


def test_whether_somebody_has_the_folder(tmp_path: Path) -> None:
    """What a run noted may outlive it; the lock does not. Looking creates nothing."""
    assert not is_owned(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
    instance = own(tmp_path)
    instance.note(1)
    assert is_owned(tmp_path)
    instance.release()
    assert not is_owned(tmp_path)
