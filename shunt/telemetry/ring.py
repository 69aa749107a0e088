"""The last requests with everything known of them, by id; bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field, frozen

from shunt.accounts.state import RequestRecord
from shunt.gateway.trace import Trace
from shunt.telemetry.documents import of_decisions, of_request, of_trace
from shunt.telemetry.failures import FailureNote

TRACES: Final = 1_000
"""Finished requests kept with their traces; a few kB each."""
FAILURES: Final = 200


@frozen
class Finished:
    """One finished request."""

    record: RequestRecord
    trace: Trace
    stalls: tuple[tuple[float, float], ...] = ()
    """(seconds since arrival, seconds of silence)."""
    failure: FailureNote | None = None
    parent: str = ""
    """The client's own trace (`traceparent`), when it named one."""

    def document(self) -> dict[str, Any]:
        """Everything, as `/debug/traces/{id}` tells it."""
        error = None if self.failure is None else self.failure.document()
        return of_trace(
            of_request(self.record), self.trace.marks, of_decisions(self.trace), self.stalls, error
        )

    def dump(self) -> dict[str, Any]:
        """Everything there is about a failure, without secrets and content."""
        return {
            **self.document(),
            "sent": {} if self.failure is None else self.failure.sent(),
        }


@define(eq=False)
class Ring:
    """Keeps the newest, and failures for longer than the rest."""

    most: int = TRACES
    most_failures: int = FAILURES
    _finished: OrderedDict[str, Finished] = field(factory=OrderedDict)
    _failed: OrderedDict[str, Finished] = field(factory=OrderedDict)

    def add(self, finished: Finished) -> None:
        """Keep one; the oldest goes when there is no room."""
        self._finished[finished.record.id] = finished
        if len(self._finished) > self.most:
            self._finished.popitem(last=False)
        if finished.failure is not None:
            self._failed[finished.record.id] = finished
            if len(self._failed) > self.most_failures:
                self._failed.popitem(last=False)

    def get(self, request: str) -> Finished | None:
        """One by its whole id."""
        return self._finished.get(request) or self._failed.get(request)

    def find(self, request: str) -> Finished | None:
        """One by its id, or by the beginning of it when that is unique."""
        found = self.get(request)
        if found is not None or len(request) < 6:
            return found
        known = {**self._finished, **self._failed}
        matching = [key for key in known if key.startswith((request, f"req_{request}"))]
        return known[matching[0]] if len(matching) == 1 else None

    def newest(self, limit: int) -> Iterator[Finished]:
        """The last ones, newest first."""
        return _last(self._finished, limit)

    def failures(self, limit: int) -> Iterator[Finished]:
        """The last ones that failed, newest first."""
        return _last(self._failed, limit)

    @property
    def failed(self) -> int:
        """How many failures are kept."""
        return len(self._failed)


def _last(kept: OrderedDict[str, Finished], limit: int) -> Iterator[Finished]:
    for number, finished in enumerate(reversed(tuple(kept.values()))):
        if number >= limit:
            return
        yield finished
