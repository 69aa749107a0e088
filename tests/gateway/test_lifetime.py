from __future__ import annotations

import pytest
import trio
import trio.testing

from shunt.gateway import lifetime
from shunt.gateway.lifetime import Lifetime
from tests.gateway.stages import unasked


async def test_closers_run_last_first_also_when_the_task_is_cancelled() -> None:
    """However a request ends, what it opened is closed, in reverse order."""
    closed: list[str] = []

    async def close(name: str) -> None:
        await trio.lowlevel.checkpoint()
        closed.append(name)

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            request = Lifetime(nursery, unasked)
            request.defer(lambda: close("first"))
            request.defer(lambda: close("second"))
            scope.cancel()
            await request.close()
    assert closed == ["second", "first"]


async def test_one_that_fails_does_not_keep_the_others_open(caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a closer is logged by its type and the rest is closed."""
    closed: list[str] = []

    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("sk-test-secret")

    async def close() -> None:
        await trio.lowlevel.checkpoint()
        closed.append("other")

    async with trio.open_nursery() as nursery:
        request = Lifetime(nursery, unasked)
        request.defer(close)
        request.defer(fail)
        await request.close()
    assert closed == ["other"]
    assert "ValueError" in caplog.text
    assert "sk-test-secret" not in caplog.text


async def test_one_that_hangs_is_given_up(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The shield around closing is bounded: shutdown never waits for ever."""
    async with trio.open_nursery() as nursery:
        request = Lifetime(nursery, unasked)
        request.defer(trio.sleep_forever)
        request.defer(trio.sleep_forever)
        await request.close()
    assert trio.current_time() <= lifetime.CLOSE_WITHIN + 1
    assert "not closed in time" in caplog.text
