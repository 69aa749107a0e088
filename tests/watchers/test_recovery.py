"""Accounts that lost their login: told at once, brought back without asking the vendor."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from shunt.accounts.state import AccountState, Custody
from shunt.errors import ReauthRequired, ShuntError, StoreError
from shunt.watchers import recovery
from shunt.watchers.notices import Category, Notifier
from shunt.watchers.recovery import is_all_out
from tests.fakes.pools import HOUR, known
from tests.watchers.stand_ins import bench, start

LOST = Custody.REAUTH_REQUIRED


async def test_refused_logins_are_looked_for_on_disk_every_two_minutes(autojump_clock: MockClock) -> None:
    """Only those, and nothing is ever sent: a refused token is not tried again."""
    desk = bench(known("a", custody=LOST), "b")
    async with trio.open_nursery() as nursery:
        start(nursery, recovery.watch(desk.parts()), desk)
        await trio.sleep(600)
        nursery.cancel_scope.cancel()
    assert set(desk.custody.rechecked) == {"a"}
    assert len(desk.custody.rechecked) in (4, 5)
    assert desk.custody.renewed == []


@pytest.mark.parametrize(
    "error", [ReauthRequired("a was removed"), StoreError("credentials.json: unreadable")]
)
async def test_a_look_that_fails_is_repeated(error: ShuntError, autojump_clock: MockClock) -> None:
    """The watcher lives on."""
    desk = bench(known("a", custody=LOST))
    desk.custody.error = error
    async with trio.open_nursery() as nursery:
        health = start(nursery, recovery.watch(desk.parts()), desk)
        await trio.sleep(100)
        desk.custody.error = None
        await trio.sleep(100)
        assert health.conditions["recovery"].failures == 0
        nursery.cancel_scope.cancel()
    assert desk.custody.rechecked == ["a"]


async def test_a_lost_login_is_told_at_once(autojump_clock: MockClock) -> None:
    """Within a second or two, once for each loss."""
    desk = bench("a", "b")
    async with trio.open_nursery() as nursery:
        start(nursery, recovery.watch(desk.parts()), desk)
        await trio.sleep(10)
        desk.pool.custody_changed("a", LOST)
        await trio.sleep(2)
        assert desk.told() == [("login needed", "a")]
        await trio.sleep(300)
        desk.pool.custody_changed("a", Custody.PRESENT)
        await trio.sleep(300)
        desk.pool.custody_changed("a", LOST)
        await trio.sleep(2)
        nursery.cancel_scope.cancel()
    assert desk.told() == [("login needed", "a")] * 2


async def test_all_out_is_told_once_an_hour(autojump_clock: MockClock) -> None:
    """As long as it lasts."""
    desk = bench(known("a", custody=LOST), known("b", custody=LOST))
    notifier = Notifier(desk.notices.append, now=desk.clock.now)
    async with trio.open_nursery() as nursery:
        start(nursery, recovery.watch(desk.parts(notify=notifier.notify)), desk)
        await trio.sleep(2.5 * HOUR)
        nursery.cancel_scope.cancel()
    assert [notice.category for notice in desk.notices].count(Category.ALL_OFFLINE) == 3


@pytest.mark.parametrize(
    ("states", "out"),
    [
        ([known("a", custody=LOST)], True),
        ([known("a", custody=LOST), known("b", custody=Custody.MISSING)], True),
        ([known("a", custody=LOST), known("b", paused=True)], True),
        ([known("a", custody=LOST), known("b")], False),
        ([known("a", custody=Custody.MISSING)], False),
        ([known("a", custody=LOST, paused=True)], False),
        ([], False),
    ],
    ids=[
        "only one",
        "others never had one",
        "others paused",
        "one is left",
        "not begun",
        "all paused",
        "none",
    ],
)
def test_when_everybody_is_out(states: list[AccountState], out: bool) -> None:
    """A login was lost, and of the accounts that are wanted none can serve."""
    assert is_all_out(states) is out
