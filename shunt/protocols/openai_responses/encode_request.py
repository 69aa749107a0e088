"""A request in this protocol's words, for OpenAI itself or for the ChatGPT backend of Codex."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference import custom_tools, effort, names, repairs
from shunt.inference.content import Message, Role, Text
from shunt.inference.request import (
    MIDDLING,
    ChoiceMode,
    Effort,
    FormatKind,
    GenerateRequest,
    HostedTool,
    OutputFormat,
)
from shunt.protocols.codec import Encoded, Target
from shunt.protocols.openai_responses import codex
from shunt.protocols.openai_responses.content import NAME
from shunt.protocols.openai_responses.decode_request import ENCRYPTED
from shunt.protocols.openai_responses.encode_items import InputWriter
from shunt.protocols.openai_responses.encode_tools import write_choice, write_tools
from shunt.protocols.openai_responses.search import WEB_SEARCH
from shunt.wire import json

LEAST_OUTPUT: Final = 16
"""Smallest `max_output_tokens` that is taken."""
LONGEST_KEY: Final = 64
"""Characters of `prompt_cache_key` and `safety_identifier`."""
SOURCES: Final = "web_search_call.action.sources"
"""What to include so that a search tells the pages it found."""

_TIERS: Final = {
    "auto": "auto",
    "standard": "default",
    "standard_only": "default",
    "default": "default",
    "flex": "flex",
    "scale": "scale",
    "priority": "priority",
    "fast": "priority",
    "ultrafast": "ultrafast",
}
_DISPLAYS: Final = {"omitted": "", "auto": "auto", "concise": "concise", "detailed": "detailed"}
"""What a client wants to see of the reasoning → which summary to ask for; anything else is `auto`."""
_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]")

Write = Callable[["_Draft"], None]


def encode_request(request: GenerateRequest, target: Target) -> Encoded:
    """Write a request. Raises InvalidRequest for what cannot be said here and changes the meaning."""
    repaired = repairs.repaired(request, NAME, origin=target.origin, account=target.account)
    ready = repaired.request
    if not target.rules.custom_tools:
        ready = custom_tools.as_functions(ready)
    ready = names.fitted(ready, names.OPENAI_LONGEST, flat=ready.protocol != NAME)
    draft = _Draft(ready, target, list(repaired.dropped))
    for write in _SECTIONS:
        write(draft)
    unsaid = [name for name in ready.unsaid() if name not in draft.document]
    if target.vendor == codex.VENDOR:
        fitted = codex.fitted(draft.document)
        return Encoded(fitted.document, ready.left_out(draft.dropped, (*unsaid, *fitted.dropped)))
    return Encoded(draft.document, ready.left_out(draft.dropped, unsaid))


class _Draft:
    """A request body in the making."""

    def __init__(self, request: GenerateRequest, target: Target, dropped: list[str]) -> None:
        self.request = request
        self.target = target
        self.rules = target.rules
        self.dropped = dropped
        self.document: dict[str, Any] = {"model": target.model}

    def put(self, name: str, value: Any) -> None:
        """Set a field, unless there is nothing to say."""
        if value is not None and value != "":
            self.document[name] = value


# ── The sections of a body, in order ──────────────────────────────────────────────────────────────


def _own(draft: _Draft) -> None:
    """What the client said in this protocol's own words, and nobody else's."""
    if draft.request.protocol == NAME:
        draft.document |= {
            name: value for name, value in draft.request.native.items() if _NAME.sub("", name) == name
        }


def _conversation(draft: _Draft) -> None:
    request = draft.request
    system = "developer" if draft.rules.developer_role or draft.target.vendor == codex.VENDOR else "system"
    items = InputWriter(request, system=system, images=draft.rules.images).items()
    texts = [text.text for text in request.instructions]
    if not items and texts:
        # Something has to be the input.
        alone = evolve(request, messages=(Message(Role.DEVELOPER, tuple(map(Text, texts))),))
        items, texts = InputWriter(alone, system=system, images=False).items(), []
    draft.put("instructions", "\n\n".join(texts))
    draft.document["input"] = items


def _tools(draft: _Draft) -> None:
    request = draft.request
    tools = write_tools(request, draft.rules, draft.dropped)
    if tools:
        draft.document["tools"] = tools
        draft.put("tool_choice", write_choice(request, tools))
    elif request.tool_choice is not None and request.tool_choice.mode is ChoiceMode.REQUIRED:
        raise InvalidRequest(
            "A tool is demanded, but none of those offered exists at the account that answers here.",
            param="tool_choice",
        )
    draft.put("parallel_tool_calls", request.parallel_tools)


def _limits(draft: _Draft) -> None:
    if draft.request.max_output is not None:
        most = draft.rules.max_output or draft.request.max_output
        draft.document["max_output_tokens"] = max(LEAST_OUTPUT, min(draft.request.max_output, most))
    if draft.request.stop:
        draft.dropped.append("stop")
    if draft.request.top_k is not None:
        draft.dropped.append("top_k")


def _sampling(draft: _Draft) -> None:
    for name, value in (("temperature", draft.request.temperature), ("top_p", draft.request.top_p)):
        if value is None:
            continue
        if draft.rules.sampling:
            draft.document[name] = value
        elif value != 1:  # what holds anyway
            draft.dropped.append(name)


def _reasoning(draft: _Draft) -> None:
    said, ladder = draft.request.reasoning, draft.rules.efforts
    wanted = effort.wanted(said)
    step = effort.clamped(wanted, ladder) if wanted is not None else None
    if step is None and wanted not in (None, Effort.NONE):
        draft.dropped.append("reasoning")
    asked = said.adaptive or bool(said.display) or (wanted is not None and wanted is not Effort.NONE)
    reasoning: dict[str, Any] = {"effort": step.value} if step is not None else {}
    summary = _DISPLAYS.get(said.display, "auto") if asked and ladder and step is not Effort.NONE else ""
    if summary and (said.display or draft.request.protocol != NAME):
        reasoning["summary"] = summary
    if reasoning:
        draft.document["reasoning"] = reasoning
    include = [one for one in draft.document.get("include", []) if one != ENCRYPTED]
    if ladder:
        # Nothing is stored: reasoning that is not handed over now is lost for the next turn.
        include.insert(0, ENCRYPTED)
    searches = any(isinstance(tool, HostedTool) and tool.kind == WEB_SEARCH for tool in draft.request.tools)
    if searches and draft.target.vendor != codex.VENDOR and SOURCES not in include:
        include.append(SOURCES)
    draft.put("include", include or None)


def _shape(draft: _Draft) -> None:
    text: dict[str, Any] = {}
    if draft.request.format is not None:
        text["format"] = _write_format(draft.request.format)
    if draft.request.verbosity:
        if draft.rules.verbosity:
            text["verbosity"] = draft.request.verbosity
        elif draft.request.verbosity != MIDDLING:
            draft.dropped.append("verbosity")
    draft.put("text", text or None)


def _identity(draft: _Draft) -> None:
    request = draft.request
    if request.user:
        # A name that another vendor's client made up is nobody else's business.
        known = request.protocol.startswith("openai") and len(request.user) <= LONGEST_KEY
        draft.document["safety_identifier"] = request.user if known else _digest(request.user)
    key = request.cache_key
    if not key and (request.protocol != NAME or draft.target.vendor == codex.VENDOR):
        key = _conversation_key(request)  # without one, turns of a conversation miss each other's cache
    draft.put("prompt_cache_key", key if len(key) <= LONGEST_KEY else _digest(key))
    if request.metadata and request.protocol.startswith("openai"):
        draft.document["metadata"] = dict(request.metadata)
    draft.put("service_tier", _TIERS.get(request.tier))


def _compaction(draft: _Draft) -> None:
    """Claude clients' wish that a long conversation be shortened by the vendor, where it is OpenAI's wish too."""
    management = draft.request.native.get("context_management")
    edits = management.get("edits") if isinstance(management, dict) else None
    if draft.request.protocol == NAME or draft.target.vendor != "openai" or not isinstance(edits, list):
        return
    for edit in edits:
        if isinstance(edit, dict) and str(edit.get("type")).startswith("compact_"):
            trigger = edit.get("trigger")
            most = json.count(trigger.get("value")) if isinstance(trigger, dict) else None
            limit = {"compact_threshold": most} if most else {}
            draft.document["context_management"] = [{"type": "compaction", **limit}]


def _delivery(draft: _Draft) -> None:
    draft.document["store"] = False
    draft.document["stream"] = draft.request.stream


_SECTIONS: Final[tuple[Write, ...]] = (
    _own,
    _conversation,
    _tools,
    _limits,
    _sampling,
    _reasoning,
    _shape,
    _identity,
    _compaction,
    _delivery,
)


# ── Values ────────────────────────────────────────────────────────────────────────────────────────


def _write_format(said: OutputFormat) -> dict[str, Any]:
    if said.kind is FormatKind.JSON_OBJECT:
        return {"type": "json_object"}
    written: dict[str, Any] = {
        "type": "json_schema",
        "name": _NAME.sub("_", said.name)[:64] or "answer",
        "schema": dict(said.schema or {"type": "object"}),
    }
    if said.strict is not None:
        written["strict"] = said.strict
    if said.description:
        written["description"] = said.description
    return written


def _conversation_key(request: GenerateRequest) -> str:
    """The same in every request of a conversation, and for no other: made from how it began.

    What the client marked to be cached begins it: with another marked prefix, nothing cached would fit. An
    attribution line, which changes with every request, belongs to nothing.
    """
    first = next((message for message in request.messages if message.role is Role.USER), None)
    opening = "\0".join(part.text for part in first.parts if isinstance(part, Text)) if first else ""
    marked = [place for place, text in enumerate(request.instructions) if text.cache is not None]
    prefix = request.instructions[: marked[-1] + 1] if marked else ()
    told = [text.text for text in prefix if not text.text.startswith(repairs.BILLING_MARK)]
    return _digest("\0".join((request.model, *told, opening)))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
