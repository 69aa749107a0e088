"""A usage window: how much of it is spent, until when, and how we know."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

FIVE_HOUR = "5h"
SEVEN_DAY = "7d"
OVERAGE = "overage"
"""Paid extra usage beyond the plan. Its standing says whether it may be bought, not whether the plan
is spent, so it never refuses a request by itself."""
ALL_MODELS = ""
"""Scope of a window or cooldown that concerns every model of the account."""


class Source(StrEnum):
    """Where a fact about a window came from."""

    HEADER = "header"
    BODY = "body"
    USAGE_ENDPOINT = "usage endpoint"
    PROBE = "probe"


class Standing(StrEnum):
    """What the vendor says of a window."""

    ALLOWED = "allowed"
    WARNING = "allowed_warning"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@frozen
class Window:
    """One usage window of one account."""

    name: str
    """`5h`, `7d`, `7d_opus`, `overage`, `requests`, `input-tokens`, …: the vendor's own short name."""
    used: float | None
    """Share of the window spent: 0 to 1, may exceed 1; None when the vendor named only a reset."""
    resets_at: float | None
    """Epoch seconds at which the window starts anew."""
    standing: Standing
    source: Source
    seen_at: float
    """Epoch seconds at which this was learnt; a newer fact always replaces an older one."""
    length: float | None = None
    """Seconds the window lasts, where known."""
    scope: str = ALL_MODELS
    """Model family it concerns (`opus`, `sonnet`), or ALL_MODELS."""
    in_use: bool = False
    """For `overage`: requests are being paid for on top of the plan right now."""
    named_reset: float | None = None
    """The reset the vendor named, where it lay further away than the window is long and was cut."""

    def rejects(self, family: str, now: float) -> bool:
        """Whether this window refuses requests for `family` at `now`."""
        return (
            self.standing is Standing.REJECTED
            and self.resets_at is not None
            and self.resets_at > now
            and self.scope in (ALL_MODELS, family)
            and self.name != OVERAGE
        )

    def used_now(self, now: float) -> float:
        """Share spent at `now`: nothing once the reset has passed."""
        if self.resets_at is not None and self.resets_at <= now:
            return 0.0
        return self.used or 0.0
