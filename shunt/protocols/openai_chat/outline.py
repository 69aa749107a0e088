"""What routing needs to know of a Chat Completions request."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, Struct

from shunt.inference.inbound import Outline
from shunt.protocols import outlines
from shunt.wire import json

_LEADING: Final = frozenset({"system", "developer"})


class _Body(Struct):
    model: Raw = Raw()
    messages: Raw = Raw()
    input: Raw = Raw()
    instructions: Raw = Raw()
    tools: Raw = Raw()
    stream: Raw = Raw()
    prompt_cache_key: Raw = Raw()


def outline(body: bytes) -> Outline:
    """Facts about a decoded request body. Raises InvalidRequest when it is not a request."""
    fields = outlines.top_level(body, _Body)
    model = outlines.model_name(fields.model)
    system, first = _opening(fields)
    return outlines.sketch(
        model=model,
        stream=outlines.is_true(fields.stream),
        session=outlines.optional_text(fields.prompt_cache_key),
        system=system,
        first=first,
        tools=outlines.tool_names(fields.tools),
        chained=_is_chained(body, fields),
    )


def _opening(fields: _Body) -> tuple[list[str], str]:
    """The system texts and the user's first text; also of a Responses body, which some clients post here."""
    if outlines.is_given(fields.messages) or not outlines.is_given(fields.input):
        messages = outlines.required_list(fields.messages, "messages")
        return outlines.opening(messages, "messages", _LEADING)
    instructions = outlines.texts(fields.instructions)
    if words := json.peek(fields.input, str):
        return instructions, words
    system, first = outlines.opening(outlines.required_list(fields.input, "input"), "input", _LEADING)
    return [*instructions, *system], first


def _is_chained(body: bytes, fields: _Body) -> bool:
    """Whether an uploaded file is meant: it exists in one organisation only."""
    if b'"file_id"' not in body:
        return False
    files = (
        part.get("file") for part in outlines.parts(json.value(fields.messages)) if part.get("type") == "file"
    )
    return any(isinstance(file, dict) and file.get("file_id") for file in files)
