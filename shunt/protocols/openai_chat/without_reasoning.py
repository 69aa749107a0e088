"""A client's own Chat body without reasoning that its upstream cannot read, everything else as it is.

For a vendor that refused the reasoning in the history, and for a conversation that was with another vendor
before and holds envelopes of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.inference.envelope import MARK
from shunt.inference.names import wire_id
from shunt.protocols.codec import Encoded, Target
from shunt.protocols.openai_chat.reasoning import DETAILS, FIELDS, given_back, read_thinking

Message = dict[str, Any]

_BLOCKS: Final = "thinking_blocks"
_TYPES: Final = frozenset({"thinking", "redacted_thinking"})


def without_reasoning(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The body without the reasoning in its history; None when there is none to leave out."""
    messages = document.get("messages")
    if not isinstance(messages, list):
        return None
    bare = [_bare(message) if _is_assistant(message) else message for message in messages]
    return None if bare == messages else {**document, "messages": bare}


def adapt_request(document: Mapping[str, Any], target: Target) -> Encoded | None:
    """The body with reasoning in envelopes given back to the server that made it, and left out for any other.

    None when no message holds an envelope.
    """
    messages = document.get("messages")
    if not isinstance(messages, list):
        return None
    adapted = [_opened(m, target) if _is_assistant(m) and _is_enveloped(m) else m for m in messages]
    if adapted == messages:
        return None
    return Encoded({**document, "messages": adapted, "model": target.model})


def _is_assistant(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant"


def _is_enveloped(message: Message) -> bool:
    """Whether our mark begins a seal in any of the places where clients keep them."""
    content = message.get("content")
    held = (message.get(DETAILS), message.get(_BLOCKS), content)
    return any(
        isinstance(value, str) and value.startswith(MARK)
        for entries in held
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
        for value in (entry.get("data"), entry.get("signature"))
    )


def _bare(message: Message) -> Message:
    """The message without any reasoning."""
    bare = {key: value for key, value in message.items() if key not in (*FIELDS, DETAILS, _BLOCKS)}
    content = message.get("content")
    if isinstance(content, list):
        bare["content"] = [part for part in content if not _is_thinking(part)] or None
    return bare


def _is_thinking(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in _TYPES


def _opened(message: Message, target: Target) -> Message:
    opened = _bare(message)
    extras: dict[str, Any] = {}
    for thinking in read_thinking(message):
        extras |= given_back(thinking, opened, target.origin)
    calls = opened.get("tool_calls")
    if extras and isinstance(calls, list):
        opened["tool_calls"] = [_with_extra(call, extras) for call in calls]
    return opened


def _with_extra(call: Any, extras: Mapping[str, Any]) -> Any:
    extra = extras.get(wire_id(str(call.get("id")))) if isinstance(call, dict) else None
    return call if extra is None else {**call, "extra_content": extra}
