"""Why a model stopped, in Chat's words and in ours."""

from __future__ import annotations

from typing import Final

from shunt.inference.response import Stop

FINISH: Final = {
    Stop.END_TURN: "stop",
    Stop.STOP_SEQUENCE: "stop",
    Stop.TOOL_USE: "tool_calls",
    Stop.MAX_TOKENS: "length",
    Stop.CONTEXT_WINDOW: "length",
    Stop.REFUSAL: "content_filter",
    # The turn is unfinished; of Chat's words only this one says so.
    Stop.PAUSE: "length",
}

_STOPS: Final = {
    "stop": Stop.END_TURN,
    "length": Stop.MAX_TOKENS,
    "tool_calls": Stop.TOOL_USE,
    "function_call": Stop.TOOL_USE,
    "content_filter": Stop.REFUSAL,
    # Words of compatible servers that mean the same.
    "eos": Stop.END_TURN,
    "end_turn": Stop.END_TURN,
    "stop_sequence": Stop.STOP_SEQUENCE,
    "max_tokens": Stop.MAX_TOKENS,
    "model_length": Stop.MAX_TOKENS,
    "tool_use": Stop.TOOL_USE,
    "safety": Stop.REFUSAL,
    "SAFETY": Stop.REFUSAL,
}

BROKEN: Final = frozenset({"error", "abort", "insufficient_system_resource"})
"""Finish reasons of answers that were given up."""


def read_finish(reason: str) -> tuple[Stop, str]:
    """The stop for a finish reason, and the reason itself when it is none we know."""
    stop = _STOPS.get(reason)
    return (Stop.END_TURN, reason) if stop is None else (stop, "")
