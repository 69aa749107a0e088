"""A save that is killed, or refused by the disk, at each of its calls: nothing is lost, or the loss is named."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from attrs import define

from shunt.errors import ReauthRequired
from shunt.store.credentials import CredentialStore
from shunt.store.foreign_logins import ForeignLogins
from shunt.upstream.client import open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.timeouts import Timeouts
from tests.proof.logins import NAME, T0, check_kept, login
from tests.proof.test_cancel import Vendor, custody_of, vendor
from tests.proof.tracing import CHANGING, End, Tracer, tracing
from tests.proof.victim import REFUSED

KILLED = -9
ERRORS = {
    "openat": ("EMFILE", "ENOSPC", "EROFS", "EACCES", "EIO"),
    "read": ("EIO",),
    "write": ("ENOSPC", "EDQUOT", "EIO"),
    "fsync": ("EIO", "ENOSPC"),
    "rename": ("EROFS", "ENOSPC", "EIO"),
    "renameat2": ("EROFS", "EIO", "ENOSYS"),
    "fchmod": ("EROFS", "EPERM"),
    "flock": ("ENOLCK", "EIO"),
    "close": ("EIO",),
    "unlink": ("EROFS", "EIO"),
}
"""What each call may fail with on a disk that is full, read-only, broken or out of handles."""


@define
class Ground:
    """A tracer and a home for credentials."""

    tracer: Tracer
    folder: Path
    count: int = 0

    def home(self) -> Path:
        """A fresh credentials.json with the first generation of the login, and others beside it."""
        self.count += 1
        path = self.folder / str(self.count) / "credentials.json"
        store = CredentialStore(path)
        store.put(NAME, login(1))
        store.put("other", login(7))
        return path

    def auth(self) -> Path:
        """A fresh auth.json with the first generation of the login."""
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        path = folder / "auth.json"
        tokens = {
            "access_token": "a",
            "refresh_token": login(1).refresh.reveal(),
            "account_id": "account-main",
        }
        path.write_text(json.dumps({"tokens": tokens, "kept": [1.5], "last_refresh": "then"}))
        path.chmod(0o640)
        return path


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with tracing(tmp_path) as tracer:
        yield Ground(tracer, tmp_path)


def strays(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir() if entry.name.endswith(".tmp")]


def check_alive(path: Path) -> None:
    """The next start tidies up, and the next save works."""
    store = CredentialStore(path)
    store.sweep()
    assert strays(path) == []
    assert store.load()["other"].credential == login(7)
    store.put(NAME, login(3))
    assert check_kept(path, login(3))


def kill_everywhere(ground: Ground, *, changing: bool) -> None:
    places = ground.tracer.places("save", ground.home())
    assert len(places) > 60
    kept = named = 0
    for call, number in places:
        if changing and call not in CHANGING:
            continue
        path = ground.home()
        end = ground.tracer.run("save", path, f"{call}:signal=KILL:when={number}")
        assert end.status == KILLED, (call, number)
        if check_kept(path, login(2) if end.committed else login(1)):
            kept += 1
        else:
            named += 1
        check_alive(path)
    assert kept > 10
    assert named > 5


def test_killed_at_every_call_that_changes_something(ground: Ground) -> None:
    """Between the vendor's commit and the end of the save the loss is named; at all other times nothing is
    lost. The file is always whole and private, and the next start goes on with it."""
    kill_everywhere(ground, changing=True)


@pytest.mark.slow
def test_killed_at_every_call(ground: Ground) -> None:
    """The same for every single call to the file system."""
    kill_everywhere(ground, changing=False)


def test_a_save_is_on_disk_before_it_is_told(ground: Ground) -> None:
    """The new file is flushed before it takes the old one's name, and the folder after that: in this order
    a power cut leaves one of the two."""
    end = ground.tracer.run("put", ground.home())
    order = [call for call in end.calls if call in ("write", "fsync", "rename")]
    assert order[:4] == ["write", "fsync", "rename", "fsync"]


def refuse_everywhere(ground: Ground, first_only: bool) -> None:
    places = ground.tracer.places("put", ground.home())
    refused = 0
    for call, number in places:
        for error in ERRORS.get(call, ())[: 1 if first_only else None]:
            path = ground.home()
            before = path.read_bytes()
            end = ground.tracer.run("put", path, f"{call}:error={error}:when={number}")
            assert end.status in (0, REFUSED), (call, number, error, end)
            entry = CredentialStore(path).load()[NAME].credential
            if end.status == REFUSED:
                refused += 1
                assert end.said.startswith(("cannot ", str(path))), end.said
                assert "Traceback" not in end.said
                renamed = places.index((call, number)) > places.index(("rename", 1))
                assert entry == login(2 if renamed else 1), (call, number, error)
                if entry == login(1):
                    assert path.read_bytes() == before
            else:
                assert entry == login(2), (call, number, error)
            assert path.stat().st_mode & 0o777 == 0o600
            check_alive(path)
    assert refused > 5


def test_refused_by_the_disk_at_every_call(ground: Ground) -> None:
    """A full, broken or read-only disk, or no file handles left: a clear message and the old file, or the new
    one. A file that could not be read is never taken for an empty one."""
    refuse_everywhere(ground, first_only=True)


@pytest.mark.slow
def test_refused_by_the_disk_in_every_way(ground: Ground) -> None:
    """The same with every error that such a call may give."""
    refuse_everywhere(ground, first_only=False)


def test_another_programs_file_is_old_or_new(ground: Ground) -> None:
    """Killed or refused at any call, auth.json is whole, has its mode and every field, and what is left
    beside it is tidied up at the next renewal."""
    places = ground.tracer.places("give back", ground.auth())
    changed = 0
    for call, number in places:
        for fault in ("signal=KILL", f"error={ERRORS.get(call, ('EIO',))[0]}"):
            if call not in CHANGING:
                continue
            path = ground.auth()
            old = json.loads(path.read_bytes())
            end = ground.tracer.run("give back", path, f"{call}:{fault}:when={number}")
            assert end.status in (0, KILLED, REFUSED), (call, number, fault, end)
            document = json.loads(path.read_bytes())
            changed += document != old
            assert document["kept"] == [1.5]
            generation = 1 if document == old else 2
            assert document["tokens"]["refresh_token"] == login(generation).refresh.reveal()
            assert path.stat().st_mode & 0o777 == 0o640
            with ForeignLogins({"CODEX_HOME": str(path.parent)}, lambda: 0.0).together(str(path)):
                assert strays(path) == []
    assert changed > 2


@pytest.mark.slow
async def test_a_whole_renewal_killed_at_every_call(ground: Ground) -> None:
    """Custody, its threads and HTTP, with a vendor whose tokens work once: killed at any change of the disk,
    the newest token is there, or the next start tries the old one once and names what happened."""
    async with vendor() as it:

        def renew(inject: str = "") -> tuple[Path, End]:
            it.anew()
            path = ground.home()
            return path, ground.tracer.run("refresh", path, inject, told=it.url)

        path, end = await trio.to_thread.run_sync(renew)
        assert (end.status, end.said) == (0, "")
        assert check_kept(path, it.newest)
        seen, named, ended = Counter[str](), 0, 0
        for call in end.calls:
            seen[call] += 1
            if call not in CHANGING:
                continue
            path, killed = await trio.to_thread.run_sync(renew, f"{call}:signal=KILL:when={seen[call]}")
            if killed.status == 0:  # calls are counted by thread, and this thread made fewer
                continue
            assert killed.status == KILLED
            ended += 1
            if not check_kept(path, it.newest):
                named += 1
                await check_named(it, path)
            check_alive(path)
        assert ended > 30, ended
        assert named > 5, named


async def check_named(it: Vendor, path: Path) -> None:
    """The next shunt tries once, is refused, and says what happened."""
    said = []
    async with open_upstream(Timeouts()) as upstream, trio.open_nursery() as services:
        custody = custody_of(path, TokenEndpoint(upstream, lambda: T0), it.url, services)
        await custody.load()
        try:
            await custody.refresh(NAME, login(1).access)
        except ReauthRequired as error:
            said.append(str(error))
        services.cancel_scope.cancel()
    assert "never arrived" in said[0]
