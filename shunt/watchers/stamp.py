"""What tells, without reading it, that a file is no longer the one that was read."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen
class Stamp:
    """A file's identity and version."""

    modified_ns: int
    inode: int
    size: int


def stamp_of(path: Path) -> Stamp | None:
    """Return the stamp of the file a path leads to; None when there is none.

    Raises OSError when that cannot be found out: no file handles left does not mean no file.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Stamp(found.st_mtime_ns, found.st_ino, found.st_size)
