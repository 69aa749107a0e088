"""How often a login may be renewed: a token endpoint that fails or is misused must not be hammered."""

from __future__ import annotations

import math
from typing import Final

from attrs import evolve, frozen

FIRST_PAUSE: Final = 30.0
LONGEST_PAUSE: Final = 900.0
"""Seconds a login is left alone after a passing failure; doubled with each one in a row."""
LONGEST_ASKED: Final = 3600.0
"""Seconds of a Retry-After that are honoured."""
MOST: Final = 2
WITHIN: Final = 60.0
"""Seconds in which a login is renewed no more often than that, when its successors are refused at once."""


@frozen
class Pace:
    """One login's recent renewals. Times are of a clock that never jumps back."""

    failures: int = 0
    """Passing failures in a row."""
    not_before: float = -math.inf
    """When the token endpoint may be asked again after the last of them."""
    renewals: tuple[float, ...] = ()
    """When the latest renewals succeeded."""

    def after_failure(self, clock: float, asked: float | None) -> Pace:
        """A renewal failed; `asked` are the seconds the endpoint wants to be left alone."""
        doubled = min(FIRST_PAUSE * 2.0 ** min(self.failures, 10), LONGEST_PAUSE)
        pause = max(doubled, min(asked or 0.0, LONGEST_ASKED))
        return evolve(self, failures=self.failures + 1, not_before=clock + pause)

    def after_renewal(self, clock: float) -> Pace:
        """A renewal succeeded."""
        return Pace(renewals=(*self.renewals, clock)[-MOST:])

    def pause(self, clock: float) -> float:
        """Seconds until the endpoint may be asked after a failure; 0 when it may."""
        return max(0.0, self.not_before - clock)

    def rest(self, clock: float) -> float:
        """Seconds until the endpoint may be asked after so many successes; 0 when it may."""
        if len(self.renewals) < MOST:
            return 0.0
        return max(0.0, self.renewals[-MOST] + WITHIN - clock)
