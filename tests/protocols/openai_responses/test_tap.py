"""Reading along Responses answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from shunt.errors import Kind
from shunt.inference.usage import Usage
from shunt.protocols.openai_responses.tap import ResponsesStreamTap, body_tap
from shunt.protocols.stream_tap import EVENT_LIMIT
from tests.strategies import chunked

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 75},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
}


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': 0, **fields})}\n\n".encode()


CREATED = event(
    "response.created", response={"id": "resp_1", "model": "gpt-x", "status": "in_progress", "error": None}
)
PROGRESS = event("response.in_progress", response={"id": "resp_1", "model": "gpt-x"})
ADDED = event("response.output_item.added", output_index=0, item={"type": "message"})
DELTA = event("response.output_text.delta", delta="hi")
DONE = event("response.output_item.done", output_index=0, item={"type": "message"})
COMPLETED = event(
    "response.completed",
    response={"id": "resp_1", "model": "gpt-x", "error": None, "output": [], "usage": USAGE},
)
WHOLE = [CREATED, PROGRESS, ADDED, DELTA, DELTA, DONE, COMPLETED]


def read(*chunks: bytes) -> ResponsesStreamTap:
    tap = ResponsesStreamTap()
    for chunk in chunks:
        tap.feed(chunk)
    return tap


@pytest.mark.parametrize(
    ("events", "content", "finished"),
    [
        ([CREATED, PROGRESS, event("response.queued", response={})], False, False),
        ([CREATED, event("codex.rate_limits", x=1), event("keepalive")], False, False),
        ([CREATED, ADDED], True, False),
        ([CREATED, DELTA], True, False),
        ([CREATED, COMPLETED], False, True),
        ([CREATED, event("response.incomplete", response={"usage": USAGE})], False, True),
        ([CREATED, ADDED, event("response.incomplete", response={"usage": USAGE})], True, True),
        (WHOLE, True, True),
    ],
)
def test_how_far_a_stream_has_come(events: list[bytes], content: bool, finished: bool) -> None:
    """A stream that has only been created can still be asked for elsewhere."""
    tap = read(*events)
    assert (tap.content, tap.finished, tap.failure) == (content, finished, None)


@given(chunks=chunked(b"".join(WHOLE)))
def test_usage_and_model_in_any_chunking(chunks: list[bytes]) -> None:
    """The terminal event holds the usage."""
    tap = read(*chunks)
    assert tap.usage == Usage(input=25, cache_read=75, output=9, reasoning=4)
    assert (tap.model, tap.finished) == ("gpt-x", True)


@pytest.mark.parametrize("before", [[CREATED], [CREATED, ADDED, DELTA]])
def test_a_failed_response_is_a_failure_and_an_end(before: list[bytes]) -> None:
    """Code and words of the vendor are kept, and usage that was already spent."""
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    tap = read(*before, event("response.failed", response={"error": error, "usage": USAGE}))
    assert tap.failure is not None
    assert (tap.failure.kind, tap.failure.message) == (Kind.RATE_LIMITED, "Slow down")
    assert (tap.finished, tap.usage.output) == (True, 9)


def test_a_failed_response_without_words_is_a_failure_too() -> None:
    """Whatever is missing in it."""
    for failed in (event("response.failed"), event("response.failed", response={"error": None})):
        tap = read(failed)
        assert tap.failure is not None
        assert tap.failure.message


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "server_is_overloaded", "message": "busy"},
        {"error": {"code": "server_is_overloaded", "message": "busy"}},
    ],
)
def test_an_error_event_is_a_failure(fields: dict[str, Any]) -> None:
    """Flat as the API documents it, or nested as the chat backend sends it."""
    tap = read(CREATED, event("error", **fields))
    assert tap.failure is not None
    assert (tap.failure.kind, tap.failure.message) == (Kind.OVERLOADED, "busy")


def test_text_that_quotes_events_is_only_text() -> None:
    """Agents write about their own protocol."""
    tap = read(
        CREATED,
        ADDED,
        event("response.output_text.delta", delta='response.completed "error" response.failed'),
    )
    assert (tap.finished, tap.failure) == (False, None)


def test_a_terminal_event_of_any_size_is_an_end() -> None:
    """It repeats the whole answer; past the limit its usage is lost, but not the end."""
    tap = read(
        CREATED,
        ADDED,
        b'event: response.completed\ndata: {"type":"response.completed","response":{"output":["',
    )
    for _ in range(EVENT_LIMIT // 65536 + 2):
        tap.feed(b"x" * 65536)
    tap.feed(b'"]}}\n\n')
    assert (tap.finished, tap.failure) == (True, None)


def test_a_plain_answer() -> None:
    """Model and usage of a JSON body; `error` is null in a good one."""
    tap = body_tap()
    tap.feed(json.dumps({"model": "gpt-x", "error": None, "output": [], "usage": USAGE}).encode())
    tap.close()
    assert (tap.model, tap.usage.output, tap.finished, tap.failure) == ("gpt-x", 9, True, None)
