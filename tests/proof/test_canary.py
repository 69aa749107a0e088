"""Secrets with a name of their own are looked for in everything that shunt says, writes or shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.logins import claude_login
from tests.e2e.program import JSON, Program, program
from tests.fakes import anthropic
from tests.fakes.client import ask
from tests.fakes.issuer import TOKEN_PATH, Issuer, failing, replying, slow
from tests.fakes.upstream import by_path, scripted_upstream

SHOWN = (
    *("/", "/health", "/ready", "/status", "/metrics", "/openapi.json", "/sessions", "/history", "/strategy"),
    *(
        "/model",
        "/debug/stats",
        "/debug/active",
        "/debug/health",
        "/debug/traces",
        "/debug/errors",
        "/debug/logs",
    ),
)
KEPT = {"credentials.json", "credentials.json.1"}
"""Where secrets belong."""


def forms(secret: str) -> tuple[bytes, ...]:
    """A secret and the end of it, which patterns for whole tokens would overlook."""
    return (secret.encode(), secret[-16:].encode())


def look(where: str, text: bytes, secrets: list[str]) -> None:
    for secret in secrets:
        for form in forms(secret):
            assert form not in text, f"a secret is shown in {where}"


def processes(shunt: Program) -> list[tuple[str, bytes]]:
    """Command lines and environments of the program and all it started."""
    assert shunt.process is not None
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = os.getpgid(int(folder.name)) == shunt.process.pid
            if ours:
                found += [(name, (folder / name).read_bytes()) for name in ("cmdline", "environ")]
        except OSError:
            continue
    return found


async def test_no_secret_leaves_its_file(tmp_path: Path) -> None:
    """Through renewals that work, are refused with the token quoted back, answered with nonsense, lost to a
    kill: output, logs, status, routes, state, history, command lines and environments hold no token."""
    issuer = Issuer()
    tokens = issuer.grant("canary7f3a91c4e8")
    every = [issuer.families["canary7f3a91c4e8"].at(n) for n in range(1, 6)]
    secrets = [secret for each in every for secret in (each.access, each.refresh)]
    script = by_path({TOKEN_PATH: issuer}, issuer.protect(lambda *_: anthropic.plain("hello")))
    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([], server={"log_level": "debug"})
        claude_login(shunt, tokens.access, tokens.refresh)
        done = await shunt.cli("add-account", "main", "--import")
        said = [("add-account", done.stdout + done.stderr)]
        await shunt.start()
        quoted = json.dumps({"error": "server_error", "error_description": f"bad {tokens.refresh}"}).encode()
        for fault in (failing(500, quoted), slow(0.1), replying(quoted)):
            issuer.faults.append(fault)
            issuer.expire("canary7f3a91c4e8")
            answer = await shunt.message()
            said.append(("an answer", answer.body))
        said += [(target, (await ask(shunt.port, b"GET", target.encode(), JSON)).body) for target in SHOWN]
        said += processes(shunt)
        for command in (("status",), ("accounts",), ("doctor", "--offline"), ("config", "show")):
            shown = await shunt.cli(*command)
            said.append((command[0], shown.stdout + shown.stderr))
        shunt.signal(signal.SIGKILL)
        await shunt.stopped()
        await shunt.start()
        said.append(("the answer after a kill", (await shunt.message()).body))
        assert await shunt.stop() == 0
        said.append(("the terminal", shunt.output.encode()))
        for path in shunt.home.rglob("*"):
            if path.is_file() and path.name not in KEPT:
                said.append((path.name, path.read_bytes()))
        assert (shunt.home / "logs" / "shunt.log").stat().st_size > 100
        for where, text in said:
            look(where, text, secrets)


def test_a_crash_shows_no_secret(tmp_path: Path) -> None:
    """Neither Python's own traceback nor one with the variables of every frame."""
    program = (
        "import traceback, sys, faulthandler\n"
        "from shunt.accounts.secret import Secret\n"
        "from shunt.accounts.credential import Login\n"
        "def fail(login):\n"
        "    local = {'it': login, 'list': [login.access]}\n"
        "    raise ValueError(login, local)\n"
        "try:\n"
        "    fail(Login(Secret('canary'+'-access'), Secret('canary'+'-refresh'), 1.0))\n"
        "except ValueError as error:\n"
        "    shown = traceback.TracebackException.from_exception(error, capture_locals=True)\n"
        "    print(*shown.format())\n"
        "    raise\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"Secret(***)" in done.stdout + done.stderr
    assert b"canary-" not in (done.stdout + done.stderr).replace(b"'canary'+'-", b"")
