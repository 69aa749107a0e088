"""How long an account is left alone after each kind of trouble. Seconds throughout.

Sources: retry hints of vendors are honoured between 1 s and 5 min; a window's own reset is honoured
whole, however far away, because asking earlier only earns another refusal.
"""

from __future__ import annotations

from typing import Final

OVERLOADED: Final = 30.0
FORBIDDEN: Final = 30 * 60.0
UNAUTHORIZED: Final = 5 * 60.0
RENEWAL_MOST: Final = 3600.0
"""An account whose login cannot be renewed just now is left alone as long as that takes, up to this."""
LONG: Final = 5 * 60.0
"""A cooldown of at least this is worth telling the owner about."""
LONGEST: Final = 32 * 86_400.0
"""No cooldown is longer: the longest window known is a calendar month."""

THROTTLE_FIRST: Final = 60.0
THROTTLE_MOST: Final = 300.0
BREAK_FIRST: Final = 15.0
BREAK_MOST: Final = 120.0
RETRY_AFTER_LEAST: Final = 1.0
RETRY_AFTER_MOST: Final = 300.0

RESET_MARGIN: Final = 0.5
"""A window opens at its reset, not before: vendors round the moment down to a second."""
RESET_SPREAD: Final = 4.5
"""Accounts whose windows end together come back over this time."""


def throttle(earlier: int) -> float:
    """Pause after a 429 that named neither a window nor a time; `earlier` such 429s went before it."""
    return _doubled(THROTTLE_FIRST, earlier, THROTTLE_MOST)


def broken(earlier: int) -> float:
    """Pause after a 5xx, a failed connection or silence; `earlier` of them went before it."""
    return _doubled(BREAK_FIRST, earlier, BREAK_MOST)


def clamp_retry_after(seconds: float) -> float:
    """What is made of a vendor's retry hint."""
    return min(max(seconds, RETRY_AFTER_LEAST), RETRY_AFTER_MOST)


def past_reset(resets_at: float, jitter: float) -> float:
    """The moment (epoch seconds) to try a window that resets at `resets_at`: never before it.

    `jitter` is a number from 0 to 1.
    """
    return resets_at + RESET_MARGIN + RESET_SPREAD * min(max(jitter, 0.0), 1.0)


def _doubled(first: float, earlier: int, most: float) -> float:
    # The exponent is bounded so that no count, however wrong, overflows.
    return min(first * 2.0 ** min(max(earlier, 0), 30), most)
