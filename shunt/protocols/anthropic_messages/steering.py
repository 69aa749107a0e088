"""Effort and speed that a model's name asked for, put into a client's own Messages body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shunt.inference.request import Effort, Reasoning
from shunt.protocols.anthropic_messages.thinking import plan
from shunt.protocols.codec import Document, Target
from shunt.wire import json

_DEFAULT_MAX_TOKENS = 32_000


def steered(document: Mapping[str, Any], target: Target, effort: Effort | None, *, fast: bool) -> Document:
    """The body with these in the words that the model takes; everything else as it is."""
    after: Document = dict(document)
    if fast:
        after["speed"] = "fast"
    if effort is None:
        return after
    most = json.count(after.get("max_tokens")) or _DEFAULT_MAX_TOKENS
    choice = after.get("tool_choice")
    forced = isinstance(choice, dict) and choice.get("type") in ("any", "tool")
    thought = plan(Reasoning(effort), target.rules, most, forced=forced, resumed=False)
    if thought.thinking is not None:
        before = after.get("thinking")
        shown = before.get("display") if isinstance(before, dict) else None
        keeps = shown is not None and thought.thinking["type"] == "adaptive"
        after["thinking"] = thought.thinking | ({"display": shown} if keeps else {})
        after["max_tokens"] = thought.max_tokens
    if thought.effort:
        config = after.get("output_config")
        after["output_config"] = (config if isinstance(config, dict) else {}) | {
            "effort": str(thought.effort)
        }
    return after
