"""Quota of a simulated account."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shunt.demo.quota import PREFIX, WEEK, Quota

T0 = 1_900_000_000.0


def fresh(answers: int = 3, period: float = 30.0) -> Quota:
    return Quota(answers=answers, period=period, weekly=0.5, week_ends=T0 + WEEK)


def spent(quota: Quota, now: float) -> Quota:
    while (left := quota.take(now)) is not None:
        quota = left
    return quota


def test_window_opens_with_its_first_answer() -> None:
    """An idle account has no window; the first answer opens one that lasts the period."""
    assert fresh().resets_at is None
    left = fresh().take(T0)
    assert left is not None
    assert (left.given, left.resets_at) == (1, T0 + 30)


def test_full_window_gives_nothing_until_it_resets() -> None:
    """After its answers are given an account refuses, and serves again from the reset on."""
    full = spent(fresh(), T0)
    assert full.given == 3
    assert full.take(T0 + 29.9) is None
    again = full.take(T0 + 30)
    assert again is not None
    assert (again.given, again.resets_at) == (1, T0 + 60)


def test_headers_of_a_refusal_name_the_window_and_its_reset() -> None:
    """A rejected window is told the way logins get it: status, whole-second reset, share used, claim."""
    headers = dict(spent(fresh(), T0).headers(T0 + 1, rejected=True))
    assert headers[f"{PREFIX}status"] == headers[f"{PREFIX}5h-status"] == "rejected"
    assert headers[f"{PREFIX}5h-reset"] == headers[f"{PREFIX}reset"] == f"{T0 + 30:.0f}"
    assert headers[f"{PREFIX}5h-utilization"] == "1.00"
    assert headers[f"{PREFIX}representative-claim"] == "five_hour"
    assert headers[f"{PREFIX}7d-status"] == "allowed"


def test_headers_after_the_reset_forget_the_old_window() -> None:
    """What was used before a reset is not told after it."""
    headers = dict(spent(fresh(), T0).headers(T0 + 31))
    assert headers[f"{PREFIX}5h-utilization"] == "0.00"
    assert float(headers[f"{PREFIX}5h-reset"]) > T0 + 31


def test_report_tells_percentages_and_iso_times() -> None:
    """The usage endpoint's numbers are percent, its times ISO, and an unopened window has no reset."""
    left = fresh(answers=4).take(T0)
    assert left is not None
    assert left.report(T0)["five_hour"] == {"utilization": 25.0, "resets_at": "2030-03-17T17:47:10+00:00"}
    assert fresh().report(T0)["five_hour"] == {"utilization": 0.0, "resets_at": None}
    assert fresh().report(T0)["seven_day"]["utilization"] == 50.0


@given(st.lists(st.floats(0, 50), max_size=40))
def test_no_window_gives_more_than_its_answers(pauses: list[float]) -> None:
    """However requests are spaced, a window never gives more than it holds and its reset never moves."""
    quota, now = fresh(), T0
    for pause in pauses:
        now += pause
        before = quota.at(now)
        left = quota.take(now)
        if left is None:
            assert before.given == before.answers
            continue
        quota = left
        assert quota.given <= quota.answers
        assert quota.resets_at is not None
        assert quota.resets_at > now
        assert before.resets_at in (None, quota.resets_at)
