"""Streams for a client."""

from __future__ import annotations

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from attrs import evolve
from hypothesis import given, settings
from pydantic import TypeAdapter

from shunt.errors import Kind
from shunt.inference.collect import collect
from shunt.inference.content import (
    Citation,
    Foreign,
    HostedCall,
    HostedResult,
    Part,
    Refusal,
    Seal,
    SealForm,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.envelope import wrap
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
from shunt.inference.names import wire_id
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.stream_encoder import BROKEN_CALL, PING, MessagesStreamEncoder
from shunt.protocols.anthropic_messages.write_answer import write_answer
from shunt.wire import json, sse
from tests.inference import grammar
from tests.protocols.anthropic_messages.client import Client

REQUEST = GenerateRequest("claude-x", tools=(Tool("apply_patch", custom=True), Tool("read"), Tool("write")))
START = Started("chatcmpl-1", "gpt-up")
STOP: list[Event] = [Stopped(Stop.TOOL_USE, Usage(3, 2, output=5)), Finished()]
SEALED = Seal("codex", SealForm.ENCRYPTED, "gAAAA", "acc")
EVENT = TypeAdapter[RawMessageStreamEvent](RawMessageStreamEvent)


def encoded(events: list[Event], request: GenerateRequest = REQUEST) -> bytes:
    encoder = MessagesStreamEncoder(request, "req_9")
    return b"".join(map(encoder.feed, events))


def shown(*parts: Part, stop: Stop = Stop.END_TURN) -> Client:
    return Client().read(encoded(replay(Answer("msg_1", "m", parts, stop))))


def types(stream: bytes) -> list[str]:
    return [event.name for event in sse.Decoder().feed(stream)]


@settings(max_examples=200)
@given(grammar.streams(broken=True))
def test_clients_take_every_stream(events: list[Event]) -> None:
    """Any legal stream is told so that a strict client reads it to its end, whatever overlaps or breaks."""
    client = Client().read(encoded(events))
    result = collect(events)
    if isinstance(result, Failure) or client.error is not None:
        assert client.error is not None
        assert not client.stopped
        return
    assert client.stopped
    texts = [p.text for p in result.parts if isinstance(p, (Text, Refusal)) and p.text.strip()]
    assert [block["text"] for block in client.blocks if block["type"] == "text"] == texts
    calls = [p.id for p in result.parts if isinstance(p, ToolCall)]
    assert [block["id"] for block in client.blocks if block["type"] == "tool_use"] == calls


@given(grammar.streams(failing=False))
def test_the_official_sdk_takes_every_stream(events: list[Event]) -> None:
    """The SDK's own accumulator comes to the same message as the plain answer holds."""
    snapshot = None
    bufs: dict[int, bytes] = {}
    for event in sse.Decoder().feed(encoded(events)):
        if event.name != "ping" and event.data is not None:
            told = EVENT.validate_json(event.data)
            snapshot = accumulate_event(event=told, current_snapshot=snapshot, json_bufs=bufs)
    answer = collect(events)
    assert snapshot is not None
    assert isinstance(answer, Answer)
    plain = write_answer(answer, REQUEST, "req_9").document
    assert snapshot.stop_reason == plain["stop_reason"]
    assert [block.type for block in snapshot.content] == [block["type"] for block in plain["content"]]
    called = [block["input"] for block in plain["content"] if block["type"] == "tool_use"]
    assert [block.input for block in snapshot.content if block.type == "tool_use"] == called
    assert snapshot.usage.output_tokens == answer.usage.output


def test_a_whole_stream() -> None:
    """Every byte of a small answer."""
    answer = Answer("msg_1", "m", (Text("hi"),), Stop.END_TURN, Usage(3, 2, output=5))
    usage = '"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"output_tokens":'
    told = (
        (
            "message_start",
            '"message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x",'
            '"content":[],"stop_reason":null,"stop_sequence":null,' + usage + "0}}",
        ),
        ("content_block_start", '"index":0,"content_block":{"type":"text","text":""}'),
        ("content_block_delta", '"index":0,"delta":{"type":"text_delta","text":"hi"}'),
        ("content_block_stop", '"index":0'),
        ("message_delta", '"delta":{"stop_reason":"end_turn","stop_sequence":null},' + usage + "5}"),
    )
    expected = "".join(f'event: {name}\ndata: {{"type":"{name}",{rest}}}\n\n' for name, rest in told)
    expected += 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert encoded(replay(answer)).decode() == expected


def test_arguments_stream_live_and_later_calls_wait() -> None:
    """The first call's arguments pass as they come; the second's follow when the first is done."""
    encoder = MessagesStreamEncoder(REQUEST, "req_9")
    first, second = ToolCall("a", "read", ""), ToolCall("b", "write", "")
    steps: list[tuple[Event, list[str]]] = [
        (START, ["message_start"]),
        (PartStarted(0, first), ["content_block_start"]),
        (PartStarted(1, second), []),
        (ArgumentsDelta(0, '{"x":'), ["content_block_delta"]),
        (ArgumentsDelta(1, '{"y":2}'), []),
        (ArgumentsDelta(0, "1}"), ["content_block_delta"]),
        (PartFinished(1, evolve(second, arguments='{"y":2}')), []),
        (
            PartFinished(0, evolve(first, arguments='{"x":1}')),
            ["content_block_stop", "content_block_start", "content_block_delta", "content_block_stop"],
        ),
        (STOP[0], ["message_delta"]),
        (STOP[1], ["message_stop"]),
        (Ping(), []),
    ]
    assert [types(encoder.feed(event)) for event, _ in steps] == [names for _, names in steps]


@pytest.mark.parametrize("broken", ['{"x": nope', "[1]", "{}{}", '{"a":1,}', "null"])
def test_a_broken_call_is_an_error_and_no_crash(broken: str) -> None:
    """At the first character that is no JSON the stream ends, with the block left open: nobody shall run it."""
    client = shown(Text("a"), ToolCall("c", "read", broken), Text("b"), stop=Stop.TOOL_USE)
    assert client.error is not None
    assert client.error["message"] == BROKEN_CALL.message
    assert client.open is not None
    assert not client.stopped


@pytest.mark.parametrize(
    ("stop", "ends"), [(Stop.MAX_TOKENS, True), (Stop.CONTEXT_WINDOW, True), (Stop.TOOL_USE, False)]
)
def test_a_call_that_was_cut(stop: Stop, ends: bool) -> None:
    """A limit may cut a call in two, and is told as a limit; without one it is an error."""
    client = shown(ToolCall("c", "read", '{"x":"lo'), stop=stop)
    assert client.stopped is ends
    assert (client.error is None) is ends


def test_white_space_makes_no_block() -> None:
    """A text block opens at its first word, with the white space before it; arguments likewise."""
    assert shown(Text(" \n"), Refusal(""), Thinking("")).blocks == []
    client = Client().read(
        encoded(
            [
                START,
                PartStarted(0, Text("")),
                TextDelta(0, ""),
                TextDelta(0, "\n"),
                TextDelta(0, " hi"),
                PartFinished(0, Text("\n hi")),
                PartStarted(1, ToolCall("c", "read", "")),
                ArgumentsDelta(1, " "),
                ArgumentsDelta(1, " {} "),
                PartFinished(1, ToolCall("c", "read", "  {} ")),
                *STOP,
            ]
        )
    )
    assert [block.get("text") for block in client.blocks] == ["\n hi", None]
    assert client.stopped


def test_a_custom_tools_text_becomes_json() -> None:
    """A client of this protocol gets JSON whatever the upstream's tools take."""
    request = GenerateRequest("claude-x")
    call = ToolCall("c", "apply_patch", '+"é"\n\\', custom=True)
    stream = encoded(replay(Answer("msg_1", "m", (call,), Stop.TOOL_USE)), request)
    assert Client().read(stream).blocks[0]["input"] == {"input": '+"é"\n\\'}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Thinking("hm", SEALED), {"type": "thinking", "thinking": "hm", "signature": wrap(SEALED)}),
        (Thinking("hm"), {"type": "thinking", "thinking": "hm", "signature": ""}),
        (Thinking("", SEALED), {"type": "redacted_thinking", "data": wrap(SEALED)}),
        (
            Thinking("", Seal("anthropic", SealForm.SIGNATURE, "sig")),
            {"type": "thinking", "thinking": "", "signature": "sig"},
        ),
    ],
)
def test_reasoning_keeps_its_seal(part: Thinking, block: dict[str, str]) -> None:
    """In an envelope unless it is Anthropic's own; and never an invented one."""
    assert shown(part).blocks == [block]
    assert write_answer(Answer("", "", (part,), Stop.END_TURN), REQUEST, "").document["content"] == [block]


