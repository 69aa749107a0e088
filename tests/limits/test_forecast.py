"""When a window runs dry: the stated method, and its error on windows that are over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.limits.forecast import Backtest, back_test, first_to_bite, forecast, periods
from shunt.limits.samples import Sample
from tests.fakes.pools import HOUR, T0
from tests.fakes.records import sample


def steady(per_hour: float, hours: float, **fields: object) -> list[Sample]:
    steps = int(hours * 6)
    return [sample(n * 600, min(1.0, per_hour * n / 6), **fields) for n in range(steps + 1)]  # type: ignore[arg-type]


def test_a_steady_pace_is_drawn_out_to_its_end() -> None:
    """Thirty percent an hour spends a window in three hours and twenty minutes."""
    told = forecast(steady(0.3, 2), T0 + 2 * HOUR)
    assert told is not None
    assert told.pace == pytest.approx(0.3)
    assert told.runs_dry_at == pytest.approx(T0 + HOUR / 0.3)
    assert told.used_at_reset == pytest.approx(1.5)


def test_a_pace_that_lasts_runs_nowhere_dry() -> None:
    """The use at the reset is told all the same."""
    told = forecast(steady(0.1, 2), T0 + 2 * HOUR)
    assert told is not None
    assert told.runs_dry_at is None
    assert told.used_at_reset == pytest.approx(0.5)


def test_a_pause_slows_the_forecast_down() -> None:
    """Half of the method looks at the recent past alone."""
    busy = forecast(steady(0.2, 2), T0 + 2 * HOUR)
    idle = forecast(steady(0.2, 2), T0 + 3 * HOUR)
    assert busy is not None
    assert idle is not None
    assert idle.pace < 0.4 * busy.pace


def test_a_window_that_is_spent_is_dry_now() -> None:
    """Whatever its pace."""
    told = forecast([sample(0, 0.2), sample(HOUR, 1.0, standing="rejected")], T0 + 2 * HOUR)
    assert told is not None
    assert told.runs_dry_at == T0 + 2 * HOUR


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [sample(0, None)],
        [sample(0, 0.5, resets_at=None)],
        [sample(0, 0.5, window="overage")],
        [sample(0, 0.5, resets_in=60)],
        [sample(90, 0.0, resets_in=5 * HOUR + 90)],
        [sample(500, 0.1)],
    ],
)
def test_too_little_is_no_forecast(samples: list[Sample]) -> None:
    """No figures, no reset, a window that is over or has only just begun, news from the future."""
    assert forecast(samples, T0 + 100) is None


def test_earlier_windows_do_not_count() -> None:
    """Only samples of the window that is running."""
    old = steady(0.2, 4)
    new = [sample(5 * HOUR + n * 600, 0.01 * n, resets_in=10 * HOUR) for n in range(7)]
    told = forecast([*old, *new], T0 + 6 * HOUR)
    assert told is not None
    assert told.samples == 7
    assert told.pace == pytest.approx(0.06)


def test_the_window_that_bites_first_is_known() -> None:
    """The earlier end, else the fuller window."""
    fast = forecast(steady(0.4, 2), T0 + 2 * HOUR)
    slow = forecast(steady(0.3, 2), T0 + 2 * HOUR)
    lasting = forecast(steady(0.1, 2), T0 + 2 * HOUR)
    assert fast is not None
    assert slow is not None
    assert lasting is not None
    assert first_to_bite([lasting, slow, fast]) is fast
    assert first_to_bite([lasting]) is lasting
    assert first_to_bite([]) is None


def test_the_method_is_right_about_a_steady_past() -> None:
    """A window used evenly is foretold to within a percent, dry or not."""
    past = [*steady(0.3, 5), *[sample(5 * HOUR + n * 600, 0.01 * n, resets_in=10 * HOUR) for n in range(30)]]
    tried = back_test(past)
    assert (tried.windows, tried.forecasts) == (2, 6)
    assert tried.mean_error is not None
    assert tried.mean_error < 0.02
    assert tried.dry_hits == 1.0
    assert tried.median_dry_error is not None
    assert tried.median_dry_error < 600


def test_a_past_that_tells_nothing_gives_no_figures() -> None:
    """Rather than a perfect score."""
    assert back_test([sample(0, 0.5)]) == Backtest(0, 0, None, None, None)


def test_windows_are_told_apart_by_their_resets() -> None:
    """Rounding does not part them, accounts and names do."""
    told = [sample(0, 0.1), sample(1, 0.2, resets_in=5 * HOUR + 1), sample(2, 0.1, account="b")]
    assert [len(period) for period in periods(told)] == [2, 1]


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.none() | st.floats(0, 2), st.floats(-1e5, 1e6)), max_size=30),
    st.floats(0, 1e6),
)
def test_no_samples_upset_it(points: list[tuple[float, float | None, float]], after: float) -> None:
    """Whatever vendors say, figures are finite and the end never lies behind the reset."""
    told = sorted((sample(at, used, resets_in=reset) for at, used, reset in points), key=lambda s: s.at)
    found = forecast(told, T0 + after)
    back_test(told)
    if found is not None:
        assert found.pace >= 0
        assert found.runs_dry_at is None or T0 + after <= found.runs_dry_at < found.resets_at
