"""Why a model stopped, in the words of the Messages API and in ours."""

from __future__ import annotations

from typing import Any, Final

from shunt.inference.response import Stop

REASONS: Final = {
    Stop.END_TURN: "end_turn",
    Stop.STOP_SEQUENCE: "stop_sequence",
    Stop.TOOL_USE: "tool_use",
    Stop.MAX_TOKENS: "max_tokens",
    Stop.CONTEXT_WINDOW: "model_context_window_exceeded",
    Stop.REFUSAL: "refusal",
    Stop.PAUSE: "pause_turn",
}
_STOPS: Final = {reason: stop for stop, reason in REASONS.items()} | {"compaction": Stop.PAUSE}


def read_stop(reason: Any) -> tuple[Stop, str]:
    """The stop for a `stop_reason`, and the reason itself when it is none we know."""
    if not isinstance(reason, str):
        return Stop.END_TURN, ""
    stop = _STOPS.get(reason)
    return (Stop.END_TURN, reason) if stop is None else (stop, "")


def read_explanation(details: Any) -> str:
    """Why the model refused, out of `stop_details`."""
    explanation = details.get("explanation") if isinstance(details, dict) else None
    return explanation if isinstance(explanation, str) else ""


def write_stop(stop: Stop, sequence: str, explanation: str) -> dict[str, Any]:
    """The fields of a message that say why it ended."""
    fields: dict[str, Any] = {"stop_reason": REASONS[stop], "stop_sequence": sequence or None}
    if stop is Stop.REFUSAL:
        fields["stop_details"] = {"type": "refusal", "category": None, "explanation": explanation or None}
    return fields
