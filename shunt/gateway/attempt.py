"""One try at one account: send, read as much of the answer as tells what it is, classify.

A streamed answer counts as an answer only once it carries content: an error hidden in a 200
stream, or a stream that ends before it said anything, is a failed attempt like any other and the
request may go elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol as Shape

import trio
from attrs import define, evolve, field, frozen

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import (
    UpstreamBroke,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnexpected,
    UpstreamUnreachable,
)
from shunt.gateway.decoding import DecodingTap
from shunt.gateway.lifetime import Lifetime
from shunt.gateway.listening import Listening
from shunt.gateway.trace import Phase, Trace
from shunt.gateway.wording import Rendition
from shunt.inference.inbound import Inbound, Operation
from shunt.protocols import protocol_named, speaker_of
from shunt.protocols.base import Protocol, Tap
from shunt.providers.base import Answer, Provider, UpstreamCall
from shunt.providers.build import build_call
from shunt.wire import headers as header
from shunt.wire.encoding import decoder
from shunt.wire.headers import Headers
from shunt.wire.words import words

ERROR_BODY = 64 * 1024
"""Bytes of an error's body that are read; a vendor's error is a few hundred."""
ERROR_WITHIN = 5.0
"""Seconds an error's body may take."""
PLAIN_BODY = 4 * 1024 * 1024
"""Bytes of a plain answer collected before the first is passed on, so that one that breaks can
still be asked for elsewhere. Longer answers are passed on as they come."""
PEEK_WITHIN = 5.0
"""Seconds after the first bytes of a stream within which its first content is awaited. A model
that thinks longer must not be kept from showing that it lives."""
FEW = 16
"""Reads with a deadline that get a task each; an answer that dribbles is read on in one."""
PEEK_BYTES = 256 * 1024
"""Bytes of a stream held back while waiting for its first content."""
REASON = 200
"""Characters of an error that are kept as the reason: a local program's last words may be many."""
FAILED = ((UpstreamUnreachable, Verdict.UNREACHABLE), (UpstreamTimeout, Verdict.TIMED_OUT))
"""Errors that say more of an attempt than that it broke."""


class Reply(Shape):
    """An upstream's answer, its body still to be read."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Headers:
        """As received."""

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Fields of the request that whoever answers could not do, in the words of its protocol."""

    @property
    def closed(self) -> bool:
        """Whether there is nothing left to close."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes; there is only one iterator. Raises UpstreamError."""

    async def read(self, limit: int, within: float) -> bytes:
        """Read up to `limit` bytes for up to `within` seconds and close; never raises."""

    async def aclose(self) -> None:
        """Let go of it. Idempotent, safe under cancellation."""


class Sender(Shape):
    """What calls go out through."""

    async def send(self, call: UpstreamCall) -> Reply:
        """Send a call; returns when the answer begins. Raises UpstreamError."""


@define(eq=False)
class Source:
    """An answer's chunks, which may be awaited with a deadline without losing any.

    Cancelling a generator's `__anext__` finishes it: the next call would look like a clean end and
    the rest would be lost. So a read that may be given up runs in a task of its own.
    """

    _chunks: AsyncIterator[bytes]
    _nursery: trio.Nursery
    _pending: trio.Event | None = None
    _chunk: bytes | None = None
    _error: Exception | None = None
    _hurried: int = 0
    """Reads with a deadline so far."""
    _pumped: trio.MemoryReceiveChannel[bytes | Exception] | None = None
    """Where chunks come from once every read has a deadline."""

    async def next(self) -> bytes | None:
        """Return the next chunk, or None at the end. Raises UpstreamError when the answer breaks."""
        if self._pumped is not None:
            return await self._received(self._pumped)
        if self._pending is None:
            try:
                return await self._chunks.__anext__()
            except StopAsyncIteration:
                return None
        await self._pending.wait()
        self._pending = None
        if self._error is not None:
            raise self._error
        return self._chunk

    async def next_within(self, seconds: float) -> bytes | None:
        """Like `next`; raises trio.TooSlowError after `seconds`, with nothing lost."""
        if self._pumped is not None:
            with trio.fail_after(seconds):
                return await self._received(self._pumped)
        self._hurried += 1
        if self._hurried > FEW:
            self.pump()
            return await self.next_within(seconds)
        if self._pending is None:
            self._pending = trio.Event()
            self._nursery.start_soon(self._read, self._pending)
        with trio.fail_after(seconds):
            await self._pending.wait()
        return await self.next()

    def pump(self) -> None:
        """Read on in one task from now on: for whoever gives every read a deadline, a task each costs too much."""
        if self._pumped is None:
            send, self._pumped = trio.open_memory_channel[bytes | Exception](1)
            self._nursery.start_soon(self._pump, send)

    async def _pump(self, send: trio.MemorySendChannel[bytes | Exception]) -> None:
        async with send:
            try:
                if self._pending is not None:
                    await self._pending.wait()
                    if self._error is not None:
                        await send.send(self._error)
                        return
                    if self._chunk is not None:
                        await send.send(self._chunk)
                while (chunk := await anext(self._chunks, None)) is not None:
                    await send.send(chunk)
            except trio.BrokenResourceError:
                return
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for the next chunk
                await send.send(error)

    @staticmethod
    async def _received(pumped: trio.MemoryReceiveChannel[bytes | Exception]) -> bytes | None:
        try:
            found = await pumped.receive()
        except trio.EndOfChannel:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    async def _read(self, done: trio.Event) -> None:
        try:
            self._chunk = await anext(self._chunks, None)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for this chunk
            self._error = error
        finally:
            done.set()


