"""Renewals: one however many ask, no token lost whoever leaves, no login given up too soon."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from itertools import pairwise

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock, wait_all_tasks_blocked

from shunt.accounts.credential import Credential, Login
from shunt.accounts.secret import Secret
from shunt.accounts.state import Custody as Presence
from shunt.accounts.succession import same_secrets
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed
from shunt.store.credential_format import PendingRefresh, StoredCredential
from shunt.upstream.renewal import Renewal
from tests.custody.house import KEY, house
from tests.fakes.renewal import T0, login
from tests.fakes.stores import MemoryStore


async def test_two_hundred_callers_cost_one_renewal(autojump_clock: MockClock) -> None:
    """However many requests met the same 401, the endpoint is asked once and all get the new login."""
    async with house("main") as it:
        sent, got = it.sent(), list[Credential]()

        async def caller() -> None:
            got.append(await it.custody.refresh("main", sent))
            assert it.stored() == got[-1]  # durable before it is handed out

        async with trio.open_nursery() as callers:
            for _ in range(200):
                callers.start_soon(caller)
        assert len(it.vendor.calls) == 1
        assert {one.access for one in got if isinstance(one, Login)} == {it.vendor.newest("main").access}
        # A 401 for the old token that arrives late needs no renewal.
        assert await it.custody.refresh("main", sent) == got[0]
        assert len(it.vendor.calls) == 1


async def test_the_requester_may_leave_at_any_moment(autojump_clock: MockClock) -> None:
    """Whatever step the program takes when the caller that triggered it is cancelled, the renewal ends
    well, and the next caller is served."""
    for k in range(1, 200):
        async with house("main") as it:
            with trio.CancelScope() as scope:
                countdown = CountDown(scope, k)
                trio.lowlevel.add_instrument(countdown)
                await it.refresh()
            trio.lowlevel.remove_instrument(countdown)
            served = await it.custody.refresh("main", login("main").access)
            assert served == it.stored()
            assert isinstance(served, Login)
            assert served.access == it.vendor.newest("main").access
            assert it.vendor.generations == {"main": 2}
            assert it.store.accounts["main"].pending is None
            await wait_all_tasks_blocked()
            assert it.store.taken == set()
        if countdown.left > 0:
            assert k > 10
            return
    pytest.fail("the refresh never ended")


class CountDown(trio.abc.Instrument):
    """Cancels a scope when any task is about to run for the k-th time."""

    def __init__(self, scope: trio.CancelScope, k: int) -> None:
        self.scope, self.left = scope, k

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()


async def test_stopping_the_program_loses_nothing(autojump_clock: MockClock) -> None:
    """At whatever step everything is cancelled, what the vendor committed is on disk, and waiters are told."""
    for k in range(1, 200):
        store = MemoryStore({"main": StoredCredential(login("main"))})
        told: list[Exception | None] = []
        async with trio.open_nursery() as outer, house(store=store) as it:

            async def caller() -> None:
                try:
                    await it.refresh()
                except CredentialError as error:
                    told.append(error)  # noqa: B023 - of this round
                else:
                    told.append(None)  # noqa: B023 - likewise

            countdown = CountDown(it.nursery.cancel_scope, k)
            trio.lowlevel.add_instrument(countdown)
            outer.start_soon(caller)
            vendor = it.vendor
            await trio.sleep(5)
            trio.lowlevel.remove_instrument(countdown)
        assert same_secrets(store.accounts["main"].credential, vendor.newest("main"))
        assert len(told) == 1
        assert store.accounts["main"].pending is None
        if countdown.left > 0:
            assert k > 10
            return
    pytest.fail("the refresh never ended")


async def test_flights_start_from_a_clean_context(autojump_clock: MockClock) -> None:
    """A renewal does not keep the objects of the request alive that triggered it."""
    request: ContextVar[str] = ContextVar("request")
    request.set("large body")
    seen: list[str | None] = []
    async with house("main") as it:

        async def renew(held: Login) -> Login:
            await trio.lowlevel.checkpoint()
            seen.append(request.get(None))
            return login("main", 2)

        it.custody._flights.renewal = lambda name: Renewal("c", renew)
        await it.refresh()
    assert seen == [None]


async def test_five_accounts_are_renewed_apart(autojump_clock: MockClock) -> None:
    """Accounts that share an OAuth client are renewed once each, at least five seconds apart."""
    names = [f"a{n}" for n in range(5)]
    async with house(*names) as it:
        async with trio.open_nursery() as callers:
            for n in range(200):
                callers.start_soon(it.refresh, names[n % 5])
        starts = sorted(at for _, at in it.vendor.calls)
        assert sorted(name for name, _ in it.vendor.calls) == names
        assert all(later - sooner >= 5 for sooner, later in pairwise(starts))


async def test_new_logins_that_are_refused_at_once(autojump_clock: MockClock) -> None:
    """A vendor that refuses every new access token is not asked for more than two a minute: then the account
    needs a person. Since its refresh token still works, it is tried again by itself a quarter of an hour later."""
    async with house("main") as it:
        await it.refresh()
        await it.refresh()
        for _ in range(2):
            with pytest.raises(ReauthRequired, match="refuses its new access tokens as well"):
                await it.refresh()
        assert it.reports[-1] == ("main", Presence.REAUTH_REQUIRED)
        assert len(it.vendor.calls) == 2
        await trio.sleep(890)
        assert not await it.custody.recheck("main")
        await trio.sleep(10)
        assert await it.custody.recheck("main")
        assert it.reports[-1] == ("main", Presence.PRESENT)
        await it.refresh()
        assert len(it.vendor.calls) == 3


async def test_passing_failures_back_off(autojump_clock: MockClock) -> None:
    """After a failure the endpoint is left alone for 30 s, doubled each time; nobody is asked to log in."""
    async with house("main") as it:
        pauses = []
        for _ in range(7):
            it.vendor.faults.append(RefreshFailed("vendor:443 could not renew the login: status 500."))
            with pytest.raises(RefreshFailed, match="main could not be renewed: vendor:443") as caught:
                await it.refresh()
            with pytest.raises(RefreshFailed, match="next attempt") as again:
                await it.refresh()
            assert caught.value.retry_after == again.value.retry_after
            pauses.append(caught.value.retry_after)
            assert caught.value.retry_after is not None
            await trio.sleep(caught.value.retry_after)
        assert pauses == [30, 60, 120, 240, 480, 900, 900]
        it.vendor.faults.append(RefreshFailed("x", retry_after=1500))
        with pytest.raises(RefreshFailed) as caught:
            await it.refresh()
        assert caught.value.retry_after == 1500
        await trio.sleep(1500)
        await it.refresh()
        assert (it.store.accounts["main"].pending, len(it.vendor.calls)) == (None, 9)
        assert {presence for _, presence in it.reports} == {Presence.PRESENT}


async def test_a_refused_login_asks_for_a_person(autojump_clock: MockClock) -> None:
    """A refused refresh token makes the account need a login, with the command; it is not tried again, and
    nothing is deleted. Every waiter gets an error of its own. A new credential ends it."""
    async with house("main") as it:
        it.vendor.generations["main"] = 5
        errors: list[ReauthRequired] = []

        async def caller() -> None:
            with pytest.raises(ReauthRequired, match="shunt add-account main --login") as caught:
                await it.refresh()
            errors.append(caught.value)

        async with trio.open_nursery() as callers:
            for _ in range(3):
                callers.start_soon(caller)
        await caller()
        assert len({id(error) for error in errors}) == 4
        assert len(it.vendor.calls) == 1
        assert it.reports[-1] == ("main", Presence.REAUTH_REQUIRED)
        assert it.store.accounts["main"] == StoredCredential(login("main"))  # and no mark of a lost answer
        assert not await it.custody.recheck("main")
        await it.custody.put("main", login("main", 5))
        assert it.reports[-1] == ("main", Presence.PRESENT)
        await trio.sleep(10)
        await it.refresh()


async def test_a_lost_answer_is_named(autojump_clock: MockClock) -> None:
    """When the answer to a renewal never came, it is tried once more; if the token is spent by then, the
    message says when the answer was lost. The mark on disk stays until then."""
    async with house("main") as it:
        it.vendor.lose = RefreshFailed("vendor:443 closed the connection.", answer_lost=True)
        with pytest.raises(RefreshFailed) as caught:
            await it.refresh()
        assert caught.value.answer_lost
        mark = it.store.accounts["main"].pending
        assert mark == PendingRefresh(login("main").refresh.fingerprint(), T0)
        await trio.sleep(30)
        it.vendor.faults.append(RefreshFailed("status 503"))
        with pytest.raises(RefreshFailed):
            await it.refresh()
        assert it.store.accounts["main"].pending == mark
        await trio.sleep(60)
        with pytest.raises(ReauthRequired, match=r"renewal of 2027-01-1\d \d\d:\d\d never arrived"):
            await it.refresh()
        assert len(it.vendor.calls) == 3


async def test_a_renewal_cut_by_a_crash_is_named_after_the_restart(autojump_clock: MockClock) -> None:
    """A mark found at the start leads to one attempt, and to a precise message if that is refused."""
    mark = PendingRefresh(login("main").refresh.fingerprint(), T0 - 60)
    async with house(store=MemoryStore({"main": StoredCredential(login("main"), mark)})) as it:
        it.vendor.generations["main"] = 2
        with pytest.raises(ReauthRequired, match="never arrived"):
            await it.refresh()
    async with house(store=MemoryStore({"main": StoredCredential(login("main"), mark)})) as it:
        await it.refresh()
        assert it.store.accounts["main"].pending is None


async def test_an_error_of_ours_is_contained(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected error in a renewal is logged and told to the waiters; the program goes on."""
    async with house("main") as it:
        it.vendor.faults.append(ZeroDivisionError())
        with caplog.at_level(logging.CRITICAL + 1), pytest.raises(RefreshFailed, match="an error in shunt"):
            await it.refresh()
        await trio.sleep(30)
        await it.refresh()


