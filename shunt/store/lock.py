"""Locks across processes: one shunt per state folder, one writer per file.

The operating system drops a lock when its holder ends, however it ends, so a lock is never stale. The
file beside it that names the holder may be; it is only read when the lock is really held.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final

from attrs import define, field
from filelock import BaseFileLock, FileLock, Timeout

from shunt.errors import StoreError, StoreLocked
from shunt.store.files import PRIVATE, make_private_dir, read_private, write_private

PATIENCE: Final = 10.0
"""Seconds to wait for another process that is writing the same file; a write takes milliseconds."""

_HOLDER_LIMIT: Final = 4096


@contextmanager
def exclusive(lock_file: Path, refusal: str, patience: float = PATIENCE) -> Iterator[None]:
    """Keep a lock file locked, against threads of this and all other processes.

    Blocks the thread for up to `patience` seconds.

    Raises:
        StoreError: with `refusal`, when somebody else keeps it locked; or it cannot be made.
    """
    make_private_dir(lock_file.parent)
    lock = _lock(lock_file)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise StoreError(refusal) from None
    except OSError as error:
        raise StoreError(f"cannot lock {lock_file}: {(error.strerror or '').lower()}") from error
    try:
        yield
    finally:
        _give_up(lock)


def writing(path: Path, patience: float = PATIENCE) -> AbstractContextManager[None]:
    """Hold the right to change `path`. Raises as `exclusive`."""
    refusal = f"cannot change {path}: another program has kept it locked for {patience:g} s"
    return exclusive(path.with_name(f"{path.name}.lock"), refusal, patience)


@define
class InstanceLock:
    """The proof that this process owns a state folder. Keep it (dropping it gives the folder up); release it last."""

    folder: Path
    _lock: BaseFileLock = field(repr=False)

    def note(self, port: int) -> None:
        """Write down who holds the folder, for the message a second instance gives; raises StoreError."""
        holder = json.dumps({"pid": os.getpid(), "port": port}).encode()
        write_private(_holder_file(self.folder), holder)

    def release(self) -> None:
        """Give the folder up; a second call does nothing."""
        if self._lock.is_locked:
            _holder_file(self.folder).unlink(missing_ok=True)
            self._lock.release()


def own(folder: Path) -> InstanceLock:
    """Take the state folder for this process, at once or not at all.

    Raises:
        StoreLocked: another shunt has it; the message says which, as far as it is known.
        StoreError: the folder cannot be used.
    """
    make_private_dir(folder)
    lock = _lock(folder / "shunt.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise StoreLocked(_taken(folder)) from None
    except OSError as error:
        raise StoreError(f"cannot lock {folder}: {(error.strerror or '').lower()}") from error
    return InstanceLock(folder, lock)


def is_owned(folder: Path) -> bool:
    """Whether a process has the folder at this moment; what it noted may be older. Nothing is created."""
    path = folder / "shunt.lock"
    if not path.exists():
        return False
    lock = _lock(path)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def holder(folder: Path) -> tuple[int, int] | None:
    """Process id and port that the last owner of the folder noted, if they can be read."""
    try:
        found = json.loads(read_private(_holder_file(folder), limit=_HOLDER_LIMIT) or b"null")
        return int(found["pid"]), int(found["port"])
    except (StoreError, ValueError, TypeError, KeyError):
        return None


def _taken(folder: Path) -> str:
    known = holder(folder)
    who = f"process {known[0]} on port {known[1]}" if known else "another process"
    return (
        f"another shunt is already running with {folder} ({who}); stop it first, "
        "or give this one files of its own with --home DIR"
    )


def _holder_file(folder: Path) -> Path:
    return folder / "shunt.lock.json"


def _give_up(lock: BaseFileLock) -> None:
    """Unlock, also where the file system refuses to: what was done under the lock is done all the same."""
    try:
        lock.release()
    except OSError:
        context = lock._context  # noqa: SLF001 - it offers no way to be rid of a lock it cannot unlock
        fd, context.lock_file_fd, context.lock_counter = context.lock_file_fd, None, 0
        if fd is not None:
            with suppress(OSError):
                os.close(fd)  # which ends the lock as well


def _lock(path: Path) -> BaseFileLock:
    # Not bound to a thread: what is taken in one may be given back in another. No fall-back to a lock
    # that lives on after its holder.
    return FileLock(path, mode=PRIVATE, thread_local=False, fallback_to_soft=False)
