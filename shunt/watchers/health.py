"""How each watcher is doing, as plain records that `/status` and `/ready` read without waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from math import inf

import trio
from attrs import define, field, frozen

RESTARTS_BORNE = 5
"""More restarts than this within `RESTARTS_WITHIN` make a watcher degraded, even while it runs."""
RESTARTS_WITHIN = 600.0
"""Seconds."""


class Doing(StrEnum):
    """What a watcher is doing."""

    IDLE = "idle"
    WORKING = "working"
    FAILED = "failed"
    """It stopped and has given no sign of life since."""


@define
class Condition:
    """One watcher's health. Times are epoch seconds."""

    name: str
    state: Doing = Doing.IDLE
    last_run: float | None = None
    """When it last began a round of work."""
    next_run: float | None = None
    """When it means to look again; None while it waits for an event."""
    runs: int = 0
    """Rounds of work begun."""
    failures: int = 0
    """Crashes, hangs and unexpected returns since the program started."""
    last_error: str = ""
    """One line without secrets; kept after recovery."""
    due: float = inf
    """Trio time by which the next sign of life is due."""
    _failed_at: deque[float] = field(factory=lambda: deque(maxlen=RESTARTS_BORNE + 1), repr=False)

    @property
    def degraded(self) -> bool:
        """Whether it is down, silent for too long, or restarts again and again."""
        now = trio.current_time()
        often = len(self._failed_at) > RESTARTS_BORNE and self._failed_at[0] > now - RESTARTS_WITHIN
        return self.state is Doing.FAILED or self.due < now or often

    def fail(self, error: str) -> None:
        """Note that the watcher stopped."""
        self.state = Doing.FAILED
        self.next_run = None
        self.failures += 1
        self.last_error = error
        self.due = inf
        self._failed_at.append(trio.current_time())


class Health:
    """The conditions of all watchers, by name."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives epoch seconds."""
        self.now = now
        self.conditions: dict[str, Condition] = {}

    def enrol(self, name: str) -> Condition:
        """Open the record of a watcher."""
        return self.conditions.setdefault(name, Condition(name))

    @property
    def degraded(self) -> tuple[str, ...]:
        """Names of the watchers that are not well; empty when all are."""
        return tuple(name for name, condition in self.conditions.items() if condition.degraded)


@frozen
class Report:
    """A watcher's line to its supervisor: every call is a sign of life.

    Each sign moves the deadline of the watcher's own cancel scope, so that one that hangs is
    cancelled, and restarted, without anybody polling it. The deadline is in Trio's time, which
    stands still while the machine sleeps: waking up never looks like a hang.
    """

    condition: Condition
    scope: trio.CancelScope
    limit: float
    """Seconds of work allowed between two signs of life."""
    now: Callable[[], float]

    def idle(self, until: float | None = None) -> None:
        """Nothing to do until then (epoch seconds), or until something happens."""
        self.condition.state = Doing.IDLE
        self.condition.next_run = until
        self._due(inf if until is None else max(0.0, until - self.now()) + self.limit)

    def working(self) -> None:
        """At work; say it again at every step of a long round."""
        if self.condition.state is not Doing.WORKING:
            self.condition.runs += 1
            self.condition.last_run = self.now()
        self.condition.state = Doing.WORKING
        self.condition.next_run = None
        self._due(self.limit)

    def _due(self, seconds: float) -> None:
        self.condition.due = self.scope.deadline = trio.current_time() + seconds
