"""How scripts/bench reads answers."""

from __future__ import annotations

import pytest
from _bench_load import Answer, Target

PLAIN = b'HTTP/1.1 200 OK\r\ncontent-length: 22\r\n\r\n{"stop_reason":"stop"}'
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"5\r\nfirst\r\n19\r\nevent: message_stop\ndata: \r\n0\r\n\r\n"
)


@pytest.mark.parametrize("sent", [PLAIN, CHUNKED])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_answer_is_whole_with_its_last_byte(sent: bytes, size: int) -> None:
    """However it is cut into packets: not before, and then at once."""
    answer = Answer()
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    for piece in pieces:
        assert not answer.whole
        answer.feed(piece)
    assert answer.whole
    assert answer.good


@pytest.mark.parametrize(
    "sent",
    [
        PLAIN.replace(b"200 OK", b"500 No"),
        PLAIN.replace(b"stop_reason", b"stop_season"),
        CHUNKED.replace(b"message_stop", b"message_gone"),
        CHUNKED[:-5],
    ],
)
def test_what_is_not_a_whole_success_is_none(sent: bytes) -> None:
    """A refusal, an answer without its end, and one that breaks off do not count as work done."""
    answer = Answer()
    answer.feed(sent)
    assert not answer.good


def test_a_body_begins_after_the_head() -> None:
    """A head that comes alone is not yet the first byte of a body."""
    answer = Answer()
    head, end, body = CHUNKED.partition(b"\r\n\r\n")
    answer.feed(head + end)
    assert not answer.tail
    answer.feed(body)
    assert answer.tail


def test_a_last_answer_is_known() -> None:
    """Servers end connections after many requests; that is no failure."""
    answer = Answer()
    answer.feed(PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answer.last
    assert answer.good


def test_conversations_are_named_only_where_wanted() -> None:
    """A request without one looks as any client's."""
    assert b"x-conversation-id: c7\r\n" in Target(1).request("m", stream=False, conversation="c7")
    assert b"conversation" not in Target(1).request("m", stream=True)
