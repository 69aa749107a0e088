"""Content blocks for a vendor."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.content import (
    CacheMark,
    Carriage,
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Media,
    Part,
    Refusal,
    Role,
    Seal,
    SealForm,
    SearchHit,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from shunt.protocols.anthropic_messages.read_blocks import NAME, read_blocks
from shunt.protocols.anthropic_messages.write_blocks import BlockWriter

PNG = Media(Carriage.INLINE, "iVBORw0KGgo=", "image/png")
PDF = Media(Carriage.INLINE, "JVBERi0=", "application/pdf")
CALLED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def writing(part: Part, role: Role = Role.USER, *, images: bool = True) -> tuple[Any, list[str]]:
    dropped: list[str] = []
    (block,) = BlockWriter(frozenset({"late"}), images=images, dropped=dropped).message(role, (part,))
    return block, dropped


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Text("a", cache=CacheMark("1h")), text("a") | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}),
        (Refusal("no"), text("no")),
        (
            Image(PNG, "high"),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
            },
        ),
        (
            Image(Media(Carriage.INLINE, "iVBORw0KGgo=")),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
            },
        ),
        (Image(Media(Carriage.URL, "u")), {"type": "image", "source": {"type": "url", "url": "u"}}),
        (
            Image(Media(Carriage.FILE, "f", vendor="anthropic")),
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
        ),
        (
            Document(PDF, filename="a.pdf", context="c"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                "title": "a.pdf",
                "context": "c",
            },
        ),
        (
            Document(Media(Carriage.INLINE, "d29yZHM=", "text/csv")),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        ),
        (
            Document(text="words", title="t"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                "title": "t",
            },
        ),
        (
            Document(parts=(Text("w"),)),
            {"type": "document", "source": {"type": "content", "content": [text("w")]}},
        ),
        (Document(Media(Carriage.URL, "u")), {"type": "document", "source": {"type": "url", "url": "u"}}),
        (
            SearchResult("t", "s", (Text("hit"),)),
            {"type": "search_result", "source": "s", "title": "t", "content": [text("hit")]},
        ),
        (
            Thinking("hm", Seal("anthropic", SealForm.SIGNATURE, "sig")),
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
        ),
        (
            Thinking("", Seal("anthropic", SealForm.REDACTED, "data")),
            {"type": "redacted_thinking", "data": "data"},
        ),
        (ToolCall("c", "f", '{"x":1}'), {"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}}),
        (
            ToolCall("c", "f", "{broken"),
            {"type": "tool_use", "id": "c", "name": "f", "input": {"raw_arguments": "{broken"}},
        ),
        (ToolResult("c"), {"type": "tool_result", "tool_use_id": "c"}),
        (
            ToolResult("c", is_error=True, cache=CacheMark()),
            {
                "type": "tool_result",
                "tool_use_id": "c",
                "content": [text("The tool failed without saying why.")],
                "is_error": True,
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            ToolResult(
                "c", (Text("a"), Image(Media(Carriage.URL, "u")), ToolReference("late"), ToolReference("x"))
            ),
            {
                "type": "tool_result",
                "tool_use_id": "c",
                "content": [
                    text("a"),
                    {"type": "image", "source": {"type": "url", "url": "u"}},
                    {"type": "tool_reference", "tool_name": "late"},
                    text("Tool found: x"),
                ],
            },
        ),
        (HostedCall("srvtoolu_1", "web_search", raw=CALLED), CALLED),
        (
            HostedCall("ws_1", "web_search", '{"query":"q"}'),
            text('[web_search was called with {"query":"q"}]'),
        ),
        (
            HostedResult("ws_1", "web_search", (SearchHit("https://e.org", "T"),)),
            text("[web_search found]\n- T: https://e.org"),
        ),
        (Foreign(NAME, "novel", {"type": "novel", "x": 1}), {"type": "novel", "x": 1}),
    ],
)
def test_every_part_is_written(part: Part, block: dict[str, Any]) -> None:
    """Each part becomes the block that means the same."""
    assert writing(part) == (block, [])


@pytest.mark.parametrize(
    "block",
    [
        text("a"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "thinking", "thinking": "", "signature": "EqQBCkYIBxgCIkAabcd"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": [1, {"y": None}]}},
        {"type": "tool_result", "tool_use_id": "a", "content": [text("b")], "is_error": True},
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "d"},
            "title": "t",
        },
        CALLED,
    ],
)
def test_what_is_read_is_written_again(block: dict[str, Any]) -> None:
    """Blocks of this protocol survive the journey through the shared vocabulary."""
    (part,) = read_blocks([block], "c")
    assert writing(part) == (block, [])


@pytest.mark.parametrize(
    "media",
    [
        Media(Carriage.INLINE, "AAAA", "image/tiff"),
        Media(Carriage.INLINE, "AAAA"),
        Media(Carriage.FILE, "file-1", vendor="openai"),
    ],
)
def test_what_the_vendor_cannot_see_is_refused(media: Media) -> None:
    """Pictures and files of other kinds, or in another vendor's keeping, are an error and no silence."""
    for part in (Image(media), Document(media)):
        with pytest.raises(InvalidRequest):
            writing(part)


def test_a_picture_for_a_blind_model() -> None:
    """It is left out with a word in its place, and reported."""
    assert writing(Image(PNG), images=False) == (text("[image]"), ["image"])


def test_an_assistant_shows_no_pictures() -> None:
    """The vendor takes them from users only."""
    assert writing(Image(PNG), Role.ASSISTANT) == (text("[image]"), ["image"])
