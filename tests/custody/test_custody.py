"""Custody: what there is to send, what people and other programs change, all of it with real parts."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from pathlib import Path

import pytest
import trio
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from shunt.accounts.credential import Credential, Identity, Login
from shunt.accounts.secret import Secret
from shunt.accounts.state import Custody as Presence
from shunt.custody import Custody
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed, StoreError
from shunt.store.credential_format import StoredCredential
from shunt.store.credentials import CredentialStore
from shunt.upstream.client import open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewal
from shunt.upstream.timeouts import Timeouts
from tests.custody.house import KEY, House, house
from tests.fakes.issuer import TOKEN_PATH, Issuer, slow
from tests.fakes.renewal import LIFETIME, T0, login
from tests.fakes.stores import MemoryStore
from tests.fakes.upstream import scripted_upstream
from tests.upstream.test_oauth import JSON_KIND


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


async def refreshed(it: House, name: str, number: int) -> None:
    held = it.custody.credential(name)
    if isinstance(held, Login):
        await it.custody.refresh(name, held.access)


async def renewed_elsewhere(it: House, name: str, seconds: int) -> None:
    """Another shunt is at it."""
    with it.store.refreshing(name):
        await trio.sleep(seconds)


NAMES = ("one", "two", "three")
DEEDS: dict[str, Callable[[House, str, int], Awaitable[object]]] = {
    "refresh": refreshed,
    "put": lambda it, name, n: it.custody.put(name, login(name, n)),
    "remove": lambda it, name, n: it.custody.remove(name),
    "adopt": lambda it, name, n: it.custody.adopt(name, evolve(login(name, n), expires_at=T0 + LIFETIME + n)),
    "give back": lambda it, name, n: it.custody.give_back(name),
    "recheck": lambda it, name, n: it.custody.recheck(name),
    "load": lambda it, name, n: it.custody.load(),
    "flush": lambda it, name, n: it.custody.flush(),
    "elsewhere": renewed_elsewhere,
}
"""All the things that take locks."""


@given(
    deeds=st.lists(
        st.tuples(
            st.sampled_from(sorted(DEEDS)),
            st.sampled_from(NAMES),
            st.integers(0, 20),
            st.none() | st.integers(0, 8),
        ),
        max_size=20,
    ),
    full=st.lists(st.integers(0, 20), max_size=4),
    faults=st.lists(st.sampled_from(["not now", "refused", "lost"]), max_size=4),
)
def test_no_order_of_locks_is_a_deadlock(
    deeds: list[tuple[str, str, int, int | None]], full: list[int], faults: list[str]
) -> None:
    """Whatever takes account, sibling, store and process locks, in whatever order, and whoever leaves while he waits:
    all of it ends, and nothing stays locked."""

    async def run() -> None:
        async with house(*NAMES, disk=2.0) as it:
            for fault in faults:
                it.vendor.faults.append(ReauthRequired("no") if fault == "refused" else RefreshFailed(fault))

            async def at(number: int, what: str, name: str, when: int, leaves: int | None) -> None:
                await trio.sleep(when)
                with (
                    trio.move_on_after(inf if leaves is None else leaves),
                    suppress(CredentialError, StoreError),
                ):
                    await DEEDS[what](it, name, number + 2)

            async def spoil(when: int) -> None:
                await trio.sleep(when)
                it.store.broken = "" if it.store.broken else "no space left"

            with trio.fail_after(600):
                async with trio.open_nursery() as nursery:
                    for when in full:
                        nursery.start_soon(spoil, when)
                    for number, one in enumerate(deeds):
                        nursery.start_soon(at, number, *one)
            it.store.broken = ""
            with trio.fail_after(60):
                for name in NAMES:
                    await it.custody.put(name, KEY)
            await trio.sleep(60)  # a renewal whose requester left goes on by itself
            assert not it.store.taken
            assert [it.stored(name) for name in NAMES] == [KEY] * len(NAMES)

    trio.run(run, clock=MockClock(autojump_threshold=0))
