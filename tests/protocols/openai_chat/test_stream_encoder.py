"""Events as Chat streams: strict enough for OpenAI's own helpers, whatever the events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.collect import collect
from shunt.inference.content import Citation, HostedCall, Refusal, Seal, SealForm, Text, Thinking, ToolCall
from shunt.inference.events import (
    ArgumentsDelta,
    Event,
    Failed,
    PartStarted,
    Ping,
    Started,
    TextDelta,
)
from shunt.inference.failure import Failure
from shunt.inference.names import wire_names
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat.encode_answer import encode_answer
from shunt.protocols.openai_chat.reasoning import read_thinking
from shunt.protocols.openai_chat.stream_encoder import ChatStreamEncoder
from tests.inference.grammar import streams
from tests.protocols.openai_chat.chunks import Reading, read
from tests.protocols.openai_chat.sdk import SDK

ASK = GenerateRequest(model="asked-for", protocol="openai-chat")
WITH_USAGE = evolve(ASK, include_usage=True)
LEGACY = evolve(ASK, legacy_functions=True)
PATCHING = evolve(ASK, tools=(Tool("apply_patch", custom=True),))
USAGE = Usage(input=10, cache_read=1000, cache_write_5m=200, output=30, reasoning=20)


def encoded(events: list[Event], request: GenerateRequest = ASK) -> bytes:
    encoder = ChatStreamEncoder(request, "req_0123")
    return b"".join(map(encoder.feed, events))


def told(*parts: Any, stop: Stop = Stop.END_TURN, request: GenerateRequest = ASK, **more: Any) -> Reading:
    """How a client reads an answer of these parts."""
    answer = Answer("msg_up", "claude-up", parts, stop, usage=USAGE, created=17, **more)
    return read(encoded(replay(answer), request))


def test_text() -> None:
    """Text streams into content; the head is ours and never changes."""
    got = told(Text("hel"), Text("lo"))
    assert (got.content, got.finish, got.done) == ("hello", "stop", True)
    assert got.head == ("chatcmpl-0123", "chat.completion.chunk", 17, "asked-for")


def test_empty_answer() -> None:
    """An answer without a word has a role, a finish reason and an end."""
    got = told()
    assert (got.content, got.calls, got.finish) == ("", [], "stop")


def test_live() -> None:
    """Every delta is told when it comes."""
    encoder = ChatStreamEncoder(ASK, "req_0123")
    for event in (Started("i", "m"), PartStarted(0, Text(""))):
        encoder.feed(event)
    assert b'"content":"hi"' in encoder.feed(TextDelta(0, "hi"))
    encoder.feed(PartStarted(1, ToolCall("c", "f", "")))


def test_calls() -> None:
    """Calls are numbered among themselves, whatever stands before and between."""
    got = told(
        Thinking("hm"),
        Text("a"),
        ToolCall("toolu_1", "f", '{"x":1}'),
        Text("b"),
        ToolCall("toolu_2", "g", "{}"),
        stop=Stop.TOOL_USE,
    )
    assert got.calls == [
        {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
        {"id": "toolu_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert (got.content, got.reasoning, got.finish) == ("ab", "hm", "tool_calls")


def test_arguments_are_live() -> None:
    """A piece of the arguments is told when it comes."""
    encoder = ChatStreamEncoder(ASK, "req_0123")
    for event in (Started("i", "m"), PartStarted(0, ToolCall("c", "f", ""))):
        encoder.feed(event)
    assert b"AAA" in encoder.feed(ArgumentsDelta(0, "AAA"))


def test_custom_call() -> None:
    """A client that offers a custom tool gets a custom call, with its plain text."""
    wrapped = ToolCall("c", "apply_patch", '{"input":"*** Begin"}')
    got = told(wrapped, stop=Stop.TOOL_USE, request=PATCHING)
    assert got.calls == [
        {"id": "c", "type": "custom", "custom": {"name": "apply_patch", "input": "*** Begin"}}
    ]


def test_unexpected_custom_call() -> None:
    """A client that offers none gets a function call: its SDK crashes on custom ones."""
    got = told(ToolCall("c", "apply_patch", "*** Begin", custom=True), stop=Stop.TOOL_USE)
    assert got.calls[0]["type"] == "function"
    assert json.loads(got.calls[0]["function"]["arguments"]) == {"input": "*** Begin"}


def test_name_restored() -> None:
    """A tool's name comes back as the client wrote it."""
    ask = evolve(ASK, tools=(Tool("fs.read/file"),))

    (wire,) = wire_names(ask, 64).values()
    assert (
        told(ToolCall("c", wire), request=ask, stop=Stop.TOOL_USE).calls[0]["function"]["name"]
        == "fs.read/file"
    )


