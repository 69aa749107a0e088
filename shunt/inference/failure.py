"""A failure as a client is to be told of it, before any protocol has put it into words."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from shunt.errors import Kind

STATUS: Final[dict[Kind, int]] = {
    Kind.INVALID_REQUEST: 400,
    Kind.CONTEXT_OVERFLOW: 400,
    Kind.AUTHENTICATION: 401,
    Kind.BILLING: 402,
    Kind.PERMISSION: 403,
    Kind.NOT_FOUND: 404,
    Kind.TIMEOUT: 504,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.RATE_LIMITED: 429,
    Kind.INTERNAL: 500,
    Kind.NOT_OFFERED: 501,
    Kind.UPSTREAM: 502,
    Kind.UNAVAILABLE: 503,
    Kind.OVERLOADED: 529,
}
"""HTTP status a kind has where the protocol does not say otherwise."""


@frozen
class Failure:
    """What went wrong, for one client."""

    kind: Kind
    message: str
    """What happened and what to do, in plain words; never empty."""
    request_id: str = ""
    status: int | None = None
    """Overrides the protocol's own status for this kind, e.g. a status the vendor chose."""
    retry_after: float | None = None
    """Seconds until trying again makes sense."""
    code: str = ""
    """A machine-readable code, where the protocol has such a field."""
    param: str = ""
    """The request field it concerns, where the protocol has such a field."""
    at: int = 0
    """Epoch seconds, for protocols that date their answers; 0 when it is not known."""
    should_retry: bool | None = None
    """What `x-should-retry` is to say; None leaves the header out."""

    @property
    def http_status(self) -> int:
        """The status to answer with."""
        return self.status if self.status is not None else STATUS[self.kind]
