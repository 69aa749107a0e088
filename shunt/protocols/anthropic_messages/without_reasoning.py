"""A Messages request without the reasoning in its history.

For a vendor that refuses it (the signature is another account's, or the conversation was edited), and for a
conversation that was with another vendor before and holds envelopes of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.inference.envelope import MARK
from shunt.protocols.codec import Encoded, Target

Block = dict[str, Any]

_REASONING: Final = {"thinking": "signature", "redacted_thinking": "data"}
"""Types of block, and the field that holds the seal."""
_NEEDS_THINKING: Final = "clear_thinking_"
"""Begins the type of a context edit that is refused where thinking is off."""


def without_reasoning(document: Mapping[str, Any], *, envelopes_only: bool = False) -> dict[str, Any] | None:
    """The request without reasoning; None when there is none to leave out.

    `envelopes_only` leaves out other vendors' only. The turns themselves stay. Where the vendor would
    refuse to think on in the middle of a turn whose beginning is gone, thinking is switched off.
    """
    messages = document.get("messages")
    if not isinstance(messages, list):
        return None
    stripped = [_stripped(message, envelopes_only=envelopes_only) for message in messages]
    if stripped == messages:
        return None
    after = {**document, "messages": [message for message in stripped if message is not None]}
    if _is_enabled(document) and _is_mid_turn(after["messages"]):
        after["thinking"] = {"type": "disabled"}
        _forget_edits(after)
    return after


def adapt_request(document: Mapping[str, Any], target: Target) -> Encoded | None:
    """A client's own body without the envelopes that other vendors' reasoning came in; None when it has none.

    A field `betas` is for SDKs, which send it as a header; the vendor refuses it in a body.
    """
    own = without_reasoning(document, envelopes_only=True)
    betas = document.get("betas")
    if own is None and not isinstance(betas, list):
        return None
    after = dict(document if own is None else own) | {"model": target.model}
    after.pop("betas", None)
    names = [name for name in betas if isinstance(name, str)] if isinstance(betas, list) else []
    headers = tuple((b"anthropic-beta", name.encode("ascii", "replace")) for name in names)
    return Encoded(after, headers=headers)


def _stripped(message: Any, *, envelopes_only: bool) -> Any:
    """The message without reasoning; None when nothing is left of it."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return message
    kept = [block for block in content if not _is_stripped(block, envelopes_only=envelopes_only)]
    if len(kept) == len(content):
        return message
    return {**message, "content": kept} if kept else None


def _is_stripped(block: Any, *, envelopes_only: bool) -> bool:
    field = _REASONING.get(str(block.get("type"))) if isinstance(block, dict) else None
    if field is None:
        return False
    return not envelopes_only or str(block.get(field) or "").startswith(MARK)


def _is_enabled(document: Mapping[str, Any]) -> bool:
    thinking = document.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") == "enabled"


def _is_mid_turn(messages: list[Any]) -> bool:
    """Whether the last assistant's message calls tools without having thought first."""
    said = [m for m in messages if isinstance(m, dict) and m.get("role") == "assistant"]
    content = said[-1].get("content") if said else None
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    calls = any(block.get("type") == "tool_use" for block in blocks)
    return calls and blocks[0].get("type") not in _REASONING


def _forget_edits(document: dict[str, Any]) -> None:
    management = document.get("context_management")
    edits = management.get("edits") if isinstance(management, dict) else None
    if isinstance(management, dict) and isinstance(edits, list):
        kept = [edit for edit in edits if not _is_thinking_edit(edit)]
        document["context_management"] = {**management, "edits": kept}


def _is_thinking_edit(edit: Any) -> bool:
    return isinstance(edit, dict) and str(edit.get("type") or "").startswith(_NEEDS_THINKING)
