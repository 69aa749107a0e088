"""The queue in front of the program."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from shunt.upstream.claude_code.places import Place, Places


async def test_first_come_first_served(autojump_clock: MockClock) -> None:
    """Places go to those in line in the order in which they came."""
    places, order = Places(), list[int]()
    held = await places.take(1, 0)
    assert held is not None

    async def one(number: int) -> None:
        place = await places.take(1, 100)
        assert place is not None
        order.append(number)
        place.release()

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(one, number)
            await wait_all_tasks_blocked()
        assert places.waiting == 5
        held.release()
    assert order == [0, 1, 2, 3, 4]
    assert (places.taken, places.waiting) == (0, 0)


async def test_who_waits_too_long_gets_none(autojump_clock: MockClock) -> None:
    """None after the time, and nothing stays behind in the line."""
    places = Places()
    held = await places.take(1, 0)
    assert held is not None
    assert await places.take(1, 30) is None
    assert places.waiting == 0


async def test_a_place_is_given_back_once(autojump_clock: MockClock) -> None:
    """Releasing twice frees one place."""
    places = Places()
    held: list[Place | None] = [await places.take(2, 0), await places.take(2, 0)]
    for place in (held[0], held[0]):
        assert place is not None
        place.release()
    assert places.taken == 1


async def test_cancelled_at_the_very_moment_of_its_turn(autojump_clock: MockClock) -> None:
    """A place given to somebody who is being cancelled goes to the next."""
    places = Places()
    held = await places.take(1, 0)
    assert held is not None
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(places.take, 1, 100)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            held.release()
        assert not scope.cancelled_caught
    assert (places.taken, places.waiting) == (0, 0)


async def test_more_places_let_more_in(autojump_clock: MockClock) -> None:
    """The number may grow while some wait."""
    places = Places()
    await places.take(1, 0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(places.take, 1, 100)
        await wait_all_tasks_blocked()
        assert await places.take(3, 100) is not None
    assert places.taken == 3
