"""One process of the program: lines in, lines out, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import trio
from attrs import define, field

from shunt.errors import UpstreamBroke, UpstreamUnreachable
from shunt.upstream.claude_code.failures import INSTALL
from shunt.wire import json

LONGEST_LINE: Final = 64 * 1024 * 1024
TOLD: Final = 2000
"""Characters of its standard error that are kept, the last ones."""
GRACE: Final = 2.0
"""Seconds between asking a process to end and ending it."""


@define(eq=False)
class Child:
    """A running program. Use as an async context manager: leaving it ends the process, whatever happens."""

    _process: trio.Process
    _input: trio.abc.SendStream
    _output: trio.abc.ReceiveStream
    _told: trio.abc.ReceiveStream
    """Its standard error."""
    _clean: Callable[[str], str]
    """Takes secrets out of text."""
    _errors: bytearray = field(factory=bytearray, repr=False)
    _read: bytearray = field(factory=bytearray, repr=False)
    _searched: int = 0
    """Bytes of `_read` that hold no line end."""
    _writing: trio.Lock = field(factory=trio.Lock)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Exit status, None while it runs; negative for a signal."""
        return self._process.returncode

    @property
    def said(self) -> str:
        """The end of its standard error, without secrets."""
        return self._clean(self._errors[-TOLD:].decode("utf-8", "replace").strip())

    async def write(self, *lines: Mapping[str, Any]) -> None:
        """Send JSON lines. Raises UpstreamBroke when the program has gone."""
        data = b"".join(json.encode(line) + b"\n" for line in lines)
        try:
            async with self._writing:
                await self._input.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise UpstreamBroke(f"Claude Code has ended: {self.said or 'it gave no reason'}") from error

    async def close_input(self) -> None:
        """Say that nothing more will come; the program ends when it has finished."""
        await self._input.aclose()

    async def line(self) -> dict[str, Any] | None:
        """Wait for what it prints next, objects only; None when it has ended.

        Raises UpstreamBroke on an endless line.
        """
        while True:
            end = self._read.find(b"\n", self._searched)
            if end >= 0:
                document = json.value(bytes(self._read[:end]))
                del self._read[: end + 1]
                self._searched = 0
                if isinstance(document, dict):
                    return document
                continue
            self._searched = len(self._read)
            if self._searched > LONGEST_LINE:
                raise UpstreamBroke("Claude Code printed a line without an end.")
            data = await self._output.receive_some(65536)
            if not data:
                return None
            self._read += data

    async def listen(self) -> None:
        """Keep the end of its standard error, for the case that it fails. Runs until it ends."""
        async for data in self._told:
            self._errors += data
            del self._errors[: -4 * TOLD]

    async def wait(self) -> int:
        """Wait for its end; returns the exit status."""
        return await self._process.wait()

    async def aclose(self) -> None:
        """End the process and everything it started; returns when it has gone. Safe under cancellation."""
        with trio.CancelScope(shield=True):
            if self._process.returncode is None:
                self._signal(signal.SIGTERM)
                with trio.move_on_after(GRACE):
                    await self._process.wait()
            self._signal(_KILL)
            await self._process.wait()
            for stream in (self._input, self._output, self._told):
                await stream.aclose()

    def _signal(self, number: int) -> None:
        """Signal its process group; on Windows, the process."""
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, number)


_KILL: Final = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


async def spawn(
    command: Sequence[str], environment: Mapping[str, str], folder: str, clean: Callable[[str], str]
) -> Child:
    """Start the program. Raises UpstreamUnreachable when it cannot be."""
    try:
        process = await trio.lowlevel.open_process(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            # A group of its own: one signal ends it with all it started, and Ctrl-C is not its business.
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"Claude Code cannot be started ({command[0]}: {reason}). To install it: {INSTALL}"
        raise UpstreamUnreachable(message) from error
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise UpstreamUnreachable("Claude Code was started without pipes.")
    return Child(process, process.stdin, process.stdout, process.stderr, clean)
