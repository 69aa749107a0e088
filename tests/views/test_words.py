"""Numbers and moments in words."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.views.words import (
    count,
    documents,
    dollars,
    failed,
    is_held,
    number,
    percent,
    reason,
    result,
    span,
    standing,
    took,
    window_name,
)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 m"),
        (61, "1 m 1 s"),
        (8880, "2 h 28 m"),
        (7200, "2 h"),
        (273600, "3 d 4 h"),
        (86400 * 8, "8 d"),
    ],
)
def test_spans_are_told_in_two_units(seconds: float, shown: str) -> None:
    """A countdown is as exact as a person needs it."""
    assert span(seconds) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "-"), (0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (59_900, "59.9 s"), (125_000, "2 m 5 s")],
)
def test_durations_keep_what_matters(milliseconds: float | None, shown: str) -> None:
    """Tenths of seconds for a request, units of two for a long one."""
    assert took(milliseconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (9_999, "9999"),
        (10_000, "10.0k"),
        (99_949, "99.9k"),
        (99_950, "100k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (123_456_789, "123M"),
    ],
)
def test_counts_are_short(value: float | None, shown: str) -> None:
    """At most four digits and a letter."""
    assert count(value) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(None, "-"), (0, "$0.00"), (0.0031, "$0.0031"), (0.01, "$0.01"), (1234.5, "$1,234.50")],
)
def test_small_sums_are_told_from_nothing(amount: float | None, shown: str) -> None:
    """What was saved in the first minute is more than $0.00."""
    assert dollars(amount) == shown


def test_shares_are_percent() -> None:
    """Without digits behind the point; unknown is no zero."""
    assert (percent(0.666), percent(0.0), percent(None)) == ("67%", "0%", "-")


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        ({"name": "5h"}, "5 hours"),
        ({"name": "7d"}, "7 days"),
        ({"name": "7d", "models": "opus"}, "7 days, opus"),
        ({"name": "7d_opus", "models": "opus"}, "7d_opus"),
        ({}, ""),
    ],
)
def test_windows_have_names_for_people(window: dict[str, Any], shown: str) -> None:
    """With the models they are for, said once."""
    assert window_name(window) == shown


def test_standings_and_reasons_are_plain_words() -> None:
    """A word nobody has foreseen is shown as it is."""
    assert standing({"status": "disabled"}) == "paused"
    assert standing({"status": "cooling"}) == "cooling"
    assert standing({}) == "unknown"
    assert reason("sticky") == "its conversation stays with it"
    assert reason("strategy maximus") == "strategy maximus"
    assert reason(None) == reason("") == ""


def test_results_tell_errors_from_clients_that_left() -> None:
    """Somebody who pressed Esc has met no error."""
    assert result({"status": 200, "outcome": "served"}) == "200"
    assert result({"status": 499, "outcome": "client_gone"}) == "499 client gone"
    assert not failed({"status": 499, "outcome": "client_gone"})
    assert failed({"status": 503, "outcome": "refused"})
    assert not failed({})


def test_a_held_request_does_not_run() -> None:
    """It waits for an account, by either name of that phase."""
    assert [phase for phase in ("queued", "waiting", "sent") if is_held({"phase": phase})] == [
        "queued",
        "waiting",
    ]


def test_odd_documents_are_read_with_care() -> None:
    """A server of another version may leave fields out or fill them otherwise."""
    assert number({"a": True}, "a") is None
    assert number({"a": "1"}, "a") is None
    assert number({"a": 1}, "a") == 1.0
    assert documents([{"a": 1}, 2, None]) == [{"a": 1}]
    assert documents("no list") == []
