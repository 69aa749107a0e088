"""Putting a stream of events together, so that it is legal whatever the vendor sends.

A stream decoder tells an Assembly what it has understood, in any order, and takes the events. The
Assembly keeps the grammar of `events`: parts are numbered, opened before they grow, closed before the
stop, summed up at their end, and nothing follows the end of the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve

from shunt.errors import Kind
from shunt.inference.content import Citation, Part, Refusal, Seal, Text, Thinking, ToolCall
from shunt.inference.events import (
    ArgumentsDelta,
    CitationAdded,
    Event,
    Failed,
    Finished,
    PartFinished,
    PartStarted,
    Ping,
    RefusalDelta,
    SealGiven,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
)
from shunt.inference.failure import Failure
from shunt.inference.names import distinct_id
from shunt.inference.response import Stop
from shunt.inference.usage import Usage

BROKEN_OFF: Final = Failure(Kind.UPSTREAM, "The upstream's answer broke off before its end.")
"""For a stream that ends without its protocol's own end."""

_DELTAS: Final[dict[type, Callable[[int, str], Event]]] = {
    Text: TextDelta,
    Thinking: ThinkingDelta,
    Refusal: RefusalDelta,
    ToolCall: ArgumentsDelta,
}


class _Growing:
    """A part that is open: what it began as, and what has come since."""

    __slots__ = ("citations", "delta", "part", "pieces", "seal")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.delta = _DELTAS.get(type(part))
        self.pieces: list[str] = []
        self.citations: list[Citation] = []
        self.seal: Seal | None = None

    def whole(self) -> Part:
        match self.part:
            case Text():
                return Text("".join(self.pieces), tuple(self.citations))
            case Thinking():
                return evolve(self.part, text="".join(self.pieces), seal=self.seal)
            case Refusal():
                return Refusal("".join(self.pieces))
            case ToolCall():
                return evolve(self.part, arguments="".join(self.pieces))
            case part:
                return part


class Assembly:
    """Events of one answer, in the making.

    No method raises. What comes for a part that is not open, or after the end, is dropped. The first
    call opens the stream if `begin` has not.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._open: dict[int, _Growing] = {}
        self._count = 0
        self._begun = False
        self._calls = False
        self._call_ids: dict[str, int] = {}
        self._refused = False
        self._stopped = False
        self._over = False

    @property
    def begun(self) -> bool:
        """Whether Started was given."""
        return self._begun

    @property
    def over(self) -> bool:
        """Whether Finished or Failed was given."""
        return self._over

    def take(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def begin(self, id: str = "", model: str = "", usage: Usage | None = None, created: int = 0) -> None:  # noqa: A002
        """The vendor accepted the request. Only the first call counts."""
        if not self._begun and not self._over:
            self._begun = True
            self._events.append(Started(id, model, usage, created))

    def open(self, part: Part) -> int:
        """Begin a part and return its index. What the part holds already is given as deltas.

        A HostedCall, a HostedResult, … is shown as begun and closed with `close`.
        """
        index = self._count
        if self._stopped or self._over:
            return -1
        self.begin()
        self._count += 1
        self._open[index] = _Growing(part)
        match part:
            case Text(text=held):
                self._start(index, Text(""))
                self.grow(index, held)
                for citation in part.citations:
                    self.cite(index, citation)
            case Thinking(text=held):
                self._start(index, evolve(part, text="", seal=None))
                self.grow(index, held)
                if part.seal is not None:
                    self.seal(index, part.seal)
            case Refusal(text=held):
                self._refused = True
                self._start(index, Refusal(""))
                self.grow(index, held)
            case ToolCall(arguments=held):
                self._calls = True
                own = distinct_id(part.id, self._call_ids)
                self._start(index, evolve(part, id=own, arguments="", cache=None))
                self.grow(index, held)
            case _:
                self._events.append(PartStarted(index, part))
        return index

    def grow(self, index: int, piece: str) -> None:
        """Add words to a Text, Thinking or Refusal, or arguments to a ToolCall."""
        growing = self._open.get(index)
        if piece and growing is not None and growing.delta is not None:
            growing.pieces.append(piece)
            self._events.append(growing.delta(index, piece))

    def seal(self, index: int, seal: Seal) -> None:
        """Add the seal of a Thinking part, or the next piece of one."""
        growing = self._open.get(index)
        if growing is not None and isinstance(growing.part, Thinking):
            before = growing.seal.payload if growing.seal is not None else ""
            growing.seal = evolve(seal, payload=before + seal.payload)
            self._events.append(SealGiven(index, seal))

    def cite(self, index: int, citation: Citation) -> None:
        """Add a source to a Text part."""
        growing = self._open.get(index)
        if growing is not None and isinstance(growing.part, Text):
            growing.citations.append(citation)
            self._events.append(CitationAdded(index, citation))

    def held(self, index: int) -> str:
        """The words or arguments an open part has so far; empty when it is not open."""
        growing = self._open.get(index)
        return "".join(growing.pieces) if growing is not None else ""

    def close(self, index: int, whole: Part | None = None) -> None:
        """End a part. `whole` replaces a part that does not grow (a HostedCall with its input)."""
        growing = self._open.get(index)
        if growing is None:
            return
        part = growing.part
        if isinstance(part, ToolCall) and not part.custom and not "".join(growing.pieces).strip():
            self.grow(index, "{}")
        del self._open[index]
        grows = growing.delta is not None
        self._events.append(PartFinished(index, growing.whole() if grows or whole is None else whole))

    def add(self, part: Part) -> None:
        """A part that is whole at once."""
        self.close(self.open(part))

    def ping(self) -> None:
        """The vendor lives."""
        if not self._over:
            self._events.append(Ping())

    def stop(
        self,
        stop: Stop,
        usage: Usage,
        *,
        stop_sequence: str = "",
        explanation: str = "",
        unknown_stop: str = "",
        tier: str = "",
    ) -> None:
        """The model stopped. Only the first call counts; open parts are closed.

        `settled_stop` decides between what the vendor says and what the parts show.
        """
        if self._stopped or self._over:
            return
        self.begin()
        for index in tuple(self._open):
            self.close(index)
        self._stopped = True
        settled = settled_stop(stop, calls=self._calls, refused=self._refused)
        declined = settled is Stop.REFUSAL is not stop
        self._events.append(Stopped(settled, usage, stop_sequence, explanation, unknown_stop, tier, declined))

    def finish(self) -> None:
        """The protocol's own end was seen. Without a stop before it, the answer is broken."""
        if self._over:
            return
        if not self._stopped:
            self.fail(BROKEN_OFF)
            return
        self._over = True
        self._events.append(Finished())

    def fail(self, failure: Failure) -> None:
        """The stream ends with an error, or broke. Nothing follows."""
        if not self._over:
            self._over = True
            self._open.clear()
            self._events.append(Failed(failure))

    def _start(self, index: int, empty: Part) -> None:
        self._open[index].part = empty
        self._events.append(PartStarted(index, empty))


def settled_stop(stop: Stop, *, calls: bool, refused: bool) -> Stop:
    """The stop reason that fits the parts: vendors say "stop" after calls, and "tool_calls" without any.

    A cut (length, context, pause) stays a cut, whatever was begun.
    """
    if stop in (Stop.END_TURN, Stop.TOOL_USE):
        if calls:
            return Stop.TOOL_USE
        return Stop.REFUSAL if refused else Stop.END_TURN
    return stop
