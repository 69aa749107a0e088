"""Answers of a vendor."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import UpstreamUnexpected
from shunt.inference.content import (
    Citation,
    Foreign,
    HostedCall,
    HostedResult,
    Part,
    Seal,
    SealForm,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.read_answer import (
    read_answer,
    read_citation,
    read_citations,
    read_part,
    sealed,
    word,
)

CITED = {
    "type": "web_search_result_location",
    "url": "u",
    "title": "t",
    "cited_text": "c",
    "encrypted_index": "E",
}
CALLED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "u", "title": "t", "encrypted_content": "E"}],
}


def answering(*blocks: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "model": "m",
        "content": list(blocks),
        "stop_reason": "end_turn",
        **fields,
    }


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "a"}, Text("a")),
        (
            {"type": "text", "text": "a", "citations": [CITED]},
            Text("a", (Citation("u", "t", "c", raw=CITED),)),
        ),
        ({"type": "text", "text": None, "citations": "no"}, Text("")),
        (
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            Thinking("hm", Seal("anthropic", SealForm.SIGNATURE, "sig")),
        ),
        ({"type": "thinking", "thinking": "hm"}, Thinking("hm")),
        (
            {"type": "redacted_thinking", "data": "d"},
            Thinking("", Seal("anthropic", SealForm.REDACTED, "d")),
        ),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}, ToolCall("t", "f", '{"x":1}')),
        (
            {"type": "tool_use", "name": "f", "input": None},
            ToolCall("toolu_a9a52fa53ccdbfbbe333256a", "f", "{}"),
        ),
        ({"type": "tool_use", "id": "t", "input": {}}, None),
        (CALLED, HostedCall("srvtoolu_1", "web_search", '{"query":"q"}', "completed", CALLED)),
        (FOUND, HostedResult("srvtoolu_1", "web_search", (SearchHit("u", "t", "", "E"),), raw=FOUND)),
        (
            {"type": "novel", "x": 1},
            Foreign("anthropic-messages", "novel", {"type": "novel", "x": 1}, "[novel]"),
        ),
    ],
)
def test_every_block_is_read(block: dict[str, Any], part: Part | None) -> None:
    """As far as it can be used; a call without id is given one that stays the same."""
    assert read_part(block, "msg_1", 0) == part


def test_a_whole_answer() -> None:
    """Parts, stop, usage and tier."""
    document = answering(
        {"type": "text", "text": "a"},
        "garbage",
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        stop_reason="tool_use",
        usage={"input_tokens": 3, "output_tokens": 5, "service_tier": "priority"},
    )
    assert read_answer(document) == Answer(
        "msg_1",
        "m",
        (Text("a"), ToolCall("t", "f")),
        Stop.TOOL_USE,
        Usage(input=3, output=5),
        tier="priority",
    )


@pytest.mark.parametrize(
    ("fields", "stop", "explanation", "unknown"),
    [
        ({"stop_reason": "refusal", "stop_details": {"explanation": "no"}}, Stop.REFUSAL, "no", ""),
        ({"stop_reason": "novel"}, Stop.END_TURN, "", "novel"),
        ({"stop_reason": None}, Stop.END_TURN, "", ""),
        ({"stop_reason": "tool_use"}, Stop.END_TURN, "", ""),
    ],
)
def test_why_it_stopped(fields: dict[str, Any], stop: Stop, explanation: str, unknown: str) -> None:
    """In our words, with the vendor's own where they are new."""
    answer = read_answer(answering({"type": "text", "text": "a"}, **fields))
    assert (answer.stop, answer.explanation, answer.unknown_stop) == (stop, explanation, unknown)


@pytest.mark.parametrize(
    "document",
    [{}, {"content": "hi"}, {"type": "error", "error": {"type": "api_error", "message": "Overloaded"}}],
)
def test_what_is_no_answer_is_said_so(document: dict[str, Any]) -> None:
    """A well-formed answer of the wrong kind is the upstream's fault."""
    with pytest.raises(UpstreamUnexpected):
        read_answer(document)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["text", "tool_use", "thinking"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "id", "name", "input", "content", "citations", "signature", "usage"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4), JSON)
def test_reads_anything(content: list[Any], usage: Any) -> None:
    """Whatever stands in the content, there is an answer."""
    assert isinstance(read_answer({"content": content, "usage": usage}), Answer)


def test_small_things() -> None:
    """Seals, citations and words of wrong types are nothing."""
    assert sealed(None, SealForm.REDACTED) is None
    assert sealed("", SealForm.REDACTED) is None
    assert read_citations([CITED, "x"]) == (Citation("u", "t", "c", raw=CITED),)
    page = {"type": "char_location", "document_title": "d", "cited_text": "c"}
    assert read_citation(page) == Citation("", "d", "c", raw=page)
    assert word(5) == ""


def test_no_two_calls_have_one_id() -> None:
    """A second call with the id of the first gets one of its own, as in a stream."""
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    found = read_answer({"content": [call, call], "stop_reason": "tool_use"})
    assert [part.id for part in found.parts if isinstance(part, ToolCall)] == ["t", "t_2"]
