"""Chat streams of OpenAI and of every server that is like it, as events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.collect import collect
from shunt.inference.content import Refusal, Seal, SealForm, Text, Thinking, ToolCall
from shunt.inference.events import Event, Failed, PartFinished, Started, Stopped, TextDelta
from shunt.inference.failure import Failure
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat.stream_decoder import ChatStreamDecoder
from tests.inference.grammar import check
from tests.protocols.openai_chat.chunks import DONE, ROLE, USE, call, calls, chunk, decoded, events_of, wire
from tests.strategies import chunked

END = (chunk({}, "stop"), DONE)
CALLED = (chunk({}, "tool_calls"), DONE)
F, G = ToolCall("call_a", "f", '{"x":1}'), ToolCall("call_b", "g", '{"x":2}')


def answer(*chunks: Any) -> Answer:
    """What a stream says that must be whole."""
    found = collect(events_of(*chunks))
    assert isinstance(found, Answer), found
    return found


def failure(*chunks: Any) -> Failure:
    found = collect(events_of(*chunks))
    assert isinstance(found, Failure), found
    return found


def words(*chunks: Any) -> tuple[Any, ...]:
    return answer(*chunks).parts


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────


def test_text() -> None:
    """Text comes as it comes; the role and empty deltas begin no part."""
    events = events_of(
        chunk(ROLE), chunk({"content": ""}), chunk({"content": "hel"}), chunk({"content": "lo"}), *END
    )
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["hel", "lo"]
    assert events[0] == Started("chatcmpl-up1", "gpt-up", None, 17)
    assert [e.part for e in events if isinstance(e, PartFinished)] == [Text("hello")]


def test_all_in_the_first_chunk() -> None:
    """A first chunk may carry text, finish reason and usage at once."""
    got = answer(chunk({"role": "assistant", "content": "hi"}, "stop", usage=USE), DONE)
    assert (got.parts, got.stop, got.usage) == ((Text("hi"),), Stop.END_TURN, Usage(input=10, output=5))


def test_empty_answer() -> None:
    """An answer without a word has no parts."""
    assert words(chunk({"role": "assistant", "content": ""}), *END) == ()


def test_content_parts() -> None:
    """Content may come as a list of parts, with thinking among them."""
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "a"},
        "b",
        {"type": "image_url", "image_url": {"url": "x"}},
    ]
    assert words(chunk({"content": content}), *END) == (Thinking("hm"), Text("ab"))


def test_refusal() -> None:
    """A refusal is a part of its own, and the stop says so though the server does not."""
    got = answer(chunk({"role": "assistant", "refusal": "I "}), chunk({"refusal": "cannot."}), *END)
    assert (got.parts, got.stop) == ((Refusal("I cannot."),), Stop.REFUSAL)


def test_other_choices_are_ignored() -> None:
    """One answer was asked for; a second choice is nobody's."""
    second = {"index": 1, "delta": {"content": "other"}, "finish_reason": None}
    mixed = {**chunk({"content": "mine"}), "choices": [second, {"index": 0, "delta": {"content": "mine"}}]}
    assert words(mixed, *END) == (Text("mine"),)


def test_message_in_place_of_delta() -> None:
    """Some servers send the whole message in one chunk, under its plain name."""
    whole = {**chunk({}), "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}
    assert words(whole, DONE) == (Text("hi"),)


# ── Reasoning ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning(name: str) -> None:
    """Reasoning comes under either name, and the seal remembers which."""
    got = words(chunk(ROLE), chunk({name: "deep "}), chunk({name: "thought"}), chunk({"content": "a"}), *END)
    assert got == (
        Thinking(
            "deep thought", Seal("", SealForm.PLAIN, json.dumps({"field": name}, separators=(",", ":")))
        ),
        Text("a"),
    )


def test_reasoning_under_both_names() -> None:
    """Servers that fill both fields say the same in both."""
    got = words(chunk({"reasoning": "hm", "reasoning_content": "hm"}), *END)
    assert got == (Thinking("hm", Seal("", SealForm.PLAIN, '{"field":"reasoning_content"}')),)


def test_reasoning_details() -> None:
    """Pieces of a detail are put together; the seal holds them for their server."""
    first = {"type": "reasoning.text", "index": 0, "text": "de", "format": "x"}
    second = {"type": "reasoning.text", "index": 0, "text": "ep"}
    third = {"type": "reasoning.text", "index": 0, "signature": "SIG"}
    got = words(
        *(chunk({"reasoning_details": [d]}) for d in (first, second, third)), chunk({"content": "a"}), *END
    )
    assert isinstance(got[0], Thinking)
    assert got[0].text == "deep"
    assert got[0].seal is not None
    held = json.loads(got[0].seal.payload)
    assert held["details"] == [
        {"type": "reasoning.text", "index": 0, "text": "deep", "format": "x", "signature": "SIG"}
    ]


def test_sealed_calls() -> None:
    """What Gemini seals in a call becomes reasoning before the call."""
    extra = {"google": {"thought_signature": "SIG"}}
    entry = {**call(0, "call_a", "f", '{"x":1}'), "extra_content": extra}
    got = words(chunk({"content": "a"}), chunk(calls(entry)), chunk({}, "tool_calls"), DONE)
    assert [type(part) for part in got] == [Text, Thinking, ToolCall]
    assert got[1].seal is not None
    assert json.loads(got[1].seal.payload) == {"calls": {"call_a": extra}}


def test_sealed_reasoning_without_words() -> None:
    """Encrypted reasoning is kept though it says nothing."""
    got = words(
        chunk({"content": "a"}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "E"}]}),
        *END,
    )
    assert got[0] == Text("a")
    assert isinstance(got[1], Thinking)
    assert got[1].seal is not None


