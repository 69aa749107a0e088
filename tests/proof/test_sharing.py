"""One login in several hands: two shunts, or shunt and Codex. One renewal, and nobody is left with a dead one."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from shunt.store.credentials import CredentialStore
from tests.e2e.program import Program, program
from tests.fakes.issuer import TOKEN_PATH, Issuer, slow
from tests.fakes.upstream import scripted_upstream
from tests.proof.chatgpt import ChatGpt, ChatGptFamily, auth_document, environment, imported, turn
from tests.proof.logins import NAME, check_kept, login
from tests.proof.tracing import ROOT


async def until(true: Callable[[], bool], within: float = 40) -> None:
    """Wait for something that a file will show."""
    with trio.fail_after(within):
        while not true():  # noqa: ASYNC110 - a file tells nobody that it changed
            await trio.sleep(0.1)


def codex_home(folder: Path, text: str) -> Path:
    """Codex's folder, in which auth.json is a link to a file that others may read."""
    home = folder / "codex"
    (home / "dotfiles").mkdir(parents=True)
    real = home / "dotfiles" / "auth.json"
    real.write_text(text)
    real.chmod(0o640)
    (home / "auth.json").symlink_to("dotfiles/auth.json")
    return home


def refresh_token(path: Path) -> str:
    with suppress(ValueError, LookupError, TypeError, OSError):
        return str(json.loads(path.read_bytes())["tokens"]["refresh_token"])
    return ""


def opened(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def test_two_processes_on_one_login_renew_it_once(tmp_path: Path) -> None:
    """Both have the same credentials.json and meet the same 401; both end with the same new login."""
    issuer, path = Issuer(), tmp_path / "credentials.json"
    issuer.grant(NAME, "account-main")
    issuer.faults.append(slow(0.5))
    CredentialStore(path).put(NAME, login(1))
    async with scripted_upstream(issuer) as up:
        command = [sys.executable, "-m", "tests.proof.contender", str(path), up.url + TOKEN_PATH]
        processes = [opened(command) for _ in range(2)]

        def contend() -> list[str]:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            return [process.communicate(timeout=60)[0] for process in processes]

        try:
            said = await trio.to_thread.run_sync(contend)
        finally:
            for process in processes:
                process.kill()
                process.communicate()
    assert said == [f"{login(2).refresh.fingerprint()}\n"] * 2
    assert len(issuer.calls) == 1
    assert check_kept(path, login(2))


async def test_what_shunt_renews_codex_gets_and_the_other_way_round(tmp_path: Path) -> None:
    """Through a link, with mode and unknown fields kept; a login of another account and a file that is gone
    are left alone; the running shunt takes up what Codex renewed without being asked."""
    there = ChatGpt()
    family = there.grant("main")
    home = codex_home(tmp_path, auth_document(family, future={"x": [1.5]}))
    path, stored = home / "auth.json", tmp_path / "shunt" / "credentials.json"
    async with scripted_upstream(there) as up, program(tmp_path, up.url) as shunt:
        shunt.extra.update(environment(up.url, home))
        await imported(shunt)
        there.issuer.expire("main")
        assert (await turn(shunt)).status == 200
        assert refresh_token(path) == family.at(2).refresh
        document = json.loads(path.read_bytes())
        assert document["future"] == {"x": [1.5]}
        assert document["tokens"]["access_token"] == family.at(2).access
        assert path.is_symlink()
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert family.at(2).refresh in stored.read_text()

        family.generation = 3  # Codex renews
        family.expired = 2
        path.write_text(auth_document(family, future={"x": [2.5]}))
        await until(lambda: family.at(3).refresh in stored.read_text())
        assert (await turn(shunt)).status == 200
        assert len(there.issuer.calls) == 1

        other = there.grant("other")
        other.generation = 9
        path.write_text(auth_document(other))
        there.issuer.expire("main")
        assert (await turn(shunt)).status == 200
        assert path.read_text() == auth_document(other)
        assert other.tokens.refresh not in stored.read_text()
        path.resolve().unlink()
        there.issuer.expire("main")
        assert (await turn(shunt)).status == 200
        assert not path.exists()
        assert family.at(5).refresh in stored.read_text()


class Codex(threading.Thread):
    """Rewrites its file again and again, in place and without any lock, as the real one does."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.over, self.count = path, threading.Event(), 0

    def run(self) -> None:
        while not self.over.wait(0.003):
            with suppress(ValueError, OSError):
                document = json.loads(self.path.read_bytes())
                self.count += 1
                document["count"] = self.count
                self.path.write_text(json.dumps(document, indent=2))


@pytest.mark.slow
async def test_codex_may_write_at_any_moment(tmp_path: Path) -> None:
    """While shunt renews and writes back, Codex goes on rewriting its file: no field is lost, no account is
    exchanged, and in the end both have the login that lives."""
    there = ChatGpt()
    family = there.grant("main")
    home = codex_home(tmp_path, auth_document(family, kept=[1.5]))
    path = home / "auth.json"
    async with scripted_upstream(there) as up, program(tmp_path, up.url) as shunt:
        shunt.extra.update(environment(up.url, home))
        await imported(shunt)
        codex = Codex(path)
        codex.start()
        try:
            for _ in range(2):
                there.issuer.expire("main")
                assert (await turn(shunt)).status == 200
                await trio.sleep(0.5)
        finally:
            codex.over.set()
            codex.join()
        await until(lambda: refresh_token(path) == family.at(3).refresh)
        document = json.loads(path.read_bytes())
        assert (document["kept"], document["tokens"]["account_id"]) == ([1.5], "acct-main")
        assert codex.count > 20
        assert document["count"] > 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert len(there.issuer.calls) == 2
        assert not [entry for entry in (home / "dotfiles").iterdir() if entry.name.endswith(".tmp")]


async def test_shunts_with_folders_of_their_own_share_codexs_login(tmp_path: Path) -> None:
    """Two running shunts that both imported it meet the same 401 at once: one renewal, everybody is served."""
    there = ChatGpt()
    family = there.grant("main")
    home = codex_home(tmp_path, auth_document(family))
    async with (
        scripted_upstream(there) as up,
        program(tmp_path / "one", up.url) as one,
        program(tmp_path / "two", up.url) as two,
    ):
        for shunt in (one, two):
            shunt.folder.mkdir()
            shunt.extra.update(environment(up.url, home))
            await imported(shunt)
        there.issuer.expire("main")
        there.issuer.faults.append(slow(0.3))
        statuses: list[int] = []

        async def request(shunt: Program, number: int) -> None:
            statuses.append((await turn(shunt, f"conversation {number}")).status)

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(request, (one, two)[number % 2], number)
        assert statuses == [200] * 20
        assert len(there.issuer.calls) == 1
        newest(family, one, two)


def newest(family: ChatGptFamily, *shunts: Program) -> None:
    for shunt in shunts:
        assert family.tokens.refresh in (shunt.home / "credentials.json").read_text()
