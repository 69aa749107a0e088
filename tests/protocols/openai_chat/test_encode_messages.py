"""Conversations as Chat messages."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference import telling
from shunt.inference.content import (
    Carriage,
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Media,
    Message,
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
from shunt.protocols.openai_chat.encode_messages import MessageWriter
from tests.protocols.openai_chat.targets import OPENAI, SERVER, target

PDF = Media(Carriage.INLINE, "JVBERi0x", "application/pdf")
PNG = Media(Carriage.INLINE, "AAAA", "image/png")
PICTURE = Image(PNG)
PICTURE_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CALL = ToolCall("c1", "f", '{"x":1}')
CALL_ENTRY = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}


def user(*parts: Any, to: Any = OPENAI, name: str = "") -> list[dict[str, Any]]:
    return list(MessageWriter(to).messages([Message(Role.USER, parts, name=name)]))


def assistant(*messages: tuple[Any, ...], to: Any = OPENAI) -> Any:
    (message,) = MessageWriter(to).messages([Message(Role.ASSISTANT, parts) for parts in messages])
    assert message.pop("role") == "assistant"
    return message


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


# ── System ────────────────────────────────────────────────────────────────────────────────────────


def test_system() -> None:
    """One message: parts for OpenAI, under the name its reasoning models use; one text for other servers."""
    texts = (Text("S1"), Text("S2"))
    assert list(MessageWriter(OPENAI).system(texts)) == [
        {"role": "developer", "content": [text("S1"), text("S2")]}
    ]
    assert list(MessageWriter(SERVER).system(texts)) == [{"role": "system", "content": "S1\n\nS2"}]
    assert list(MessageWriter(target("gpt-4o", "openai")).system(texts[:1])) == [
        {"role": "system", "content": "S1"}
    ]
    assert list(MessageWriter(OPENAI).system(())) == []


def test_late_system() -> None:
    """System messages within the conversation stay where they are."""
    messages = [
        Message(Role.USER, (Text("one"),)),
        Message(Role.SYSTEM, (Text("LATE"),)),
        Message(Role.DEVELOPER, (Text("LATER"),)),
    ]
    assert [m["role"] for m in MessageWriter(OPENAI).messages(messages)] == ["user", "system", "developer"]
    assert [m["role"] for m in MessageWriter(SERVER).messages(messages)] == ["user", "system", "system"]


# ── The user ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (PICTURE, PICTURE_PART),
        (
            Image(Media(Carriage.URL, "https://example.org/a.png"), "low"),
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
        ),
        (
            Document(PDF, title="paper"),
            {
                "type": "file",
                "file": {"filename": "paper.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"},
            },
        ),
        (
            Document(evolve(PDF, media_type="application/zip"), filename="a.zip"),
            {
                "type": "file",
                "file": {"filename": "a.zip", "file_data": "data:application/zip;base64,JVBERi0x"},
            },
        ),
        (
            Document(Media(Carriage.FILE, "file-1", vendor="openai")),
            {"type": "file", "file": {"file_id": "file-1"}},
        ),
        (Document(text="words", title="n.txt"), text("Document: n.txt\n\nwords")),
        (SearchResult("T", "S", (Text("a"),)), text("Search result: T\nSource: S\n\na")),
        (
            Foreign("openai-chat", "video_url", {"type": "video_url", "video_url": {}}),
            {"type": "video_url", "video_url": {}},
        ),
    ],
)
def test_parts(part: Any, wanted: dict[str, Any]) -> None:
    """Each kind of part has its form; text stands beside it."""
    assert user(part, Text("?")) == [{"role": "user", "content": [wanted, text("?")]}]


def test_document_of_parts() -> None:
    """A document of texts and images keeps both; its context is told."""
    (message,) = user(Document(parts=(Text("a"), PICTURE), title="T"), Document(PDF, context="C"))
    assert [p["type"] for p in message["content"]] == ["text", "image_url", "text", "file"]
    assert message["content"][2] == text("Context: C")


def test_text_only() -> None:
    """Text alone is a string; several are parts for OpenAI and one string for other servers."""
    assert user(Text("a"))[0]["content"] == "a"
    assert user(Text("a"), Text("b"))[0]["content"] == [text("a"), text("b")]
    assert user(Text("a"), Text("b"), to=SERVER)[0]["content"] == "a\n\nb"


def test_name() -> None:
    """OpenAI is told participants' names."""
    assert user(Text("a"), name="ann")[0]["name"] == "ann"
    assert "name" not in user(Text("a"), name="ann", to=SERVER)[0]


def test_no_eyes() -> None:
    """A model without eyes is told that there was an image."""
    writer = MessageWriter(target("gpt-3.5-turbo", "openai"))
    (message,) = writer.messages([Message(Role.USER, (PICTURE,))])
    assert message["content"] == telling.IMAGE
    assert writer.dropped == ["image"]


@pytest.mark.parametrize(
    "part",
    [
        Image(Media(Carriage.FILE, "file-1", vendor="openai")),
        Document(Media(Carriage.FILE, "file_1", vendor="anthropic")),
        Document(Media(Carriage.URL, "https://example.org/p.pdf")),
    ],
)
def test_unreachable(part: Any) -> None:
    """Files that the server cannot reach are refused: without them the question is another."""
    with pytest.raises(InvalidRequest):
        user(part)


