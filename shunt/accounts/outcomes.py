"""What an attempt at an upstream came to, in one record that pool and routing both read."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from shunt.limits.windows import ALL_MODELS, Window


class Verdict(StrEnum):
    """What the answer says: about the account, and about the request."""

    SERVED = "served"
    """The vendor accepted the request (2xx, or a 3xx-free answer that is the client's business)."""
    LIMITED = "limited"
    """429 that names a rejected window: stay away until its reset."""
    THROTTLED = "throttled"
    """429 without window facts: a short pause for this model family."""
    OVERLOADED = "overloaded"
    """529, or its equal inside a 200 stream before any content: says nothing about the account."""
    UNAUTHORIZED = "unauthorized"
    """401: refresh once, then look elsewhere."""
    FORBIDDEN = "forbidden"
    """403 (or a billing refusal) about the account: subscription lapsed, organisation restricted."""
    BROKEN = "broken"
    """5xx, an answer of the wrong kind, or a connection that broke before any content."""
    UNREACHABLE = "unreachable"
    """No connection: the request was never sent."""
    TIMED_OUT = "timed_out"
    """Silence after the request was sent."""
    REFUSED = "refused"
    """The vendor's answer is about the request itself: it goes back to the client."""
    BUSY = "busy"
    """No place is free for it there at the moment; says nothing about the account or the vendor."""
    CUT = "cut"
    """The stream broke after content was relayed."""


@frozen
class Outcome:
    """One answer (or the lack of one), classified."""

    account: str
    verdict: Verdict
    at: float
    """Epoch seconds when it was seen."""
    status: int | None = None
    """HTTP status, None when no answer came."""
    scope: str = ALL_MODELS
    """Model family that is meant, or ALL_MODELS for the whole account."""
    until: float | None = None
    """Epoch seconds until which the vendor asks to stay away, when it said so."""
    windows: tuple[Window, ...] = ()
    """Facts about usage windows that came with the answer."""
    reason: str = ""
    """Which fact decided, e.g. `anthropic-ratelimit-unified-5h-status: rejected`."""
    message: str = ""
    """The vendor's words, shortened and free of control characters."""
