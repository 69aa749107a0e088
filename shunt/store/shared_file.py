"""Changing a file that belongs to another program, which takes no lock and may write at any moment.

What is changed is what stands in the file at the last moment: the new version lies finished beside it, the
old one is read once more, and only if it is still the same do the two exchange their names. The other program
may have put a new file there in that very instant, or still have the old one open and write into it after
that; so what was displaced is looked at once more, and what came late is carried over. Mode and owner stay, a
link stays a link, and a file that is gone stays gone.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from shunt.errors import StoreError
from shunt.store.exchange import exchange
from shunt.store.files import doubt_about, explained, read_all, sync_folder, write_new
from shunt.store.lock import exclusive

LIMIT: Final = 1024 * 1024
"""Bytes; a login needs a hundredth of that."""
ATTEMPTS: Final = 5
"""Changes tried while the other program keeps writing."""
LATE: Final = (0.0, 0.02, 0.2)
"""Seconds between looks at the old version: a writer that had it open needs milliseconds."""

_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)

Change = Callable[[bytes], bytes | None]
"""Makes the new content of the old; None where nothing is to be changed. May be called several times."""


@contextmanager
def alone_with(path: Path, refusal: str, patience: float) -> Iterator[None]:
    """Keep other shunts from using the login in a file, by a lock file beside it.

    Where there is no file, or no room for a lock beside it, there is nothing to agree on.
    Blocks the thread for up to `patience` seconds; raises StoreError, with `refusal`, when another has it.
    """
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        yield
        return
    guard = exclusive(target.with_name(f".{target.name}.shunt.lock"), refusal, patience)
    try:
        guard.__enter__()
    except StoreError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        yield
        return
    try:
        yield
    finally:
        guard.__exit__(None, None, None)


def change_shared(path: Path, change: Change, *, pause: Callable[[float], None] = time.sleep) -> bool:
    """Change another program's file; whether it was changed. Blocks the thread.

    Raises:
        StoreError: the file cannot be read, trusted or written, or it never stood still. It is left as it is.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(LATE[-1])
        with explained("change", path):
            done = _attempt(path, change, pause)
        if done is not None:
            return done
    raise StoreError(f"cannot change {path}: another program keeps writing it")


def _attempt(path: Path, change: Change, pause: Callable[[float], None]) -> bool | None:
    """Whether the file was changed; None when it was written by somebody else meanwhile."""
    try:
        target = path.resolve(strict=True)
        fd = _opened(target)
    except FileNotFoundError:
        return False
    except RuntimeError:
        raise StoreError(f"cannot change {path}: its links lead in a circle") from None
    try:
        status = os.fstat(fd)
        if (doubt := doubt_about(status, LIMIT)) is not None:
            raise StoreError(f"cannot change {path}: {doubt}")
        before = _content(fd, path)
        after = change(before)
        if after is None or after == before:
            return False
        if status.st_nlink > 1:
            raise StoreError(f"cannot change {path}: it has {status.st_nlink} names (hard links)")
        displaced = _replace(target, fd, before, after)
        if displaced is None:
            return None
        _carry_over(target, displaced, before, after, change, pause)
        return True
    except FileNotFoundError:  # it was removed meanwhile
        return False
    finally:
        os.close(fd)


def _replace(target: Path, fd: int, before: bytes, after: bytes) -> int | None:
    """Put a new version in the place of the one open as `fd`, if that is still what it was.

    Returns the version that was displaced, open.
    """
    temp = target.with_name(f".{target.name}.{token_hex(8)}.tmp")
    status = os.fstat(fd)
    try:
        write_new(temp, after, stat.S_IMODE(status.st_mode) & 0o777, (status.st_uid, status.st_gid))
        if not _stands(target, fd, before):
            return None
        if exchange(temp, target):
            displaced = _opened(temp)  # what was really there: perhaps it came a moment ago
        else:
            temp.replace(target)
            displaced = os.dup(fd)
        sync_folder(target.parent)
        return displaced
    finally:
        with suppress(FileNotFoundError):
            temp.unlink()


def _stands(target: Path, fd: int, before: bytes) -> bool:
    """Whether the name still leads to the file that is open, with the content that was read."""
    named, opened = target.lstat(), os.fstat(fd)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino) and _content(fd, target) == before


def _carry_over(
    target: Path, displaced: int, before: bytes, after: bytes, change: Change, pause: Callable[[float], None]
) -> None:
    """Bring what the other program wrote into a version that has no name any more into the new one."""
    try:
        for seconds in LATE:
            pause(seconds)
            late = _content(displaced, target)
            if late in (before, after) or not _whole(late):
                continue
            wanted = change(late)
            fd = _opened(target)
            try:
                if _content(fd, target) != after:
                    return  # it has been written since, too
                newer = _replace(target, fd, after, late if wanted is None else wanted)
            finally:
                os.close(fd)
            if newer is None:
                return
            os.close(displaced)
            displaced, before, after = newer, after, late if wanted is None else wanted
    except FileNotFoundError:
        return  # its user has logged out
    finally:
        os.close(displaced)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY | _NONBLOCK | _NOFOLLOW | _CLOEXEC | _BINARY)


def _content(fd: int, path: Path) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    return read_all(fd, path, LIMIT)


def _whole(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
