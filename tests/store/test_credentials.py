from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.credential import ApiKey, Login
from shunt.accounts.secret import Secret
from shunt.errors import CredentialsUnreadable, StoreError
from shunt.store.credential_format import PendingRefresh, StoredCredential
from shunt.store.credentials import CredentialStore

T0 = 1_700_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore(tmp_path / "shunt" / "credentials.json")


def login(n: int) -> Login:
    return Login(Secret(f"at-{n}"), Secret(f"rt-{n}"), T0 + n)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_no_file_is_no_credentials(store: CredentialStore) -> None:
    """A new installation has nothing, and looking creates nothing."""
    assert store.load() == {}
    assert not store.path.parent.exists()


def test_put_and_remove(store: CredentialStore) -> None:
    """What is stored is there for the next process; what is removed is gone, from the kept version too."""
    store.put("a", login(1))
    store.put("b", ApiKey(Secret("sk-test-canary")))
    assert CredentialStore(store.path).load() == {
        "a": StoredCredential(login(1)),
        "b": StoredCredential(ApiKey(Secret("sk-test-canary"))),
    }
    store.put("a", login(2))
    assert store.remove("b")
    assert not store.remove("b")
    assert set(store.load()) == {"a"}
    for path in store.path.parent.iterdir():
        assert "canary" not in path.read_text(), path


def test_files_are_private(store: CredentialStore) -> None:
    """Credentials, the kept version and the lock are for this user alone."""
    store.put("a", login(1))
    store.put("a", login(2))
    names = {path.name: mode_of(path) for path in store.path.parent.iterdir()}
    assert names == {"credentials.json": 0o600, "credentials.json.1": 0o600, "credentials.json.lock": 0o600}


def test_the_newest_version_is_kept_twice(store: CredentialStore) -> None:
    """It can be restored by hand with every token in it, and the count of generations only grows."""
    for n in (1, 2, 3):
        store.put("a", login(n))
    assert json.loads(store.path.read_text())["generation"] == 3
    assert CredentialStore(store.backup).load() == {"a": StoredCredential(login(3))}
    CredentialStore(store.path).put("a", login(3))
    store.path.write_bytes(store.backup.read_bytes())
    store.put("a", login(4))
    assert json.loads(store.path.read_text())["generation"] == 4


def test_the_command_that_restores_is_named_and_works(store: CredentialStore) -> None:
    """Where the copy is good; it is not offered where it is broken as well."""
    store.put("it's", login(1))
    store.path.write_bytes(store.path.read_bytes()[:100])
    with pytest.raises(CredentialsUnreadable) as caught:
        store.load()
    subprocess.run(str(caught.value).partition("(1 accounts): ")[2], shell=True, check=True)  # noqa: S602
    assert store.load() == {"it's": StoredCredential(login(1))}
    assert mode_of(store.path) == 0o600
    store.path.write_bytes(b"{")
    store.backup.write_bytes(b"{")
    with pytest.raises(CredentialsUnreadable, match="move it away"):
        store.load()


def test_writers_do_not_undo_each_other(store: CredentialStore) -> None:
    """Two processes that each change their own account end with both changes."""
    other = CredentialStore(store.path)
    store.put("a", login(1))
    other.put("b", login(1))
    store.put("a", login(2))
    assert other.load() == {"a": StoredCredential(login(2)), "b": StoredCredential(login(1))}