def test_reasoning_only() -> None:
    """An answer that is all reasoning is whole."""
    assert answer(chunk({"reasoning_content": "hm"}), *END).stop is Stop.END_TURN


def test_one_chunk_with_everything() -> None:
    """Reasoning, text and a call in one chunk are three parts in this order."""
    delta = {"reasoning_content": "hm", "content": "a", **calls(call(0, "call_a", "f", '{"x":1}'))}
    assert words(chunk(delta), *CALLED)[1:] == (Text("a"), F)


# ── Sources ───────────────────────────────────────────────────────────────────────────────────────


def source(start: int, end: int, url: str = "https://example.org/a") -> dict[str, Any]:
    return {
        "type": "url_citation",
        "url_citation": {"url": url, "title": "A", "start_index": start, "end_index": end},
    }


def test_annotations() -> None:
    """Sources belong to the text they were given with, counted from its start."""
    got = words(
        chunk({"content": "aé😀"}),
        chunk(calls(call(0, "call_a", "f", "{}"))),
        chunk({"content": "bcd"}),
        chunk({"annotations": [source(4, 6), {"type": "novel"}, source(1, 2)]}),
        *CALLED,
    )
    text = got[2]
    assert isinstance(text, Text)
    assert [(c.url, c.title, c.start, c.end) for c in text.citations] == [
        ("https://example.org/a", "A", 1, 3),
        ("https://example.org/a", "A", None, None),
    ]


def test_annotations_before_the_text() -> None:
    """Sources that come first wait for their text."""
    got = words(chunk({"role": "assistant", "annotations": [source(0, 1)]}), chunk({"content": "hi"}), *END)
    assert isinstance(got[0], Text)
    assert [c.start for c in got[0].citations] == [0]


# ── Usage ─────────────────────────────────────────────────────────────────────────────────────────

CACHED = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 75}}


@pytest.mark.parametrize(
    "chunks",
    [
        (chunk({"content": "x"}), chunk({}, "stop"), chunk(usage=CACHED), DONE),
        (chunk({"content": "x"}), chunk({}, "stop", usage=CACHED), DONE),
        (chunk({"content": "x"}, usage=USE), chunk({}, "stop", usage=CACHED), DONE),
        (chunk(usage=CACHED), chunk({"content": "x"}), *END),
        (chunk({"content": "x"}), chunk({}, "stop"), chunk(x_groq={"usage": CACHED}), DONE),
        (
            chunk({"content": "x"}),
            {**chunk({}), "choices": [{"finish_reason": "stop", "usage": CACHED}]},
            DONE,
        ),
        (chunk({"content": "x"}), chunk({}, "stop", usage=CACHED), chunk(usage={}), chunk(usage=None), DONE),
    ],
)
def test_usage_on_any_chunk(chunks: tuple[Any, ...]) -> None:
    """Usage counts wherever it stands; the last that says something holds."""
    assert answer(*chunks).usage == Usage(input=25, cache_read=75, output=5)


def test_no_usage() -> None:
    """An answer without usage is an answer."""
    assert answer(chunk({"content": "x"}), *END).usage == Usage()


# ── Ends ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reason", "stop", "unknown"),
    [
        ("content_filter", Stop.REFUSAL, ""),
        ("length", Stop.MAX_TOKENS, ""),
        ("eos_token", Stop.END_TURN, "eos_token"),
    ],
)
def test_finish_reasons(reason: str, stop: Stop, unknown: str) -> None:
    """Finish reasons are told in our words."""
    got = answer(chunk({"content": "x"}), chunk({}, reason), DONE)
    assert (got.stop, got.unknown_stop) == (stop, unknown)


def test_end_without_done() -> None:
    """After a finish reason `[DONE]` may be missing."""
    assert words(chunk({"content": "x"}), chunk({}, "stop")) == (Text("x"),)


