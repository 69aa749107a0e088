"""The gateway: takes a request, gives back a delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

import trio
from attrs import define, evolve, field

from shunt.accounts.state import RequestRecord
from shunt.errors import AccountUnavailable, AllCooling, NotOffered, ShuntError
from shunt.gateway.answer import dropped_mark, failure_of, limits_of, marks, refusal, relayed, verbatim
from shunt.gateway.attempt import Attempt, Body
from shunt.gateway.carriers import Carriers
from shunt.gateway.delivery import Delivery
from shunt.gateway.exchange import Exchange, Means, text_of
from shunt.gateway.lifetime import Lifetime
from shunt.gateway.listing import Listing
from shunt.gateway.quota_probe import answered as quota_told
from shunt.gateway.quota_probe import is_probe
from shunt.gateway.recording import Nobody, Observer, Recording
from shunt.gateway.refusals import UpstreamFailed
from shunt.gateway.relay import Relay
from shunt.gateway.renaming import Renaming
from shunt.gateway.resuming import Asking
from shunt.gateway.retelling import Retold
from shunt.gateway.trace import Phase
from shunt.gateway.wording import Rendition, refuses_model
from shunt.inference.content import Part
from shunt.inference.inbound import Inbound, Operation
from shunt.models.estimate import estimate_tokens
from shunt.protocols import protocol_named
from shunt.protocols.base import Protocol
from shunt.routing.moves import Moves
from shunt.wire import headers as header
from shunt.wire import json
from shunt.wire.encoding import decoded
from shunt.wire.headers import Headers

JSON = ((b"content-type", b"application/json"),)
STREAM = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))
OF_A_MODEL = (Operation.GENERATE, Operation.COUNT_TOKENS, Operation.COMPACT)
"""Requests that the owner's own choice of a model applies to."""
UNCOUNTED = (AllCooling, NotOffered, AccountUnavailable)
"""Errors after which a count is estimated: nobody who counts can be asked now."""
NO_COUNTS = frozenset({404, 405, 429, 501})
"""Statuses of upstreams that do not count, or do not now; those from 500 on say the same."""
LARGEST_COUNTED = 64 * 1024 * 1024
"""Bytes a compressed body may unfold to when it is counted here."""
REMOTE_SILENT = 50.0
"""Seconds a caller from another machine is left unanswered: tunnels cut at a hundred."""