@frozen
class Body:
    """What is known of an answer's body when the attempt is judged."""

    head: tuple[bytes, ...] = field(repr=False)
    """Chunks read so far, in order."""
    source: Source | None
    """Where the rest comes from; None when `head` is all of it."""
    tap: Tap | None
    """Has already been fed `head`."""
    is_stream: bool = False
    encoded: bool = False
    """Compressed although plain bytes were asked for: nothing of ours can be put in between."""
    coding: str = ""
    """The `content-encoding` it came in, where that is any."""


@frozen
class Attempt:
    """One try and what came of it."""

    outcome: Outcome
    status: int = 0
    headers: Headers = field(default=(), repr=False)
    body: Body | None = None
    """None when no answer came."""
    error: UpstreamError | None = None
    """Why no (usable) answer came."""
    rendition: Rendition | None = None
    """The words in which it was asked."""
    spoken: str = ""
    """The protocol that the answer is in, where that is another than was asked for."""
    unsaid: tuple[str, ...] = ()
    """Fields of the request that whoever answered could not do, in the words of its protocol."""
    metered: bool = False
    """Its account pays per token."""

    @property
    def served(self) -> bool:
        """Whether this is an answer of the kind that was asked for."""
        return self.outcome.verdict is Verdict.SERVED


@define
class Attempts:
    """Makes attempts. One object for the program's life."""

    upstream: Sender
    now: Callable[[], float]

    async def make(
        self,
        account: Account,
        provider: Provider,
        credential: Credential,
        inbound: Inbound,
        lifetime: Lifetime,
        trace: Trace,
    ) -> Attempt:
        """Send `inbound` to `account` and judge the answer. Raises nothing of the upstream's."""
        call = build_call(account, provider, credential, inbound)
        trace.mark(Phase.SENT, self.now(), account.name)
        try:
            reply = await self.upstream.send(call)
        except UpstreamError as error:
            return Attempt(self._failed(account, error), error=error)
        lifetime.defer(lambda: None if reply.closed else reply.aclose())  # before any checkpoint
        trace.mark(Phase.CONNECTED, self.now(), account.name)
        try:
            attempt = await self._judge(account, provider, inbound, reply, lifetime)
        except UpstreamError as error:
            attempt = Attempt(self._failed(account, error), error=error)
        if attempt.body is None or attempt.body.source is None:
            await reply.aclose()
        return attempt

    async def _judge(
        self, account: Account, provider: Provider, inbound: Inbound, reply: Reply, lifetime: Lifetime
    ) -> Attempt:
        answered = (reply.status, reply.headers)
        if not 200 <= reply.status < 600:
            raise UpstreamUnexpected(f"an answer with status {reply.status}, which HTTP does not know")
        if reply.status >= 300:
            text = await reply.read(ERROR_BODY, ERROR_WITHIN)
            outcome = provider.classify(account, inbound, Answer(*answered, text), self.now())
            return Attempt(outcome, *answered, Body((text,), None, None))
        outcome = provider.classify(account, inbound, Answer(*answered, b""), self.now())
        if provider.shown is not None:
            answered = (reply.status, provider.shown(account, reply.headers))
        source = Source(reply.chunks(), lifetime.nursery)
        if inbound.operation is Operation.PASS or inbound.operation is Operation.BATCHES:
            return Attempt(outcome, *answered, Body((), source, None))
        protocol = protocol_named(inbound.protocol)
        streams = content_type(reply.headers) == "text/event-stream"
        listening = Listening(protocol.name) if streams else None
        tap: Tap = protocol.body_tap() if listening is None else listening
        encoding = (header.text(reply.headers, b"content-encoding") or "identity").lower()
        if encoding != "identity":
            tap = DecodingTap(tap, decoder(encoding))
        body = await (peek_stream(source, tap) if streams else collect_plain(source, tap))
        if encoding != "identity":
            body = evolve(body, encoded=True, coding=encoding)
        body, spoken = heard(body, protocol.name, listening)
        wrong = wrong_answer(reply, body, inbound)
        if wrong is not None:
            return self._unusable(account, inbound, provider, protocol, reply, body, wrong)
        return Attempt(outcome, *answered, body, spoken=spoken, unsaid=reply.unsaid)

    def _unusable(
        self,
        account: Account,
        inbound: Inbound,
        provider: Provider,
        protocol: Protocol,
        reply: Reply,
        body: Body,
        wrong: UpstreamError,
    ) -> Attempt:
        """A 200 that is none: an error inside, or something else than was asked for."""
        if body.tap is None or body.tap.failure is None:
            return Attempt(self._failed(account, wrong), error=wrong)
        first = b"".join(body.head)[:ERROR_BODY]
        outcome = provider.classify(account, inbound, Answer(reply.status, reply.headers, first), self.now())
        told = protocol.encode_error(body.tap.failure)
        return Attempt(outcome, told.status, told.headers, Body((told.body,), None, None), error=wrong)

    def _failed(self, account: Account, error: UpstreamError) -> Outcome:
        verdict = next((verdict for kind, verdict in FAILED if isinstance(error, kind)), Verdict.BROKEN)
        reason = words(str(error), REASON).removesuffix(".")
        return Outcome(account.name, verdict, at=self.now(), reason=reason, message=str(error))


