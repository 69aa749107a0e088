"""A turn that its vendor paused and that goes on in another answer: told to the client as one.

Anthropic pauses long turns of its own tools (`pause_turn`) and wants to be asked to go on. Clients of other
protocols know no such thing, so it is asked for them, a few times at most.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Final

import trio
from attrs import define, evolve, field

from shunt.gateway.attempt import Body
from shunt.inference.content import Part
from shunt.inference.events import (
    Event,
    Failed,
    Finished,
    PartFinished,
    Ping,
    Started,
    Stopped,
)
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage

MOST: Final = 5
"""Times a turn is asked to go on."""

GoOn = Callable[[Sequence[Part]], Awaitable[Body | None]]
"""Asks for the rest of a turn that has said these parts; None when there is none to be had."""


@define(eq=False)
class Asking:
    """Asks in a task of its own, so that whoever waits can show its client meanwhile that it lives."""

    _ask: GoOn
    _nursery: trio.Nursery
    _done: trio.Event | None = None
    _body: Body | None = None
    _error: Exception | None = None

    async def rest(self, parts: Sequence[Part], within: float = inf) -> Body | None:
        """Ask, or wait on for what was asked. Raises trio.TooSlowError after `within` seconds: nothing is lost."""
        if self._done is None:
            self._done = trio.Event()
            self._nursery.start_soon(self._run, tuple(parts), self._done)
        with trio.fail_after(within):
            await self._done.wait()
        self._done = None
        if self._error is not None:
            raise self._error
        return self._body

    async def _run(self, parts: Sequence[Part], done: trio.Event) -> None:
        self._body = self._error = None
        try:
            self._body = await self._ask(parts)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self._error = error
        done.set()


@define(eq=False)
class Turn:
    """The parts of a turn so far, and what they cost, over all of its answers."""

    parts: list[Part] = field(factory=list)
    rounds: int = 0
    paused: Stopped | None = None
    """The end of an answer after which the turn goes on."""
    _offset: int = 0
    """Parts of the answers before this one."""
    _spent: Usage = Usage()
    """What those cost."""

    def told(self, event: Event) -> Event | None:
        """An event of the present answer as one of the whole turn; None for one that is not shown."""
        match event:
            case Started() if self.rounds:
                return None
            case Stopped(stop=Stop.PAUSE) if self.rounds < MOST:
                self.paused = event
                return None
            case Stopped():
                return evolve(event, usage=summed(self._spent, event.usage))
            case PartFinished(part=part):
                self.parts.append(part)
        if self._offset and not isinstance(event, Started | Stopped | Finished | Failed | Ping):
            return evolve(event, index=event.index + self._offset)
        return event

    def go_on(self) -> None:
        """Another answer begins."""
        if self.paused is not None:
            self._spent = summed(self._spent, self.paused.usage)
        self.rounds += 1
        self.paused = None
        self._offset = len(self.parts)

    def ended(self) -> list[Event]:
        """How a turn ends that was paused and does not go on: unfinished."""
        paused, self.paused = self.paused, None
        return [] if paused is None else [evolve(paused, usage=summed(self._spent, paused.usage)), Finished()]


def summed(before: Usage, now: Usage) -> Usage:
    """What two answers of one turn cost. The later one's input holds all of the earlier: it alone counts."""
    return evolve(
        now,
        output=before.output + now.output,
        reasoning=before.reasoning + now.reasoning,
        web_searches=before.web_searches + now.web_searches,
    )


def joined(before: Answer, more: Answer) -> Answer:
    """Two plain answers of one turn as one."""
    usage = summed(before.usage, more.usage)
    return evolve(more, id=before.id, created=before.created, parts=before.parts + more.parts, usage=usage)
