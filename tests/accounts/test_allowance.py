"""What a client may use in a day."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from shunt.accounts.allowance import (
    MOST,
    Allowance,
    UsedToday,
    day_of,
    next_day,
    spent,
    used_today,
    with_use,
)
from shunt.inference.usage import Usage

NOON = 1_763_726_400.0
"""Friday, 21 November 2025, 12:00 UTC."""


def test_a_day_ends_at_midnight_utc() -> None:
    """The moment that a client is told is the moment at which it works again."""
    assert day_of(NOON) == "2025-11-21"
    assert next_day(NOON) == NOON + 12 * 3600
    assert day_of(next_day(NOON)) == "2025-11-22"
    assert day_of(next_day(NOON) - 1) == "2025-11-21"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    "date", ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"]
)
def test_a_day_has_its_24_hours_in_every_zone(zone: str, date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the days on which clocks are put forward or back somewhere: none is lost, none counts twice."""
    begin = datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert {day_of(begin + hour * 3600) for hour in range(24)} == {date}
        assert {next_day(begin + hour * 3600) for hour in range(24)} == {begin + 86_400}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_use_adds_up_within_a_day_and_begins_anew() -> None:
    """What is read from a cache does not count; yesterday does not either."""
    usage = Usage(input=100, cache_read=9000, cache_write_5m=50, output=25)
    used = with_use({}, "laptop", NOON, usage, 0.5)
    used = with_use(used, "laptop", NOON + 60, usage, 0.5)
    assert used_today(used, "laptop", NOON) == UsedToday("2025-11-21", 2, 350, 1.0)
    assert used_today(used, "other", NOON).requests == 0
    tomorrow = next_day(NOON)
    assert used_today(used, "laptop", tomorrow).requests == 0
    assert set(with_use(used, "other", tomorrow, usage, 0)) == {"other"}


def test_not_more_clients_are_remembered_than_there_can_be() -> None:
    """The record is bounded whatever comes."""
    used = {f"c{n}": UsedToday("2025-11-21", 1) for n in range(MOST)}
    assert len(with_use(used, "new", NOON, Usage(), 0)) == MOST


@pytest.mark.parametrize(
    ("allowance", "used", "running", "word"),
    [
        (Allowance(), UsedToday("d", 9, 9, 9), 9, None),
        (Allowance(requests=3), UsedToday("d", 2), 1, None),
        (Allowance(requests=3), UsedToday("d", 2), 2, "requests"),
        (Allowance(requests=3), UsedToday("d", 3), 1, "requests"),
        (Allowance(tokens=100), UsedToday("d", 1, 99), 1, None),
        (Allowance(tokens=100), UsedToday("d", 1, 100), 1, "tokens"),
        (Allowance(usd=1.5), UsedToday("d", 1, 0, 1.49), 1, None),
        (Allowance(usd=1.5), UsedToday("d", 1, 0, 1.5), 1, r"$1.5"),
    ],
)
def test_limits(allowance: Allowance, used: UsedToday, running: int, word: str | None) -> None:
    """Requests that are still running count, so that a burst gets no more than its part."""
    found = spent(allowance, used, running)
    assert (found is None) if word is None else (found is not None and word in found)
    assert bool(allowance) is (allowance != Allowance())
