"""Custody: one renewal however many ask, no token lost whoever leaves, no login given up too soon."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path

import pytest
import trio
from attrs import define, evolve, field
from trio.testing import MockClock, wait_all_tasks_blocked

from shunt.accounts.credential import ApiKey, Credential, Identity, Login
from shunt.accounts.secret import Secret
from shunt.accounts.state import Custody as Presence
from shunt.accounts.succession import same_secrets
from shunt.custody import Custody
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed, StoreError
from shunt.store.credential_format import PendingRefresh, StoredCredential
from shunt.store.credentials import CredentialStore
from shunt.upstream.client import Timeouts, open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewal
from tests.fakes.issuer import TOKEN_PATH, Issuer, slow
from tests.fakes.renewal import LIFETIME, T0, Rotation, login, now
from tests.fakes.stores import MemoryStore, at_once
from tests.fakes.upstream import scripted_upstream
from tests.upstream.test_oauth import JSON_KIND

KEY = ApiKey(Secret("sk-test-key"))


@define(eq=False)
class House:
    """Custody with everything around it simulated."""

    custody: Custody
    store: MemoryStore
    vendor: Rotation
    nursery: trio.Nursery
    reports: list[tuple[str, Presence]]
    files: dict[str, Credential] = field(factory=dict)
    """What other programs have in the places logins were imported from."""

    def stored(self, name: str = "main") -> Credential:
        return self.store.accounts[name].credential

    def sent(self, name: str = "main") -> Secret:
        held = self.custody.credential(name)
        assert isinstance(held, Login)
        return held.access

    async def refresh(self, name: str = "main") -> Login:
        renewed = await self.custody.refresh(name, self.sent(name))
        assert isinstance(renewed, Login)
        return renewed


@asynccontextmanager
async def house(
    *names: str, keys: dict[str, ApiKey] | None = None, store: MemoryStore | None = None
) -> AsyncIterator[House]:
    """A house with a stored login for each name."""
    if store is None:
        store = MemoryStore({name: StoredCredential(login(name)) for name in names})
    vendor, reports, files = Rotation(), list[tuple[str, Presence]](), dict[str, Credential]()
    failure = None
    async with trio.open_nursery() as nursery:
        custody = Custody(
            store,
            vendor.renewal,
            nursery,
            now,
            lambda: 0.0,
            lambda name, presence, identity: reports.append((name, presence)),
            keys=keys,
            source=files.get,
            run=at_once(),
        )
        await custody.load()
        try:
            yield House(custody, store, vendor, nursery, reports, files)
        except Exception as error:  # noqa: BLE001 - raised below, without the nursery's wrapping
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


# ── What there is ─────────────────────────────────────────────────────────────────────────────────


async def test_stored_credentials_come_before_configured_keys(autojump_clock: MockClock) -> None:
    """What is stored is used first, then the configured key; the pool is told what there is."""
    async with house("main", "both", keys={"both": KEY, "key": KEY}) as it:
        assert it.custody.credential("both") == login("both")
        assert it.custody.credential("key") == KEY
        assert it.custody.credential("none") is None
        assert sorted(it.reports) == [(name, Presence.PRESENT) for name in ("both", "key", "main")]
        it.reports.clear()
        assert await it.custody.remove("both")
        assert it.custody.credential("both") == KEY
        it.custody.configure({})
        assert it.custody.credential("both") is None
        assert it.reports == [
            ("both", Presence.PRESENT),
            ("both", Presence.MISSING),
            ("key", Presence.MISSING),
        ]


async def test_put_is_durable_before_it_is_used(autojump_clock: MockClock) -> None:
    """A credential that cannot be stored is not used; the old one stays."""
    async with house("main") as it:
        await it.custody.put("main", KEY)
        assert it.stored() == it.custody.credential("main") == KEY
        it.store.broken = "no space left"
        with pytest.raises(StoreError):
            await it.custody.put("main", login("main"))
        assert it.custody.credential("main") == KEY


async def test_load_takes_what_another_process_wrote(autojump_clock: MockClock) -> None:
    """New, changed and removed entries are taken over; what did not change is not reported."""
    async with house("same", "changed", "gone") as it:
        it.reports.clear()
        it.store.put("changed", login("changed", 2))
        it.store.put("new", login("new"))
        it.store.remove("gone")
        await it.custody.load()
        assert sorted(it.reports) == [
            ("changed", Presence.PRESENT),
            ("gone", Presence.MISSING),
            ("new", Presence.PRESENT),
        ]
        assert it.custody.credential("changed") == login("changed", 2)
        it.store.unreadable = "cannot be trusted"
        with pytest.raises(StoreError):
            await it.custody.load()
        assert it.custody.credential("changed") == login("changed", 2)


async def test_lists_logins_about_to_end(autojump_clock: MockClock) -> None:
    """Logins that end soon are listed, but not keys, those without a way to renew, or those given up."""
    soon = login("soon", expires_at=T0 + 100)
    store = MemoryStore(
        {
            "later": StoredCredential(login("later")),
            "soon": StoredCredential(soon),
            "key": StoredCredential(KEY),
            "fixed": StoredCredential(evolve(soon, refresh=Secret(""))),
            "unknown": StoredCredential(evolve(soon, expires_at=None)),
        }
    )
    async with house(store=store) as it:
        assert it.custody.expiring(300) == ("soon",)
        assert it.custody.expiring(50) == ()
        assert it.custody.expiring(LIFETIME) == ("later", "soon")
        it.vendor.faults.append(RefreshFailed("x"))
        with pytest.raises(RefreshFailed):
            await it.refresh("soon")
        assert it.custody.expiring(300) == ()
        await trio.sleep(31)
        await it.refresh("soon")
        assert it.custody.expiring(300) == ()


# ── One renewal ───────────────────────────────────────────────────────────────────────────────────


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


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0, 1.5, 2.5])
async def test_stopping_the_program_loses_nothing(autojump_clock: MockClock, at: float) -> None:
    """Whenever the nursery is cancelled, what the vendor committed is on disk, and waiters are told."""
    store = MemoryStore({"main": StoredCredential(login("main"))})
    told: list[Exception | None] = []
    async with trio.open_nursery() as outer, house(store=store) as it:

        async def caller() -> None:
            try:
                await it.refresh()
            except CredentialError as error:
                told.append(error)
            else:
                told.append(None)

        outer.start_soon(caller)
        await trio.sleep(at)
        it.nursery.cancel_scope.cancel()
        vendor = it.vendor
    assert same_secrets(store.accounts["main"].credential, vendor.newest("main"))
    assert len(told) == 1
    assert store.accounts["main"].pending is None


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

        it.custody._renewal = lambda name: Renewal("c", renew)
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
    """A vendor that refuses every new login is not asked for more than two a minute."""
    async with house("main") as it:
        await it.refresh()
        await it.refresh()
        with pytest.raises(RefreshFailed, match="New logins of main are refused as well") as caught:
            await it.refresh()
        assert len(it.vendor.calls) == 2
        assert caught.value.retry_after is not None
        await trio.sleep(caught.value.retry_after)
        await it.refresh()


# ── Failures ──────────────────────────────────────────────────────────────────────────────────────


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
        assert it.stored() == login("main")
        assert not await it.custody.recheck("main")
        await it.custody.put("main", login("main", 5))
        assert it.reports[-1] == ("main", Presence.PRESENT)
        await trio.sleep(10)
        await it.refresh()


async def test_a_renewal_by_another_process_is_adopted(autojump_clock: MockClock) -> None:
    """What another process stored is used instead of spending the token, also when it comes a moment
    before our own attempt is refused, or long after."""
    async with house("main") as it:
        it.store.put("main", login("main", 2))
        assert await it.refresh() == login("main", 2)
        assert it.vendor.calls == []
        it.vendor.generations["main"] = 3

        async def other_process() -> None:
            await trio.sleep(0.5)
            it.store.put("main", login("main", 3))

        it.nursery.start_soon(other_process)
        assert await it.refresh() == login("main", 3)
        it.vendor.generations["main"] = 4
        await trio.sleep(60)
        with pytest.raises(ReauthRequired):
            await it.refresh()
        it.store.put("main", login("main", 4))
        assert await it.custody.recheck("main")
        assert it.custody.credential("main") == login("main", 4)
        assert it.reports[-1] == ("main", Presence.PRESENT)


async def test_an_imported_login_follows_its_source(autojump_clock: MockClock) -> None:
    """Before a shared token is spent, and after it was refused, the program it came from is looked at;
    its login is taken only if it is newer and of the same person."""
    held = login("main", imported_from="/claude")
    later = evolve(login("main", 2), expires_at=T0 + LIFETIME * 2)
    async with house(store=MemoryStore({"main": StoredCredential(held)})) as it:
        it.files["/claude"] = later
        adopted = await it.refresh()
        assert adopted == evolve(later, imported_from="/claude") == it.stored()
        assert it.vendor.calls == []
        it.vendor.generations["main"] = 9
        for useless in (
            evolve(login("main", 9), expires_at=0.0),
            evolve(login("main", 9), expires_at=T0 + LIFETIME * 3, identity=Identity("somebody-else")),
            KEY,
        ):
            it.files["/claude"] = useless
            with pytest.raises(ReauthRequired, match=r"with the program it came from.*--import"):
                await it.refresh()
            assert it.stored() == adopted


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


async def test_a_full_disk_does_not_stop_the_service(autojump_clock: MockClock) -> None:
    """A login that cannot be saved is served from memory, renewed again if need be, and saved later."""
    async with house("main") as it:
        it.store.broken = "no space left"
        assert (await it.refresh()).access == it.vendor.newest("main").access
        assert it.custody.unsaved == {"main": "no space left"}
        assert it.stored() == login("main")
        await it.custody.load()
        second = await it.refresh()
        assert second.access == it.vendor.newest("main").access == login("main", 3).access
        it.store.broken = ""
        await it.custody.flush()
        assert it.stored() == second
        assert it.custody.unsaved == {}


async def test_an_unreadable_store_does_not_stop_a_renewal(autojump_clock: MockClock) -> None:
    """If the file cannot be read any more, what is in memory goes on."""
    async with house("main") as it:
        it.store.unreadable = "cannot be trusted"
        assert (await it.refresh()).access == login("main", 2).access
        assert it.custody.unsaved == {"main": "cannot be trusted"}


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


async def test_adopts_only_later_logins_of_the_same_person(autojump_clock: MockClock) -> None:
    """A login found by the watcher of another program's file is taken under the same rules."""
    async with house("main", keys={"key": KEY}) as it:
        later = evolve(login("main", 2), expires_at=T0 + LIFETIME * 2)
        assert await it.custody.adopt("main", later)
        assert it.stored() == it.custody.credential("main") == later
        assert not await it.custody.adopt("main", login("main", 3))
        assert not await it.custody.adopt(
            "main", evolve(later, access=Secret("x"), identity=Identity("other"))
        )
        assert not await it.custody.adopt("key", later)
        assert it.stored() == later


