from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from shunt.errors import AllCooling
from shunt.gateway.hold import Admission, Claim, WaitingRoom, admissions, worth_waiting
from shunt.pool import AccountPool
from shunt.routing.view import Candidate, Choice, Refusal
from tests.gateway.rooms import account, demand, limited, pool_of, served, wall

FREE = Choice("a", "strategy", ())
OTHER = Choice("b", "strategy", ())


def out(refusal: Refusal = Refusal.COOLING, back_at: float | None = 100.0) -> Choice:
    return Choice(None, "nobody", (Candidate("a", refusal, back_at=back_at),), retry_at=back_at)


@pytest.mark.parametrize(
    ("choice", "until", "expected"),
    [
        (out(back_at=100), 200, True),
        (out(back_at=300), 200, False),
        (out(back_at=None), 200, True),
        (out(Refusal.BUSY, None), 200, True),
        (out(Refusal.REAUTH_REQUIRED, None), 200, False),
        (out(Refusal.PAUSED, None), 200, False),
        (out(back_at=100), 50, False),
    ],
)
def test_only_what_passes_in_time_is_waited_for(choice: Choice, until: float, expected: bool) -> None:
    """A request is held for what ends by itself before its limit, never for what takes a person."""
    assert worth_waiting(choice, until, now=60) is expected


@pytest.mark.parametrize(
    ("line", "proven", "probing", "expected"),
    [
        pytest.param([], (), (), [], id="nobody waits"),
        pytest.param(
            [Claim(1, FREE, 99), Claim(2, FREE, 99)],
            (),
            (),
            [Admission(1, "a", probe=True)],
            id="one probe first",
        ),
        pytest.param([Claim(1, FREE, 99)], (), ("a",), [], id="nobody follows a running probe"),
        pytest.param(
            [Claim(1, FREE, 99), Claim(2, FREE, 99)],
            ("a",),
            (),
            [Admission(1, "a"), Admission(2, "a")],
            id="all follow once it is proven",
        ),
        pytest.param(
            [Claim(1, FREE, 99), Claim(2, OTHER, 99)],
            (),
            ("a",),
            [Admission(2, "b", probe=True)],
            id="another account has its own probe",
        ),
        pytest.param([Claim(1, out(), 50)], (), (), [Admission(1, None)], id="too late is sent away"),
        pytest.param([Claim(1, out(back_at=80), 99)], (), (), [], id="who can be helped stays"),
    ],
)
def test_admissions(
    line: list[Claim], proven: tuple[str, ...], probing: tuple[str, ...], expected: list[Admission]
) -> None:
    """Who leaves the line follows from the line, the probes and the clock alone."""
    assert admissions(line, proven.__contains__, frozenset(probing), now=60) == expected


@asynccontextmanager
async def room_of(pool: AccountPool, limit: int = 64) -> AsyncIterator[tuple[WaitingRoom, trio.Nursery]]:
    room = WaitingRoom(pool, limit=lambda: limit, now=wall, jitter=lambda: 0.5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.attend)
        yield room, nursery
        nursery.cancel_scope.cancel()


async def visit(room: WaitingRoom, name: str, left: list[str], conversation: str = "") -> None:
    """Wait as a request, try the account for a moment, and be served."""
    await room.wait(demand("a"), conversation, wall() + 3600)
    with room.trying("a"):
        left.append(name)
        await trio.sleep(2)
        room._pool.record(served("a", wall()))


async def test_one_probe_goes_first_and_the_rest_follow_in_order(autojump_clock: MockClock) -> None:
    """After the reset one request tries the account; only when it was served do the others come."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 40))
    left: list[str] = []
    async with room_of(pool) as (room, nursery):
        for name in ("first", "second", "third"):
            nursery.start_soon(visit, room, name, left)
            await trio.sleep(0.1)
        assert len(room) == 3
        await trio.sleep(39)
        assert left == []
        await trio.sleep(5)  # the cooldown ends at 42.75, the probe is served at 44.75
        assert left == ["first"]
        await trio.sleep(0.6)
        assert left == ["first"]
        await trio.sleep(3)
        assert left == ["first", "second", "third"]
        assert len(room) == 0


async def test_a_probe_that_fails_leaves_the_others_waiting(autojump_clock: MockClock) -> None:
    """When the vendor refuses the probe again, nobody else is sent to be refused too."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 10))
    tries: list[float] = []

    async def refused_once() -> None:
        await room.wait(demand("a"), "", wall() + 3600)
        with room.trying("a"):
            tries.append(trio.current_time())
            pool.record(limited("a", wall(), wall() + 100))
        await room.wait(demand("a"), "", wall() + 3600)

    async with room_of(pool) as (room, nursery):
        nursery.start_soon(refused_once)
        await trio.sleep(0.1)
        left: list[str] = []
        nursery.start_soon(visit, room, "second", left)
        await trio.sleep(60)
        assert (len(tries), left, len(room)) == (1, [], 2)


