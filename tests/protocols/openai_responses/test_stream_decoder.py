"""What a vendor's Responses stream says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import Kind, UpstreamUnexpected
from shunt.inference.collect import collect
from shunt.inference.content import (
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.events import ArgumentsDelta, Event, Failed, Ping, Started, TextDelta
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.protocols.openai_responses.stream_decoder import ResponsesStreamDecoder, decode_answer
from shunt.protocols.openai_responses.stream_encoder import ResponsesStreamEncoder
from shunt.wire import sse
from tests.inference import grammar
from tests.protocols.openai_responses.client import encoded
from tests.protocols.openai_responses.vendor import (
    COMPLETED,
    CREATED,
    USAGE,
    Item,
    added,
    answered,
    arguments,
    call,
    decoded,
    delta,
    done,
    ev,
    failed,
    message,
    reasoning,
    response,
)
from tests.strategies import chunked

# ── Ends ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "details", "stop", "unknown"),
    [
        ("completed", None, Stop.END_TURN, ""),
        ("incomplete", {"reason": "max_output_tokens"}, Stop.MAX_TOKENS, ""),
        ("incomplete", {"reason": "content_filter"}, Stop.REFUSAL, ""),
        ("incomplete", {"reason": "steered"}, Stop.MAX_TOKENS, "steered"),
        ("incomplete", None, Stop.MAX_TOKENS, ""),
    ],
)
def test_why_it_stopped(status: str, details: Any, stop: Stop, unknown: str) -> None:
    """A reason that is new to us is a cut all the same."""
    end = ev(f"response.{status}", response=response(status, incomplete_details=details))
    found = answered(CREATED, delta("hi"), end)
    assert (found.stop, found.unknown_stop) == (stop, unknown)


def test_a_call_that_was_cut_is_no_call_to_make() -> None:
    """The stop says that the answer is unfinished."""
    cut = call(arguments='{"x":"lo', status="incomplete")
    end = ev(
        "response.incomplete",
        response=response("incomplete", [cut], incomplete_details={"reason": "max_output_tokens"}),
    )
    found = answered(CREATED, added(cut), arguments('{"x"'), end)
    assert (found.parts, found.stop) == ((ToolCall("call_a", "f", '{"x":"lo'),), Stop.MAX_TOKENS)


@pytest.mark.parametrize(
    ("end", "kind", "told"),
    [
        (
            ev(
                "response.failed",
                response=response("failed", error={"code": "server_error", "message": "on fire"}),
            ),
            Kind.INTERNAL,
            "on fire",
        ),
        (ev("error", code="rate_limit_exceeded", message="slow", param=None), Kind.RATE_LIMITED, "slow"),
        (ev("error", error={"type": "usage_limit_reached", "message": "spent"}), Kind.RATE_LIMITED, "spent"),
        (ev("error", status=429, error={"message": "too fast"}), Kind.RATE_LIMITED, "too fast"),
        (ev("response.failed", response=response("failed")), Kind.UPSTREAM, "cancelled"),
        (ev("response.cancelled", response=response("cancelled")), Kind.UPSTREAM, "cancelled"),
        (ev("response.completed", response=None), Kind.UPSTREAM, "broke off"),
        (ev("response.done", response=response("in_progress")), Kind.UPSTREAM, "broke off"),
        (ev("response.in_progress"), Kind.UPSTREAM, "broke off"),
    ],
)
def test_failures(end: Item, kind: Kind, told: str) -> None:
    """Never a success that was not."""
    found = failed(CREATED, delta("par"), end)
    assert found.kind is kind
    assert told in found.message


def test_an_error_that_no_event_announces() -> None:
    """A body of errors where events were due."""
    decoder = ResponsesStreamDecoder()
    events = decoder.feed("", b'{"detail":"Unsupported parameter: x"}')
    assert isinstance(events[0], Failed)
    assert events[0].failure.message == "Unsupported parameter: x"


def test_nothing_follows_the_end() -> None:
    """Whatever the vendor still sends."""
    found = decoded(CREATED, delta("hi"), COMPLETED, delta("ghost"), ev("error", message="m"), COMPLETED)
    assert TextDelta(0, "ghost") not in found


def test_signs_of_life() -> None:
    """Events that say nothing else; unknown ones are ignored."""
    found = decoded(
        ev("keepalive"),
        CREATED,
        ev("codex.rate_limits"),
        ev("response.queued"),
        ev("response.novel"),
        COMPLETED,
    )
    assert [type(event) for event in found[:4]] == [Ping, Started, Ping, Ping]


# ── Anything ──────────────────────────────────────────────────────────────────────────────────────

KINDS = [
    "response.created",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.function_call_arguments.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.done",
    "response.output_text.annotation.added",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
    "novel",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner, max_size=2)
    ),
    max_leaves=4,
)
ITEMS = st.one_of(
    JUNK,
    st.sampled_from(
        [
            message("hi"),
            call(),
            reasoning("r", encrypted_content="gAAAA"),
            {"type": "web_search_call"},
            {"type": []},
        ]
    ),
)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={
        "output_index": JUNK | st.integers(0, 2),
        "content_index": JUNK | st.integers(0, 1),
        "item_id": JUNK,
        "delta": JUNK | st.text(max_size=3),
        "text": JUNK,
        "arguments": JUNK,
        "annotation": JUNK,
        "item": ITEMS,
        "response": JUNK | st.builds(lambda items: response(output=items), st.lists(ITEMS, max_size=2)),
    },
)


@given(st.lists(EVENTS, max_size=8))
def test_any_sequence_of_events_gives_a_legal_answer(events: list[Item]) -> None:
    """With exactly one end, and never an exception."""
    decoded(*events)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    """Strangers' servers send strange things."""
    decoder = ResponsesStreamDecoder()
    events = [event for piece in pieces for event in decoder.feed("x", piece)]
    grammar.check([*events, *decoder.close()])


