"""What the simulated vendor says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.demo import words
from shunt.wire import sse

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "content", "text", "role"]) | st.text(max_size=4), inner, max_size=4
        )
    ),
)


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("Why?", "Why?"),
        ("two\n  lines", "two lines"),
        ([{"type": "text", "text": "a reminder"}, {"type": "text", "text": "Why?"}], "Why?"),
        ([{"type": "text", "text": "Why?"}, {"type": "image", "source": {}}], "Why?"),
        ([{"type": "tool_result", "content": "42"}], ""),
        ("x" * 99, "x" * 59 + "…"),
        (None, ""),
    ],
)
def test_last_question_is_what_the_person_typed(content: Any, question: str) -> None:
    """The newest text of the newest message, on one line, shortened."""
    older = {"role": "user", "content": "older"}
    assert words.last_question({"messages": [older, {"role": "user", "content": content}]}) == question


@given(documents)
def test_any_document_gets_an_answer(document: Any) -> None:
    """Whatever a client sends, the vendor finds words for it."""
    assert "".join(words.reply("coral", document)).startswith("This is coral")


def test_stream_tells_the_same_as_the_whole_message() -> None:
    """The pieces of a stream join to the text of the plain answer, inside the protocol's frame."""
    tokens = words.reply("coral", {"messages": [{"role": "user", "content": "hi"}]})
    raw = b"".join(words.events(1, "claude-opus-5-5", tokens, 7))
    events = [(event.name, json.loads(event.data or b"")) for event in sse.Decoder().feed(raw)]
    assert all(name == data["type"] for name, data in events)
    names = [name for name, _ in events]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    text = "".join(data["delta"]["text"] for name, data in events if name == "content_block_delta")
    whole = words.message(1, "claude-opus-5-5", tokens, 7)
    assert text == whole["content"][0]["text"]
    assert events[0][1]["message"]["usage"]["input_tokens"] == 7
    assert events[-2][1]["usage"]["output_tokens"] == whole["usage"]["output_tokens"] == len(tokens)
