"""Exactly one record per request, written when its lifetime ends, whatever ended it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol as Shape

from attrs import define, field

from shunt.accounts.state import RequestRecord
from shunt.errors import ShuntError
from shunt.gateway.attempt import Attempt
from shunt.gateway.exchange import Exchange
from shunt.gateway.progress import Progress
from shunt.gateway.trace import Phase, Trace
from shunt.inference.inbound import Inbound, Operation
from shunt.inference.usage import Usage
from shunt.models.prices import PRICES
from shunt.protocols.base import Tap
from shunt.protocols.outlines import LONGEST_MODEL
from shunt.routing.moves import Move, Moves, caches_unasked

log = logging.getLogger("shunt.request")

CLIENT_GONE = 499
"""Status recorded for a client that left before it was answered."""


class Observer(Shape):
    """Watches requests come and go. Must neither raise nor wait."""

    def started(self, recording: Recording) -> None:
        """A request has come in."""

    def finished(self, recording: Recording, record: RequestRecord) -> None:
        """A request is over."""


class Nobody:
    """The observer where none is wanted."""

    def started(self, recording: Recording) -> None:
        """Look away."""

    def finished(self, recording: Recording, record: RequestRecord) -> None:
        """Look away."""


@define(eq=False)
class Recording:
    """What becomes known about one request while it runs."""

    inbound: Inbound
    now: Callable[[], float]
    keep: Callable[[RequestRecord], None]
    """Takes the finished record: pool, history. Must not raise or wait."""
    observer: Observer = field(factory=Nobody)
    moves: Moves = field(factory=Moves)
    """Where conversations were before."""
    trace: Trace = field(factory=Trace)
    exchange: Exchange | None = None
    attempt: Attempt | None = None
    progress: Progress = field(factory=Progress)
    error: ShuntError | None = None
    """What the client was told instead of an answer."""
    status: int | None = None
    """Status the client was answered with."""
    first_byte_at: float | None = None
    protocol_out: str = ""

    def answered(self, status: int) -> None:
        """The first byte of an answer goes to the client now."""
        if self.first_byte_at is None:
            self.first_byte_at = self.now()
            self.status = status
            self.trace.mark(Phase.FIRST_BYTE, self.first_byte_at)

    def close(self) -> None:
        """Write the record and the one log line of this request."""
        record = self._record()
        self.trace.mark(Phase.DONE, self.now())
        self.keep(record)
        self.observer.finished(self, record)
        if log.isEnabledFor(logging.INFO):
            lost = {"dropped": list(dict.fromkeys(self.progress.dropped))} if self.progress.dropped else {}
            log.info("request", extra={"fields": line(record) | lost})

    @property
    def tap(self) -> Tap | None:
        """What reads the answer along, once there is one."""
        body = self.attempt.body if self.attempt is not None else None
        return body.tap if body is not None else None

    @property
    def outcome(self) -> str:
        """How it ended, in one word."""
        if self.status is None:
            return "client_gone"
        if self.progress.broke:
            return "cut"
        if self.attempt is None:
            # Lists of models and estimates are our own answers, of no account.
            return "served" if self.progress.complete and self.status < 400 else "failed"
        if not self.attempt.served:
            return "refused"
        return "served" if self.progress.complete else "client_gone"

    def _record(self) -> RequestRecord:
        inbound, tap, account = self.inbound, self.tap, self._account()
        now, first = self.now(), self.first_byte_at
        # Counting is free at the vendors; its answer's numbers are no usage.
        usage = self._usage(tap) if inbound.operation is Operation.GENERATE else Usage()
        served_model = tap.model[:LONGEST_MODEL] if tap is not None else ""
        move = self._move(account, usage, now)
        return RequestRecord(
            id=inbound.id,
            at=inbound.arrived_at,
            client=inbound.client,
            conversation=inbound.conversation,
            account=account,
            attempts=tuple(self.exchange.notes) if self.exchange is not None else (),
            protocol_in=inbound.protocol,
            protocol_out=self.protocol_out or inbound.protocol,
            model=inbound.outline.model,
            served_model=served_model,
            status=self.status if self.status is not None else CLIENT_GONE,
            outcome=self.outcome,
            usage=usage,
            first_byte_ms=None if first is None else _ms(first - inbound.arrived_at),
            duration_ms=_ms(now - inbound.arrived_at),
            streamed=inbound.outline.stream,
            operation=inbound.operation,
            why=self.trace.why,
            cost_usd=PRICES.cost_usd(served_model or inbound.outline.model, usage),
            metered=self.attempt is not None and self.attempt.metered,
            moved_from=move.source,
            rebilled=move.rebilled,
        )

    def _usage(self, tap: Tap | None) -> Usage:
        """What the vendor bills: every answer of a paused turn has its own input."""
        usage = tap.usage if tap is not None else Usage()
        for more in self.exchange.continued if self.exchange is not None else ():
            usage = usage.plus(more.usage)
        return usage

    def _move(self, account: str, usage: Usage, now: float) -> Move:
        if not account:
            return Move()
        automatic = caches_unasked(self.protocol_out or self.inbound.protocol)
        return self.moves.note(self.inbound.conversation, account, usage, now, automatic=automatic)

    def _account(self) -> str:
        if self.attempt is not None and self.attempt.served:
            return self.attempt.outcome.account
        return ""


def line(record: RequestRecord) -> dict[str, object]:
    """The fields of a request's one line in the log."""
    usage = record.usage
    return {
        "id": record.id,
        "account": record.account,
        "why": record.why,
        "client": record.client,
        "conversation": record.conversation[:8],
        "protocol": record.protocol_in,
        "operation": str(record.operation),
        "model": record.model,
        "served_model": record.served_model,
        "status": record.status,
        "outcome": record.outcome,
        "attempts": len(record.attempts),
        "first_byte_ms": record.first_byte_ms,
        "ms": record.duration_ms,
        "streamed": record.streamed,
        "input": usage.input,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "output": usage.output,
        "cost_usd": round(record.cost_usd, 6),
        "moved_from": record.moved_from,
        "rebilled": record.rebilled,
    }


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
