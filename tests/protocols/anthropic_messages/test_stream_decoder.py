"""Streams of a vendor."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.assembly import BROKEN_OFF
from shunt.inference.collect import collect
from shunt.inference.content import (
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
from shunt.inference.events import ArgumentsDelta, Event, Failed, Ping, Started, TextDelta
from shunt.inference.failure import Failure
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.stream_decoder import GARBLED, MessagesStreamDecoder
from shunt.protocols.anthropic_messages.stream_encoder import MessagesStreamEncoder
from shunt.wire import json, sse
from tests.inference import grammar
from tests.strategies import chunked

START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 9, "output_tokens": 1}},
}
END: list[dict[str, Any]] = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
]
CALLED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "u", "title": "t", "encrypted_content": "E"}],
}


def start(index: Any, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def stop(index: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def words(index: Any, text: str) -> dict[str, Any]:
    return delta(index, type="text_delta", text=text)


def decoded(*documents: Any) -> list[Event]:
    """Events of the documents; strings are raw data. The stream is then closed, and must have been legal."""
    decoder = MessagesStreamDecoder()
    events: list[Event] = []
    for document in documents:
        name = str(document.get("type")) if isinstance(document, dict) else ""
        events += decoder.feed(
            name, document.encode() if isinstance(document, str) else json.encode(document)
        )
    events += decoder.close()
    grammar.check(events)
    return events


def answered(*documents: Any) -> Answer | Failure:
    return collect(decoded(START, *documents, *END))


def parts(*documents: Any) -> list[Any]:
    answer = answered(*documents)
    assert isinstance(answer, Answer), answer
    return list(answer.parts)


@pytest.mark.parametrize(
    ("documents", "part"),
    [
        ([start(0, type="text", text=""), words(0, "a"), words(0, "b"), stop(0)], Text("ab")),
        ([start(0, type="text", text="a"), words(0, "b"), stop(0)], Text("ab")),
        ([words(0, "ab"), stop(0)], Text("ab")),
        ([start(0, type="text", text=""), words(0, "ab")], Text("ab")),
        (
            [
                start(0, type="thinking", thinking="", signature=""),
                delta(0, type="thinking_delta", thinking="hm"),
                delta(0, type="signature_delta", signature="si"),
                delta(0, type="signature_delta", signature="g"),
                stop(0),
            ],
            Thinking("hm", Seal("anthropic", SealForm.SIGNATURE, "sig")),
        ),
        ([delta(0, type="thinking_delta", thinking="hm"), stop(0)], Thinking("hm")),
        (
            [start(0, type="redacted_thinking", data="d"), stop(0)],
            Thinking("", Seal("anthropic", SealForm.REDACTED, "d")),
        ),
        (
            [
                start(0, type="tool_use", id="t", name="f", input={}),
                delta(0, type="input_json_delta", partial_json=""),
                delta(0, type="input_json_delta", partial_json='{"x":'),
                delta(0, type="input_json_delta", partial_json="1}"),
                stop(0),
            ],
            ToolCall("t", "f", '{"x":1}'),
        ),
        ([start(0, type="tool_use", id="t", name="f", input={}), stop(0)], ToolCall("t", "f", "{}")),
        (
            [start(0, type="tool_use", id="t", name="f", input={"x": 1}), stop(0)],
            ToolCall("t", "f", '{"x":1}'),
        ),
        (
            [
                start(0, **CALLED),
                delta(0, type="input_json_delta", partial_json='{"query":'),
                delta(0, type="input_json_delta", partial_json='"q"}'),
                stop(0),
            ],
            HostedCall(
                "srvtoolu_1", "web_search", '{"query":"q"}', "completed", CALLED | {"input": {"query": "q"}}
            ),
        ),
        ([start(0, **CALLED), stop(0)], HostedCall("srvtoolu_1", "web_search", "{}", "completed", CALLED)),
        (
            [start(0, **FOUND), stop(0)],
            HostedResult("srvtoolu_1", "web_search", (SearchHit("u", "t", "", "E"),), raw=FOUND),
        ),
        (
            [start(0, type="novel", x=1), delta(0, type="novel_delta", y=2), stop(0)],
            Foreign("anthropic-messages", "novel", {"type": "novel", "x": 1}, "[novel]"),
        ),
    ],
)
def test_every_block_is_read(documents: list[Any], part: Any) -> None:
    """Whole, in pieces, begun late or never ended."""
    assert parts(*documents) == [part]


def test_a_whole_stream() -> None:
    """Id, model, usage from both ends, stop and its details."""
    documents = [
        {"type": "ping"},
        START,
        start(0, type="text", text=""),
        words(0, "a"),
        delta(0, type="citations_delta", citation={"type": "x", "url": "u", "title": "t", "cited_text": "c"}),
        stop(0),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "refusal", "stop_sequence": None, "stop_details": {"explanation": "no"}},
            "usage": {"output_tokens": 7, "service_tier": "priority"},
        },
        {"type": "message_stop"},
    ]
    events = decoded(*documents)
    assert events[:2] == [Ping(), Started("msg_1", "m", Usage(input=9, output=1))]
    answer = collect(events)
    assert isinstance(answer, Answer)
    assert answer.usage == Usage(input=9, output=7)
    assert (answer.stop, answer.explanation, answer.tier) == (Stop.REFUSAL, "no", "priority")
    assert [
        citation.url for part in answer.parts if isinstance(part, Text) for citation in part.citations
    ] == ["u"]


def test_arguments_are_told_live() -> None:
    """Every piece is an event of its own."""
    documents = [start(0, type="tool_use", id="t", name="f", input={})]
    documents += [delta(0, type="input_json_delta", partial_json=piece) for piece in ('{"x":', "1", "}")]
    assert [event.text for event in decoded(START, *documents) if isinstance(event, ArgumentsDelta)] == [
        '{"x":',
        "1",
        "}",
    ]


@pytest.mark.parametrize(
    "documents",
    [
        [
            start(0, type="text", text=""),
            words(1, "x"),
            {"type": "future"},
            words(0, "a"),
            stop(5),
            stop(0),
            stop(0),
        ],
        [
            start(0, type="text", text=""),
            delta(0, type="input_json_delta", partial_json="{"),
            words(0, "a"),
            stop(0),
        ],
        [start(0), start(0, type="tool_use", id="x"), words(0, "a"), stop(0)],
        [start(None, type="text", text=""), words(None, "a"), stop(None)],
        [start([1], type="text", text=""), words({}, "a"), stop([1])],
        [delta(0, type="signature_delta", signature="s"), delta(0), words(0, "a"), "[DONE]", " "],
        ['{"type":"content_block_delta","index":0,"delta":5}', words(0, "a")],
        [start(0, type="text", text=""), words(0, "a"), start(0, type="text", text=""), stop(0)],
    ],
)
def test_odd_streams_are_understood(documents: list[Any]) -> None:
    """What is unknown, doubled or out of place is passed over; no word is lost."""
    told = [event.text for event in decoded(START, *documents, *END) if isinstance(event, TextDelta)]
    assert "".join(told).replace("x", "") == "a"
    assert isinstance(answered(*documents), Answer)


@pytest.mark.parametrize(
    ("documents", "failure"),
    [
        ([], BROKEN_OFF),
        ([START], BROKEN_OFF),
        ([START, start(0, type="text", text=""), words(0, "par")], BROKEN_OFF),
        ([START, END[0]], BROKEN_OFF),
        ([{"type": "message_stop"}], BROKEN_OFF),
        ([START, "{broken", *END], GARBLED),
        ([START, "[1]", *END], GARBLED),
        (
            [START, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}, *END],
            Failure(Kind.OVERLOADED, "Busy"),
        ),
        ([{"error": {"message": "Busy"}}], Failure(Kind.UPSTREAM, "Busy")),
    ],
)
def test_what_is_missing_or_broken_fails(documents: list[Any], failure: Failure) -> None:
    """An error is told as itself; a stream without its end is never a success."""
    last = decoded(*documents)[-1]
    assert isinstance(last, Failed)
    assert (last.failure.kind, last.failure.message) == (failure.kind, failure.message)


def test_an_error_may_be_plain_text() -> None:
    """Gateways in between speak as they like."""
    decoder = MessagesStreamDecoder()
    (failed,) = decoder.feed("error", b"gateway exploded")
    assert isinstance(failed, Failed)
    assert failed.failure.message == "gateway exploded"
    assert not decoder.feed("ping", b'{"type":"ping"}')
    assert not decoder.close()


@pytest.mark.parametrize("missing", ["message_delta", "usage"])
def test_lenient_at_the_end(missing: str) -> None:
    """A stream that ends properly counts, though its last numbers are missing."""
    delta_event: Any = {} if missing == "message_delta" else END[0] | {"usage": None}
    answer = collect(decoded(START, words(0, "a"), delta_event, END[1]))
    assert isinstance(answer, Answer)
    assert answer.usage == Usage(input=9, output=1)
    assert answer.stop is Stop.END_TURN


TYPES = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "error",
    "ping",
]
JSON = st.recursive(
    st.none() | st.integers(-1, 2) | st.sampled_from(["", "text", "tool_use", "thinking", "text_delta", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "text",
                    "index",
                    "delta",
                    "content_block",
                    "message",
                    "usage",
                    "id",
                    "name",
                    "error",
                    "input",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
DOCUMENTS = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from(TYPES),
    st.dictionaries(
        st.sampled_from(["index", "delta", "content_block", "message", "usage", "error"]), JSON, max_size=3
    ),
)


@given(
    st.lists(
        DOCUMENTS | JSON | st.sampled_from([START, *END, words(0, "a"), start(0, type="text")]), max_size=8
    )
)
def test_anything_is_a_legal_stream(documents: list[Any]) -> None:
    """Whatever an upstream sends, in any order: a legal stream with exactly one end."""
    decoded(
        *(
            document if isinstance(document, (dict, str)) else json.encode(document).decode()
            for document in documents
        )
    )


@settings(max_examples=60)
@given(grammar.streams(failing=False), st.data())
def test_any_cutting_gives_the_same(events: list[Event], data: st.DataObject) -> None:
    """A stream fed whole or in any pieces is the same answer, and keeps what both sides can say."""
    encoder = MessagesStreamEncoder(GenerateRequest("m"), "req_9")
    stream = b"".join(map(encoder.feed, events))
    whole = _fed([stream])
    grammar.check(whole)
    assert _fed(data.draw(chunked(stream))) == whole
    before, after = collect(events), collect(whole)
    assert isinstance(before, Answer)
    assert isinstance(after, Answer)
    assert (after.stop, after.usage.input, after.usage.output) == (
        before.stop,
        before.usage.input,
        before.usage.output,
    )
    texts = [p.text for p in before.parts if isinstance(p, (Text, Refusal)) and p.text.strip()]
    assert [p.text for p in after.parts if isinstance(p, Text)] == texts
    calls = [
        (p.id, json.value(p.arguments.encode()))
        for p in before.parts
        if isinstance(p, ToolCall) and not p.custom
    ]
    names = {call_id for call_id, _ in calls}
    assert [
        (p.id, json.value(p.arguments.encode()))
        for p in after.parts
        if isinstance(p, ToolCall) and p.id in names
    ] == calls


def _fed(pieces: list[bytes]) -> list[Event]:
    wire, decoder = sse.Decoder(), MessagesStreamDecoder()
    events: list[Event] = []
    for piece in pieces:
        for event in wire.feed(piece):
            events += decoder.feed(event.name, event.data or b"")
    return [*events, *decoder.close()]
