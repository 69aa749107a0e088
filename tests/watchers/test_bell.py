"""Asking for work now."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from shunt.watchers.bell import Bell


async def test_a_ring_ends_the_wait_once(autojump_clock: MockClock) -> None:
    """Also one that came before; several rings are answered together."""
    bell = Bell()
    bell.ring()
    bell.ring()
    assert await bell.within(10) is True
    assert trio.current_time() == 0
    assert await bell.within(10) is False
    assert trio.current_time() == 10


async def test_a_ring_during_the_wait_is_heard(autojump_clock: MockClock) -> None:
    """Without waiting for the time to run out."""
    bell = Bell()

    async def ring() -> None:
        await trio.sleep(3)
        bell.ring()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ring)
        assert await bell.within(10) is True
    assert trio.current_time() == 3
