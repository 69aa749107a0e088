"""A person at a terminal: the program on a pseudo-terminal of its own, read and typed at as they would."""

from __future__ import annotations

import os
import pty
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio
from attrs import define, field


@define(eq=False)
class Terminal:
    """One program on its terminal."""

    process: trio.Process
    master: int
    seen: str = ""
    """Everything it showed, echo included."""
    command_lines: list[str] = field(factory=list)
    """Those of all processes of this machine's user, at every look."""

    async def shows(self, pattern: str, within: float = 30) -> re.Match[str]:
        """Wait until it has shown this."""
        with trio.fail_after(within):
            while True:
                self._look()
                found = re.search(pattern, self.seen, re.DOTALL)
                if found:
                    return found
                assert self.process.poll() is None or not self._ended(), (
                    f"ended without {pattern!r}: {self.seen}"
                )
                await trio.sleep(0.02)

    async def type(self, text: str) -> None:
        """Type a line."""
        await trio.lowlevel.checkpoint()
        os.write(self.master, text.encode() + b"\n")

    async def ends(self, within: float = 30) -> int:
        """Wait for its end and return its exit status."""
        with trio.fail_after(within):
            while self.process.poll() is None:
                self._look()
                await trio.sleep(0.02)
        self._look()
        assert self.process.returncode is not None
        return self.process.returncode

    def _ended(self) -> bool:
        self._look()
        return True

    def _look(self) -> None:
        with suppress(BlockingIOError, OSError):
            while piece := os.read(self.master, 65536):
                self.seen += piece.decode(errors="replace").replace("\r\n", "\n")
        self.command_lines += running()


def running() -> set[str]:
    """Command lines of every process there is."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


@asynccontextmanager
async def terminal(command: Sequence[str], environ: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Start a program on a terminal; it is certainly gone afterwards."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    process = await trio.lowlevel.open_process(
        list(command), env=dict(environ), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            with trio.CancelScope(shield=True):
                process.send_signal(9)
                await process.wait()
        os.close(master)
