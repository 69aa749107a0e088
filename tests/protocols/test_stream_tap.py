"""What stream taps share."""

from __future__ import annotations

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
