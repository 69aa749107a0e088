"""A client's Responses request, in the words that all protocols share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Role, Text
from shunt.inference.request import (
    Effort,
    FormatKind,
    GenerateRequest,
    HostedTool,
    OutputFormat,
    Reasoning,
    Tool,
)
from shunt.protocols.fields import Fields, wrong
from shunt.protocols.openai_responses.content import NAME, read_content
from shunt.protocols.openai_responses.decode_items import History
from shunt.protocols.openai_responses.decode_tools import read_choice, read_tools

ENCRYPTED: Final = "reasoning.encrypted_content"

PREVIOUS: Final = (
    "The response {id} is not known to the account that answers here. Send the whole conversation in `input`."
)

_UNDERSTOOD: Final = frozenset(
    {
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "stream",
        "max_output_tokens",
        "temperature",
        "top_p",
        "reasoning",
        "text",
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "service_tier",
        "include",
        "store",
        "metadata",
        "previous_response_id",
        "conversation",
        "prompt",
        "background",
    }
)
"""Fields that are read here; all others are kept as the client's own."""

_HINTS: Final = frozenset(
    {
        "client_metadata",
        "stream_options",
        "prompt_cache_retention",
        "prompt_cache_options",
        "image",
    }
)
"""Fields whose loss changes nothing that a client could see."""

WORDS: Final = {
    "messages": "input",
    "max_output": "max_output_tokens",
    "reasoning": "reasoning.effort",
    "format": "text.format",
    "verbosity": "text.verbosity",
    "tier": "service_tier",
}
"""What fields of GenerateRequest are called here, where they have other names, for reports of what was left out."""

_SEARCHED: Final = (
    "web_search_call.",
    "file_search_call.",
    "code_interpreter_call.",
    "computer_call_output.",
    "message.input_image.",
)
"""Values of `include` that ask for more about what the vendor's tools did."""
_TIERS: Final = {"default": "standard"}
_LEADING: Final = frozenset({Role.SYSTEM, Role.DEVELOPER})


def decode_request(document: Mapping[str, Any]) -> GenerateRequest:
    """Read a request. Raises InvalidRequest, naming the field, for what cannot be understood or done."""
    _refuse_state(document)
    body = Fields(document)
    tools = read_tools(body.items("tools"), "tools")
    history = _history(document, tools)
    instructions, messages = _led(_instructions(document), history.messages())
    found = [read_tools(added, field) for added, field in history.tools]
    native, hints = _native(body, history.changed)
    text = body.object("text") or Fields({}, "text")
    return GenerateRequest(
        model=body.required_text("model"),
        protocol=NAME,
        instructions=instructions,
        messages=messages,
        tools=_merged((tools, *found)),
        tool_choice=read_choice(document.get("tool_choice")),
        parallel_tools=body.flag("parallel_tool_calls"),
        stream=body.flag("stream") is True,
        max_output=body.count("max_output_tokens"),
        temperature=body.number("temperature"),
        top_p=body.number("top_p"),
        reasoning=_reasoning(body),
        format=_format(text),
        verbosity=text.text("verbosity"),
        user=body.text("safety_identifier") or body.text("user"),
        cache_key=body.text("prompt_cache_key"),
        tier=_tier(body.text("service_tier")),
        include_encrypted=ENCRYPTED in body.items("include"),
        store=body.flag("store"),
        metadata=body.mapping("metadata") or {},
        native=native,
        hints=hints,
        words=WORDS,
    )


def _refuse_state(document: Mapping[str, Any]) -> None:
    """What only the vendor that holds the state could do."""
    if previous := document.get("previous_response_id"):
        raise InvalidRequest(
            PREVIOUS.format(id=str(previous)[:100]),
            code="previous_response_not_found",
            param="previous_response_id",
        )
    for name in ("conversation", "prompt"):
        if document.get(name):
            raise InvalidRequest(
                f"`{name}` is stored with the vendor; the account that answers here has no access to it.",
                param=name,
            )
    if document.get("background"):
        raise InvalidRequest(
            "`background` is not offered by the account that answers here.", param="background"
        )


