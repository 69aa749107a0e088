"""Notices that the machine slept, stood still, or had its clock set.

Trio's clock stands still while a laptop sleeps, so every wait in the program would end hours late.
Comparing it with the wall clock (and, where there is one, with a clock that counts sleep too) shows
the jump within seconds of waking up.

Being there every five seconds, it also has connections closed that nobody has used for long; else they would
wait for the next request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import trio
from attrs import define, frozen

from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

log = logging.getLogger(__name__)

NAME: Final = "clock"
LIMIT: Final = 60.0
LOOK_EVERY: Final = 5.0
"""Seconds."""
JUMP: Final = 10.0
"""Seconds by which clocks must part before it counts; time servers nudge by less."""


@frozen
class Reading:
    """All clocks at one moment, in seconds."""

    wall: float
    boot: float | None
    awake: float
    """Trio's clock."""


def gap(before: Reading, after: Reading, asked: float) -> float:
    """Seconds by which the clocks parted between two readings, the largest of all comparisons.

    `asked` is the sleep that lay between: on systems whose clocks all count sleep, and after a
    stop signal, the only trace is that it took too long.
    """
    awake = after.awake - before.awake
    gaps = [after.wall - before.wall - awake, awake - asked]
    if before.boot is not None and after.boot is not None:
        gaps.append(after.boot - before.boot - awake)
    return max(gaps, key=abs)


@define
class Clock:
    """Compares the clocks and, when they part, has everything looked at anew."""

    parts: Parts
    boot: Callable[[], float] | None

    async def run(self, report: Report) -> None:
        """Look every five seconds, and tidy up on the way."""
        before = self.read()
        while True:
            report.idle(before.wall + LOOK_EVERY)
            await trio.sleep(LOOK_EVERY)
            report.working()
            self.parts.tidy()
            after = self.read()
            seconds = gap(before, after, LOOK_EVERY)
            before = after
            if abs(seconds) > JUMP:
                await self.wake(seconds)
            self.parts.close_old()

    def read(self) -> Reading:
        """Read all clocks."""
        return Reading(self.parts.now(), self.boot() if self.boot else None, trio.current_time())

    async def wake(self, seconds: float) -> None:
        """Drop connections that died unnoticed, and let everybody who waits for a moment look again.

        Sends nothing itself, so that a laptop that keeps waking up causes no storm.
        """
        log.info("the clocks parted by %+.0f s: the machine slept, stood still or its clock was set", seconds)
        self.parts.pool.wake()
        await self.parts.drop_idle()


def watch(parts: Parts) -> Watcher:
    """Return the watcher of the clocks."""
    return Watcher(NAME, Clock(parts, parts.boot).run, LIMIT)
