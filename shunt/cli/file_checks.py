"""`shunt doctor` on disk: who else could read or change our files, and who copies them away."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from shunt.cli.remarks import Level, Remark
from shunt.store.files import findings


def path_remarks(path: Path, *, secret: bool) -> Iterator[Remark]:
    """Look at one of our files or folders; one that is not there yet is fine.

    Args:
        path: file or folder.
        secret: it holds keys or logins: others who can get at it are a fault, not a note.
    """
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    except OSError:
        facts = None
    found = findings(path)
    if not found and facts is not None:
        yield Remark(Level.FINE, str(path), f"mode {stat.S_IMODE(facts.st_mode):04o}")
    for finding in found:
        says, _, cure = finding.partition("; ")
        level = (
            Level.NOTE
            if not secret
            else Level.FAULT
            if facts is None or _open_to_others(facts.st_mode)
            else Level.WARNING
        )
        yield Remark(level, "files", says, cure)


def _open_to_others(mode: int) -> bool:
    """Whether others can read a file, or put files into a folder."""
    if os.name != "posix" or stat.S_ISLNK(mode):
        return False
    return bool(mode & (0o022 if stat.S_ISDIR(mode) else 0o077))
