from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import attrs
import pytest

from shunt.accounts.state import RequestRecord
from shunt.inference.usage import Usage
from shunt.store import history_schema
from shunt.store.history_schema import APPLICATION_ID, MIGRATIONS, NotOurs, migrate


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def test_every_field_of_a_record_has_a_column(connection: sqlite3.Connection) -> None:
    """A field added to the record needs a migration, and this says so."""
    migrate(connection)
    plain = set(attrs.fields_dict(RequestRecord)) - {"attempts", "usage"}
    assert columns(connection, "requests") == {"seq", *plain, *attrs.fields_dict(Usage)}


def test_migrating_again_changes_nothing(connection: sqlite3.Connection) -> None:
    """An up-to-date database is recognised by its numbers."""
    migrate(connection)
    migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_an_older_database_is_brought_forward(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later steps run on what is there, and keep it."""
    migrate(connection)
    connection.execute("INSERT INTO attempts VALUES (1, 0, 'a', 'limited', 'x')")
    later = (*MIGRATIONS, ("ALTER TABLE attempts ADD COLUMN status INTEGER",))
    monkeypatch.setattr(history_schema, "MIGRATIONS", later)
    migrate(connection)
    assert connection.execute("SELECT account, status FROM attempts").fetchall() == [("a", None)]


def test_the_first_format_comes_along(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests, tokens and attempts of three tables, in their order; what was not known then is empty."""
    monkeypatch.setattr(history_schema, "MIGRATIONS", MIGRATIONS[:1])
    migrate(connection)
    for number, name in enumerate(("req_b", "req_a")):
        plain = (
            name,
            100.0 + number,
            "laptop",
            "c",
            "a",
            "p",
            "q",
            "m",
            "s",
            200,
            "served",
            7,
            9,
            1,
            "generate",
        )
        connection.execute("INSERT INTO requests VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", plain)
        connection.execute("INSERT INTO usage VALUES (?, 1, 2, 3, 4, 5, 6, 7)", (name,))
        connection.execute("INSERT INTO attempts VALUES (?, 0, 'a', 'served', 'x')", (name,))
    monkeypatch.setattr(history_schema, "MIGRATIONS", MIGRATIONS)
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection)
    rows = connection.execute(
        "SELECT seq, id, client, input, web_searches, why, cost_usd, verdict FROM requests"
        " JOIN attempts ON request = seq ORDER BY seq"
    ).fetchall()
    assert rows == [
        (1, "req_b", "laptop", 1, 7, "", 0, "served"),
        (2, "req_a", "laptop", 1, 7, "", 0, "served"),
    ]
    assert not columns(connection, "usage")


def test_a_step_that_fails_is_undone(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is whole or not at all."""
    broken = (*MIGRATIONS, ("CREATE TABLE extra (x)", "CREATE TABLE requests (x)"))
    monkeypatch.setattr(history_schema, "MIGRATIONS", broken)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert not columns(connection, "extra")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("CREATE TABLE notes (x)",), "another program"),
        (("PRAGMA user_version = 5",), "another program"),
        ((f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 99"), "newer shunt"),
    ],
)
def test_what_is_not_ours_is_left_alone(
    connection: sqlite3.Connection, statements: tuple[str, ...], said: str
) -> None:
    """Databases of other programs and of later versions are not touched."""
    for statement in statements:
        connection.execute(statement)
    with pytest.raises(NotOurs, match=said):
        migrate(connection)
    assert not columns(connection, "requests")
    assert not connection.in_transaction
