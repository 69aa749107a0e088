"""Questions to the history: which requests, and what they add up to.

Each question opens the database for reading alone, so it can be asked from any thread or process while
the one writer writes, and closes it again: a reader that stays would keep the write-ahead log from
shrinking.
"""
# ruff: noqa: S608 - the names put into statements are our own columns; values are always bound

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from shunt.accounts.state import ERRORS, RequestRecord
from shunt.errors import InvalidRequest, NotFound, StoreError
from shunt.limits.samples import Sample
from shunt.store.history_rows import COLUMNS, WINDOW_COLUMNS, attempts_by_request, record_of, sample_of

PATIENCE: Final = 5.0
MOST: Final = 1_000
"""Requests per page."""
MOST_GROUPS: Final = 10_000
MOST_SAMPLES: Final = 5_000

_FAILED: Final = "outcome IN ('" + "', '".join(ERRORS) + "')"
GROUPINGS: Final = {
    "account": "account",
    "model": "model",
    "client": "client",
    "conversation": "conversation",
    "status": "status",
    "outcome": "outcome",
    "day": "CAST(at / 86400 AS INTEGER)",
    "hour": "CAST(at / 3600 AS INTEGER)",
}
"""What can be added up by, and the expression for it. Days and hours are UTC."""
_SUMS: Final = {
    "requests": "count(*)",
    "errors": f"sum({_FAILED})",
    "input_tokens": "sum(input)",
    "output_tokens": "sum(output)",
    "cache_read_tokens": "sum(cache_read)",
    "cache_write_tokens": "sum(cache_write_5m + cache_write_1h)",
    "reasoning_tokens": "sum(reasoning)",
    "cost_usd": "sum(cost_usd)",
    "metered_usd": "sum(cost_usd * metered)",
    "rebilled_tokens": "sum(rebilled)",
    "moves": "sum(moved_from != '')",
    "first_byte_ms": "sum(first_byte_ms)",
    "first_bytes": "count(first_byte_ms)",
    "duration_ms": "sum(duration_ms)",
    "first_at": "min(at)",
    "last_at": "max(at)",
}
_COUNTED: Final = frozenset(_SUMS) - {"first_at", "last_at"}
_FOLDS: Final[dict[str, Callable[[list[Any]], Any]]] = {"first_at": min, "last_at": max}
"""How groups become one where adding up would be wrong."""


