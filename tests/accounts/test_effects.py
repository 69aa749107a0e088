"""What each kind of answer does to the account that gave it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from shunt.accounts.effects import EFFECTS, MOST_WINDOWS, absorbed, ending, reclamped
from shunt.accounts.eligibility import hindrance
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import AccountState, Cooldown
from shunt.limits.windows import Source, Standing, Window
from tests.fakes.pools import DAY, HOUR, T0, known, outcome, window

ALL, OPUS = "", "opus"
JITTER = 0.5


def after(state: AccountState, *answers: Outcome) -> AccountState:
    for answer in answers:
        state = EFFECTS[answer.verdict](state, answer, JITTER)
    return state


def answer(verdict: Verdict, later: float = 0, *windows: Window, **fields: Any) -> Outcome:
    seen = tuple(evolve(one, seen_at=T0 + later) for one in windows)
    return outcome("a", verdict, T0 + later, windows=seen, **fields)


def lengths(state: AccountState, now: float = T0) -> dict[str, float]:
    return {scope: round(cooling.until - now, 3) for scope, cooling in state.cooldowns.items()}


def test_every_verdict_has_an_effect() -> None:
    """The table is whole."""
    assert set(EFFECTS) == set(Verdict)


# ── limits ────────────────────────────────────────────────────────────────────────────────────────

RESET_PAUSE = HOUR + 0.5 + 4.5 * JITTER
"""Seconds of a cooldown for a window that resets in an hour."""


@pytest.mark.parametrize(
    ("windows", "asked", "cooled"),
    [
        ([window("5h", rejected=True)], OPUS, {ALL: RESET_PAUSE}),
        ([window("5h", rejected=True), window("7d", 0.3, DAY)], OPUS, {ALL: RESET_PAUSE}),
        ([window("7d_opus", rejected=True), window("5h", 0.3)], OPUS, {OPUS: RESET_PAUSE}),
        # Both windows of the account are spent: the later reset counts.
        ([window("5h", rejected=True, resets_in=60), window("7d", rejected=True)], OPUS, {ALL: RESET_PAUSE}),
        # One of each kind: the family's longer refusal does not bench the rest of the account.
        (
            [window("5h", rejected=True), window("7d_opus", rejected=True, resets_in=DAY)],
            OPUS,
            {ALL: RESET_PAUSE, OPUS: DAY + 0.5 + 4.5 * JITTER},
        ),
        # The window's name points at another family than the one that was refused: both stay away.
        ([window("7d_oi", rejected=True)], OPUS, {"fable": RESET_PAUSE, OPUS: RESET_PAUSE}),
        ([window("7d_oi", rejected=True)], ALL, {"fable": RESET_PAUSE}),
        # Missing extra usage is not what limited it.
        (
            [window("5h", rejected=True), window("overage", rejected=True, resets_in=DAY)],
            OPUS,
            {ALL: RESET_PAUSE},
        ),
    ],
)
def test_a_limit_cools_what_it_concerns_until_its_reset(
    windows: list[Window], asked: str, cooled: dict[str, float]
) -> None:
    """The account, or only a model family, stays away until just after the reset of what refused."""
    state = after(known("a"), answer(Verdict.LIMITED, 0, *windows, scope=asked))
    assert lengths(state) == cooled


@pytest.mark.parametrize(
    ("windows", "until", "seconds"),
    [
        ([], T0 + 600, 600 + 0.5 + 4.5 * JITTER),  # the vendor's own word
        ([], None, 60),
        ([], T0 - 5, 60),
        ([window("5h", rejected=True, resets_in=None)], None, 60),
        ([window("5h", rejected=True, resets_in=-5)], None, 60),
        ([], T0 + 400 * DAY, 32 * DAY),
    ],
)
def test_a_limit_without_a_usable_reset(windows: list[Window], until: float | None, seconds: float) -> None:
    """Resets that are missing, past or absurd lead to a hint, a short pause or the longest sane one."""
    state = after(known("a"), answer(Verdict.LIMITED, 0, *windows, until=until, scope=OPUS))
    assert lengths(state) == {OPUS: seconds}


def test_newer_words_about_the_same_window_shorten_a_cooldown() -> None:
    """A corrected reset replaces the first one even when it is earlier."""
    first = answer(Verdict.LIMITED, 0, window("5h", rejected=True, resets_in=4 * HOUR))
    second = answer(Verdict.LIMITED, 10, window("5h", rejected=True, resets_in=HOUR))
    state = after(known("a"), first, second)
    assert lengths(state) == {ALL: RESET_PAUSE}
    assert state.cooldowns[ALL].since == T0


def test_a_shorter_trouble_does_not_shorten_a_longer_one() -> None:
    """An account limited for an hour that also breaks stays limited for the hour."""
    state = after(
        known("a"), answer(Verdict.LIMITED, 0, window("5h", rejected=True)), answer(Verdict.BROKEN, 1)
    )
    assert lengths(state) == {ALL: RESET_PAUSE}
    assert state.cooldowns[ALL].cause is Verdict.LIMITED


# ── passing trouble ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("verdict", "until", "cooled"),
    [
        (Verdict.THROTTLED, None, {OPUS: 60}),
        (Verdict.THROTTLED, T0 + 40, {OPUS: 40}),
        (Verdict.THROTTLED, T0 + 0.2, {OPUS: 1}),
        (Verdict.THROTTLED, T0 + 1e9, {OPUS: 300}),
        (Verdict.THROTTLED, T0 - 9, {OPUS: 60}),
        (Verdict.OVERLOADED, None, {ALL: 30}),
        (Verdict.UNAUTHORIZED, None, {ALL: 300}),
        (Verdict.UNAUTHORIZED, T0 + 30, {ALL: 30}),  # when the login may be renewed again
        (Verdict.UNAUTHORIZED, T0 + 1e9, {ALL: 3600}),
        (Verdict.FORBIDDEN, None, {ALL: 1800}),
        (Verdict.BROKEN, None, {ALL: 15}),
        (Verdict.UNREACHABLE, None, {ALL: 15}),
        (Verdict.TIMED_OUT, None, {ALL: 15}),
        (Verdict.REFUSED, None, {}),
        (Verdict.CUT, None, {}),
        (Verdict.SERVED, None, {}),
    ],
)
def test_how_long_each_answer_benches(
    verdict: Verdict, until: float | None, cooled: dict[str, float]
) -> None:
    """The table: a throttle cools the model family, the rest the account, each for its time."""
    assert lengths(after(known("a"), answer(verdict, until=until, scope=OPUS))) == cooled


@pytest.mark.parametrize(
    ("verdict", "pauses"),
    [(Verdict.THROTTLED, [60, 120, 240, 300, 300]), (Verdict.BROKEN, [15, 30, 60, 120, 120])],
)
def test_pauses_double_in_a_row_and_a_success_begins_anew(verdict: Verdict, pauses: list[float]) -> None:
    """Each failure after a served pause doubles the next one up to the cap; a success resets that."""
    state, later = known("a"), 0.0
    for pause in [*pauses, None, pauses[0]]:
        if pause is None:
            state = after(state, answer(Verdict.SERVED, later))
            continue
        state = after(state, answer(verdict, later))
        assert lengths(state, T0 + later) == {ALL: pause}
        later += pause + 1


@pytest.mark.parametrize(("verdict", "pause"), [(Verdict.THROTTLED, 60), (Verdict.BROKEN, 15)])
def test_requests_that_fail_together_count_once(verdict: Verdict, pause: float) -> None:
    """Fifty requests under way at a 429 do not push the pause to its cap."""
    state = known("a")
    for _ in range(50):
        state = after(state, answer(verdict, 1))
    assert lengths(state, T0 + 1) == {ALL: pause}
    assert max(state.throttles, state.breaks) == 1


def test_a_forbidden_account_keeps_the_vendors_words() -> None:
    """The owner is told what the vendor said."""
    told = answer(Verdict.FORBIDDEN, reason="403", message="This organization has been disabled.")
    assert (
        after(known("a"), told).cooldowns[ALL].reason
        == "forbidden: 403: This organization has been disabled."
    )


def test_refusals_of_a_request_say_nothing_about_the_account() -> None:
    """A long-context refusal comes with "rejected" in its summary; the account serves others."""
    state = known("a", window("5h", 0.2))
    for verdict in (Verdict.REFUSED, Verdict.CUT):
        assert after(state, answer(verdict, 0, window("unified", rejected=True))) == state


# ── what live answers contradict ──────────────────────────────────────────────────────────────────


def test_a_success_ends_the_cooldowns_it_contradicts() -> None:
    """An answer for opus ends the account's and opus's cooldowns, not haiku's."""
    state = after(
        known("a"),
        answer(Verdict.BROKEN),
        answer(Verdict.THROTTLED, scope=OPUS),
        answer(Verdict.THROTTLED, scope="haiku"),
        answer(Verdict.SERVED, 5, scope=OPUS),
    )
    assert set(state.cooldowns) == {"haiku"}
    assert (state.last_success, state.cooled_until) == (T0 + 5, T0 + 5)


