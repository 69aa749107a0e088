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
from shunt.inference.events import ArgumentsDelta, Event, Failed, Ping, Started, TextDelta
from shunt.inference.failure import Failure
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_responses.stream_decoder import ResponsesStreamDecoder, decode_answer
from shunt.protocols.openai_responses.stream_encoder import ResponsesStreamEncoder
from shunt.wire import sse
from tests.inference import grammar
from tests.protocols.openai_responses.client import encoded

Item = dict[str, Any]
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
}


def ev(kind: str, **fields: Any) -> Item:
    return {"type": kind, **fields}


def response(status: str = "completed", output: list[Any] | None = None, **fields: Any) -> Item:
    return {
        "id": "resp_up",
        "model": "gpt-up",
        "created_at": 1_700_000_000,
        "status": status,
        "output": output or [],
        **fields,
    }


CREATED = ev("response.created", response=response("in_progress"))
COMPLETED = ev("response.completed", response=response(usage=USAGE))


def message(*texts: str, **fields: Any) -> Item:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **fields}


def call(call_id: str = "call_a", arguments: str = '{"x":1}', **fields: Any) -> Item:
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": "f",
        "arguments": arguments,
        **fields,
    }


def added(item: Item, index: int = 0) -> Item:
    empty = {"content": []} if item["type"] == "message" else {"arguments": ""} if "arguments" in item else {}
    return ev("response.output_item.added", output_index=index, item={**item, **empty})


def done(item: Item, index: int = 0) -> Item:
    return ev("response.output_item.done", output_index=index, item=item)


def delta(words: str, index: int = 0, part: int = 0, stem: str = "output_text") -> Item:
    return ev(f"response.{stem}.delta", output_index=index, content_index=part, delta=words)


def decoded(*events: Item) -> list[Event]:
    decoder = ResponsesStreamDecoder()
    found: list[Event] = []
    for event in sse.Decoder().feed(encoded(events)):
        found += decoder.feed(event.name, event.data or b"")
    found += decoder.close()
    grammar.check(found)
    return found


def answered(*events: Item) -> Answer:
    found = collect(decoded(*events))
    assert isinstance(found, Answer), found
    return found


def failed(*events: Item) -> Failure:
    found = collect(decoded(*events))
    assert isinstance(found, Failure), found
    return found


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_streams() -> None:
    """With who answered, and what it cost: cached tokens apart from the rest of the input."""
    found = answered(CREATED, added(message()), delta("hel"), delta("lo"), done(message("hello")), COMPLETED)
    assert (found.id, found.model, found.created) == ("resp_up", "gpt-up", 1_700_000_000)
    assert found.parts == (Text("hello"),)
    assert found.usage == Usage(30, 60, 10, 0, 9, 4)


def test_all_parts_of_all_messages_are_kept() -> None:
    """Each a text of its own."""
    first, second = message("one", "two"), message("three", id="msg_2")
    found = answered(
        CREATED,
        added(first),
        delta("one"),
        delta("two", part=1),
        done(first),
        added(second, 1),
        delta("three", 1),
        done(second, 1),
        COMPLETED,
    )
    assert found.parts == (Text("one"), Text("two"), Text("three"))


@pytest.mark.parametrize(
    "events",
    [
        [done(message("hello"))],
        [added(message()), done(message("hello"))],
        [added(message()), delta("hel"), done(message("hello"))],
        [
            added(message()),
            delta("hel"),
            ev("response.output_text.done", output_index=0, content_index=0, text="hello"),
        ],
        [delta("hello")],
        [ev("response.completed", response=response(output=[message("hello")]))],
        [
            added(message()),
            delta("hel"),
            ev("response.completed", response=response(output=[message("hello")])),
        ],
    ],
    ids=[
        "done only",
        "no deltas",
        "few deltas",
        "text done",
        "no item",
        "end only",
        "few deltas and the end",
    ],
)
def test_only_what_is_missing_is_filled_in(events: list[Item]) -> None:
    """From whichever event repeats the whole."""
    assert answered(CREATED, *events, COMPLETED).parts == (Text("hello"),)


def test_a_whole_that_contradicts_its_deltas_changes_nothing() -> None:
    """What was told cannot be taken back."""
    assert answered(CREATED, delta("hello"), done(message("help")), COMPLETED).parts == (Text("hello"),)


