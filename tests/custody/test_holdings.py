"""Logins in memory and on disk: heirs are found, and a disk that refuses stops nothing."""

from __future__ import annotations

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.accounts.credential import Identity, Login
from shunt.accounts.state import Custody as Presence
from shunt.errors import ReauthRequired, RefreshFailed
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
        it.shared.files["/claude"] = later
        adopted = await it.refresh()
        assert adopted == evolve(later, imported_from="/claude") == it.stored()
        assert it.vendor.calls == []
        it.vendor.generations["main"] = 9
        for useless in (
            evolve(login("main", 9), expires_at=0.0),
            evolve(login("main", 9), expires_at=T0 + LIFETIME * 3, identity=Identity("somebody-else")),
            KEY,
        ):
            it.shared.files["/claude"] = useless
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


def shared_login() -> tuple[Login, MemoryStore]:
    held = login("main", imported_from="/codex")
    return held, MemoryStore({"main": StoredCredential(held)})


async def test_a_shared_login_is_given_back(autojump_clock: MockClock) -> None:
    """The program it was imported from gets what its login was exchanged for, after it is safe here; what it
    was exchanged for is remembered on disk."""
    held, store = shared_login()
    async with house(store=store) as it:
        it.shared.files["/codex"] = held
        new = await it.refresh()
        assert it.shared.files["/codex"] == new == it.stored()
        assert new.spent == (held.refresh.fingerprint(),)
        assert it.shared.taken == set()
        assert not await it.custody.give_back("main")


async def test_a_login_that_cannot_be_given_back_is_given_later(autojump_clock: MockClock) -> None:
    """The renewal is good all the same; a spent login in the other program's file is never adopted."""
    held, store = shared_login()
    async with house(store=store) as it:
        it.shared.files["/codex"], it.shared.broken = held, "read-only file system"
        new = await it.refresh()
        assert (it.stored(), it.shared.files["/codex"]) == (new, held)
        assert not await it.custody.adopt("main", evolve(held, expires_at=T0 + LIFETIME * 9))
        assert not await it.custody.give_back("main")
        it.shared.broken = ""
        await it.custody.load()
        assert await it.custody.give_back("main")
        assert it.shared.files["/codex"] == new


async def test_two_shunts_that_share_a_login_take_turns(autojump_clock: MockClock) -> None:
    """While another one renews it nothing is sent; what it wrote into the shared file is adopted."""
    _, store = shared_login()
    async with house(store=store) as it:
        it.shared.taken.add("/codex")
        with pytest.raises(RefreshFailed, match="another shunt"):
            await it.refresh()
        it.shared.taken.clear()
        it.vendor.generations["main"] = 2
        theirs = login("main", 2, expires_at=T0 + 2 * LIFETIME, imported_from="/codex")
        it.shared.files["/codex"] = theirs
        await trio.sleep(10)
        assert await it.refresh() == theirs == it.stored()
        assert it.vendor.calls == []


async def test_a_login_by_a_person_is_not_undone(autojump_clock: MockClock) -> None:
    """Neither by a renewal that was on its way when they logged in, nor by one that the disk did not take,
    nor by a restart."""
    async with house("main") as it:

        async def person(generation: int) -> None:
            await trio.sleep(1.5)  # the vendor has committed, and its answer is on the way
            it.store.put("main", login("main", generation))

        it.nursery.start_soon(person, 50)
        assert await it.refresh() == login("main", 50) == it.stored()
        it.vendor.generations["main"] = 50
        await trio.sleep(10)
        it.store.broken = "no space left"
        await it.refresh()
        it.store.broken = ""
        it.store.put("main", login("main", 90))
        await it.custody.load()
        await it.custody.flush()
        assert it.stored() == it.custody.credential("main") == login("main", 90)
        assert it.custody.unsaved == {}
