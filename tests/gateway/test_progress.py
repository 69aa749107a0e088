"""How far an answer has come."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from shunt.gateway.progress import MOST_STALLS, STALL, Progress


async def test_bytes_and_chunks_are_counted(autojump_clock: MockClock) -> None:
    """And the moments of the first and the last are known."""
    progress = Progress()
    assert progress.silence(trio.current_time()) is None
    progress.moved(5)
    await trio.sleep(3)
    progress.moved(7)
    assert (progress.bytes, progress.chunks) == (12, 2)
    assert progress.began_at is not None
    assert progress.last_at is not None
    assert progress.last_at - progress.began_at == 3
    await trio.sleep(4)
    assert progress.silence(trio.current_time()) == 4
    progress.complete = True
    assert progress.silence(trio.current_time()) is None


async def test_long_silences_are_stalls(autojump_clock: MockClock) -> None:
    """All are counted, some are remembered one by one."""
    progress = Progress()
    progress.moved(1)
    await trio.sleep(STALL / 2)
    progress.moved(1)
    assert progress.stalls == []
    for _ in range(MOST_STALLS + 5):
        await trio.sleep(STALL)
        progress.moved(1)
    assert progress.stalled == MOST_STALLS + 5
    assert len(progress.stalls) == MOST_STALLS
    assert progress.stalls[0][1] == STALL