def test_a_web_search_shows_results_and_a_count() -> None:
    """Call, result and number; a search without result gets an empty one."""
    found = HostedResult("ws", "web_search", (SearchHit("https://e.org", "T"),))
    client = shown(
        HostedCall("ws", "web_search", '{"query":"q"}'), found, HostedCall("w2", "web_search"), Text("a")
    )
    assert [block["type"] for block in client.blocks] == [
        "server_tool_use",
        "web_search_tool_result",
        "server_tool_use",
        "web_search_tool_result",
        "text",
    ]
    assert client.blocks[0]["input"] == {"query": "q"}
    assert client.blocks[1]["content"][0]["url"] == "https://e.org"
    assert client.usage["server_tool_use"]["web_search_requests"] == 2
    assert shown(HostedCall("w2", "web_search")).blocks[1]["content"] == []


def test_sources_wait_for_words() -> None:
    """Citations may come before the text they belong to."""
    citation = Citation("https://e.org", "T")
    client = shown(Text("a", (citation,)))
    assert client.blocks[0]["citations"][0]["url"] == "https://e.org"
    assert shown(Text("", (citation,))).blocks == []


def test_what_cannot_be_shown_is_reported() -> None:
    """Other vendors' tools and blocks leave a trace in the report."""
    encoder = MessagesStreamEncoder(REQUEST, "req_9")
    parts = (HostedCall("f", "file_search"), Foreign("openai-responses", "novel", {}))
    for event in replay(Answer("msg_1", "m", parts, Stop.END_TURN, unknown_stop="eos")):
        encoder.feed(event)
    assert encoder.dropped == ["file_search", "novel", "stop_reason"]


