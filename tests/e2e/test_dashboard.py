"""The dashboard in a real browser, of the real program: what it shows, what its buttons do, who gets in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import SIZES, WITHIN, Viewer, browsing, fetch, needs_chromium, viewing
from tests.e2e.program import Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.upstream import scripted_upstream

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

KEY = "obviously-fake-admin-key"
ELSEWHERE = {"x-forwarded-for": "192.0.2.7"}
"""Makes a browser one of another machine, as a tunnel does."""
expect.set_options(timeout=WITHIN)

Look = Callable[[Browser, str], None]


async def looked_at(shunt: Program, look: Look) -> None:
    """Let a browser look at a running shunt, in a thread: its library waits by blocking."""

    def looking() -> None:
        with browsing() as browser:
            look(browser, f"http://127.0.0.1:{shunt.port}/")

    await trio.to_thread.run_sync(looking)


def ask_something(url: str, count: int = 1) -> None:
    """Send requests as an agent would."""
    body = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    for _ in range(count):
        fetch(f"{url}v1/messages", "POST", body, anthropic_version="2023-06-01")


async def test_it_shows_what_happens_and_steers(tmp_path: Path) -> None:
    """Accounts, requests with their why, the sums of the history; pin, pause and strategy work by click."""

    def look(browser: Browser, url: str) -> None:
        ask_something(url, 2)
        with viewing(browser, url) as viewer:
            page = viewer.page
            expect(page.get_by_role("article", name="Account a")).to_contain_text("available")
            expect(page.locator("table.requests tbody tr")).to_have_count(2)
            ask_something(url)
            expect(page.locator("table.requests tbody tr")).to_have_count(3)
            steer(page, url)
            explain(page)
            page.get_by_role("combobox", name="Time").select_option("1h")
            sums = page.get_by_role("region", name="Sums by account").locator("tbody tr").last
            expect(sums).to_contain_text(re.compile(r"all\s*3\s*0"))
            assert viewer.complaints == []

    async with scripted_upstream([anthropic.plain()] * 3) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a"), key_account("b")])
        await shunt.start()
        await looked_at(shunt, look)
        assert len(up.requests) == 3


async def test_money_that_was_paid_is_not_called_saved(tmp_path: Path) -> None:
    """What an account costs that pays per token; saved is what subscriptions did not cost."""

    def look(browser: Browser, url: str) -> None:
        ask_something(url)
        with viewing(browser, url) as viewer:
            tile = viewer.page.locator(".tile", has_text="at API prices")
            expect(tile.get_by_role("heading")).to_have_text("Paid today")
            expect(tile).to_contain_text(re.compile(r"\$[1-9]"))
            expect(viewer.page.locator("main")).not_to_contain_text("Saved")
            assert viewer.complaints == []

    usage = anthropic.usage_of(2_000_000, 500_000)
    async with scripted_upstream([anthropic.plain(usage=usage)]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()
        await looked_at(shunt, look)


def steer(page: Page, url: str) -> None:
    """Every button once; the program itself says whether it worked."""

    def told(key: str) -> object:
        return fetch(f"{url}status")[key]

    page.get_by_role("button", name="Pin b", exact=True).click()
    expect(page.locator("header")).to_contain_text("pinned to b")
    assert told("pinned_account") == "b"
    page.locator("header").get_by_role("button", name="Unpin").click()
    expect(page.locator("header")).not_to_contain_text("pinned")
    assert told("pinned_account") is None
    page.get_by_role("button", name="Pause a").click()
    expect(page.get_by_role("article", name="Account a")).to_contain_text("paused")
    page.get_by_role("button", name="Resume a").click()
    expect(page.get_by_role("article", name="Account a")).to_contain_text("available")
    page.get_by_role("combobox", name="Strategy").select_option("carousel")
    expect(page.locator(".toast")).to_contain_text("carousel")
    assert (told("strategy"), told("strategy_source")) == ("carousel", "override")
    page.get_by_role("combobox", name="Strategy").select_option("default")
    expect(page.locator(".toast")).to_contain_text("configuration")
    assert told("strategy_source") == "config"


def explain(page: Page) -> None:
    """The newest request's candidates, by keyboard alone."""
    button = page.get_by_role("button", name=re.compile("Explain request")).first
    button.focus()
    page.keyboard.press("Enter")
    why = page.locator("tr.why")
    expect(why.get_by_role("cell", name="chosen").first).to_be_visible()
    expect(why).to_contain_text("Candidate")
    page.keyboard.press("Enter")
    expect(why).to_have_count(0)


