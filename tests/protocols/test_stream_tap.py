"""What stream taps share."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.protocols.anthropic_messages.tap import MessagesStreamTap
from shunt.protocols.openai_chat.tap import ChatStreamTap
from shunt.protocols.openai_responses.tap import ResponsesStreamTap
from shunt.protocols.stream_tap import EVENT_LIMIT, HEAD, StreamTap
from shunt.wire import sse


class Recording(StreamTap):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[bytes | None] = []
        self.heads: list[bytes] = []

    def take(self, event: sse.Event) -> None:
        self.events.append(event.data)
        self.finished = event.data == b"end"

    def skim(self, raw: bytes) -> bool:
        return b"data: dull" not in raw

    def take_head(self, head: bytes) -> None:
        self.heads.append(head)
        super().take_head(head)


def test_an_endless_event_is_content_and_costs_bounded_memory() -> None:
    """Of an event too large to keep only the beginning is looked at; the next one is whole again."""
    tap = Recording()
    tap.feed(b"data: ")
    for _ in range(EVENT_LIMIT // 65536 + 10):
        tap.feed(b"x" * 65536)
        assert tap._decoder.pending <= EVENT_LIMIT + 65536
    assert tap._decoder.pending < 100
    tap.feed(b"\n\ndata: end\n\n")
    assert [len(head) for head in tap.heads] == [HEAD]
    assert (tap.content, tap.finished, tap.events) == (True, True, [b"end"])


def test_an_event_of_very_many_lines_is_only_begun() -> None:
    """Reading two million lines would hold everybody up; it passes, and counts as content."""
    tap = Recording()
    tap.feed(b"data: x\n" * 900_000 + b"\n")
    tap.feed(b"data: last\n\n")
    assert tap.content
    assert tap.events == [b"last"]


def test_nothing_counts_after_the_end() -> None:
    """What follows the terminal event is not looked at."""
    tap = Recording()
    tap.feed(b"data: a\n\ndata: end\n\ndata: b\n\n")
    tap.close()
    assert tap.events == [b"a", b"end"]


def test_a_last_event_without_its_empty_line_counts() -> None:
    """Some servers forget it."""
    tap = Recording()
    tap.feed(b"data: end")
    assert not tap.finished
    tap.close()
    assert tap.finished


def test_a_tap_may_be_given_events_by_whoever_cuts_the_stream() -> None:
    """From some point on it is fed no more bytes; what it was fed of a half event is left to the other."""
    tap = Recording()
    tap.feed(b"data: a\n\ndata: b")
    for raw in (b"data: b\n\n", b"data: end\n\n", b"data: c\n\n"):
        tap.follow(sse.Event(raw))
    tap.close()
    assert tap.events == [b"a", b"b", b"end"]


def test_what_tells_nothing_is_not_cut_into_events() -> None:
    """Whole events after the first content; one that is cut in two is read, and so is everything before."""
    tap = Recording()
    tap.feed(b"data: dull 1\n\n")
    tap.content = True
    tap.feed(b"data: dull 2\n\n")
    tap.feed(b"data: dull")
    tap.feed(b" 3\n\n")
    assert tap.events == [b"dull 1", b"dull 3"]
    assert tap.pending == 0


PIECES: dict[type[StreamTap], tuple[bytes, ...]] = {
    MessagesStreamTap: (
        b'event: message_start\ndata: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":4}}}\n\n',
        b'data: {"type":"content_block_delta","delta":{"text":"message_stop"}}\n\n',
        b'data: {"type":"content_block_delta","delta":{"text":"x"}}\r\n\r\n',
        b'data: {"type":"message_delta","usage":{"output_tokens":7}}\n\n',
        b'data: {"type":"message_stop"}\n\n',
        b'data: {"type":"error","error":{"type":"overloaded_error","message":"no"}}\n\n',
    ),
    ChatStreamTap: (
        b'data: {"model":"m","choices":[{"delta":{"content":"x"},"finish_reason":null}],"usage":null}\n\n',
        b'data: {"choices":[{"delta":{"content":"[DONE]"}}]}\n\n',
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
        b'data: {"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":7}}\n\n',
        b'data: {"error":{"message":"no"}}\n\n',
        b"data: [DONE]\n\n",
    ),
    ResponsesStreamTap: (
        b'data: {"type":"response.created","sequence_number":0,"response":{"id":"r","model":"m"}}\n\n',
        b'data: {"type":"response.output_text.delta","sequence_number":1,"delta":"x"}\n\n',
        b'data: {"type":"response.output_text.delta","delta":"\\"error\\"","sequence_number":2}\n\n',
        b'data: {"type":"response.output_text.done","sequence_number":3}\r\n\r\n',
        b'data: {"type":"response.completed","sequence_number":4,"response":{"usage":{"input_tokens":4}}}\n\n',
        b'data: {"type":"error","sequence_number":5,"message":"no"}\n\n',
    ),
}
COMMENT = b": keep-alive\n\n"


@pytest.mark.parametrize("kind", PIECES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_looking_over_finds_what_reading_finds(kind: type[StreamTap], data: st.DataObject) -> None:
    """Events in any order that come several at once or in halves: nothing that counts is passed over."""
    events = data.draw(st.lists(st.sampled_from((*PIECES[kind], COMMENT)), max_size=12))
    ends = itertools.accumulate(map(len, events))
    cuts = {end for end in ends if data.draw(st.booleans())}
    stream = b"".join(events)
    halves = data.draw(st.sets(st.integers(0, len(stream)), max_size=2))
    places = sorted({0, len(stream), *cuts, *halves})
    quick, thorough = kind(), kind()
    for start, end in itertools.pairwise(places):
        quick.feed(stream[start:end])
        thorough.feed(stream[start : end - 1])
        thorough.feed(
            stream[end - 1 : end]
        )  # with its last byte apart nothing is whole, so each event is read
        assert seen(quick) == seen(thorough)


def seen(tap: StreamTap) -> tuple[Any, ...]:
    number = tap.sequence_number if isinstance(tap, ResponsesStreamTap) else None
    return (tap.content, tap.finished, tap.failure, tap.usage, tap.model, tap.pending, number)
