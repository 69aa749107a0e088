"""The disk side of custody: one set of promises for the file and its stand-in, and no lost writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from shunt.accounts.credential import ApiKey, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.credential_format import StoredCredential
from shunt.store.credentials import Accounts, CredentialStore
from shunt.store.vault import SAVE_AGAIN, CredentialKeeper, Vault, in_threads, lost_at
from tests.fakes.stores import MemoryStore, at_once


def login(number: int) -> Login:
    access, refresh = (Secret(f"sk-ant-{kind}-test-{number}") for kind in ("oat01", "ort01"))
    return Login(access, refresh, expires_at=1_000.0 * number)


@pytest.fixture(params=["memory", "file"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> CredentialKeeper:
    if request.param == "memory":
        return MemoryStore()
    return CredentialStore(tmp_path / "credentials.json", patience=0.05)


class TestKeepers:
    """Promises of every keeper of credentials."""

    def test_put_load_remove(self, keeper: CredentialKeeper) -> None:
        """What was put is loaded, and gone once it is removed."""
        key = ApiKey(Secret("sk-test-1"))
        keeper.put("key", key)
        keeper.put("main", login(1))
        assert {name: it.credential for name, it in keeper.load().items()} == {"key": key, "main": login(1)}
        assert keeper.remove("key")
        assert not keeper.remove("key")
        assert set(keeper.load()) == {"main"}

    def test_update_changes_what_is_there_now(self, keeper: CredentialKeeper) -> None:
        """A change is made to what is stored at that moment, and returned."""
        keeper.put("a", login(1))
        after = keeper.update(lambda accounts: {**accounts, "b": StoredCredential(login(2))})
        assert after == keeper.load()
        assert set(after) == {"a", "b"}

    def test_marks_end_with_the_next_credential(self, keeper: CredentialKeeper) -> None:
        """A mark stays until it is cleared or the login is replaced; absent accounts are not marked."""
        keeper.put("main", login(1))
        keeper.mark_pending("main", login(1).refresh.fingerprint(), 5.0)
        keeper.mark_pending("nobody", "x", 5.0)
        assert lost_at(keeper.load()["main"]) == 5.0
        keeper.clear_pending("main")
        assert lost_at(keeper.load()["main"]) is None
        keeper.mark_pending("main", login(1).refresh.fingerprint(), 6.0)
        keeper.put("main", login(2))
        assert keeper.load() == {"main": StoredCredential(login(2))}

    def test_one_renewal_per_account(self, keeper: CredentialKeeper) -> None:
        """While one account is being renewed nobody else renews it; others are free."""
        with keeper.refreshing("main"):
            with keeper.refreshing("other"):
                pass
            with pytest.raises(StoreError, match="main"), keeper.refreshing("main"):
                pass
        with keeper.refreshing("main"):
            pass


def test_a_mark_of_another_token_means_nothing() -> None:
    """A mark that was written late, over a newer login, is not taken for a lost renewal of that one."""
    store = MemoryStore({"main": StoredCredential(login(2))})
    store.mark_pending("main", login(1).refresh.fingerprint(), 5.0)
    assert lost_at(store.load()["main"]) is None
    assert lost_at(None) is None


@define
class Setting:
    """A vault whose disk can be broken."""

    nursery: trio.Nursery
    store: MemoryStore = field(factory=lambda: MemoryStore({"main": StoredCredential(login(1))}))
    vault: Vault = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.vault = Vault(self.store, at_once(), self.nursery.start_soon)

    def stored(self) -> object:
        return self.store.accounts["main"].credential


async def test_saves_when_the_disk_recovers(
    autojump_clock: MockClock, nursery: trio.Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    """A login the disk refuses is written every ten seconds until it is taken; the trouble is told, once, and
    so is its end."""
    setting = Setting(nursery)
    setting.store.broken = "no space left"
    await setting.vault.save("main", login(2))
    assert (setting.vault.behind("main"), setting.vault.troubles) == (True, {"main": "no space left"})
    await trio.sleep(SAVE_AGAIN * 2.5)
    setting.store.broken = ""
    await trio.sleep(SAVE_AGAIN)
    assert [record.message for record in caplog.records] == [
        "the new login of main is only in memory: no space left",
        "the new login of main is on disk now",
    ]
    assert setting.stored() == login(2)
    assert (setting.vault.behind("main"), setting.vault.troubles) == (False, {})


async def test_an_old_attempt_never_undoes_a_newer_login(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Attempts that were overtaken write what is newest, or nothing once a person has replaced it."""
    setting = Setting(nursery)
    setting.store.broken = "no space left"
    await setting.vault.save("main", login(2))
    await setting.vault.save("main", login(3))
    setting.store.broken = ""
    await trio.sleep(SAVE_AGAIN + 1)
    assert setting.stored() == login(3)
    setting.store.broken = "no space left"
    await setting.vault.save("main", login(4))
    setting.store.broken = ""
    await setting.vault.put("main", login(9))
    await trio.sleep(SAVE_AGAIN * 3)
    assert setting.stored() == login(9)


