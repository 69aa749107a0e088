"""Events gathered into a whole answer, for clients that do not stream from a vendor that did."""

from __future__ import annotations

from collections.abc import Iterable

from shunt.inference.assembly import BROKEN_OFF
from shunt.inference.content import Part
from shunt.inference.events import Event, Failed, Finished, PartFinished, Started, Stopped
from shunt.inference.failure import Failure
from shunt.inference.response import Answer


class Collector:
    """Takes events as they come; tells the answer, or the failure, at the end."""

    def __init__(self) -> None:
        self._started = Started("", "")
        self._parts: dict[int, Part] = {}
        self._stopped: Stopped | None = None
        self._finished = False
        self._failure: Failure | None = None

    def take(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case PartFinished():
                self._parts[event.index] = event.part
            case Started():
                self._started = event
            case Stopped():
                self._stopped = event
            case Finished():
                self._finished = True
            case Failed():
                self._failure = event.failure
            case _:  # deltas, which PartFinished sums up
                pass

    def result(self) -> Answer | Failure:
        """What the client is to be told. Half an answer is a failure."""
        stopped = self._stopped
        if self._failure is not None or stopped is None or not self._finished:
            return self._failure or BROKEN_OFF
        return Answer(
            id=self._started.id,
            model=self._started.model,
            parts=tuple(part for _, part in sorted(self._parts.items(), key=lambda item: item[0])),
            stop=stopped.stop,
            usage=stopped.usage,
            stop_sequence=stopped.stop_sequence,
            explanation=stopped.explanation,
            unknown_stop=stopped.unknown_stop,
            created=self._started.created,
            declined=stopped.declined,
            tier=stopped.tier,
        )


def collect(events: Iterable[Event]) -> Answer | Failure:
    """Gather a whole sequence."""
    collector = Collector()
    for event in events:
        collector.take(event)
    return collector.result()
