"""Logging in as people do: in a browser, and on a machine that has none. No secret is seen on the way."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import trio
from attrs import define

from tests.e2e.program import Program, command, free_port, program
from tests.e2e.terminals import Terminal, terminal
from tests.fakes.anthropic import json_answer, plain
from tests.fakes.authority import SHOWN_AT, Authority
from tests.fakes.upstream import by_path, scripted_upstream

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pseudo-terminals and /proc")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

CLICK = """
import os
import sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    browser = p.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox", "--no-proxy-server"])
    page = browser.new_page()
    page.goto(sys.argv[3])
    with page.expect_navigation():
        page.click("#" + sys.argv[2])
    with open(sys.argv[4] + ".half", "w") as seen:
        seen.write(page.inner_text("body"))
    os.replace(sys.argv[4] + ".half", sys.argv[4])
    browser.close()
"""
"""A person with a browser: reads the page, clicks, reads what it says afterwards."""


@define
class Vendor:
    """A program and the vendor that it logs in to."""

    shunt: Program
    authority: Authority

    def stored(self) -> dict[str, Any]:
        """What credentials.json holds."""
        found: dict[str, Any] = json.loads((self.shunt.home / "credentials.json").read_text())["accounts"]
        return found

    def unseen(self, *places: str) -> None:
        """No code, verifier or token is in the logs, in what was shown, or in a command line."""
        logs = [path.read_text() for path in self.shunt.home.rglob("*.log*") if path.is_file()]
        for secret in self.authority.secrets:
            for place in (*places, *logs, self.shunt.output):
                assert secret not in place


@asynccontextmanager
async def vendor(folder: Path) -> AsyncIterator[Vendor]:
    """A fresh machine, and a vendor that serves those it logged in."""
    authority = Authority()
    messages = authority.issuer.protect(lambda request, n: plain("hi"))
    script = by_path({"/v1/messages": messages}, authority)
    async with scripted_upstream(script) as up, program(folder, up.url) as shunt:
        shunt.extra |= authority.environ(up.url)
        shunt.configure([])
        yield Vendor(shunt, authority)


@asynccontextmanager
async def typed(here: Vendor, *arguments: str, **environ: str) -> AsyncIterator[Terminal]:
    """Run a command on a terminal."""
    async with terminal(
        [*command(), *arguments], {**here.shunt.environ, "TERM": "dumb", **environ}
    ) as screen:
        yield screen


@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (scripts/system installs it)")
@pytest.mark.parametrize("provider", ["anthropic", "codex"])
async def test_a_person_with_a_browser(tmp_path: Path, provider: str) -> None:
    """One command, one click: the login is there, used by the running server, and its codes were never seen."""
    click = tmp_path / "click.py"
    click.write_text(CLICK)
    seen = tmp_path / "page.txt"
    assert CHROMIUM is not None
    browser = f"{shlex.quote(sys.executable)} {click} {CHROMIUM} allow %s {seen}"
    async with vendor(tmp_path) as here:
        await here.shunt.start()
        call = ("add-account", "work", "--provider", provider, "--login")
        port = str(free_port())
        async with typed(here, *call, BROWSER=browser, SHUNT_LOGINS_CALLBACK_PORT=port) as screen:
            await screen.shows(r"Store this login\?")
            await screen.type("y")
            await screen.shows("Added: work", 60)
            assert await screen.ends() == 0
            assert "has taken it over" in screen.seen
            here.unseen(screen.seen, *screen.command_lines)
        with trio.fail_after(60):
            while not seen.exists():  # noqa: ASYNC110 - a file tells nobody that it is there
                await trio.sleep(0.05)
        assert "Logged in" in seen.read_text()
        assert here.stored()["work"]["email"] == "fresh@example.test"
        account = await here.shunt.account("work")
        assert account["status"] == "available"
        assert account["email"] == "fresh@example.test"
        assert account["plan_type"] == ("max" if provider == "anthropic" else "plus")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (scripts/system installs it)")
async def test_a_person_who_declines(tmp_path: Path) -> None:
    """Nothing is stored, the terminal says why, and the page shows the vendor's words as text."""
    click = tmp_path / "click.py"
    click.write_text(CLICK)
    seen = tmp_path / "page.txt"
    browser = f"{shlex.quote(sys.executable)} {click} {CHROMIUM} decline %s {seen}"
    async with (
        vendor(tmp_path) as here,
        typed(here, "add-account", "work", "--login", "--yes", BROWSER=browser) as screen,
    ):
        await screen.shows("declined", 60)
        assert await screen.ends() == 1
        assert not (here.shunt.home / "credentials.json").exists()


async def test_a_headless_machine_pastes_the_code(tmp_path: Path) -> None:
    """No display: the page is shown to be opened elsewhere, the code is pasted unseen, and the login works."""
    async with vendor(tmp_path) as here:
        await here.shunt.start()
        async with typed(here, "add-account", "work", "--login") as screen:
            await screen.shows(r"Store this login\?")
            await screen.type("y")
            page = (await screen.shows(r"(http://127\.0\.0\.1:\d+/oauth/authorize\?\S+)"))[1]
            query = dict(parse_qsl(urlsplit(page).query))
            assert query["redirect_uri"] == SHOWN_AT
            await screen.shows("Paste it here")
            await screen.type("something else")
            await screen.shows("incomplete")
            await screen.type(f"{here.authority.allowed(query)}#{query['state']}")
            await screen.shows("Added: work")
            assert await screen.ends() == 0
            here.unseen(screen.seen, *screen.command_lines)
        assert (await here.shunt.message()).status == 200
        # The terms were read; the next login of this vendor does not show them again.
        async with typed(here, "add-account", "work", "--login") as screen:
            await screen.shows("Paste it here")
            assert "Before you hand" not in screen.seen


