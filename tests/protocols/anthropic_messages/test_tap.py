"""Reading along Messages answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.tap import MessagesStreamTap, body_tap
from tests.strategies import chunked


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


START = event(
    "message_start",
    message={
        "model": "claude-x",
        "content": [],
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 3, "output_tokens": 1},
    },
)
PING = event("ping")
OPEN = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hi"})
CLOSE = event("content_block_stop", index=0)
TOTALS = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 50})
STOP = event("message_stop")
ERROR = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
WHOLE = [START, PING, OPEN, DELTA, CLOSE, TOTALS, STOP]


def read(*chunks: bytes) -> MessagesStreamTap:
    tap = MessagesStreamTap()
    for chunk in chunks:
        tap.feed(chunk)
    return tap


@pytest.mark.parametrize(
    ("events", "content", "finished"),
    [
        ([], False, False),
        ([START], False, False),
        ([START, PING, event("future_event", q=1)], False, False),
        ([START, OPEN], True, False),
        ([START, DELTA], True, False),
        ([START, TOTALS], False, False),
        ([START, TOTALS, STOP], False, True),
        (WHOLE, True, True),
    ],
)
def test_how_far_a_stream_has_come(events: list[bytes], content: bool, finished: bool) -> None:
    """A stream without an opened block can still be asked for elsewhere."""
    tap = read(*events)
    assert (tap.content, tap.finished, tap.failure) == (content, finished, None)


@given(chunks=chunked(b"".join(WHOLE)))
def test_usage_and_model_in_any_chunking(chunks: list[bytes]) -> None:
    """Input from the start, totals from the end."""
    tap = read(*chunks)
    assert tap.usage == Usage(input=10, cache_read=3, output=50)
    assert (tap.model, tap.finished) == ("claude-x", True)


@pytest.mark.parametrize("before", [[], [START], [START, OPEN, DELTA]])
def test_an_error_event_is_a_failure(before: list[bytes]) -> None:
    """Before content and after it."""
    tap = read(*before, ERROR)
    assert tap.failure is not None
    assert (tap.failure.kind, tap.failure.message) == (Kind.OVERLOADED, "Overloaded")
    assert tap.content is (DELTA in before)
    assert not tap.finished


@given(
    st.sampled_from(
        ["message_stop", '{"type":"message_stop"}', "event: message_stop\n\n", '"error"', "message_delta"]
    )
)
def test_text_that_quotes_events_is_only_text(text: str) -> None:
    """Agents write about their own protocol."""
    quoting = event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
    tap = read(START, OPEN, quoting, CLOSE)
    assert (tap.finished, tap.failure, tap.usage.output) == (False, None, 1)


def test_events_without_names_are_read() -> None:
    """Some compatible servers leave the `event:` lines out, or put blanks where they like."""
    raw = b"".join(WHOLE).replace(b"event: ", b"x: ").replace(b'"type": ', b'"type"  :')
    assert read(raw).finished


def test_a_last_event_without_its_empty_line() -> None:
    """The end counts when the connection closes."""
    tap = read(*WHOLE[:-1], STOP.rstrip())
    assert not tap.finished
    tap.close()
    assert tap.finished


def test_a_plain_answer() -> None:
    """Model, usage and end of a JSON body."""
    tap = body_tap()
    tap.feed(b'{"model":"claude-x","content":[],"usage":{"input_tokens":10,"output_tokens":5}}')
    tap.close()
    assert (tap.model, tap.usage, tap.finished) == ("claude-x", Usage(input=10, output=5), True)


def test_a_flat_error_event_is_a_failure() -> None:
    """Some gateways name the event and send the error's fields without type or `error` around them."""
    tap = read(b'event: error\ndata: {"message":"flat","code":429}\n\n')
    assert tap.failure is not None
    assert (tap.failure.kind, tap.failure.message) == (Kind.RATE_LIMITED, "flat")
