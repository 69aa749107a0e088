"""Whether an account may be used, and until when it may not."""

from __future__ import annotations

import pytest

from shunt.accounts.eligibility import (
    Obstacle,
    cooldown_until,
    deadline_of,
    hindrance,
    next_deadline,
    status_of,
)
from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import AccountState, Cooldown, Custody, Status
from tests.fakes.pools import HOUR, T0, known, pool_state, window


def cooling(seconds: float, cause: Verdict = Verdict.THROTTLED, *windows: str) -> Cooldown:
    return Cooldown(until=T0 + seconds, since=T0, reason=f"{cause}", cause=cause, windows=windows)


ALL, OPUS = "", "opus"


@pytest.mark.parametrize(
    ("state", "family", "obstacle", "status"),
    [
        (known("a"), OPUS, None, Status.AVAILABLE),
        (AccountState("a"), OPUS, Obstacle.NO_CREDENTIAL, Status.REAUTH_REQUIRED),
        (known("a", custody=Custody.REAUTH_REQUIRED), OPUS, Obstacle.REAUTH_REQUIRED, Status.REAUTH_REQUIRED),
        (known("a", paused=True), OPUS, Obstacle.PAUSED, Status.DISABLED),
        (known("a", cooldowns={ALL: cooling(60)}), OPUS, Obstacle.COOLING, Status.COOLING),
        (known("a", cooldowns={ALL: cooling(0)}), OPUS, None, Status.AVAILABLE),
        (known("a", cooldowns={OPUS: cooling(60)}), OPUS, Obstacle.COOLING, Status.AVAILABLE),
        (known("a", cooldowns={OPUS: cooling(60)}), "haiku", None, Status.AVAILABLE),
        (known("a", window("5h", rejected=True)), OPUS, Obstacle.WINDOW_SPENT, Status.COOLING),
        (known("a", window("5h", 1.0)), OPUS, None, Status.AVAILABLE),
        (known("a", window("7d_opus", rejected=True)), OPUS, Obstacle.WINDOW_SPENT, Status.AVAILABLE),
        (known("a", window("7d_opus", rejected=True)), "haiku", None, Status.AVAILABLE),
        (known("a", window("5h", rejected=True, resets_in=-1)), OPUS, None, Status.AVAILABLE),
    ],
)
def test_what_stands_in_the_way(
    state: AccountState, family: str, obstacle: Obstacle | None, status: Status
) -> None:
    """Credential, pause, cooldown, spent window: each only for whom it concerns; the status is of the whole."""
    hindered = hindrance(state, family, T0)
    assert (hindered.obstacle if hindered else None) is obstacle
    assert status_of(state, T0) is status


def test_a_pause_hides_when_a_cooldown_would_end() -> None:
    """What takes a person to end is told first: waiting would not help."""
    hindered = hindrance(known("a", paused=True, cooldowns={ALL: cooling(60)}), OPUS, T0)
    assert hindered is not None
    assert (hindered.obstacle, hindered.until) == (Obstacle.PAUSED, None)


def test_the_longest_obstacle_tells_the_end() -> None:
    """An account is back when its last cooldown and its last spent window are over."""
    spent = (window("5h", rejected=True, resets_in=30), window("7d_opus", rejected=True, resets_in=90))
    state = known("a", *spent, cooldowns={ALL: cooling(60), OPUS: cooling(120), "haiku": cooling(600)})
    assert cooldown_until(state, T0, OPUS) == T0 + 120
    assert cooldown_until(state, T0) == T0 + 60
    hindered = hindrance(state, OPUS, T0)
    assert hindered is not None
    assert hindered.until == T0 + 120
    assert cooldown_until(known("a"), T0) is None


@pytest.mark.parametrize(
    ("state", "lasting"),
    [
        (known("a", cooldowns={ALL: cooling(60, Verdict.THROTTLED)}), False),
        (known("a", cooldowns={ALL: cooling(60, Verdict.BROKEN)}), False),
        (known("a", cooldowns={ALL: cooling(60, Verdict.OVERLOADED)}), False),
        (known("a", cooldowns={ALL: cooling(60, Verdict.UNAUTHORIZED)}), False),
        (known("a", cooldowns={ALL: cooling(60, Verdict.LIMITED)}), True),
        (known("a", cooldowns={ALL: cooling(60, Verdict.FORBIDDEN)}), True),
        (known("a", window("5h", rejected=True)), True),
        (known("a", custody=Custody.REAUTH_REQUIRED), True),
        (known("a", paused=True), True),
    ],
)
def test_which_trouble_lasts(state: AccountState, lasting: bool) -> None:
    """Spent windows and dead logins move a conversation, passing trouble only lends it out."""
    hindered = hindrance(state, OPUS, T0)
    assert hindered is not None
    assert hindered.lasting is lasting


def test_the_fact_behind_a_spent_window_is_told_with_its_age() -> None:
    """People see which window refused, and how old that news is."""
    hindered = hindrance(known("a", window("5h", rejected=True)), OPUS, T0 + 12)
    assert hindered is not None
    assert hindered.detail == "5h window rejected, seen 12 s ago (header)"


def test_the_next_deadline_is_the_earliest_end() -> None:
    """The watcher sleeps until the first cooldown or refusing window of any account ends."""
    state = pool_state(
        known("a", cooldowns={ALL: cooling(60), OPUS: cooling(30)}),
        known(
            "b",
            window("5h", rejected=True, resets_in=20),
            window("7d", resets_in=5),
            window("overage", rejected=True),
        ),
        "c",
    )
    assert next_deadline(state) == T0 + 20
    assert next_deadline(pool_state("a")) is None
    assert next_deadline(pool_state()) is None


def test_a_windows_cooldown_is_its_deadline() -> None:
    """A refusing window is waited for once, until the cooldown made of it ends, not at its bare reset."""
    spent = window("5h", rejected=True, resets_in=HOUR)
    assert (
        deadline_of(known("a", spent, cooldowns={ALL: cooling(HOUR + 3, Verdict.LIMITED, "5h")}))
        == T0 + HOUR + 3
    )
    assert deadline_of(known("a", spent)) == T0 + HOUR
