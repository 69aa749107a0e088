"""Answers as Responses clients see them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from shunt.errors import Kind
from shunt.inference import envelope
from shunt.inference.content import (
    Citation,
    Foreign,
    HostedCall,
    HostedResult,
    Refusal,
    Seal,
    SealForm,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.events import (
    ArgumentsDelta,
    Event,
    Failed,
    Finished,
    PartFinished,
    PartStarted,
    Ping,
    Started,
    Stopped,
    TextDelta,
)
from shunt.inference.failure import Failure
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_responses.stream_encoder import ResponsesStreamEncoder, encode_answer
from tests.inference import grammar
from tests.protocols.openai_responses.client import Client, helper, read

SEAL = Seal("anthropic", SealForm.SIGNATURE, "EqQBCkYIBxgC", "acc-1")


def request(**changes: Any) -> GenerateRequest:
    facts: dict[str, Any] = {
        "model": "claude-asked",
        "protocol": "openai-responses",
        "include_encrypted": True,
    }
    return GenerateRequest(**facts | changes)


def stream(events: list[Event], asked: GenerateRequest | None = None) -> bytes:
    encoder = ResponsesStreamEncoder(asked or request(), "req_0123")
    return b"".join(encoder.feed(event) for event in events)


def answer(*parts: Any, stop: Stop = Stop.END_TURN, **changes: Any) -> Answer:
    return Answer("msg_up", "claude-up", parts, stop, Usage(10, 5, 2, 0, 7, 3), **changes)


def told(*parts: Any, asked: GenerateRequest | None = None, **changes: Any) -> Client:
    return read(stream(replay(answer(*parts, **changes)), asked))


# ── Whole cycles ──────────────────────────────────────────────────────────────────────────────────


def test_a_text_has_its_full_cycle() -> None:
    """Added, part, deltas, done, completed; the model is the one that was asked for."""
    seen = told(Text("hello"))
    assert seen.names == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert seen.response["model"] == "claude-asked"
    assert seen.response["id"] == "resp_0123"
    assert seen.response["usage"] == {
        "input_tokens": 17,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 24,
    }


def test_thinking_is_a_summary_with_its_proof() -> None:
    """The envelope stands where the client keeps and echoes it."""
    seen = told(Thinking("hm", SEAL), Text("so"))
    reasoning, message = seen.items
    assert reasoning["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert envelope.unwrap(reasoning["encrypted_content"]) == SEAL
    assert message["content"][0]["text"] == "so"


def test_reasoning_is_proven_only_to_those_who_ask() -> None:
    """Others could not keep it; without words nothing is left to show."""
    quiet = request(include_encrypted=False)
    assert "encrypted_content" not in told(Thinking("hm", SEAL), asked=quiet).items[0]
    assert told(Thinking("", SEAL), asked=quiet).items == []
    assert told(Thinking("", SEAL)).items[0]["summary"] == []


def test_reasoning_of_this_very_protocol_needs_no_envelope() -> None:
    """A seal that says no origin came in the same field."""
    seal = Seal("", SealForm.ENCRYPTED, "gAAAAABo")
    assert told(Thinking("hm", seal)).items[0]["encrypted_content"] == "gAAAAABo"


def test_calls_come_as_they_were_made() -> None:
    """Arguments as text, each call an item with an index of its own."""
    seen = told(ToolCall("call_a", "f", '{"x":1}'), ToolCall("call_b", "g", "{}"), stop=Stop.TOOL_USE)
    assert [(item["call_id"], item["name"], item["arguments"]) for item in seen.items] == [
        ("call_a", "f", '{"x":1}'),
        ("call_b", "g", "{}"),
    ]
    assert seen.response["status"] == "completed"


def test_texts_in_a_row_are_parts_of_one_message() -> None:
    """A text after a call begins another."""
    seen = told(Text("a"), Text("b"), ToolCall("call_a", "f"), Text("c"), stop=Stop.TOOL_USE)
    assert [item["type"] for item in seen.items] == ["message", "function_call", "message"]
    assert [part["text"] for part in seen.items[0]["content"]] == ["a", "b"]


def test_calls_may_overlap() -> None:
    """Some vendors interleave the arguments of parallel calls."""
    a, b = ToolCall("call_a", "f", '{"a":1}'), ToolCall("call_b", "g", '{"b":2}')
    events: list[Event] = [
        Started("r", "m"),
        PartStarted(0, ToolCall("call_a", "f", "")),
        PartStarted(1, ToolCall("call_b", "g", "")),
        ArgumentsDelta(0, '{"a"'),
        ArgumentsDelta(1, '{"b"'),
        ArgumentsDelta(0, ":1}"),
        PartFinished(0, a),
        ArgumentsDelta(1, ":2}"),
        PartFinished(1, b),
        Stopped(Stop.TOOL_USE, Usage()),
        Finished(),
    ]
    seen = read(stream(events))
    assert [item["arguments"] for item in seen.items] == ['{"a":1}', '{"b":2}']


def test_what_arrives_is_passed_on_at_once() -> None:
    """A file that is written is seen growing."""
    encoder = ResponsesStreamEncoder(request(), "req_1")
    for event in (Started("r", "m"), PartStarted(0, ToolCall("c", "write", ""))):
        encoder.feed(event)
    assert b"BBBB" in encoder.feed(ArgumentsDelta(0, "BBBB"))
    encoder.feed(PartStarted(1, Text("")))
    assert b"hello" in encoder.feed(TextDelta(1, "hello"))


def test_an_empty_answer_completes() -> None:
    """Without any item; empty texts are not shown."""
    assert told().items == []
    assert told(Text(""), Refusal(""), Thinking("")).items == []


def test_ids_of_calls_are_told_apart() -> None:
    """Helpers take two items of one id for one; a missing id is made up."""
    seen = told(*(ToolCall(call_id, "f") for call_id in ("call_a", "call_a", "")), stop=Stop.TOOL_USE)
    ids = [item["call_id"] for item in seen.items]
    assert ids[0] == "call_a"
    assert len(set(ids)) == 3
    assert all(ids)


def test_citations_are_annotations() -> None:
    """Those that do not say where stand for the whole text; places count code points."""
    citations = (
        Citation("https://e.example/a", "A"),
        Citation("https://e.example/b", "B", start=1, end=2),
        Citation(),
    )
    seen = told(Text("é😀", citations))
    assert seen.items[0]["content"][0]["annotations"] == [
        {
            "type": "url_citation",
            "start_index": 0,
            "end_index": 2,
            "url": "https://e.example/a",
            "title": "A",
        },
        {
            "type": "url_citation",
            "start_index": 1,
            "end_index": 2,
            "url": "https://e.example/b",
            "title": "B",
        },
    ]
    assert seen.names.count("response.output_text.annotation.added") == 2


def test_a_search_shows_what_it_found() -> None:
    """In every stage, with the pages."""
    seen = told(
        HostedCall("srv_1", "web_search", '{"query":"cats"}'),
        HostedResult("srv_1", "web_search", (SearchHit("https://e.example/a", "A"),)),
        Text("purr"),
    )
    search = seen.items[0]
    assert (search["type"], search["status"]) == ("web_search_call", "completed")
    assert search["action"]["query"] == "cats"
    assert search["action"]["sources"] == [{"type": "url", "url": "https://e.example/a"}]
    assert [name for name in seen.names if "web_search" in name] == [
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
    ]


def test_what_cannot_be_said_is_reported() -> None:
    """Other vendors' tools have no item here."""
    encoder = ResponsesStreamEncoder(request(), "req_1")
    parts = (HostedCall("x", "code_execution"), Foreign("anthropic-messages", "container_upload", {}))
    read(b"".join(encoder.feed(event) for event in replay(answer(*parts, Text("ok")))))
    assert list(encoder.dropped) == ["code_execution", "container_upload"]


