"""A usage window as it was at one moment of the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from shunt.limits.windows import Standing, Window

LEAST_CHANGE: Final = 0.001
"""Share of a window by which its use has to differ for a new sample."""


@frozen
class Sample:
    """What was known of one window of one account."""

    at: float
    """Epoch seconds at which it was seen."""
    account: str
    window: str
    used: float | None
    resets_at: float | None
    """Epoch seconds."""
    standing: str = Standing.UNKNOWN
    source: str = ""
    length: float | None = None
    """Seconds the window lasts, where known."""


def sampled(account: str, windows: Iterable[Window], last: Mapping[tuple[str, str], Sample]) -> list[Sample]:
    """What is new in an account's windows since the last sample of each, by (account, window)."""
    fresh = []
    for window in windows:
        before = last.get((account, window.name))
        if before is not None and (window.seen_at <= before.at or not _differs(window, before)):
            continue
        fresh.append(
            Sample(
                at=window.seen_at,
                account=account,
                window=window.name,
                used=window.used,
                resets_at=window.resets_at,
                standing=window.standing.value,
                source=window.source.value,
                length=window.length,
            )
        )
    return fresh


def _differs(window: Window, before: Sample) -> bool:
    if (window.standing.value, window.resets_at) != (before.standing, before.resets_at):
        return True
    if window.used is None or before.used is None:
        return window.used is not before.used
    return abs(window.used - before.used) >= LEAST_CHANGE
