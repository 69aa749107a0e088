"""A served answer on its way to the client: the same bytes, with a tap reading along.

A stream that breaks, or ends without its protocol's terminal event, is ended with that protocol's
error event: a broken answer is never dressed up as a finished one. So that an error event can always
be read, the bytes of an event are passed on when it is complete, and half of one is dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import trio
from attrs import define, field

from shunt.errors import UpstreamBroke, UpstreamError
from shunt.gateway.attempt import Body, Source
from shunt.gateway.progress import Progress
from shunt.gateway.renaming import Renaming
from shunt.inference.failure import Failure
from shunt.protocols.base import Protocol

LINGER = 1.0
"""Seconds a stream may go on after its terminal event, in all, before it is ended here."""


@define(eq=False)
class Relay(AsyncIterator[bytes]):
    """Iterates over the bytes to send. Raises UpstreamBroke where only a cut can tell the truth."""

    _body: Body
    _protocol: Protocol
    _request_id: str
    progress: Progress
    _renaming: Renaming | None = None
    """The client's own name for the model, where the request that went out had another."""
    _begun: bool = False
    _ended: bool = False
    _half: list[bytes] = field(factory=list)
    """The beginning of an event whose end has not come yet, in pieces: joined for each of them, an event of 30 MiB
    would be copied hundreds of times."""
    _ends_at: float | None = None
    """Trio's clock at which the stream is ended here; set once its terminal event has come."""

    async def __anext__(self) -> bytes:
        if not self._begun:
            self._begun = True
            if whole := self._whole(b"".join(self._body.head)):
                self.progress.moved(len(whole))
                return whole
        while not self._ended:
            try:
                chunk = await self._next(self._body.source)
            except UpstreamError as error:
                return self._break_off(str(error), error)
            if chunk is None:
                if rest := self._finish():
                    self.progress.moved(len(rest))
                    return rest
                break
            if self._body.tap is not None:
                self._body.tap.feed(chunk)
            if whole := self._whole(chunk):
                self.progress.moved(len(whole))
                return whole
        raise StopAsyncIteration

    def _whole(self, chunk: bytes) -> bytes:
        """The complete events of what has come; the rest is kept. The tap has been fed already."""
        pending = self._body.tap.pending if self._body.tap is not None else 0
        if not pending:
            whole = self._joined(chunk) if self._half else chunk
            return whole if self._renaming is None else self._named(whole)
        if pending >= sum(map(len, self._half)) + len(chunk):
            self._half.append(chunk)
            return b""
        come = self._joined(chunk)
        self._half.append(come[-pending:])
        return self._named(come[:-pending])

    def _joined(self, chunk: bytes = b"") -> bytes:
        """All that is held back, and what has come after it."""
        self._half.append(chunk)
        come = b"".join(self._half)
        self._half.clear()
        return come

    def _named(self, whole: bytes) -> bytes:
        if self._renaming is None or not whole:
            return whole
        return self._renaming.of(whole, self._body.tap.model if self._body.tap is not None else "")

    async def _next(self, source: Source | None) -> bytes | None:
        if source is None:
            return None
        if self._body.is_stream and self._is_over:
            if self._ends_at is None:
                self._ends_at = trio.current_time() + LINGER
            # What a read loses that is given up here is nothing: everything has been said.
            with trio.move_on_at(self._ends_at), suppress(UpstreamError):
                return await source.next()
            return None
        return await source.next()

    @property
    def _is_over(self) -> bool:
        tap = self._body.tap
        return tap is not None and (tap.finished or tap.failure is not None)

    def _finish(self) -> bytes:
        """The upstream's part is over: well, or too early. What is still to be sent."""
        self._ended = True
        if self._body.tap is not None:
            self._body.tap.close()
        if self._body.is_stream and self._body.tap is not None and not self._is_over:
            return self._break_off("the upstream ended the stream before the answer was complete", None)
        self.progress.complete = True
        return self._joined()

    def _break_off(self, why: str, cause: UpstreamError | None) -> bytes:
        self._ended = True
        self.progress.broke = why
        if not self._body.is_stream or self._body.encoded:
            raise UpstreamBroke(why) from cause
        failure = Failure(kind=UpstreamBroke.kind, message=why, request_id=self._request_id)
        return self._protocol.break_off(failure, self._body.tap)
