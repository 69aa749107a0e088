"""The end of a server's life, as calls see it."""

from __future__ import annotations

import trio
import trio.testing

from shunt.server.drain import Drain


async def test_calls_are_counted_and_cut() -> None:
    """A running call goes on after the beginning of the end, and ends with the cut."""
    drain = Drain()
    cut: list[bool] = []

    async def call() -> None:
        with drain.call() as scope:
            await trio.sleep(3600)
        cut.append(scope.cancelled_caught)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        nursery.start_soon(call)
        await trio.testing.wait_all_tasks_blocked()
        assert (drain.calls, drain.begun) == (2, False)
        drain.begin()
        await trio.testing.wait_all_tasks_blocked()
        assert (drain.calls, drain.begun) == (2, True)
        drain.cut()
    assert cut == [True, True]
    assert drain.calls == 0


async def test_a_call_that_ends_by_itself_was_not_cut() -> None:
    """Its scope says so."""
    with Drain().call() as scope:
        await trio.lowlevel.checkpoint()
    assert not scope.cancelled_caught


def test_a_gentle_end_refuses_nobody() -> None:
    """When another version takes over, whoever got in is served."""
    drain = Drain()
    drain.begin()
    assert (drain.begun, drain.refusing) == (True, True)
    drain.gentle = True
    assert (drain.begun, drain.refusing) == (True, False)


async def test_quiet_comes_with_the_last_awaited_call() -> None:
    """Those who only watch are not waited for."""
    drain = Drain()
    await drain.quiet()
    with drain.call(awaited=False):
        async with trio.open_nursery() as nursery:
            with drain.call():
                nursery.start_soon(drain.quiet)
                await trio.testing.wait_all_tasks_blocked()
                assert len(nursery.child_tasks) == 1
