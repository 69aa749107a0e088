"""A model's answer, in no protocol's words."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from shunt.inference.content import Part
from shunt.inference.usage import Usage


class Stop(StrEnum):
    """Why the model stopped."""

    END_TURN = "end_turn"
    STOP_SEQUENCE = "stop_sequence"
    TOOL_USE = "tool_use"
    MAX_TOKENS = "max_tokens"
    CONTEXT_WINDOW = "context_window"
    REFUSAL = "refusal"
    PAUSE = "pause"
    """The vendor paused a long turn of its own tools; it is unfinished."""


@frozen
class Answer:
    """A whole answer."""

    id: str
    model: str
    """As the vendor named it; clients are shown the name they asked for."""
    parts: tuple[Part, ...]
    stop: Stop
    usage: Usage = Usage()
    stop_sequence: str = ""
    explanation: str = ""
    """A refusal's reason, where the vendor gives one."""
    unknown_stop: str = ""
    """The vendor's own word, when it is none we know; reported, never passed on."""
    created: int = 0
    """Epoch seconds, 0 when the vendor does not say."""
    declined: bool = False
    """The refusal is the model's own, at the end of its turn: nothing was cut."""
    tier: str = ""
