"""Sleep, standing still, and clocks that are set."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from shunt.watchers import clock
from shunt.watchers.clock import Reading, gap
from tests.fakes.pools import DAY, HOUR, T0
from tests.watchers.stand_ins import bench, start

BEFORE = Reading(wall=T0, boot=500.0, awake=100.0)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (Reading(T0 + 5, 505, 105), 0),
        (Reading(T0 + 7, 505, 105), 2),
        (Reading(T0 + 8 * HOUR, 500 + 8 * HOUR, 105), 8 * HOUR - 5),
        (Reading(T0 + 3 * DAY + 5, 505, 105), 3 * DAY),
        (Reading(T0 - 3 * DAY + 5, 505, 105), 3 * DAY),
        (Reading(T0 - HOUR + 5, 505 + HOUR, 105), HOUR),
        (Reading(T0 + 65, 565, 165), 60),
        (Reading(T0 + HOUR, None, 105), HOUR - 5),
    ],
    ids=[
        "all in step",
        "nudged by a time server",
        "slept",
        "set forward",
        "set back",
        "slept, and set back as long",
        "stopped by a signal",
        "slept, no boot clock",
    ],
)
def test_how_far_the_clocks_parted(after: Reading, expected: float) -> None:
    """The largest difference counts, in either direction, and whichever clock shows it."""
    assert abs(gap(BEFORE, after, 5.0)) == pytest.approx(expected)


@pytest.mark.parametrize("jump", [8 * HOUR, 3 * DAY, -3 * DAY, 11.0])
async def test_within_five_seconds_of_a_jump_everything_is_looked_at_anew(
    jump: float, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Idle connections are dropped and whoever waits for a moment is woken, once, with one line."""
    desk = bench("a")
    woken: list[float] = []

    async def wait_for_a_moment() -> None:
        version = desk.pool.version
        while True:
            version = await desk.pool.changed(version)
            woken.append(trio.current_time())

    with caplog.at_level(logging.INFO, "shunt.watchers.clock"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_for_a_moment)
            start(nursery, clock.watch(desk.parts()), desk)
            await trio.sleep(101)
            desk.clock.ahead += jump
            await trio.sleep(100)
            nursery.cancel_scope.cancel()
    assert desk.drops == woken == [105]
    assert len(caplog.records) == 1


async def test_old_connections_do_not_wait_for_the_next_request(autojump_clock: MockClock) -> None:
    """Every five seconds those that nobody has used for long are closed."""
    desk = bench("a")
    async with trio.open_nursery() as nursery:
        start(nursery, clock.watch(desk.parts()), desk)
        await trio.sleep(21)
        nursery.cancel_scope.cancel()
    assert desk.looks == [5, 10, 15, 20]


async def test_a_sleep_that_only_the_boot_clock_shows_counts(autojump_clock: MockClock) -> None:
    """A wall clock that was set while the machine slept may look as if nothing had happened."""
    desk = bench("a")
    slept = 0.0
    async with trio.open_nursery() as nursery:
        parts = desk.parts(boot=lambda: slept + trio.current_time())
        start(nursery, clock.watch(parts), desk)
        await trio.sleep(12)
        slept = HOUR
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert desk.drops == [15]


@pytest.mark.parametrize("drift", [lambda at: 0.0, lambda at: at * 0.5])
async def test_clocks_in_step_disturb_nobody(
    drift: Callable[[float], float], autojump_clock: MockClock
) -> None:
    """Nor do clocks that drift or are nudged by a few seconds."""
    desk = bench("a")
    version = desk.pool.version
    parts = desk.parts(now=lambda: desk.clock.now() + drift(trio.current_time()))
    async with trio.open_nursery() as nursery:
        start(nursery, clock.watch(parts), desk)
        await trio.sleep(1000)
        nursery.cancel_scope.cancel()
    assert desk.drops == []
    assert desk.pool.version == version


async def test_many_short_sleeps_send_nothing(autojump_clock: MockClock) -> None:
    """A closed laptop wakes up again and again; each time connections are dropped and that is all."""
    desk = bench("a")
    async with trio.open_nursery() as nursery:
        health = start(nursery, clock.watch(desk.parts()), desk)
        await trio.sleep(2)
        for _ in range(50):
            desk.clock.ahead += 900
            await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert len(desk.drops) == 50
    assert desk.asked == []
    assert desk.sent == []
    assert health.degraded == ()
