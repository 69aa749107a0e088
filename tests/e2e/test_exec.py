"""`shunt exec`: commands pointed at shunt, without any file changed for them."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.e2e.agents import CUE, MODELS, RESULT, SUM, account
from tests.e2e.claude_code import claude
from tests.e2e.program import Program, command, key_account, program
from tests.e2e.test_codex import codex
from tests.fakes import anthropic
from tests.fakes.upstream import scripted_upstream

__all__ = ["claude", "codex"]

ASK = """
import json, os, sys, urllib.request
body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": sys.stdin.read()}]}
headers = {"x-api-key": os.environ["ANTHROPIC_AUTH_TOKEN"], "content-type": "application/json"}
call = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), headers)
with urllib.request.urlopen(call) as answer:
    print(answer.headers["x-shunt-account"], json.load(answer)["content"][0]["text"])
sys.exit(7)
"""
"""A program built on Anthropic's variables."""


@pytest.fixture
async def shunt(tmp_path: Path) -> AsyncIterator[Program]:
    """Two accounts; nothing runs yet."""
    async with (
        scripted_upstream(lambda *_: anthropic.plain("words")) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure([key_account("a"), key_account("b")], server={"port": shunt.port})
        yield shunt


async def test_a_private_server_for_one_command(shunt: Program) -> None:
    """Stdin, stdout and status are the command's; afterwards nothing runs and nothing is locked."""
    done = await shunt.cli("exec", "--account", "b", "--", sys.executable, "-c", ASK, stdin=b"hi")
    assert (done.returncode, done.stdout) == (7, b"b words\n"), done.stderr
    assert (await shunt.cli("status", "--json")).returncode == 3
    again = await shunt.cli("exec", "--account", "a", "--", sys.executable, "-c", ASK, stdin=b"hi")
    assert (again.returncode, again.stdout) == (7, b"a words\n"), again.stderr


async def test_a_running_server_is_joined(shunt: Program) -> None:
    """Also one that asks everybody else for a key; the pass ends with the command."""
    added = await shunt.cli("client", "add", "laptop")
    assert added.returncode == 0, added.stderr
    await shunt.start()
    done = await shunt.cli("exec", "--account", "b", "--", sys.executable, "-c", ASK, stdin=b"hi")
    assert (done.returncode, done.stdout) == (7, b"b words\n"), done.stderr
    refused = await shunt.post("/passes", {"purpose": "theft"})
    assert refused.status == 403, "another user of this machine cannot read the proof"
    recent = (await shunt.status())["recent_requests"]
    assert [request["account"] for request in recent] == ["b"]
    shown = await shunt.cli(
        "exec", "--", sys.executable, "-c", "import os; print(os.environ['ANTHROPIC_API_KEY'])"
    )
    late = await shunt.message(headers=((b"x-api-key", shown.stdout.strip()),))
    assert late.status == 401


async def test_an_unknown_account(shunt: Program) -> None:
    """Nothing is started for it."""
    done = await shunt.cli("exec", "--account", "c", "--", sys.executable, "-c", "print('ran')")
    assert done.returncode == 1
    assert b"no account is named" in done.stderr
    assert b"ran" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
async def test_a_killed_exec_leaves_no_server(shunt: Program) -> None:
    """Even without a chance to clean up."""
    words = [
        *command(),
        "exec",
        "--",
        sys.executable,
        "-u",
        "-c",
        "print('up'); import sys; sys.stdin.read()",
    ]
    process = await trio.lowlevel.open_process(words, env=shunt.environ, stdin=-1, stdout=-1)
    assert process.stdout is not None
    assert process.stdin is not None
    with trio.fail_after(40):
        assert (await process.stdout.receive_some(100)).startswith(b"up")
        process.kill()
        await process.wait()
        while (await shunt.cli("status", "--json")).returncode != 3:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.1)
    await process.stdin.aclose()
    await process.stdout.aclose()


@pytest.mark.clients
@pytest.mark.timeout(180)
async def test_the_real_claude_code(claude: Path, tmp_path: Path) -> None:
    """Its own settings point elsewhere, and the command still goes to shunt."""
    model = MODELS["anthropic"]("Bash", {"command": SUM, "description": "add"})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([account("anthropic", up.url)], server={"port": shunt.port})
        settings = shunt.user / ".claude" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}}))
        shunt.extra = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "HTTPS_PROXY": "http://127.0.0.1:9"}
        done = await shunt.cli("exec", "--", str(claude), "-p", CUE)
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert RESULT in done.stdout.decode()
        assert {request.key for request in up.requests} == {"sk-test-c"}
        assert "127.0.0.1:9" in settings.read_text()


@pytest.mark.clients
@pytest.mark.timeout(180)
async def test_the_real_codex(codex: Path, tmp_path: Path) -> None:
    """Without any configuration of its own."""
    model = MODELS["openai"]("exec_command", {"cmd": SUM})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([account("openai", up.url)], server={"port": shunt.port})
        shunt.extra = {"HTTPS_PROXY": "http://127.0.0.1:9"}
        words = [str(codex), "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        done = await shunt.cli("exec", "--", *words, "-m", "gpt-5.5", CUE)
        assert done.returncode == 0, done.stderr[-3000:]
        assert RESULT in done.stdout.decode(), done.stderr[-3000:]