def test_a_success_outweighs_a_rejected_window() -> None:
    """Served although the headers say rejected: the account stays usable, its use is remembered."""
    state = after(known("a"), answer(Verdict.SERVED, 0, window("5h", 1.0, rejected=True), scope=OPUS))
    assert hindrance(state, OPUS, T0) is None
    assert state.windows["5h"].used == 1.0
    assert state.windows["5h"].standing is Standing.WARNING


def test_newer_facts_about_its_windows_end_a_cooldown() -> None:
    """The usage endpoint shows room again: the account is asked again."""
    limited = after(known("a"), answer(Verdict.LIMITED, 0, window("5h", rejected=True)))
    fresh = window("5h", 0.1, seen_at=T0 + 60, source=Source.USAGE_ENDPOINT, standing=Standing.UNKNOWN)
    state = absorbed(limited, [fresh])
    assert hindrance(state, OPUS, T0 + 60) is None
    assert state.cooled_until == T0 + 60


@pytest.mark.parametrize(
    "news",
    [
        window("5h", 1.0, seen_at=T0 + 60, standing=Standing.UNKNOWN),  # still full
        window("5h", 0.1, seen_at=T0 - 60),  # older than the refusal
        window("7d", 0.1, seen_at=T0 + 60),  # another window
        window("5h", 0.9, seen_at=T0 + 60, rejected=True),
    ],
)
def test_other_facts_do_not_end_it(news: Window) -> None:
    """A cooldown for a spent window holds until newer facts show room in that very window."""
    limited = after(known("a"), answer(Verdict.LIMITED, 0, window("5h", rejected=True)))
    assert hindrance(absorbed(limited, [news]), OPUS, T0 + 61) is not None


