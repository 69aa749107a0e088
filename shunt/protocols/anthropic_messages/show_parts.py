"""Blocks of an answer, as a Messages client is shown them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from shunt.inference.arguments import INPUT, as_object
from shunt.inference.content import (
    Citation,
    Foreign,
    HostedCall,
    HostedResult,
    Part,
    Refusal,
    Seal,
    SealForm,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.envelope import wrap
from shunt.inference.names import wire_id
from shunt.protocols.anthropic_messages.read_blocks import NAME, VENDOR

Block = dict[str, Any]

CITATIONS: Final = "citations"
"""What sources that cannot be shown are called in reports."""
SEARCH: Final = "web_search"
_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_]")
_HOSTED_ID: Final = "srvtoolu_"
"""Begins ids of calls that the vendor runs itself."""
_ERRORS: Final = frozenset(
    {
        *("invalid_tool_input", "unavailable", "max_uses_exceeded"),
        *("too_many_requests", "query_too_long", "request_too_large"),
    }
)


def show(part: Part) -> Block | None:
    """A whole part; None when there is nothing to show, or no block to show it in."""
    match part:
        case Text(text=text) | Refusal(text=text) if text.strip():
            block: Block = {"type": "text", "text": text}
            if isinstance(part, Text) and (cited := shown_citations(part)):
                block["citations"] = cited
            return block
        case Thinking():
            return show_thinking(part)
        case ToolCall():
            called = {INPUT: part.arguments} if part.custom else as_object(part.arguments)
            return {"type": "tool_use", "id": wire_id(part.id), "name": tool_name(part), "input": called}
        case HostedCall():
            begun = show_hosted_call(part)
            return begun and begun | {"input": as_object(part.input)}
        case HostedResult():
            return show_hosted_result(part)
        case Foreign(protocol=protocol, raw=raw) if protocol == NAME:
            return dict(raw)
        case _:
            return None


def show_thinking(part: Thinking) -> Block | None:
    """Reasoning, with its seal in the field that the client echoes."""
    seal = part.seal
    if part.text or (seal is not None and seal.form is SealForm.SIGNATURE):
        return {"type": "thinking", "thinking": part.text, "signature": shown_seal(seal, SealForm.SIGNATURE)}
    return (
        None if seal is None else {"type": "redacted_thinking", "data": shown_seal(seal, SealForm.REDACTED)}
    )


def shown_seal(seal: Seal | None, form: SealForm) -> str:
    """A seal for a field of this form: Anthropic's own as it is, any other in an envelope, none as nothing."""
    if seal is None:
        return ""
    return seal.payload if (seal.origin, seal.form) == (VENDOR, form) else wrap(seal)


def shown_citations(part: Text) -> list[Block]:
    """The sources of a text that clients have words for."""
    return [shown for one in part.citations if (shown := show_citation(one)) is not None]


def show_citation(citation: Citation) -> Block | None:
    """A source; one of another vendor as a web page, or None where it is none."""
    if "cited_text" in citation.raw:
        return dict(citation.raw)
    if not citation.url:
        return None
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title or None,
        "cited_text": citation.cited_text,
        "encrypted_index": "",
    }


def show_hosted_call(part: HostedCall) -> Block | None:
    """A vendor's tool at work, with its input still to come; None for tools that the client has no word for."""
    if part.kind != SEARCH and part.raw.get("type") != "server_tool_use":
        return None
    return {"type": "server_tool_use", "id": hosted_id(part.id), "name": part.kind, "input": {}}


def show_hosted_result(part: HostedResult) -> Block | None:
    """What a vendor's tool found; None when the client has no word for it."""
    if _is_own(part.raw):
        return dict(part.raw)
    if part.kind != SEARCH:
        return None
    content: Any = [_hit(hit) for hit in part.hits]
    if part.error:
        code = part.error if part.error in _ERRORS else "unavailable"
        content = {"type": "web_search_tool_result_error", "error_code": code}
    return {"type": "web_search_tool_result", "tool_use_id": hosted_id(part.call_id), "content": content}


def hosted_id(call_id: str) -> str:
    """A hosted call's id in the form that the vendor demands when it is echoed."""
    return _HOSTED_ID + _ILLEGAL.sub("_", call_id.removeprefix(_HOSTED_ID))


def tool_name(call: ToolCall) -> str:
    """The tool's name; clients of this protocol know no namespaces."""
    return f"{call.namespace}__{call.name}" if call.namespace else call.name


def _is_own(raw: Mapping[str, Any]) -> bool:
    kind = raw.get("type")
    return isinstance(kind, str) and kind.endswith("_tool_result") and "tool_use_id" in raw


def _hit(hit: SearchHit) -> Block:
    return {
        "type": "web_search_result",
        "url": hit.url,
        "title": hit.title or hit.url,
        "page_age": hit.page_age or None,
        "encrypted_content": hit.opaque,
    }