def test_words_are_passed_on_at_once() -> None:
    """Not when their item is done."""
    decoder = ResponsesStreamDecoder()
    decoder.feed("", json.dumps(CREATED).encode())
    assert decoder.feed("", json.dumps(delta("hi")).encode())[-1] == TextDelta(0, "hi")


def test_refusals() -> None:
    """The model declines; the answer stops for that."""
    item = message()
    item["content"] = [{"type": "refusal", "refusal": "no"}]
    found = answered(CREATED, added(item), delta("n", stem="refusal"), done(item), COMPLETED)
    assert (found.parts, found.stop) == ((Refusal("no"),), Stop.REFUSAL)


def test_citations() -> None:
    """As they come, or with the item."""
    note = {
        "type": "url_citation",
        "url": "https://e.example",
        "title": "E",
        "start_index": 0,
        "end_index": 2,
    }
    other = {**note, "url": "https://f.example"}
    item = message("hi")
    item["content"][0]["annotations"] = [note, other]
    cite = ev("response.output_text.annotation.added", output_index=0, content_index=0, annotation=note)
    text = answered(CREATED, added(item), delta("hi"), cite, done(item), COMPLETED).parts[0]
    assert isinstance(text, Text)
    assert text.citations == (
        Citation("https://e.example", "E", "", 0, 2, note),
        Citation("https://f.example", "E", "", 0, 2, other),
    )


# ── Reasoning ─────────────────────────────────────────────────────────────────────────────────────


def reasoning(*summary: str, **fields: Any) -> Item:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": "rs_1", "summary": parts, **fields}


def summed(words: str, part: int = 0) -> Item:
    return ev("response.reasoning_summary_text.delta", output_index=0, summary_index=part, delta=words)


SEALED = Seal("", SealForm.ENCRYPTED, "gAAAAABo")


@pytest.mark.parametrize(
    "events",
    [
        [
            added(reasoning()),
            summed("a"),
            summed("b", 1),
            done(reasoning("a", "b", encrypted_content="gAAAAABo")),
        ],
        [done(reasoning("a", "b", encrypted_content="gAAAAABo"))],
        [summed("a"), done(reasoning("a", "b", encrypted_content="gAAAAABo"))],
    ],
)
def test_summaries_are_thinking(events: list[Item]) -> None:
    """Their parts apart by a blank line, and the proof with them."""
    assert answered(CREATED, *events, COMPLETED).parts == (Thinking("a\n\nb", SEALED, summary=True),)


def test_open_reasoning_is_thinking_too() -> None:
    """Servers that send both say it twice."""
    words = [{"type": "reasoning_text", "text": "raw"}]
    raw = ev("response.reasoning_text.delta", output_index=0, content_index=0, delta="raw")
    found = answered(
        CREATED, added(reasoning()), raw, summed("short"), done(reasoning("short", content=words)), COMPLETED
    )
    assert found.parts == (Thinking("raw"),)


def test_reasoning_that_shows_nothing() -> None:
    """Its proof is kept; without one there is nothing."""
    assert answered(CREATED, done(reasoning(encrypted_content="gAAAAABo")), COMPLETED).parts == (
        Thinking("", SEALED),
    )
    assert answered(CREATED, added(reasoning()), done(reasoning()), COMPLETED).parts == ()


# ── Calls ─────────────────────────────────────────────────────────────────────────────────────────


def arguments(piece: str, index: int = 0) -> Item:
    return ev("response.function_call_arguments.delta", output_index=index, item_id="x", delta=piece)


@pytest.mark.parametrize(
    "events",
    [
        [added(call()), arguments('{"x"'), arguments(":1}"), done(call())],
        [
            added(call()),
            arguments('{"x"'),
            ev("response.function_call_arguments.done", output_index=0, arguments='{"x":1}'),
        ],
        [added(call()), arguments('{"x"'), done(call())],
        [arguments('{"x"'), done(call())],
        [done(call(arguments={"x": 1}))],  # type: ignore[arg-type]  # as some servers write it
        [added(call())],
    ],
    ids=["whole", "arguments done", "few deltas", "not added", "object", "end only"],
)
def test_calls(events: list[Item]) -> None:
    """Whatever of them was left out; the ChatGPT backend ends with an empty list."""
    end = ev("response.completed", response=response(output=[call()] if len(events) == 1 else []))
    found = answered(CREATED, *events, end)
    assert (found.parts, found.stop) == ((ToolCall("call_a", "f", '{"x":1}'),), Stop.TOOL_USE)


