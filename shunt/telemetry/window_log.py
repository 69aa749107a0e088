"""How the accounts' windows stood in the last days: what forecasts are made from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from attrs import define, field

from shunt.accounts.state import PoolState
from shunt.limits.forecast import Forecast, forecast
from shunt.limits.samples import Sample, sampled

KEPT: Final = 512
"""Samples per window; more are thinned out from the old end."""
MOST_WINDOWS: Final = 1_000
APART: Final = 20.0
"""Seconds between two samples of a window at least, unless it was reset or refused meanwhile."""


FRESH: Final = 5.0
"""Seconds for which a forecast holds while nothing new is seen."""


class _Told(NamedTuple):
    newest: Sample
    at: float
    forecast: Forecast | None


@define(eq=False)
class WindowLog:
    """Takes samples of the pool's windows. Bounded."""

    _samples: dict[tuple[str, str], deque[Sample]] = field(factory=dict)
    _told: dict[tuple[str, str], _Told] = field(factory=dict)
    """The last forecast of each: fifty accounts on three pages are asked for again and again."""

    def restore(self, samples: Iterable[Sample]) -> None:
        """Take up what an earlier run saw, oldest first."""
        for sample in samples:
            self._keep(sample)

    def observe(self, state: PoolState) -> list[Sample]:
        """Sample every window that has changed; the new samples."""
        last = {key: kept[-1] for key, kept in self._samples.items() if kept}
        fresh: list[Sample] = []
        for name, account in state.accounts.items():
            for sample in sampled(name, account.windows.values(), last):
                before = last.get((name, sample.window))
                if before is None or sample.at - before.at >= APART or _turned(before, sample):
                    self._keep(sample)
                    fresh.append(sample)
        return fresh

    def forecasts(self, account: str, now: float) -> list[Forecast]:
        """What becomes of each of an account's windows."""
        told = (self._forecast(key, kept, now) for key, kept in self._samples.items() if key[0] == account)
        return [one for one in told if one is not None]

    def _forecast(self, key: tuple[str, str], kept: deque[Sample], now: float) -> Forecast | None:
        known = self._told.get(key)
        if known is not None and known.newest is kept[-1] and 0 <= now - known.at < FRESH:
            return known.forecast
        found = forecast(tuple(kept), now)
        self._told[key] = _Told(kept[-1], now, found)
        return found

    def _keep(self, sample: Sample) -> None:
        key = (sample.account, sample.window)
        kept = self._samples.get(key)
        if kept is None:
            if len(self._samples) >= MOST_WINDOWS:
                oldest = next(iter(self._samples))
                del self._samples[oldest]
                self._told.pop(oldest, None)
            kept = self._samples[key] = deque(maxlen=KEPT)
        kept.append(sample)


def _turned(before: Sample, sample: Sample) -> bool:
    return (before.standing, before.resets_at) != (sample.standing, sample.resets_at)
