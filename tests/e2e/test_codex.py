"""The real Codex CLI through a running shunt, on accounts of every maker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.agents import CUE, MODELS, RESULT, SAID, SUM, WORDS, account
from tests.e2e.npm import Run, headless, installed
from tests.e2e.program import Program, document, program
from tests.fakes.upstream import ScriptedUpstream, scripted_upstream

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

VERSION = "0.169.0"
COMMAND = {"cmd": SUM}


@pytest.fixture(scope="session")
def codex() -> Path:
    """Path of the program; skips where npm is missing."""
    return installed("@openai/codex", VERSION, "codex")


PATCH = "*** Begin Patch\n*** Add File: sum.txt\n+59395 it is\n*** End Patch"
Running = tuple[Program, ScriptedUpstream]


@pytest.fixture(params=list(MODELS))
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    provider: str = request.param
    model = MODELS[provider]("exec_command", COMMAND)
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([account(provider, up.url)])
        await shunt.start()
        yield shunt, up


async def run(codex: Path, folder: Path, port: int, prompt: str) -> Run:
    """`codex exec PROMPT` against the shunt on `port`."""
    home = folder / "codex-home"
    (home / ".codex").mkdir(parents=True, exist_ok=True)
    proxy = {
        "name": "proxy",
        "base_url": f"http://127.0.0.1:{port}/v1",
        "wire_api": "responses",
        "env_key": "PROXY_KEY",
    }
    top = 'model = "gpt-5.5"\nmodel_provider = "proxy"\n'
    (home / ".codex" / "config.toml").write_text(top + document({"model_providers.proxy": proxy}))
    words = [str(codex), "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    return await headless([*words, prompt], home, {"PROXY_KEY": "dummy-not-a-key"})


async def test_a_text_turn(codex: Path, tmp_path: Path, running: Running) -> None:
    """Words arrive, and the client's own key stays here."""
    shunt, up = running
    done = await run(codex, tmp_path, shunt.port, "say something")
    assert (done.status, done.out.strip()) == (0, WORDS), done.err[-3000:]
    assert {request.key for request in up.requests} == {"sk-test-c"}


async def test_a_tool_turn(codex: Path, tmp_path: Path, running: Running) -> None:
    """The model's command is run and what it printed comes back to the model."""
    shunt, up = running
    done = await run(codex, tmp_path, shunt.port, CUE)
    assert done.status == 0, done.err[-3000:]
    assert RESULT in done.out, done.err[-3000:]
    assert len([request for request in up.requests if request.method == "POST"]) == 2


@pytest.mark.parametrize("provider", ["anthropic", "openai-compatible"])
async def test_a_tool_of_free_text(codex: Path, tmp_path: Path, provider: str) -> None:
    """A patch, free text for Codex, works with models whose tools all take JSON."""
    model = MODELS[provider]("apply_patch", {"input": PATCH})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([account(provider, up.url)])
        await shunt.start()
        done = await run(codex, tmp_path, shunt.port, CUE)
        assert done.status == 0, done.err[-3000:]
        assert SAID in done.out, done.err[-3000:]
        assert (tmp_path / "codex-home" / "work" / "sum.txt").read_text() == "59395 it is\n"
