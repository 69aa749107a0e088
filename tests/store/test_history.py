from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve

from shunt.accounts.state import AttemptNote, RequestRecord
from shunt.errors import StoreError
from shunt.inference.usage import Usage
from shunt.limits.samples import Sample
from shunt.store.history import DAY, MIB, History, open_history

T0 = 1_700_000_000.0

RECORD = RequestRecord(
    id="req_0",
    at=T0,
    client="laptop",
    conversation="c",
    account="main",
    attempts=(AttemptNote("b", "limited", "5h rejected"), AttemptNote("main", "served", "")),
    protocol_in="anthropic_messages",
    protocol_out="anthropic_messages",
    model="claude-opus-5-5",
    served_model="",
    status=200,
    outcome="served",
    usage=Usage(1, 2, 3, 4, 5, 6, 7),
    first_byte_ms=250,
    duration_ms=1234,
    streamed=True,
    operation="generate",
)


def record(n: int, **changes: object) -> RequestRecord:
    fields = {"id": f"req_{n}", "at": T0 + n, **changes}
    return evolve(RECORD, **fields)  # type: ignore[arg-type]  # whatever the test changes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    opened = open_history(path, T0)
    assert opened.warning is None
    yield opened.history
    opened.history.close()


def test_records_come_back_whole(history: History) -> None:
    """Every field of a request is kept, newest first."""
    records = [
        record(0),
        record(1, attempts=(), first_byte_ms=None, streamed=False),
        record(2, usage=Usage()),
    ]
    history.insert(records)
    assert history.recent(10) == tuple(reversed(records))
    assert history.recent(1) == (records[2],)
    assert history.recent(0) == ()


def test_records_of_one_moment_keep_their_order(history: History) -> None:
    """Requests that came in the same instant are told apart by when they were written."""
    history.insert([record(n, at=T0) for n in range(3)])
    assert [each.id for each in history.recent(3)] == ["req_2", "req_1", "req_0"]


def test_a_batch_written_twice_counts_once(history: History) -> None:
    """A repeated batch leaves exactly one record per request."""
    history.insert([record(0), record(0)])
    history.insert([record(0, status=500), record(1)])
    assert [(each.id, each.status) for each in history.recent(9)] == [("req_1", 200), ("req_0", 200)]


def test_a_batch_is_whole_or_nothing(history: History) -> None:
    """An error in the middle leaves nothing of the batch, and the next one goes through."""

    def batch() -> Iterator[RequestRecord]:
        yield record(0)
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        history.insert(batch())
    assert history.recent(9) == ()
    history.insert([record(1)])
    assert len(history.recent(9)) == 1


def test_odd_values_do_not_spoil_a_batch(history: History) -> None:
    """Foreign text with lone surrogates and absurd numbers is kept as well as it can be."""
    history.insert([record(0, model="gpt-\ud83d", duration_ms=10**30), record(1)])
    first = history.recent(2)[1]
    assert (first.model, first.duration_ms) == ("gpt-?", 2**63 - 1)


def test_it_survives_a_restart_and_is_private(path: Path) -> None:
    """Records are there for the next process; the files are this user's alone, under any umask."""
    before = os.umask(0)
    try:
        first = open_history(path, T0).history
        first.insert([record(0)])
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("history.sqlite3", "history.sqlite3-wal", "history.sqlite3-shm"), 384)
    first.close()
    second = open_history(path, T0).history
    assert second.recent(1) == (record(0),)
    second.close()
    second.close()


def test_readers_see_what_is_written(path: Path, history: History) -> None:
    """A command reads while the server writes."""
    reader = open_history(path, T0).history
    history.insert([record(0)])
    assert reader.recent(1) == (record(0),)
    reader.close()


