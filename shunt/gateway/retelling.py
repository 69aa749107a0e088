"""A served answer in the client's own words: decoded event by event, encoded as it comes.

Both sides have strict grammars: whatever a vendor sends, the client gets a stream that its SDK accepts,
and what the vendor did not finish is not finished here either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import trio
from attrs import define, evolve, field

from shunt.errors import ShuntError, UpstreamBroke, UpstreamError, UpstreamUnexpected
from shunt.gateway.attempt import Body
from shunt.gateway.decoding import Unfold, unfolding
from shunt.gateway.measure import Measure
from shunt.gateway.progress import Progress
from shunt.gateway.resuming import MOST, Asking, Turn, joined
from shunt.gateway.wording import Rendition
from shunt.inference.collect import Collector
from shunt.inference.envelope import stamped, stamped_answer
from shunt.inference.events import ArgumentsDelta, Event, Failed, Finished, Started, TextDelta, ThinkingDelta
from shunt.inference.failure import Failure
from shunt.inference.inbound import Inbound
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.protocols import codec_named
from shunt.protocols.base import Protocol
from shunt.protocols.codec import Gathering, StreamDecoder, StreamEncoder
from shunt.protocols.stream_tap import StreamTap
from shunt.wire import json, sse

BATCH: Final = 256
"""Events that are taken in one go, so that a chunk of very many small ones holds nobody else up."""

LARGE: Final = 1024 * 1024
"""Bytes of an event that others are let go on around."""

_WORDS: Final = frozenset({TextDelta, ThinkingDelta, ArgumentsDelta})


async def others_first() -> None:
    """Let everybody who can go on do so: tasks take turns in any order, so only after two has each had one."""
    for _ in range(2):
        await trio.lowlevel.checkpoint()


@define(eq=False)
class Telling:
    """The events of an upstream's streamed answer, in order, ending in Finished or Failed."""

    body: Body
    rendition: Rendition
    crosses: bool
    """The client speaks another protocol."""
    _events: StreamDecoder
    arrived_at: float = 0.0
    """Epoch seconds of the request, for vendors that do not say when they answered."""
    measure: Measure = Measure()
    _sse: sse.Decoder = field(init=False)
    _unfold: Unfold = field(init=False)
    _at: int = 0
    _waiting: Iterator[sse.Event] | None = None
    """Events of the last chunk that were not taken yet."""
    _fault: UpstreamError | None = None
    """What is wrong with the event after those that were taken."""
    _followed: StreamTap | None = None
    """The tap, once it has been fed all that was read before: from then on it is given events."""
    over: bool = False
    go_on: Asking | None = None
    """Asks for the rest of a paused turn."""
    _turn: Turn = field(factory=Turn)

    def __attrs_post_init__(self) -> None:
        self._unfold = unfolding(self.body.coding, self.measure.event)
        self._sse = sse.Decoder(self.measure.event)

    async def next(self, within: float = float("inf")) -> list[Event]:
        """The next events, perhaps none. Raises trio.TooSlowError after `within` seconds without a byte."""
        if self._turn.paused is not None:
            return await self._resumed(within)
        try:
            raw = await self._raw(within)
        except UpstreamError as error:
            return self._taken([Failed(Failure(kind=UpstreamBroke.kind, message=str(error)))])
        if raw is None:
            rest = self._sse.close()
            return self._taken([*(self._of([rest]) if rest else ()), *self._events.close()])
        if not any(len(each.raw) > LARGE for each in raw):
            return self._taken(self._of(raw))
        # Cutting, reading and writing a huge event take a part of a second each: others go on in between.
        await others_first()
        events = self._taken(self._of(raw))
        await others_first()
        return events

    async def _raw(self, within: float) -> list[sse.Event] | None:
        """The next events as they came, perhaps none; None at the end."""
        if self._fault is not None:
            raise self._fault
        if self._waiting is None:
            chunk = await self._chunk(within)
            if chunk is None:
                return None
            self._waiting = self._sse.feed(self._unfold(chunk))
        else:
            await trio.lowlevel.checkpoint()
        raw: list[sse.Event] = []
        try:
            raw.extend(islice(self._waiting, BATCH))
        except UpstreamError as error:
            self._fault = error  # what came before it is told first
        if len(raw) < BATCH:
            self._waiting = None
        return raw

    async def _resumed(self, within: float) -> list[Event]:
        """Go on with the turn in another answer, or end it."""
        body = await self.go_on.rest(self._turn.parts, within) if self.go_on is not None else None
        if body is None or not body.is_stream:
            self.over = True
            return self._turn.ended()
        self._turn.go_on()
        self.body, self._at, self._sse, self._followed = body, 0, sse.Decoder(self.measure.event), None
        self._waiting, self._unfold = None, unfolding(body.coding, self.measure.event)
        self._events = codec_named(self.rendition.inbound.protocol).stream_decoder()
        return []

    async def _chunk(self, within: float) -> bytes | None:
        if self._at < len(self.body.head):
            self._at += 1
            return self.body.head[self._at - 1]
        if self.body.source is None:
            return None
        if within == float("inf"):
            chunk = await self.body.source.next()
        else:
            self.body.source.pump()
            chunk = await self.body.source.next_within(within)
        tap = self.body.tap
        self._followed = tap if isinstance(tap, StreamTap) else None
        if chunk is not None and tap is not None and self._followed is None:
            tap.feed(chunk)
        return chunk

    def _of(self, raw: Iterable[sse.Event]) -> list[Event]:
        events: list[Event] = []
        for each in raw:
            if self._followed is not None:
                self._followed.follow(each)  # it need not cut the stream a second time
            name, data = each.told
            if data is not None:
                events += self._events.feed(name, data)
        return events

    def _taken(self, events: list[Event]) -> list[Event]:
        rendition = self.rendition
        out: list[Event] = []
        for event in events:
            if type(event) in _WORDS and not self._turn.rounds:  # what most events are
                out.append(event)
                continue
            if isinstance(event, Started) and not event.created:
                event = evolve(event, created=int(self.arrived_at))  # noqa: PLW2901 - dated
            # Within one protocol a seal stands in its own vendor's field, and needs no envelope.
            shown: Event | None = event
            if self.crosses:
                shown = self._turn.told(stamped(event, rendition.origin, rendition.account))
                if self._turn.paused is not None and shown is not None:
                    break  # nothing follows but the end
            if shown is not None:
                out.append(shown)
            if isinstance(event, Finished | Failed):
                self.over = True
                if self.body.tap is not None:
                    self.body.tap.close()
                break
        return out


