"""What routing needs to know of a Responses request."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, Struct

from shunt.inference.inbound import Outline
from shunt.protocols import outlines
from shunt.wire import json

_LEADING: Final = frozenset({"system", "developer"})
_FILE_PARTS: Final = frozenset({"input_file", "input_image"})


class _Body(Struct):
    model: Raw = Raw()
    input: Raw = Raw()
    instructions: Raw = Raw()
    tools: Raw = Raw()
    stream: Raw = Raw()
    prompt_cache_key: Raw = Raw()
    previous_response_id: Raw = Raw()
    conversation: Raw = Raw()
    prompt: Raw = Raw()


def outline(body: bytes) -> Outline:
    """Facts about a decoded request body. Raises InvalidRequest when it is not a request."""
    fields = outlines.top_level(body, _Body)
    # A stored prompt may bring the model, and any stored state the input.
    stored = any(map(outlines.is_given, (fields.previous_response_id, fields.conversation, fields.prompt)))
    with_prompt = outlines.is_given(fields.prompt)
    model = "" if with_prompt and not outlines.is_given(fields.model) else outlines.model_name(fields.model)
    system: list[str] = []
    first = json.peek(fields.input, str)
    if first is None and not (stored and not outlines.is_given(fields.input)):
        items = outlines.required_list(fields.input, "input")
        system, first = outlines.opening(items, "input", _LEADING)
    return outlines.sketch(
        model=model,
        stream=outlines.is_true(fields.stream),
        session=outlines.optional_text(fields.prompt_cache_key),
        system=[*outlines.texts(fields.instructions), *system],
        first=first or "",
        tools=outlines.tool_names(fields.tools),
        chained=stored or _names_stored_items(body, fields),
    )


def _names_stored_items(body: bytes, fields: _Body) -> bool:
    """Whether uploaded files or stored items are meant: they exist in one organisation only."""
    if b'"file_id"' not in body and b'"item_reference"' not in body:
        return False
    return any(
        part.get("type") == "item_reference"
        or (part.get("type") in _FILE_PARTS and bool(part.get("file_id")))
        for part in outlines.parts(json.value(fields.input))
    )
