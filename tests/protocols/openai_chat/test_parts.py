"""Content parts of Chat requests, in the shapes of all three protocols."""

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
    Refusal,
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
from shunt.protocols.openai_chat.parts import cache_mark, read_content

PNG = "iVBORw0KGgoAAAANSUhEUg=="
PDF = "JVBERi0xLjQK"
SIGNATURE = "EqQBCkYIBxgCIkAabcdEFGH"
INLINE = Media(Carriage.INLINE, PNG, "image/png")
SEARCH_BLOCK = {
    "type": "web_search_tool_result",
    "tool_use_id": "srv",
    "content": [
        {"type": "web_search_result", "url": "https://example.org", "title": "T", "encrypted_content": "E"}
    ],
}

READ: list[tuple[Any, Any]] = [
    ("bare", Text("bare")),
    ({"type": "text", "text": "a"}, Text("a")),
    ({"text": "a"}, Text("a")),
    ({"type": "input_text", "text": "a"}, Text("a")),
    ({"type": "output_text", "text": "a", "annotations": []}, Text("a")),
    (
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        Text("a", cache=CacheMark("1h")),
    ),
    ({"type": "refusal", "refusal": "no"}, Refusal("no")),
    (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        Image(INLINE, "low"),
    ),
    ({"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"}, Image(INLINE)),
    (
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        Image(Media(Carriage.URL, "https://example.org/a.png")),
    ),
    (
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "high"},
        Image(INLINE, "high"),
    ),
    ({"type": "input_image", "file_id": "file-1"}, Image(Media(Carriage.FILE, "file-1", vendor="openai"))),
    ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}, Image(INLINE)),
    (
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a"}},
        Image(Media(Carriage.URL, "https://example.org/a")),
    ),
    (
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        Image(Media(Carriage.FILE, "file_1", vendor="anthropic")),
    ),
    (
        {"type": "file", "file": {"filename": "p.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        Document(Media(Carriage.INLINE, PDF, "application/pdf"), filename="p.pdf"),
    ),
    (
        {"type": "file", "file": {"filename": "n.txt", "file_data": "data:text/plain;base64,aGk="}},
        Document(text="hi", filename="n.txt"),
    ),
    (
        {"type": "file", "file": {"file_id": "file-1"}},
        Document(Media(Carriage.FILE, "file-1", vendor="openai")),
    ),
    (
        {"type": "input_file", "file_url": "https://example.org/p.pdf"},
        Document(Media(Carriage.URL, "https://example.org/p.pdf")),
    ),
    (
        {"type": "document", "source": {"type": "text", "data": "hi"}, "title": "T", "context": "C"},
        Document(text="hi", title="T", context="C"),
    ),
    (
        {"type": "document", "source": {"type": "content", "content": "hi"}},
        Document(parts=(Text("hi"),)),
    ),
    (
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
        Document(Media(Carriage.INLINE, PDF, "application/pdf")),
    ),
    (
        {"type": "search_result", "title": "T", "source": "S", "content": [{"type": "text", "text": "a"}]},
        SearchResult("T", "S", (Text("a"),)),
    ),
    (
        {"type": "thinking", "thinking": "hm", "signature": SIGNATURE},
        Thinking("hm", Seal("anthropic", SealForm.SIGNATURE, SIGNATURE)),
    ),
    ({"type": "thinking", "thinking": "hm"}, Thinking("hm")),
    (
        {"type": "redacted_thinking", "data": SIGNATURE},
        Thinking(seal=Seal("anthropic", SealForm.REDACTED, SIGNATURE)),
    ),
    ({"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}, ToolCall("t", "f", '{"x":1}')),
    (
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "text", "text": "a"}],
            "is_error": True,
        },
        ToolResult("t", (Text("a"),), is_error=True),
    ),
    ({"type": "tool_reference", "tool_name": "late"}, ToolReference("late")),
    (
        {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
        HostedCall(
            "srv",
            "web_search",
            raw={"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
        ),
    ),
    (
        SEARCH_BLOCK,
        HostedResult(
            "srv", "web_search", (SearchHit("https://example.org", "T", "", "E"),), raw=SEARCH_BLOCK
        ),
    ),
    (
        {"type": "video_url", "x": 1},
        Foreign("openai-chat", "video_url", {"type": "video_url", "x": 1}, "[video_url]"),
    ),
]


@pytest.mark.parametrize(("part", "wanted"), READ)
def test_part(part: Any, wanted: Any) -> None:
    """Each kind of part is read, whichever protocol's words it is in."""
    assert read_content([part], "c") == (wanted,)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [(None, ()), ("", ()), ("a", (Text("a"),)), ({"type": "text", "text": "a"}, (Text("a"),)), ([], ())],
)
def test_content(content: Any, wanted: Any) -> None:
    """Content may be missing, a string, or a list."""
    assert read_content(content, "c") == wanted


@pytest.mark.parametrize(
    "content",
    [
        7,
        [7],
        [{"type": 7}],
        [{}],
        [{"type": "text", "text": None}],
        [{"type": "image_url", "image_url": {}}],
        [{"type": "image_url", "image_url": {"url": "file:///x"}}],
        [{"type": "file", "file": {}}],
        [{"type": "image", "source": {}}],
        [{"type": "tool_use", "id": "t"}],
        [{"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}],
        [{"type": "tool_result", "tool_use_id": "t", "content": [7]}],
    ],
)
def test_malformed(content: Any) -> None:
    """What cannot be understood, or not be translated, is refused by its place."""
    with pytest.raises(InvalidRequest, match="`here") as caught:
        read_content(content, "here")
    assert caught.value.param.startswith("here")


def test_cache_mark() -> None:
    """Breakpoints are read in both vendors' words."""
    assert cache_mark({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}) == CacheMark("30m")
    assert cache_mark({"cache_control": {"type": "ephemeral"}}) == CacheMark()
    assert cache_mark({"cache_control": None}) is None
