"""Errors on their way to a caller: in the shape of the protocol it speaks, or of the control routes."""

from __future__ import annotations

from typing import Final

from shunt.errors import Kind, ShuntError
from shunt.gateway.answer import failure_of as told
from shunt.inference.failure import Failure
from shunt.protocols import protocol_named
from shunt.protocols.base import ErrorReply
from shunt.protocols.failures import whole_seconds
from shunt.server.tally import Refusal
from shunt.wire import json
from shunt.wire.headers import Headers

CONTROL: Final = ""
"""In place of a protocol's name: the caller uses our own routes."""


class TurnedAway(ShuntError):
    """A request that is refused before it reaches a handler."""

    kind = Kind.INVALID_REQUEST

    def __init__(
        self,
        message: str,
        status: int,
        *,
        kind: Kind = Kind.INVALID_REQUEST,
        headers: Headers = (),
        retry_after: float | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        super().__init__(message)
        self.refusal = refusal
        """What it is counted as."""
        self.failure = Failure(
            kind,
            message,
            status=status,
            retry_after=retry_after,
            # Whoever has the wrong key or address will have it the next time as well.
            should_retry=None if retry_after is not None or status in RETRIED else False,
        )
        self.headers = headers


RETRIED: Final = (408, 503)
"""Statuses after which the same request may well succeed."""


def failure_of(error: Exception, request_id: str, now: float) -> Failure:
    """An error in words for the caller. Of an error that nobody foresaw it only tells where to look."""
    if isinstance(error, TurnedAway):
        return error.failure
    if isinstance(error, ShuntError):
        return told(error, request_id, now)
    return Failure(
        Kind.INTERNAL,
        f"shunt made a mistake; its log says more about request {request_id}",
        request_id=request_id,
    )


def encode(protocol: str, failure: Failure) -> ErrorReply:
    """A whole error response for callers of `protocol` (or CONTROL)."""
    if protocol != CONTROL:
        return protocol_named(protocol).encode_error(failure)
    headers = [(b"content-type", b"application/json")]
    if failure.retry_after is not None:
        headers.append((b"retry-after", b"%d" % whole_seconds(failure.retry_after)))
    error = {"message": failure.message, "type": failure.kind, "request_id": failure.request_id}
    return ErrorReply(failure.http_status, tuple(headers), json.encode({"error": error}))
