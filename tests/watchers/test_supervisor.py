"""Watchers that crash, hang or return: nothing else notices, and they come back."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from shunt.errors import StoreError
from shunt.watchers.health import Doing, Health, Report
from shunt.watchers.supervisor import Watcher, describe, supervise
from tests.watchers.stand_ins import WallClock

Run = Callable[[Report], Awaitable[None]]


def go(nursery: trio.Nursery, health: Health, *watchers: Watcher) -> None:
    for watcher in watchers:
        nursery.start_soon(partial(supervise, watcher, health, jitter=lambda: 1.0))


def starts_of(run: Run) -> tuple[Run, list[float]]:
    """The same watcher, and the times at which it was started."""
    times: list[float] = []

    async def noted(report: Report) -> None:
        times.append(trio.current_time())
        await run(report)

    return noted, times


async def crash(report: Report) -> None:
    report.working()
    await trio.lowlevel.checkpoint()
    msg = "sk-test-secret in a message"
    raise RuntimeError(msg)


async def leave(report: Report) -> None:
    await trio.lowlevel.checkpoint()


async def hang(report: Report) -> None:
    report.working()
    await trio.sleep_forever()


async def live(report: Report) -> None:
    while True:
        report.idle()
        await trio.sleep(1)


async def test_a_crash_leaves_siblings_and_server_running(autojump_clock: MockClock) -> None:
    """A watcher that dies again and again takes nobody along and shows as failed."""
    served = 0
    health = Health(WallClock().now)
    steady, steady_starts = starts_of(live)
    async with trio.open_nursery() as nursery:
        go(nursery, health, Watcher("broken", crash, 60), Watcher("steady", steady, 60))
        for _ in range(100):  # the server
            await trio.sleep(1)
            served += 1
        assert health.conditions["broken"].state is Doing.FAILED
        assert health.conditions["steady"].state is Doing.IDLE
        assert health.degraded == ("broken",)
        nursery.cancel_scope.cancel()
    assert served == 100
    assert steady_starts == [0]


async def test_restarts_come_ever_slower(autojump_clock: MockClock) -> None:
    """One second, then two, four … and never more than a minute apart."""
    run, starts = starts_of(crash)
    async with trio.open_nursery() as nursery:
        go(nursery, Health(WallClock().now), Watcher("broken", run, 60))
        await trio.sleep(300)
        nursery.cancel_scope.cancel()
    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])


async def test_five_minutes_of_health_forgive_earlier_crashes(autojump_clock: MockClock) -> None:
    """A watcher that crashes once in a while is restarted at once each time."""

    async def crash_after_six_minutes(report: Report) -> None:
        await trio.sleep(360)
        raise RuntimeError

    run, starts = starts_of(crash_after_six_minutes)
    async with trio.open_nursery() as nursery:
        go(nursery, Health(WallClock().now), Watcher("frail", run, 1000))
        await trio.sleep(1100)
        nursery.cancel_scope.cancel()
    assert starts == pytest.approx([0, 361, 722, 1083])


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (crash, "RuntimeError in tests.watchers.test_supervisor.crash"),
        (leave, "returned"),
        (hang, "no sign of life for 30 s"),
    ],
    ids=["crash", "return", "hang"],
)
async def test_every_end_is_a_fault(run: Run, reason: str, autojump_clock: MockClock) -> None:
    """Whatever ends a watcher, it is started again and its health says why."""
    noted, starts = starts_of(run)
    health = Health(WallClock().now)
    async with trio.open_nursery() as nursery:
        go(nursery, health, Watcher("w", noted, 30))
        await trio.sleep(40)
        nursery.cancel_scope.cancel()
    assert len(starts) > 1
    assert reason in health.conditions["w"].last_error
    assert health.conditions["w"].failures >= 1


async def test_signs_of_life_keep_a_long_round_alive(autojump_clock: MockClock) -> None:
    """Work may take longer than the limit as long as each step shows."""

    async def toil(report: Report) -> None:
        while True:
            report.working()
            await trio.sleep(25)

    noted, starts = starts_of(toil)
    async with trio.open_nursery() as nursery:
        go(nursery, Health(WallClock().now), Watcher("w", noted, 30))
        await trio.sleep(500)
        nursery.cancel_scope.cancel()
    assert starts == [0]


async def test_waiting_is_not_hanging(autojump_clock: MockClock) -> None:
    """A watcher may sleep until a moment it named, or for an event, however long that takes."""
    clock = WallClock()

    async def sleep_long(report: Report) -> None:
        report.idle(clock.now() + 5000)
        await trio.sleep(5000)
        report.idle()
        await trio.sleep_forever()

    noted, starts = starts_of(sleep_long)
    async with trio.open_nursery() as nursery:
        go(nursery, Health(clock.now), Watcher("w", noted, 30))
        await trio.sleep(80_000)
        nursery.cancel_scope.cancel()
    assert starts == [0]


async def test_oversleeping_is_hanging(autojump_clock: MockClock) -> None:
    """A watcher that misses the moment it named by more than its limit is restarted."""
    clock = WallClock()

    async def oversleep(report: Report) -> None:
        report.idle(clock.now() + 10)
        await trio.sleep_forever()

    noted, starts = starts_of(oversleep)
    async with trio.open_nursery() as nursery:
        go(nursery, Health(clock.now), Watcher("w", noted, 30))
        await trio.sleep(45)
        nursery.cancel_scope.cancel()
    assert starts == pytest.approx([0, 41])


async def test_a_crash_is_one_line_without_secrets(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the message of a foreign error nor a traceback reaches the log or the status."""
    health = Health(WallClock().now)
    with caplog.at_level(logging.DEBUG):
        async with trio.open_nursery() as nursery:
            go(nursery, health, Watcher("w", crash, 30))
            await trio.sleep(0.5)
            nursery.cancel_scope.cancel()
    (line,) = caplog.records
    assert "RuntimeError" in line.getMessage()
    assert "\n" not in line.getMessage()
    assert line.exc_info is None
    assert "sk-test-secret" not in caplog.text + health.conditions["w"].last_error