async def test_a_client_that_comes_back_has_kept_its_place(autojump_clock: MockClock) -> None:
    """An agent that gave up and asked again within two minutes stands where it stood."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 100))
    left: list[str] = []
    async with room_of(pool) as (room, nursery):
        with trio.move_on_after(5):
            await visit(room, "never", left, "conversation-1")
        nursery.start_soon(visit, room, "later", left, "conversation-2")
        await trio.sleep(60)
        nursery.start_soon(visit, room, "came back", left, "conversation-1")
        await trio.sleep(60)
        assert left == ["came back", "later"]


async def test_a_place_is_not_kept_for_ever(autojump_clock: MockClock) -> None:
    """After two minutes a client that left joins at the end like anybody."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 300))
    left: list[str] = []
    async with room_of(pool) as (room, nursery):
        with trio.move_on_after(5):
            await visit(room, "never", left, "conversation-1")
        nursery.start_soon(visit, room, "later", left, "conversation-2")
        await trio.sleep(130)
        nursery.start_soon(visit, room, "came back", left, "conversation-1")
        await trio.sleep(190)
        assert left == ["later", "came back"]


async def test_leaving_frees_the_room_at_once(autojump_clock: MockClock) -> None:
    """A client that hangs up while it waits takes no place any more."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 300))
    async with room_of(pool, limit=1) as (room, _):
        with trio.move_on_after(5):
            await room.wait(demand("a"), "", wall() + 3600)
        assert len(room) == 0
        assert not room.full


async def test_a_probe_that_leaves_before_trying_passes_its_turn_on(autojump_clock: MockClock) -> None:
    """The first in line may be cancelled at the very moment it is called: the next is called then."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 10))
    left: list[str] = []
    async with room_of(pool) as (room, nursery):

        async def leaves_when_called(scope: trio.CancelScope) -> None:
            with scope:
                await room.wait(demand("a"), "", wall() + 3600)

        scope = trio.CancelScope(deadline=trio.current_time() + 12.99)
        nursery.start_soon(leaves_when_called, scope)
        await trio.sleep(0.1)
        nursery.start_soon(visit, room, "second", left)
        await trio.sleep(30)
        assert left == ["second"]


async def test_clearing_an_account_lets_people_go_at_once(autojump_clock: MockClock) -> None:
    """The owner's `clear` is as good as a reset."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 3000))
    left: list[str] = []
    async with room_of(pool) as (room, nursery):
        nursery.start_soon(visit, room, "only", left)
        await trio.sleep(1)
        pool.clear("a")
        await trio.sleep(1)
        assert left == ["only"]


async def test_who_cannot_be_helped_in_time_is_told(autojump_clock: MockClock) -> None:
    """When the reset moves beyond what the caller bears, the wait ends with the true moment."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 50))
    async with room_of(pool) as (room, nursery):

        async def later() -> None:
            await trio.sleep(1)
            pool.record(limited("a", wall(), wall() + 5000))

        nursery.start_soon(later)
        with pytest.raises(AllCooling) as caught:
            await room.wait(demand("a"), "", wall() + 100)
        assert caught.value.retry_at == pytest.approx(wall() + 5000, abs=10)


async def test_newcomers_do_not_overtake(autojump_clock: MockClock) -> None:
    """While an account is being tried out for those who waited, a new request joins the line."""
    pool = pool_of(account("a"))
    pool.record(limited("a", wall(), wall() + 10))
    left: list[str] = []
    async with room_of(pool) as (room, nursery):
        nursery.start_soon(visit, room, "first", left)
        await trio.sleep(14.5)
        assert left == ["first"]
        assert room.must_queue("a")
        await trio.sleep(3)
        assert not room.must_queue("a")
