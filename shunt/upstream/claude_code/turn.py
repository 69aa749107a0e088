"""One client request and the message that answers it: what the driver returns in place of an HTTP answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import trio
from attrs import define, field, frozen

from shunt.errors import UpstreamBroke, UpstreamError, UpstreamTimeout
from shunt.upstream.claude_code.failures import Refusal
from shunt.upstream.claude_code.narration import Ended, Narration
from shunt.wire import json, sse
from shunt.wire.headers import Headers

PING: Final = sse.encode("ping", json.encode({"type": "ping"}))
AHEAD: Final = 256
"""Events that may wait for a slow client before the program is no longer read."""


@frozen
class Bounds:
    """Limits of one turn."""

    stall: float
    """Seconds without a word of the program."""
    total: float
    """Seconds for the whole turn; 0 for no limit."""
    characters: int
    """Of output; 0 for no limit."""
    heartbeat: float
    """Seconds of silence after which the client is shown that somebody is still there."""


@frozen
class Gone:
    """The program ended in the middle."""

    status: int
    said: str


@define(eq=False)
class Turn:
    """A message on its way to the client."""

    narration: Narration
    bounds: Bounds
    begun_at: float = field(factory=trio.current_time)
    heard_at: float = field(factory=trio.current_time)
    """Trio's clock, when the program last said anything."""
    _send: trio.MemorySendChannel[bytes | Ended | Gone] = field(init=False)
    _receive: trio.MemoryReceiveChannel[bytes | Ended | Gone] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[bytes | Ended | Gone](AHEAD)

    def over(self) -> bool:
        """Whether the message is complete."""
        return self.narration.finished

    # ── the program's side ────────────────────────────────────────────────────────────────────

    async def tell(self, what: bytes | Ended | Gone) -> bool:
        """Hand something on; False when nobody listens any more."""
        try:
            await self._send.send(what)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    def end(self) -> None:
        """Nothing more will come."""
        self._send.close()

    # ── the client's side ─────────────────────────────────────────────────────────────────────

    async def first(self) -> bytes | Ended | Gone:
        """Wait for the beginning of the message, or for why there is none. Raises UpstreamTimeout."""
        while True:
            found = await self._next(silence=None)
            if found is not None:
                return found

    async def next(self) -> bytes:
        """The next event, or a sign of life. Raises StopAsyncIteration, UpstreamTimeout, UpstreamBroke."""
        found = await self._next(self.bounds.heartbeat)
        if found is None:
            return PING
        if isinstance(found, bytes):
            if self.bounds.characters and self.narration.characters > self.bounds.characters:
                raise UpstreamBroke(
                    f"the answer is longer than claude_code.max_output_chars allows ({self.bounds.characters})"
                )
            return found
        raise broken(found)

    async def _next(self, silence: float | None) -> bytes | Ended | Gone | None:
        """Wait for something; None after `silence` seconds of silence."""
        now = trio.current_time()
        deadline = self.heard_at + self.bounds.stall
        whole = self.begun_at + self.bounds.total if self.bounds.total else float("inf")
        pause = float("inf") if silence is None else now + silence
        with trio.move_on_at(max(now, min(deadline, whole, pause))):
            try:
                return await self._receive.receive()
            except trio.EndOfChannel:
                raise StopAsyncIteration from None
        now = trio.current_time()
        if now >= whole:
            raise UpstreamTimeout(
                f"Claude Code took longer than claude_code.total_timeout ({self.bounds.total:.0f} s)"
            )
        if now >= self.heard_at + self.bounds.stall:
            raise UpstreamTimeout(
                f"Claude Code has been silent for claude_code.stall_timeout ({self.bounds.stall:.0f} s)"
            )
        return None

    def leave(self) -> None:
        """The client has gone or has everything."""
        self._receive.close()


def broken(found: Ended | Gone) -> UpstreamError:
    """Why a message that had begun will not be finished."""
    if isinstance(found, Gone):
        return UpstreamBroke(
            f"Claude Code ended in the middle of its answer (status {found.status})"
            + (f": {found.said}" if found.said else "")
        )
    return UpstreamBroke(f"Claude Code gave up in the middle of its answer: {found.text}")


@define(eq=False)
class Reply:
    """What stands in the place of an upstream's HTTP answer. Close it, whatever happens."""

    status: int
    headers: Headers
    _head: bytes = field(repr=False)
    _turn: Turn | None = None
    _close: Callable[[], Awaitable[None]] | None = None
    _ended: bool = False
    unsaid: tuple[str, ...] = ()
    """Fields of the request that could not be said to the program."""

    @property
    def closed(self) -> bool:
        """Whether there is nothing left to close."""
        return self._close is None

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Its `__anext__` may be cancelled and called again."""
        return self

    def __aiter__(self) -> Reply:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Wait for more of the body."""
        if self._head:
            await trio.lowlevel.checkpoint()
            head, self._head = self._head, b""
            return head
        if self._turn is None or self._ended:
            raise StopAsyncIteration
        try:
            return await self._turn.next()
        except StopAsyncIteration:
            self._ended = True
            await self.aclose()
            raise

    async def read(self, limit: int, within: float) -> bytes:
        """Read up to `limit` bytes for up to `within` seconds and close; never raises."""
        parts: list[bytes] = []
        try:
            with trio.move_on_after(within):
                async for chunk in self:
                    parts.append(chunk)
                    if sum(map(len, parts)) >= limit:
                        break
        except UpstreamError:
            pass
        finally:
            await self.aclose()
        return b"".join(parts)[:limit]

    async def aclose(self) -> None:
        """The client needs nothing more. Idempotent, safe under cancellation."""
        close, self._close = self._close, None
        if close is not None:
            with trio.CancelScope(shield=True):
                await close()


def refused(refusal: Refusal) -> Reply:
    """An error as an answer."""
    return Reply(refusal.status, refusal.headers, refusal.body)