@define(eq=False)
class Retelling(AsyncIterator[bytes]):
    """Bytes of the client's stream, from an upstream's stream of another protocol."""

    _telling: Telling
    _encoder: StreamEncoder
    _protocol: Protocol
    _every: float
    """Seconds of silence after which the client is shown that the connection lives."""
    progress: Progress
    _pings: int = 0
    _begun: bool = False
    """Something of the answer was sent: before that, clients may bear no other event."""

    async def __anext__(self) -> bytes:
        while not self._telling.over:
            try:
                events = await self._telling.next(self._every)
            except trio.TooSlowError:
                self._pings += 1
                return self._protocol.keep_alive(self._pings - 1 if self._begun else 0)
            if out := self._encoded(events):
                self._begun = True
                self.progress.moved(len(out))
                return out
        raise StopAsyncIteration

    def _encoded(self, events: Iterable[Event]) -> bytes:
        out = bytearray()
        for event in events:
            if isinstance(event, Failed):
                self.progress.broke = event.failure.message
            elif isinstance(event, Finished):
                self.progress.complete = True
            out += self._encoder.feed(event)
        if self._telling.over:  # too late for a header
            self.progress.dropped += tuple(self._encoder.dropped)
        return bytes(out)


@define(eq=False)
class Retold:
    """An answer that has to be put into the client's words, or into the other form of its own."""

    body: Body
    rendition: Rendition
    protocol: Protocol
    """The client's."""
    inbound: Inbound
    progress: Progress
    every: float
    go_on: Asking | None = None
    """Asks for the rest of a turn that the vendor paused."""
    measure: Measure = Measure()

    @property
    def _spoken(self) -> str:
        return self.rendition.inbound.protocol

    @property
    def _crosses(self) -> bool:
        return self._spoken != self.protocol.name

    @property
    def _ask(self) -> GenerateRequest:
        assert self.rendition.ask is not None  # noqa: S101 - whoever retells has decoded the request
        return self.rendition.ask

    async def stream(self) -> AsyncIterator[bytes]:
        """The client's stream. Raises UpstreamError while nothing has been sent."""
        encoder = codec_named(self.protocol.name).stream_encoder(self._ask, self.inbound.id)
        if self.body.is_stream:
            return Retelling(self._telling(), encoder, self.protocol, self.every, self.progress)
        return Replayed(replay(await self._plain()), encoder, self.progress)

    async def plain(self) -> tuple[bytes, tuple[str, ...]]:
        """The client's plain answer, and what could not be said in it. Raises ShuntError."""
        if self._spoken == self.protocol.name and self.body.is_stream:
            gathering = codec_named(self._spoken).gathering
            if gathering is not None:
                return await self._gathered(gathering()), ()
        answer = await (self._collected() if self.body.is_stream else self._plain())
        told = codec_named(self.protocol.name).encode_answer(answer, self._ask, self.inbound.id)
        return json.encode(told.document), told.dropped

    async def _gathered(self, gathering: Gathering) -> bytes:
        """The plain answer of the vendor's own stream, in its own words."""
        events = sse.Decoder(self.measure.event)
        unfold = unfolding(self.body.coding, self.measure.event)
        for chunk in self.body.head:
            await _gather(events.feed(unfold(chunk)), gathering)
        tap = self.body.tap
        while self.body.source is not None and not (tap is not None and tap.finished):
            chunk_or_end = await self.body.source.next()
            if chunk_or_end is None:
                break
            if tap is not None:
                tap.feed(chunk_or_end)
            await _gather(events.feed(unfold(chunk_or_end)), gathering)
        rest = events.close()
        await _gather([rest] if rest is not None else [], gathering)
        result = gathering.result()
        if isinstance(result, Failure):
            raise ToldFailure(result)
        return json.encode(result)

    def _telling(self) -> Telling:
        decoder = codec_named(self._spoken).stream_decoder()
        telling = Telling(
            self.body, self.rendition, self._crosses, decoder, self.inbound.arrived_at, self.measure
        )
        telling.go_on = self.go_on
        return telling

    async def _collected(self) -> Answer:
        telling, collector = self._telling(), Collector()
        while not telling.over:
            for event in await telling.next():
                collector.take(event)
        result = collector.result()
        if isinstance(result, Failure):
            raise ToldFailure(result)
        return result

    async def _plain(self) -> Answer:
        answer = await self._read(self.body)
        for _ in range(MOST):
            if answer.stop is not Stop.PAUSE or self.go_on is None or not self._crosses:
                break
            body = await self.go_on.rest(answer.parts)
            if body is None or body.is_stream:
                break
            answer = joined(answer, await self._read(body))
        return answer

    async def _read(self, body: Body) -> Answer:
        document = json.value(await whole(body, self.measure.answer))
        if not isinstance(document, dict):
            raise UpstreamUnexpected("the upstream's answer is no JSON object")
        answer = codec_named(self._spoken).decode_answer(document)
        answer = evolve(answer, created=answer.created or int(self.inbound.arrived_at))
        return (
            stamped_answer(answer, self.rendition.origin, self.rendition.account) if self._crosses else answer
        )


