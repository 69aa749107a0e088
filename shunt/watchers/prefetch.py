"""Keeps the windows of accounts that nobody uses from being guesses.

Requests teach the windows of accounts in use for nothing, through their answers' headers. Only an
account about which nothing was heard for an hour is asked after, one at a time, and seldom again
when asking fails: a vendor's usage endpoint cannot be polled.
"""

from __future__ import annotations

from typing import Final

import trio
from attrs import define, field

from shunt.accounts.state import AccountState, Custody
from shunt.limits.windows import FIVE_HOUR, Standing
from shunt.watchers.health import Report
from shunt.watchers.inquiry import ask_usage, probe
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

NAME: Final = "prefetch"
LIMIT: Final = 60.0
NAP: Final = 60.0
"""Seconds between two looks at what has grown old."""
STALE_AFTER: Final = 3600.0
"""Seconds after which what is known of an account's windows is old."""
SPACING: Final = 5.0
"""Seconds between two questions, so that waking up causes no burst."""
FIRST_PAUSE: Final = 15 * 60.0
"""Seconds before an account is asked about again after a fruitless question; doubles each time."""
LONGEST_PAUSE: Final = 4 * 3600.0
DAY: Final = 86_400.0


@define
class Pause:
    """How long one account is left alone after fruitless questions."""

    until: float
    """Trio time: a clock that is set must not stretch it."""
    seconds: float


@define
class Prefetch:
    """Asks after accounts that nobody uses."""

    parts: Parts
    pauses: dict[str, Pause] = field(factory=dict)
    probes: dict[tuple[str, int], int] = field(factory=dict)
    """Probes sent, by account and UTC day since the epoch."""

    async def run(self, report: Report) -> None:
        """Look every minute, first at once."""
        while True:
            for name in tuple(self.parts.pool.accounts):
                report.working()
                if self.is_due(name):
                    await self.ask(name)
                    await trio.sleep(SPACING * (0.5 + self.parts.jitter()))
            report.idle(self.parts.now() + NAP)
            await trio.sleep(NAP)

    def is_due(self, name: str) -> bool:
        """Whether this account should be asked after now."""
        mode = self.parts.config().prefetch.mode
        state = self.parts.pool.state.accounts.get(name)
        account = self.parts.pool.accounts.get(name)
        if mode == "off" or state is None or account is None or not account.subscription:
            return False
        now = self.parts.now()
        pause = self.pauses.get(name)
        if pause is not None and trio.current_time() < pause.until:
            return False
        if not is_stale(state, now):
            return False
        return mode == "usage" or (has_begun(state, now) and self.has_budget(name, now))

    def has_budget(self, name: str, now: float) -> bool:
        """Whether another probe of this account may be sent today."""
        return self.probes.get((name, int(now // DAY)), 0) < self.parts.config().prefetch.daily_probe_budget

    async def ask(self, name: str) -> None:
        """Ask in the way that is configured, and remember when that was in vain."""
        if self.parts.config().prefetch.mode == "usage":
            learnt = await ask_usage(self.parts, name)
        else:
            self.count_probe(name)
            learnt = await probe(self.parts, name)
        if learnt:
            self.pauses.pop(name, None)
            return
        earlier = self.pauses.get(name)
        seconds = min(earlier.seconds * 2, LONGEST_PAUSE) if earlier else FIRST_PAUSE
        # Never shorter than said, a little longer, so that accounts do not keep step.
        until = trio.current_time() + seconds * (1 + self.parts.jitter() / 4)
        self.pauses[name] = Pause(until, seconds)

    def count_probe(self, name: str) -> None:
        """Take one probe from today's budget."""
        day = int(self.parts.now() // DAY)
        self.probes = {key: count for key, count in self.probes.items() if key[1] == day}
        self.probes[name, day] = self.probes.get((name, day), 0) + 1


def is_stale(state: AccountState, now: float) -> bool:
    """Whether an account nobody uses has told nothing about its windows for an hour."""
    if state.in_flight or state.paused or state.custody is not Custody.PRESENT:
        return False
    seen = max((window.seen_at for window in state.windows.values()), default=None)
    # The absolute difference: after a clock was set back, facts from "later" are no longer fresh.
    return seen is None or abs(now - seen) > STALE_AFTER


def has_begun(state: AccountState, now: float) -> bool:
    """Whether the five-hour window runs, so that a request cannot be what starts it."""
    window = state.windows.get(FIVE_HOUR)
    return (
        window is not None
        and window.resets_at is not None
        and window.resets_at > now
        and bool(window.used)
        and window.standing is not Standing.REJECTED
    )


def watch(parts: Parts) -> Watcher:
    """Return the watcher of unused accounts' windows."""
    return Watcher(NAME, Prefetch(parts).run, LIMIT)
