"""Real clients on an imported ChatGPT login, whose backend is stricter than any API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e import claude_code
from tests.e2e.agents import CUE, RESULT, SUM, WORDS, chatgpt_backend, with_chatgpt_login
from tests.e2e.claude_code import claude
from tests.e2e.program import Program, program
from tests.e2e.test_codex import codex
from tests.e2e.test_codex import run as run_codex
from tests.e2e.test_opencode import opencode
from tests.e2e.test_opencode import run as run_opencode
from tests.fakes.upstream import ScriptedUpstream, scripted_upstream

__all__ = ["claude", "codex", "opencode"]

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

Running = tuple[Program, ScriptedUpstream]


@pytest.fixture(params=["Bash"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    model = chatgpt_backend(request.param, {"command": SUM, "description": "add"})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        await with_chatgpt_login(shunt, up.url, models={"claude-*": {"codex": "gpt-5.5"}})
        yield shunt, up


def sent(up: ScriptedUpstream) -> list[bytes | None]:
    """The account that each call of a model was made for."""
    calls = [request for request in up.requests if request.path == "/backend-api/codex/responses"]
    return [request.get(b"chatgpt-account-id") for request in calls]


async def test_claude_code(claude: Path, tmp_path: Path, running: Running) -> None:
    """It does not notice: words arrive, its tool is run, and its session is one session at the backend."""
    shunt, up = running
    done = await claude_code.run(claude, tmp_path, shunt.port, "say something")
    assert (done.status, done.out.strip()) == (0, WORDS), (done.out, done.err)
    done = await claude_code.run(claude, tmp_path, shunt.port, CUE)
    assert done.status == 0, (done.out, done.err)
    assert RESULT in done.out, (done.out, done.err)
    assert set(sent(up)) == {b"acct-test-1"}
    keys = [
        request.json["prompt_cache_key"] for request in up.requests if request.path.endswith("/responses")
    ]
    assert keys[-1] == keys[-2], "two turns of one conversation have two caches"


@pytest.mark.parametrize("running", ["exec_command"], indirect=True)
async def test_codex(codex: Path, tmp_path: Path, running: Running) -> None:
    """What Codex writes for this very backend passes."""
    shunt, up = running
    done = await run_codex(codex, tmp_path, shunt.port, "say something")
    assert (done.status, done.out.strip()) == (0, WORDS), done.err[-3000:]
    assert set(sent(up)) == {b"acct-test-1"}


@pytest.mark.slow
@pytest.mark.parametrize("running", ["bash"], indirect=True)
@pytest.mark.parametrize("adapter", ["@ai-sdk/anthropic", "@ai-sdk/openai-compatible", "@ai-sdk/openai"])
async def test_opencode(opencode: Path, tmp_path: Path, running: Running, adapter: str) -> None:
    """Through each of its adapters: words, and a tool turn."""
    shunt, up = running
    done = await run_opencode(opencode, tmp_path, shunt.port, adapter, "say something")
    assert WORDS in done.out, (done.out, done.err)
    done = await run_opencode(opencode, tmp_path, shunt.port, adapter, CUE)
    assert RESULT in done.out, (done.out, done.err)
    assert set(sent(up)) == {b"acct-test-1"}
