"""`shunt connect CLIENT`, then the real client with nothing else said to it, then the way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e import claude_code
from tests.e2e.agents import CUE, MODELS, RESULT, SUM, account
from tests.e2e.claude_code import claude
from tests.e2e.npm import headless, installed
from tests.e2e.program import Program, program
from tests.e2e.test_codex import codex
from tests.e2e.test_opencode import opencode
from tests.fakes.upstream import ScriptedUpstream, scripted_upstream

__all__ = ["claude", "claude_code", "codex", "opencode"]

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

CLINE = "3.0.65"


@asynccontextmanager
async def connected(
    folder: Path, client: str, tool: str, arguments: dict[str, str], provider: str = "anthropic"
) -> AsyncIterator[tuple[Program, ScriptedUpstream, Path]]:
    """A shunt that asks for keys, and a home in which `shunt connect` was called; all is undone afterwards."""
    home = folder / "home"
    home.mkdir()
    before = sorted(home.rglob("*"))
    model = MODELS[provider](tool, dict(arguments))
    async with scripted_upstream(model) as up, program(folder, up.url) as shunt:
        shunt.extra = {"HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / ".claude")}
        shunt.configure(
            [account(provider, up.url)], server={"port": shunt.port, "remote_key": "remote-key-for-tests"}
        )
        await shunt.start()
        done = await shunt.cli("connect", client, "--yes")
        assert done.returncode == 0, done.stderr
        written = [path for path in home.rglob("*") if path.is_file()]
        yield shunt, up, home
        undone = await shunt.cli("connect", client, "--undo")
        assert undone.returncode == 0, undone.stderr
        left = [path.read_text() for path in written if path.exists()]
        assert not any(f":{shunt.port}" in text for text in left), undone.stdout
        if client != "cline":  # which adds things of its own to its file at every run
            assert left == [], undone.stdout
        assert before == []


async def test_claude_code(claude: Path, tmp_path: Path) -> None:
    """No variable is needed; the key of the settings is shunt's and goes no further."""
    arguments = {"command": SUM, "description": "add"}
    async with connected(tmp_path, "claude", "Bash", arguments) as (_, up, home):
        environ = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        done = await headless([str(claude), "-p", CUE], home, environ)
        assert done.status == 0, (done.out, done.err)
        assert RESULT in done.out, (done.out, done.err)
        assert {request.key for request in up.requests} == {"sk-test-c"}


async def test_codex(codex: Path, tmp_path: Path) -> None:
    """The provider of its own is used, without any login at all."""
    async with connected(tmp_path, "codex", "exec_command", {"cmd": SUM}, "openai") as (_, up, home):
        words = [str(codex), "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        words += ["-m", "gpt-5.5"]
        done = await headless([*words, CUE], home, {})
        assert done.status == 0, done.err[-3000:]
        assert RESULT in done.out, done.err[-3000:]
        assert {request.key for request in up.requests} == {"sk-test-c"}


async def test_opencode(opencode: Path, tmp_path: Path) -> None:
    """Its built-in provider goes to shunt, with its own names of models."""
    arguments = {"command": SUM, "description": "add"}
    async with connected(tmp_path, "opencode", "bash", arguments) as (_, up, home):
        done = await headless([str(opencode), "run", "-m", "anthropic/claude-sonnet-4-5", CUE], home, {})
        assert done.status == 0, (done.out, done.err)
        assert RESULT in done.out, (done.out, done.err)
        assert {request.key for request in up.requests} == {"sk-test-c"}


@pytest.mark.slow
async def test_cline(tmp_path: Path) -> None:
    """Cline reads the file that shunt wrote for it."""
    cline = installed("cline", CLINE, "cline")
    async with connected(tmp_path, "cline", "run_commands", {"commands": SUM}, "openai-compatible") as (
        _,
        up,
        home,
    ):
        done = await headless([str(cline), "--json", CUE], home, {}, within=90)
        assert done.status == 0, (done.out, done.err)
        assert RESULT in done.out, (done.out[-3000:], done.err[-3000:])
        assert {request.key for request in up.requests} == {"sk-test-c"}
