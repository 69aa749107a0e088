"""Bytes that were read and wait: in order, all of them, and with a bound."""

from __future__ import annotations

import trio
import trio.testing

from shunt.server.inlet import Inlet


async def test_all_that_has_come_is_taken_at_once() -> None:
    """In the order in which it came; then it is empty."""
    inlet = Inlet.empty()
    inlet.put(b"ab")
    inlet.put(b"c")
    assert await inlet.take() == b"abc"
    assert not inlet.holds(0)


async def test_whoever_takes_waits_for_bytes() -> None:
    """And gets those that come first."""
    inlet = Inlet.empty()
    taken: list[bytes] = []

    async def take() -> None:
        taken.append(await inlet.take())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await trio.testing.wait_all_tasks_blocked()
        assert not taken
        inlet.put(b"late")
    assert taken == [b"late"]


async def test_whoever_fills_it_can_wait_for_room() -> None:
    """Until enough has been taken."""
    inlet = Inlet.empty()
    inlet.put(b"12345")
    assert inlet.holds(4)
    assert not inlet.holds(5)
    free = False

    async def wait() -> None:
        nonlocal free
        await inlet.below(4)
        free = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert not free
        await inlet.take()
    assert free