async def test_after_the_end_nothing_is_started(autojump_clock: MockClock) -> None:
    """A refresh asked for when the program has stopped fails at once."""
    async with house("main") as it:
        pass
    with pytest.raises(RefreshFailed, match="stopping"):
        await it.refresh()


async def test_with_real_parts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Fifty requests, a real endpoint and a real file: one call, the leader leaves, the file has the new
    login, and no token is in any log line."""
    issuer, store = Issuer(), CredentialStore(tmp_path / "credentials.json")
    tokens = issuer.grant("main")
    issuer.faults.append(slow(0.05))
    held = Login(Secret(tokens.access), Secret(tokens.refresh), T0)
    store.put("main", held)
    caplog.set_level(logging.DEBUG)
    got: list[Credential] = []
    async with (
        scripted_upstream(issuer) as up,
        open_upstream(Timeouts()) as upstream,
        trio.open_nursery() as services,
    ):
        endpoint = TokenEndpoint(upstream, lambda: T0)

        async def renew(it: Login) -> Login:
            return await endpoint.refresh(it, JSON_KIND, up.url + TOKEN_PATH)

        custody = Custody(
            store, lambda name: Renewal("c", renew), services, lambda: T0, lambda: 0.0, lambda *news: None
        )
        await custody.load()

        async def caller(leaves: bool) -> None:
            with trio.CancelScope() as scope:
                if leaves:
                    services.start_soon(leave, scope)
                got.append(await custody.refresh("main", held.access))

        async def leave(scope: trio.CancelScope) -> None:
            await up.wait_for_requests(1)
            scope.cancel()

        async with trio.open_nursery() as callers:
            for n in range(50):
                callers.start_soon(caller, n == 0)
        services.cancel_scope.cancel()
    assert len(issuer.calls) == 1
    assert len(got) == 49
    assert store.load()["main"].credential == got[0]
    assert "sk-ant" not in caplog.text