def test_legacy_client() -> None:
    """Who speaks of functions is told of one function call; a second has no place and is reported."""
    encoder = ChatStreamEncoder(LEGACY, "req_0123")
    parts = (ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", '{"x":2}'))
    events = replay(Answer("i", "m", parts, Stop.TOOL_USE))
    got = read(b"".join(map(encoder.feed, events)))
    assert (got.function_call, got.calls, got.finish) == (
        {"name": "f", "arguments": '{"x":1}'},
        [],
        "function_call",
    )
    assert list(encoder.dropped) == ["tool_calls"]


def test_usage_only_if_asked() -> None:
    """Usage is one chunk of its own behind the finish reason, for those who asked."""
    assert told(Text("x")).usage is None
    got = told(Text("x"), request=WITH_USAGE)
    assert got.usage == {
        "prompt_tokens": 1210,
        "completion_tokens": 30,
        "total_tokens": 1240,
        "prompt_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 200},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }


def test_reasoning_and_seals() -> None:
    """Seals travel beside the words, and a client that echoes both gives the parts back as they were."""
    seal = Seal("anthropic", SealForm.SIGNATURE, "EqQB", "acc")
    parts = (Thinking("one", seal), Thinking("two 😀", evolve(seal, payload="EqQC")), Thinking("", seal))
    got = told(*parts, Text("x"))
    assert got.reasoning == "one\n\ntwo 😀"
    assert (
        tuple(read_thinking({"reasoning_content": got.reasoning, "reasoning_details": got.details})) == parts
    )


def test_refusal() -> None:
    """A refusal's words, or the reason given for it, come as refusal; the finish says so."""
    got = told(Refusal("No."), stop=Stop.REFUSAL, explanation="unsafe")
    assert (got.refusal, got.finish) == ("No.", "content_filter")
    assert told(Text("I"), stop=Stop.REFUSAL, explanation="unsafe").refusal == "unsafe"


def test_sources() -> None:
    """Sources come in one list, placed in code points of the whole text."""
    whole = Citation(url="https://example.org/a", title="A")
    placed = Citation(url="https://example.org/b", start=1, end=2)
    got = told(Text("😀é", (whole,)), Text("abc", (placed,)))
    places = [
        (a["url_citation"]["url"][-1], a["url_citation"]["start_index"], a["url_citation"]["end_index"])
        for a in got.annotations
    ]
    assert places == [("a", 0, 2), ("b", 3, 4)]


def test_other_sources_are_reported() -> None:
    """Sources that are no web pages cannot be told."""
    encoder = ChatStreamEncoder(ASK, "req_0123")
    for event in replay(Answer("i", "m", (Text("x", (Citation(cited_text="y"),)),), Stop.END_TURN)):
        encoder.feed(event)
    assert list(encoder.dropped) == ["citations"]


def test_hosted_tools_are_silent() -> None:
    """What the vendor's own tools did is not the client's to answer."""
    got = told(HostedCall("ws_1", "web_search"), Text("x"))
    assert (got.content, got.calls) == ("x", [])


@pytest.mark.parametrize("stop", Stop)
def test_stops(stop: Stop) -> None:
    """Every stop ends in one of the words that SDKs know."""
    assert told(Text("x"), stop=stop).finish in {"stop", "length", "tool_calls", "content_filter"}


def test_unknown_stop() -> None:
    """A vendor's unknown word is reported, not passed on."""
    encoder = ChatStreamEncoder(ASK, "req_0123")
    events = replay(Answer("i", "m", (Text("x"),), Stop.END_TURN, unknown_stop="novel"))
    raw = b"".join(map(encoder.feed, events))
    assert b"novel" not in raw
    assert list(encoder.dropped) == ["stop_reason"]


def test_failure() -> None:
    """A failure is an error chunk, without finish reason and `[DONE]`."""
    got = read(encoded([Started("i", "m"), Failed(Failure(Kind.OVERLOADED, "busy"))]))
    assert got.error is not None
    assert (got.error["message"], got.finish, got.done) == ("busy", None, False)


def test_failure_after_the_stop() -> None:
    """A failure after the stop takes the finish reason back before it was told."""
    events = replay(Answer("i", "m", (Text("x"),), Stop.END_TURN))
    got = read(encoded([*events[:-1], Failed(Failure(Kind.UPSTREAM, "broke"))]))
    assert (got.content, got.finish) == ("x", None)
    assert got.error is not None


def test_ping() -> None:
    """A keep-alive is a comment, at any time."""
    encoder = ChatStreamEncoder(ASK, "req_0123")
    assert encoder.feed(Ping()).startswith(b":")


@given(streams(broken=True), st.sampled_from([ASK, WITH_USAGE, LEGACY, PATCHING]))
@settings(max_examples=80)
def test_any_stream(events: list[Event], request: GenerateRequest) -> None:
    """Any legal events make a stream that a strict client reads."""
    got = read(encoded(events, request))
    failed = isinstance(events[-1], Failed)
    assert got.done is not failed
    assert (got.error is not None) is failed
    assert (got.usage is not None) is (request.include_usage and not failed)


SDK_CLIENT = SDK()


@given(streams(broken=True, failing=False), st.sampled_from([ASK, WITH_USAGE, LEGACY]))
@settings(max_examples=25, deadline=None)
def test_sdk(events: list[Event], request: GenerateRequest) -> None:
    """OpenAI's own helper puts every stream together, to what a plain answer would have said."""
    final = SDK_CLIENT.final(encoded(events, request))
    got = read(encoded(events, request))
    message = final.choices[0].message
    assert (message.content or "") == got.content
    assert (message.refusal or "") == got.refusal
    assert [c.function.arguments for c in message.tool_calls or ()] == [
        c["function"]["arguments"] for c in got.calls
    ]
    assert final.choices[0].finish_reason == got.finish


@given(streams(broken=True, failing=False), st.sampled_from([ASK, PATCHING, LEGACY]))
@settings(max_examples=60)
def test_same_as_plain(events: list[Event], request: GenerateRequest) -> None:
    """A streamed answer and a plain one say the same."""

    answer = collect(events)
    assert isinstance(answer, Answer)
    plain = encode_answer(answer, request, "req_0123").document
    message = plain["choices"][0]["message"]
    got = read(encoded(events, request))
    assert (message["content"] or "", message["refusal"] or "") == (got.content, got.refusal)
    assert message.get("tool_calls", []) == got.calls
    assert message.get("function_call") == got.function_call
    assert message["annotations"] == got.annotations
    assert (message.get("reasoning_content", ""), message.get("reasoning_details", [])) == (
        got.reasoning,
        got.details,
    )
    assert plain["choices"][0]["finish_reason"] == got.finish
