"""Credentials sealed with a key in the keychain."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from attrs import define, field

from shunt.accounts.credential import Login
from shunt.accounts.secret import Secret
from shunt.errors import CredentialsUnreadable, StoreError
from shunt.store.credentials import CredentialStore
from shunt.store.sealing import MARK, Sealing, SystemKeychain, within

LOGIN = Login(Secret("canary-a"), Secret("canary-r"), 5.0)


@define
class Memory:
    """A keychain that may be locked, forgetful or slow to trust."""

    items: dict[str, str] = field(factory=dict)
    locked: bool = False
    forgetful: bool = False
    asked: int = 0

    def get(self, name: str, /) -> str | None:
        self.asked += 1
        if self.locked:
            raise StoreError("the keychain is locked")
        return self.items.get(name)

    def put(self, name: str, value: str, /) -> None:
        if self.locked:
            raise StoreError("the keychain is locked")
        if not self.forgetful:
            self.items[name] = value


def store(folder: Path, keychain: Memory, *, wanted: bool | None = True) -> CredentialStore:
    path = folder / "credentials.json"
    return CredentialStore(path, sealing=Sealing(path, keychain, wanted))


def test_what_is_stored_is_sealed_and_comes_back(tmp_path: Path) -> None:
    """Neither the file nor its copy shows a token; another process with the same keychain reads it."""
    keychain = Memory()
    here = store(tmp_path, keychain)
    here.put("main", LOGIN)
    here.put("second", LOGIN)
    for path in (here.path, here.backup):
        assert path.read_bytes().startswith(MARK)
        assert b"canary" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
    other = store(tmp_path, keychain, wanted=None)
    assert other.load()["main"].credential == LOGIN
    asked = keychain.asked
    other.load()
    assert keychain.asked == asked
    other.put("third", LOGIN)
    assert here.path.read_bytes().startswith(MARK)
    assert "canary" not in repr(other)
    assert next(iter(keychain.items.values())) not in repr(other)


def test_a_locked_keychain_leaves_a_sealed_file_alone(tmp_path: Path) -> None:
    """It is named, and neither read as empty nor overwritten; the same where the key is gone or another one."""
    keychain = Memory()
    store(tmp_path, keychain).put("main", LOGIN)
    before = (tmp_path / "credentials.json").read_bytes()
    keychain.locked = True
    for now, said in ((keychain, "locked"), (Memory(), "any more")):
        with pytest.raises(CredentialsUnreadable, match=said):
            store(tmp_path, now).load()
        with pytest.raises(CredentialsUnreadable):
            store(tmp_path, now).put("main", LOGIN)
    assert (tmp_path / "credentials.json").read_bytes() == before
    other = Memory()
    store(tmp_path / "elsewhere", other).put("x", LOGIN)
    name = next(iter(store_names(tmp_path)))
    other.items[name] = next(iter(other.items.values()))
    with pytest.raises(CredentialsUnreadable, match="another key"):
        store(tmp_path, other).load()


def store_names(folder: Path) -> list[str]:
    """What the key of a folder's file is called."""
    keychain = Memory()
    sealing = Sealing(folder / "credentials.json", keychain, wanted=True)
    sealing.closed(b"x")
    return list(keychain.items)


@pytest.mark.parametrize("keychain", [Memory(locked=True), Memory(forgetful=True)])
def test_without_a_keychain_the_file_stays_plain_and_that_is_told(tmp_path: Path, keychain: Memory) -> None:
    """A new login is never refused for it, and never sealed with a key that nobody keeps."""
    here = store(tmp_path, keychain)
    here.put("main", LOGIN)
    assert not here.sealing.sealed
    assert "keychain" in here.sealing.trouble
    assert str(here.path) in here.sealing.trouble
    assert here.load()["main"].credential == LOGIN


def test_a_file_takes_the_form_that_is_wanted(tmp_path: Path) -> None:
    """Both ways, once, without losing anything."""
    keychain = Memory()
    store(tmp_path, keychain, wanted=False).put("main", LOGIN)
    for wanted in (True, False):
        here = store(tmp_path, keychain, wanted=wanted)
        here.settle()
        for path in (here.path, here.backup):
            assert path.read_bytes().startswith(MARK) is wanted
        assert here.load()["main"].credential == LOGIN
        stamp = here.path.stat().st_mtime_ns
        here.settle()
        assert here.path.stat().st_mtime_ns == stamp


def test_no_file_is_made_for_a_form(tmp_path: Path) -> None:
    """Where nothing is stored there is nothing to seal."""
    store(tmp_path, Memory()).settle()
    assert not (tmp_path / "credentials.json").exists()


def test_a_keychain_that_does_not_answer_is_given_up() -> None:
    """Nobody is there to answer its question, or its library breaks in its own way."""
    with pytest.raises(StoreError, match="did not answer"):
        within(Event().wait, 0.01)

    def broken() -> None:
        raise RuntimeError("canary")

    with pytest.raises(StoreError, match="RuntimeError") as caught:
        within(broken)
    assert "canary" not in str(caught.value)
    assert within(lambda: "x") == "x"


def test_the_systems_keychain_is_asked_through_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Service and name are the library's two; a machine without a keychain, or without the library, is told."""
    kept: dict[tuple[str, str], str] = {}
    library = SimpleNamespace(
        get_password=lambda service, name: kept.get((service, name)),
        set_password=lambda service, name, value: kept.__setitem__((service, name), value),
    )
    monkeypatch.setitem(sys.modules, "keyring", library)
    SystemKeychain().put("a", "b")
    assert SystemKeychain().get("a") == "b"
    assert kept == {("shunt", "a"): "b"}
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(StoreError, match=r"shunt\[keychain\]"):
        SystemKeychain().get("a")


def test_a_machine_without_a_keychain_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real library, with nothing behind it: the login is stored all the same."""
    keyring = pytest.importorskip("keyring", reason="the extra `keychain` is not installed")
    backend = import_module("keyring.backends.fail").Keyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    path = tmp_path / "credentials.json"
    here = CredentialStore(path, sealing=Sealing(path, wanted=True))
    here.put("main", LOGIN)
    assert here.load()["main"].credential == LOGIN
    assert "NoKeyringError" in here.sealing.trouble
