"""history.sqlite3: what became of every request, bounded by age and size.

Synchronous: call it from one thread at a time. Nothing here is worth a request, so callers drop what
cannot be written and say so; a database that cannot be used is set aside and a new one begun.
"""
# ruff: noqa: S608 - the names put into statements are our own columns; values are always bound

from __future__ import annotations

import os
import sqlite3
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

from shunt.accounts.state import RequestRecord
from shunt.errors import StoreError
from shunt.limits.samples import Sample
from shunt.store.files import PRIVATE, make_private_dir, set_aside, tighten
from shunt.store.history_rows import (
    COLUMNS,
    WINDOW_COLUMNS,
    attempt_rows,
    attempts_by_request,
    record_of,
    row_of,
    storable,
    window_row,
)
from shunt.store.history_schema import NotOurs, migrate

PATIENCE: Final = 5.0
"""Seconds to wait for another process that is writing (`shunt history` only reads)."""
DAY: Final = 86400.0
MIB: Final = 1024 * 1024

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""Result codes of a file that is no sound database, or lacks a table or column of ours."""
_PRAGMAS: Final = (
    "auto_vacuum = INCREMENTAL",  # counts only before the first table
    "journal_mode = WAL",  # readers and the one writer do not wait for each other
    "synchronous = NORMAL",  # a power cut loses the last moments, never the database
    "foreign_keys = ON",
    f"journal_size_limit = {16 * MIB}",
)
_SELECT: Final = f"SELECT seq, {', '.join(COLUMNS)} FROM requests ORDER BY at DESC, seq DESC LIMIT ?"
_SELECT_ATTEMPTS: Final = (
    "SELECT request, account, verdict, reason FROM attempts WHERE request IN"
    " (SELECT seq FROM requests ORDER BY at DESC, seq DESC LIMIT ?) ORDER BY request, place"
)
_INSERT_REQUEST: Final = (
    f"INSERT OR IGNORE INTO requests ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
)
_INSERT_WINDOW: Final = (
    f"INSERT OR REPLACE INTO windows ({', '.join(WINDOW_COLUMNS)})"
    f" VALUES ({', '.join('?' * len(WINDOW_COLUMNS))})"
)
MOST_DECISIONS: Final = 20_000
"""Requests whose routing decisions are kept in full; of older ones only the short `why` is."""
_WINDOW: Final = 12
"""Base two logarithm of the bytes that zlib looks back; a decision among fifty accounts is some 5 kB."""
_TABLES: Final = 4
_OLDEST_SHARE: Final = 10
"""One part in so many goes at a time while the database is too large."""


@frozen
class Opened:
    """An open history."""

    history: History
    warning: str | None = None
    """What was set aside, for people."""


def open_history(path: Path, at: float) -> Opened:
    """Open or create the database, for this user alone.

    Args:
        path: The file.
        at: Epoch seconds of now; part of the name under which an unusable database is kept.

    Raises:
        StoreError: it cannot be opened at all (no permission, no space); there is no history then.
    """
    make_private_dir(path.parent)
    try:
        return Opened(_connect(path))
    except NotOurs as error:
        reason = str(error)
    kept = set_aside(path, at)
    for suffix in ("-wal", "-shm"):  # SQLite finds them by the name of the database
        with suppress(OSError):
            path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
    return Opened(
        _connect(path), f"{path} cannot be used: {reason}; it is kept as {kept} and a new one begun"
    )


@define
class History:
    """An open database."""

    path: Path
    _connection: sqlite3.Connection = field(repr=False)

    def insert(
        self,
        records: Iterable[RequestRecord],
        samples: Iterable[Sample] = (),
        explain: Callable[[str], bytes] = lambda _: b"",
    ) -> None:
        """Write records and windows, all of them or none; what is there already is left as it is.

        `explain` gives a request's decisions as JSON, empty when they are not known. Raises StoreError.
        """
        attempts: list[tuple[object, ...]] = []
        decisions: list[tuple[object, ...]] = []
        with self._changing() as connection:
            for record in records:
                row = row_of(record)
                try:
                    done = connection.execute(_INSERT_REQUEST, row)
                except (UnicodeEncodeError, OverflowError):  # asking it is a tenth of looking at each value
                    done = connection.execute(_INSERT_REQUEST, [*map(storable, row)])
                if done.rowcount:
                    attempts += attempt_rows(done.lastrowid, record)
                    if told := explain(record.id):
                        decisions.append((done.lastrowid, _packed(told)))
            connection.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?, ?)", attempts)
            connection.executemany("INSERT INTO decisions VALUES (?, ?)", decisions)
            connection.executemany(_INSERT_WINDOW, map(window_row, samples))

    def recent(self, limit: int) -> tuple[RequestRecord, ...]:
        """The last requests, newest first. Raises StoreError."""
        with self._explained("read"):
            rows = self._connection.execute(_SELECT, (limit,)).fetchall()
            notes = self._connection.execute(_SELECT_ATTEMPTS, (limit,)).fetchall()
        attempts = attempts_by_request(notes)
        return tuple(record_of(row[1:], attempts.get(row[0], ())) for row in rows)

    def prune(self, now: float, keep_days: int, max_mb: float) -> int:
        """Forget what is too old, then the oldest until the rest fits; the number of requests forgotten.

        The file really shrinks. Age is counted from the newest request at the latest, so that a clock that
        jumped ahead does not empty the history.

        Raises:
            StoreError: it could not be done; nothing is half done.
        """
        with self._changing() as connection:
            before = connection.total_changes
            (newest,) = connection.execute("SELECT max(at) FROM requests").fetchone()
            oldest = min(now, newest if newest is not None else now) - keep_days * DAY
            forgotten = connection.execute("DELETE FROM requests WHERE at < ?", (oldest,)).rowcount
            connection.execute("DELETE FROM windows WHERE at < ?", (oldest,))
            connection.execute(
                "DELETE FROM decisions WHERE request <= (SELECT max(request) FROM decisions) - ?",
                (MOST_DECISIONS,),
            )
            while self._used() > max_mb * MIB and (number := self._forget_oldest(connection)):
                forgotten += number
            changed = connection.total_changes > before
        if changed:
            with self._explained("shrink"):
                # execute() would stop after one page: this pragma wants to be stepped without giving rows.
                self._connection.executescript("PRAGMA incremental_vacuum")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return forgotten

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        self._connection.close()

    def _forget_oldest(self, connection: sqlite3.Connection) -> int:
        """Let the oldest part of the requests go, and the windows of the time that they cover."""
        (number,) = connection.execute("SELECT count(*) FROM requests").fetchone()
        share = -(-number // _OLDEST_SHARE)
        oldest = "SELECT seq FROM requests ORDER BY at, seq LIMIT ?"
        gone = connection.execute(f"DELETE FROM requests WHERE seq IN ({oldest})", (share,)).rowcount
        connection.execute("DELETE FROM windows WHERE at < coalesce((SELECT min(at) FROM requests), 9e999)")
        return gone

    def _used(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._explained("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.rollback()
                raise

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"cannot {verb} {self.path}: {error}") from error


def _packed(text: bytes) -> bytes:
    """Compress a short text.

    With zlib's own sizes of tables, clearing them takes five times as long as the rest; a higher level saves a
    tenth of the bytes for three times as long.
    """
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, _TABLES)
    return packer.compress(text) + packer.flush()


def _connect(path: Path) -> History:
    """Open a database that is ours, or a new one; raises NotOurs and StoreError."""
    try:
        _make_room(path)
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        migrate(connection)
        for probe in (
            _SELECT,
            _SELECT_ATTEMPTS,
            "SELECT * FROM windows LIMIT ?",
            "SELECT * FROM decisions LIMIT ?",
        ):
            connection.execute(probe, (1,)).fetchall()
    except sqlite3.Error as error:
        connection.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise NotOurs(f"it is damaged ({error})") from error
        raise StoreError(f"cannot open {path}: {error}") from error
    except BaseException:
        connection.close()
        raise
    return History(path, connection)


def _make_room(path: Path) -> None:
    """See that `path` is a private file; SQLite gives the files beside it the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE))
    except FileExistsError:
        if not stat.S_ISREG(path.lstat().st_mode):  # opening a FIFO would wait for ever
            raise NotOurs("it is not a file") from None
        tighten(path)
