"""Rows of the history and back."""

from __future__ import annotations

from shunt.accounts.state import AttemptNote
from shunt.store.history_rows import (
    COLUMNS,
    WINDOW_COLUMNS,
    attempts_by_request,
    record_of,
    row_of,
    sample_of,
    storable,
    window_row,
)
from tests.fakes.records import record, sample


def test_a_record_comes_back_whole() -> None:
    """Flags are flags again; attempts lie in a table of their own."""
    told = record(1, metered=True, moved_from="b", rebilled=7)
    row = row_of(told)
    assert len(row) == len(COLUMNS)
    assert record_of([int(v) if isinstance(v, bool) else v for v in row], told.attempts) == told


def test_a_sample_comes_back_whole() -> None:
    """With what was not known."""
    told = sample(1, None, resets_at=None, length=None)
    row = window_row(told)
    assert len(row) == len(WINDOW_COLUMNS)
    assert sample_of(row) == told


def test_attempts_find_their_request() -> None:
    """In their order."""
    rows = [(1, "a", "limited", "x"), (1, "b", "served", ""), (2, "a", "served", "")]
    assert attempts_by_request(rows) == {
        1: [AttemptNote("a", "limited", "x"), AttemptNote("b", "served", "")],
        2: [AttemptNote("a", "served", "")],
    }


def test_only_what_sqlite_can_keep_is_kept() -> None:
    """Lone surrogates and absurd numbers are bent, not refused."""
    assert storable("a\ud800") == "a?"
    assert storable(10**30) == 2**63 - 1
    assert storable(None) is None
    assert storable(1.5) == 1.5