@define(eq=False)
class Gateway:
    """Serves requests. One object for the program's life."""

    means: Means
    carriers: Carriers
    keep: Callable[[RequestRecord], None]
    listing: Listing
    hold_silent: Callable[[], float | None]
    """Configured seconds before a held stream is committed to 200; None leaves it to the protocol."""
    keepalive_every: Callable[[], float]
    observer: Observer = field(factory=Nobody)
    moves: Moves = field(factory=Moves)
    """Where conversations were before."""
    answers_probes: Callable[[], bool] = field(default=lambda: False)
    """Whether a client's question for its quota is answered from what is known."""
    active: dict[str, Recording] = field(factory=dict)
    """Requests running now, by id."""

    async def handle(self, inbound: Inbound, lifetime: Lifetime) -> Delivery | None:
        """Answer one request; None when `lifetime.commit` had to be given the answer, and has sent it.

        Raises nothing but cancellation, and what `lifetime.commit` raises.
        """
        protocol = protocol_named(inbound.protocol)
        if (model := self.means.pool.state.model) and inbound.operation in OF_A_MODEL:
            inbound = evolve(inbound, model=model)
        recording = self._recording(inbound, lifetime)
        families = self.carriers.for_call(inbound)
        exchange = Exchange(self.means, inbound, lifetime, families, trace=recording.trace)
        recording.exchange = exchange
        if self.answers_probes() and is_probe(inbound) and (known := self._quota(exchange)) is not None:
            recording.progress.complete = True
            recording.answered(known.status)
            return known
        pursuit = _Pursuit(exchange, recording, protocol, self.keepalive_every())
        if inbound.operation is Operation.GENERATE and inbound.outline.stream:
            return await self._stream(pursuit, lifetime)
        delivery = await pursuit.run()
        if inbound.operation is Operation.COUNT_TOKENS and pursuit.is_uncounted:
            delivery = self._estimate(inbound)
            recording.attempt, recording.progress.complete = None, True
        recording.answered(delivery.status)
        return delivery

    async def models(self, inbound: Inbound, lifetime: Lifetime, name: str = "") -> Delivery:
        """Answer with the list of models, or the entry of the one that is named."""
        protocol = protocol_named(inbound.protocol)
        recording = self._recording(inbound, lifetime)
        try:
            entries = await self.listing.entries(inbound, lifetime)
            found = (
                self.listing.one(entries, name)
                if name
                else self.listing.document(entries, protocol.name, inbound.query)
            )
        except ShuntError as error:
            recording.error = error
            delivery = refusal(error, inbound, protocol, 0, self.means.now())
        else:
            delivery = Delivery(200, JSON + marks(inbound, "", 0), json.encode(found))
        recording.progress.complete = True
        recording.answered(delivery.status)
        return delivery

    def _recording(self, inbound: Inbound, lifetime: Lifetime) -> Recording:
        recording = Recording(inbound, self.means.now, self.keep, self.observer, self.moves)
        recording.trace.mark(Phase.ARRIVED, inbound.arrived_at)
        self.active[inbound.id] = recording
        lifetime.defer(recording.close)
        lifetime.defer(partial(self._forget, inbound.id))
        self.observer.started(recording)
        return recording

    def _quota(self, exchange: Exchange) -> Delivery | None:
        """What is known of the account that would be asked; None when there is nothing to tell."""
        name = exchange.would_choose()
        state = self.means.pool.state.accounts.get(name) if name is not None else None
        if name is None or state is None or not state.windows:
            return None
        return quota_told(exchange.inbound, state.windows, marks(exchange.inbound, name, 0))

    def _estimate(self, inbound: Inbound) -> Delivery:
        """Counting waits for nobody and is never a billed call: where no account counts, we estimate."""
        encoding = (header.text(inbound.headers, b"content-encoding") or "").lower()
        body = decoded(inbound.body, encoding, LARGEST_COUNTED)
        tokens = estimate_tokens(json.peek(body or b"", dict) or {})
        return Delivery(200, JSON + marks(inbound, "", 0), json.encode({"input_tokens": tokens}))

    async def _stream(self, pursuit: _Pursuit, lifetime: Lifetime) -> Delivery | None:
        """Leave a stream's status open as long as its client bears; None if it was committed to 200, and sent."""
        # Asked here, and watched by a task of its own: the other way round each request would wait for two turns,
        # behind the events of all streams that have something to say.
        lifetime.nursery.start_soon(self._commit, pursuit, lifetime)
        delivery = await pursuit.settle()
        if pursuit.committed is not None:
            await pursuit.committed.wait()
            return None
        pursuit.recording.answered(delivery.status)
        return delivery

    async def _commit(self, pursuit: _Pursuit, lifetime: Lifetime) -> None:
        """Begin a stream's answer when its client has waited for long enough, and send it to its end."""
        inbound = pursuit.exchange.inbound
        with trio.move_on_after(self.silence(inbound, pursuit.protocol)):
            await pursuit.settled.wait()
        if pursuit.delivery is not None:
            return
        pursuit.committed = trio.Event()
        pursuit.recording.answered(200)
        headers = STREAM + marks(inbound, "", len(pursuit.exchange.notes))
        await lifetime.commit(Delivery(200, headers, _Committed(pursuit, self.keepalive_every())))
        pursuit.committed.set()

    def silence(self, inbound: Inbound, protocol: Protocol) -> float:
        """Seconds a stream of this caller is left unanswered at most."""
        configured = self.hold_silent()
        if configured is not None:
            return configured
        return protocol.hold_silent if inbound.local else min(protocol.hold_silent, REMOTE_SILENT)

    def _forget(self, request_id: str) -> None:
        self.active.pop(request_id, None)