async def test_a_headless_machine_types_a_device_code(tmp_path: Path) -> None:
    """For ChatGPT a short code is typed elsewhere; shunt asks until that is done."""
    async with vendor(tmp_path) as here:
        here.authority.device_answers.append(json_answer({}, 403))
        result = await here.shunt.cli("add-account", "gpt", "--provider", "codex", "--login", "--yes")
        shown = (result.stdout + result.stderr).decode()
        assert result.returncode == 0, shown
        assert "ABCD-1234" in shown
        assert here.stored()["gpt"]["plan"] == "plus"
        assert "imported_from" not in here.stored()["gpt"]
        here.unseen(shown)


async def log_in(here: Vendor, name: str, *more: str) -> tuple[int, str]:
    """Log in by device code, without a terminal."""
    result = await here.shunt.cli("add-account", name, "--provider", "codex", "--device", "--yes", *more)
    return result.returncode, (result.stdout + result.stderr).decode()


async def test_two_workspaces_of_one_person_stay_two(tmp_path: Path) -> None:
    """The vendor's id of the workspace decides, not the e-mail; and one of them is not pooled twice."""
    async with vendor(tmp_path) as here:
        for name, workspace in (("home", "ws-1"), ("firm", "ws-2")):
            here.authority.workspace = workspace
            assert (await log_in(here, name))[0] == 0
        assert [entry["account_id"] for entry in here.stored().values()] == ["ws-1", "ws-2"]
        code, said = await log_in(here, "again")
        assert code == 1
        assert "as firm" in said
        assert sorted(here.stored()) == ["firm", "home"]
        # The grant that nobody wanted was ended.
        assert len(here.authority.revoked) == 1


async def test_a_running_server_takes_a_login_made_anew(tmp_path: Path) -> None:
    """`--login` on an account that waits for one brings it back, without a restart and for good."""
    async with vendor(tmp_path) as here:
        await log_in_claude(here)
        await here.shunt.start()
        assert (await here.shunt.message()).status == 200
        old = here.stored()["work"]["refresh_token"]
        for family in here.authority.issuer.families.values():
            family.revoked = True
        assert (await here.shunt.message()).status == 403
        assert (await here.shunt.account("work"))["status"] == "reauth_required"
        said = await log_in_claude(here)
        assert "Logged in anew: work" in said
        assert (await here.shunt.message()).status == 200
        assert (await here.shunt.account("work"))["status"] == "available"
        await here.shunt.stop()
        new = here.stored()["work"]["refresh_token"]
        assert new != old
        await here.shunt.start()
        assert (await here.shunt.message()).status == 200
        assert here.stored()["work"]["refresh_token"] == new


async def log_in_claude(here: Vendor) -> str:
    """Log in by paste, on a terminal."""
    async with typed(here, "add-account", "work", "--login", "--yes") as screen:
        page = (await screen.shows(r"(http://127\.0\.0\.1:\d+/oauth/authorize\?\S+)"))[1]
        query = dict(parse_qsl(urlsplit(page).query))
        await screen.shows("Paste it here")
        await screen.type(f"{here.authority.allowed(query)}#{query['state']}")
        assert await screen.ends() == 0, screen.seen
        return screen.seen


async def test_a_login_is_ended_while_the_server_runs(tmp_path: Path) -> None:
    """`logout` has the vendor end it; the server stops using it at once, and a restart does not bring it back."""
    async with vendor(tmp_path) as here:
        await log_in_claude(here)
        await here.shunt.start()
        assert (await here.shunt.message()).status == 200
        done = await here.shunt.cli("logout", "work", "--yes")
        assert done.returncode == 0, done.stderr
        assert [entry["path"] for entry in here.authority.revoked] == ["/v1/oauth/revoke"]
        assert (await here.shunt.message()).status >= 400
        await here.shunt.stop()
        await here.shunt.start()
        assert (await here.shunt.account("work"))["status"] == "reauth_required"
        assert here.stored() == {}
        here.unseen((done.stdout + done.stderr).decode())


async def test_accounts_come_and_go_while_the_server_runs(tmp_path: Path) -> None:
    """Adding, removing and adding again reach the server by themselves: no restart, no second account."""
    async with vendor(tmp_path) as here:
        await here.shunt.start()
        await log_in_claude(here)
        assert (await here.shunt.message()).status == 200
        assert (await here.shunt.cli("remove-account", "work", "--yes")).returncode == 0
        assert (await here.shunt.status())["accounts"] == []
        await log_in_claude(here)
        assert (await here.shunt.message()).status == 200
        assert (await here.shunt.status())["credentials"]["kept_in"] == "file"


@pytest.mark.parametrize("way", ["browser", "paste", "device"])
async def test_ctrl_c_ends_a_login_and_leaves_nothing(tmp_path: Path, way: str) -> None:
    """Whatever it waits for: one word, no traceback, nothing stored."""
    async with vendor(tmp_path) as here:
        here.authority.device_answers.extend([json_answer({}, 403)] * 100)
        options = {
            "browser": ("--login",),
            "paste": ("--paste",),
            "device": ("--provider", "codex", "--device"),
        }
        waits = {"browser": "waiting for it", "paste": "Paste it here", "device": "Waiting"}
        async with typed(
            here,
            "add-account",
            "work",
            "--yes",
            *options[way],
            **({"BROWSER": "true"} if way == "browser" else {}),
        ) as screen:
            await screen.shows(waits[way])
            screen.process.send_signal(signal.SIGINT)
            assert await screen.ends() == 130, screen.seen
            assert "Stopped." in screen.seen
            assert "Traceback" not in screen.seen
        assert not (here.shunt.home / "credentials.json").exists()
