"""GET /events: what changes, as it changes, as a stream of server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import trio
from attrs import define

from shunt.errors import Kind
from shunt.gateway.delivery import Delivery
from shunt.server.call import current_call, current_lifetime
from shunt.server.errors import TurnedAway
from shunt.server.parts import ServerParts
from shunt.server.query import read
from shunt.server.relayed import RelayedResponse
from shunt.telemetry.bus import Subscription

STREAM: Final = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store"))
KINDS: Final = (
    "hello",
    "request_started",
    "request_finished",
    "active",
    "account",
    "accounts",
    "pool",
    "savings",
    "watcher",
    "error",
)
"""Names of events."""


class Events:
    """The handler of /events."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts

    async def stream(self) -> RelayedResponse:
        """Subscribe the caller until it leaves, lags, or the program ends."""
        call, lifetime = current_call(), current_lifetime()
        kinds = frozenset(read(call.query, ("kinds",)).all("kinds"))
        bus = self._parts.observatory.bus
        if bus.full:
            raise TurnedAway("Too many read /events already.", 503, kind=Kind.UNAVAILABLE, retry_after=5.0)
        # Who lags is cut off from the publisher's side: its own task may be stuck in sending.
        reader = bus.subscribe(kinds, lifetime.nursery.cancel_scope.cancel)
        lifetime.defer(_leaving(reader))
        hello = {
            "version": self._parts.version,
            "started_ms": round(self._parts.started_at * 1000),
            "now_ms": round(self._parts.now() * 1000),
        }
        opening = b"retry: 2000\n" + bus.event("hello", hello)
        return RelayedResponse(Delivery(200, STREAM, _Opened(opening, reader)))


@define(eq=False)
class _Opened(AsyncIterator[bytes]):
    """A greeting, then what the subscription brings."""

    _greeting: bytes
    _reader: Subscription

    async def __anext__(self) -> bytes:
        if self._greeting:
            await trio.lowlevel.checkpoint()
            greeting, self._greeting = self._greeting, b""
            return greeting
        return await anext(self._reader)


def _leaving(reader: Subscription) -> Callable[[], Awaitable[None]]:
    async def leave() -> None:
        reader.close()
        await trio.lowlevel.checkpoint()

    return leave