@define(eq=False)
class Replayed(AsyncIterator[bytes]):
    """A whole answer as a stream."""

    _events: Sequence[Event]
    _encoder: StreamEncoder
    progress: Progress
    _told: bool = False

    async def __anext__(self) -> bytes:
        if self._told:
            raise StopAsyncIteration
        self._told = True
        await trio.lowlevel.checkpoint()
        self.progress.complete = True
        told = b"".join(self._encoder.feed(event) for event in self._events)
        self.progress.moved(len(told))
        return told


async def _gather(events: Iterable[sse.Event], gathering: Gathering) -> None:
    for count, event in enumerate(events, 1):
        if not count % BATCH:
            await trio.lowlevel.checkpoint()
        data = event.data
        if data is not None:
            gathering.feed(event.name, data)


class ToldFailure(ShuntError):
    """A stream that was collected ended with a failure; `failure` holds the vendor's words."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


async def whole(body: Body, most: int) -> bytes:
    """All of a plain answer. Raises UpstreamError, also when it is longer than `most`."""
    got = list(body.head)
    size = sum(map(len, got))
    while size <= most and body.source is not None:
        chunk = await body.source.next()
        if chunk is None:
            break
        got.append(chunk)
        size += len(chunk)
    if size > most:
        raise UpstreamUnexpected(f"the upstream's answer is longer than {most:,} bytes")
    return unfolding(body.coding, most)(b"".join(got))
