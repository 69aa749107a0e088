"""Taking a request's body in: counted, paced, and only as much as there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import trio
from attrs import define
from hypercorn.typing import ASGIReceiveCallable

from shunt.errors import BodyTooLarge, Kind
from shunt.server.bounds import MIB, Bounds
from shunt.server.errors import TurnedAway
from shunt.server.tally import Refusal
from shunt.wire.headers import Headers, get


class ClientGone(Exception):
    """The client left before its request was whole."""


@define
class Share:
    """What one request takes of the memory for bodies, for the time of a block."""

    _store: Store
    held: int = 0
    """Bytes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.used -= self.held
        self.held = 0


class Store:
    """The memory for all bodies of running requests."""

    def __init__(self, capacity: int) -> None:
        """`capacity` in bytes."""
        self.capacity = capacity
        self.used = 0

    def share(self) -> Share:
        """Room for one request; free again at the end."""
        return Share(self)

    def grow(self, share: Share, total: int) -> None:
        """Let a share hold `total` bytes. Raises TurnedAway when all of them would be too many."""
        more = max(0, total - share.held)
        if self.used + more > self.capacity:
            raise TurnedAway(
                "Too many large requests are running at once; try again in a moment.",
                503,
                kind=Kind.UNAVAILABLE,
                retry_after=5,
                refusal=Refusal.BODIES,
            )
        self.used += more
        share.held += more


def expects_body(headers: Headers) -> bool:
    """Whether a body comes with the request."""
    return announced(headers) > 0 or get(headers, b"transfer-encoding") is not None


def announced(headers: Headers) -> int:
    """The length that the request names; 0 if none. h11 has checked that it is a number."""
    return int(get(headers, b"content-length") or 0)


@define
class Intake:
    """The body of one request."""

    headers: Headers
    complete: bool
    """Nothing more will come."""
    at_hand: Callable[[], Any | None] = lambda: None
    """What has come already; None when it has to be waited for."""

    async def read(
        self, receive: ASGIReceiveCallable, limit: int, bounds: Bounds, store: Store, share: Share
    ) -> bytes:
        """Take the whole body in.

        Raises BodyTooLarge above `limit` bytes, TurnedAway when it is too slow or there is no room,
        ClientGone when the client leaves.
        """
        length = announced(self.headers)
        _check_size(length, limit)
        store.grow(share, length)
        parts: list[bytes] = []
        size = 0
        begun = trio.current_time()
        while not self.complete:
            message = self.at_hand()
            if message is None:
                message = await _next_within(receive, _deadline(begun, size, bounds))
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message["body"])
            size += len(message["body"])
            _check_size(size, limit)
            store.grow(share, size)
            self.complete = not message["more_body"]
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BodyTooLarge(f"The body is larger than {limit / MIB:.4g} MiB (server.max_body_mb).")


def _deadline(begun: float, received: int, bounds: Bounds) -> float:
    return begun + min(bounds.body_grace + received / bounds.body_rate, bounds.body_seconds)


async def _next_within(receive: ASGIReceiveCallable, deadline: float) -> Any:
    with trio.CancelScope(deadline=deadline):
        return await receive()
    raise TurnedAway(
        "The body of the request came too slowly.", 408, kind=Kind.TIMEOUT, refusal=Refusal.BODY_TIME
    )


async def discard(receive: ASGIReceiveCallable) -> None:
    """Throw away what still comes, until the client leaves or the caller is done."""
    while (await receive())["type"] != "http.disconnect":
        pass
