"""A server for one command: on a free port, with the same accounts, gone when the command is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from attrs import evolve

from shunt.cli.child_environment import cleaned
from shunt.cli.control import Control
from shunt.cli.exits import Failed, NotRunning
from shunt.cli.files import Files

START_WITHIN: Final = 30.0
"""Seconds until it answers; a cold disk may be slow."""
STOP_WITHIN: Final = 10.0
LOOK_EVERY: Final = 0.05
ATTEMPTS: Final = 3
"""Tries: somebody else may take the port that was free."""


@contextmanager
def private_server(files: Files) -> Iterator[Control]:
    """Run a server with these files. Raises Failed with its own words when it does not start."""
    for attempt in range(ATTEMPTS):
        try:
            with server_on(files, free_port()) as control:
                yield control
                return
        except PortTaken:
            if attempt == ATTEMPTS - 1:
                raise


class PortTaken(Failed):
    """Somebody else has the port."""


@contextmanager
def server_on(files: Files, port: int | None) -> Iterator[Control]:
    """Run a server on a loopback port, or (None) where the configuration puts it. Raises Failed."""
    process = _started(files, port)
    try:
        control = files.control()
        if port is not None:
            control = evolve(control, url=f"http://127.0.0.1:{port}")
        problem = _awaited(process, control)
        if problem is not None:
            raise PortTaken(problem) if "in use" in problem else Failed(problem)
        yield control
    finally:
        _ended(process)


def server_command(arguments: list[str]) -> list[str]:
    """The words that start another process of this program."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    return [sys.executable, "-m", "shunt", *arguments]


def server_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Its environment: a packaged build has to unpack itself anew, or it would die with us."""
    found = cleaned(environ)
    return {**found, "PYINSTALLER_RESET_ENVIRONMENT": "1"} if getattr(sys, "frozen", False) else found


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Process(subprocess.Popen[str]):
    """The server, and our end of the pipe that keeps it running."""

    leash: int | None = None


def _started(files: Files, port: int | None) -> _Process:
    call = files.call
    words = ["run", *([] if port is None else ["--host", "127.0.0.1", "--port", str(port)])]
    words += ["--home", call.home] if call.home else []
    words += ["--config", call.config] if call.config else []
    theirs: tuple[int, ...] = ()
    ours: int | None = None
    if os.name == "posix":
        reading, ours = os.pipe()
        theirs = (reading,)
        words += ["--leash", str(reading)]
    try:
        process = _Process(
            server_command(words),
            env=server_environment(call.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            pass_fds=theirs,
            # Ctrl-C in the terminal is for the command; the server ends after it.
            start_new_session=os.name == "posix",
        )
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    process.leash = ours
    return process


def _awaited(process: _Process, control: Control) -> str | None:
    """Wait until it answers; what it said when it ended instead."""
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = process.stderr.read().strip() if process.stderr else ""
            return said.removeprefix("Error: ") or f"the server ended with status {process.returncode}"
        with suppress(NotRunning, Failed):
            control.health()
            return None
        time.sleep(LOOK_EVERY)
    return f"the server did not answer within {START_WITHIN:.0f} s"


def _ended(process: _Process) -> None:
    if process.leash is not None:
        os.close(process.leash)
        process.leash = None
    process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stderr:
        process.stderr.close()