def test_any_thread_may_call(history: History) -> None:
    """One call at a time, from whichever thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(history.insert, [record(0)]).result()
    assert len(history.recent(1)) == 1


# ── Bounds ────────────────────────────────────────────────────────────────────────────────────────


def test_old_requests_are_forgotten(history: History) -> None:
    """What is older than the limit goes, with its attempts and usage."""
    history.insert([record(n, at=T0 - n * DAY) for n in range(10)])
    assert history.prune(T0, keep_days=5, max_mb=256) == 4
    assert [each.at for each in history.recent(99)] == [T0 - n * DAY for n in range(6)]
    for table in ("attempts",):
        (left,) = history._connection.execute(f"SELECT count(DISTINCT request) FROM {table}").fetchone()  # noqa: S608
        assert left == 6
    assert history.prune(T0, keep_days=5, max_mb=256) == 0


@pytest.mark.parametrize("now", [T0 + 100 * 365 * DAY, 0.0])
def test_a_clock_gone_wrong_empties_nothing(history: History, now: float) -> None:
    """A start with a nonsense date keeps what was recorded at sane ones."""
    history.insert([record(n, at=T0 - n * DAY) for n in range(3)])
    assert history.prune(now, keep_days=5, max_mb=256) == 0


def test_decisions_and_windows_are_bounded_too(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions by number, windows by age."""
    monkeypatch.setattr("shunt.store.history.MOST_DECISIONS", 3)
    windows = [Sample(T0 - days * DAY, "a", "5h", 0.5, None) for days in (1, 9)]
    history.insert([record(n) for n in range(10)], windows, explain=lambda key: key.encode())
    history.prune(T0, keep_days=5, max_mb=256)
    kept = history._connection.execute("SELECT request FROM decisions ORDER BY request").fetchall()
    assert kept == [(8,), (9,), (10,)]
    assert history._connection.execute("SELECT at FROM windows").fetchall() == [(T0 - DAY,)]


def test_the_file_really_shrinks(path: Path, history: History) -> None:
    """When it has grown too large the oldest go, until the file on the disk is below the limit."""
    history.insert([record(n, conversation="x" * 2000) for n in range(1500)])
    history.prune(T0, keep_days=90, max_mb=256)
    assert len(history.recent(9999)) == 1500
    forgotten = history.prune(T0, keep_days=90, max_mb=1)
    left = history.recent(9999)
    assert len(left) == 1500 - forgotten > 100
    assert left[0].id == "req_1499"
    files = [each for each in path.parent.iterdir() if each.name.startswith("history.sqlite3")]
    assert sum(each.stat().st_size for each in files if each.name != "history.sqlite3-shm") <= MIB
    assert history.prune(T0, keep_days=90, max_mb=0) == len(left)


# ── What cannot be used ───────────────────────────────────────────────────────────────────────────


def foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (x)")
    connection.close()


def newer(path: Path) -> None:
    open_history(path, T0).history.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def without_tables(path: Path) -> None:
    open_history(path, T0).history.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE decisions")
    connection.close()


def damaged(path: Path) -> None:
    history = open_history(path, T0).history
    history.insert([record(n) for n in range(300)])
    history.close()
    content = bytearray(path.read_bytes())
    content[1000:] = b"\xff" * (len(content) - 1000)
    path.write_bytes(bytes(content))


def text(path: Path) -> None:
    path.write_text("this is no database, but it is long enough to be looked at\n" * 40)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (foreign, "another program"),
        (newer, "newer shunt"),
        (without_tables, "damaged"),
        (damaged, "damaged"),
        (text, "damaged"),
        (os.mkfifo, "not a file"),
        (Path.mkdir, "not a file"),
        (lambda path: path.symlink_to("elsewhere"), "not a file"),
    ],
)  # fmt: skip
def test_an_unusable_database_is_set_aside(path: Path, make: object, said: str) -> None:
    """It is kept under another name, the user is told, and a new history begins."""
    path.parent.mkdir()
    assert callable(make)
    make(path)
    opened = open_history(path, T0)
    try:
        opened.history.insert([record(0)])
        assert opened.history.recent(9) == (record(0),)
    finally:
        opened.history.close()
    aside = path.with_name("history.sqlite3.corrupt-1700000000")
    assert opened.warning is not None
    assert said in opened.warning
    assert str(aside) in opened.warning
    assert aside.is_symlink() or aside.exists()
    again = open_history(path, T0)
    again.history.close()
    assert again.warning is None


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    """What a crash at the very first start leaves is simply begun again."""
    path.parent.mkdir()
    path.touch()
    opened = open_history(path, T0)
    assert opened.warning is None
    opened.history.close()


def test_a_database_that_is_busy_is_not_set_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program's lock is an error that passes, not damage."""
    open_history(path, T0).history.close()
    monkeypatch.setattr("shunt.store.history.PATIENCE", 0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        open_history(path, T0)
    other.close()
    opened = open_history(path, T0)
    assert opened.warning is None
    opened.history.close()


def test_errors_are_the_stores_own(history: History) -> None:
    """Whatever SQLite says comes as a StoreError that names the file."""
    history.close()
    for act in (
        lambda: history.insert([record(0)]),
        lambda: history.recent(1),
        lambda: history.prune(T0, 1, 1),
    ):
        with pytest.raises(StoreError, match=str(history.path)):
            act()