@define(eq=False)
class _Pursuit:
    """An exchange whose result may be awaited, and turned into a delivery."""

    exchange: Exchange
    recording: Recording
    protocol: Protocol
    keepalive_every: float
    settled: trio.Event = field(factory=trio.Event)
    committed: trio.Event | None = None
    """There once the answer was begun without `delivery`; set when it has been sent."""
    delivery: Delivery | None = None
    error: ShuntError | None = None
    """Why `delivery` is a refusal."""

    @property
    def is_uncounted(self) -> bool:
        """Whether nobody counted for a reason that is not the request's: then counting is left to us."""
        if isinstance(self.error, UNCOUNTED):
            return True
        attempt = self.recording.attempt
        if attempt is None or attempt.served:
            return False
        status = attempt.status
        silent = not status or status in NO_COUNTS or status >= 500
        return silent and not refuses_model(status, text_of(attempt))

    async def settle(self) -> Delivery:
        """Find an answer; it also stands in `delivery` when `settled` is set, for whoever watches."""
        self.delivery = delivery = await self.run()
        self.settled.set()
        return delivery

    async def run(self) -> Delivery:
        inbound = self.exchange.inbound
        try:
            attempt = await self.exchange.run()
        except ShuntError as error:
            self.error = self.recording.error = error
            if isinstance(error, UpstreamFailed):
                self.recording.attempt = error.attempt
            now = self.exchange.means.now()
            return refusal(error, inbound, self.protocol, len(self.exchange.notes), now)
        self.recording.attempt = attempt
        try:
            return await self._deliver(attempt, inbound)
        except ShuntError as error:  # a plain answer that could not be told
            self.error = self.recording.error = error
            self.recording.progress.broke = str(error)
            return refusal(error, inbound, self.protocol, len(self.exchange.notes), self.exchange.means.now())

    async def _deliver(self, attempt: Attempt, inbound: Inbound) -> Delivery:
        attempts = len(self.exchange.notes)
        rendition, body = attempt.rendition, attempt.body
        if rendition is not None:
            self.recording.protocol_out = rendition.inbound.protocol
        if not attempt.served or body is None:
            self.recording.progress.complete = True
            return verbatim(attempt, inbound, self.protocol, attempts)
        marked = marks(inbound, attempt.outcome.account, attempts)
        if rendition is not None and self._needs_other_words(rendition, body, inbound):
            return await self._retold(attempt, body, rendition, marked)
        headers = relayed(attempt.headers) + marked
        if rendition is not None and rendition.dropped:
            headers += dropped_mark(rendition.dropped)
            self.recording.progress.dropped += rendition.dropped
        renaming = _renaming(rendition, body, inbound)
        if body.source is None and not body.is_stream:
            self.recording.progress.complete = True
            whole = b"".join(body.head)
            if renaming is not None:
                whole = renaming.of(whole, body.tap.model if body.tap is not None else "")
            return Delivery(attempt.status, headers, whole)
        relay = Relay(body, self.protocol, inbound.id, self.recording.progress, renaming)
        return Delivery(attempt.status, headers, relay)

    @staticmethod
    def _needs_other_words(rendition: Rendition, body: Body, inbound: Inbound) -> bool:
        """Whether the answer is of another protocol, or streamed where a whole one was asked for."""
        if inbound.operation is not Operation.GENERATE:
            return False
        return rendition.inbound.protocol != inbound.protocol or body.is_stream != inbound.outline.stream

    async def _retold(self, attempt: Attempt, body: Body, rendition: Rendition, marked: Headers) -> Delivery:
        inbound, progress = self.exchange.inbound, self.recording.progress
        progress.dropped += rendition.dropped
        if rendition.ask is None:
            rendition = evolve(rendition, ask=self.exchange.wording.ask())
        headers = limits_of(attempt.headers) + marked + dropped_mark(rendition.dropped)
        name = attempt.outcome.account

        async def go_on(parts: Sequence[Part]) -> Body | None:
            return await self.exchange.go_on(name, parts)

        measure = self.exchange.means.measure()
        every = self.keepalive_every
        asking = Asking(go_on, self.exchange.lifetime.nursery)
        retelling = Retold(body, rendition, self.protocol, inbound, progress, every, asking, measure)
        if inbound.outline.stream:
            return Delivery(200, STREAM + headers, await retelling.stream())
        document, dropped = await retelling.plain()
        progress.complete = True
        progress.dropped += dropped
        headers = limits_of(attempt.headers) + marked + dropped_mark((*rendition.dropped, *dropped))
        return Delivery(200, JSON + headers, document)


def _renaming(rendition: Rendition | None, body: Body, inbound: Inbound) -> Renaming | None:
    """How the answer is to name the model, where the request that went out named another."""
    asked = inbound.outline.model
    if rendition is None or body.encoded or not asked or inbound.operation is not Operation.GENERATE:
        return None
    sent = rendition.inbound.outline.model
    return None if sent == asked else Renaming(asked, sent)


@define(eq=False)
class _Committed(AsyncIterator[bytes]):
    """A stream that was begun before its answer was there: keep-alives, then the answer."""

    _pursuit: _Pursuit
    _every: float
    _sent: int = 0
    _body: AsyncIterator[bytes] | None = None
    _ended: bool = False

    async def __anext__(self) -> bytes:
        if self._body is not None:
            return await anext(self._body)
        if self._ended:
            raise StopAsyncIteration
        if self._sent:
            with trio.move_on_after(self._every):
                await self._pursuit.settled.wait()
        delivery = self._pursuit.delivery
        if delivery is None:
            self._sent += 1
            headers = self._pursuit.exchange.inbound.headers
            return self._pursuit.protocol.bridge(self._sent - 1, headers)
        if delivery.status < 300 and not isinstance(delivery.body, bytes):
            self._body = delivery.body
            return await anext(self._body)
        self._ended = True
        return self._error(delivery)

    def _error(self, delivery: Delivery) -> bytes:
        """The real status can no longer be sent: its error goes into the stream."""
        protocol = self._pursuit.protocol
        inbound, now = self._pursuit.exchange.inbound, self._pursuit.exchange.means.now()
        error = self._pursuit.error
        if error is not None and not isinstance(error, UpstreamFailed):
            failure = failure_of(error, inbound.id, now)
        else:
            body = delivery.body if isinstance(delivery.body, bytes) else b""
            failure = evolve(protocol.decode_error(delivery.status, delivery.headers, body), at=int(now))
        self._pursuit.recording.progress.broke = failure.message
        return protocol.end_held_stream(failure)
