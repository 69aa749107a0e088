"""What signals do: the first asks to end, the second ends, SIGHUP has the configuration read.

SIGUSR2 has another version take over, as it does in nginx. SIGUSR1 has what goes on written down.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import trio

AT_ONCE: Final = 130
"""Exit status when a second signal ends the program at once."""
ECHO: Final = 0.3
"""Seconds in which a second signal is the first one's echo: `timeout` and some terminals signal both
the program and its group."""
NAMES: Final = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK", "SIGUSR1", "SIGUSR2")
"""Those of them that the system has. Taken here so that KeyboardInterrupt never hits a random task."""


async def obey_signals(
    stop: trio.Event,
    reload: Callable[[], None],
    *,
    give_way: Callable[[], None] = lambda: None,
    tell: Callable[[], None] = lambda: None,
    end: Callable[[int], object] = os._exit,
) -> None:
    """Set `stop` at the first SIGTERM or SIGINT, `end` the program at the second."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    with trio.open_signal_receiver(*numbers) as received:
        asked_at = 0.0
        async for number in received:
            if number == getattr(signal, "SIGHUP", None):
                reload()
            elif number == getattr(signal, "SIGUSR2", None):
                give_way()
            elif number == getattr(signal, "SIGUSR1", None):
                tell()
            elif not stop.is_set():
                asked_at = trio.current_time()
                stop.set()
            elif trio.current_time() - asked_at > ECHO:
                end(AT_ONCE)


async def obey_leash(stop: trio.Event, descriptor: int) -> None:
    """Set `stop` when whoever started us has gone, even without a word: the other end of a pipe tells."""
    async with trio.lowlevel.FdStream(descriptor) as leash:
        with suppress(trio.BrokenResourceError):
            while await leash.receive_some(1):
                pass
    stop.set()
