"""Notices of a running shunt: on the desktop where there is one, on the terminal where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from tests.desktop.test_freedesktop import desktop, needs_bus, session_bus
from tests.e2e.program import key_account, program
from tests.fakes.upstream import scripted_upstream

WRONG = "[server]\nprot = 1\n"


async def test_without_a_desktop_a_notice_is_a_line(tmp_path: Path) -> None:
    """A configuration that cannot be taken is told of where shunt runs."""
    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()
        (shunt.home / "config.toml").write_text(WRONG)
        await shunt.printed("\nshunt: ", within=60)
        assert "prot" in shunt.output.partition("\nshunt: ")[2]


@needs_bus
async def test_a_desktop_shows_it_instead(tmp_path: Path) -> None:
    """By its own service, found on the session's bus."""
    shown: list[Any] = []
    (tmp_path / "bus").mkdir()
    async with (
        session_bus(tmp_path / "bus") as address,
        trio.open_nursery() as nursery,
        scripted_upstream([]) as up,
        program(tmp_path, up.url) as shunt,
    ):
        ready = trio.Event()
        nursery.start_soon(desktop, address, shown, ready)
        await ready.wait()
        shunt.extra["DBUS_SESSION_BUS_ADDRESS"] = address
        shunt.configure([key_account("a")])
        await shunt.start()
        (shunt.home / "config.toml").write_text(WRONG)
        with trio.fail_after(60):
            while not shown:  # noqa: ASYNC110 - it comes over a bus of another process
                await trio.sleep(0.05)
        assert shown[0][3] == "shunt: config rejected"
        assert "prot" in shown[0][4]
        nursery.cancel_scope.cancel()