async def test_a_removed_account_is_not_brought_back(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A login saved late does not restore what another process, or the user, has removed."""
    setting = Setting(nursery)
    setting.store.accounts.clear()
    await setting.vault.save("main", login(2))
    assert setting.store.accounts == {}
    assert not setting.vault.behind("main")


async def test_flush_saves_at_shutdown(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """What is still unsaved at the end is tried once more."""
    setting = Setting(nursery)
    setting.store.broken = "no space left"
    await setting.vault.save("main", login(2))
    setting.store.broken = ""
    await setting.vault.flush()
    assert setting.stored() == login(2)


async def test_marks_are_not_waited_for(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """A disk that refuses the mark does not stop the renewal."""
    setting = Setting(nursery)
    setting.store.broken = "no space left"
    await setting.vault.mark("main", login(1), 5.0)
    await setting.vault.unmark("main")
    assert setting.store.writes == []


async def test_saving_is_not_cut_short(nursery: trio.Nursery, tmp_path: Path) -> None:
    """A cancelled caller still gets its login onto the disk."""
    store = CredentialStore(tmp_path / "credentials.json")
    store.put("main", login(1))
    vault = Vault(store, in_threads(trio.CapacityLimiter(2)), nursery.start_soon)
    with trio.CancelScope() as scope:
        scope.cancel()
        await vault.save("main", login(2))
    assert store.load()["main"].credential == login(2)


@define(eq=False)
class StuckStore(MemoryStore):
    """A disk that does not answer for a while."""

    goes_on: Event = field(factory=Event)
    done: Event = field(factory=Event)

    def update(self, change: Callable[[Accounts], Accounts], /) -> dict[str, StoredCredential]:
        self.goes_on.wait(5)
        try:
            return MemoryStore.update(self, change)
        finally:
            self.done.set()


async def test_a_stuck_disk_is_left_behind(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that hangs keeps nobody waiting for ever; when it ends at last it has done its work."""
    store = StuckStore({"main": StoredCredential(login(1))})
    vault = Vault(store, in_threads(trio.CapacityLimiter(1)), nursery.start_soon)
    monkeypatch.setattr("shunt.store.vault.SAVE_WITHIN", 0.01)
    await vault.save("main", login(2))
    assert vault.behind("main")
    assert "did not answer" in vault.troubles["main"]
    store.goes_on.set()
    monkeypatch.setattr("shunt.store.vault.SAVE_WITHIN", 5)
    await vault.flush()
    assert store.accounts["main"].credential == login(2)
    assert not vault.behind("main")
    nursery.cancel_scope.cancel()


async def test_a_late_write_undoes_nothing(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that hung while somebody put another credential changes nothing when it goes on."""
    store = StuckStore({"main": StoredCredential(login(1))})
    vault = Vault(store, in_threads(trio.CapacityLimiter(2)), nursery.start_soon)
    monkeypatch.setattr("shunt.store.vault.SAVE_WITHIN", 0.01)
    await vault.save("main", login(2))
    await vault.put("main", login(9))
    store.goes_on.set()
    await trio.to_thread.run_sync(store.done.wait, 5)
    assert store.accounts["main"].credential == login(9)
    nursery.cancel_scope.cancel()


async def test_the_lock_is_given_back_under_cancellation(nursery: trio.Nursery, tmp_path: Path) -> None:
    """The lock file is free again however the renewal inside it ends."""
    store = CredentialStore(tmp_path / "credentials.json", patience=0.05)
    vault = Vault(store, in_threads(trio.CapacityLimiter(2)), nursery.start_soon)
    with trio.CancelScope() as scope:
        async with vault.alone("main"):
            with pytest.raises(StoreError):
                async with vault.alone("main"):
                    pass
            scope.cancel()
            await trio.lowlevel.checkpoint()
    async with vault.alone("main"):
        pass


async def test_a_person_who_logged_in_meanwhile_wins(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A login that waits for the disk is not written over one that somebody else has put there since, and an
    account that was removed does not come back."""
    setting = Setting(nursery)
    setting.store.broken = "no space left"
    assert await setting.vault.save("main", login(2), login(1)) == login(2)
    assert await setting.vault.save("main", login(3), login(2)) == login(3)
    assert not setting.vault.give_way("main", setting.store.accounts["main"])
    setting.store.broken = ""
    setting.store.put("main", login(9))
    await trio.sleep(SAVE_AGAIN * 2)
    assert setting.stored() == login(9)
    assert not setting.vault.behind("main")
    assert await setting.vault.save("main", login(4), login(3)) == login(9)
    assert await setting.vault.save("main", login(10), login(9)) == login(10)
    assert setting.stored() == login(10)
    setting.store.broken = "no space left"
    await setting.vault.save("main", login(11), login(10))
    assert setting.vault.give_way("main", None)
