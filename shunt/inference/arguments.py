"""Tool arguments between JSON text, JSON objects and a custom tool's free text."""

from __future__ import annotations

from typing import Any, Final

from shunt.wire import json

RAW: Final = "raw_arguments"
"""Key under which arguments that are no JSON object are kept: the model has to see its own mistake."""
INPUT: Final = "input"
"""Key that carries a custom tool's free text where only JSON arguments exist."""


def as_object(arguments: str) -> dict[str, Any]:
    """Arguments for a protocol that carries them as an object; never raises, never loses text."""
    if not arguments.strip():
        return {}
    found = json.value(arguments.encode("utf-8", "replace"))
    return found if isinstance(found, dict) else {RAW: arguments}


def as_text(found: Any) -> str:
    """Arguments for a protocol that carries them as JSON text, from whatever a sender wrote.

    Some servers send an object where a string is due; nothing at all is an empty object.
    """
    if isinstance(found, str):
        return found if found.strip() else "{}"
    return "{}" if found is None else json.encode(found).decode()


def wrapped(text: str) -> str:
    """A custom tool's free text as JSON arguments."""
    return json.encode({INPUT: text}).decode()


def unwrapped(arguments: str) -> str:
    """The free text in JSON arguments; whatever the model wrote instead is taken as it stands."""
    found = json.value(arguments.encode("utf-8", "replace"))
    if isinstance(found, str):
        return found
    if isinstance(found, dict):
        if isinstance(text := found.get(INPUT), str):
            return text
        if not found:
            return ""
        if len(found) == 1 and isinstance(text := next(iter(found.values())), str):
            return text
    return arguments