# ── Results ───────────────────────────────────────────────────────────────────────────────────────


def test_results_come_first() -> None:
    """Results stand directly behind the calls, the user's words after them."""
    got = user(Text("note"), ToolResult("c1", (Text("r1"),)), ToolResult("c2", (Text("r2"),)))
    assert got == [
        {"role": "tool", "tool_call_id": "c1", "content": "r1"},
        {"role": "tool", "tool_call_id": "c2", "content": "r2"},
        {"role": "user", "content": "note"},
    ]


def test_images_of_results() -> None:
    """Images of results follow the last tool message, in one user message."""
    got = user(ToolResult("c1", (Text("see"), PICTURE)), ToolResult("c2", (Document(PDF),)), Text("go on"))
    assert [m["role"] for m in got] == ["tool", "tool", "user", "user"]
    assert got[0]["content"] == f"see\n{telling.ATTACHED}"
    assert got[1]["content"] == telling.ATTACHED
    assert [p["type"] for p in got[2]["content"]] == ["text", "image_url", "text", "file"]
    assert "c1" in got[2]["content"][0]["text"]


def test_result_texts() -> None:
    """A result's texts are text, not JSON; errors and references say what they are."""
    got = user(
        ToolResult("c1", (Text("alpha"), Text("beta"))),
        ToolResult("c2", (Text("no such file"),), is_error=True),
        ToolResult("c3", (ToolReference("late_a"), ToolReference("late_b"))),
        ToolResult("c4"),
    )
    assert [m["content"] for m in got] == [
        "alpha\nbeta",
        "Error: no such file",
        "Tools found: late_a, late_b",
        "",
    ]


# ── The assistant ─────────────────────────────────────────────────────────────────────────────────


def test_turn() -> None:
    """A run of the assistant's messages is one, with all its calls."""
    got = assistant((Text("one"),), (Text("two"), CALL), (evolve(CALL, id="c2"),))
    assert got == {"content": "one\n\ntwo", "tool_calls": [CALL_ENTRY, {**CALL_ENTRY, "id": "c2"}]}


def test_pieces_of_a_text() -> None:
    """Texts that directly follow each other are pieces of one; others are set apart."""
    assert assistant((Text("Cats "), Text("purr."), Thinking("hm"), Text("Dogs bark."))) == {
        "content": "Cats purr.\n\nDogs bark."
    }


def test_calls_without_words() -> None:
    """Content is null beside calls alone."""
    assert assistant((CALL,)) == {"content": None, "tool_calls": [CALL_ENTRY]}


def test_custom_call() -> None:
    """A custom call keeps its type."""
    got = assistant((ToolCall("c1", "p", "*** Begin", custom=True),))
    assert got["tool_calls"] == [
        {"id": "c1", "type": "custom", "custom": {"name": "p", "input": "*** Begin"}}
    ]


def test_broken_arguments() -> None:
    """OpenAI gets the model's own mistake; servers that parse arguments get it within an object."""
    broken = evolve(CALL, arguments='{"x": nope')
    assert assistant((broken,))["tool_calls"][0]["function"]["arguments"] == '{"x": nope'
    arguments = assistant((broken,), to=SERVER)["tool_calls"][0]["function"]["arguments"]
    assert arguments == '{"raw_arguments":"{\\"x\\": nope"}'


def test_refusal() -> None:
    """A refusal has its field at OpenAI, and is words elsewhere."""
    assert assistant((Refusal("no"),)) == {"content": None, "refusal": "no"}
    assert assistant((Text("I"), Refusal("no")), to=SERVER) == {"content": "I\n\nno"}


def test_reasoning() -> None:
    """Reasoning goes back to the server that made it, and to no other."""
    own = Thinking("hm", Seal("api.example.org", SealForm.PLAIN, '{"field":"reasoning_content"}'))
    assert assistant((own, Text("a")), to=SERVER) == {"content": "a", "reasoning_content": "hm"}
    assert assistant((own, Text("a"))) == {"content": "a"}


def test_sealed_calls() -> None:
    """What a server seals in its calls goes back with them."""
    seal = Seal("api.example.org", SealForm.PLAIN, '{"calls":{"c1":{"google":{"thought_signature":"SIG"}}}}')
    (entry,) = assistant((Thinking(seal=seal), CALL), to=SERVER)["tool_calls"]
    assert entry == {**CALL_ENTRY, "extra_content": {"google": {"thought_signature": "SIG"}}}


def test_hosted() -> None:
    """What a vendor's own tool did is told in words, and reported."""
    writer = MessageWriter(OPENAI)
    parts = (
        HostedCall("srv", "web_search", '{"query":"q"}'),
        HostedResult("srv", "web_search", (SearchHit("https://example.org", "T"),)),
        Text("found it"),
    )
    (message,) = writer.messages([Message(Role.ASSISTANT, parts)])
    assert "https://example.org" in message["content"]
    assert message["content"].endswith("\n\nfound it")
    assert writer.dropped == ["web_search", "web_search"]


def test_nothing_to_say() -> None:
    """A turn that holds nothing for this server is no message."""
    foreign = Thinking("hm", Seal("elsewhere", SealForm.PLAIN, '{"field":"reasoning"}'))
    assert list(MessageWriter(OPENAI).messages([Message(Role.ASSISTANT, (foreign,))])) == []
