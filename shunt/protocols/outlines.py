"""Reading the few facts of a request body that routing needs, the same way for every protocol.

A coding agent's body is 50 to 500 kB of tools and history; only the parts named here are ever built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final, TypeVar

from msgspec import Raw, Struct

from shunt.errors import InvalidRequest
from shunt.inference.inbound import Outline
from shunt.wire import json

T = TypeVar("T")
LONGEST_MODEL: Final = 1000
"""Characters of a model's name; vendors' own have fewer than a hundred."""


class Part(Struct):
    """One part of a message's content."""

    text: Raw = Raw()


class Message(Struct):
    """One message, or one item of a Responses input."""

    type: Raw = Raw()
    role: Raw = Raw()
    content: Raw = Raw()


class Tool(Struct):
    """One tool; Chat Completions puts the name one level deeper than the others."""

    name: Raw = Raw()
    type: Raw = Raw()
    function: Raw = Raw()
    custom: Raw = Raw()


def top_level(body: bytes, shape: type[T]) -> T:
    """Read the body's own fields. Raises InvalidRequest unless it is a JSON object."""
    if not body.strip():
        raise InvalidRequest("The body is empty; a JSON object is expected.")
    return json.decode(body, shape)


def required_text(field: Raw, name: str) -> str:
    """Read a field that must be a non-empty string."""
    value = json.peek(field, str)
    if value is None:
        raise InvalidRequest(_wrong(field, name, "a string"))
    if not value:
        raise InvalidRequest(f"`{name}` is empty.")
    return value


def model_name(field: Raw) -> str:
    """Read the model's name: patterns, price lists and logs go over it, so a body's worth of name is none."""
    name = required_text(field, "model")
    if len(name) > LONGEST_MODEL:
        raise InvalidRequest(f"`model` is longer than {LONGEST_MODEL:,} characters.")
    return name


def required_list(field: Raw, name: str) -> list[Raw]:
    """Read a field that must be an array; its items stay unread."""
    items = json.peek(field, list[Raw])
    if items is None:
        raise InvalidRequest(_wrong(field, name, "an array"))
    return items


def optional_text(field: Raw) -> str:
    """Read a string; empty for anything else."""
    return json.peek(field, str) or ""


def is_true(field: Raw) -> bool:
    """Whether the field is `true`, not merely something a lenient server might take for it."""
    return json.peek(field, bool) is True


def is_given(field: Raw) -> bool:
    """Whether the field is there and not null."""
    return json.kind(field) not in ("nothing", "null")


def texts(content: Raw) -> list[str]:
    """The text of a content field: a string, or the text parts of an array."""
    whole = json.peek(content, str)
    if whole is not None:
        return [whole]
    found = (json.peek(part, Part) for part in json.peek(content, list[Raw]) or ())
    return [text for part in found if part is not None and (text := optional_text(part.text))]


def opening(messages: list[Raw], name: str, leading: frozenset[str]) -> tuple[list[str], str]:
    """Texts of the `leading` roles before the first user message that has text, and that text.

    Raises InvalidRequest when a message on the way there is not an object.
    """
    before: list[str] = []
    for index, raw in enumerate(messages):
        message = json.decode(raw, Message, what=f"`{name}[{index}]`")
        role = optional_text(message.role)
        if role in leading:
            before += texts(message.content)
        elif role == "user" and (found := "\n".join(texts(message.content))):
            return before, found
    return before, ""


def tool_names(tools: Raw) -> list[str]:
    """Names of the offered tools; hosted tools without one go by their type."""
    names = []
    for raw in json.peek(tools, list[Raw]) or ():
        tool = json.peek(raw, Tool) or Tool()
        inner = json.peek(tool.function, Tool) or json.peek(tool.custom, Tool) or Tool()
        names.append(optional_text(tool.name) or optional_text(inner.name) or optional_text(tool.type))
    return names


def sketch(
    *,
    model: str,
    stream: bool,
    session: str,
    system: Iterable[str],
    first: str,
    tools: list[str],
    chained: bool,
) -> Outline:
    """Put the facts together; a conversation without any words has no fingerprint."""
    instructions = "\n".join(system)
    told = "\0".join((instructions, first, *sorted(tools)))
    return Outline(
        model=model,
        stream=stream,
        session=session,
        opening=_digest(first) if first else b"",
        fingerprint=_digest(told) if instructions or first else b"",
        chained=chained,
    )


def parts(items: Any) -> Iterator[dict[str, Any]]:
    """Every content part of messages or items, tool results included, as plain values."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield item
            yield from parts(item.get("content"))
            yield from parts(item.get("output"))


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "replace")).digest()


def _wrong(field: Raw, name: str, wanted: str) -> str:
    found = json.kind(field)
    return f"`{name}` is missing." if found == "nothing" else f"`{name}` must be {wanted}, got {found}."
