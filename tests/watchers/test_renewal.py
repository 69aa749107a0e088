"""Renewing logins before they end."""

from __future__ import annotations

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed
from shunt.watchers import renewal
from tests.fakes.pools import known
from tests.watchers.stand_ins import Bench, bench, login, start


async def watch(desk: Bench, seconds: float = 35) -> None:
    async with trio.open_nursery() as nursery:
        health = start(nursery, renewal.watch(desk.parts()), desk)
        await trio.sleep(seconds)
        assert health.conditions["renewal"].failures == 0
        nursery.cancel_scope.cancel()


async def test_what_is_about_to_end_is_renewed(autojump_clock: MockClock) -> None:
    """With the access token that was held, and nothing else is touched."""
    desk = bench("a", "b", "c")
    desk.custody.ending = ["a", "c"]
    await watch(desk)
    assert desk.custody.renewed == [("a", "sk-test-a"), ("c", "sk-test-c")]


async def test_an_account_in_use_is_left_to_its_requests(autojump_clock: MockClock) -> None:
    """Its next request renews it if need be; a running stream is not disturbed."""
    desk = bench(known("a", in_flight=1))
    desk.custody.ending = ["a"]
    await watch(desk)
    assert desk.custody.renewed == []


async def test_a_shared_login_is_left_to_its_requests(autojump_clock: MockClock) -> None:
    """Renewing one that nobody uses here would log the other program out for nothing."""
    desk = bench("a", "b")
    desk.custody.held["a"] = login(imported_from="/home/me/.claude/.credentials.json")
    desk.custody.ending = ["a", "b"]
    await watch(desk)
    assert [name for name, _ in desk.custody.renewed] == ["b"]


@pytest.mark.parametrize(
    "error",
    [RefreshFailed("a: not now", retry_after=60), ReauthRequired("a: log in")],
    ids=["passing", "for good"],
)
async def test_a_failure_does_not_stop_the_watcher(error: CredentialError, autojump_clock: MockClock) -> None:
    """Custody knows what it means and when to try again; the next login is looked after."""
    desk = bench("a")
    desk.custody.ending, desk.custody.error = ["a"], error
    async with trio.open_nursery() as nursery:
        health = start(nursery, renewal.watch(desk.parts()), desk)
        await trio.sleep(90)
        desk.custody.error = None
        await trio.sleep(20)
        assert health.conditions["renewal"].failures == 0
        nursery.cancel_scope.cancel()
    assert [name for name, _ in desk.custody.renewed] == ["a"]


async def test_what_disappeared_meanwhile_is_skipped(autojump_clock: MockClock) -> None:
    """An account that was removed, one that has no login any more, one that now has a key."""
    desk = bench("a", "b")
    desk.custody.ending = ["gone", "a", "b"]
    desk.custody.held = {"b": ApiKey(Secret("sk-test-key")), "gone": login()}
    await watch(desk)
    assert desk.custody.renewed == []


async def test_two_programs_do_not_keep_step(autojump_clock: MockClock) -> None:
    """The pause between two looks varies with the jitter."""
    looks: list[float] = []
    desk = bench("a")
    jitters = iter([0.0, 1.0, 0.5])

    class Noting(type(desk.custody)):  # type: ignore[misc]
        def expiring(self, within: float) -> tuple[str, ...]:
            looks.append(trio.current_time())
            assert within == 300
            return ()

    parts = evolve(desk.parts(), custody=Noting(), jitter=lambda: next(jitters, 0.0))
    async with trio.open_nursery() as nursery:
        start(nursery, renewal.watch(parts), desk)
        await trio.sleep(76)
        nursery.cancel_scope.cancel()
    assert looks == pytest.approx([20, 50, 75])
