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
    # One row per request, tokens and price in it: a question about a hundred thousand requests is one
    # scan, and the file is a third smaller without ids of 28 letters in three tables.
    (
        "DROP INDEX requests_at",
        "ALTER TABLE attempts RENAME TO attempts_1",
        "ALTER TABLE usage RENAME TO usage_1",
        "ALTER TABLE requests RENAME TO requests_1",
        """
        CREATE TABLE requests (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
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
            operation TEXT NOT NULL,
            why TEXT NOT NULL DEFAULT '',
            cost_usd REAL NOT NULL DEFAULT 0,
            metered INTEGER NOT NULL DEFAULT 0,
            moved_from TEXT NOT NULL DEFAULT '',
            rebilled INTEGER NOT NULL DEFAULT 0,
            input INTEGER NOT NULL,
            cache_read INTEGER NOT NULL,
            cache_write_5m INTEGER NOT NULL,
            cache_write_1h INTEGER NOT NULL,
            output INTEGER NOT NULL,
            reasoning INTEGER NOT NULL,
            web_searches INTEGER NOT NULL
        )
        """,
        """
        INSERT INTO requests (
            id, at, client, conversation, account, protocol_in, protocol_out, model, served_model, status,
            outcome, first_byte_ms, duration_ms, streamed, operation,
            input, cache_read, cache_write_5m, cache_write_1h, output, reasoning, web_searches
        )
        SELECT
            r.id, r.at, r.client, r.conversation, r.account, r.protocol_in, r.protocol_out, r.model,
            r.served_model, r.status, r.outcome, r.first_byte_ms, r.duration_ms, r.streamed, r.operation,
            u.input, u.cache_read, u.cache_write_5m, u.cache_write_1h, u.output, u.reasoning, u.web_searches
        FROM requests_1 r JOIN usage_1 u ON u.request = r.id ORDER BY r.at, r.rowid
        """,
        """
        CREATE TABLE attempts (
            request INTEGER NOT NULL REFERENCES requests (seq) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            account TEXT NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (request, place)
        ) WITHOUT ROWID
        """,
        """
        INSERT INTO attempts
        SELECT r.seq, a.place, a.account, a.verdict, a.reason
        FROM attempts_1 a JOIN requests r ON r.id = a.request
        """,
        "DROP TABLE attempts_1",
        "DROP TABLE usage_1",
        "DROP TABLE requests_1",
        "CREATE INDEX requests_at ON requests (at)",
        "CREATE INDEX requests_of_conversation ON requests (conversation, at)",
        """
        CREATE INDEX requests_failed ON requests (at) WHERE outcome IN ('refused', 'failed', 'cut')
        """,
        """
        CREATE TABLE decisions (
            request INTEGER PRIMARY KEY REFERENCES requests (seq) ON DELETE CASCADE,
            told BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE windows (
            account TEXT NOT NULL,
            name TEXT NOT NULL,
            at REAL NOT NULL,
            used REAL,
            resets_at REAL,
            standing TEXT NOT NULL,
            source TEXT NOT NULL,
            length REAL,
            PRIMARY KEY (account, name, at)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX windows_at ON windows (at)",
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
