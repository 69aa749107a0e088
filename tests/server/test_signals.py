from __future__ import annotations

import os
import signal
import sys
from functools import partial

import pytest
import trio
import trio.testing

from shunt.server.signals import AT_ONCE, ECHO, obey_signals

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="signals are sent to a process of its own there"
)


async def test_the_first_signal_asks_and_the_second_ends() -> None:
    """SIGTERM lets streams finish; whoever sends another one does not want to wait."""
    stop = trio.Event()
    ended: list[int] = []
    done = trio.Event()

    def end(status: int) -> None:
        ended.append(status)
        done.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(obey_signals, stop, lambda: None, end=end))
        await trio.testing.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await trio.sleep(ECHO * 2)
        assert ended == [], "an echo of the first signal is no second one"
        os.kill(os.getpid(), signal.SIGINT)
        await done.wait()
        assert ended == [AT_ONCE]
        nursery.cancel_scope.cancel()


async def test_hangup_has_the_configuration_read() -> None:
    """SIGHUP reloads and ends nothing."""
    stop, reloaded = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(obey_signals, stop, reloaded.set)
        await trio.testing.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGHUP)
        await reloaded.wait()
        assert not stop.is_set()
        nursery.cancel_scope.cancel()


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="the system has no such signal")
async def test_what_goes_on_may_be_asked_for() -> None:
    """SIGUSR1, which ends other programs, has it told and ends nothing."""
    stop, asked = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(obey_signals, stop, lambda: None, tell=asked.set))
        await trio.testing.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGUSR1)
        await asked.wait()
        assert not stop.is_set()
        nursery.cancel_scope.cancel()


@pytest.mark.skipif(not hasattr(signal, "SIGUSR2"), reason="the system has no such signal")
async def test_another_version_may_be_asked_for() -> None:
    """SIGUSR2 asks this one to give way, and ends nothing by itself."""
    stop, asked = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(obey_signals, stop, lambda: None, give_way=asked.set))
        await trio.testing.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGUSR2)
        await asked.wait()
        assert not stop.is_set()
        nursery.cancel_scope.cancel()
