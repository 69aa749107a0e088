"""Logins in memory and on disk: heirs are found, and a disk that refuses stops nothing."""

from __future__ import annotations

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.accounts.credential import Identity
from shunt.accounts.state import Custody as Presence
from shunt.errors import ReauthRequired
from shunt.store.credential_format import StoredCredential
from tests.custody.house import KEY, house
from tests.fakes.renewal import LIFETIME, T0, login
from tests.fakes.stores import MemoryStore


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
