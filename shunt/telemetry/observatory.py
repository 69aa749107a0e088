"""Sees every request come and go, and keeps what views and machines ask for.

What happens here happens in the request's own task: a few appends and additions, nothing that waits,
encodes or writes. Everything costlier is done when somebody asks, or by a watcher.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import trio
from attrs import define, field

from shunt.accounts.state import RequestRecord
from shunt.gateway.progress import Progress
from shunt.gateway.recording import Recording
from shunt.telemetry.bus import Bus
from shunt.telemetry.documents import of_decisions, of_request
from shunt.telemetry.failures import note_of
from shunt.telemetry.live import Pace, of_active
from shunt.telemetry.ring import Finished, Ring
from shunt.telemetry.tallies import Tallies
from shunt.wire import json
from shunt.wire.headers import text


def _unchanged(text: str) -> str:
    return text


@define(eq=False)
class Observatory:
    """The observer of the gateway. One object for the program's life."""

    now: Callable[[], float]
    clean: Callable[[str], str] = _unchanged
    """Blanks secrets in a text."""
    active: Callable[[], Mapping[str, Recording]] = dict
    """Requests running now, by id."""
    ring: Ring = field(factory=Ring)
    tallies: Tallies = field(factory=Tallies)
    bus: Bus = field(factory=Bus)
    pace: Pace = field(factory=Pace)
    exports: list[Callable[[Finished], None]] = field(factory=list)
    """Further takers of finished requests. They must neither raise nor wait."""
    linked: bool = False
    """Somebody wants to know which trace of the client's a request belongs to."""

    def started(self, recording: Recording) -> None:
        """A request has come in."""
        if self.bus:
            self.bus.publish("request_started", self.one(recording))

    def finished(self, recording: Recording, record: RequestRecord) -> None:
        """A request is over."""
        progress = recording.progress
        self.tallies.count(record, progress.stalled, progress.bytes)
        self.pace.learn(record, progress.bytes)
        failure = note_of(recording, record, self.now(), self.clean) if record.is_error else None
        stalls = _since_arrival(progress, record) if progress.stalls else ()
        parent = (text(recording.inbound.headers, b"traceparent") or "") if self.linked else ""
        finished = Finished(record, recording.trace, stalls, failure, parent)
        self.ring.add(finished)
        for export in self.exports:
            export(finished)
        if self.bus:
            self.bus.publish("request_finished", of_request(record))
            if failure is not None:
                self.bus.publish("error", failure.document())

    def one(self, recording: Recording) -> dict[str, Any]:
        """A running request as a document."""
        return of_active(recording, self.pace, self.now(), trio.current_time())

    def running(self) -> list[dict[str, Any]]:
        """All running requests, the oldest first."""
        return [self.one(recording) for recording in tuple(self.active().values())]

    def explanation(self, request: str) -> bytes:
        """The decisions of a finished request as JSON, for the history; empty when it is forgotten.

        Works them out for good, so that the states they were made from can go. For a thread.
        """
        finished = self.ring.get(request)
        if finished is None:
            return b""
        trace = finished.trace
        if not trace.told:
            trace.settle(json.encode(of_decisions(trace)))
        return trace.told


def _since_arrival(progress: Progress, record: RequestRecord) -> tuple[tuple[float, float], ...]:
    began = progress.began_at or 0.0
    first = (record.first_byte_ms or 0) / 1000
    return tuple((max(0.0, first + at - began), length) for at, length in progress.stalls)
