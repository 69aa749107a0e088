"""The queue in front of the program: so many at once, first come, first served."""

from __future__ import annotations

from collections import deque

import trio
from attrs import define, field


@define(eq=False)
class Place:
    """Leave to run one process."""

    _places: Places
    _held: bool = True

    def release(self) -> None:
        """Let the next one in. Idempotent."""
        if self._held:
            self._held = False
            self._places.freed()


@define(eq=False)
class Places:
    """Counts who is in, and keeps the others in line."""

    taken: int = 0
    _line: deque[trio.Event] = field(factory=deque)
    _most: int = 1

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    async def take(self, most: int, within: float) -> Place | None:
        """Wait for a place for up to `within` seconds; None when there was none.

        Args:
            most: Places there are; may differ from call to call as configuration changes.
            within: Seconds; 0 does not wait.
        """
        self._most = most
        if self.taken < most and not self._line:
            await trio.lowlevel.checkpoint_if_cancelled()
            self.taken += 1
            return Place(self)
        turn = trio.Event()
        self._line.append(turn)
        self._admit()
        try:
            with trio.move_on_after(within):
                await turn.wait()
        except BaseException:
            self._withdraw(turn)
            raise
        if not turn.is_set():
            self._line.remove(turn)
            return None
        return Place(self)

    def freed(self) -> None:
        """A place was given back."""
        self.taken -= 1
        self._admit()

    def _admit(self) -> None:
        # No await between the check and the count: two cannot take the same place.
        while self._line and self.taken < self._most:
            self.taken += 1
            self._line.popleft().set()

    def _withdraw(self, turn: trio.Event) -> None:
        """Whoever is cancelled gives back what it was given meanwhile."""
        if turn.is_set():
            self.freed()
        else:
            self._line.remove(turn)