def test_items_of_this_protocol_pass_whole() -> None:
    """When the vendor speaks it too."""
    raw = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk="}
    assert told(Foreign("openai-responses", "image_generation_call", raw)).items == [raw]


# ── The client's own terms ────────────────────────────────────────────────────────────────────────


def test_custom_tools_get_their_text() -> None:
    """For the upstream it was wrapped in JSON."""
    asked = request(tools=(Tool("apply_patch", custom=True),))
    seen = told(
        ToolCall("call_a", "apply_patch", '{"input":"*** Begin\\n\\"é\\""}'), asked=asked, stop=Stop.TOOL_USE
    )
    assert (seen.items[0]["type"], seen.items[0]["input"]) == ("custom_tool_call", '*** Begin\n"é"')
    assert "response.custom_tool_call_input.delta" in seen.names
    assert not any("function_call_arguments" in name for name in seen.names)


def test_namespaces_are_restored() -> None:
    """The upstream knew the tool by one joined name."""
    asked = request(tools=(Tool("read", namespace="mcp_fs"),))
    item = told(ToolCall("call_a", "mcp_fs__read"), asked=asked, stop=Stop.TOOL_USE).items[0]
    assert (item["namespace"], item["name"]) == ("mcp_fs", "read")


def test_tools_of_a_fixed_form_are_called_in_it() -> None:
    """Codex gets its search for tools as the item that it knows."""
    asked = request(tools=(Tool("tool_search", raw={"type": "tool_search", "execution": "client"}),))
    seen = told(ToolCall("call_a", "tool_search", '{"query":"git"}'), asked=asked, stop=Stop.TOOL_USE)
    assert seen.items[0] == {
        "type": "tool_search_call",
        "id": "item_0123_0",
        "call_id": "call_a",
        "execution": "client",
        "arguments": {"query": "git"},
        "status": "completed",
    }


