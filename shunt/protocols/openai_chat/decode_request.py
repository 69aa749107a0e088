"""A Chat Completions request, read into the shared vocabulary.

Fields fall into four groups. Those with a meaning everywhere become fields of GenerateRequest. Those that
only Chat has are kept in `native`: a Chat upstream gets them, any other reports them as dropped. Hints may
be dropped without a word. What changes the meaning and cannot be translated is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference.content import Text
from shunt.inference.request import (
    Effort,
    FormatKind,
    GenerateRequest,
    HostedTool,
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
)
from shunt.protocols.fields import Fields
from shunt.protocols.openai_chat import responses_shape
from shunt.protocols.openai_chat.decode_messages import decode_messages
from shunt.protocols.openai_chat.decode_tools import decode_choice, decode_function_choice, decode_tools
from shunt.protocols.openai_chat.parts import PROTOCOL, read_content
from shunt.wire import json

_KNOWN: Final = frozenset(
    (
        *("model", "messages", "system", "stream", "stream_options", "max_completion_tokens", "max_tokens"),
        *(
            "temperature",
            "top_p",
            "top_k",
            "stop",
            "stop_sequences",
            "reasoning_effort",
            "reasoning",
            "thinking",
        ),
        *("response_format", "verbosity", "safety_identifier", "user", "prompt_cache_key", "service_tier"),
        *("store", "metadata", "tools", "functions", "web_search_options", "tool_choice", "function_call"),
        *("parallel_tool_calls", "audio", "background", "previous_response_id"),
    )
)
"""Fields with a place in GenerateRequest."""
_HINTS: Final = frozenset({"prompt_cache_options", "prompt_cache_retention", "include"})
"""Fields that may be left out without a report."""
_REASONING: Final = ("reasoning_effort", "reasoning", "thinking")
"""Where an effort may be asked for; the first that is there counts."""
WORDS: Final = {"max_output": "max_completion_tokens", "format": "response_format", "tier": "service_tier"}
"""What fields of GenerateRequest are called here, where they have other names, for reports of what was left out."""
_NEUTRAL: Final[dict[str, Any]] = {"n": 1, "modalities": ["text"], "truncation": "disabled"}
"""Values that say nothing, beside those that are false or empty."""
_EFFORTS: Final = {effort.value: effort for effort in Effort}


def decode_request(body: Mapping[str, Any]) -> GenerateRequest:
    """Read a request. Raises InvalidRequest, naming the field, for what cannot be understood."""
    try:
        return _decoded(body)
    except RecursionError as error:
        raise InvalidRequest("The body is nested too deeply.") from error


def _decoded(body: Mapping[str, Any]) -> GenerateRequest:
    fields = Fields(responses_shape.as_chat(body) if responses_shape.is_responses(body) else body)
    _refuse(fields)
    if fields.document.get("messages") is None:
        raise InvalidRequest("`messages` is missing.", param="messages")
    instructions, conversation = decode_messages(fields.items("messages"))
    tools, legacy = _tools(fields)
    choice, parallel = _choice(fields)
    native = _native(fields.document)
    return GenerateRequest(
        model=fields.required_text("model"),
        protocol=PROTOCOL,
        instructions=(*_system(fields), *instructions),
        messages=conversation,
        tools=tools,
        tool_choice=choice,
        # Whoever speaks of functions can be told of one call at a time.
        parallel_tools=False if legacy else parallel,
        stream=fields.flag("stream") or False,
        max_output=_first(fields.count("max_completion_tokens"), fields.count("max_tokens")),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.count("top_k"),
        stop=(*_stop(fields, "stop"), *_stop(fields, "stop_sequences")),
        reasoning=_reasoning(fields),
        format=_format(fields),
        verbosity=fields.text("verbosity"),
        user=fields.text("safety_identifier") or fields.text("user"),
        cache_key=fields.text("prompt_cache_key"),
        tier=fields.text("service_tier"),
        include_usage=(fields.mapping("stream_options") or {}).get("include_usage") is True,
        store=fields.flag("store"),
        previous=fields.text("previous_response_id"),
        metadata=fields.mapping("metadata") or {},
        legacy_functions=legacy,
        native=native,
        hints=_HINTS & native.keys(),
        words=WORDS | {"reasoning": next(filter(fields.document.get, _REASONING), _REASONING[0])},
    )


def _refuse(fields: Fields) -> None:
    """Refuse what no other vendor can do, and what would be a different answer without it."""
    if (n := fields.count("n")) not in (None, 1):
        raise InvalidRequest(f"`n` is {n}: only one answer can be translated.", param="n")
    if fields.document.get("audio") is not None or "audio" in fields.items("modalities"):
        raise InvalidRequest("`modalities` asks for audio, which cannot be translated.", param="modalities")
    if fields.document.get("background") is True:
        raise InvalidRequest("`background` answers cannot be translated.", param="background")


def _native(document: Mapping[str, Any]) -> dict[str, Any]:
    """Fields without a place in the shared vocabulary, as far as they say anything."""
    native = {
        name: value
        for name, value in document.items()
        if name not in _KNOWN and value not in (None, False, 0, "", [], {}) and _NEUTRAL.get(name) != value
    }
    # Where a value is none we know, it is for the server that knows it.
    if document.get("reasoning_effort") not in (None, *_EFFORTS):
        native["reasoning_effort"] = document["reasoning_effort"]
    if (form := document.get("response_format")) and not _is_known_format(form):
        native["response_format"] = form
    return native


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _system(fields: Fields) -> tuple[Text, ...]:
    """Anthropic's own place for the system text."""
    found = read_content(fields.document.get("system"), "system")
    return tuple(part for part in found if isinstance(part, Text))


