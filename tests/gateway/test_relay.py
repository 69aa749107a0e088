from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import trio
import trio.testing
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import UpstreamBroke, UpstreamError, UpstreamTimeout
from shunt.gateway.attempt import Body, Source
from shunt.gateway.progress import Progress
from shunt.gateway.relay import LINGER, Relay
from shunt.protocols import protocol_named
from tests.fakes import anthropic

MESSAGES = protocol_named("anthropic-messages")
WHOLE = b"".join(
    (
        *anthropic.opening_events(),
        *anthropic.text_events(["hel", "lo é \u2028"]),
        b"event: from_the_future\r\ndata: {}\r\n\r\n",
        b": a comment\n\n",
        *anthropic.closing_events(),
    )
)
UNFINISHED = b"".join((*anthropic.opening_events(), *anthropic.text_events(["hel", "lo"])))


@define
class chunks(AsyncIterator[bytes]):  # noqa: N801 - reads as what it gives
    """These pieces, then an error, a silence or the end."""

    pieces: Sequence[bytes]
    error: UpstreamError | None = None
    hang: bool = False
    at: int = 0

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if self.at < len(self.pieces):
            self.at += 1
            return self.pieces[self.at - 1]
        if self.hang:
            await trio.sleep_forever()
        raise self.error if self.error is not None else StopAsyncIteration


async def relayed(
    pieces: Sequence[bytes],
    *,
    error: UpstreamError | None = None,
    hang: bool = False,
    head: int = 0,
    is_stream: bool = True,
    encoded: bool = False,
) -> tuple[bytes, Progress]:
    """What the client gets of these pieces; the first `head` of them were read before."""
    tap = MESSAGES.stream_tap() if is_stream else MESSAGES.body_tap()
    for piece in pieces[:head]:
        tap.feed(piece)
    progress = Progress()
    got = bytearray()
    async with trio.open_nursery() as nursery:
        source = Source(chunks(pieces[head:], error, hang), nursery)
        body = Body(tuple(pieces[:head]), source, tap, is_stream, encoded)
        async for chunk in Relay(body, MESSAGES, "req_1", progress):
            assert chunk, "an empty chunk would end nothing and mean nothing"
            got += chunk
        nursery.cancel_scope.cancel()
    return bytes(got), progress


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Pieces of these sizes, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [piece for piece in (*pieces, data) if piece]


@given(st.lists(st.integers(1, 400), max_size=12), st.integers(0, 3))
def test_a_finished_stream_passes_byte_for_byte(sizes: list[int], head: int) -> None:
    """However the network cuts it, the client gets exactly what the vendor sent."""
    got, progress = trio.run(lambda: relayed(cut(WHOLE, sizes), head=head))
    assert got == WHOLE
    assert (progress.complete, progress.broke) == (True, "")


@given(st.integers(1, len(UNFINISHED)), st.lists(st.integers(1, 200), max_size=5))
def test_a_broken_stream_ends_with_a_readable_error(at: int, sizes: list[int]) -> None:
    """Wherever the upstream breaks, the client gets whole events, then one error event."""
    error = UpstreamBroke("the connection was reset")
    got, progress = trio.run(lambda: relayed(cut(UNFINISHED[:at], sizes), error=error))
    told = got.rpartition(b"event: error\n")[2]
    passed = got[: len(got) - len(told) - len(b"event: error\n")]
    assert b"the connection was reset" in told
    assert UNFINISHED.startswith(passed)
    assert passed == b"" or passed.endswith(b"\n\n")
    assert (progress.complete, progress.broke) == (False, "the connection was reset")


async def test_an_end_without_the_last_event_is_no_end() -> None:
    """A stream that just stops after content is reported as broken, not passed off as complete."""
    got, progress = await relayed([UNFINISHED])
    assert got.startswith(UNFINISHED)
    assert b"event: error" in got
    assert "before the answer was complete" in progress.broke


async def test_a_last_event_without_its_empty_line_counts() -> None:
    """A vendor that forgets the final newline has still finished."""
    got, progress = await relayed([WHOLE.rstrip(b"\n")])
    assert got == WHOLE.rstrip(b"\n")
    assert progress.complete


async def test_silence_after_the_last_event_is_not_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    """Once everything was said, a connection that stays open holds nobody for more than a second."""
    began = trio.current_time()
    got, progress = await relayed([WHOLE], hang=True)
    assert got == WHOLE
    assert progress.complete
    assert trio.current_time() - began == pytest.approx(LINGER, abs=0.1)


async def test_an_error_event_of_the_vendor_passes_as_it_is() -> None:
    """The vendor's own words in the middle of a stream are not replaced by ours."""
    told = anthropic.event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    got, _ = await relayed([UNFINISHED, told])
    assert got == UNFINISHED + told


@pytest.mark.parametrize(("is_stream", "encoded"), [(False, False), (True, True)])
async def test_what_cannot_carry_an_error_event_is_cut(is_stream: bool, encoded: bool) -> None:
    """A plain or compressed body that breaks ends without its end, which is the truth."""
    with pytest.RaisesGroup(UpstreamBroke):
        await relayed([b"{"], error=UpstreamTimeout("silent"), is_stream=is_stream, encoded=encoded)


@define
class Chatter(AsyncIterator[bytes]):
    """A whole stream, and then comments for ever."""

    begun: bool = False

    async def __anext__(self) -> bytes:
        if self.begun:
            await trio.sleep(LINGER / 4)
            return b": more\n\n"
        self.begun = True
        return WHOLE


async def test_a_stream_that_goes_on_after_its_end_is_ended(autojump_clock: trio.testing.MockClock) -> None:
    """However often something more comes, the second after the terminal event is the last."""

    async with trio.open_nursery() as nursery:
        body = Body((), Source(Chatter(), nursery), MESSAGES.stream_tap(), is_stream=True)
        progress = Progress()
        begun = trio.current_time()
        got = b"".join([chunk async for chunk in Relay(body, MESSAGES, "req_test", progress)])
        assert trio.current_time() - begun <= LINGER
        assert got.startswith(WHOLE)
        assert progress.complete
        nursery.cancel_scope.cancel()
