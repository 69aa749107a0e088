"""What one request went through, as it happens: phases with their moments, and decisions.

Everything here is an append to a short list. What a decision looked like in detail is worked out when
somebody asks (`routing.explain`): a choice keeps the frozen state that it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import define, field

from shunt.accounts.state import PoolState
from shunt.routing.explain import Decision, Noted
from shunt.routing.view import Choice

MOST_MARKS: Final = 64
MOST_DECISIONS: Final = 16
"""A request that waits for hours is decided upon again and again; the first and the last tell it all."""


class Phase(StrEnum):
    """What a request does, in the usual order."""

    ARRIVED = "arrived"
    QUEUED = "queued"
    """It stands in the waiting room."""
    CHOSEN = "chosen"
    """An account was chosen."""
    SENT = "sent"
    """The request goes to the vendor."""
    CONNECTED = "connected"
    """The vendor's answer has begun: its status and headers are there."""
    FIRST_BYTE = "first byte"
    """The client's answer begins."""
    STREAMING = "streaming"
    DONE = "done"


Mark = tuple[Phase, float, str]
"""A phase began: the phase, epoch seconds, the account. A bare tuple, since every request makes seven."""


@define(eq=False)
class Trace:
    """The phases and decisions of one request."""

    marks: list[Mark] = field(factory=list)
    why: str = ""
    """Why the account was chosen, or why none was."""
    _noted: list[Noted] = field(factory=list)
    told: bytes = b""
    """The decisions as JSON, once they were worked out for good."""

    @property
    def phase(self) -> Phase:
        """What it does now."""
        return self.marks[-1][0] if self.marks else Phase.ARRIVED

    def mark(self, phase: Phase, at: float, account: str = "") -> None:
        """A phase begins."""
        if len(self.marks) < MOST_MARKS:
            self.marks.append((phase, at, account))

    def decided(self, choice: Choice, state: PoolState, families: Mapping[str, str], at: float) -> None:
        """An account was chosen, or none could be."""
        self.why = choice.why
        if len(self._noted) >= MOST_DECISIONS:
            del self._noted[MOST_DECISIONS // 2]
        self._noted.append(Noted(at, choice, state, families))
        if choice.account is not None:
            self.mark(Phase.CHOSEN, at, choice.account)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions with their reasons; none once they were told."""
        return tuple(noted.explained() for noted in tuple(self._noted))

    def settle(self, told: bytes) -> None:
        """Keep the decisions as they were told, and let go of the states they were made from.

        May run in a thread once the request is over: nothing is added any more.
        """
        self.told = told
        self._noted = []
