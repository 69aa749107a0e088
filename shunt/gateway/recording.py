"""Exactly one record per request, written when its lifetime ends, whatever ended it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from attrs import define, field

from shunt.accounts.state import RequestRecord
from shunt.gateway.attempt import Attempt
from shunt.gateway.exchange import Exchange
from shunt.gateway.relay import Progress
from shunt.inference.inbound import Inbound, Operation
from shunt.inference.usage import Usage
from shunt.protocols.base import Tap

log = logging.getLogger("shunt.request")

CLIENT_GONE = 499
"""Status recorded for a client that left before it was answered."""


@define(eq=False)
class Recording:
    """What becomes known about one request while it runs."""

    inbound: Inbound
    now: Callable[[], float]
    keep: Callable[[RequestRecord], None]
    """Takes the finished record: pool, history. Must not raise or wait."""
    exchange: Exchange | None = None
    attempt: Attempt | None = None
    progress: Progress = field(factory=Progress)
    status: int | None = None
    """Status the client was answered with."""
    first_byte_at: float | None = None
    protocol_out: str = ""

    def answered(self, status: int) -> None:
        """The first byte of an answer goes to the client now."""
        if self.first_byte_at is None:
            self.first_byte_at = self.now()
            self.status = status

    async def close(self) -> None:
        """Write the record and the one log line of this request."""
        record = self._record()
        self.keep(record)
        log.info(
            "request",
            extra={
                "fields": {
                    "id": record.id,
                    "account": record.account,
                    "model": record.model,
                    "status": record.status,
                    "outcome": record.outcome,
                    "attempts": len(record.attempts),
                    "first_byte_ms": record.first_byte_ms,
                    "ms": record.duration_ms,
                    "input": record.usage.input,
                    "cache_read": record.usage.cache_read,
                    "output": record.usage.output,
                }
            },
        )

    def _record(self) -> RequestRecord:
        inbound, tap = self.inbound, self._tap()
        first = self.first_byte_at
        return RequestRecord(
            id=inbound.id,
            at=inbound.arrived_at,
            client=inbound.client,
            conversation=inbound.conversation,
            account=self._account(),
            attempts=tuple(self.exchange.notes) if self.exchange is not None else (),
            protocol_in=inbound.protocol,
            protocol_out=self.protocol_out or inbound.protocol,
            model=inbound.outline.model,
            served_model=tap.model if tap is not None else "",
            status=self.status if self.status is not None else CLIENT_GONE,
            outcome=self._outcome(),
            # Counting is free at the vendors; its answer's numbers are no usage.
            usage=tap.usage if tap is not None and inbound.operation is Operation.GENERATE else Usage(),
            first_byte_ms=None if first is None else _ms(first - inbound.arrived_at),
            duration_ms=_ms(self.now() - inbound.arrived_at),
            streamed=inbound.outline.stream,
            operation=inbound.operation,
        )

    def _tap(self) -> Tap | None:
        body = self.attempt.body if self.attempt is not None else None
        return body.tap if body is not None else None

    def _account(self) -> str:
        if self.attempt is not None and self.attempt.served:
            return self.attempt.outcome.account
        return ""

    def _outcome(self) -> str:
        if self.status is None:
            return "client_gone"
        if self.progress.broke:
            return "cut"
        if self.attempt is None:
            return "failed"
        if not self.attempt.served:
            return "refused"
        return "served" if self.progress.complete else "client_gone"


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
