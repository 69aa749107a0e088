"""`shunt monitor` in a real terminal (tmux), of the real program: what stands on the screen, what keys do."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import frozen

from tests.e2e.program import Program, command, key_account, program
from tests.fakes import anthropic
from tests.fakes.upstream import scripted_upstream

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
    pytest.mark.timeout(240),
]


@frozen
class Terminal:
    """A terminal of its own server, so that no other tmux is touched."""

    socket: Path
    environ: dict[str, str]

    async def tmux(self, *arguments: str) -> str:
        """Run one tmux command; what it printed."""
        done = await trio.run_process(
            ["tmux", "-f", os.devnull, "-S", str(self.socket), *arguments],
            env=self.environ,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
        return done.stdout.decode()

    async def shows(self, true: Callable[[str], bool]) -> str:
        """Wait until the screen satisfies something, and return it."""
        screen = ""
        with trio.move_on_after(60):
            while not true(screen):
                await trio.sleep(0.1)
                screen = await self.tmux("capture-pane", "-p")
        assert true(screen), screen
        return screen

    async def ended(self, key: str) -> None:
        """Press a key until the program has ended: right after Esc, a terminal may take it for Alt and that key."""
        with trio.fail_after(60):
            while (await self.tmux("list-sessions")).strip():
                await self.press(key)
                await trio.sleep(1)

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.tmux("send-keys", *keys)


@asynccontextmanager
async def monitoring(shunt: Program, columns: int, lines: int, *arguments: str) -> AsyncIterator[Terminal]:
    """`shunt monitor` on a screen of this size."""
    environ = {**shunt.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    del environ["NO_COLOR"]
    terminal = Terminal(shunt.home.parent / "tmux", environ)
    called = shlex.join([*command(), "monitor", *arguments])
    try:
        await terminal.tmux("new-session", "-d", "-x", str(columns), "-y", str(lines), called)
        yield terminal
    finally:
        with trio.CancelScope(shield=True):
            await terminal.tmux("kill-server")


async def pinned(shunt: Program, account: str | None) -> None:
    """Wait until this account is pinned; None when none is."""
    with trio.fail_after(60):
        while (await shunt.status())["pinned_account"] != account:  # noqa: ASYNC110 - asked like anybody
            await trio.sleep(0.1)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50)])
async def test_a_screen_of_any_size_answers_the_questions(tmp_path: Path, columns: int, lines: int) -> None:
    """Who serves and why, what was asked; p pins, u unpins, e explains, q leaves and shunt goes on."""
    async with scripted_upstream([anthropic.plain()] * 2) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a"), key_account("b")])
        await shunt.start()
        await shunt.message()
        async with monitoring(shunt, columns, lines, "--home", str(shunt.home)) as terminal:
            screen = await terminal.shows(lambda seen: "live" in seen and "in use a" in seen)
            assert "because strategy maximus" in " ".join(screen.split())
            await shunt.message()
            await terminal.shows(lambda seen: seen.count(" 200 ") == 2)
            await terminal.press("Down", "p")
            await terminal.shows(lambda seen: "pinned to b" in seen)
            await pinned(shunt, "b")
            await terminal.press("u")
            await pinned(shunt, None)
            await terminal.shows(lambda seen: "pinned to b" not in seen)
            await terminal.press("e")
            await terminal.shows(lambda seen: "Chosen: a" in seen)
            await terminal.press("Escape")
            await terminal.shows(lambda seen: "Chosen: a" not in seen)
            await terminal.ended("q")
        assert (await shunt.status())["version"]
