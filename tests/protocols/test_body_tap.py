"""Plain JSON answers."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import Kind
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.errors import decode_error
from shunt.protocols.anthropic_messages.usage import read_usage
from shunt.protocols.body_tap import HEAD, TAIL, WHOLE, BodyTap


def read(*chunks: bytes) -> BodyTap:
    tap = BodyTap(read_usage, decode_error)
    for chunk in chunks:
        tap.feed(chunk)
    tap.close()
    return tap


SMALL = b'{"id":"msg_1","model":"claude-x","content":[{"type":"text","text":"hi"}],"usage":{"input_tokens":3,"output_tokens":2}}'


@pytest.mark.parametrize(
    "body",
    [
        SMALL,
        b'{"usage":{"input_tokens":3,"output_tokens":2},"content":[{"usage":{"input_tokens":9}}],"model":"claude-x"}',
        b'{"model":"claude-x","usage":{"input_tokens":3,"output_tokens":2},"odd":NaN}',
    ],
)
def test_model_and_usage_are_read_wherever_they_stand(body: bytes) -> None:
    """First, last, or in a document that only a lenient reader takes."""
    for tap in (read(body), read(*(body[i : i + 1] for i in range(len(body))))):
        assert (tap.model, tap.usage) == ("claude-x", Usage(input=3, output=2))
        assert (tap.content, tap.finished, tap.failure) == (True, True, None)


@pytest.mark.parametrize("body", [b"", SMALL[:-5], b"<html>", b"[1]"])
def test_what_is_no_answer_is_not_finished(body: bytes) -> None:
    """A cut or foreign body is neither content nor complete."""
    tap = read(body)
    assert (tap.content, tap.finished, tap.usage) == (False, False, Usage())


def test_an_error_in_a_200_is_a_failure() -> None:
    """It is told as such, and there is no content that would forbid another try."""
    tap = read(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')
    assert tap.failure is not None
    assert tap.failure.kind is Kind.OVERLOADED
    assert not tap.content


def large(middle: bytes, usage: bytes) -> list[Any]:
    pad = b"A" * 65536
    start = b'{"model":"claude-x","content":["' + middle
    return [
        start,
        *[pad] * (WHOLE // 65536 + 2),
        b'"],"stop_reason":"end_turn","usage":' + usage + b',"z":{}}\n',
    ]


@pytest.mark.parametrize(
    ("middle", "usage", "expected"),
    [
        (b"", b'{"input_tokens":3,"output_tokens":2}', Usage(input=3, output=2)),
        (
            b'\\"usage\\":{\\"input_tokens\\":9}',
            b'{"input_tokens":3,"output_tokens":2}',
            Usage(input=3, output=2),
        ),
        (b"", b"null", Usage()),
        (b"", b'{"input_tokens":', Usage()),
    ],
)
def test_a_huge_body_is_read_at_its_ends(middle: bytes, usage: bytes, expected: Usage) -> None:
    """Memory stays bounded; the model is in the beginning and the usage in the end."""
    tap = BodyTap(read_usage, decode_error)
    for chunk in large(middle, usage):
        tap.feed(chunk)
        assert len(tap._kept) + len(tap._head) <= WHOLE + 65536 + HEAD
    assert len(tap._kept) <= 2 * TAIL + 65536
    assert tap.content
    tap.close()
    assert (tap.model, tap.usage, tap.finished) == ("claude-x", expected, True)