@given(st.data())
def test_chunking_changes_nothing(data: st.DataObject) -> None:
    """Byte by byte or whole, the same events come."""
    raw = encoded(
        [CREATED, added(message()), delta("hé😀"), done(message("hé😀")), done(call(), 1), COMPLETED]
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    decoder, reader = sse.Decoder(), ResponsesStreamDecoder()
    found: list[Event] = []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        for event in decoder.feed(raw[start:end]):
            found += reader.feed(event.name, event.data or b"")
    assert collect(found) == collect(
        decoded(CREATED, added(message()), delta("hé😀"), done(message("hé😀")), done(call(), 1), COMPLETED)
    )


def spoken(part: Any) -> Any:
    """A part as this protocol can say it."""
    match part:
        case Text(text=words):
            return Text(words) if words else None
        case Thinking(text=words):
            return Thinking(words, None, summary=True) if words else None
        case Refusal(text=words):
            return part if words else None
        case ToolCall():
            return part
        case _:
            return None


@given(grammar.answers(broken=True))
def test_what_both_sides_can_say_survives_the_round(answer: Answer) -> None:
    """Encoded for a client and decoded again; calls keep their order among texts and reasoning."""
    parts = tuple(part for part in answer.parts if spoken(part))
    asked = GenerateRequest("m", protocol="openai-responses")
    encoder, decoder = ResponsesStreamEncoder(asked, "req_1"), ResponsesStreamDecoder()
    kept = Answer("r", "m", parts, Stop.MAX_TOKENS, answer.usage)
    found: list[Event] = []
    raw = b"".join(encoder.feed(event) for event in replay(kept))
    for event in sse.Decoder().feed(raw):
        found += decoder.feed(event.name, event.data or b"")
    result = collect(found)
    assert isinstance(result, Answer)
    said = [Text(part.text) if isinstance(part, Text) else part for part in result.parts]
    assert said == [spoken(part) for part in parts]
    assert result.usage.prompt == answer.usage.prompt
    assert result.usage.output == answer.usage.output


# ── Plain answers ─────────────────────────────────────────────────────────────────────────────────


def test_a_plain_answer() -> None:
    """What a stream ends with."""
    found = decode_answer(
        response(output=[reasoning("r"), message("hi"), call()], usage=USAGE, service_tier="flex")
    )
    assert found.parts == (Thinking("r", summary=True), Text("hi"), ToolCall("call_a", "f", '{"x":1}'))
    assert (found.stop, found.usage.cache_read, found.tier) == (Stop.TOOL_USE, 60, "flex")


def test_searches_are_counted_by_the_vendor_where_it_does() -> None:
    """Its word counts more than what shows."""
    found = decode_answer(response(tool_usage={"web_search": {"num_requests": 3}}))
    assert found.usage.web_searches == 3


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"object": "list", "data": []},
        response("failed", error={"message": "on fire"}),
        response("in_progress"),
        response("cancelled"),
    ],
)
def test_what_is_no_answer(document: Item) -> None:
    """Is not taken for one."""
    with pytest.raises(UpstreamUnexpected):
        decode_answer(document)


