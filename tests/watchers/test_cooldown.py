"""Accounts that come back, and what is told of them."""

from __future__ import annotations

from typing import NoReturn

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import AccountState, Cooldown
from shunt.watchers import clock, cooldown
from shunt.watchers.cooldown import notice_of, span
from shunt.watchers.notices import Category
from tests.fakes.pools import DAY, HOUR, T0, known, outcome, window
from tests.watchers.stand_ins import Bench, bench, start


def cooling(
    name: str, seconds: float, cause: Verdict = Verdict.LIMITED, scope: str = "", since: float = T0
) -> AccountState:
    """An account that cools for so many seconds from T0 on."""
    running = Cooldown(
        until=T0 + seconds, since=since, reason=f"{cause}: 5h", cause=cause, longest=max(seconds, 0.0)
    )
    return known(name, cooldowns={scope: running})


async def back_at(desk: Bench, name: str, within: float) -> float | None:
    """Trio time at which an account's cooldown is dropped."""
    with trio.move_on_after(within):
        version = -1
        while desk.pool.state.accounts[name].cooldowns:
            version = await desk.pool.changed(max(version, desk.pool.version))
        return trio.current_time()
    return None


@pytest.mark.parametrize("seconds", [0.5, 20, 75, 4 * HOUR])
async def test_an_account_is_back_when_its_cooldown_ends(seconds: float, autojump_clock: MockClock) -> None:
    """Not before, and within a breath after, however long it lasted; the change wakes held requests."""
    desk = bench(cooling("a", seconds), "b")
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        assert await back_at(desk, "a", 10 * HOUR) == pytest.approx(seconds, abs=0.1)
        nursery.cancel_scope.cancel()


async def test_a_newer_shorter_cooldown_is_not_slept_over(autojump_clock: MockClock) -> None:
    """A watcher that waits for a far moment wakes for a nearer one that comes up meanwhile."""
    desk = bench(cooling("a", HOUR), "b")
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        await trio.sleep(3)
        desk.pool.record(outcome("b", Verdict.BROKEN, at=desk.clock.now()))
        assert await back_at(desk, "b", HOUR) == pytest.approx(3 + 15, abs=0.1)
        nursery.cancel_scope.cancel()


async def test_after_eight_hours_of_sleep_accounts_are_back_within_five_seconds(
    autojump_clock: MockClock,
) -> None:
    """Trio's clock stood still meanwhile; the clock watcher wakes this one."""
    desk = bench(cooling("a", 4 * HOUR))
    parts = desk.parts()
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(parts), desk)
        start(nursery, clock.watch(parts), desk)
        await trio.sleep(1)
        desk.clock.ahead += 8 * HOUR
        back = await back_at(desk, "a", HOUR)
        nursery.cancel_scope.cancel()
    assert back is not None
    assert back <= 6


async def test_without_a_wake_up_call_it_takes_thirty_seconds_at_most(autojump_clock: MockClock) -> None:
    """The wall clock is looked at by itself, too."""
    desk = bench(cooling("a", 4 * HOUR))
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        await trio.sleep(1)
        desk.clock.ahead += 3 * DAY
        assert await back_at(desk, "a", HOUR) == pytest.approx(30, abs=0.5)
        nursery.cancel_scope.cancel()


async def test_a_clock_set_back_does_not_stretch_a_cooldown(autojump_clock: MockClock) -> None:
    """It lasts from then on as long as it would have lasted at first, at most."""
    desk = bench(cooling("a", HOUR))
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        await trio.sleep(1)
        desk.clock.ahead -= 3 * DAY
        back = await back_at(desk, "a", 10 * DAY)
        nursery.cancel_scope.cancel()
    assert back is not None
    assert HOUR - 1 <= back <= HOUR + 60


async def test_the_windows_of_a_returning_account_are_asked_for(autojump_clock: MockClock) -> None:
    """Once, after a long cooldown, and what is told is known to the pool."""
    desk = bench(cooling("a", HOUR), cooling("b", 60), windows=(window("5h", 0.25),))
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        await trio.sleep(2 * HOUR)
        nursery.cancel_scope.cancel()
    assert [name for name, _ in desk.asked] == ["a"]
    assert desk.pool.state.accounts["a"].windows["5h"].used == 0.25


