"""A Messages answer, read into the shared vocabulary. Lenient: what a vendor says is taken as far as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from attrs import evolve

from shunt.errors import UpstreamUnexpected
from shunt.inference.arguments import as_text
from shunt.inference.assembly import settled_stop
from shunt.inference.content import Citation, Part, Seal, SealForm, Text, Thinking, ToolCall
from shunt.inference.names import distinct_id
from shunt.inference.response import Answer
from shunt.protocols.anthropic_messages.read_blocks import (
    VENDOR,
    read_foreign,
    read_hosted_call,
    read_hosted_result,
)
from shunt.protocols.anthropic_messages.stops import read_explanation, read_stop
from shunt.protocols.anthropic_messages.usage import read_usage

_TITLES: Final = ("title", "document_title")


def read_answer(document: Mapping[str, Any]) -> Answer:
    """A plain answer. Raises UpstreamUnexpected when it is none."""
    content = document.get("content")
    if not isinstance(content, list):
        raise UpstreamUnexpected(
            f"The upstream answered with {_described(document)} where a message was due."
        )
    answer_id = word(document.get("id"))
    blocks = [block for block in content if isinstance(block, dict)]
    found = (read_part(block, answer_id, n) for n, block in enumerate(blocks))
    taken: dict[str, int] = {}
    parts = tuple(
        evolve(part, id=distinct_id(part.id, taken)) if isinstance(part, ToolCall) else part
        for part in found
        if part is not None
    )
    stop, unknown = read_stop(document.get("stop_reason"))
    usage = document.get("usage")
    return Answer(
        id=answer_id,
        model=word(document.get("model")),
        parts=parts,
        stop=settled_stop(stop, calls=any(isinstance(part, ToolCall) for part in parts), refused=False),
        usage=read_usage(usage),
        stop_sequence=word(document.get("stop_sequence")),
        explanation=read_explanation(document.get("stop_details")),
        unknown_stop=unknown,
        tier=word(usage.get("service_tier")) if isinstance(usage, dict) else "",
    )


def read_part(block: Mapping[str, Any], answer_id: str, index: int) -> Part | None:
    """One block of an answer, whole or as it begins; None when it says nothing or cannot be used.

    `answer_id` and `index` make an id for a call that the server gave none.
    """
    match block.get("type"):
        case "text":
            return Text(word(block.get("text")), read_citations(block.get("citations")))
        case "thinking":
            return Thinking(word(block.get("thinking")), sealed(block.get("signature"), SealForm.SIGNATURE))
        case "redacted_thinking":
            return Thinking("", sealed(block.get("data"), SealForm.REDACTED))
        case "tool_use":
            name = word(block.get("name"))
            call_id = word(block.get("id")) or _made_id(answer_id, index)
            return ToolCall(call_id, name, as_text(block.get("input"))) if name else None
        case "server_tool_use":
            return read_hosted_call(block)
        case str(kind) if kind.endswith("_tool_result") and kind != "mcp_tool_result":
            return read_hosted_result(block)
        case _:
            return read_foreign(block)


def sealed(payload: Any, form: SealForm) -> Seal | None:
    """The vendor's seal; None when there is none."""
    return Seal(VENDOR, form, payload) if isinstance(payload, str) and payload else None


def read_citations(citations: Any) -> tuple[Citation, ...]:
    """The sources of a text block."""
    found = citations if isinstance(citations, list) else ()
    return tuple(read_citation(citation) for citation in found if isinstance(citation, dict))


def read_citation(citation: Mapping[str, Any]) -> Citation:
    """One source; Anthropic says which words of the source are meant, not which of the text."""
    return Citation(
        url=word(citation.get("url")),
        title=next((title for name in _TITLES if (title := word(citation.get(name)))), ""),
        cited_text=word(citation.get("cited_text")),
        raw=citation,
    )


def word(value: Any) -> str:
    """A string; empty for anything else."""
    return value if isinstance(value, str) else ""


def _made_id(answer_id: str, index: int) -> str:
    return f"toolu_{sha256(f'{answer_id}:{index}'.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _described(document: Mapping[str, Any]) -> str:
    error = document.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return f"the error {message[:200]!r}" if isinstance(message, str) else "an object without content"
