"""The records behind `/status` and `/ready`."""

from __future__ import annotations

from math import inf

import pytest
import trio
from trio.testing import MockClock

from shunt.watchers.health import Condition, Doing, Health, Report
from tests.fakes.pools import T0
from tests.watchers.stand_ins import WallClock


def report_for(condition: Condition, clock: WallClock, limit: float = 30) -> Report:
    return Report(condition, trio.CancelScope(), limit, clock.now)


async def test_a_round_of_work_is_counted_once(autojump_clock: MockClock) -> None:
    """However many signs of life a round gives, it is one run; times are epoch seconds."""
    condition = Condition("w")
    report = report_for(condition, WallClock())
    await trio.sleep(5)
    for _ in range(3):
        report.working()
    assert (condition.state, condition.runs, condition.last_run) == (Doing.WORKING, 1, T0 + 5)
    report.idle(T0 + 99)
    assert (condition.state, condition.next_run) == (Doing.IDLE, T0 + 99)
    report.working()
    assert (condition.runs, condition.next_run) == (2, None)


async def test_each_sign_moves_the_deadline(autojump_clock: MockClock) -> None:
    """Working allows the limit, a named moment the time until then and the limit, an event any time."""
    condition = Condition("w")
    report = report_for(condition, WallClock())
    await trio.lowlevel.checkpoint()
    report.working()
    assert report.scope.deadline == condition.due == 30
    report.idle(T0 + 100)
    assert report.scope.deadline == 130
    report.idle(T0 - 1000)
    assert report.scope.deadline == 30
    report.idle()
    assert report.scope.deadline == inf


async def test_a_failed_watcher_is_degraded_until_it_lives_again(autojump_clock: MockClock) -> None:
    """What went wrong stays readable after recovery."""
    health = Health(WallClock().now)
    condition = health.enrol("w")
    seen = [health.degraded]
    condition.fail("it broke")
    seen.append(health.degraded)
    await trio.sleep(5)
    report_for(condition, WallClock()).idle()
    seen.append(health.degraded)
    assert seen == [(), ("w",), ()]
    assert (condition.failures, condition.last_error) == (1, "it broke")


@pytest.mark.parametrize(("failures", "degraded"), [(5, False), (6, True)])
async def test_many_restarts_degrade(failures: int, degraded: bool, autojump_clock: MockClock) -> None:
    """More than five within ten minutes count, even though the watcher runs at this moment."""
    condition = Condition("w")
    report = report_for(condition, WallClock())
    for _ in range(failures):
        condition.fail("again")
        report.idle()
        await trio.sleep(90)
    assert condition.degraded is degraded
    await trio.sleep(500)
    assert condition.degraded is False


async def test_silence_beyond_the_deadline_degrades(autojump_clock: MockClock) -> None:
    """Also while a cancellation cannot reach the watcher."""
    condition = Condition("w")
    report_for(condition, WallClock(), limit=30).working()
    await trio.sleep(29)
    assert not condition.degraded
    await trio.sleep(2)
    assert condition.degraded


def test_a_watcher_keeps_its_record() -> None:
    """Enrolling again, after a restart, does not forget."""
    health = Health(lambda: T0)
    assert health.enrol("w") is health.enrol("w")