def test_done_without_finish() -> None:
    """`[DONE]` after words is an end even where the server gives no reason."""
    assert answer(chunk({"content": "x"}), DONE).stop is Stop.END_TURN


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (chunk(ROLE),),
        (chunk({"content": "par"}), chunk({"content": "tial"})),
        (chunk(calls(call(0, "call_a", "f", '{"x":'))),),
        (DONE,),
        (chunk(ROLE), DONE),
        (chunk({"content": "a"}), chunk(calls(call(0, "call_a", "f", '{"x":'))), DONE),
        (chunk(), chunk(usage=USE), DONE),
        (chunk({"content": "x"}), chunk({}, "error"), DONE),
        (chunk({"content": "x"}), chunk({}, "insufficient_system_resource"), DONE),
    ],
)
def test_broken(chunks: tuple[Any, ...]) -> None:
    """What the server did not finish is a failure, never a success."""
    assert failure(*chunks).kind is Kind.UPSTREAM


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, Kind.RATE_LIMITED),
        ({"error": "boom"}, Kind.UPSTREAM),
        ([{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}], Kind.RATE_LIMITED),
        ({"object": "error", "message": "boom", "code": 500}, Kind.INTERNAL),
        ({"type": "error", "message": "boom"}, Kind.UPSTREAM),
        ({"detail": "boom"}, Kind.UPSTREAM),
        ({**chunk({}, "error"), "error": {"message": "boom"}}, Kind.UPSTREAM),
        ({"error": {"message": "slow down", "code": 429}}, Kind.RATE_LIMITED),
        ({"error": {"message": "slow down", "code": 7}}, Kind.UPSTREAM),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
def test_errors(error: Any, kind: Kind, finished: bool) -> None:
    """An error in any shape ends the stream, also after a finish reason."""
    before = (chunk({"content": "x"}), *((chunk({}, "stop"),) if finished else ()))
    events = events_of(*before, error, chunk({"content": "ghost"}), *END)
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.kind is kind
    assert events[-1].failure.message


def test_named_error_event() -> None:
    """An event named `error` is one, whatever its data looks like."""
    events = decoded([b'event: error\ndata: {"message": "boom"}\n\n'])
    assert [type(e) for e in events] == [Failed]


def test_nothing_after_the_end() -> None:
    """What follows the finish reason or `[DONE]` is not the answer."""
    tail = (chunk({"content": "ghost"}), chunk({}, "length"), DONE, chunk({"content": "ghost"}), *END)
    assert words(chunk({"content": "hi"}), chunk({}, "stop"), *tail) == (Text("hi"),)


def test_stray_chunks() -> None:
    """Chunks without choices, with null choices, and lines that are no JSON change nothing."""
    got = words(chunk(), {**chunk(), "choices": None}, chunk({"content": "hi"}), "not json", "[]", "7", *END)
    assert got == (Text("hi"),)


def test_tier() -> None:
    """The service tier is told at the end."""
    events = events_of(chunk({"content": "x"}, service_tier="flex"), *END)
    assert [e.tier for e in events if isinstance(e, Stopped)] == ["flex"]


# ── Any bytes ─────────────────────────────────────────────────────────────────────────────────────

RICH = wire(
    chunk(ROLE),
    chunk({"reasoning_content": "grüße"}),
    chunk({"content": "😀 héllo\u2028"}),
    chunk(calls(call(0, "call_a", "f", '{"x":'))),
    chunk(calls(call(1, "call_b", "g", '{"x":2}'))),
    chunk(calls(call(0, arguments="1}"))),
    chunk({}, "tool_calls"),
    chunk(usage=USE),
    DONE,
)


@given(pieces=chunked(RICH))
@settings(max_examples=60)
def test_any_chunking(pieces: list[bytes]) -> None:
    """However the bytes are cut, the events are the same."""
    assert decoded(pieces) == decoded([RICH])


JUNK = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, "", "x", "{}", '{"a":1}', "stop", "tool_calls", "error"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "choices",
                        "delta",
                        "message",
                        "content",
                        "text",
                        "type",
                        "index",
                        "id",
                        "name",
                        "function",
                    ),
                    *(
                        "arguments",
                        "custom",
                        "input",
                        "tool_calls",
                        "function_call",
                        "finish_reason",
                        "usage",
                    ),
                    *(
                        "reasoning",
                        "reasoning_content",
                        "reasoning_details",
                        "refusal",
                        "annotations",
                        "url_citation",
                    ),
                    *(
                        "url",
                        "error",
                        "thinking",
                        "prompt_tokens",
                        "model",
                        "created",
                        "service_tier",
                        "x_groq",
                    ),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.lists(
        st.one_of(
            JUNK,
            JUNK.map(lambda junk: chunk({"content": "x", "tool_calls": junk})),
            JUNK.map(lambda junk: {"choices": [{"delta": junk}]}),
            st.sampled_from([chunk(ROLE), chunk({"content": "hi"}), chunk({}, "stop")]),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_any_document(documents: list[Any], done: bool) -> None:
    """Whatever a server sends, the events are legal and have an end."""
    decoder = ChatStreamDecoder()
    events: list[Event] = []
    for document in documents:
        events += decoder.feed("", json.dumps(document).encode())
    if done:
        events += decoder.feed("", b"[DONE]")
    check([*events, *decoder.close()])


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes(pieces: list[bytes]) -> None:
    """Data that is no JSON is a broken answer, not a crash."""
    decoder = ChatStreamDecoder()
    events = [event for piece in pieces for event in decoder.feed("", piece)]
    check([*events, *decoder.close()])