@pytest.mark.parametrize(
    ("events", "names"),
    [
        ([], ["error"]),
        ([START], ["message_start", "error"]),
        (
            [START, PartStarted(0, Text("")), TextDelta(0, "par")],
            ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "error"],
        ),
        (
            [START, PartStarted(0, ToolCall("c", "read", "")), ArgumentsDelta(0, '{"x":"')],
            ["message_start", "content_block_start", "content_block_delta", "error"],
        ),
    ],
)
def test_a_failure_closes_what_is_open(events: list[Event], names: list[str]) -> None:
    """A text that broke off is closed before the error, half a call is not; nothing follows."""
    failed = Failed(Failure(Kind.OVERLOADED, "Busy."))
    stream = encoded([*events, failed, *STOP])
    assert types(stream) == names
    assert json.value(list(sse.Decoder().feed(stream))[-1].data or b"")["error"]["type"] == "overloaded_error"


def test_pings_pass() -> None:
    """A sign of life is told as one."""
    assert encoded([Ping()]) == PING


def test_ids_of_other_vendors_are_shown_in_a_legal_form() -> None:
    """The same in a stream and in a plain answer, and the same that the next turn's history is fitted to."""
    call = ToolCall("call|bad.id:1", "f", "{}")
    (streamed,) = shown(call, stop=Stop.TOOL_USE).blocks
    answer = Answer("a", "m", (call,), Stop.TOOL_USE)
    (plain,) = write_answer(answer, REQUEST, "req_1").document["content"]
    assert streamed["id"] == plain["id"] == wire_id(call.id) == wire_id(plain["id"])
    assert wire_id("toolu_1") == "toolu_1"


def test_a_source_that_is_no_page_is_left_out_and_reported() -> None:
    """A file that another vendor searched has no address, and this protocol's clients no word for it."""
    file = Citation(title="a.pdf", raw={"type": "file_citation", "file_id": "f"})
    page = Citation("https://example.org", raw={"type": "url_citation", "url": "https://example.org"})
    answer = Answer("a", "m", (Text("x", (file, page)), Text("y", (file,))), Stop.END_TURN)
    encoder = MessagesStreamEncoder(REQUEST, "req_1")
    stream = b"".join(map(encoder.feed, replay(answer)))
    plain = write_answer(answer, REQUEST, "req_1")
    assert stream.count(b"citations_delta") == 1
    assert [one["url"] for one in plain.document["content"][0]["citations"]] == ["https://example.org"]
    assert "citations" not in plain.document["content"][1]
    assert plain.dropped == tuple(dict.fromkeys(encoder.dropped)) == ("citations",)
