from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import trio
import trio.testing
from attrs import define

from shunt.errors import UpstreamBroke
from shunt.gateway import attempt
from shunt.gateway.attempt import REASON, Attempts, Source, collect_plain, content_type, peek_stream
from shunt.protocols import protocol_named
from tests.fakes import anthropic
from tests.gateway.rooms import account

MESSAGES = protocol_named("anthropic-messages")
OPENING = anthropic.opening_events()
CONTENT = anthropic.text_events(["hello"])


@define
class timed(AsyncIterator[bytes]):  # noqa: N801 - reads as the verb it is used as
    """Pieces, each after a pause, then perhaps an error."""

    pieces: Sequence[tuple[float, bytes]]
    error: Exception | None = None
    at: int = 0

    async def __anext__(self) -> bytes:
        if self.at < len(self.pieces):
            pause, piece = self.pieces[self.at]
            await trio.sleep(pause)
            self.at += 1
            return piece
        if self.error is not None:
            raise self.error
        raise StopAsyncIteration


async def test_a_read_that_was_given_up_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """A time-out while waiting for a chunk leaves the chunk for the next reader, and the end an end."""
    async with trio.open_nursery() as nursery:
        source = Source(timed([(10, b"one"), (10, b"two")]), nursery)
        with pytest.raises(trio.TooSlowError):
            await source.next_within(3)
        with pytest.raises(trio.TooSlowError):
            await source.next_within(3)
        assert await source.next() == b"one"
        assert await source.next_within(30) == b"two"
        assert await source.next() is None


async def test_an_error_met_behind_a_time_out_is_raised_to_the_next_reader(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A break that happens while nobody waits is not taken for a clean end."""
    async with trio.open_nursery() as nursery:
        source = Source(timed([(5, b"one")], UpstreamBroke("reset")), nursery)
        assert await source.next() == b"one"
        with pytest.raises(UpstreamBroke):
            await source.next_within(5)


async def test_a_stream_is_judged_at_its_first_content(autojump_clock: trio.testing.MockClock) -> None:
    """What comes before content is held back, so that the request can still go elsewhere."""
    pieces = [(1.0, piece) for piece in (*OPENING, *CONTENT)]
    async with trio.open_nursery() as nursery:
        tap = MESSAGES.stream_tap()
        body = await peek_stream(Source(timed(pieces), nursery), tap)
        assert tap.content
        assert body.head[: len(OPENING)] == OPENING
        assert len(body.head) == len(OPENING) + 1
        nursery.cancel_scope.cancel()


async def test_a_model_that_thinks_long_may_show_that_it_lives(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """After five seconds without content the stream is passed on as it is, nothing lost."""
    pieces = [*((0.0, piece) for piece in OPENING), (60.0, CONTENT[0]), (0.0, CONTENT[1])]
    async with trio.open_nursery() as nursery:
        source = Source(timed(pieces), nursery)
        began = trio.current_time()
        body = await peek_stream(source, MESSAGES.stream_tap())
        assert trio.current_time() - began == pytest.approx(attempt.PEEK_WITHIN, abs=0.1)
        assert body.head == OPENING
        assert await source.next() == CONTENT[0]
        assert await source.next() == CONTENT[1]


async def test_a_stream_that_ends_before_content_is_all_head() -> None:
    """An early end is known before anything was sent."""
    async with trio.open_nursery() as nursery:
        body = await peek_stream(Source(timed([(0, OPENING[0])]), nursery), MESSAGES.stream_tap())
    assert body.source is None
    assert body.tap is not None
    assert not body.tap.content


async def test_a_plain_answer_is_collected_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary answer is complete before it is passed on; a huge one goes on as it comes."""
    async with trio.open_nursery() as nursery:
        whole = await collect_plain(Source(timed([(0, b'{"a":'), (0, b"1}")]), nursery), MESSAGES.body_tap())
        assert (whole.head, whole.source) == ((b'{"a":1}',), None)
        monkeypatch.setattr(attempt, "PLAIN_BODY", 4)
        source = Source(timed([(0, b'{"a":'), (0, b"1}")]), nursery)
        huge = await collect_plain(source, MESSAGES.body_tap())
        assert (huge.head, huge.source) == ((b'{"a":',), source)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"text/event-stream; charset=utf-8", "text/event-stream"), (b"TEXT/HTML", "text/html"), (b"", "")],
)
def test_media_types_are_compared_without_parameters(value: bytes, expected: str) -> None:
    """Charset and case do not change what an answer is."""
    assert content_type(((b"Content-Type", value),)) == expected


async def test_a_pumped_source_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """A read that was given up before, deadlines that pass, an error and the end: all come in their order."""
    async with trio.open_nursery() as nursery:
        source = Source(timed([(10, b"one"), (10, b"two")], UpstreamBroke("reset")), nursery)
        with pytest.raises(trio.TooSlowError):
            await source.next_within(3)
        source.pump()
        source.pump()
        with pytest.raises(trio.TooSlowError):
            await source.next_within(3)
        assert await source.next_within(30) == b"one"
        assert await source.next() == b"two"
        with pytest.raises(UpstreamBroke):
            await source.next_within(30)
        assert await source.next() is None


async def test_a_pumped_source_ends(autojump_clock: trio.testing.MockClock) -> None:
    """The end of the answer is told, and told again; an error of a read that was given up is not lost."""
    async with trio.open_nursery() as nursery:
        source = Source(timed([(1, b"one")]), nursery)
        source.pump()
        assert [await source.next_within(9) for _ in range(3)] == [b"one", None, None]
        broken = Source(timed([], UpstreamBroke("reset")), nursery)
        broken.pump()
        with pytest.raises(UpstreamBroke):
            await broken.next()


async def test_an_answer_that_dribbles_is_read_on_in_one_task(autojump_clock: trio.testing.MockClock) -> None:
    """However many reads with a deadline there are, every byte comes once and in order."""
    async with trio.open_nursery() as nursery:
        source = Source(timed([(1, b"%d" % n) for n in range(50)]), nursery)
        got = [await source.next_within(9) for _ in range(51)]
        assert got == [*(b"%d" % n for n in range(50)), None]


def test_a_reason_is_one_short_line() -> None:
    """It is kept with the request and shown in lists: a local program's last words may be many."""
    error = UpstreamBroke("It has ended:\nline " + "x" * 5_000)
    made = Attempts(None, lambda: 0.0)._failed(account("a"), error)  # type: ignore[arg-type]
    assert made.reason.startswith("It has ended: line x")
    assert len(made.reason) <= REASON
    assert len(made.message) > 5_000
