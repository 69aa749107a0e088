"""Shows notices one after the other: on the desktop, or where there is none as a line on the terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Final

import trio

from shunt.desktop.freedesktop import Freedesktop
from shunt.desktop.notification import PROGRAM, NoDesktop, Notification, Sender
from shunt.desktop.programs import SystemProgram
from shunt.watchers.notices import Notice

log = logging.getLogger(__name__)

WAITING: Final = 32
"""Notices that may wait to be shown; more are left to the log, which has all of them."""


class Announcer:
    """Takes notices without waiting, shows them in a task of its own."""

    def __init__(self, send: Sender, write: Callable[[str], None]) -> None:
        """`send` shows notices on the desktop, `write` takes lines for the terminal."""
        self._send = send
        self._write = write
        self._into, self._out = trio.open_memory_channel[Notice](WAITING)
        self._missing = ""

    def offer(self, notice: Notice) -> None:
        """Have a notice shown soon. Raises trio.WouldBlock when too many wait already."""
        self._into.send_nowait(notice)

    async def run(self, wanted: Callable[[], bool]) -> None:
        """Show what is offered, until cancelled. `wanted` tells whether the desktop is to be used."""
        async for notice in self._out:
            await self._show(notice, desktop=wanted())

    async def _show(self, notice: Notice, *, desktop: bool) -> None:
        if desktop:
            title = f"{PROGRAM}: {notice.category}"
            try:
                await self._send(Notification(title, notice.text))
            except NoDesktop as error:
                if str(error) != self._missing:  # once, not for every notice
                    self._missing = str(error)
                    log.info("notices go to the terminal: %s", error)
            else:
                return
        try:
            self._write(f"{PROGRAM}: {notice.text}")
        except (OSError, ValueError) as error:  # the terminal is gone; the log has it
            log.info("a notice could not be printed: %s", type(error).__name__)


def sender_of(environ: Mapping[str, str], platform: str = sys.platform) -> Sender:
    """What shows notifications on this system."""
    if platform in ("darwin", "win32"):
        return SystemProgram(platform, environ)
    return Freedesktop(environ)
