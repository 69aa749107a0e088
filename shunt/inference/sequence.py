"""Parts that overlap, put one after the other, for protocols that have one part open at a time.

The first part that is open streams live; what comes for later ones is held until their turn. Nothing of
a finished stream is lost; of one that fails, what was held is.
"""

from __future__ import annotations

from typing import Any

from shunt.inference.events import Event, Failed, Finished, PartFinished, Ping, Started, Stopped

_UNBOUND = (Started, Stopped, Finished, Failed, Ping)


class Sequence:
    """Events in, the same events out, in an order without overlaps."""

    def __init__(self) -> None:
        self.live = 0
        """Index of the part that may stream; all before it are finished."""
        self._held: dict[int, list[Event]] = {}

    def events(self, event: Event) -> list[Event]:
        """The events that can be told now."""
        if isinstance(event, _UNBOUND):
            return [event]
        index = event.index
        if index != self.live:
            self._held.setdefault(index, []).append(event)
            return []
        if not isinstance(event, PartFinished):
            return [event]
        told: list[Event] = [event]
        ended: Any = event
        while isinstance(ended, PartFinished):
            self.live += 1
            held = self._held.pop(self.live, [])
            told += held
            ended = held[-1] if held else None
        return told
