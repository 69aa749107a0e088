"""A message on its way to the client."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from shunt.errors import UpstreamBroke, UpstreamTimeout
from shunt.upstream.claude_code.failures import written
from shunt.upstream.claude_code.narration import Ended, Narration
from shunt.upstream.claude_code.turn import PING, Bounds, Gone, Reply, Turn, broken, refused

BOUNDS = Bounds(stall=60, total=300, characters=0, heartbeat=15)


async def test_events_come_in_order_and_end(autojump_clock: MockClock) -> None:
    """What the program's side told, then the end; closing runs once."""
    closed = 0
    turn = Turn(Narration({}), BOUNDS)

    async def close() -> None:
        nonlocal closed
        await trio.lowlevel.checkpoint()
        closed += 1

    reply = Reply(200, (), b"1", turn, close)
    await turn.tell(b"2")
    turn.end()
    assert [chunk async for chunk in reply.chunks()] == [b"1", b"2"]
    await reply.aclose()
    assert closed == 1


async def test_silence_is_filled_until_it_is_a_stall(autojump_clock: MockClock) -> None:
    """Pings every heartbeat, then the time-out with the setting's name."""
    turn = Turn(Narration({}), BOUNDS)
    assert [await turn.next() for _ in range(3)] == [PING] * 3
    with pytest.raises(UpstreamTimeout, match="stall_timeout"):
        await turn.next()


async def test_the_program_at_work_is_no_stall(autojump_clock: MockClock) -> None:
    """Whatever it says counts, until the whole takes too long."""
    turn = Turn(Narration({}), BOUNDS)

    async def work() -> None:
        while True:
            await trio.sleep(10)
            turn.heard_at = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        assert {await turn.next() for _ in range(19)} == {PING}
        with pytest.raises(UpstreamTimeout, match="total_timeout"):
            await turn.next()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - turn.begun_at == 300


async def test_waiting_for_the_beginning_makes_no_pings(autojump_clock: MockClock) -> None:
    """Nothing may be sent before it is known what the answer is."""
    turn = Turn(Narration({}), BOUNDS)
    with pytest.raises(UpstreamTimeout, match="stall_timeout"):
        await turn.first()


@pytest.mark.parametrize("found", [Ended(500, "", "gave up"), Gone(7, "no memory"), Gone(-9, "")])
async def test_an_end_in_the_middle_is_broken(found: Ended | Gone, autojump_clock: MockClock) -> None:
    """With what the program said of it."""
    turn = Turn(Narration({}), BOUNDS)
    await turn.tell(found)
    with pytest.raises(UpstreamBroke, match="in the middle") as caught:
        await turn.next()
    assert str(caught.value) == str(broken(found))


async def test_nobody_listens(autojump_clock: MockClock) -> None:
    """The program's side learns that the client has gone, or that it has ended the turn itself."""
    turn = Turn(Narration({}), BOUNDS)
    assert not turn.over()
    turn.leave()
    assert not await turn.tell(b"x")
    other = Turn(Narration({}), BOUNDS)
    other.end()
    assert not await other.tell(b"x")


async def test_a_cancelled_read_loses_nothing(autojump_clock: MockClock) -> None:
    """Reading again goes on where it was."""
    turn = Turn(Narration({}), BOUNDS)
    reply = Reply(200, (), b"", turn, None)
    with trio.move_on_after(1):
        await anext(reply)
    await turn.tell(b"x")
    assert await anext(reply) == b"x"


async def test_an_error_is_read_whole(autojump_clock: MockClock) -> None:
    """Its body comes at once and is bounded."""
    reply = refused(written(404, "no such model"))
    assert (reply.status, dict(reply.headers)[b"content-type"]) == (404, b"application/json")
    assert len(await reply.read(10, 5)) == 10
    assert b"no such model" in await refused(written(404, "no such model")).read(1000, 5)
