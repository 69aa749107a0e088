"""What plain and streamed answers have in common: names, numbers, sources, calls in Chat's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from shunt.inference.arguments import wrapped
from shunt.inference.content import Citation, Text, ToolCall
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.usage import Usage

Fields = dict[str, Any]

_TIERS: Final = {"standard": "default"} | {
    tier: tier for tier in ("auto", "default", "flex", "scale", "priority", "fast")
}


def answer_id(request_id: str) -> str:
    """The id of the answer to one of our requests."""
    return f"chatcmpl-{request_id.removeprefix('req_')}"


def tier_fields(tier: str) -> Fields:
    """The service tier, where it is one that Chat knows."""
    return {"service_tier": _TIERS[tier]} if tier in _TIERS else {}


def usage_fields(usage: Usage) -> Fields:
    """Token counts; the prompt includes everything cached."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def url_citations(text: Text, base: int) -> list[Fields]:
    """The web sources of a text that begins `base` code points into the answer.

    A source without a place of its own stands for the whole text.
    """
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": base + (0 if citation.start is None else citation.start),
                "end_index": base + (len(text.text) if citation.end is None else citation.end),
                "title": citation.title,
                "url": citation.url,
            },
        }
        for citation in text.citations
        if citation.url
    ]


def has_other_sources(citations: Iterable[Citation]) -> bool:
    """Whether a source is none of the web: Chat has no words for those."""
    return any(not citation.url for citation in citations)


def call_name(call: ToolCall) -> str:
    """Chat has no namespaces."""
    return f"{call.namespace}__{call.name}" if call.namespace else call.name


class CallForm:
    """How calls are shown to the client of one request."""

    def __init__(self, request: GenerateRequest) -> None:
        self.legacy = request.legacy_functions
        """The client knows one `function_call`, no `tool_calls`."""
        self._custom = {
            (tool.namespace, tool.name) for tool in request.tools if isinstance(tool, Tool) and tool.custom
        }

    def is_custom(self, call: ToolCall) -> bool:
        """Whether to show the call as a custom one: only to clients that have said they know them."""
        return call.custom and not self.legacy and (call.namespace, call.name) in self._custom

    def arguments(self, call: ToolCall) -> str:
        """The call's input, as JSON unless it is shown as a custom call."""
        return wrapped(call.arguments) if call.custom and not self.is_custom(call) else call.arguments

    def fields(self, call: ToolCall, arguments: str) -> Fields:
        """A call as an entry of `tool_calls`."""
        if self.is_custom(call):
            return {
                "id": call.id,
                "type": "custom",
                "custom": {"name": call_name(call), "input": arguments},
            }
        return {
            "id": call.id,
            "type": "function",
            "function": {"name": call_name(call), "arguments": arguments},
        }
