"""The monitor, driven by textual's own pilot against a scripted control API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static, TabbedContent

from shunt.accounts.secret import Secret
from shunt.tui.app import Monitor
from shunt.tui.why import Why
from tests.cli.scripted_control import ScriptedControl, scripted_control
from tests.tui.scene import ERROR, REQUEST, SUMS, T0, events, status

SIZES = [(80, 24), (200, 50)]
Script = Callable[[Monitor, Pilot[None], ScriptedControl], Awaitable[None]]


def play(
    script: Script, size: tuple[int, int] = SIZES[0], answers: dict[str, tuple[int, Any]] | None = None
) -> None:
    """Show a pool, and do something with it."""
    whole: dict[str, tuple[int, Any]] = {
        "GET /status": (200, status()),
        "GET /debug/errors": (200, {"errors": [ERROR]}),
        "GET /history?by=account&since=24h": (200, SUMS),
        "GET /strategy": (200, {"known": ["maximus", "reaper"]}),
        "GET /explain/req_1": (200, {"decisions": [{"account": "coral", "why": "sticky", "candidates": []}]}),
        "POST /use": (200, {}),
        "PUT /strategy": (200, {}),
        **{
            f"POST /accounts/{name}/{verb}": (200, {})
            for name in ("coral", "reef")
            for verb in ("pause", "clear")
        },
        **(answers or {}),
    }

    async def playing() -> None:
        with scripted_control(whole) as server:
            app = Monitor(server.url, Secret(""), lambda: T0)
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda: bool(app.picture.status) or "running" in app.link)
                await script(app, pilot, server)

    asyncio.run(playing())


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(30):
        while not true():
            await pilot.pause(0.02)


def shown(app: Monitor, where: str) -> str:
    return str(app.query_one(where, Static).render())


def cells(app: Monitor, where: str) -> list[list[str]]:
    table = app.query_one(where, DataTable)
    return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]


async def drawn(app: Monitor, pilot: Pilot[None]) -> None:
    app.draw()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
def test_the_questions_people_come_with_are_answered(size: tuple[int, int]) -> None:
    """Who serves and why, what resets next, what was saved, how each account stands; at both sizes."""

    async def look(app: Monitor, pilot: Pilot[None], _: ScriptedControl) -> None:
        await drawn(app, pilot)
        summary = shown(app, "#now")
        assert "in use coral, because its conversation stays with it" in summary
        assert "next reset coral in 2 h 28 m" in summary
        assert "$1.50 today" in summary
        assert [row[:2] for row in cells(app, "#accounts")] == [["coral", "available"], ["reef", "cooling"]]
        assert cells(app, "#recent")[0][1] == "coral"
        assert "streaming" in cells(app, "#active")[0]
        assert [row[:2] for row in cells(app, "#sums")] == [["coral", "3"], ["all", "5"]]
        assert "Nothing to do" in shown(app, "#trouble")
        assert "cooldown" in shown(app, "#watching")

    play(look, size)


def test_the_chosen_account_is_steered_by_keys() -> None:
    """Down to the second; pin, unpin, pause, clear, strategy: each is one call."""

    async def steer(app: Monitor, pilot: Pilot[None], server: ScriptedControl) -> None:
        await drawn(app, pilot)
        await pilot.press("down")
        for key in ("p", "u", "space", "c", "s"):
            await pilot.press(key)
            await pilot.pause()
        wanted = [
            ("POST /use", {"account": "reef"}),
            ("POST /use", {"account": None}),
            ("POST /accounts/reef/pause", {}),
            ("POST /accounts/reef/clear", {}),
            ("PUT /strategy", {"strategy": "reaper"}),
        ]
        await until(pilot, lambda: [call for call in server.calls if not call[0].startswith("GET")] == wanted)

    play(steer)


def test_a_request_is_explained_on_a_page_of_its_own() -> None:
    """By e; Esc goes back."""

    async def explain(app: Monitor, pilot: Pilot[None], _: ScriptedControl) -> None:
        await drawn(app, pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Why))
        assert "Chosen: coral" in str(app.screen.query_one(Static).render())
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Why))

    play(explain)


@pytest.mark.parametrize(
    "gone", ["#head", "#now", "#accounts", "#detail", "#recent", "#active", "#sums", "#trouble", "#watching"]
)
def test_a_screen_that_is_being_taken_apart_is_left_alone(gone: str) -> None:
    """Whichever part of it goes first when somebody leaves, the clock may tick after that."""

    async def leave(app: Monitor, pilot: Pilot[None], _: ScriptedControl) -> None:
        await drawn(app, pilot)
        await app.query_one(gone).remove()
        app.draw()
        app.on_data_table_row_highlighted()
        await app.client.http.aclose()
        await app.add_up()

    play(leave)


def test_without_a_screen_nothing_is_drawn() -> None:
    """The last messages may come when the last screen has gone."""
    app = Monitor("http://127.0.0.1:1", Secret(""), lambda: T0)
    assert not app.screen_stack
    app.draw()
    app.on_data_table_row_highlighted()


def test_pages_turn_by_number() -> None:
    """Requests, live ones, sums, errors, watchers."""

    async def turn(app: Monitor, pilot: Pilot[None], _: ScriptedControl) -> None:
        turns = {"2": "live", "3": "history", "4": "errors", "5": "watchers", "1": "requests"}
        for key, pane in turns.items():
            await pilot.press(key)
            assert app.query_one(TabbedContent).active == pane

    play(turn)


def test_events_change_the_picture() -> None:
    """Without asking for everything again."""

    async def wait(app: Monitor, pilot: Pilot[None], _: ScriptedControl) -> None:
        await until(pilot, lambda: any(request["id"] == "req_9" for request in app.picture.recent))

    stream = events(("request_finished", {**REQUEST, "id": "req_9"}))
    play(wait, answers={"GET /events": (200, stream)})


def test_a_server_that_refuses_or_is_gone_is_told_of_and_waited_for() -> None:
    """In the heading, in its own words; a command that fails says why."""

    async def refused(app: Monitor, pilot: Pilot[None], server: ScriptedControl) -> None:
        server.answers["POST /use"] = (404, {"error": {"message": "There is no such account."}})
        await drawn(app, pilot)
        await pilot.press("p")
        await until(pilot, lambda: any("no such account" in str(note.message) for note in app._notifications))
        server.answers["GET /status"] = (401, {"error": {"message": "A key is needed."}})
        await until(pilot, lambda: "A key is needed." in app.link)

    play(refused)


def test_without_accounts_it_says_what_was_found() -> None:
    """With the command that adds it."""

    async def look(app: Monitor, pilot: Pilot[None], _: ScriptedControl) -> None:
        await drawn(app, pilot)
        assert "shunt add-account c --import" in shown(app, "#now")

    found = [{"what": "a Codex login", "where": "/x", "command": "shunt add-account c --import"}]
    play(look, answers={"GET /status": (200, status(accounts=[], found=found))})