async def test_it_fits_every_screen_and_keeps_nobody_out(tmp_path: Path) -> None:
    """Three sizes, light and dark: nothing runs out of the window, axe finds no barrier, the console is silent."""

    def fits(viewer: Viewer) -> None:
        expect(viewer.page.locator("figure canvas").first).to_be_visible()
        # By its key: what a new page learns in its first moments may push the button from under a pointer.
        viewer.page.get_by_role("button", name=re.compile("Explain request")).first.press("Enter")
        expect(viewer.page.locator("table.candidates").first).to_be_visible()
        assert viewer.overflow() <= 0
        assert viewer.barriers() == []
        assert viewer.complaints == []

    def look(browser: Browser, url: str) -> None:
        ask_something(url, 2)
        for size in SIZES:
            with viewing(browser, url, size, dark=size == "tablet") as viewer:
                fits(viewer)

    async with scripted_upstream([anthropic.plain()] * 2) as up, program(tmp_path, up.url) as shunt:
        shunt.configure(
            [key_account("a"), key_account("a-rather-long-name-for-an-account-that-somebody-chose")]
        )
        await shunt.start()
        await looked_at(shunt, look)


async def test_names_are_text_and_never_markup(tmp_path: Path) -> None:
    """A model may be called anything by whoever asks for it."""
    hostile = "<img src=x onerror=alert(1)>"

    def look(browser: Browser, url: str) -> None:
        body = {"model": hostile, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        fetch(f"{url}v1/messages", "POST", body, anthropic_version="2023-06-01")
        with viewing(browser, url) as viewer:
            expect(viewer.page.locator("table.requests tbody")).to_contain_text(hostile)
            assert viewer.page.locator("table img").count() == 0
            assert viewer.complaints == []

    async with scripted_upstream([anthropic.plain()]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()
        await looked_at(shunt, look)


async def test_the_first_start_says_what_was_found(tmp_path: Path) -> None:
    """Without an account: what this machine has, and the command that adds it; then the account, by itself."""

    def look(browser: Browser, url: str) -> None:
        with viewing(browser, url) as viewer:
            gate = viewer.page.locator("section.gate")
            expect(gate).to_contain_text("No account yet")
            expect(gate).to_contain_text("$ANTHROPIC_API_KEY")
            expect(gate).to_contain_text("--api-key-env ANTHROPIC_API_KEY")
            assert viewer.barriers() == []
            assert viewer.complaints == []
            assert "obviously-fake" not in viewer.page.content()

    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.extra["ANTHROPIC_API_KEY"] = "sk-ant-obviously-fake"
        shunt.configure([])
        await shunt.start()
        await looked_at(shunt, look)


async def test_browsers_elsewhere_log_in_with_a_code(tmp_path: Path) -> None:
    """Locked until then; the code leaves the address bar, works once, and its session can steer."""

    def look(browser: Browser, url: str) -> None:
        code = fetch(f"{url}dashboard/codes", "POST", {}, x_api_key=KEY, **_underscored(ELSEWHERE))["code"]
        with viewing(browser, url, headers=ELSEWHERE) as locked:
            expect(locked.page.locator("section.gate")).to_contain_text("Log in")
            assert locked.barriers() == []
        with viewing(browser, f"{url}#code={code}", headers=ELSEWHERE) as viewer:
            expect(viewer.page.get_by_role("article", name="Account a")).to_be_visible()
            assert viewer.page.url == url
            viewer.page.get_by_role("button", name="Pin a", exact=True).click()
            expect(viewer.page.locator("header")).to_contain_text("pinned to a")
            cookie = viewer.page.context.cookies()[0]
            assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Strict")
            assert KEY not in viewer.page.content()
            assert viewer.complaints == []
            viewer.page.get_by_role("button", name="Log out").click()
            expect(viewer.page.locator("section.gate")).to_contain_text("Log in")
        with viewing(browser, f"{url}#code={code}", headers=ELSEWHERE) as again:
            expect(again.page.locator("section.gate")).to_contain_text("Log in")

    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")], server={"remote_key": KEY})
        await shunt.start()
        await looked_at(shunt, look)


async def test_a_server_that_goes_is_missed_and_found_again(tmp_path: Path) -> None:
    """The page says so, and goes on by itself when the server is back."""
    portal: list[Viewer] = []

    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()

        def look(browser: Browser, url: str) -> None:
            with viewing(browser, url) as viewer:
                portal.append(viewer)
                link = viewer.page.locator("header .link")
                expect(link).to_have_text("live")
                trio.from_thread.run(shunt.stop)
                expect(link).to_contain_text("does not answer")
                trio.from_thread.run(shunt.start)
                expect(link).to_have_text(re.compile("live|every"))

        await looked_at(shunt, look)


def _underscored(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}
