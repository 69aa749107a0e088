"""Asking after accounts that nobody uses: rarely, one at a time, and not at all when it is off."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.accounts.state import AccountState, Custody
from shunt.config.types import Config, PrefetchConfig
from shunt.errors import UpstreamUnreachable
from shunt.limits.windows import Source, Standing
from shunt.watchers import prefetch
from shunt.watchers.prefetch import DAY, has_begun, is_stale
from tests.fakes.pools import HOUR, T0, known, window
from tests.watchers.stand_ins import Bench, FakeReply, bench, start

OLD = window("5h", 0.4, 3 * HOUR, seen_at=T0 - 2 * HOUR)
FRESH = window("5h", 0.4, 3 * HOUR, seen_at=T0 - 60)
TOLD = (window("5h", 0.1),)
LIMITS = (
    (b"anthropic-ratelimit-unified-5h-utilization", b"0.3"),
    (b"anthropic-ratelimit-unified-5h-reset", b"1790010000"),
)


async def watch(desk: Bench, seconds: float, **changes: Any) -> None:
    async with trio.open_nursery() as nursery:
        health = start(nursery, prefetch.watch(desk.parts(**changes)), desk)
        await trio.sleep(seconds)
        assert health.conditions["prefetch"].failures == 0
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("state", "stale"),
    [
        (known("a"), True),
        (known("a", OLD), True),
        (known("a", FRESH), False),
        (known("a", OLD, window("7d", seen_at=T0 - 5)), False),
        (known("a", evolve(FRESH, seen_at=T0 + DAY)), True),
        (known("a", OLD, in_flight=1), False),
        (known("a", OLD, paused=True), False),
        (known("a", OLD, custody=Custody.REAUTH_REQUIRED), False),
        (known("a", OLD, custody=Custody.MISSING), False),
    ],
    ids=[
        "nothing known",
        "old",
        "fresh",
        "one fresh",
        "from later",
        "in use",
        "paused",
        "refused",
        "no login",
    ],
)
def test_which_accounts_are_asked_after(state: AccountState, stale: bool) -> None:
    """Those that could be used, are not in use, and of which nothing was heard for an hour."""
    assert is_stale(state, T0) is stale


@pytest.mark.parametrize(
    ("changes", "begun"),
    [
        ({}, True),
        ({"resets_at": T0 - 1}, False),
        ({"resets_at": None}, False),
        ({"used": 0.0}, False),
        ({"used": None}, False),
        ({"standing": Standing.REJECTED}, False),
    ],
    ids=["running", "over", "no reset known", "untouched", "use unknown", "spent"],
)
def test_when_a_probe_cannot_start_a_window(changes: dict[str, Any], begun: bool) -> None:
    """Only when the five-hour window is known to run, and to take requests."""
    assert has_begun(known("a", evolve(OLD, **changes)), T0) is begun


def test_an_unknown_window_is_not_begun() -> None:
    """Nothing known means a probe could start it."""
    assert not has_begun(known("a"), T0)


async def test_at_start_what_is_unknown_or_old_is_asked_for(autojump_clock: MockClock) -> None:
    """One account after the other, a few seconds apart; what is told is known to the pool."""
    desk = bench("a", known("b", FRESH), known("c", OLD), windows=TOLD)
    await watch(desk, 30)
    assert desk.asked == [("a", 0), ("c", pytest.approx(5))]
    assert desk.pool.state.accounts["c"].windows["5h"].used == 0.1


async def test_an_idle_account_is_asked_after_once_an_hour(autojump_clock: MockClock) -> None:
    """Not more often, however often this is looked at."""
    desk = bench("a", windows=TOLD)
    await watch(desk, 5 * HOUR)
    assert len(desk.asked) in (5, 6)


async def test_waking_up_with_many_accounts_is_no_burst(autojump_clock: MockClock) -> None:
    """After eight hours of sleep all of them are old; they are asked after one by one."""
    desk = bench(*"abcdef", windows=TOLD)
    async with trio.open_nursery() as nursery:
        start(nursery, prefetch.watch(desk.parts()), desk)
        await trio.sleep(120)
        desk.asked.clear()
        desk.clock.ahead += 8 * HOUR
        await trio.sleep(120)
        nursery.cancel_scope.cancel()
    times = [at for _, at in desk.asked]
    assert len(times) == 6
    assert all(after - before >= 2.5 for before, after in pairwise(times))


@pytest.mark.parametrize(
    "trouble", [None, UpstreamUnreachable("no network")], ids=["told nothing", "no network"]
)
async def test_fruitless_questions_become_rare(trouble: Exception | None, autojump_clock: MockClock) -> None:
    """A quarter of an hour, then twice as long each time up to four hours; the account is not blamed."""
    desk = bench("a", trouble=trouble)
    before = desk.pool.state
    await watch(desk, 24 * HOUR)
    times = [at for _, at in desk.asked]
    gaps = [round((after - before) / 60) for before, after in pairwise(times)]
    assert gaps[0] in range(15, 20)
    assert all(after >= before for before, after in pairwise(gaps))
    assert gaps[-1] in range(240, 275)
    assert desk.pool.state == before


async def test_many_short_sleeps_do_not_undo_the_pause(autojump_clock: MockClock) -> None:
    """A back-off counts the time the machine was awake."""
    desk = bench("a")
    async with trio.open_nursery() as nursery:
        start(nursery, prefetch.watch(desk.parts()), desk)
        for _ in range(50):
            await trio.sleep(10)
            desk.clock.ahead += 900
        nursery.cancel_scope.cancel()
    assert len(desk.asked) == 1


async def test_a_good_answer_ends_the_pause(autojump_clock: MockClock) -> None:
    """The next fruitless question is again followed by a quarter of an hour, not by hours."""
    desk = bench("a", trouble=UpstreamUnreachable("no network"), windows=TOLD)
    async with trio.open_nursery() as nursery:
        start(nursery, prefetch.watch(desk.parts()), desk)
        await trio.sleep(2 * HOUR)
        desk.trouble = None
        await trio.sleep(3 * HOUR)
        assert not is_stale(desk.pool.state.accounts["a"], desk.clock.now())
        desk.trouble = UpstreamUnreachable("no network again")
        desk.asked.clear()
        await trio.sleep(2 * HOUR)
        nursery.cancel_scope.cancel()
    (_, first), (_, second) = desk.asked[:2]
    assert 15 * 60 <= second - first <= 20 * 60


async def test_off_is_off(autojump_clock: MockClock) -> None:
    """No traffic at all, whatever is unknown."""
    desk = bench("a", known("b", OLD), mode="off")
    await watch(desk, 24 * HOUR)
    assert desk.asked == []
    assert desk.sent == []


async def test_metered_keys_have_no_windows_to_ask_for(autojump_clock: MockClock) -> None:
    """Only subscriptions are asked after."""
    desk = bench("a")
    desk.pool.reconfigure(
        [evolve(desk.pool.accounts["a"], subscription=False)], desk.pool.view().tuning, 3600
    )
    await watch(desk, 2 * HOUR)
    assert desk.asked == []


async def test_a_probe_is_sent_only_into_a_running_window(autojump_clock: MockClock) -> None:
    """What its answer's headers tell is known as learnt by a probe."""
    running = known("b", window("5h", 0.4, 3 * HOUR, seen_at=T0 - 2 * HOUR))
    desk = bench("a", running, mode="probe", reply=FakeReply(LIMITS))
    await watch(desk, 600)
    assert [call.account for call in desk.sent] == ["b"]
    learnt = desk.pool.state.accounts["b"].windows["5h"]
    assert (learnt.used, learnt.source) == (0.3, Source.PROBE)


async def test_probes_keep_within_their_daily_budget(autojump_clock: MockClock) -> None:
    """Counted per account and UTC day, also those that failed."""
    far = window("5h", 0.4, 30 * DAY, seen_at=T0 - 2 * HOUR, length=None)
    desk = bench(known("a", far), mode="probe", trouble=UpstreamUnreachable("no network"))
    desk.config = Config(prefetch=PrefetchConfig(mode="probe", daily_probe_budget=2))
    midnight = DAY - T0 % DAY
    async with trio.open_nursery() as nursery:
        start(nursery, prefetch.watch(desk.parts()), desk)
        await trio.sleep(midnight - 1)
        first = len(desk.sent)
        await trio.sleep(DAY)
        nursery.cancel_scope.cancel()
    assert first == 2
    assert len(desk.sent) == 4