def test_facts_about_windows_do_not_end_other_trouble() -> None:
    """Room in a window is no cure for a broken connection."""
    broken = after(known("a"), answer(Verdict.BROKEN))
    assert absorbed(broken, [window("5h", 0.1, seen_at=T0 + 1)]).cooldowns == broken.cooldowns


def test_older_facts_never_replace_newer_ones() -> None:
    """An answer that comes late does not turn the clock back."""
    state = absorbed(known("a", window("5h", 0.5)), [window("5h", 0.4, seen_at=T0 - 1)])
    assert state.windows["5h"].used == 0.5
    assert absorbed(state, [window("5h", 0.6, seen_at=T0)]).windows["5h"].used == 0.6


def test_windows_are_bounded() -> None:
    """Names come from outside; the oldest facts go when there are too many."""
    many = [window(f"x{number}", seen_at=T0 + number) for number in range(MOST_WINDOWS + 5)]
    state = absorbed(known("a"), many)
    assert len(state.windows) == MOST_WINDOWS
    assert "x4" not in state.windows


# ── ends ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("now", "ended_at"), [(T0 + 10, T0 + 10), (T0 + 99, T0 + 60)])
def test_the_moment_a_cooldown_ended_is_remembered(now: float, ended_at: float) -> None:
    """Cut short it ended now, else by itself: the ramp of strategies begins there."""
    state = known("a", cooldowns={ALL: Cooldown(T0 + 60, T0, "x"), OPUS: Cooldown(T0 + 90, T0, "y")})
    state = ending(state, [ALL, "haiku"], now)
    assert (set(state.cooldowns), state.cooled_until) == ({OPUS}, ended_at)
    assert ending(state, ["haiku"], now) is state


def test_a_clock_set_back_does_not_stretch_a_cooldown() -> None:
    """Whatever the clock does, no cooldown lasts longer than it was to last when it was set."""
    cooling = after(known("a"), answer(Verdict.BROKEN)).cooldowns[ALL]
    again = reclamped(cooling, T0 - 3 * DAY)
    assert (again.since, again.until) == (T0 - 3 * DAY, T0 - 3 * DAY + 15)
    assert reclamped(cooling, T0 + 5) is cooling


def test_trouble_after_a_clock_set_back_is_as_short_as_ever() -> None:
    """A failure right after the jump merges with the old cooldown without inheriting its distance."""
    state = after(known("a"), answer(Verdict.BROKEN), answer(Verdict.BROKEN, -3 * DAY))
    assert state.cooldowns[ALL].until <= T0 - 3 * DAY + 120