def _history(document: Mapping[str, Any], tools: Iterable[Tool | HostedTool]) -> History:
    found = document.get("input")
    items = [found] if isinstance(found, (str, dict)) else found
    if items is None:
        raise InvalidRequest("`input` is missing.", param="input")
    if not isinstance(items, list):
        raise wrong("input", "a string or an array", items)
    history = History(frozenset(tool.name for tool in tools if isinstance(tool, Tool)))
    for place, item in enumerate(items):
        history.take(item, f"input[{place}]")
    return history


def _instructions(document: Mapping[str, Any]) -> tuple[Text, ...]:
    parts = read_content(document.get("instructions"), "instructions")
    return tuple(part for part in parts if isinstance(part, Text))


def _led(
    instructions: tuple[Text, ...], messages: tuple[Message, ...]
) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """Put the leading run of system and developer messages with the instructions."""
    count = 0
    for message in messages:
        texts = tuple(part for part in message.parts if isinstance(part, Text))
        if message.role not in _LEADING or len(texts) < len(message.parts):
            break
        instructions += texts
        count += 1
    return instructions, messages[count:]


def _merged(lists: Iterable[Iterable[Tool | HostedTool]]) -> tuple[Tool | HostedTool, ...]:
    """All tools, those that were found later after the request's own; each name once."""
    merged: list[Tool | HostedTool] = []
    seen: set[tuple[str, str]] = set()
    for tools in lists:
        for tool in tools:
            if isinstance(tool, Tool):
                if (tool.namespace, tool.name) in seen:
                    continue
                seen.add((tool.namespace, tool.name))
            merged.append(tool)
    return tuple(merged)


def _reasoning(body: Fields) -> Reasoning:
    said = body.object("reasoning") or Fields({})
    effort = said.text("effort")
    return Reasoning(
        Effort(effort) if effort in _EFFORTS else None,
        display=said.text("summary") or said.text("generate_summary"),
    )


def _format(text: Fields) -> OutputFormat | None:
    said = text.object("format") or Fields({})
    kind = said.text("type")
    if kind in ("", "text"):
        return None
    if kind not in _FORMATS:
        place = said.path("type")
        raise InvalidRequest(f"`{place}` must be text, json_object or json_schema.", param=place)
    return OutputFormat(
        FormatKind(kind),
        said.mapping("schema"),
        said.text("name"),
        said.flag("strict"),
        said.text("description"),
    )


_EFFORTS: Final = tuple(effort.value for effort in Effort)
_FORMATS: Final = frozenset(FormatKind)


def _tier(tier: str) -> str:
    return _TIERS.get(tier, tier)


def _native(body: Fields, changed: Iterable[str]) -> tuple[dict[str, Any], frozenset[str]]:
    """The fields that mean something here only, and which of them nobody will miss.

    Values that say what holds anyway are left out. Places in the input that were understood only in
    part are named among them, so that they are reported like a field that is dropped.
    """
    native = {
        name: value
        for name, value in body.document.items()
        if name not in _UNDERSTOOD and value is not None and value is not False
    }
    hints = set(_HINTS)
    if native.get("truncation") == "disabled":
        hints.add("truncation")
    if native.get("top_logprobs") == 0:
        hints.add("top_logprobs")
    included = [one for one in body.items("include") if one != ENCRYPTED]
    if included:
        native["include"] = included
        if all(isinstance(one, str) and one.startswith(_SEARCHED) for one in included):
            hints.add("include")
    said = body.mapping("reasoning") or {}
    native |= {f"reasoning.{name}": said[name] for name in ("context", "mode") if said.get(name)}
    if said.get("effort") not in (None, *_EFFORTS):  # a step that is new to us is left to the model
        native["reasoning.effort"] = said["effort"]
    native |= dict.fromkeys(changed, True)
    return native, frozenset(hints)