def test_arguments_stream_live() -> None:
    """A long file is seen growing."""
    decoder = ResponsesStreamDecoder()
    for event in (CREATED, added(call())):
        decoder.feed("", json.dumps(event).encode())
    assert list(decoder.feed("", json.dumps(arguments("BBB")).encode())) == [ArgumentsDelta(0, "BBB")]


# ── How the bytes are cut ─────────────────────────────────────────────────────────────────────────

RICH = encoded(
    [
        CREATED,
        added(reasoning()),
        delta("hé", stem="reasoning_summary_text"),
        done(reasoning("hé")),
        delta("🙂 words", 1),
        added(call(), 2),
        arguments('{"x"', 2),
        done(call(), 2),
        COMPLETED,
    ]
)


def read_in(pieces: list[bytes]) -> list[Event]:
    """The events of a stream that comes in these pieces."""
    cut, decoder = sse.Decoder(), ResponsesStreamDecoder()
    events: list[Event] = []
    for piece in pieces:
        for each in cut.feed(piece):
            events += decoder.feed(each.name, each.data or b"")
    return [*events, *decoder.close()]


@given(pieces=chunked(RICH))
def test_any_chunking(pieces: list[bytes]) -> None:
    """However the bytes are cut, the events are the same."""
    assert read_in(pieces) == read_in([RICH]) == read_in([RICH[n : n + 1] for n in range(len(RICH))])


@pytest.mark.parametrize("with_done", [True, False])
def test_two_items_with_one_id_are_two(with_done: bool) -> None:
    """Where the server gives them places of their own; their calls get ids of their own."""
    decoder = ResponsesStreamDecoder()
    events: list[Event] = []

    def feed(kind: str, **fields: Any) -> None:
        events.extend(decoder.feed(kind, json.dumps({"type": kind, **fields}).encode()))

    items = [
        {"type": "function_call", "id": "i", "call_id": "t", "name": name, "arguments": arguments}
        for name, arguments in (("f", '{"x":1}'), ("g", '{"x":2}'))
    ]
    for n, item in enumerate(items):
        feed("response.output_item.added", output_index=n, item=item | {"arguments": ""})
    for n, item in enumerate(items):
        feed("response.function_call_arguments.delta", output_index=n, item_id="i", delta=item["arguments"])
        if with_done:
            feed("response.output_item.done", output_index=n, item=item)
    feed("response.completed", response={"id": "r", "status": "completed", "output": items})
    answer = collect(events)
    assert isinstance(answer, Answer)
    assert answer.parts == (ToolCall("t", "f", '{"x":1}'), ToolCall("t_2", "g", '{"x":2}'))