def test_calls_may_overlap() -> None:
    """Their arguments go to the item that they name."""
    a, b = call("call_a", '{"a":1}'), call("call_b", '{"b":2}')
    found = answered(
        CREATED,
        added(a),
        added(b, 1),
        arguments('{"a"'),
        arguments('{"b"', 1),
        arguments(":1}"),
        arguments(":2}", 1),
        done(a),
        done(b, 1),
        COMPLETED,
    )
    assert [part.arguments for part in found.parts if isinstance(part, ToolCall)] == ['{"a":1}', '{"b":2}']


def test_items_that_share_an_index_are_told_apart() -> None:
    """By their ids, as some servers number every item 0."""
    text, tool = message("hi"), call()
    piece = ev("response.function_call_arguments.delta", output_index=0, item_id="fc_call_a", delta='{"x":1}')
    found = answered(CREATED, added(text), delta("hi"), added(tool), piece, done(tool), done(text), COMPLETED)
    assert found.parts == (Text("hi"), ToolCall("call_a", "f", '{"x":1}'))


def test_items_without_any_index() -> None:
    """Each is the one that was last."""
    events = [
        added(message()),
        delta("hi"),
        done(message("hi")),
        added(call()),
        arguments('{"x":1}'),
        done(call()),
    ]
    bare = [
        {name: value for name, value in event.items() if name not in ("output_index", "item_id")}
        for event in events
    ]
    end = ev("response.completed", response=response(output=[message("hi"), call()]))
    assert answered(CREATED, *bare, end).parts == (Text("hi"), ToolCall("call_a", "f", '{"x":1}'))


def test_indexes_that_do_not_begin_at_zero() -> None:
    """The end repeats the items in order; none is taken twice."""
    end = ev("response.completed", response=response(output=[message("hi", id="msg_other")]))
    assert answered(CREATED, added(message(), 1), delta("hi", 1), done(message("hi"), 1), end).parts == (
        Text("hi"),
    )


def test_custom_calls_and_namespaces() -> None:
    """Free text; and the namespace that the vendor knows."""
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_c", "name": "patch", "input": "***"}
    piece = ev("response.custom_tool_call_input.delta", output_index=0, delta="*")
    found = answered(
        CREATED, added({**custom, "input": ""}), piece, done(custom), done(call(namespace="fs"), 1), COMPLETED
    )
    assert found.parts == (
        ToolCall("call_c", "patch", "***", custom=True),
        ToolCall("call_a", "f", '{"x":1}', namespace="fs"),
    )


def test_empty_arguments_are_an_empty_object() -> None:
    """As every client expects."""
    assert answered(CREATED, done(call(arguments="")), COMPLETED).parts == (ToolCall("call_a", "f", "{}"),)


def test_a_call_without_a_name_cannot_be_made() -> None:
    """Better an error than a call of nothing."""
    assert (
        "without the tool's name" in failed(CREATED, arguments("{}"), done(call(name="")), COMPLETED).message
    )


def test_searches() -> None:
    """A call and what it found; only searches count, not pages that were opened."""
    source = {"type": "url", "url": "https://e.example"}
    found = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "cats", "sources": [source]},
    }
    opened = {
        "type": "web_search_call",
        "id": "ws_2",
        "status": "completed",
        "action": {"type": "open_page", "url": "https://e.example"},
    }
    answer = answered(
        CREATED,
        added(found),
        ev("response.web_search_call.searching", output_index=0),
        done(found),
        done(opened, 1),
        COMPLETED,
    )
    assert answer.parts[0] == HostedCall("ws_1", "web_search", '{"query":"cats"}', "completed", found)
    assert answer.parts[1] == HostedResult("ws_1", "web_search", (SearchHit("https://e.example"),), raw=found)
    assert answer.usage.web_searches == 1


def test_other_items_are_kept_whole() -> None:
    """They mean something to clients of this protocol."""
    item = {"type": "image_generation_call", "id": "ig_1", "result": "aGk=", "revised_prompt": "a cat"}
    assert answered(CREATED, done(item), COMPLETED).parts == (
        Foreign("openai-responses", "image_generation_call", item, "[An image was generated: a cat]"),
    )


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
    decoder, reader, found = sse.Decoder(), ResponsesStreamDecoder(), []
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