async def test_what_cannot_be_renewed(autojump_clock: MockClock) -> None:
    """Keys, absent credentials and logins without a refresh token are refused without a call."""
    store = MemoryStore(
        {"key": StoredCredential(KEY), "fixed": StoredCredential(evolve(login("fixed"), refresh=Secret("")))}
    )
    async with house(store=store) as it:
        for name in ("key", "nobody"):
            with pytest.raises(ReauthRequired, match="no login that could be renewed"):
                await it.custody.refresh(name, KEY.key)
        with pytest.raises(ReauthRequired, match="needs a new login"):
            await it.refresh("fixed")
        assert it.reports[-1] == ("fixed", Presence.REAUTH_REQUIRED)
        assert it.vendor.calls == []


async def test_changes_during_a_renewal(autojump_clock: MockClock) -> None:
    """A credential put or removed while a renewal is on its way wins; another shunt at it is passing."""
    async with house("main") as it:
        async with trio.open_nursery() as callers:
            callers.start_soon(it.refresh)
            await wait_all_tasks_blocked()
            await it.custody.put("main", login("main", 7))
        assert it.stored() == it.custody.credential("main") == login("main", 7)
        it.store.accounts.clear()
        await trio.sleep(10)
        with pytest.raises(ReauthRequired, match="no credential any more"):
            await it.refresh()
        assert it.reports[-1] == ("main", Presence.MISSING)
        await it.custody.put("main", login("main", 2))
        await trio.sleep(10)
        it.store.taken.add("main")
        with pytest.raises(RefreshFailed, match="another shunt"):
            await it.refresh()


async def test_after_the_end_nothing_is_started(autojump_clock: MockClock) -> None:
    """A refresh asked for when the program has stopped fails at once."""
    async with house("main") as it:
        pass
    with pytest.raises(RefreshFailed, match="stopping"):
        await it.refresh()
