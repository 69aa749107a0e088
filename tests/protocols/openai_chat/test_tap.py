"""Reading along Chat Completions answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from shunt.errors import Kind
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat.tap import ChatStreamTap, body_tap
from tests.strategies import chunked


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return f"data: {json.dumps({'id': 'c', 'model': 'gpt-x', 'choices': choices, **more})}\n\n".encode()


ROLE = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "hi"}, usage=None)
FINISH = chunk({}, "stop")
USAGE = chunk(
    None, usage={"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 75}}
)
DONE = b"data: [DONE]\n\n"
WHOLE = [ROLE, TEXT, TEXT, FINISH, USAGE, DONE]


def read(*chunks: bytes) -> ChatStreamTap:
    tap = ChatStreamTap()
    for piece in chunks:
        tap.feed(piece)
    return tap


@pytest.mark.parametrize(
    ("delta", "content"),
    [
        ({"role": "assistant"}, False),
        ({"role": "assistant", "content": None, "refusal": None}, False),
        ({"content": "x"}, True),
        ({"reasoning_content": "x"}, True),
        ({"tool_calls": [{"index": 0}]}, True),
        ({"role": "assistant", "content": "x"}, True),
    ],
)
def test_what_is_content(delta: dict[str, Any], content: bool) -> None:
    """Anything but the role and emptiness."""
    assert read(chunk(delta)).content is content


@given(chunks=chunked(b"".join(WHOLE)))
def test_usage_and_model_in_any_chunking(chunks: list[bytes]) -> None:
    """Usage comes in a chunk of its own, after the finish reason."""
    tap = read(*chunks)
    assert tap.usage == Usage(input=25, cache_read=75, output=7)
    assert (tap.model, tap.content, tap.finished, tap.failure) == ("gpt-x", True, True, None)


def test_everything_in_one_chunk() -> None:
    """Some servers put content, finish reason and usage together."""
    tap = read(
        chunk(
            {"role": "assistant", "content": "x"}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 1}
        )
    )
    assert (tap.content, tap.usage) == (True, Usage(input=3, output=1))


def test_a_stream_without_done_is_finished_by_its_finish_reason() -> None:
    """But only once it has closed: the usage may still come."""
    tap = read(ROLE, TEXT, FINISH)
    assert not tap.finished
    tap.close()
    assert tap.finished


def test_a_stream_without_finish_reason_is_not_finished() -> None:
    """A clean end in the middle is a broken answer."""
    tap = read(ROLE, TEXT)
    tap.close()
    assert not tap.finished


@pytest.mark.parametrize("before", [[], [ROLE, TEXT]])
def test_an_error_chunk_is_a_failure(before: list[bytes]) -> None:
    """Before content and after it."""
    tap = read(*before, b'data: {"error":{"message":"slow","code":"rate_limit_exceeded"}}\n\n')
    assert tap.failure is not None
    assert tap.failure.kind is Kind.RATE_LIMITED


def test_text_that_quotes_the_protocol_is_only_text() -> None:
    """Neither `[DONE]` nor an error inside a string ends anything."""
    tap = read(
        ROLE, TEXT, chunk({"content": '[DONE] "error" "usage":{"prompt_tokens":5} "finish_reason":"stop"'})
    )
    tap.close()
    assert (tap.finished, tap.failure, tap.usage) == (False, None, Usage())


def test_comments_and_ids_are_nothing() -> None:
    """OpenRouter sends comments, others ids."""
    tap = read(b": OPENROUTER PROCESSING\n\n", b"id: 5\nretry: 1\n\n")
    assert (tap.content, tap.finished, tap.failure) == (False, False, None)


def test_a_plain_answer() -> None:
    """Model and usage of a JSON body."""
    tap = body_tap()
    tap.feed(b'{"model":"gpt-x","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5}}')
    tap.close()
    assert (tap.model, tap.usage, tap.finished) == ("gpt-x", Usage(input=10, output=5), True)


def test_a_flat_error_event_is_a_failure() -> None:
    """Some gateways name the event and send the error's fields without the `error` around them."""
    tap = read(b'event: error\ndata: {"message":"flat","code":429}\n\n')
    assert tap.failure is not None
    assert (tap.failure.kind, tap.failure.message) == (Kind.RATE_LIMITED, "flat")
