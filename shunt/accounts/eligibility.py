"""Whether an account may be used now, and if not why and until when.

This is the one place that decides it. Routing, `/status`, `/ready`, the watchers and the dashboard
all ask here, so that none of them can call an account usable that another one refuses.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import AccountState, Cooldown, Custody, PoolState, Status
from shunt.limits.windows import ALL_MODELS, OVERAGE, Standing, Window


class Obstacle(StrEnum):
    """What stands in an account's way."""

    NO_CREDENTIAL = "no credential"
    REAUTH_REQUIRED = "reauth required"
    PAUSED = "paused"
    COOLING = "cooling"
    WINDOW_SPENT = "window spent"


@frozen
class Hindrance:
    """Why an account cannot be used, and for how long."""

    obstacle: Obstacle
    detail: str = ""
    """The fact behind it, for people."""
    until: float | None = None
    """Epoch seconds at which it ends by itself; None when it takes a person."""
    lasting: bool = True
    """False for trouble that passes within minutes: a conversation is lent out, not moved."""


STATUS: Final = {
    Obstacle.NO_CREDENTIAL: Status.REAUTH_REQUIRED,
    Obstacle.REAUTH_REQUIRED: Status.REAUTH_REQUIRED,
    Obstacle.PAUSED: Status.DISABLED,
    Obstacle.COOLING: Status.COOLING,
    Obstacle.WINDOW_SPENT: Status.COOLING,
}

# Enum members looked up once: this module runs for every account of every request.
_PRESENT: Final = Custody.PRESENT
_REJECTED: Final = Standing.REJECTED

_LASTING: Final = frozenset({Verdict.LIMITED, Verdict.FORBIDDEN})
_NO_CREDENTIAL: Final = Hindrance(Obstacle.NO_CREDENTIAL)
_REAUTH: Final = Hindrance(Obstacle.REAUTH_REQUIRED)
_PAUSED: Final = Hindrance(Obstacle.PAUSED)


def hindrance(state: AccountState, family: str, now: float) -> Hindrance | None:
    """What keeps the account from serving `family` (ALL_MODELS: anything) at `now`; None if nothing."""
    if state.custody is not _PRESENT:
        return _REAUTH if state.custody is Custody.REAUTH_REQUIRED else _NO_CREDENTIAL
    if state.paused:
        return _PAUSED
    cooldown = _cooldown(state, family, now) if state.cooldowns else None
    window = _spent(state, family, now) if state.windows else None
    if window is not None:
        return _spent_hindrance(window, cooldown, now)
    if cooldown is not None:
        return Hindrance(Obstacle.COOLING, cooldown.reason, cooldown.until, cooldown.cause in _LASTING)
    return None


def status_of(state: AccountState, now: float) -> Status:
    """The one word shown for the account. Limits of a single model family do not change it."""
    hindered = hindrance(state, ALL_MODELS, now)
    return STATUS[hindered.obstacle] if hindered else Status.AVAILABLE


def cooldown_until(state: AccountState, now: float, family: str = ALL_MODELS) -> float | None:
    """Epoch seconds at which the account (or one model family of it) is expected back; None if it is not away.

    Told of paused accounts too: the answer to "when" does not depend on who else holds it back.
    """
    cooldown = _cooldown(state, family, now)
    window = _spent(state, family, now)
    ends = [cooldown.until if cooldown else None, window.resets_at if window else None]
    return max((end for end in ends if end is not None), default=None)


def next_deadline(state: PoolState) -> float | None:
    """The earliest moment (epoch seconds, perhaps past) at which a cooldown or refusing window ends."""
    ends = map(deadline_of, state.accounts.values())
    return min((end for end in ends if end is not None), default=None)


def deadline_of(state: AccountState) -> float | None:
    """The same of one account."""
    ends = [cooldown.until for cooldown in state.cooldowns.values()]
    # Where a cooldown goes with a window, the cooldown's end is the one that counts.
    covered = {name for cooldown in state.cooldowns.values() for name in cooldown.windows}
    ends += [
        window.resets_at
        for window in state.windows.values()
        if window.standing is _REJECTED
        and window.resets_at is not None
        and window.name != OVERAGE
        and window.name not in covered
    ]
    return min(ends, default=None)


def _cooldown(state: AccountState, family: str, now: float) -> Cooldown | None:
    """The cooldown for `family` that lasts longest, if any lasts."""
    running = state.cooldowns.get(ALL_MODELS)
    if running is not None and running.until <= now:
        running = None
    narrow = state.cooldowns.get(family)
    if narrow is not None and narrow.until > now and (running is None or narrow.until > running.until):
        return narrow
    return running


def _spent(state: AccountState, family: str, now: float) -> Window | None:
    """The window refusing `family` that resets last, if any refuses."""
    latest: Window | None = None
    for window in state.windows.values():
        if (
            window.standing is _REJECTED
            and window.rejects(family, now)
            and (latest is None or (window.resets_at or 0) > (latest.resets_at or 0))
        ):
            latest = window
    return latest


def _spent_hindrance(window: Window, cooldown: Cooldown | None, now: float) -> Hindrance:
    age = max(0.0, now - window.seen_at)
    detail = f"{window.name} window rejected, seen {_span(age)} ago ({window.source})"
    ends = (window.resets_at or now, cooldown.until if cooldown else now)
    return Hindrance(Obstacle.WINDOW_SPENT, detail, max(ends))


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
