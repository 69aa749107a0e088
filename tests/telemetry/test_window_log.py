"""Windows of the last days."""

from __future__ import annotations

from shunt.accounts.state import PoolState
from shunt.telemetry.window_log import APART, FRESH, KEPT, MOST_WINDOWS, WindowLog
from tests.fakes.pools import HOUR, T0, known, pool_state, window
from tests.fakes.records import sample


def state(used: float, at: float, *, rejected: bool = False) -> PoolState:
    return pool_state(known("a", window("5h", used, seen_at=T0 + at, rejected=rejected)))


def test_changes_are_sampled_and_forecast() -> None:
    """Not more often than is useful, but a refusal at once."""
    log = WindowLog()
    assert len(log.observe(state(0.1, 0))) == 1
    assert log.observe(state(0.1, 30)) == []
    assert log.observe(state(0.2, APART / 2)) == []
    assert len(log.observe(state(0.2, APART))) == 1
    assert len(log.observe(state(1.0, APART + 1, rejected=True))) == 1
    (told,) = log.forecasts("a", T0 + 120)
    assert told.used == 1.0
    assert log.forecasts("b", T0) == []


def test_a_forecast_holds_for_a_moment() -> None:
    """Until something new is seen, or some seconds have passed."""
    log = WindowLog()
    log.restore([sample(0, 0.0), sample(600, 0.2)])
    first = log.forecasts("a", T0 + 600)[0]
    assert log.forecasts("a", T0 + 600 + FRESH / 2)[0] is first
    assert log.forecasts("a", T0 + 600 + FRESH)[0] is not first
    log.restore([sample(604, 0.5)])
    assert log.forecasts("a", T0 + 604)[0].used == 0.5


def test_it_takes_up_what_an_earlier_run_saw() -> None:
    """Only the newest of it."""
    log = WindowLog()
    log.restore(sample(n, n / 10_000) for n in range(KEPT + 100))
    (told,) = log.forecasts("a", T0 + HOUR)
    assert told.samples == KEPT
    assert log.observe(state(0.9, KEPT)) == []


def test_it_is_bounded() -> None:
    """Names of windows come from headers."""
    log = WindowLog()
    log.restore(sample(0, 0.1, window=f"w{number}") for number in range(MOST_WINDOWS + 50))
    assert len(log._samples) == MOST_WINDOWS