@frozen
class Search:
    """Which requests are meant. Empty means all."""

    accounts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Names, or patterns with `*`; as asked for or as served."""
    clients: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    """Keys or beginnings of them."""
    statuses: tuple[str, ...] = ()
    """`429`, `4xx`, or `error` for everything that was one to its client."""
    outcomes: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    """Epoch seconds."""

    def condition(self) -> tuple[str, list[Any]]:
        """The WHERE clause and its values. Raises InvalidRequest."""
        parts: list[str] = []
        values: list[Any] = []
        for name, sign, bound in (("at", ">=", self.since), ("at", "<", self.until)):
            if bound is not None:
                parts.append(f"{name} {sign} ?")
                values.append(bound)
        for column, wanted in (
            ("account", self.accounts),
            ("client", self.clients),
            ("outcome", self.outcomes),
        ):
            if wanted:
                parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
                values += wanted
        for clause, found in (
            _models(self.models),
            _conversations(self.conversations),
            _statuses(self.statuses),
        ):
            if clause:
                parts.append(f"({clause})")
                values += found
        return " AND ".join(parts) or "1", values


def _models(names: Sequence[str]) -> tuple[str, list[Any]]:
    clause = " OR ".join(["model GLOB ? OR served_model GLOB ?"] * len(names))
    return clause, [pattern for name in names for pattern in [name.replace("[", "[[]")] * 2]


def _conversations(keys: Sequence[str]) -> tuple[str, list[Any]]:
    clause = " OR ".join(["conversation >= ? AND conversation < ?"] * len(keys))
    return clause, [bound for key in keys for bound in (key, f"{key}\U0010ffff")]


def _statuses(words: Sequence[str]) -> tuple[str, list[Any]]:
    clauses: list[str] = []
    values: list[Any] = []
    for word in words:
        if word == "error":
            clauses.append(_FAILED)
        elif len(word) == 3 and word[0].isdigit() and word[1:].lower() == "xx":
            clauses.append("status BETWEEN ? AND ?")
            values += [int(word[0]) * 100, int(word[0]) * 100 + 99]
        elif word.isdigit() and len(word) == 3:
            clauses.append("status = ?")
            values.append(int(word))
        else:
            raise InvalidRequest(f'"{word[:20]}" is no status: give 429, 4xx, 5xx or error.', param="status")
    return " OR ".join(clauses), values


@frozen
class Page:
    """Some requests, newest first."""

    records: tuple[RequestRecord, ...]
    next: str | None = None
    """Continues where this page ends; None when there is no more."""


@frozen
class Group:
    """What the requests of one group add up to."""

    key: dict[str, Any]
    sums: dict[str, Any]


@frozen
class Totals:
    """Groups, and all of them together."""

    groups: tuple[Group, ...]
    total: dict[str, Any] = field(factory=dict)


@frozen
class Archive:
    """A history on the disk, for reading. Every method blocks and raises StoreError."""

    path: Path

    def find(self, search: Search, limit: int = 100, before: str | None = None) -> Page:
        """The newest requests that match. Raises InvalidRequest for a cursor or filter that makes no sense."""
        limit = max(1, min(limit, MOST))
        where, values = search.condition()
        if before is not None:
            at, seq = _cursor(before)
            where += " AND (at, seq) < (?, ?)"
            values += [at, seq]
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT seq, {', '.join(COLUMNS)} FROM requests WHERE {where}"
                " ORDER BY at DESC, seq DESC LIMIT ?",
                [*values, limit + 1],
            ).fetchall()
            kept = rows[:limit]
            attempts = attempts_by_request(_attempts(connection, [row[0] for row in kept]))
        records = tuple(record_of(row[1:], attempts.get(row[0], ())) for row in kept)
        more = len(rows) > limit
        return Page(records, f"{records[-1].at!r}:{kept[-1][0]}" if more else None)

    def add_up(self, search: Search, by: Sequence[str]) -> Totals:
        """What the matching requests add up to, by one or two of GROUPINGS. Raises InvalidRequest."""
        unknown = [name for name in by if name not in GROUPINGS]
        if unknown or not 1 <= len(by) <= 2:
            known = ", ".join(GROUPINGS)
            raise InvalidRequest(f"by takes one or two of: {known}.", param="by")
        where, values = search.condition()
        keys = ", ".join(GROUPINGS[name] for name in by)
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {keys}, {', '.join(_SUMS.values())} FROM requests WHERE {where}"
                f" GROUP BY {', '.join(str(place + 1) for place in range(len(by)))}",
                values,
            ).fetchall()
        groups = tuple(
            Group(
                {name: _key(name, value) for name, value in zip(by, row, strict=False)},
                _sums(row[len(by) :]),
            )
            for row in rows[:MOST_GROUPS]
        )
        return Totals(groups, _sums(_together([row[len(by) :] for row in rows])))

    def windows(
        self,
        account: str = "",
        window: str = "",
        since: float | None = None,
        until: float | None = None,
        most: int = MOST_SAMPLES,
    ) -> tuple[Sample, ...]:
        """How windows stood over time, oldest first; thinned evenly when there are more than `most`."""
        parts: list[str] = ["1"]
        values: list[Any] = []
        for clause, value in (("account = ?", account), ("name = ?", window)):
            if value:
                parts.append(clause)
                values.append(value)
        for clause, bound in (("at >= ?", since), ("at < ?", until)):
            if bound is not None:
                parts.append(clause)
                values.append(bound)
        statement = f"SELECT {', '.join(WINDOW_COLUMNS)} FROM windows WHERE {' AND '.join(parts)} ORDER BY at"
        with self._open() as connection:
            rows = connection.execute(statement, values).fetchall()
        step = -(-len(rows) // most) or 1
        return tuple(sample_of(row) for row in rows[::step])

    def one(self, request: str) -> tuple[RequestRecord, bytes]:
        """A request by its id (or a unique beginning), and its decisions as JSON. Raises NotFound."""
        with self._open() as connection:
            low = request if request.startswith("req_") else f"req_{request}"
            rows = connection.execute(
                f"SELECT seq, {', '.join(COLUMNS)} FROM requests WHERE id >= ? AND id < ? LIMIT 2",
                [low, f"{low}\U0010ffff"],
            ).fetchall()
            if len(rows) != 1:
                raise NotFound(
                    f"the history has {'several requests' if rows else 'no request'} {request[:40]}"
                )
            seq = rows[0][0]
            attempts = attempts_by_request(_attempts(connection, [seq]))
            told = connection.execute("SELECT told FROM decisions WHERE request = ?", [seq]).fetchone()
        return record_of(rows[0][1:], attempts.get(seq, ())), _unpacked(told)

    def replay(self, since: float) -> Iterator[tuple[Any, ...]]:
        """(at, conversation, account, model, cost_usd, metered) of served requests, oldest first."""
        with self._open() as connection:
            yield from connection.execute(
                "SELECT at, conversation, account, model, cost_usd, metered FROM requests"
                " WHERE at >= ? AND operation = 'generate' AND account != '' ORDER BY at, seq",
                [since],
            )

    def refusals(self, since: float) -> int:
        """How often an account was found spent by a request since then."""
        with self._open() as connection:
            (found,) = connection.execute(
                "SELECT count(*) FROM attempts a JOIN requests r ON r.seq = a.request"
                " WHERE r.at >= ? AND a.verdict = 'limited'",
                [since],
            ).fetchone()
        return int(found)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            raise NotFound(f"there is no history yet ({self.path} does not exist)")
        try:
            address = f"{self.path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)
            try:
                connection.execute("PRAGMA query_only = ON")
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StoreError(f"cannot read {self.path}: {error}") from error


def _attempts(connection: sqlite3.Connection, requests: Sequence[int]) -> list[Any]:
    return connection.execute(
        "SELECT request, account, verdict, reason FROM attempts"
        f" WHERE request IN ({', '.join('?' * len(requests))}) ORDER BY request, place",
        list(requests),
    ).fetchall()


def _cursor(text: str) -> tuple[float, int]:
    at, _, seq = text.partition(":")
    try:
        return float(at), int(seq)
    except ValueError:
        raise InvalidRequest("before takes what `next` of the page before said.", param="before") from None


def _unpacked(row: Sequence[Any] | None) -> bytes:
    try:
        return zlib.decompress(row[0]) if row is not None else b""
    except zlib.error:
        return b""


def _key(name: str, value: Any) -> Any:
    if name == "day":
        return datetime.fromtimestamp(value * 86400, UTC).strftime("%Y-%m-%d")
    if name == "hour":
        return datetime.fromtimestamp(value * 3600, UTC).strftime("%Y-%m-%dT%H")
    return value


def _together(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """All groups as one row."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(_SUMS)
    return [
        _FOLDS.get(name, sum)([value for value in column if value is not None] or [0])
        for name, column in zip(_SUMS, columns, strict=True)
    ]


def _sums(row: Sequence[Any]) -> dict[str, Any]:
    sums: dict[str, Any] = dict(zip(_SUMS, row, strict=True))
    for name in _COUNTED:
        sums[name] = sums[name] or 0
    for name in ("cost_usd", "metered_usd"):
        sums[name] = round(sums[name], 6)
    first_bytes = sums.pop("first_bytes")
    for name, number in (("first_byte_ms", first_bytes), ("duration_ms", sums["requests"])):
        sums[name] = round(sums[name] / number) if number else None
    prompt = sums["input_tokens"] + sums["cache_read_tokens"] + sums["cache_write_tokens"]
    sums["cache_read_share"] = round(sums["cache_read_tokens"] / prompt, 4) if prompt else None
    return sums
