"""Re-admits accounts whose cooldown is over, and tells of the long ones.

Held requests are let go by the change of the pool that `tick` makes. The wall clock is looked at
every 30 s at the latest, so that neither a sleep of the machine nor a clock that was set can strand
an account.
"""

from __future__ import annotations

from typing import Final

import trio
from attrs import define, field

from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import Cooldown
from shunt.limits.cooldown import LONG
from shunt.watchers.health import Report
from shunt.watchers.inquiry import ask_usage
from shunt.watchers.notices import Category, Notice
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

NAME: Final = "cooldown"
LIMIT: Final = 60.0
NAP: Final = 30.0
"""Longest sleep between two looks at the wall clock, in seconds."""
SETTLE: Final = 0.05
"""Seconds between two rounds at least: a busy pool changes with every request."""
USAGE_WITHIN: Final = 30.0

Told = tuple[str, str]
"""Account and scope of a cooldown."""


@define
class Cooldowns:
    """Waits for deadlines."""

    parts: Parts
    told: set[Told] = field(factory=set)
    """Long cooldowns that were told of and still last."""

    async def run(self, report: Report) -> None:
        """Look at every change, at every deadline, and every 30 s."""
        pool = self.parts.pool
        async with trio.open_nursery() as nursery:
            while True:
                report.working()
                for name in pool.tick():
                    self.tell_back(name)
                    nursery.start_soon(self.ask, name)
                self.tell_away()
                version = pool.version
                nap = self.nap()
                report.idle(self.parts.now() + nap)
                with trio.move_on_after(nap):
                    await pool.changed(version)
                await trio.sleep(SETTLE)

    def nap(self) -> float:
        """Seconds until something is due."""
        deadline = self.parts.pool.next_deadline()
        return NAP if deadline is None else min(max(deadline - self.parts.now(), 0.0), NAP)

    async def ask(self, name: str) -> None:
        """Learn what an account that came back has now; nothing waits for it."""
        if self.parts.config().prefetch.mode == "usage":
            with trio.move_on_after(USAGE_WITHIN):
                await ask_usage(self.parts, name)

    def tell_back(self, name: str) -> None:
        """Tell that an account is usable again."""
        self.parts.notify(Notice(Category.COOLDOWN_ENDED, name, f"Account {name} is back."))

    def tell_away(self) -> None:
        """Tell of long cooldowns that began since the last look."""
        now = self.parts.now()
        lasting = {
            (name, scope): cooling
            for name, account in self.parts.pool.state.accounts.items()
            for scope, cooling in account.cooldowns.items()
            if cooling.until - cooling.since >= LONG
        }
        for told, cooling in lasting.items():
            if told not in self.told:
                self.parts.notify(notice_of(told, cooling, now))
        self.told = set(lasting)


def notice_of(told: Told, cooling: Cooldown, now: float) -> Notice:
    """What to say of a long cooldown that began."""
    name, scope = told
    whose = f"Account {name}" + (f" (models {scope})" if scope else "")
    if cooling.cause is Verdict.FORBIDDEN:
        text = f"{whose} was turned away by its vendor: {cooling.reason}. See its subscription; shunt tries again in {span(cooling.until - now)}."
        return Notice(Category.FORBIDDEN, name, text)
    left = span(cooling.until - now)
    if cooling.cause is Verdict.UNAUTHORIZED:
        text = (
            f"{whose} was refused ({cooling.reason}); shunt tries again in {left}. "
            "Check its key or login with `shunt doctor`."
        )
    elif cooling.cause in (None, Verdict.LIMITED, Verdict.THROTTLED):
        text = f"{whose} is spent; back in {left} ({cooling.reason})."
    else:
        text = f"{whose} cannot serve; tried again in {left} ({cooling.reason})."
    return Notice(Category.COOLDOWN_STARTED, name, text)


def span(seconds: float) -> str:
    """A length of time for people, in the two largest units: `2 d 3 h`, `4 h 30 min`, `12 min`."""
    minutes = max(1, round(seconds / 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(parts[:2])


def watch(parts: Parts) -> Watcher:
    """Return the watcher of cooldowns."""
    cooldowns = Cooldowns(parts)
    return Watcher(NAME, cooldowns.run, LIMIT)