# ── Ends ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        (Stop.END_TURN, "completed", None),
        (Stop.STOP_SEQUENCE, "completed", None),
        (Stop.MAX_TOKENS, "incomplete", "max_output_tokens"),
        (Stop.CONTEXT_WINDOW, "incomplete", "max_output_tokens"),
        (Stop.PAUSE, "incomplete", "max_output_tokens"),
        (Stop.REFUSAL, "incomplete", "content_filter"),
    ],
)
def test_why_it_stopped(stop: Stop, status: str, reason: str | None) -> None:
    """An item that was cut off says so too."""
    seen = told(Text("a"), stop=stop)
    assert seen.response["status"] == status
    assert seen.response["incomplete_details"] == (None if reason is None else {"reason": reason})
    assert seen.items[-1]["status"] == status


def test_only_the_last_item_was_cut() -> None:
    """What came before is whole."""
    seen = told(ToolCall("a", "f", "{}"), ToolCall("b", "f", '{"x":"lo'), stop=Stop.MAX_TOKENS)
    assert [item["status"] for item in seen.items] == ["completed", "incomplete"]


def test_a_refusal_tells_its_reason() -> None:
    """Of a vendor that explains; a refusal in the model's own words is a complete answer."""
    seen = told(Text("I"), stop=Stop.REFUSAL, explanation="not allowed")
    assert seen.items[0]["content"][-1] == {"type": "refusal", "refusal": "not allowed"}
    assert seen.response["incomplete_details"] == {"reason": "content_filter"}
    own = told(Refusal("no"), stop=Stop.END_TURN)
    assert (own.response["status"], own.items[0]["content"]) == (
        "completed",
        [{"type": "refusal", "refusal": "no"}],
    )


def test_a_broken_stream_is_a_failure() -> None:
    """With a full response; what was open is not done, as Codex would keep it."""
    events: list[Event] = [
        Started("r", "m"),
        PartStarted(0, Text("")),
        TextDelta(0, "par"),
        Failed(Failure(Kind.OVERLOADED, "busy")),
    ]
    seen = read(stream([*events, Finished(), Ping()]))
    assert seen.response["error"] == {"code": "server_is_overloaded", "message": "busy"}
    assert "response.output_item.done" not in seen.names


def test_a_failure_at_once_is_a_whole_stream() -> None:
    """Helpers want to see a response created before it fails."""
    seen = read(stream([Failed(Failure(Kind.RATE_LIMITED, "slow", retry_after=1.5))]))
    assert seen.names == ["response.created", "response.in_progress", "response.failed"]
    assert seen.response["error"]["message"] == "slow Please try again in 2s."


def test_signs_of_life() -> None:
    """Comments; now and then an event, but none before the response was created."""
    early = stream([Ping()] * 9)
    assert b"data:" not in early
    seen = read(stream([Started("r", "m"), *[Ping()] * 4, Stopped(Stop.END_TURN, Usage()), Finished()]))
    assert seen.comments == 3


# ── Any legal sequence ────────────────────────────────────────────────────────────────────────────

ASKED = request(tools=(Tool("read"), Tool("apply_patch", custom=True)))


@given(grammar.streams(broken=True))
def test_any_legal_stream_is_accepted(events: list[Event]) -> None:
    """By a strict reader."""
    read(stream(events, ASKED))


@settings(max_examples=25)
@given(grammar.streams(broken=True))
def test_the_sdk_accepts_any_legal_stream(events: list[Event]) -> None:
    """Its helper fails on anything out of order."""
    assert helper(stream(events, ASKED))[0] == "response.created"


@given(grammar.answers(broken=True))
def test_a_plain_answer_is_what_its_stream_ends_with(found: Answer) -> None:
    """The same items, ids and counts."""
    assert encode_answer(found, ASKED, "req_0123").document == read(stream(replay(found), ASKED)).response
