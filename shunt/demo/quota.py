"""How a simulated account's quota runs down and comes back. Pure.

The real five-hour window starts with its first request and ends five hours later. Here it is the same
window under the same name, only that it lasts seconds and a few answers fill it.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, frozen

PREFIX = "anthropic-ratelimit-unified-"
WEEK = 7 * 86_400.0


@frozen
class Quota:
    """One account's windows; every change gives a new one."""

    answers: int
    """How many answers fill the short window."""
    period: float
    """Seconds the short window lasts."""
    weekly: float
    """Share of the seven-day window that was spent when the demo began, 0-1."""
    week_ends: float
    """Epoch seconds at which the seven-day window starts anew."""
    given: int = 0
    """Answers in the current short window."""
    resets_at: float | None = None
    """Epoch seconds at which the short window ends; None until a first answer opens one."""

    def at(self, now: float) -> Quota:
        """The same quota at `now`: a window whose end has passed is empty and not yet open."""
        if self.resets_at is None or now < self.resets_at:
            return self
        return evolve(self, given=0, resets_at=None)

    def take(self, now: float) -> Quota | None:
        """Spend one answer; None when the window is full."""
        current = self.at(now)
        if current.given >= current.answers:
            return None
        # Whole seconds, because that is what the headers can say.
        resets_at = current.resets_at or float(math.ceil(now + self.period))
        return evolve(current, given=current.given + 1, resets_at=resets_at, weekly=self.weekly + 0.002)

    def headers(self, now: float, *, rejected: bool = False) -> tuple[tuple[str, str], ...]:
        """What the vendor says about the windows beside an answer, or instead of one."""
        current = self.at(now)
        standing = "rejected" if rejected else "allowed"
        reset = f"{current.resets_at or now + current.period:.0f}"
        return (
            (f"{PREFIX}status", standing),
            (f"{PREFIX}reset", reset),
            (f"{PREFIX}representative-claim", "five_hour"),
            (f"{PREFIX}5h-status", standing),
            (f"{PREFIX}5h-reset", reset),
            (f"{PREFIX}5h-utilization", f"{current.used:.2f}"),
            (f"{PREFIX}7d-status", "allowed"),
            (f"{PREFIX}7d-reset", f"{current.week_ends:.0f}"),
            (f"{PREFIX}7d-utilization", f"{current.weekly:.3f}"),
        )

    def report(self, now: float) -> dict[str, Any]:
        """The same facts as the usage endpoint tells them: percentages, and times in ISO format."""
        current = self.at(now)
        return {
            "five_hour": {
                "utilization": round(100 * current.used, 1),
                "resets_at": _iso(current.resets_at),
            },
            "seven_day": {
                "utilization": round(100 * current.weekly, 1),
                "resets_at": _iso(current.week_ends),
            },
        }

    @property
    def used(self) -> float:
        """Share of the short window that is spent, 0-1."""
        return self.given / self.answers


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()
