"""One version of the program gives way to another, in the same process and without refusing anybody.

The listening sockets stay open all the time: while the old version lets its last answers finish and the
new one starts, connections wait in the kernel's queue. Process id, terminal and service manager stay as
they are, and the state folder has one owner at any time.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from socket import socket as Socket  # noqa: N812 - a class

import trio
from attrs import define, field

from shunt.app.options import RunOptions
from shunt.desktop.form import command, this
from shunt.server.drain import Drain
from shunt.server.sockets import INHERITED

log = logging.getLogger(__name__)


@define(eq=False)
class Succession:
    """Whether, when and how this run gives way."""

    asked: trio.Event = field(factory=trio.Event)
    drain: Drain = field(factory=Drain)
    """Counts the running answers."""
    kept: list[Socket] = field(factory=list)
    """Listening sockets for the next version; none while nobody asked for one."""

    async def come(self, patience: float) -> None:
        """Return when it was asked for and no answer is running, or after `patience` seconds."""
        await self.asked.wait()
        log.info("another version is to take over as soon as no answer is running")
        with trio.move_on_after(patience) as waiting:
            await self.drain.quiet()
        if waiting.cancelled_caught:
            log.warning("answers are still running after %g s; they get the time of a shutdown", patience)

    def keep(self, sockets: Sequence[Socket]) -> None:
        """Hold on to the listening sockets, whoever closes his own."""
        self.kept = [sock.dup() for sock in sockets]
        self.drain.gentle = True

    def become(self, options: RunOptions) -> None:
        """Go on as the program that is installed now. Does not return; OSError when it cannot be started."""
        for sock in self.kept:
            os.set_inheritable(sock.fileno(), True)  # noqa: FBT003 - the call has no keyword
        numbers = ",".join(str(sock.fileno()) for sock in self.kept)
        words = [*command(this()), *options.arguments]
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(words[0], words, {**options.environ, INHERITED: numbers})  # noqa: S606 - no shell is wanted
