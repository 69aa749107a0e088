"""What the gateway hands to the server: an answer ready to be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import field, frozen

from shunt.wire.headers import Headers


@frozen
class Delivery:
    """One answer for the client."""

    status: int
    headers: Headers = field(repr=False)
    """End-to-end headers with `x-shunt-*` added. No content-length for a streamed body."""
    body: bytes | AsyncIterator[bytes] = field(repr=False)
    """Either all of it, or chunks as they come. Iterating may end early; the request's Lifetime
    closes whatever is behind it."""
