"""Bodies are counted, paced and bounded while they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.errors import BodyTooLarge
from shunt.server.bounds import Bounds
from shunt.server.errors import TurnedAway
from shunt.server.intake import ClientGone, Intake, Store, announced, discard, expects_body
from shunt.wire.headers import Headers

BOUNDS = evolve(Bounds(), body_grace=10, body_rate=1024, body_seconds=600)
CHUNKED: Headers = ((b"Transfer-Encoding", b"chunked"),)


def length(count: int) -> Headers:
    return ((b"Content-Length", b"%d" % count),)


class Client:
    """Sends pieces with pauses, then nothing more, or leaves."""

    def __init__(self, pieces: Sequence[bytes | float | None]) -> None:
        self.pieces = list(pieces)
        self.taken = 0

    async def receive(self) -> Any:
        if self.pieces and isinstance(self.pieces[0], float):
            await trio.sleep(self.pieces[0])
            self.pieces.pop(0)
        if not self.pieces:
            await trio.sleep_forever()
        piece = self.pieces.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        assert isinstance(piece, bytes)
        self.taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": piece != b""}


async def take(client: Client, headers: Headers, *, limit: int = 1000, store: Store | None = None) -> bytes:
    store = store or Store(10**9)
    with store.share() as share:
        intake = Intake(headers, complete=not expects_body(headers))
        body = await intake.read(client.receive, limit, BOUNDS, store, share)
        assert intake.complete
        return body


async def test_a_body_is_taken_in_whole() -> None:
    """Piece by piece, with or without a length."""
    assert await take(Client([b"ab", b"c", b""]), length(3)) == b"abc"
    assert await take(Client([b"ab", b"c", b""]), CHUNKED) == b"abc"
    assert await take(Client([]), ()) == b""
    assert await take(Client([]), length(0)) == b""


async def test_a_body_that_names_too_great_a_length_is_refused_unread() -> None:
    """413 before a byte of it is taken."""
    client = Client([b"x" * 1001, b""])
    with pytest.raises(BodyTooLarge):
        await take(client, length(1001))
    assert client.taken == 0
    assert await take(Client([b"x" * 1000, b""]), length(1000))


async def test_a_body_without_a_length_is_refused_where_it_becomes_too_large() -> None:
    """What lies beyond the limit is not collected."""
    client = Client([b"x" * 400] * 1000)
    with pytest.raises(BodyTooLarge):
        await take(client, CHUNKED)
    assert client.taken == 1200


async def test_a_client_that_leaves_in_the_middle_is_gone() -> None:
    """Nothing is answered then."""
    with pytest.raises(ClientGone):
        await take(Client([b"ab", None]), length(3))


@pytest.mark.parametrize(
    ("pieces", "seconds"),
    [
        ([], 10.0),
        ([b"x" * 2048], 12.0),
        ([b"x", 0.5] * 100, 10.02),
        ([b"x" * 100_000, 50.0, b"x", 100.0], 107.66),
        ([5.0, b"x" * 5_000_000] * 100, 600.0),
    ],
)
async def test_a_slow_body_is_not_waited_for(
    autojump_clock: MockClock, pieces: list[bytes | float | None], seconds: float
) -> None:
    """After the grace a body comes at 1 KiB/s on average, and whole in ten minutes, or gets a 408."""
    begun = trio.current_time()
    with pytest.raises(TurnedAway) as refused:
        await take(Client([*pieces]), length(10**9), limit=10**10, store=Store(10**10))
    assert refused.value.failure.http_status == 408
    assert trio.current_time() - begun == pytest.approx(seconds, abs=0.01)


async def test_a_slow_body_that_keeps_the_pace_is_taken(autojump_clock: MockClock) -> None:
    """2 KiB every second for a minute is fast enough."""
    pieces: list[bytes | float | None] = [1.0, b"x" * 2048] * 60
    assert len(await take(Client([*pieces, b""]), CHUNKED, limit=10**6)) == 60 * 2048


async def test_all_bodies_together_are_bounded() -> None:
    """What finds no room gets a 503 with a time to come again, and room is given back at the end."""
    store = Store(1000)
    with store.share() as first:
        store.grow(first, 600)
        for headers, client in ((length(500), Client([])), (CHUNKED, Client([b"x" * 200] * 9))):
            with pytest.raises(TurnedAway) as refused:
                await take(client, headers, limit=10**6, store=store)
            assert (refused.value.failure.http_status, refused.value.failure.retry_after) == (503, 5)
            assert store.used == 600
    assert store.used == 0
    assert await take(Client([b"x" * 1000, b""]), length(1000), store=store)
    assert store.used == 0


async def test_room_is_given_back_whatever_happens() -> None:
    """A client that leaves, a body too large, a cancelled call."""
    store = Store(10_000)
    with pytest.raises(ClientGone):
        await take(Client([b"x" * 500, None]), length(900), store=store)
    with pytest.raises(BodyTooLarge):
        await take(Client([b"x" * 600] * 3), CHUNKED, store=store)
    with trio.move_on_after(0):
        await take(Client([b"x" * 600]), length(900), store=store)
    assert store.used == 0


async def test_what_nobody_reads_is_thrown_away() -> None:
    """Until the client leaves, or nothing needs it any more."""
    client = Client([b"x" * 100, b"x" * 100, None])
    await discard(client.receive)
    assert client.taken == 200


def test_whether_a_body_comes_is_told_by_the_head() -> None:
    """By a length above zero or chunks, whatever the method."""
    assert [expects_body(headers) for headers in ((), length(0), length(1), CHUNKED)] == [
        False,
        False,
        True,
        True,
    ]
    assert (announced(()), announced(length(7))) == (0, 7)