async def test_a_crash_that_meets_the_shutdown_stays_inside(autojump_clock: MockClock) -> None:
    """An error raised while the watcher is being cancelled does not turn shutdown into a crash."""

    async def child() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise RuntimeError

    async def run(report: Report) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        go(nursery, Health(WallClock().now), Watcher("w", run, 1000))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("run", [live, crash], ids=["running", "between two restarts"])
async def test_the_last_act_happens_at_shutdown(run: Run, autojump_clock: MockClock) -> None:
    """It is not cut off by the cancellation, and runs whatever state the watcher was in."""
    acts: list[float] = []

    async def close() -> None:
        await trio.sleep(2)
        acts.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        go(nursery, Health(WallClock().now), Watcher("w", run, 30, close))
        await trio.sleep(10)
        assert acts == []
        nursery.cancel_scope.cancel()
    assert acts == [12]


async def test_the_last_act_is_bounded(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """A disk that hangs delays the end of the program by five seconds at most, and that is said."""
    async with trio.open_nursery() as nursery:
        go(nursery, Health(WallClock().now), Watcher("w", live, 30, trio.sleep_forever))
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert trio.current_time() == pytest.approx(15)
    assert "did not finish its last work" in caplog.text


async def test_a_failing_last_act_does_not_disturb_the_others(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The program still ends cleanly."""

    async def close() -> None:
        await trio.lowlevel.checkpoint()
        raise StoreError("state.json: no space left")

    async with trio.open_nursery() as nursery:
        go(nursery, Health(WallClock().now), Watcher("w", live, 30, close))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert "no space left" in caplog.text


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (StoreError("two\nlines"), "StoreError: two lines"),
        (OSError(28, "No space left on device", "name-of-a-file"), "OSError: No space left on device"),
        (ValueError("sk-test-secret"), "ValueError"),
        (ExceptionGroup("", [ExceptionGroup("", [KeyError("k")]), ValueError("v")]), "KeyError"),
    ],
    ids=["ours", "of the system", "foreign", "group"],
)
def test_failures_in_one_line(error: Exception, line: str) -> None:
    """Words of our own errors and of the system are told, those of others are not."""
    assert describe(error) == line