def heard(body: Body, expected: str, listening: Listening | None) -> tuple[Body, str]:
    """The body with a tap that understands it, and its protocol where that is not the expected one."""
    if listening is not None:
        spoken = listening.spoken if listening.spoken != expected else ""
        return (evolve(body, tap=listening.reader) if body.tap is listening else body), spoken
    whole = body.head[0] if body.source is None and body.head and not body.encoded else b""
    spoken = speaker_of(whole) if whole and not (body.tap is not None and body.tap.failure) else ""
    if not spoken or spoken == expected:
        return body, ""
    tap = protocol_named(spoken).body_tap()
    tap.feed(whole)
    tap.close()
    return evolve(body, tap=tap), spoken


def content_type(headers: Headers) -> str:
    """The media type of an answer, without parameters, in lower case."""
    return (header.text(headers, b"content-type") or "").partition(";")[0].strip().lower()


async def peek_stream(source: Source, tap: Tap) -> Body:
    """Read until the stream carries content, fails, finishes or ends, within limits."""
    head: list[bytes] = []
    size = 0
    deadline: float | None = None
    while not (tap.content or tap.failure or tap.finished) and size < PEEK_BYTES:
        try:
            if deadline is None:
                chunk = await source.next()
                deadline = trio.current_time() + PEEK_WITHIN
            else:
                chunk = await source.next_within(max(0.0, deadline - trio.current_time()))
        except trio.TooSlowError:
            break
        if chunk is None:
            tap.close()
            return Body(tuple(head), None, tap, is_stream=True)
        tap.feed(chunk)
        head.append(chunk)
        size += len(chunk)
    return Body(tuple(head), source, tap, is_stream=True)


async def collect_plain(source: Source, tap: Tap) -> Body:
    """Read a plain answer whole, or its first 4 MiB."""
    head: list[bytes] = []
    size = 0
    while size < PLAIN_BODY:
        chunk = await source.next()
        if chunk is None:
            tap.close()
            return Body((b"".join(head),), None, tap)
        tap.feed(chunk)
        head.append(chunk)
        size += len(chunk)
    return Body(tuple(head), source, tap)


def wrong_answer(reply: Reply, body: Body, inbound: Inbound) -> UpstreamError | None:
    """Why a 2xx is not an answer to what was asked, or None when it is one."""
    tap = body.tap
    if tap is not None and tap.failure is not None and not tap.content:
        return UpstreamUnexpected(f"the stream began with an error: {tap.failure.message}")
    if body.is_stream:
        if body.source is None and tap is not None and not tap.content and not tap.finished:
            return UpstreamBroke("the stream ended before it said anything")
        return None
    kind = content_type(reply.headers)
    if not any(body.head):
        return UpstreamUnexpected(f"an empty answer with status {reply.status}")
    if kind.startswith("text/html") and inbound.operation is not Operation.PASS:
        return UpstreamUnexpected(
            "a web page instead of an API answer; an intercepting proxy or a captive portal may be in the way"
        )
    return None
