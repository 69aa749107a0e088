"""A login and its file that are of different ages, at the running program: a backup, a snapshot of a machine."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import define

from shunt.accounts.credential import Login
from shunt.accounts.secret import Secret
from shunt.store.credentials import CredentialStore
from tests.e2e.program import Program, program
from tests.fakes import anthropic
from tests.fakes.issuer import TOKEN_PATH, Issuer, Tokens
from tests.fakes.upstream import by_path, scripted_upstream
from tests.proof.logins import NAME


@define
class Scene:
    """A shunt with one login, and who issues it."""

    shunt: Program
    issuer: Issuer

    @property
    def path(self) -> Path:
        return self.shunt.home / "credentials.json"

    def keep(self, tokens: Tokens) -> None:
        """Have a login in the file, as another process would."""
        login = Login(Secret(tokens.access), Secret(tokens.refresh), time.time() + 3600)
        CredentialStore(self.path).put(NAME, login)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """The login is there, nothing has been started."""
    issuer = Issuer()
    script = by_path({TOKEN_PATH: issuer}, issuer.protect(lambda *_: anthropic.plain("hello")))
    async with scripted_upstream(script) as up, program(folder, up.url) as shunt:
        shunt.configure([{"name": NAME, "provider": "anthropic"}])
        it = Scene(shunt, issuer)
        it.keep(issuer.grant(NAME))
        yield it


async def test_an_old_backup_is_tried_and_then_a_person_is_asked(tmp_path: Path) -> None:
    """The vendor refuses a token that was used before: one attempt, the account says what to do, the file stays as it
    is; when the person has logged in again, it serves without a restart."""
    async with scene(tmp_path) as it:
        await it.shunt.start()
        old = it.path.read_bytes()
        it.issuer.expire(NAME)
        assert (await it.shunt.message()).status == 200
        assert len(it.issuer.calls) == 1
        assert await it.shunt.stop() == 0

        it.path.write_bytes(old)
        await it.shunt.start()
        answers = [await it.shunt.message() for _ in range(3)]
        assert {answer.status for answer in answers} == {403}
        told = json.loads(answers[-1].body)["error"]["message"]
        assert f"shunt add-account {NAME} --login" in told
        assert len(it.issuer.calls) == 2, "a refused token is not shown again and again"
        assert (await it.shunt.account(NAME))["status"] == "reauth_required"
        kept = CredentialStore(it.path).load()[NAME].credential
        assert isinstance(kept, Login)
        assert kept.refresh.reveal() == it.issuer.families[NAME].at(1).refresh

        it.keep(it.issuer.grant("again"))
        with trio.fail_after(60):
            while (await it.shunt.message()).status != 200:  # noqa: ASYNC110 - the file is looked at now and then
                await trio.sleep(0.2)
        assert await it.shunt.stop() == 0


async def test_what_a_snapshot_holds_in_memory_is_not_shown_to_the_vendor(tmp_path: Path) -> None:
    """A process that stood still while its login was renewed by another one reads the file again: the token that
    has been used up, which would end the login for good, is never sent."""
    async with scene(tmp_path) as it:
        await it.shunt.start()
        assert (await it.shunt.message()).status == 200
        it.shunt.signal(signal.SIGSTOP)
        it.issuer.families[NAME].generation += 1  # renewed elsewhere
        it.keep(it.issuer.families[NAME].tokens)
        it.issuer.families[NAME].expired = 1
        it.shunt.signal(signal.SIGCONT)
        assert (await it.shunt.message()).status == 200
        assert not it.issuer.calls
        it.issuer.expire(NAME)
        assert (await it.shunt.message()).status == 200
        assert [call.fields["refresh_token"] for call in it.issuer.calls] == [
            it.issuer.families[NAME].at(2).refresh
        ]
        assert await it.shunt.stop() == 0
