"""How often a login may be renewed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.pace import LONGEST_ASKED, LONGEST_PAUSE, MOST, WITHIN, Pace


@pytest.mark.parametrize(
    ("failures", "asked", "pause"),
    [
        (0, None, 30),
        (1, None, 60),
        (2, None, 120),
        (5, None, 900),
        (500, None, 900),
        (0, 5, 30),
        (0, 90, 90),
        (3, 1e9, 3600),
    ],
)
def test_pauses_double_up_to_a_limit(failures: int, asked: float | None, pause: float) -> None:
    """Half a minute, doubled per failure up to a quarter of an hour; a Retry-After is honoured within reason."""
    pace = Pace(failures=failures).after_failure(1000.0, asked)
    assert pace.pause(1000.0) == pause
    assert pace.pause(1000.0 + pause) == 0
    assert pace.failures == failures + 1


def test_success_ends_the_pauses() -> None:
    """After a renewal nothing stands in the way, until there have been too many in a minute."""
    pace = Pace().after_failure(0.0, None).after_renewal(10.0)
    assert (pace.failures, pace.pause(10.0), pace.rest(10.0)) == (0, 0, 0)
    pace = pace.after_renewal(20.0)
    assert pace.rest(25.0) == pytest.approx(10.0 + WITHIN - 25.0)
    assert pace.rest(10.0 + WITHIN) == 0


@given(st.lists(st.tuples(st.floats(0, 1000), st.none() | st.floats(0, 1e12)), max_size=40))
def test_no_history_stops_renewals_for_ever(steps: list[tuple[float, float | None]]) -> None:
    """Whatever happened, the wait is never longer than the longest pause, and memory stays small."""
    pace, clock = Pace(), 0.0
    for passed, asked in steps:
        clock += passed
        pace = pace.after_failure(clock, asked) if asked is None or asked > 10 else pace.after_renewal(clock)
        assert 0 <= pace.pause(clock) <= max(LONGEST_PAUSE, LONGEST_ASKED) + 1e-6
        assert 0 <= pace.rest(clock) <= WITHIN + 1e-6
        assert len(pace.renewals) <= MOST
