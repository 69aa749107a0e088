"""What happens to a request after each answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.outcomes import Verdict
from shunt.routing.next_step import FAILED, MOST_FAILURES, STEPS, Progress, Step, next_step, pause_before
from tests.fakes.pools import outcome


def step(verdict: Verdict, progress: Progress | None = None) -> Step:
    return next_step(outcome("a", verdict), progress or Progress())


def test_every_verdict_has_a_step() -> None:
    """The table is whole."""
    assert set(STEPS) == set(Verdict)


@pytest.mark.parametrize(
    ("verdict", "progress", "taken"),
    [
        (Verdict.SERVED, Progress(), Step.DELIVER),
        (Verdict.REFUSED, Progress(), Step.DELIVER),
        (Verdict.CUT, Progress(), Step.DELIVER),
        (Verdict.UNAUTHORIZED, Progress(refreshable=True), Step.REFRESH),
        (Verdict.UNAUTHORIZED, Progress(), Step.ELSEWHERE),
        (Verdict.UNAUTHORIZED, Progress(refreshable=True, refreshed=frozenset("a")), Step.ELSEWHERE),
        (Verdict.UNAUTHORIZED, Progress(refreshable=True, refreshed=frozenset("b")), Step.REFRESH),
        (Verdict.OVERLOADED, Progress(), Step.RETRY_HERE),
        (Verdict.OVERLOADED, Progress(retried_here=frozenset("a")), Step.ELSEWHERE),
        (Verdict.OVERLOADED, Progress(retried_here=frozenset("b")), Step.RETRY_HERE),
        (Verdict.LIMITED, Progress(failures=9), Step.ELSEWHERE),
        (Verdict.THROTTLED, Progress(failures=9), Step.ELSEWHERE),
        (Verdict.FORBIDDEN, Progress(failures=9), Step.ELSEWHERE),
        (Verdict.BROKEN, Progress(), Step.ELSEWHERE),
        (Verdict.UNREACHABLE, Progress(failures=1), Step.ELSEWHERE),
        (Verdict.TIMED_OUT, Progress(failures=1), Step.ELSEWHERE),
        (Verdict.TIMED_OUT, Progress(failures=2), Step.GIVE_UP),
        (Verdict.BROKEN, Progress(failures=2), Step.GIVE_UP),
    ],
)
def test_the_step_on_each_answer(verdict: Verdict, progress: Progress, taken: Step) -> None:
    """Refresh once per account, retry an overload once per account, three broken tries in all."""
    assert step(verdict, progress) is taken


@pytest.mark.parametrize("verdict", list(Verdict))
def test_nothing_is_repeated_once_content_was_sent(verdict: Verdict) -> None:
    """A replay would append a second answer to the first."""
    assert step(verdict, Progress(content_sent=True, refreshable=True)) is Step.DELIVER


def test_progress_adds_up() -> None:
    """Each step leaves its mark, and only its own."""
    way = Progress().with_refreshable(refreshable=True)
    way = way.after(outcome("a", Verdict.OVERLOADED), Step.RETRY_HERE)
    way = way.after(outcome("a", Verdict.OVERLOADED), Step.ELSEWHERE)
    way = way.after(outcome("b", Verdict.BROKEN), Step.ELSEWHERE)
    way = way.after(outcome("c", Verdict.UNAUTHORIZED), Step.REFRESH).after_refresh("d")
    assert way == Progress(
        failures=1, retried_here=frozenset("a"), refreshed=frozenset("cd"), refreshable=True
    )


@pytest.mark.parametrize(
    ("taken", "progress", "least", "most"),
    [
        (Step.RETRY_HERE, Progress(), 0.5, 1.5),
        (Step.RETRY_HERE, Progress(vendor_overloaded=True), 2, 6),
        (Step.ELSEWHERE, Progress(failures=1), 0, 0),
        (Step.ELSEWHERE, Progress(failures=2), 0.1, 0.4),
        (Step.ELSEWHERE, Progress(vendor_overloaded=True), 1, 3),
        (Step.REFRESH, Progress(), 0, 0),
        (Step.DELIVER, Progress(vendor_overloaded=True), 0, 0),
    ],
)
def test_pauses_are_short_and_jittered(taken: Step, progress: Progress, least: float, most: float) -> None:
    """A moment before asking the same account again, none before another; longer when a vendor is overloaded."""
    assert (pause_before(taken, progress, 0.0), pause_before(taken, progress, 1.0)) == (least, most)
    assert pause_before(taken, progress, 7.0) == most


@given(st.lists(st.sampled_from(Verdict), min_size=9, max_size=9))
def test_every_request_comes_to_an_end(verdicts: list[Verdict]) -> None:
    """However three accounts answer, each is asked at most three times, and at most three tries break."""
    answers, progress, broken = iter(verdicts), Progress(refreshable=True), 0
    for account in "abc":
        for asked in range(1, 10):
            answer = outcome(account, next(answers))
            broken += answer.verdict in FAILED
            taken = next_step(answer, progress)
            progress = progress.after(answer, taken)
            if taken in (Step.DELIVER, Step.GIVE_UP):
                assert taken is Step.DELIVER or broken == MOST_FAILURES
                return
            assert broken < MOST_FAILURES
            if taken is Step.ELSEWHERE:
                assert asked <= 3
                break