def _tools(fields: Fields) -> tuple[tuple[Tool | HostedTool, ...], bool]:
    """The tools, and whether they came as functions."""
    legacy = bool(fields.items("functions")) and not fields.items("tools")
    name = "functions" if legacy else "tools"
    found = decode_tools(fields.items(name), name)
    search = fields.mapping("web_search_options")
    return (found if search is None else (*found, _search(search))), legacy


def _search(options: Mapping[str, Any]) -> HostedTool:
    """Chat switches web search on with an object of its own."""
    location = options.get("user_location")
    place = location.get("approximate") if isinstance(location, dict) else None
    return HostedTool(
        kind="web_search",
        type="web_search_options",
        user_location={"type": "approximate", **place} if isinstance(place, dict) else None,
        raw=options,
    )


def _choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    """The choice of tools, and whether several may be called at once."""
    choice, function = fields.document.get("tool_choice"), fields.document.get("function_call")
    said = fields.flag("parallel_tool_calls")
    if choice is not None:
        read, parallel = decode_choice(choice)
        return read, parallel if said is None else said
    return (decode_function_choice(function) if function is not None else None), said


def _stop(fields: Fields, name: str) -> tuple[str, ...]:
    stop = fields.document.get(name)
    return (stop,) if isinstance(stop, str) else fields.texts(name)


def _reasoning(fields: Fields) -> Reasoning:
    """Chat's `reasoning_effort`, or OpenRouter's `reasoning`, or Anthropic's `thinking`."""
    effort = fields.document.get("reasoning_effort")
    if isinstance(effort, str) and effort in _EFFORTS:
        return Reasoning(_EFFORTS[effort])
    if reasoning := fields.mapping("reasoning"):
        named = (
            Effort.NONE if reasoning.get("enabled") is False else _EFFORTS.get(str(reasoning.get("effort")))
        )
        return Reasoning(named, json.count(reasoning.get("max_tokens")))
    if thinking := fields.mapping("thinking"):
        if thinking.get("type") == "disabled":
            return Reasoning(Effort.NONE)
        budget = json.count(thinking.get("budget_tokens"))
        return Reasoning(budget=budget, adaptive=budget is None)
    return Reasoning()


def _is_known_format(form: Any) -> bool:
    return isinstance(form, dict) and form.get("type") in ("text", "json_object", "json_schema")


def _format(fields: Fields) -> OutputFormat | None:
    """`response_format`, nested as Chat writes it or flat as Responses does."""
    form = fields.mapping("response_format")
    if form is None or not _is_known_format(form) or form["type"] == "text":
        return None
    if form["type"] == "json_object":
        return OutputFormat(FormatKind.JSON_OBJECT)
    facts = Fields(form, "response_format").object("json_schema") or Fields(form, "response_format")
    schema = facts.mapping("schema")
    if schema is None:
        raise InvalidRequest("`response_format` holds no schema.", param="response_format")
    return OutputFormat(
        FormatKind.JSON_SCHEMA, schema, facts.text("name"), facts.flag("strict"), facts.text("description")
    )