@pytest.mark.parametrize("mode", ["off", "probe"])
async def test_other_modes_ask_nothing(mode: str, autojump_clock: MockClock) -> None:
    """No traffic at all when it is off; and a probe would start the window that has just reset."""
    desk = bench(cooling("a", HOUR), mode=mode)
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        await trio.sleep(2 * HOUR)
        nursery.cancel_scope.cancel()
    assert desk.asked == []
    assert desk.sent == []


async def test_a_slow_answer_about_one_account_delays_no_other(autojump_clock: MockClock) -> None:
    """Re-admission never waits for the network, and the question is given up in time."""
    desk = bench(cooling("a", HOUR), cooling("b", HOUR + 5))

    async def silence(*_: object) -> NoReturn:
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        health = start(nursery, cooldown.watch(desk.parts(fetch_usage=silence)), desk)
        assert await back_at(desk, "b", 2 * HOUR) == pytest.approx(HOUR + 5, abs=0.1)
        await trio.sleep(HOUR)
        assert health.conditions["cooldown"].failures == 0
        nursery.cancel_scope.cancel()


async def test_long_cooldowns_are_told_at_both_ends(autojump_clock: MockClock) -> None:
    """Short ones are nobody's business; one that grows longer is told when it is long."""
    desk = bench("a", "b")
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        await trio.sleep(1)
        desk.pool.record(outcome("b", Verdict.BROKEN, at=desk.clock.now()))
        limited = outcome(
            "a", Verdict.LIMITED, at=desk.clock.now(), windows=(window("5h", 1.0, HOUR, rejected=True),)
        )
        desk.pool.record(limited)
        desk.pool.record(limited)
        await trio.sleep(60)
        assert desk.told() == [("long cooldown started", "a")]
        await trio.sleep(HOUR)
        nursery.cancel_scope.cancel()
    assert desk.told() == [("long cooldown started", "a"), ("long cooldown ended", "a")]


async def test_an_account_that_was_turned_away_is_told_as_such(autojump_clock: MockClock) -> None:
    """It needs somebody to look at the subscription, unlike one that is merely spent."""
    desk = bench("a")
    async with trio.open_nursery() as nursery:
        start(nursery, cooldown.watch(desk.parts()), desk)
        await trio.sleep(1)
        desk.pool.record(outcome("a", Verdict.FORBIDDEN, at=desk.clock.now(), message="subscription lapsed"))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert desk.told() == [("account forbidden", "a")]
    assert "subscription lapsed" in desk.notices[0].text


def test_what_is_said_of_a_long_cooldown() -> None:
    """Who, for how long, why, and for which models when not for all."""
    running = Cooldown(until=T0 + 2 * HOUR, since=T0, reason="limited: 7d_opus", cause=Verdict.LIMITED)
    told = notice_of(("main", "opus"), running, T0)
    assert told.category is Category.COOLDOWN_STARTED
    assert told.text == "Account main (models opus) is spent; back in 2 h (limited: 7d_opus)."
    barred = notice_of(("main", ""), evolve(running, cause=Verdict.FORBIDDEN), T0)
    assert (barred.category, barred.account) == (Category.FORBIDDEN, "main")


def test_only_a_limit_is_called_spent() -> None:
    """A refused key has its own cure, and a fault of the vendor none but time."""
    running = Cooldown(until=T0 + 300, since=T0, reason="unauthorized: HTTP 401", cause=Verdict.UNAUTHORIZED)
    assert notice_of(("k", ""), running, T0).text == (
        "Account k was refused (unauthorized: HTTP 401); shunt tries again in 5 min. Check its key or login with "
        "`shunt doctor`."
    )
    broken = evolve(running, cause=Verdict.BROKEN, reason="broken: HTTP 500")
    assert (
        notice_of(("k", ""), broken, T0).text
        == "Account k cannot serve; tried again in 5 min (broken: HTTP 500)."
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 min"),
        (300, "5 min"),
        (3600, "1 h"),
        (4.5 * HOUR, "4 h 30 min"),
        (DAY, "1 d"),
        (2 * DAY + 3 * HOUR + 60, "2 d 3 h"),
    ],
)
def test_spans_for_people(seconds: float, text: str) -> None:
    """The two largest units, nothing finer than a minute."""
    assert span(seconds) == text
