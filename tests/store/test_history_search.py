"""Questions to the history."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shunt.errors import InvalidRequest, NotFound, StoreError
from shunt.inference.usage import Usage
from shunt.store.history import History, open_history
from shunt.store.history_search import Archive, Search
from tests.fakes.pools import DAY, T0
from tests.fakes.records import record, request_id, sample


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = open_history(tmp_path / "history.sqlite3", T0).history
    yield opened
    opened.close()


@pytest.fixture
def archive(history: History) -> Archive:
    return Archive(history.path)


def numbers(archive: Archive, **filters: Any) -> list[int]:
    return [int(one.id[4:], 16) for one in archive.find(Search(**filters)).records]


def test_requests_come_newest_first_and_whole(history: History, archive: Archive) -> None:
    """While the writer has the file open."""
    told = [record(n) for n in range(3)]
    history.insert(told)
    assert archive.find(Search()).records == tuple(reversed(told))


def test_pages_follow_each_other_without_gap_or_repeat(history: History, archive: Archive) -> None:
    """Also where many requests came in the same instant, and when more come meanwhile."""
    history.insert([record(n, at=T0 + n // 10) for n in range(25)])
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = archive.find(Search(), limit=3, before=cursor)
        seen += [one.id for one in page.records]
        cursor = page.next
        history.insert([record(1000 + len(seen), at=T0 + 999)])
    assert seen == [request_id(n) for n in range(24, -1, -1)]
    assert cursor is None


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"accounts": ("b",)}, [1]),
        ({"accounts": ("a", "b")}, [3, 1, 0]),
        ({"models": ("gpt-5.5",)}, [2]),
        ({"models": ("claude-*",)}, [3, 1, 0]),
        ({"models": ("served-*",)}, [3]),
        ({"models": ("[a-z]*",)}, []),
        ({"clients": ("laptop",)}, [1]),
        ({"conversations": ("abc",)}, [0]),
        ({"statuses": ("429",)}, [2]),
        ({"statuses": ("4xx",)}, [2]),
        ({"statuses": ("2xx", "429")}, [3, 2, 1, 0]),
        ({"statuses": ("error",)}, [3, 2]),
        ({"outcomes": ("cut",)}, [3]),
        ({"since": T0 + 1, "until": T0 + 3}, [2, 1]),
        ({"accounts": ("nobody",)}, []),
    ],
)
def test_filters(history: History, archive: Archive, filters: dict[str, Any], found: list[int]) -> None:
    """Each on its own, and values of one filter as alternatives."""
    history.insert(
        [
            record(0, conversation="abcdef"),
            record(1, account="b", client="laptop"),
            record(2, account="", model="gpt-5.5", served_model="", status=429, outcome="failed"),
            record(3, outcome="cut", served_model="served-x"),
        ]
    )
    assert numbers(archive, **filters) == found


@pytest.mark.parametrize("status", ["4x", "nope", "4444", "-1", "x" * 500])
def test_a_status_that_makes_no_sense_is_named(archive: Archive, status: str) -> None:
    """With what would."""
    with pytest.raises(InvalidRequest, match="429, 4xx"):
        archive.find(Search(statuses=(status,)))


@pytest.mark.parametrize("cursor", ["", "x", "1", "1:x", "nan:nan"])
def test_a_cursor_that_makes_no_sense_is_refused(archive: Archive, cursor: str) -> None:
    """It is what a page said, or nothing."""
    with pytest.raises(InvalidRequest):
        archive.find(Search(), before=cursor)


def test_sums_are_those_of_the_requests(history: History, archive: Archive) -> None:
    """Per group and in all; errors, tokens, dollars, moves."""
    history.insert(
        [
            record(0),
            record(1, metered=True, moved_from="b", rebilled=30),
            record(2, account="b", outcome="cut", usage=Usage(output=1), first_byte_ms=None, cost_usd=1.0),
        ]
    )
    told = archive.add_up(Search(), ["account"])
    a, b = told.groups
    assert (a.key, b.key) == ({"account": "a"}, {"account": "b"})
    assert (a.sums["requests"], a.sums["errors"], b.sums["errors"]) == (2, 0, 1)
    assert (a.sums["input_tokens"], a.sums["cache_read_tokens"], a.sums["cache_write_tokens"]) == (
        20,
        200,
        40,
    )
    assert (a.sums["cost_usd"], a.sums["metered_usd"], b.sums["cost_usd"]) == (0.5, 0.25, 1.0)
    assert (a.sums["moves"], a.sums["rebilled_tokens"]) == (1, 30)
    assert a.sums["cache_read_share"] == round(200 / 260, 4)
    assert (a.sums["first_byte_ms"], b.sums["first_byte_ms"], b.sums["cache_read_share"]) == (200, None, None)
    for name in ("requests", "errors", "output_tokens", "cost_usd"):
        assert told.total[name] == a.sums[name] + b.sums[name]


def test_sums_by_day_and_hour_are_utc(history: History, archive: Archive) -> None:
    """Two groupings at once make the stacks of a chart."""
    history.insert([record(0), record(1, at=T0 + DAY), record(2, at=T0 + DAY, account="b")])
    days = archive.add_up(Search(), ["day", "account"]).groups
    assert [tuple(one.key.values()) for one in days] == [
        ("2026-09-21", "a"),
        ("2026-09-22", "a"),
        ("2026-09-22", "b"),
    ]
    assert archive.add_up(Search(until=T0 + 1), ["hour"]).groups[0].key == {"hour": "2026-09-21T14"}


def test_sums_over_nothing_are_zero(archive: Archive) -> None:
    """Not null: a chart of an empty day is a flat one."""
    told = archive.add_up(Search(), ["model"])
    assert told.groups == ()
    assert (told.total["requests"], told.total["cost_usd"], told.total["cache_read_share"]) == (0, 0, None)


@pytest.mark.parametrize("by", [[], ["nope"], ["account", "day", "model"], ["at; DROP TABLE requests"]])
def test_a_grouping_that_makes_no_sense_is_refused(archive: Archive, by: list[str]) -> None:
    """With those that do."""
    with pytest.raises(InvalidRequest, match="conversation"):
        archive.add_up(Search(), by)


def test_windows_over_time(history: History, archive: Archive) -> None:
    """Oldest first, thinned when there are too many, one account or window alone."""
    told = [sample(n, n / 100) for n in range(10)] + [sample(3, 0.1, account="b", window="7d")]
    history.insert((), told)
    assert len(archive.windows()) == 11
    assert archive.windows(account="b") == (told[-1],)
    assert [one.at for one in archive.windows("a", "5h", T0 + 2, T0 + 5)] == [T0 + 2, T0 + 3, T0 + 4]
    assert len(archive.windows("a", most=5)) == 5


def test_one_request_comes_with_its_decisions(history: History, archive: Archive) -> None:
    """By its id, or a beginning that only it has."""
    history.insert([record(1), record(2)], explain=lambda key: b'["%s"]' % key.encode())
    found, decisions = archive.one(request_id(2))
    assert (found, decisions) == (record(2), b'["%s"]' % request_id(2).encode())
    with pytest.raises(NotFound, match="several"):
        archive.one("req_000")
    with pytest.raises(NotFound):
        archive.one("req_fff")


def test_decisions_that_were_not_kept_are_empty(history: History, archive: Archive) -> None:
    """So are those that cannot be read."""
    history.insert([record(1)])
    assert archive.one(request_id(1))[1] == b""
    history._connection.execute("INSERT INTO decisions VALUES (1, ?)", (b"no zlib",))
    assert archive.one(request_id(1))[1] == b""
    assert zlib.decompress(zlib.compress(b"x")) == b"x"


def test_what_a_simulation_needs(history: History, archive: Archive) -> None:
    """Served requests for answers, oldest first; and how often an account was found spent."""
    history.insert(
        [
            record(1),
            evolve(record(2), account=""),
            evolve(record(3), operation="count tokens"),
            record(4, attempts=()),
        ]
    )
    assert [row[0] for row in archive.replay(T0)] == [T0 + 1, T0 + 4]
    assert [row[0] for row in archive.replay(T0 + 2)] == [T0 + 4]
    assert archive.refusals(T0) == 0


def test_no_file_and_no_database_are_told_apart(tmp_path: Path) -> None:
    """A history that does not exist yet is no fault."""
    with pytest.raises(NotFound, match="no history yet"):
        Archive(tmp_path / "none").find(Search())
    broken = tmp_path / "broken"
    broken.write_text("no database" * 100)
    with pytest.raises(StoreError, match="cannot read"):
        Archive(broken).find(Search())
