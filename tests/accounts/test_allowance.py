"""What a client may use in a day."""

from __future__ import annotations

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