def test_many_writers_at_once(store: CredentialStore) -> None:
    """Nothing is lost when all accounts are renewed in the same moment."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: CredentialStore(store.path).put(f"a{n}", login(n)), range(24)))
    assert store.load() == {f"a{n}": StoredCredential(login(n)) for n in range(24)}
    assert json.loads(store.path.read_text())["generation"] == 24


def test_update_decides_on_what_is_there_now(store: CredentialStore) -> None:
    """A change sees the newest content, and making no change writes nothing."""
    store.put("a", login(1))
    before = store.path.stat().st_mtime_ns
    CredentialStore(store.path).put("b", login(2))
    seen: list[set[str]] = []

    def look(accounts: Any) -> Any:
        seen.append(set(accounts))
        return accounts

    stamp = store.path.stat().st_ino
    assert set(store.update(look)) == {"a", "b"}
    assert seen == [{"a", "b"}]
    assert store.path.stat().st_ino == stamp
    assert before <= store.path.stat().st_mtime_ns


def test_a_failing_change_leaves_all_as_it_was(store: CredentialStore) -> None:
    """An exception in the change is passed on and gives the lock back."""
    store.put("a", login(1))

    def fail(_accounts: Any) -> Any:
        raise KeyError("boom")

    with pytest.raises(KeyError):
        store.update(fail)
    store.put("b", login(1))
    assert set(store.load()) == {"a", "b"}


MALFORMED = [
    b"",
    b"{",
    b"\x00" * 100,
    b"[]",
    b'{"accounts": {"a": {"type": "apikey", "key": 5}}}',
    b'{"version": 9, "accounts": {}}',
]


@pytest.mark.parametrize("content", MALFORMED)
def test_a_malformed_file_is_never_overwritten(store: CredentialStore, content: bytes) -> None:
    """What cannot be read stays byte for byte; the message names the file and what to do."""
    store.put("a", login(1))
    store.put("a", login(2))
    store.path.write_bytes(content)
    for act in (
        store.load,
        store.pending,
        lambda: store.put("b", login(1)),
        lambda: store.remove("a"),
        lambda: store.mark_pending("a", "f", T0),
    ):
        with pytest.raises(CredentialsUnreadable) as caught:
            act()
        assert str(store.path) in str(caught.value)
        assert str(store.backup) in str(caught.value)
    assert store.path.read_bytes() == content
    assert CredentialStore(store.backup).load() == {"a": StoredCredential(login(2))}


@pytest.mark.parametrize("fault", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_an_unreadable_file_is_never_an_empty_one(
    store: CredentialStore, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    """A bad read does not look like "no credentials", and nothing is written after it."""
    store.put("a", login(1))
    before = store.path.read_bytes()
    real = os.open

    def broken(path: Any, *args: Any, **keywords: Any) -> int:
        if Path(path) == store.path:
            raise OSError(fault, os.strerror(fault))
        return real(path, *args, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", broken)
        with pytest.raises(CredentialsUnreadable):
            store.load()
        with pytest.raises(CredentialsUnreadable):
            store.put("b", login(2))
    assert store.path.read_bytes() == before


def test_a_fifo_does_not_hang(store: CredentialStore) -> None:
    """Something that is no file is refused at once."""
    store.path.parent.mkdir(mode=0o700)
    os.mkfifo(store.path)
    with pytest.raises(CredentialsUnreadable, match="FIFO"):
        store.load()


def test_a_full_disk_is_reported_and_harms_nothing(
    store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails leaves the old file and can be repeated."""
    store.put("a", login(1))
    before = store.path.read_bytes()

    def full(*_args: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(StoreError, match="no space"):
            store.put("a", login(2))
    assert store.path.read_bytes() == before
    store.put("a", login(2))
    assert store.load() == {"a": StoredCredential(login(2))}


def test_a_backup_that_fails_does_not_stop_a_new_token(store: CredentialStore) -> None:
    """The new token matters more than the copy of the old one."""
    store.put("a", login(1))
    store.backup.unlink()
    store.backup.mkdir()
    store.put("a", login(2))
    assert store.load() == {"a": StoredCredential(login(2))}


def test_pending_refreshes(store: CredentialStore) -> None:
    """A refresh leaves its mark before it and takes it away with the new token, across processes."""
    store.put("a", login(1))
    store.put("b", login(1))
    store.mark_pending("a", "0123456789ab", T0)
    store.mark_pending("b", "ba9876543210", T0)
    store.mark_pending("absent", "x", T0)
    assert CredentialStore(store.path).pending() == {
        "a": PendingRefresh("0123456789ab", T0),
        "b": PendingRefresh("ba9876543210", T0),
    }
    store.put("a", login(2))
    store.clear_pending("b")
    store.clear_pending("absent")
    assert store.pending() == {}
    assert store.load() == {"a": StoredCredential(login(2)), "b": StoredCredential(login(1))}


def test_one_renewal_of_a_login_at_a_time(store: CredentialStore) -> None:
    """Whoever renews a login keeps other processes from it, and only from that one."""
    other = CredentialStore(store.path, patience=0.01)
    with store.refreshing("../a/\udc80"):
        with pytest.raises(StoreError, match="another shunt"), other.refreshing("../a/\udc80"):
            pytest.fail("two renewals at once")
        with other.refreshing("b"):
            other.put("b", login(1))
    with other.refreshing("../a/\udc80"):
        pass


def test_sweeping_at_start(store: CredentialStore) -> None:
    """Left-overs of a killed process are removed and open modes closed; both are told."""
    assert store.sweep() == ()
    store.put("a", login(1))
    (store.path.parent / ".credentials.json.0123456789abcdef.tmp").write_bytes(b"x")
    (store.path.parent / ".credentials.json.1.0123456789abcdef.tmp").write_bytes(b"x")
    store.path.chmod(0o644)
    done = store.sweep()
    assert len(done) == 2
    assert mode_of(store.path) == 0o600
    assert sorted(path.name for path in store.path.parent.iterdir()) == [
        "credentials.json",
        "credentials.json.1",
        "credentials.json.lock",
    ]
    assert store.sweep() == ()


def test_a_kill_between_mark_and_token_is_recognised(store: CredentialStore) -> None:
    """A process that dies in the middle of a refresh leaves the mark and the old pair, both readable."""
    store.put("a", login(1))
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from shunt.store.credentials import CredentialStore\n"
        "store = CredentialStore(Path(sys.argv[1]))\n"
        "store.mark_pending('a', 'f', 1.0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(store.path)], check=False)
    assert store.load() == {"a": StoredCredential(login(1), PendingRefresh("f", 1.0))}
    store.put("a", login(2))
    assert store.pending() == {}


def test_nothing_secret_in_errors_and_repr(store: CredentialStore) -> None:
    """Neither records nor refusals show a token."""
    store.put("a", Login(Secret("canary-a"), Secret("canary-r"), None, id_token=Secret("canary-i")))
    assert "canary" not in repr(store.load())
    store.path.write_text(store.path.read_text().replace('"canary-a"', '"canary-\\u00e9"'))
    with pytest.raises(CredentialsUnreadable) as caught:
        store.load()
    assert "canary" not in str(caught.value)
