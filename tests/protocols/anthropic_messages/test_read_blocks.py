"""Content blocks of requests."""

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
from shunt.inference.envelope import wrap
from shunt.protocols.anthropic_messages.read_blocks import NAME, read_blocks, words_of

CACHED = {"type": "ephemeral", "ttl": "1h"}
CLAUDE = "EqQBCkYIBxgCIkA" + "abcdEFGH" * 4
SEAL = Seal("codex", SealForm.ENCRYPTED, "gAAAAB", "acc")
SEARCHED = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {
            "type": "web_search_result",
            "url": "https://e.org",
            "title": "T",
            "encrypted_content": "E",
            "page_age": None,
        }
    ],
}
FAILED = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"},
}
RAN = {
    "type": "code_execution_tool_result",
    "tool_use_id": "srvtoolu_2",
    "content": {
        "type": "code_execution_result",
        "stdout": "42\n",
        "stderr": "",
        "return_code": 0,
        "content": [],
    },
}
CALLED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}


def image(**source: Any) -> dict[str, Any]:
    return {"type": "image", "source": source}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "hi"}, Text("hi")),
        ({"type": "text", "text": "hi", "cache_control": CACHED}, Text("hi", cache=CacheMark("1h"))),
        (
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
            Text("hi", cache=CacheMark()),
        ),
        (
            image(type="base64", media_type="image/jpg", data="/9j/4AAQ"),
            Image(Media(Carriage.INLINE, "/9j/4AAQ", "image/jpeg")),
        ),
        (image(type="url", url="https://e.org/a.png"), Image(Media(Carriage.URL, "https://e.org/a.png"))),
        (image(type="file", file_id="file_1"), Image(Media(Carriage.FILE, "file_1", vendor="anthropic"))),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                "title": "a.pdf",
                "context": "c",
            },
            Document(
                Media(Carriage.INLINE, "JVBERi0=", "application/pdf"),
                title="a.pdf",
                context="c",
                filename="a.pdf",
            ),
        ),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
            Document(text="words"),
        ),
        (
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": "words"}]},
            },
            Document(parts=(Text("words"),)),
        ),
        (
            {
                "type": "search_result",
                "source": "s",
                "title": "t",
                "content": [{"type": "text", "text": "hit"}],
            },
            SearchResult("t", "s", (Text("hit"),)),
        ),
        (
            {"type": "thinking", "thinking": "hm", "signature": CLAUDE},
            Thinking("hm", Seal("anthropic", SealForm.SIGNATURE, CLAUDE)),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Thinking("hm")),
        ({"type": "thinking", "thinking": "hm", "signature": wrap(SEAL)}, Thinking("hm", SEAL)),
        ({"type": "redacted_thinking", "data": wrap(SEAL)}, Thinking("", SEAL)),
        (
            {"type": "redacted_thinking", "data": CLAUDE},
            Thinking("", Seal("anthropic", SealForm.REDACTED, CLAUDE)),
        ),
        (
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": "ä", "n": 1.0}},
            ToolCall("t1", "f", '{"x":"ä","n":1.0}'),
        ),
        ({"type": "tool_use", "id": "t1", "name": "f", "input": {}}, ToolCall("t1", "f", "{}")),
        ({"type": "tool_result", "tool_use_id": "t1"}, ToolResult("t1")),
        (
            {"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": True},
            ToolResult("t1", (Text("no"),), is_error=True),
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t1",
                "content": [
                    {"type": "text", "text": "see"},
                    image(type="url", url="u"),
                    {"type": "tool_reference", "tool_name": "late"},
                    {"type": "novel", "text": "new"},
                    {"type": "tool_use", "id": "no", "name": "no"},
                ],
            },
            ToolResult(
                "t1",
                (
                    Text("see"),
                    Image(Media(Carriage.URL, "u")),
                    ToolReference("late"),
                    Foreign(NAME, "novel", {"type": "novel", "text": "new"}, "[novel] new"),
                ),
            ),
        ),
        (CALLED, HostedCall("srvtoolu_1", "web_search", '{"query":"q"}', "completed", CALLED)),
        (
            SEARCHED,
            HostedResult(
                "srvtoolu_1", "web_search", (SearchHit("https://e.org", "T", "", "E"),), raw=SEARCHED
            ),
        ),
        (FAILED, HostedResult("srvtoolu_1", "web_search", error="unavailable", raw=FAILED)),
        (RAN, HostedResult("srvtoolu_2", "code_execution", text="42\n", raw=RAN)),
    ],
)
def test_every_kind_is_read(block: dict[str, Any], part: Part) -> None:
    """Each block becomes the part that means the same."""
    assert read_blocks([block], "c") == (part,)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "novel"}, "[novel]"),
        ({"type": "novel", "content": [{"text": "a"}, {"text": "b"}]}, "[novel] a\nb"),
        ({"type": "container_upload", "file_id": "f"}, ""),
        ({"type": "fallback"}, ""),
        (
            {"type": "mcp_tool_use", "server_name": "s", "name": "n", "input": {"x": 1}},
            '[s: n was called with {"x":1}]',
        ),
        ({"type": "mcp_tool_result", "content": "found"}, "[mcp_tool_result] found"),
        ({}, "[unknown]"),
    ],
)
def test_what_is_new_is_kept_whole_and_told(block: dict[str, Any], text: str) -> None:
    """A block nobody else has keeps its form for its own vendor, and its words for every other."""
    (part,) = read_blocks([block], "c")
    assert part == Foreign(NAME, block.get("type", "unknown"), block, text)


def test_content_may_be_a_string_or_nothing() -> None:
    """The short forms of content."""
    assert read_blocks("hi", "c") == (Text("hi"),)
    assert read_blocks(None, "c") == ()


def test_words_are_not_looked_for_for_ever() -> None:
    """Pictures hold no words, and nesting is followed only so far."""
    assert words_of({"type": "base64", "data": "aGk="}) == ""
    deep: Any = "deep"
    for _ in range(1000):
        deep = [deep]
    assert words_of(deep) == ""


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (5, "c"),
        (["text"], "c[0]"),
        ([{"type": "text", "text": 5}], "c[0].text"),
        ([{"type": "image"}], "c[0].source"),
        ([image(type="ftp")], "c[0].source.type"),
        ([image(type="url")], "c[0].source.url"),
        ([{"type": "tool_use", "name": "f"}], "c[0].id"),
        ([{"type": "tool_use", "id": "a"}], "c[0].name"),
        ([{"type": "tool_result"}], "c[0].tool_use_id"),
        (
            [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": 1}]}],
            "c[0].content[0].text",
        ),
    ],
)
def test_says_where_a_block_is_wrong(content: Any, place: str) -> None:
    """A block that cannot be understood is refused with its place in the body."""
    with pytest.raises(InvalidRequest, match=r"^`c") as caught:
        read_blocks(content, "c")
    assert caught.value.param == place
