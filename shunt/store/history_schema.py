"""The tables of history.sqlite3, and how an older file becomes a current one."""

from __future__ import annotations

import sqlite3
from typing import Final

APPLICATION_ID: Final = 0x7348_756E
"""`sHun`: tells our databases from other people's (SQLite's `application_id`)."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE requests (
            id TEXT PRIMARY KEY,
            at REAL NOT NULL,
            client TEXT NOT NULL,
            conversation TEXT NOT NULL,
            account TEXT NOT NULL,
            protocol_in TEXT NOT NULL,
            protocol_out TEXT NOT NULL,
            model TEXT NOT NULL,
            served_model TEXT NOT NULL,
            status INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            first_byte_ms INTEGER,
            duration_ms INTEGER NOT NULL,
            streamed INTEGER NOT NULL,
            operation TEXT NOT NULL
        )
        """,
        "CREATE INDEX requests_at ON requests (at)",
        """
        CREATE TABLE attempts (
            request TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            account TEXT NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (request, place)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE usage (
            request TEXT PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
            input INTEGER NOT NULL,
            cache_read INTEGER NOT NULL,
            cache_write_5m INTEGER NOT NULL,
            cache_write_1h INTEGER NOT NULL,
            output INTEGER NOT NULL,
            reasoning INTEGER NOT NULL,
            web_searches INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
    ),
)
"""Statements that lead from each version to the next; `user_version` counts those that were run.

A migration that has been released is never edited: the next change is a new one at the end.
"""


class NotOurs(Exception):
    """The database is not one this version can use; its text says why."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date, each step whole or not at all; raises NotOurs and sqlite3.Error."""
    while True:
        connection.execute("BEGIN IMMEDIATE")  # two processes may meet here; the second finds it done
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            _check(connection, version)
            if version == len(MIGRATIONS):
                connection.execute("COMMIT")
                return
            for statement in MIGRATIONS[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


def _check(connection: sqlite3.Connection, version: int) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (version or tables):
        raise NotOurs("it is a database of another program")
    if version > len(MIGRATIONS):
        raise NotOurs(f"it was written by a newer shunt (format {version}; this one knows {len(MIGRATIONS)})")
