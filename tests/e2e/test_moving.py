"""Moving accounts to another machine, and a first run, as a person at a terminal does it."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.e2e.program import command
from tests.e2e.terminals import terminal
from tests.e2e.test_logins import log_in_claude, typed, vendor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pseudo-terminals and /proc")
PASSPHRASE = "canary correct horse"


async def test_accounts_move_with_a_typed_passphrase(tmp_path: Path) -> None:
    """Asked twice where it is chosen, once where it opens, never seen; the login works on the other machine."""
    parcel = tmp_path / "accounts.age"
    async with vendor(tmp_path / "one") as here, vendor(tmp_path / "two") as there:
        await log_in_claude(here)
        async with typed(here, "export", "--to", str(parcel), "--remove", "--yes") as screen:
            await screen.shows("Passphrase")
            await screen.type(PASSPHRASE)
            await screen.shows("Repeat")
            await screen.type("something else")
            await screen.shows("do not match")
            await screen.type(PASSPHRASE)
            await screen.shows("Repeat.*Repeat")
            await screen.type(PASSPHRASE)
            await screen.shows("Exported: work", 60)
            assert await screen.ends() == 0
            here.unseen(screen.seen, *screen.command_lines)
            assert PASSPHRASE not in screen.seen
        assert here.stored() == {}
        async with terminal(
            [*command(), "import", str(parcel)],
            {**there.shunt.environ, **here.authority.environ(here.shunt.upstream), "TERM": "dumb"},
        ) as screen:
            await screen.shows("Passphrase")
            await screen.type(PASSPHRASE)
            await screen.shows(r"Store this login\?", 60)
            await screen.type("y")
            await screen.shows("Added: work")
            assert await screen.ends() == 0
            assert "one of the two" not in screen.seen
        there.shunt.extra |= here.authority.environ(here.shunt.upstream)
        await there.shunt.start()
        assert (await there.shunt.message()).status == 200


async def test_a_newcomer_is_led_to_a_first_login(tmp_path: Path) -> None:
    """`setup` on a bare machine: choose a login, paste the code, and hear what comes next."""
    async with vendor(tmp_path) as here, typed(here, "setup") as screen:
        await screen.shows("Your choice")
        await screen.type("anthropic")
        await screen.shows("What do you call it")
        await screen.type("")
        await screen.shows(r"Store this login\?")
        await screen.type("y")
        page = (await screen.shows(r"(http://127\.0\.0\.1:\d+/oauth/authorize\?\S+)"))[1]
        query = dict(parse_qsl(urlsplit(page).query))
        await screen.shows("Paste it here")
        await screen.type(f"{here.authority.allowed(query)}#{query['state']}")
        await screen.shows("Added: main.*Your choice")
        await screen.type("no")
        await screen.shows("shunt connect")
        assert await screen.ends() == 0
        assert here.stored()["main"]["email"] == "fresh@example.test"
        here.unseen(screen.seen, *screen.command_lines)
