"""The dashboard's files and the way in: what a browser gets, and what it takes to change something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.secret import Secret
from shunt.config.types import Config, ServerConfig
from shunt.server.page import ASSETS, SHELL
from shunt.store.discovery import Finding
from shunt.wire import json
from shunt.wire.headers import Headers
from tests.fakes.gateway import JSON, House, Setting, house

FOLDER = Path(__file__).parents[2] / "shunt" / "server" / "dashboard"
HTML: Headers = ((b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8"),)
KEY = "obviously-fake-admin-key"
REMOTE: Headers = ((b"x-forwarded-for", b"192.0.2.7"),)
"""Makes a caller one from elsewhere, as a tunnel does."""
KEYED = Config(server=ServerConfig(remote_key=Secret(KEY)))


async def test_a_browser_gets_the_dashboard_and_anything_else_a_card() -> None:
    """By what it accepts."""
    async with house() as served:
        page = await served.ask(b"GET", b"/", HTML)
        card = await served.ask(b"GET", b"/", ((b"accept", b"*/*"),))
    assert page.status == card.status == 200
    assert (page.get(b"content-type") or b"").startswith(b"text/html")
    told = json.value(card.body)
    assert (told["name"], told["version"]) == ("shunt", "9.9")


async def test_callers_from_elsewhere_do_not_learn_the_version() -> None:
    """The card is open to anybody, so it says nothing worth knowing."""
    async with house() as served:
        card = json.value((await served.ask(b"GET", b"/", REMOTE)).body)
    assert (card["name"], "version" in card) == ("shunt", False)


async def test_every_file_is_served_with_the_strict_headers() -> None:
    """Scripts and styles of this origin only, no framing, nothing kept."""
    async with house() as served:
        for name in ("", *ASSETS):
            path = b"/dashboard" + (f"/{name}".encode() if name else b"")
            answer = await served.ask(b"GET", path, HTML)
            assert answer.status == 200, name
            policy = (answer.get(b"content-security-policy") or b"").decode()
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.get(b"referrer-policy") == b"no-referrer"
            assert answer.get(b"cross-origin-resource-policy") == b"same-origin"
            assert answer.get(b"x-content-type-options") == b"nosniff"
            assert answer.get(b"cache-control") == b"no-store"


@pytest.mark.parametrize("name", [b"..%2fpage.py", b"page.py", b"README.md", b"vendor", b"index.html"])
async def test_nothing_but_the_table_s_files_is_served(name: bytes) -> None:
    """A name is looked up, never put into a path."""
    async with house() as served:
        assert (await served.ask(b"GET", b"/dashboard/" + name)).status in (400, 404)


def test_the_table_names_every_file_there_is() -> None:
    """And every script that another one imports."""
    given = {file for file, _ in ASSETS.values()} | {SHELL, "vendor/README.md"}
    assert given == {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    for file, _ in ASSETS.values():
        for name in re.findall(r'from\s?"\./([^"]+)"', (FOLDER / file).read_text()):
            assert name in ASSETS, file


def test_the_page_has_nothing_inline_and_loads_nothing_from_elsewhere() -> None:
    """As its policy demands; and text from elsewhere never becomes markup."""
    shell = (FOLDER / SHELL).read_text()
    assert re.findall(r"<script(?![^>]*src=)", shell) == []
    assert re.findall(r"<style|style=|\son\w+=", shell) == []
    for name, (file, _) in ASSETS.items():
        source = (FOLDER / file).read_text()
        if not file.startswith("vendor/") and name != "icon.svg":
            assert "innerHTML" not in source
            assert "eval(" not in source
            assert re.findall(r"https?://", source) == [], name


# ── logging in ────────────────────────────────────────────────────────────────────────────────────


async def post(
    served: House, path: bytes, content: Mapping[str, Any], headers: Headers = REMOTE
) -> tuple[int, Any, str]:
    """Status, document and cookie of the answer."""
    answer = await served.ask(b"POST", path, (*JSON, *headers), json.encode(dict(content)))
    return answer.status, json.value(answer.body), (answer.get(b"set-cookie") or b"").decode()


async def logged_in(served: House) -> Headers:
    """The headers of a browser that has logged in."""
    key: Headers = (*REMOTE, (b"x-api-key", KEY.encode()))
    status, made, _ = await post(served, b"/dashboard/codes", {}, key)
    assert (status, made["expires_in"]) == (200, 300)
    status, told, cookie = await post(served, b"/dashboard/session", {"code": made["code"]})
    assert (status, told) == (200, {"logged_in": True})
    name, _, rest = cookie.partition("=")
    token, _, attributes = rest.partition("; ")
    assert attributes == "HttpOnly; SameSite=Strict; Path=/"
    assert made["code"] != token
    return (*REMOTE, (b"cookie", f"{name}={token}".encode()))


def own_page(served: House) -> Headers:
    """What our own page sends with a command."""
    return ((b"x-shunt-page", b"1"), (b"origin", b"http://" + served.host))


async def test_a_code_becomes_a_session_that_opens_the_control_routes() -> None:
    """But neither a request to a model, nor anything without it."""
    async with house(config=KEYED) as served:
        assert (await served.ask(b"GET", b"/status", REMOTE)).status == 401
        browser = await logged_in(served)
        assert (await served.ask(b"GET", b"/status", browser)).status == 200
        assert (await post(served, b"/v1/messages", {"model": "m"}, browser))[0] == 401


async def test_a_command_by_cookie_comes_from_our_own_page() -> None:
    """With its header and its Origin, as JSON; otherwise nothing happens."""
    async with house(config=KEYED) as served:
        browser = await logged_in(served)
        ours = own_page(served)
        for missing in ((), ours[:1], ours[1:]):
            assert (await post(served, b"/use", {"account": "b"}, (*browser, *missing)))[0] == 403
        foreign = (*browser, ours[0], (b"origin", b"https://evil.example"))
        assert (await post(served, b"/use", {"account": "b"}, foreign))[0] == 403
        plain = (*browser, *ours, (b"content-type", b"text/plain"))
        assert (await served.ask(b"POST", b"/use", plain, b'{"account":"b"}')).status == 415
        assert served.setting.pool.state.pinned is None
        assert (await post(served, b"/use", {"account": "b"}, (*browser, *ours)))[0] == 200
        assert served.setting.pool.state.pinned == "b"


async def test_a_code_is_needed_and_only_an_admin_makes_one() -> None:
    """A guess gets nothing, and no cookie."""
    async with house(config=KEYED) as served:
        assert (await post(served, b"/dashboard/codes", {}))[0] == 401
        status, told, cookie = await post(served, b"/dashboard/session", {"code": "a-guess"})
        assert (status, cookie) == (401, "")
        assert "shunt dashboard" in told["error"]["message"]
        assert (await post(served, b"/dashboard/session", {}))[0] == 400


async def test_logging_out_ends_the_session() -> None:
    """At the server, and in the browser."""
    async with house(config=KEYED) as served:
        browser = await logged_in(served)
        answer = await served.ask(b"DELETE", b"/dashboard/session", browser)
        assert b"Max-Age=0" in (answer.get(b"set-cookie") or b"")
        assert (await served.ask(b"GET", b"/status", browser)).status == 401


async def test_a_change_of_keys_ends_every_session() -> None:
    """Whoever lost the key has lost its sessions; other changes end none."""
    async with house(config=KEYED) as served:
        browser = await logged_in(served)
        served.setting.access.configure(KEYED)
        assert (await served.ask(b"GET", b"/status", browser)).status == 200
        served.setting.access.configure(
            Config(server=ServerConfig(remote_key=Secret("another-obviously-fake-key")))
        )
        assert (await served.ask(b"GET", b"/status", browser)).status == 401


async def test_the_page_learns_what_could_become_an_account() -> None:
    """While there is none."""
    finding = Finding("anthropic", "a login", "/somewhere", "shunt add-account main")
    setting = Setting(accounts=(), findings=(finding,))
    async with house(setting=setting) as served:
        told = json.value((await served.ask(b"GET", b"/status")).body)
    assert told["found"] == [
        {
            "provider": "anthropic",
            "what": "a login",
            "where": "/somewhere",
            "command": "shunt add-account main",
        }
    ]
    async with house(setting=Setting(findings=(finding,))) as served:
        assert json.value((await served.ask(b"GET", b"/status")).body)["found"] == []
