"""The last lines of the log in memory, and the lines of its file: for whoever wants to read along."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any, Final

from shunt.store.logs import BACKUPS, JsonLines, Redactor

KEPT: Final = 500
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
BLOCK: Final = 64 * 1024


class LogLines(logging.Handler):
    """Keeps the newest records; they are put into words, and secrets blanked, when somebody asks."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._records: deque[logging.LogRecord] = deque(maxlen=KEPT)
        self._words = JsonLines(redactor)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one, without what it would keep alive: arguments that change, frames of a traceback."""
        if not record.args and not record.exc_info:  # as the line of every request is
            self._records.append(record)
            return
        kept = copy(record)
        kept.msg, kept.args = record.getMessage(), None
        if record.exc_info:
            trace = self._words.formatException(record.exc_info)
            kept.__dict__["fields"] = {**getattr(record, "fields", {}), "traceback": trace}
            kept.exc_info = None
        self._records.append(kept)

    def newest(self, limit: int, level: str = "") -> list[dict[str, Any]]:
        """The last lines of a level or above, the newest last."""
        least = LEVELS.get(level.lower(), 0)
        wanted = [record for record in tuple(self._records) if record.levelno >= least]
        return [_told(self._words.format(record)) for record in wanted[-limit:]]


def _told(line: str) -> dict[str, Any]:
    # Blanking a secret can take a quotation mark along.
    return parsed(line.encode("utf-8", "replace")) or {"level": "info", "message": line}


def tail(path: Path, limit: int, least: int = 0) -> list[dict[str, Any]]:
    """The last `limit` lines of a log file and its older parts, of a level or above; the newest last.

    Raises OSError when the file itself cannot be read.
    """
    found: list[dict[str, Any]] = []
    for part in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, BACKUPS + 1))):
        if part != path and not part.exists():
            break
        for line in backwards(part):
            read = parsed(line)
            if read is not None and LEVELS.get(str(read.get("level")), 0) >= least:
                found.append(read)
                if len(found) >= limit:
                    return found[::-1]
    return found[::-1]


def backwards(path: Path) -> Iterator[bytes]:
    """The lines of a file from its end; reads no more of it than is asked for."""
    with path.open("rb") as file:
        place = file.seek(0, 2)
        rest = b""
        while place > 0:
            size = min(BLOCK, place)
            place -= size
            file.seek(place)
            first, *lines = (file.read(size) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
            rest = first
        if rest:
            yield rest


def parsed(line: bytes) -> dict[str, Any] | None:
    """One line; None for what is none of ours."""
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


class Follower:
    """Reads what is added to a log file, across its rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._place = _state(path)
        self._rest = b""

    def more(self) -> list[dict[str, Any]]:
        """Lines that were added since the last call."""
        inode, size = _state(self._path)
        out = b""
        if inode != self._inode:  # it was rotated: read the old one to its end first
            out += self._read(self._path.with_name(f"{self._path.name}.1"))
            self._inode, self._place = inode, 0
        elif size < self._place:
            self._place = 0
        out += self._read(self._path)
        *lines, self._rest = (self._rest + out).split(b"\n")
        return [read for line in lines if (read := parsed(line)) is not None]

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                file.seek(self._place)
                data = file.read()
        except OSError:
            return b""
        self._place += len(data)
        return data


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_size
