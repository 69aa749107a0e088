"""When a usage window runs dry at the present pace: pure, with its method and its error on the past.

The method: the pace is the mean of two averages, the one since the window began and the one over the
last tenth of the window (half an hour of five, seventeen hours of seven days). The long one alone
notices too late that work has begun, the short one alone takes every pause for an end. What is left,
divided by the pace, says when the window is spent; where that lies after the reset, it lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from statistics import mean, median
from typing import Final

from attrs import frozen

from shunt.limits.samples import Sample
from shunt.limits.windows import OVERAGE, Standing

METHOD: Final = (
    "mean of the average pace since the window began and over its last tenth; "
    "dry when what is left, divided by that pace, ends before the reset"
)
RECENT_SHARE: Final = 0.1
"""Part of a window that counts as recent."""
LEAST_LOOKBACK: Final = 600.0
LEAST_ELAPSED: Final = 60.0
"""Seconds of a window that must have passed before its pace says anything."""
ROUNDING: Final = 120.0
"""Resets told for one window differ by rounding and by clocks; further apart they are two windows."""
FULL: Final = 0.999
"""Share from which a window counts as spent."""
CHECKPOINTS: Final = (0.25, 0.5, 0.75)
"""Parts of a past window at which the forecast is tried on it."""
LEAST_SAMPLES: Final = 4
"""A past window with fewer samples proves nothing."""


@frozen
class Forecast:
    """What becomes of one window at the present pace."""

    account: str
    window: str
    used: float
    """Share spent now."""
    resets_at: float
    """Epoch seconds."""
    pace: float
    """Share of the window spent per hour."""
    runs_dry_at: float | None
    """Epoch seconds; None when it lasts until its reset."""
    used_at_reset: float
    """Share that will have been spent at the reset; above 1 means more is wanted than there is."""
    samples: int
    """Observations it rests on."""


@frozen
class Backtest:
    """How forecasts did on windows that are over."""

    windows: int
    """Past windows that were long enough observed."""
    forecasts: int
    mean_error: float | None
    """Mean distance between the use foretold for the end and the true one, as share of a window."""
    dry_hits: float | None
    """Of the windows that ran dry, the share of forecasts that said so."""
    median_dry_error: float | None
    """Seconds between the moment foretold and the true one, where both ran dry."""


def forecast(samples: Sequence[Sample], now: float) -> Forecast | None:
    """What becomes of the window that `samples` (one window of one account, oldest first) tell of.

    None while too little is known: no figures, no reset, or a window that has only just begun.
    """
    known = [sample for sample in samples if sample.used is not None and sample.resets_at is not None]
    known = [sample for sample in known if sample.at <= now]
    if not known or known[-1].window == OVERAGE:
        return None
    last = known[-1]
    resets_at, used = last.resets_at or 0.0, last.used or 0.0
    if resets_at <= now:
        return None
    current = [s for s in known if abs((s.resets_at or 0.0) - resets_at) <= ROUNDING]
    pace = _pace(current, resets_at, now)
    if pace is None:
        return None
    left = max(0.0, 1.0 - used)
    spent = last.standing == Standing.REJECTED or used >= FULL
    dry = now if spent else now + left / pace if pace > 0 else None
    return Forecast(
        account=last.account,
        window=last.window,
        used=used,
        resets_at=resets_at,
        pace=pace * 3600,
        runs_dry_at=dry if dry is not None and dry < resets_at else None,
        used_at_reset=used + pace * (resets_at - now),
        samples=len(current),
    )


def first_to_bite(forecasts: Iterable[Forecast]) -> Forecast | None:
    """Of an account's windows, the one that will refuse first; else the one that will be fullest."""
    known = tuple(forecasts)
    dry = [one for one in known if one.runs_dry_at is not None]
    if dry:
        return min(dry, key=lambda one: one.runs_dry_at or 0.0)
    return max(known, key=lambda one: one.used_at_reset, default=None)


def back_test(samples: Iterable[Sample]) -> Backtest:
    """Try the method on windows of the past: at a quarter, half and three quarters of each."""
    errors: list[float] = []
    hits: list[bool] = []
    late: list[float] = []
    windows = 0
    for period in periods(samples):
        if len(period) < LEAST_SAMPLES:
            continue
        windows += 1
        truth, dry_at = min(1.0, period[-1].used or 0.0), _dry_at(period)
        begin, end = period[0].at, dry_at if dry_at is not None else period[-1].at
        for part in CHECKPOINTS:
            now = begin + part * (end - begin)
            told = forecast([sample for sample in period if sample.at <= now], now)
            if told is None:
                continue
            errors.append(abs(min(1.0, told.used_at_reset) - (1.0 if dry_at is not None else truth)))
            if dry_at is not None:
                hits.append(told.runs_dry_at is not None)
                if told.runs_dry_at is not None:
                    late.append(abs(told.runs_dry_at - dry_at))
    return Backtest(
        windows=windows,
        forecasts=len(errors),
        mean_error=mean(errors) if errors else None,
        dry_hits=mean(hits) if hits else None,
        median_dry_error=median(late) if late else None,
    )


def periods(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    """The samples of each window from one reset to the next, the running ones included, oldest first."""
    told = (s for s in samples if s.used is not None and s.resets_at is not None and s.window != OVERAGE)
    ordered = sorted(told, key=lambda s: (s.account, s.window, s.at))
    for _, of_window in groupby(ordered, lambda s: (s.account, s.window)):
        period: list[Sample] = []
        for sample in of_window:
            if period and abs((sample.resets_at or 0.0) - (period[-1].resets_at or 0.0)) > ROUNDING:
                yield period
                period = []
            period.append(sample)
        if period:
            yield period


def _pace(current: Sequence[Sample], resets_at: float, now: float) -> float | None:
    """Share per second; None when the time observed is too short."""
    last, first = current[-1], current[0]
    length = last.length or max(0.0, resets_at - first.at)
    begin = resets_at - length if last.length else first.at
    at_begin = 0.0 if last.length else first.used or 0.0
    elapsed = now - begin
    if elapsed < LEAST_ELAPSED:
        return None
    used = last.used or 0.0
    whole = max(0.0, used - at_begin) / elapsed
    lookback = min(elapsed, max(LEAST_LOOKBACK, RECENT_SHARE * length))
    recent = max(0.0, used - _used_at(current, now - lookback, begin, at_begin)) / lookback
    return (whole + recent) / 2


def _used_at(current: Sequence[Sample], at: float, begin: float, at_begin: float) -> float:
    """The share spent at a moment, in a straight line between the samples around it."""
    before = (begin, at_begin)
    for sample in current:
        if sample.at >= at:
            span = sample.at - before[0]
            part = (at - before[0]) / span if span > 0 else 1.0
            return before[1] + min(1.0, max(0.0, part)) * ((sample.used or 0.0) - before[1])
        before = (sample.at, sample.used or 0.0)
    return before[1]


def _dry_at(period: Sequence[Sample]) -> float | None:
    spent = (s.at for s in period if (s.used or 0.0) >= FULL or s.standing == Standing.REJECTED)
    return next(spent, None)
