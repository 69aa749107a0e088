"""`shunt run` as a process of its own, in a scratch home, as a user would start it.

`SHUNT_TEST_COMMAND` names another program to drive in place of the source tree (the built one).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import define, field

from tests.fakes.client import RawResponse, ask
from tests.fakes.http1 import Headers

JSON: Headers = ((b"content-type", b"application/json"),)
MESSAGES: Headers = (*JSON, (b"anthropic-version", b"2023-06-01"))
KEPT = ("PATH", "LANG", "SYSTEMROOT", "LD_LIBRARY_PATH")


def command() -> list[str]:
    """The program under test."""
    named = os.environ.get("SHUNT_TEST_COMMAND")
    return shlex.split(named) if named else [sys.executable, "-m", "shunt"]


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def toml(value: object) -> str:
    """A TOML value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def spelled(key: str) -> str:
    """A TOML key, in quotes where it needs them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def document(sections: Mapping[str, Any]) -> str:
    """A config.toml of tables and arrays of tables."""
    lines: list[str] = []
    for name, section in sections.items():
        for table in section if isinstance(section, list) else [section]:
            lines.append(f"[[{name}]]" if isinstance(section, list) else f"[{name}]")
            lines += [f"{spelled(key)} = {toml(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


PATIENCE = 90.0
"""Seconds after which something that has to happen does not: many times what it takes, since machines are shared."""


@define(eq=False)
class Program:
    """A shunt in its scratch home."""

    folder: Path
    upstream: str
    """Base URL of the scripted vendor."""
    port: int = field(factory=free_port)
    extra: dict[str, str] = field(factory=dict)
    """More environment."""
    process: trio.Process | None = None

    @property
    def home(self) -> Path:
        """Holds config, credentials, state and logs."""
        return self.folder / "shunt"

    @property
    def user(self) -> Path:
        """The user's $HOME."""
        return self.folder / "user"

    @property
    def output_file(self) -> Path:
        """What the process printed."""
        return self.folder / "output.txt"

    @property
    def output(self) -> str:
        """What the process printed so far."""
        return self.output_file.read_text() if self.output_file.exists() else ""

    @property
    def environ(self) -> dict[str, str]:
        """The scrubbed environment everything is started with."""
        kept = {key: value for key, value in os.environ.items() if key in KEPT}
        root = str(Path(__file__).resolve().parents[2])
        return kept | {
            "HOME": str(self.user),
            "SHUNT_HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.user / ".claude"),
            "PYTHONPATH": root,
            "NO_COLOR": "1",
            "SHUNT_ANTHROPIC_URL": self.upstream,
            "SHUNT_ANTHROPIC_TOKEN_URL": f"{self.upstream}/v1/oauth/token",
            **self.extra,
        }

    def configure(self, accounts: Sequence[Mapping[str, Any]], **sections: Mapping[str, Any]) -> None:
        """Write config.toml: nothing of shunt's own traffic, no waiting unless a section says so."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.user.mkdir(mode=0o700, exist_ok=True)
        whole: dict[str, Any] = {
            "server": {"request_timeout_secs": 20, "connect_timeout_secs": 3, **sections.pop("server", {})},
            "routing": {"wait": "0s", **sections.pop("routing", {})},
            "prefetch": {"mode": "off"},
            **sections,
        }
        if accounts:
            whole["accounts"] = list(accounts)
        path = self.home / "config.toml"
        path.write_text(document(whole))
        path.chmod(0o600)

    async def cli(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run one command to its end."""
        with trio.fail_after(PATIENCE):
            return await trio.run_process(
                [*command(), *arguments],
                env=self.environ,
                stdin=stdin,
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )

    async def start(self, *arguments: str) -> None:
        """Start `shunt run` and wait until it answers."""
        # Of the one-file form the first process is gone before the socket of the second is closed.
        with trio.move_on_after(10):
            while await self._answers():  # noqa: ASYNC110 - a socket tells nobody that it is gone
                await trio.sleep(0.05)
        with self.output_file.open("ab") as out:
            self.process = await trio.lowlevel.open_process(
                [*command(), "run", "--home", str(self.home), "--port", str(self.port), *arguments],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out.fileno(),
                stderr=out.fileno(),
                start_new_session=True,
            )
        with trio.fail_after(PATIENCE):
            while not await self._answers():
                assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.output}"
                await trio.sleep(0.03)

    async def _answers(self) -> bool:
        try:
            return (await ask(self.port, b"GET", b"/health")).status == 200
        except OSError:
            return False

    async def printed(self, words: str, within: float = PATIENCE) -> None:
        """Wait until the process has printed these words."""
        with trio.fail_after(within):
            while words not in self.output:  # noqa: ASYNC110 - a file tells nobody that it grew
                await trio.sleep(0.05)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the process."""
        assert self.process is not None
        self.process.send_signal(number)

    async def stopped(self, within: float = PATIENCE) -> int:
        """Wait for the process to end and return its exit status."""
        assert self.process is not None
        with trio.fail_after(within):
            return await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM and wait."""
        self.signal()
        return await self.stopped()

    async def status(self) -> dict[str, Any]:
        """GET /status."""
        answer = await ask(self.port, b"GET", b"/status")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def account(self, name: str) -> dict[str, Any]:
        """One account's entry of /status."""
        accounts: list[dict[str, Any]] = (await self.status())["accounts"]
        return next(account for account in accounts if account["name"] == name)

    async def message(
        self, text: str = "hi", *, stream: bool = False, headers: Headers = (), **fields: Any
    ) -> RawResponse:
        """POST /v1/messages."""
        body = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 64,
            "messages": [{"role": "user", "content": text}],
            **fields,
        }
        if stream:
            body["stream"] = True
        return await ask(
            self.port, b"POST", b"/v1/messages", (*MESSAGES, *headers), json.dumps(body).encode()
        )

    async def post(self, target: str, document: object = None) -> RawResponse:
        """POST to a control route."""
        return await ask(self.port, b"POST", target.encode(), JSON, json.dumps(document or {}).encode())


@asynccontextmanager
async def program(folder: Path, upstream: str) -> AsyncIterator[Program]:
    """A shunt that is certainly gone afterwards. Nothing is started yet."""
    shunt = Program(folder, upstream)
    try:
        yield shunt
    finally:
        if shunt.process is not None and shunt.process.poll() is None:
            with trio.CancelScope(shield=True):
                shunt.process.kill()
                await shunt.process.wait()


def key_account(name: str, **more: Any) -> dict[str, Any]:
    """An account with an obviously fake API key `sk-test-NAME`."""
    return {"name": name, "provider": "anthropic", "api_key": f"sk-test-{name}", **more}
